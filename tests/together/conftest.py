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

import serdes


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
class Serdes:
    """A registry client and what makes its serdes, all of them called synchronously."""

    client: Any
    serializer: Callable[..., Any]
    deserializer: Callable[..., Any]


BLOCKING = {
    "confluent": (SchemaRegistryClient, AvroSerializer, AvroDeserializer),
    "ours": (serdes.SchemaRegistryClient, serdes.AvroSerializer, serdes.AvroDeserializer),
}
ASYNCHRONOUS = {
    "confluent": (AsyncSchemaRegistryClient, AsyncAvroSerializer, AsyncAvroDeserializer),
    "ours": (serdes.AsyncSchemaRegistryClient, serdes.AsyncAvroSerializer, serdes.AsyncAvroDeserializer),
}


@contextmanager
def _blocking(url: str, library: str, _waiting: object) -> Iterator[Serdes]:
    open_client, serializer, deserializer = BLOCKING[library]
    with open_client({"url": url}) as client:
        yield Serdes(
            client,
            lambda schema, **conf: serializer(client, schema, conf=conf),
            lambda schema=None, **conf: deserializer(client, schema, conf=conf),
        )


@contextmanager
def _asynchronous(url: str, library: str, waiting: Callable[[Any], Waiting]) -> Iterator[Serdes]:
    open_client, serializer, deserializer = ASYNCHRONOUS[library]
    client = open_client({"url": url})
    waited = waiting(client)
    try:
        yield Serdes(
            waited,
            lambda schema, **conf: waiting(serializer(client, schema, conf=conf)),
            lambda schema=None, **conf: waiting(deserializer(client, schema, conf=conf)),
        )
    finally:
        waited.__aexit__(None, None, None)


@pytest.fixture(params=[_blocking, _asynchronous], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest, waiting: Any) -> Callable[[str, str], AbstractContextManager[Serdes]]:
    """Opens the client of a library, the blocking or the asynchronous one, on a URL; its caches are empty."""
    return lambda url, library="confluent": request.param(url, library, waiting)


@pytest.fixture
def confluent(connect: Callable[..., AbstractContextManager[Serdes]], registry_url: str) -> Iterator[Serdes]:
    """Confluent's client on the registry of the module."""
    with connect(registry_url) as confluent:
        yield confluent


@pytest.fixture
def ours(connect: Callable[..., AbstractContextManager[Serdes]], registry_url: str) -> Iterator[Serdes]:
    """Our client on the same registry, blocking where Confluent's is, asynchronous where it is."""
    with connect(registry_url, "ours") as ours:
        yield ours


@pytest.fixture
def topic() -> str:
    """A topic that no other test uses."""
    return f"orders-{uuid4()}"


@pytest.fixture
def subject(topic: str) -> str:
    """The subject of the topic's values."""
    return f"{topic}-value"
