"""The registry client behind a serde, whoever made it: ours or confluent-kafka's, blocking or async.

Owns the two drivers of bindings, and what a foreign client does not offer by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from serdes._binding import Ask, Binding, Make
from serdes._clients.parts import Client
from serdes._stats import Stats
from serdes.codec import Codecs
from serdes.errors import SerdesError, SettingInvalid

R = TypeVar("R")

_FOREIGN_CAPACITY = 1000
# What bindings ask of any client.
_METHODS = ("get_schema", "register_schema_full_response", "lookup_schema", "get_latest_version", "get_version")


class Registry:
    """What a serde needs of its client besides answers.

    reference_method: the client's method that says what a reference means.

    Args:
        client: ours, confluent-kafka's, or one with the same methods.
        awaited: whether its methods must be coroutines.

    Raises:
        SettingInvalid: it is no client, or is asynchronous where a blocking one is needed, or the other way round.
    """

    def __init__(self, client: Any, *, awaited: bool) -> None:
        _check(client, awaited)
        self.conf = client.config() if hasattr(client, "config") else {}
        if isinstance(client, Client):
            self.client: Any = client
            self.codecs = client.codecs
            self.capacity = client.cache_capacity
            self.clock = client.clock
            self.reference_method = "get_reference"
            self.counters = client.counters
            self._counts_messages = client.counts_messages
        else:
            self.client = _answering(client) if _is_confluents(client) else client
            self.codecs = Codecs(_FOREIGN_CAPACITY)
            self.capacity = _FOREIGN_CAPACITY
            self.clock = time.monotonic
            self.reference_method = "get_version"
            self.counters = Stats()
            self._counts_messages = False

    def counted(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The function, counting its messages where the client's settings ask for that."""
        if not self._counts_messages:
            return function
        tick = self.counters.ticker(name)

        def counting(message: Any, ctx: Any = None) -> Any:
            tick()
            return function(message, ctx)

        return counting

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
                    answer = question.function() if isinstance(question, Make) else self._asked(question)
                except SerdesError as error:
                    question = binding.throw(error)
                else:
                    question = binding.send(answer)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # a generator's return value is not typed on the exception

    async def answer_async(self, binding: Binding[R]) -> R:
        """Let an async client answer the questions of a binding; what takes long is made in a thread."""
        # By name: a program without an event loop need not wait for it.
        to_thread = import_module("asyncio").to_thread
        try:
            question = next(binding)
            while True:
                try:
                    if isinstance(question, Make):
                        answer = await to_thread(question.function)
                    else:
                        answer = await self._asked(question)
                except SerdesError as error:
                    question = binding.throw(error)
                else:
                    question = binding.send(answer)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # a generator's return value is not typed on the exception

    def _asked(self, question: Ask) -> Any:
        return getattr(self.client, question.method)(*question.arguments)


def _answering(client: Any) -> Any:
    # By name: only who has such a client has what it needs.
    return import_module("serdes._confluent_client").Answering(client)


def _check(client: Any, awaited: bool) -> None:
    missing = [name for name in _METHODS if not callable(getattr(client, name, None))]
    if missing:
        raise SettingInvalid(
            f"a serde needs a registry client, and {type(client).__name__} is not one: it has no method {missing[0]}"
        )
    known = _is_confluents(client) or isinstance(client, Client)
    is_async = iscoroutinefunction(client.get_schema)
    # A client of the user's may give out awaitables without being made of coroutines.
    if is_async is not awaited and (known or is_async):
        needed = "an asynchronous" if awaited else "a blocking"
        raise SettingInvalid(f"this serde needs {needed} registry client, and {type(client).__name__} is not one")


def _is_confluents(client: Any) -> bool:
    return type(client).__module__.startswith("confluent_kafka.")
