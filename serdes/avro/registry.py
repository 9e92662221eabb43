"""The registry client behind a serde, whoever made it: ours or confluent-kafka's, blocking or async.

Owns the two drivers of bindings, and what a foreign client does not offer by itself.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any, TypeVar

from serdes._binding import Binding
from serdes._clients import AsyncSchemaRegistryClient, SchemaRegistryClient
from serdes.codec import Codecs
from serdes.errors import SerdesError

R = TypeVar("R")

_FOREIGN_CAPACITY = 1000


class Registry:
    """What a serde needs of its client besides answers.

    reference_method: the client's method that says what a reference means.
    """

    def __init__(self, client: Any) -> None:
        self.conf = client.config() if hasattr(client, "config") else {}
        if isinstance(client, (SchemaRegistryClient, AsyncSchemaRegistryClient)):
            self.client: Any = client
            self.codecs = client.codecs
            self.capacity = client.cache_capacity
            self.clock = client.clock
            self.reference_method = "get_reference"
        else:
            self.client = import_module("serdes.confluent").Answering(client) if _is_confluents(client) else client
            self.codecs = Codecs(_FOREIGN_CAPACITY)
            self.capacity = _FOREIGN_CAPACITY
            self.clock = time.monotonic
            self.reference_method = "get_version"

    @property
    def unverified(self) -> bool:
        """Whether the client uses an answer from disk that the registry has not confirmed yet."""
        return bool(getattr(self.client, "unverified", False))

    def answer(self, binding: Binding[R]) -> R:
        """Let a blocking client answer the questions of a binding."""
        try:
            question = next(binding)
            while True:
                try:
                    answer = getattr(self.client, question.method)(*question.arguments)
                except SerdesError as error:
                    question = binding.throw(error)
                else:
                    question = binding.send(answer)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # a generator's return value is not typed on the exception

    async def answer_async(self, binding: Binding[R]) -> R:
        """Let an async client answer the questions of a binding."""
        try:
            question = next(binding)
            while True:
                try:
                    answer = await getattr(self.client, question.method)(*question.arguments)
                except SerdesError as error:
                    question = binding.throw(error)
                else:
                    question = binding.send(answer)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # a generator's return value is not typed on the exception


def _is_confluents(client: Any) -> bool:
    return type(client).__module__.startswith("confluent_kafka.")
