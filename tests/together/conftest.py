"""The foreign clients that stand before a real registry; each test has a subject of its own."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
)


@dataclass(frozen=True)
class Waiting:
    """An object whose coroutines are run to their end when they are called."""

    target: Any
    run: Callable[[Any], Any]

    def __getattr__(self, name: str) -> Any:
        member = getattr(self.target, name)
        return self._waiting(member) if callable(member) else member

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._waiting(self.target)(*args, **options)

    def _waiting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            answer = function(*args, **options)
            return self.run(answer) if inspect.isawaitable(answer) else answer

        return call


@pytest.fixture
def waiting() -> Iterator[Callable[[Any], Waiting]]:
    """Makes an asynchronous object, or one that is awaited first, into one that is called synchronously."""
    with asyncio.Runner() as runner:

        def run(awaitable: Any) -> Any:
            async def waited() -> Any:
                return await awaitable

            return runner.run(waited())

        yield lambda made: Waiting(run(made) if inspect.isawaitable(made) else made, run)


@dataclass(frozen=True)
class Confluent:
    """Confluent's client for Python and what makes its serdes, all of them called synchronously."""

    client: Any
    serializer: Callable[..., Any]
    deserializer: Callable[..., Any]


@contextmanager
def _sync_confluent(url: str, _waiting: object) -> Iterator[Confluent]:
    with SchemaRegistryClient({"url": url}) as client:
        yield Confluent(
            client,
            lambda schema, **conf: AvroSerializer(client, schema, conf=conf),
            lambda schema=None, **conf: AvroDeserializer(client, schema, conf=conf),
        )


@contextmanager
def _async_confluent(url: str, waiting: Callable[[Any], Waiting]) -> Iterator[Confluent]:
    client = AsyncSchemaRegistryClient({"url": url})
    waited = waiting(client)
    try:
        yield Confluent(
            waited,
            lambda schema, **conf: waiting(AsyncAvroSerializer(client, schema, conf=conf)),
            lambda schema=None, **conf: waiting(AsyncAvroDeserializer(client, schema, conf=conf)),
        )
    finally:
        waited.__aexit__(None, None, None)


@pytest.fixture(params=[_sync_confluent, _async_confluent], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest, waiting: Any) -> Callable[[str], AbstractContextManager[Confluent]]:
    """Opens Confluent's client, the synchronous or the asynchronous one, on a URL; its caches are empty."""
    return lambda url: request.param(url, waiting)


@pytest.fixture
def confluent(connect: Callable[[str], AbstractContextManager[Confluent]], registry_url: str) -> Iterator[Confluent]:
    """Confluent's client on the registry of the module."""
    with connect(registry_url) as confluent:
        yield confluent


@pytest.fixture
def topic() -> str:
    """A topic that no other test uses."""
    return f"orders-{uuid4()}"


@pytest.fixture
def subject(topic: str) -> str:
    """The subject of the topic's values."""
    return f"{topic}-value"
