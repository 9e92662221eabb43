import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from serdes import AvroDeserializer, AvroSerializer, MessageField, SchemaRegistryClient, SerializationContext
from serdes.errors import CorruptPayload, EncodeError, FramingError, UnknownSchemaId

ORDER = json.dumps(
    {
        "type": "record",
        "name": "Order",
        "namespace": "com.acme",
        "fields": [{"name": "id", "type": "long"}, {"name": "customer", "type": "string"}],
    }
)
VALUE = SerializationContext("orders", MessageField.VALUE)
KEY = SerializationContext("orders", MessageField.KEY)


@pytest.fixture
def client(url):
    with SchemaRegistryClient({"url": url, "max.retries": 0}) as opened:
        yield opened


@pytest.fixture
def serializer(client):
    return AvroSerializer(client, ORDER)


@pytest.fixture
def deserializer(client):
    return AvroDeserializer(client)


def test_a_record_comes_back_equal(serializer, deserializer):
    order = {"id": 7, "customer": "Ada"}
    assert deserializer(serializer(order, VALUE), VALUE) == order


def test_the_frame_is_a_zero_byte_and_the_id(serializer):
    assert serializer({"id": 7, "customer": "Ada"}, VALUE) == b"\x00\x00\x00\x00\x01\x0e\x06Ada"


def test_the_subject_is_the_topic_and_the_field(registry, serializer):
    serializer({"id": 1, "customer": "x"}, VALUE)
    serializer({"id": 1, "customer": "x"}, KEY)
    assert sorted(registry.subjects) == ["orders-key", "orders-value"]


def test_none_is_none_both_ways_without_a_call(registry, serializer, deserializer):
    assert serializer(None, VALUE) is None
    assert deserializer(None, VALUE) is None
    assert registry.total() == 0


@pytest.fixture
def reading(url):
    with SchemaRegistryClient({"url": url}) as another:
        yield AvroDeserializer(another)


def test_a_thousand_records_cost_one_call_on_each_side(registry, serializer, reading):
    for number in range(1000):
        reading(serializer({"id": number, "customer": "x"}, VALUE), VALUE)
    assert registry.calls == {
        "GET /associations/resources/-/orders": 2,
        "POST /subjects/orders-value/versions": 1,
        "GET /schemas/ids/1": 1,
    }


def test_cold_threads_share_one_call(registry, serializer):
    registry.delay_seconds = 0.05
    with ThreadPoolExecutor(32) as pool:
        written = set(pool.map(lambda _: serializer({"id": 1, "customer": "x"}, VALUE), range(32)))
    assert len(written) == 1
    assert registry.calls == {"GET /associations/resources/-/orders": 1, "POST /subjects/orders-value/versions": 1}


def test_each_subject_keeps_its_own_id(registry, client):
    registry.schemas[1] = {"schema": '"int"'}
    first, second = AvroSerializer(client, '"string"'), AvroSerializer(client, ORDER)
    frames = [
        serializer(value, SerializationContext(topic, MessageField.VALUE))[:5]
        for serializer, value, topic in [
            (first, "x", "a"),
            (second, {"id": 1, "customer": ""}, "b"),
            (first, "x", "a"),
        ]
    ]
    assert frames == [b"\0\0\0\0\2", b"\0\0\0\0\3", b"\0\0\0\0\2"]


def test_a_bound_function_needs_only_the_value(serializer, deserializer):
    write, read = serializer.for_topic("orders", "value"), deserializer.for_topic("orders", "value")
    assert read(write({"id": 1, "customer": "x"})) == {"id": 1, "customer": "x"}
    assert write(None) is None
    assert read(None) is None


def test_a_reader_schema_adds_its_defaults(client, serializer):
    evolved = json.loads(ORDER)
    evolved["fields"].append({"name": "paid", "type": "boolean", "default": False})
    reading = AvroDeserializer(client, json.dumps(evolved))
    assert reading(serializer({"id": 1, "customer": "x"}, VALUE), VALUE) == {"id": 1, "customer": "x", "paid": False}


def test_to_dict_and_from_dict_see_the_context(client):
    serializer = AvroSerializer(client, ORDER, lambda order, ctx: {"id": order, "customer": ctx.topic})
    deserializer = AvroDeserializer(client, from_dict=lambda read, ctx: (read["id"], ctx.topic))
    assert deserializer(serializer(5, VALUE), VALUE) == (5, "orders")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", FramingError),
        (b"\x00\x00", FramingError),
        (b'{"id": 1}', FramingError),
        (b"\x05\x00\x00\x00\x01\x0e", FramingError),
        (b"\x00\x00\x00\x00\x09\x0e", UnknownSchemaId),
        (b"\x00\x00\x00\x00\x01\x0e\x06A", CorruptPayload),
    ],
)
def test_bytes_that_cannot_be_read_say_why(serializer, deserializer, data, error):
    serializer({"id": 7, "customer": "Ada"}, VALUE)
    with pytest.raises(error):
        deserializer(data, VALUE)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
@pytest.mark.parametrize("codegen", ["auto", "off"])
@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (ORDER, {"id": 7, "customer": "Ada"}),
        ('"string"', "Ada"),
        ('"bytes"', b"Ada"),
        ('{"type":"record","name":"B","fields":[{"name":"b","type":"bytes"}]}', {"b": b"Ada"}),
    ],
)
def test_a_buffer_is_read_like_bytes(client, kind, codegen, schema, value):
    data = kind(AvroSerializer(client, schema)(value, VALUE))
    deserializer = AvroDeserializer(client, conf={"codegen": codegen})
    read = deserializer.for_topic("orders")
    for found in (deserializer(data, VALUE), read(data), deserializer(data, VALUE), deserializer(data), read(data)):
        assert (found, repr(found)) == (value, repr(value))


@pytest.mark.parametrize("data", ["text", 5, {"id": 1}, [0, 0, 0, 0, 1]])
def test_what_is_no_bytes_is_no_frame(deserializer, data):
    for read in (lambda data: deserializer(data, VALUE), deserializer.for_topic("orders")):
        with pytest.raises(FramingError, match=f"must be bytes, not {type(data).__name__}"):
            read(data)


def test_a_bound_function_may_decide_by_itself_about_what_cannot_be_read(client, serializer):
    deserializer = AvroDeserializer(client, from_dict=lambda order, ctx: (order["id"], ctx.topic))
    read = deserializer.for_topic("orders", on_error="return")
    assert read(serializer({"id": 7, "customer": "Ada"}, VALUE)) == (7, "orders")
    assert (read(b"?").raw, read(b"?").topic) == (b"?", "orders")
    assert deserializer.for_topic("orders", on_error="drop")(b"?") is None
    with pytest.raises(FramingError):
        deserializer.for_topic("orders")(b"?")


def test_a_value_that_does_not_fit_is_an_encode_error(serializer):
    with pytest.raises(EncodeError):
        serializer({"id": "seven", "customer": "Ada"}, VALUE)
