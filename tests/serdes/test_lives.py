"""What serdes live through: pickling, forks, other event loops; and what they refuse to be made of."""

import asyncio
import copy
import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import pytest

from serdes import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncSchemaRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    MessageField,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SerializationContext,
)
from serdes import confluent as drop_in
from serdes._effects import Later, Pause
from serdes.errors import SettingInvalid

ORDER = '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}'
VALUE = SerializationContext("orders", MessageField.VALUE)


@pytest.fixture
def client(url):
    with SchemaRegistryClient({"url": url}) as client:
        yield client


def doubled(order, _ctx):
    return {"id": order["id"] * 2}


@pytest.fixture
def pickled():
    """What a serde is after pickling, with a client of its own, which is closed in the end."""
    made = []

    def again(serde):
        made.append(pickle.loads(pickle.dumps(serde)))
        return made[-1]

    yield again
    for serde in made:
        serde._registry.client.close()


KINDS = [(AvroSerializer, AvroDeserializer), (drop_in.AvroSerializer, drop_in.AvroDeserializer)]


@pytest.mark.parametrize(("make_serializer", "make_deserializer"), KINDS)
def test_serdes_can_be_pickled_and_copied_whatever_they_know_already(
    client, pickled, make_serializer, make_deserializer
):
    serializer = make_serializer(client, ORDER, doubled, {"auto.register.schemas": True})
    deserializer = make_deserializer(client, None, doubled, conf={"on.error": "return"})
    data = serializer({"id": 1}, VALUE)
    assert deserializer(data, VALUE) == {"id": 4}
    for again in (pickled, copy.copy):
        assert again(serializer)({"id": 1}, VALUE) == data
        assert again(deserializer)(data, VALUE) == {"id": 4}
        assert not again(deserializer)(b"?", VALUE)


def test_serdes_for_a_class_can_be_pickled(client, pickled):
    serializer = pickled(AvroSerializer.for_type(SchemaReference, client))
    deserializer = pickled(AvroDeserializer.for_type(SchemaReference, client))
    reference = SchemaReference("a", "b", 1)
    assert deserializer(serializer(reference, VALUE), VALUE) == reference


def test_asynchronous_serdes_can_be_pickled(url):
    async def run():
        async with AsyncSchemaRegistryClient({"url": url}) as client:
            serializer = pickle.loads(pickle.dumps(AsyncAvroSerializer(client, ORDER)))
            deserializer = pickle.loads(pickle.dumps(AsyncAvroDeserializer(client)))
            value = await deserializer(await serializer({"id": 1}, VALUE), VALUE)
            for serde in (serializer, deserializer):
                await serde._registry.client.close()
            return value

    assert asyncio.run(run()) == {"id": 1}


def test_a_client_goes_on_in_another_event_loop(url):
    client = AsyncSchemaRegistryClient({"url": url})
    serializer = AsyncAvroSerializer(client, ORDER)

    async def write(topic):
        data = await serializer({"id": 1}, SerializationContext(topic, MessageField.VALUE))
        await client.close()
        return data

    assert asyncio.run(write("a")) == asyncio.run(write("b"))


def test_a_client_serves_several_event_loops_at_once(registry, url):
    client = AsyncSchemaRegistryClient({"url": url})
    serializer = AsyncAvroSerializer(client, ORDER)

    async def write():
        data = await serializer({"id": 1}, VALUE)
        await client.close()
        return data

    async def close_while_another_loop_writes():
        await client.get_subjects()
        with registry.holding() as somebody_asks:
            writing = asyncio.create_task(asyncio.to_thread(asyncio.run, write()))
            await asyncio.to_thread(somebody_asks)
            await client.close()
        return await writing

    assert asyncio.run(close_while_another_loop_writes()) == b"\0\0\0\0\1\2"


@contextmanager
def leased_serializer(url, clock):
    """A serializer that asks for the latest version again whenever the clock has moved by more than a lease."""
    client = AsyncSchemaRegistryClient({"url": url, "cache.latest.ttl.sec": 0.5}, clock=lambda: clock[0])
    with SchemaRegistryClient({"url": url}) as blocking:
        blocking.register_schema("orders-value", Schema(ORDER))
    yield client, AsyncAvroSerializer(client, ORDER, conf={"use.latest.version": True, "auto.register.schemas": False})


def of_loops(client, clock, *calls):
    """What each call gives in an event loop of its own; the first and the last, which ask, close their connections."""

    async def run(call, asks):
        clock[0] += 1.0
        answer = await call()
        if asks:
            await client.close()
        return answer

    return [asyncio.run(run(call, number in (0, len(calls) - 1))) for number, call in enumerate(calls)]


def test_loops_that_all_end_at_once_still_come_to_write_the_latest_version(url):
    clock = [0.0]
    with leased_serializer(url, clock) as (client, serializer), SchemaRegistryClient({"url": url}) as other:

        async def evolve():
            other.register_schema("orders-value", Schema(ORDER.replace("long", "double")))

        def write():
            return serializer({"id": 1}, VALUE)

        first, _, *others = of_loops(client, clock, write, evolve, write, write, write)
    # Each loop but the first ends before it has asked again, until one waits for it.
    assert [data[4] for data in (first, *others)] == [1, 1, 1, 2]


def test_loops_that_all_end_at_once_still_come_to_read_as_the_latest_version(url):
    clock, newer = [0.0], ORDER.replace("]}", ',{"name":"paid","type":"boolean","default":true}]}')
    with leased_serializer(url, clock) as (client, _), SchemaRegistryClient({"url": url}) as other:
        deserializer = AsyncAvroDeserializer(client, conf={"use.latest.version": True})

        async def evolve():
            other.register_schema("orders-value", Schema(newer))

        def read():
            return deserializer(b"\0\0\0\0\1\2", VALUE)

        *_, last = of_loops(client, clock, read, evolve, read, read, read)
    assert last == {"id": 1, "paid": True}


def test_what_a_loop_left_undone_in_the_background_is_waited_for_in_the_next(url):
    client, done = AsyncSchemaRegistryClient({"url": url}), []

    def background():
        yield Pause(0.001)
        done.append("confirmed what the disk told")

    def caller():
        yield Later("key", background)

    for times in range(4):
        asyncio.run(client._drive(caller()))
        assert len(done) == (times + 1) // 2


def test_a_function_for_a_topic_goes_on_where_no_event_loop_runs(url):
    clock = [0.0]
    with leased_serializer(url, clock) as (client, serializer):

        async def bind():
            write = await serializer.for_topic("orders")
            await client.close()
            return write

        write = asyncio.run(bind())
        clock[0] += 1.0
        assert write({"id": 1}) == b"\0\0\0\0\1\2"


def in_a_fork(function):
    """What a function returns in a forked process, as text."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            os.write(writing, repr(function()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(process, 0)
    with os.fdopen(reading) as told:
        return told.read()


def test_a_forked_process_goes_on_with_connections_of_its_own(registry, client):
    serializer, deserializer = AvroSerializer(client, ORDER), AvroDeserializer(client)
    data = serializer({"id": 1}, VALUE)
    calls = registry.total()
    assert in_a_fork(lambda: deserializer(serializer({"id": 2}, VALUE), VALUE)) == "{'id': 2}"  # from memory
    other = SerializationContext("others", MessageField.VALUE)
    assert in_a_fork(lambda: serializer({"id": 1}, other)) == repr(data)  # over the network
    assert serializer({"id": 1}, other) == data
    assert registry.total() > calls


def test_a_fork_while_another_thread_holds_every_lock_does_not_hang(client):
    serializer = AvroSerializer(client, ORDER)
    parts = client._parts
    with client._lock, parts.memory._lock, parts.stats._lock, parts.codecs._lock, client._flights._lock:
        assert in_a_fork(lambda: serializer({"id": 1}, VALUE)) == repr(b"\0\0\0\0\1\2")


def write_one(serializer):
    return serializer({"id": 1}, VALUE)


def test_a_serializer_can_be_sent_to_a_spawned_process(client):
    serializer = AvroSerializer(client, ORDER)
    with get_context("spawn").Pool(1) as pool:
        assert pool.apply(write_one, (serializer,)) == serializer({"id": 1}, VALUE)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda ours, _theirs: AvroSerializer("http://127.0.0.1:8081", ORDER), "str is not one"),
        (lambda ours, _theirs: AvroDeserializer(None), "NoneType is not one"),
        (lambda _ours, theirs: AvroSerializer(theirs, ORDER), "needs a blocking registry client"),
        (lambda _ours, theirs: AvroDeserializer(theirs), "needs a blocking registry client"),
        (lambda ours, _theirs: AsyncAvroSerializer(ours, ORDER), "needs an asynchronous registry client"),
        (lambda ours, _theirs: AsyncAvroDeserializer(ours), "needs an asynchronous registry client"),
        (lambda ours, _theirs: AvroSerializer(ours, ORDER).for_topic("orders", "val"), "key or value, not 'val'"),
        (lambda ours, _theirs: SchemaRegistryClient("http://127.0.0.1:8081"), "a dictionary of keys, not str"),
        (lambda ours, _theirs: AvroSerializer(ours, ORDER, conf=["x"]), "a dictionary of keys, not list"),
        (lambda ours, _theirs: AvroSerializer(ours, ORDER, rule_conf=["x"]), "rule_conf must be a dict value"),
        (lambda ours, _theirs: AvroDeserializer(ours, rule_conf="x"), "rule_conf must be a dict value"),
        (lambda ours, _theirs: SchemaRegistryClient(ours.config(), on_event=5), "on_event must be callable"),
        (
            lambda ours, _theirs: AvroSerializer(ours, Schema({"type": "int"})),
            "text of a schema must be a str, not dict",
        ),
        (lambda ours, _theirs: Schema(ORDER, "AVRO", ["a"]), "must be a SchemaReference, not str"),
        (lambda ours, _theirs: ours.register_schema("s", ORDER), "must be a Schema, not str"),
        (lambda ours, _theirs: ours.register_schema(None, Schema(ORDER)), "subject must be a text, not None"),
        (lambda ours, _theirs: AvroDeserializer(ours).prepare(["1"]), "a schema id must be an int value"),
        (lambda ours, _theirs: AvroDeserializer(ours).prepare([1 << 32]), "from 0 to 4294967295"),
    ],
)
def test_what_a_serde_cannot_be_made_of_is_said_when_it_is_made(client, url, make, said):
    with pytest.raises(SettingInvalid, match=said):
        make(client, AsyncSchemaRegistryClient({"url": url}))


def test_a_closed_client_is_not_opened_by_what_waited_in_the_background(url):
    clock, held, done = [0.0], threading.Event(), threading.Event()
    client = SchemaRegistryClient({"url": url, "cache.latest.ttl.sec": 10}, clock=lambda: clock[0])
    client.register_schema("orders-value", Schema(ORDER))
    client.get_latest_version("orders-value")
    client._background.run("busy", held.wait)
    clock[0] = 9.0
    client.get_latest_version("orders-value")  # is asked again ahead of time, when the background has time for it
    client.close()
    client._background.run("last", done.set)
    held.set()
    assert done.wait(10)
    assert client._transport is None


class Threads(ThreadPoolExecutor):
    """The threads of an event loop, which tell what they were given."""

    def __init__(self):
        super().__init__(2)
        self.given = 0

    def submit(self, *work):
        self.given += 1
        return super().submit(*work)


LINE = '{"type":"record","name":"Line","fields":[{"name":"sku","type":"string"%s}]}'
LONG = " " * 70_000


# Of a schema that a serializer is made of, and of one whose references are long, the code remains to be made; a
# deserializer has to parse the schema, too.
@pytest.mark.parametrize(
    ("schema", "line", "writing", "reading"),
    [
        (LINE % "", LINE % "", 0, 0),
        (LINE % f', "doc": "{LONG}"', LINE % "", 1, 2),
        ('{"type":"array","items":"Line"}', LINE % f', "doc": "{LONG}"', 2, 2),
    ],
    ids=["short", "long", "refers to a long one"],
)
def test_what_is_made_of_a_long_schema_is_made_in_a_thread(url, schema, line, writing, reading):
    async def carried(threads):
        asyncio.get_running_loop().set_default_executor(threads)
        async with AsyncSchemaRegistryClient({"url": url}) as writer, AsyncSchemaRegistryClient({"url": url}) as reader:
            await writer.register_schema("lines-value", Schema(line))
            references = [SchemaReference("Line", "lines-value", 1)] if "items" in schema else []
            serialize = AsyncAvroSerializer(writer, Schema(schema, references=references))
            deserialize = AsyncAvroDeserializer(reader)
            value, given = [{"sku": "x"}] if references else {"sku": "x"}, []
            # The second time everything is known.
            for _ in range(2):
                data = await serialize(value, VALUE)
                given.append(threads.given)
                assert await deserialize(data, VALUE) == value
                given.append(threads.given)
            return given

    assert asyncio.run(carried(Threads())) == [writing, *[writing + reading] * 3]
