"""How often the registry is asked: counted on a real server."""

import asyncio
import json
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest

from serdes import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncSchemaRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    MessageField,
    Schema,
    SchemaRegistryClient,
    SerializationContext,
)
from serdes.errors import (
    IncompatibleSchema,
    InvalidSchema,
    RegistryUnavailable,
    SchemaIdReused,
    SchemaNotFound,
    SettingInvalid,
    SubjectNotFound,
    UnknownSchemaId,
)

ORDER = json.dumps({"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]})
NEWER = json.dumps(
    {
        "type": "record",
        "name": "Order",
        "fields": [{"name": "id", "type": "long"}, {"name": "paid", "type": "boolean", "default": False}],
    }
)
VALUE = SerializationContext("orders", MessageField.VALUE)
ASSOCIATION = "GET /associations/resources/-/orders"
REGISTER = "POST /subjects/orders-value/versions"
LATEST = "GET /subjects/orders-value/versions/latest"
BY_TOPIC = {"subject.name.strategy.type": "TOPIC"}
USE_LATEST = BY_TOPIC | {"use.latest.version": True, "auto.register.schemas": False}


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def eventually(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def open_client(url, clock):
    opened = []

    def make(kind=SchemaRegistryClient, **conf):
        client = kind({"url": url, "max.retries": 0, "timeout": 2, **conf}, clock=clock)
        opened.append(client)
        return client

    yield make
    for client in opened:
        if isinstance(client, SchemaRegistryClient):
            client.close()


@pytest.fixture
def client(open_client):
    return open_client()


def test_32_cold_threads_ask_once_for_each_key(registry, client):
    registry.delay_seconds = 0.05
    serializer, deserializer = AvroSerializer(client, ORDER), AvroDeserializer(client)
    with ThreadPoolExecutor(32) as pool:
        written = list(pool.map(lambda number: serializer({"id": number}, VALUE), range(32)))
        client.clear_caches()
        read = list(pool.map(lambda data: deserializer(data, VALUE), written))
    assert read == [{"id": number} for number in range(32)]
    assert registry.calls == {ASSOCIATION: 2, REGISTER: 1, "GET /schemas/ids/1": 1}


def test_32_cold_tasks_ask_once_for_each_key(registry, url):
    registry.delay_seconds = 0.05

    async def run():
        async with AsyncSchemaRegistryClient({"url": url}) as client:
            serializer, deserializer = AsyncAvroSerializer(client, ORDER), AsyncAvroDeserializer(client)
            written = await asyncio.gather(*(serializer({"id": number}, VALUE) for number in range(32)))
            client.clear_caches()
            return await asyncio.gather(*(deserializer(data, VALUE) for data in written))

    assert asyncio.run(run()) == [{"id": number} for number in range(32)]
    assert registry.calls == {ASSOCIATION: 2, REGISTER: 1, "GET /schemas/ids/1": 1}


def test_32_serializers_of_one_client_ask_once(registry, client):
    registry.delay_seconds = 0.05
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda number: AvroSerializer(client, ORDER)({"id": number}, VALUE), range(32)))
    assert registry.calls == {ASSOCIATION: 1, REGISTER: 1}


OF_RECORDS = {"subject.name.strategy.type": "RECORD"}


def test_threads_that_share_a_failure_each_have_an_error_of_their_own(registry, client):
    registry.answer_with = lambda _: (422, "text/plain", b"", {})

    def failed(topic):
        with pytest.raises(InvalidSchema) as failure:
            AvroSerializer(client, ORDER, conf=OF_RECORDS)({"id": 1}, SerializationContext(topic, MessageField.VALUE))
        return failure.value.topic

    topics = [f"t{number}" for number in range(16)]
    with ThreadPoolExecutor(16) as pool, registry.holding():
        failing = pool.map(failed, topics)
        eventually(lambda: client.stats().get("joined") == 15)
    assert list(failing) == topics
    assert registry.total() == 1


def test_tasks_that_share_a_failure_each_have_an_error_of_their_own(registry, url):
    registry.answer_with = lambda _: (422, "text/plain", b"", {})

    async def failed(serializer, topic):
        with pytest.raises(InvalidSchema) as failure:
            await serializer({"id": 1}, SerializationContext(topic, MessageField.VALUE))
        return failure.value.topic, len(traceback.extract_tb(failure.value.__traceback__))

    async def run():
        async with AsyncSchemaRegistryClient({"url": url}) as client:
            serializer = AsyncAvroSerializer(client, ORDER, conf=OF_RECORDS)
            return await asyncio.gather(*(failed(serializer, f"t{number}") for number in range(16)))

    topics, depths = zip(*asyncio.run(run()), strict=True)
    assert topics == tuple(f"t{number}" for number in range(16))
    assert len(set(depths)) == 1
    assert registry.total() == 1


def test_96_messages_with_an_unknown_id_ask_once(registry, client):
    deserializer = AvroDeserializer(client, conf=BY_TOPIC)

    def read(_):
        with pytest.raises(UnknownSchemaId):
            deserializer(b"\x00\x00\x00\x00\x63\x02", VALUE)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(read, range(96)))
    assert registry.calls == {"GET /schemas/ids/99": 1}


def test_an_unknown_id_is_asked_for_again_when_it_may_have_become_known(client, open_client, clock):
    deserializer = AvroDeserializer(client, conf=BY_TOPIC)
    with pytest.raises(UnknownSchemaId) as failure:
        deserializer(b"\x00\x00\x00\x00\x01\x02", VALUE)
    assert failure.value.retriable
    AvroSerializer(open_client(), ORDER, conf=BY_TOPIC)({"id": 1}, VALUE)
    clock.sleep(6)
    assert deserializer(b"\x00\x00\x00\x00\x01\x02", VALUE) == {"id": 1}


def test_an_id_that_stays_unknown_is_poison(client, clock):
    deserializer = AvroDeserializer(client, conf=BY_TOPIC)
    retriable = []
    for _ in range(2):
        with pytest.raises(UnknownSchemaId) as failure:
            deserializer(b"\x00\x00\x00\x00\x63\x02", VALUE)
        retriable.append(failure.value.retriable)
        clock.sleep(31)
    assert retriable == [True, False]


def test_a_refused_registration_is_remembered_for_a_minute(registry, client, clock):
    body = json.dumps({"error_code": 40901, "message": "incompatible"}).encode()
    registry.answer_with = lambda _: (409, "application/json", body, {})
    serializer = AvroSerializer(client, ORDER, conf=BY_TOPIC)
    for seconds in (0, 30, 31):
        clock.sleep(seconds)
        with pytest.raises(IncompatibleSchema, match="incompatible"):
            serializer({"id": 1}, VALUE)
    assert registry.calls == {REGISTER: 2}


def test_a_million_messages_over_ten_topics_cost_three_calls_each_side_and_topic(registry, client, open_client):
    reading = open_client()
    serializer, deserializer = AvroSerializer(client, ORDER), AvroDeserializer(reading)
    contexts = [SerializationContext(f"topic-{number}", MessageField.VALUE) for number in range(10)]
    value = {"id": 7}
    for _ in range(100_000):
        for ctx in contexts:
            deserializer(serializer(value, ctx), ctx)
    assert registry.total() <= 2 * 3 * 10
    assert client.stats()["registry_calls{op=register,status=200}"] == 10


def test_latest_is_asked_for_once_in_its_time_and_ahead_of_its_end(registry, client, clock):
    client.register_schema("orders-value", Schema(ORDER))
    serializer = AvroSerializer(client, None, conf=USE_LATEST)
    for _ in range(40):
        serializer({"id": 1}, VALUE)
        clock.sleep(1)
    assert registry.calls[LATEST] == 1
    clock.sleep(10)
    serializer({"id": 1}, VALUE)  # past 80 % of a minute: in the background
    eventually(lambda: registry.calls[LATEST] == 2)


def test_a_new_latest_version_is_written_with_without_a_stop(registry, client, clock):
    client.register_schema("orders-value", Schema(ORDER))
    write = AvroSerializer(client, None, conf=USE_LATEST).for_topic("orders")
    assert write({"id": 1})[:5] == b"\0\0\0\0\1"
    client.register_schema("orders-value", Schema(NEWER))
    clock.sleep(50)

    def moved_on():
        clock.sleep(0.3)
        return write({"id": 1})[:5] == b"\0\0\0\0\2"

    eventually(moved_on)


def test_with_the_registry_down_what_was_known_goes_on_within_the_stale_limit(registry, open_client, clock):
    client = open_client(**{"cache.stale.sec": 3600})
    client.register_schema("orders-value", Schema(ORDER))
    latest, own = AvroSerializer(client, None, conf=USE_LATEST), AvroSerializer(client, ORDER)
    deserializer = AvroDeserializer(client)
    for serializer in (latest, own):
        deserializer(serializer({"id": 1}, VALUE), VALUE)
    registry.stop()
    for _ in range(60):
        clock.sleep(60)
        for serializer in (latest, own):
            assert deserializer(serializer({"id": 1}, VALUE), VALUE) == {"id": 1}


def test_past_the_stale_limit_the_registry_is_needed(registry, open_client, clock):
    client = open_client(**{"cache.stale.sec": 100})
    client.register_schema("orders-value", Schema(ORDER))
    serializer = AvroSerializer(client, None, conf=USE_LATEST)
    serializer({"id": 1}, VALUE)
    registry.stop()
    clock.sleep(161)
    with pytest.raises(RegistryUnavailable):
        serializer({"id": 1}, VALUE)


def test_a_deleted_subject_is_noticed_however_recently_it_was_known(registry, client, clock):
    client.register_schema("orders-value", Schema(ORDER))
    serializer = AvroSerializer(client, None, conf=USE_LATEST)
    serializer({"id": 1}, VALUE)
    registry.subjects.clear()
    clock.sleep(61)
    with pytest.raises(SubjectNotFound):
        serializer({"id": 1}, VALUE)


def test_versions_change_but_what_an_id_refers_to_does_not(registry, client, clock):
    client.register_schema("orders-value", Schema(ORDER))
    for _ in range(2):
        client.get_version("orders-value", 1)
        client.get_reference("orders-value", 1)
        clock.sleep(61)
    assert registry.calls["GET /subjects/orders-value/versions/1"] == 3


def test_the_caches_hold_no_more_than_their_capacity(open_client):
    client = open_client(**{"cache.capacity": 10})
    deserializer = AvroDeserializer(client, conf=BY_TOPIC)
    for number in range(50):
        schema = json.dumps({"type": "record", "name": f"R{number}", "fields": [{"name": "id", "type": "long"}]})
        ctx = SerializationContext(f"topic-{number}", MessageField.VALUE)
        data = AvroSerializer(client, schema, conf=BY_TOPIC)({"id": 1}, ctx)
        assert deserializer(data, ctx) == {"id": 1}
        assert deserializer(data, VALUE) == {"id": 1}
    stats = client.stats()
    assert {name: size for name, size in stats.items() if name.startswith("cached") and size > 10} == {}
    assert len(deserializer._values) <= 10
    assert max(map(len, deserializer._values.values())) <= 10


def test_an_id_that_means_another_schema_now_is_noticed(registry, client):
    client.register_schema("orders-value", Schema(ORDER))
    registry.wipe()
    with pytest.raises(SchemaIdReused):
        client.register_schema("orders-value", Schema(NEWER))
    assert client.register_schema("orders-value", Schema(ORDER)) == 2


def test_what_was_deleted_through_the_client_is_forgotten(registry, client):
    client.register_schema("orders-value", Schema(ORDER))
    client.get_latest_version("orders-value")
    body = b"[1]"
    registry.answer_with = lambda _: (200, "application/json", body, {})
    client.delete_subject("orders-value")
    registry.answer_with = None
    registry.wipe()
    with pytest.raises(SubjectNotFound):
        client.get_latest_version("orders-value")


def test_what_is_counted_is_told_to_the_hook(url):
    told = []
    with SchemaRegistryClient({"url": url}, on_event=lambda *event: told.append(event)) as client:
        client.register_schema("orders-value", Schema(ORDER))
    assert ("registry_calls", {"op": "register", "status": "200"}, 1) in told
    assert ("misses", {}, 1) in told


def test_a_hook_that_fails_costs_no_record_and_is_told_of_once(url, caplog):
    def fail(*_event):
        raise ZeroDivisionError

    with SchemaRegistryClient({"url": url}, on_event=fail) as client:
        assert AvroSerializer(client, ORDER)({"id": 1}, VALUE) == b"\0\0\0\0\1\2"
    assert [record.message for record in caplog.records if "on_event" in record.message] == [
        "on_event failed, which is said once and costs no record: ZeroDivisionError()"
    ]


def test_preparing_asks_at_the_start_and_shows_what_is_wrong_there(registry, client):
    serializer, deserializer = AvroSerializer(client, ORDER, conf=BY_TOPIC), AvroDeserializer(client, conf=BY_TOPIC)
    serializer.prepare(["orders"], ["value"])
    deserializer.prepare([1], ["orders"])
    calls = registry.total()
    assert deserializer(serializer({"id": 1}, VALUE), VALUE) == {"id": 1}
    assert registry.total() == calls
    with pytest.raises(UnknownSchemaId):
        deserializer.prepare([99])


@pytest.fixture
def two_versions(registry, client):
    for schema in (ORDER, NEWER):
        client.register_schema("orders-value", Schema(schema))
    client.clear_caches()
    return [b"\0\0\0\0\1\2", b"\0\0\0\0\2\2\0"]


@pytest.mark.parametrize(
    "prepare",
    [
        lambda client: AvroSerializer(client, ORDER).prepare("orders"),
        lambda client: AvroSerializer(client, ORDER).prepare(["orders"], "value"),
        lambda client: AvroDeserializer(client).prepare(subjects="orders-value"),
        lambda client: AvroDeserializer(client).prepare([1], "orders"),
        lambda client: AvroDeserializer(client).prepare("1"),
        lambda client: AvroDeserializer(client).prepare(1),
        lambda client: AvroSerializer(client, ORDER).prepare(None),
    ],
)
def test_preparing_takes_no_single_one_for_a_list(registry, client, prepare):
    with pytest.raises(SettingInvalid, match="must be a list, not"):
        prepare(client)
    assert not registry.total()


def test_preparing_a_subject_covers_all_its_versions(registry, client, two_versions):
    deserializer = AvroDeserializer(client)
    deserializer.prepare(subjects=["orders-value"])
    calls = registry.total()
    assert [deserializer(data, VALUE)["id"] for data in two_versions] == [1, 1]
    assert registry.total() == calls
    with pytest.raises(SubjectNotFound):
        deserializer.prepare(subjects=["nothing-value"])


def test_asynchronous_serdes_are_prepared_too_and_then_need_no_awaiting(registry, url, two_versions):
    async def run():
        async with AsyncSchemaRegistryClient({"url": url}) as client:
            serializer, deserializer = AsyncAvroSerializer(client, ORDER), AsyncAvroDeserializer(client)
            await serializer.prepare(["orders"])
            await deserializer.prepare([1], ["orders"], subjects=["orders-value"])
            calls = registry.total()
            written = serializer.try_sync({"id": 1}, VALUE)
            return [deserializer.try_sync(data, VALUE)["id"] for data in (written, *two_versions)], calls

    read, calls = asyncio.run(run())
    assert (read, registry.total()) == ([1, 1, 1], calls)


def test_messages_are_counted_where_that_is_wanted(open_client):
    client = open_client(**{"metrics.messages": True})
    serializer, deserializer = AvroSerializer(client, ORDER), AvroDeserializer(client)
    bound = serializer.for_topic("orders")
    for _ in range(10):
        deserializer(bound({"id": 1}), VALUE)
    for _ in range(2):  # looking does not count
        stats = client.stats()
        assert (stats["messages{side=write}"], stats["messages{side=read}"]) == (10, 10)
    calls = stats["registry_calls{op=associations,status=200}"] + stats["registry_calls{op=register,status=200}"]
    assert stats["registry_calls_per_million"] == calls / 20 * 1e6
    assert not [name for name in open_client().stats() if "messages" in name]


def test_poison_is_counted_by_its_kind(client):
    deserializer = AvroDeserializer(client, conf=BY_TOPIC | {"on.error": "drop"})
    for data in (b"{}", b"", b"\0\0"):
        assert deserializer(data, VALUE) is None
    assert client.stats()["poison{error=FramingError}"] == 3


def test_a_guid_is_asked_for_once(registry, client):
    guid = client.register_schema_full_response("orders-value", Schema(ORDER)).guid
    for _ in range(3):
        assert client.get_schema_by_guid(guid).schema_str == ORDER.replace(" ", "")
    with pytest.raises(SchemaNotFound):
        client.get_schema_by_guid("00000000-0000-0000-0000-000000000000")
    assert registry.calls[f"GET /schemas/guids/{guid}"] == 1
