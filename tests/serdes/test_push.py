"""The registry's event stream: what has changed is asked for again."""

import asyncio
import json
import threading
import time
from queue import Queue

import pytest

from serdes import (
    AsyncSchemaRegistryClient,
    AvroSerializer,
    MessageField,
    Schema,
    SchemaRegistryClient,
    SerializationContext,
)
from serdes._events import Events

VALUE = SerializationContext("orders", MessageField.VALUE)
ONE = '{"type":"record","name":"R","fields":[]}'
TWO = '{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":0}]}'
LATEST = {"use.latest.version": True, "auto.register.schemas": False, "subject.name.strategy.type": "TOPIC"}


def event(**attributes):
    return f"id: 7\nevent: signet\ndata: {json.dumps({'specversion': '1.0', **attributes})}\n"


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        (event(type="signet.subject.changed", subject="orders-value"), ["orders-value"]),
        (event(type="whatever", subject=":.ctx:orders"), [":.ctx:orders"]),
        (event(type="signet.config.changed"), []),
        (": keep alive\n", []),
        ("data: not json\n", []),
        ("data: [1]\n", []),
        ('data: {"subject": 7}\n', []),
        ('data: {"subj\n', []),
        ('data: {\ndata: "subject": "two lines"}\n', ["two lines"]),
        ('data:{"subject":"tight"}\n', ["tight"]),
        (event(subject="a") + "\n" + event(subject="b"), ["a", "b"]),
    ],
)
def test_whatever_names_a_subject_counts(text, subjects):
    events = Events()
    assert [found for line in text.split("\n") if (found := events.feed(line)) is not None] == subjects


@pytest.fixture
def stream(registry):
    """Serves an endless event stream; what is put into the queue is sent."""
    queue = Queue()
    original = registry._serve

    def serve(handler):
        if handler.path != "/signet/v1/events":
            return original(handler)
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        while (text := queue.get()) is not None:
            handler.wfile.write((text + "\n").encode())
        return None

    registry._serve = serve
    yield queue
    queue.put(None)


def eventually(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


def listening():
    return any(thread.name == "serdes-events" for thread in threading.enumerate())


def test_a_new_version_is_written_with_at_once(url, stream):
    with SchemaRegistryClient({"url": url, "cache.push": True}) as client:
        client.register_schema("orders-value", Schema(ONE))
        serializer = AvroSerializer(client, conf=LATEST)
        assert serializer({}, VALUE) == b"\0\0\0\0\1"
        eventually(lambda: client.stats().get("pushed") == 1)
        client.register_schema("orders-value", Schema(TWO))
        stream.put(event(type="signet.subject.changed", subject="orders-value"))
        eventually(lambda: serializer({}, VALUE)[:5] == b"\0\0\0\0\2")
        assert client.stats()["pushed"] == 2


def test_a_registry_without_events_is_left_alone(registry, url):
    with SchemaRegistryClient({"url": url, "cache.push": True}) as client:
        client.register_schema("orders-value", Schema(ONE))
        eventually(lambda: registry.calls["GET /signet/v1/events"])
        eventually(lambda: not listening())
        assert registry.calls["GET /signet/v1/events"] == 1


def test_a_client_that_was_closed_does_not_open_again_to_listen(registry, url):
    inside, closed = threading.Event(), threading.Event()

    def credentials(_config):
        if threading.current_thread().name == "serdes-events":
            inside.set()
            closed.wait()
        return {"bearer.auth.token": "t", "bearer.auth.logical.cluster": "lsrc-1"}

    client = SchemaRegistryClient(
        {
            "url": url,
            "cache.push": True,
            "bearer.auth.credentials.source": "CUSTOM",
            "bearer.auth.custom.provider.function": credentials,
            "bearer.auth.custom.provider.config": {},
        }
    )
    client.register_schema("orders-value", Schema(ONE))
    inside.wait()
    client.close()
    closed.set()
    eventually(lambda: not listening())
    assert client._transport is None


@pytest.mark.anyio
async def test_async_clients_listen_too(url, stream):
    told = asyncio.Queue()
    conf = {"url": url, "cache.push": True}
    client = AsyncSchemaRegistryClient(conf, on_event=lambda name, *_: told.put_nowait(name))
    async with client, asyncio.timeout(10):
        await client.register_schema("orders-value", Schema(ONE))
        # The stream is open; from now on every event counts.
        while await told.get() != "pushed":
            pass
        assert (await client.get_latest_version("orders-value")).schema_id == 1
        await client.register_schema("orders-value", Schema(TWO))
        stream.put(event(type="signet.subject.changed", subject="orders-value"))
        while await told.get() != "pushed":
            pass
        assert (await client.get_latest_version("orders-value")).schema_id == 2
