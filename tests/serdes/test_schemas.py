"""Which schema is written and read with: own, latest, by id, by metadata, with references, with header ids."""

import json
from io import BytesIO

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
    header_schema_id_serializer,
    prefix_schema_id_deserializer,
)
from serdes.errors import (
    EncodeError,
    FramingError,
    NotCached,
    SchemaNotFound,
    SchemaResolutionError,
    SerializationError,
    SubjectNotFound,
    TrailingData,
)

VALUE = SerializationContext("orders", MessageField.VALUE)
TOPIC = {"subject.name.strategy.type": "TOPIC"}
MANUAL = TOPIC | {"auto.register.schemas": False}


def record(*fields, name="Order"):
    return json.dumps(
        {
            "type": "record",
            "name": name,
            "fields": [dict(zip(("name", "type", "default"), f, strict=False)) for f in fields],
        }
    )


ONE = record(("id", "long"))
TWO = record(("id", "long"), ("note", "string", "none"))
OTHER = record(("id", "string"))


@pytest.fixture
def client(url):
    with SchemaRegistryClient({"url": url}) as opened:
        yield opened


def test_the_latest_version_is_written_with(client):
    for text in (ONE, TWO):
        client.register_schema("orders-value", Schema(text))
    serializer = AvroSerializer(client, ONE, conf=MANUAL | {"use.latest.version": True})
    assert serializer({"id": 1, "note": "x"}, VALUE) == b"\0\0\0\0\2\x02\x02x"


def test_the_latest_version_with_metadata_is_written_with(client):
    for text, owner in ((ONE, "me"), (TWO, "you")):
        client.register_schema("orders-value", Schema(text, metadata={"properties": {"owner": owner}}))
    serializer = AvroSerializer(client, conf=MANUAL | {"use.latest.with.metadata": {"owner": "me"}})
    assert serializer({"id": 1}, VALUE)[:5] == b"\0\0\0\0\1"


def test_an_id_is_written_with_whatever_schema_was_given(registry, client):
    for text in (ONE, TWO):
        client.register_schema("orders-value", Schema(text))
    serializer = AvroSerializer(client, TWO, conf=MANUAL | {"use.schema.id": 1})
    assert serializer({"id": 1}, VALUE) == b"\0\0\0\0\1\x02"


def test_without_registering_a_schema_must_be_there(client):
    serializer = AvroSerializer(client, ONE, conf=MANUAL)
    with pytest.raises(SubjectNotFound):
        serializer({"id": 1}, VALUE)
    client.register_schema("orders-value", Schema(TWO))
    with pytest.raises(SchemaNotFound):
        AvroSerializer(client, OTHER, conf=MANUAL)({"id": "1"}, VALUE)
    assert AvroSerializer(client, TWO, conf=MANUAL)({"id": 1}, VALUE)[:5] == b"\0\0\0\0\1"


def test_normalizing_is_asked_of_the_registry(registry, url, client):
    seen = []
    original = registry._answer
    registry._answer = lambda method, parts, query, body: (seen.append(query), original(method, parts, query, body))[1]
    AvroSerializer(client, ONE, conf=TOPIC | {"normalize.schemas": True})({"id": 1}, VALUE)
    assert seen == [{"normalize": ["true"]}]


@pytest.mark.parametrize(("latest", "fits"), [(TWO, True), (OTHER, False)])
def test_a_strict_serializer_borrows_no_schema_that_cannot_read_its_own(client, latest, fits):
    client.register_schema("orders-value", Schema(latest))
    conf = MANUAL | {"use.latest.version": True, "latest.compatibility.strict": True}
    serializer = AvroSerializer(client, ONE, conf=conf)
    if fits:
        assert serializer({"id": 1}, VALUE)
    else:
        with pytest.raises(EncodeError, match=r"id: long cannot be read as string"):
            serializer({"id": "1"}, VALUE)


@pytest.mark.parametrize("registered", [(), (TWO,)])
def test_a_schema_that_nobody_may_register_has_to_be_there(client, registered):
    for schema in registered:
        client.register_schema("orders-value", Schema(schema))
    with pytest.raises((SubjectNotFound, SchemaNotFound), match=r"register the schema first, since auto\.register"):
        AvroSerializer(client, ONE, conf=MANUAL)({"id": 1}, VALUE)


@pytest.mark.parametrize("codegen", ["auto", "off"])
@pytest.mark.parametrize(
    ("reading", "said"),
    [(OTHER, "id: long cannot be read as string"), (record(name="Other"), "the root: Order cannot be read as Other")],
)
def test_why_a_record_cannot_be_read_as_another_schema_is_said_without_both(client, codegen, reading, said):
    data = AvroSerializer(client, ONE, conf=TOPIC)({"id": 1}, VALUE)
    with pytest.raises(SchemaResolutionError) as failure:
        AvroDeserializer(client, reading, conf=TOPIC | {"codegen": codegen})(data, VALUE)
    assert str(failure.value) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("string", "it is no JSON .* the name of a type needs quotes"),
        ("{'type': 'string'}", "it is no JSON .Expecting property name"),
        ("schemas/order.avsc", "it is no JSON .* it looks like the name of a file"),
        ('{"type":"record","name":"R"', r"it is no JSON .* .char \d+..$"),
        ('["null", "integer"]', "no type is called integer"),
        ('{"type": "array"}', "'items' is missing"),
    ],
)
def test_what_is_wrong_with_a_schema_is_said_when_the_serializer_is_made(client, text, said):
    with pytest.raises(SerializationError, match=said):
        AvroSerializer(client, text)


def test_a_serializer_without_a_schema_needs_one_from_the_registry(client):
    with pytest.raises(SerializationError, match=r"use\.latest\.version"):
        AvroSerializer(client, conf=TOPIC)({"id": 1}, VALUE)


def test_a_record_is_read_as_the_latest_version(client):
    data = AvroSerializer(client, ONE, conf=TOPIC)({"id": 1}, VALUE)
    client.register_schema("orders-value", Schema(TWO))
    reading = AvroDeserializer(client, conf=TOPIC | {"use.latest.version": True})
    assert reading(data, VALUE) == {"id": 1, "note": "none"}


def test_a_record_is_read_as_the_latest_version_over_one_that_is_gone(registry, client):
    data = AvroSerializer(client, ONE, conf=TOPIC)({"id": 1}, VALUE)
    client.register_schema("orders-value", Schema(OTHER))
    client.register_schema("orders-value", Schema(TWO))
    del registry.subjects["orders-value"][1]
    reading = AvroDeserializer(client, conf=TOPIC | {"use.latest.version": True})
    assert reading(data, VALUE) == {"id": 1, "note": "none"}


def test_a_record_of_another_subject_is_poison_where_the_latest_version_is_read(client):
    data = AvroSerializer(client, ONE, conf=TOPIC)({"id": 1}, SerializationContext("other", MessageField.VALUE))
    client.register_schema("orders-value", Schema(TWO))
    reading = AvroDeserializer(client, conf=TOPIC | {"use.latest.version": True, "on.error": "return"})
    poison = reading(data, VALUE)
    assert isinstance(poison.error, SchemaResolutionError)
    assert "orders-value" in poison.error.message


def test_a_schema_that_cannot_read_what_was_written_says_so(client):
    data = AvroSerializer(client, ONE, conf=TOPIC)({"id": 1}, VALUE)
    with pytest.raises(SchemaResolutionError):
        AvroDeserializer(client, OTHER, conf=TOPIC)(data, VALUE)


def referring():
    return Schema(
        json.dumps(
            {"type": "record", "name": "Order", "namespace": "a", "fields": [{"name": "to", "type": "b.Address"}]}
        ),
        references=(SchemaReference("b.Address", "addresses", 1),),
    )


@pytest.fixture
def with_references(client):
    country = json.dumps({"type": "enum", "name": "Country", "symbols": ["DE", "FR"]})
    address = json.dumps(
        {"type": "record", "name": "Address", "namespace": "b", "fields": [{"name": "in", "type": "Country"}]}
    )
    client.register_schema("countries", Schema(country))
    reference = SchemaReference("Country", "countries", 1)
    client.register_schema("addresses", Schema(address, references=(reference,)))
    return client


def test_references_are_followed_as_deep_as_they_go(with_references):
    serializer = AvroSerializer(with_references, referring())
    order = {"to": {"in": "FR"}}
    assert AvroDeserializer(with_references)(serializer(order, VALUE), VALUE) == order


def test_references_may_stand_in_a_list_as_confluents_do(with_references):
    reference = SchemaReference("Country", "countries", 1)
    serializer = AvroSerializer(with_references, Schema('["Country"]', references=[reference]), conf=TOPIC)
    assert serializer("DE", VALUE)
    assert Schema("{}", references=[reference]) == Schema("{}", references=(reference,))


def test_a_union_of_references_is_a_schema(with_references):
    schema = Schema('["Country"]', references=(SchemaReference("Country", "countries", 1),))
    serializer = AvroSerializer(with_references, schema, conf=TOPIC)
    assert AvroDeserializer(with_references, conf=TOPIC)(serializer("DE", VALUE), VALUE) == "DE"


def test_references_that_go_in_circles_are_refused(client):
    loop = Schema('["a.Loop"]', references=(SchemaReference("a.Loop", "loop", 1),))
    client.register_schema("loop", loop)
    with pytest.raises(SerializationError, match="circle"):
        AvroSerializer(client, loop, conf=TOPIC)(1, VALUE)


def test_header_ids_leave_the_payload_bare(client):
    headers = []
    ctx = SerializationContext("orders", MessageField.VALUE, headers)
    serializer = AvroSerializer(client, ONE, conf={"schema.id.serializer": header_schema_id_serializer})
    payload = serializer({"id": 1}, ctx)
    assert (payload, [name for name, _ in headers]) == (b"\x02", ["__value_schema_id"])
    assert AvroDeserializer(client)(payload, ctx) == {"id": 1}


def test_a_guid_prefix_is_read(client):
    guid = client.register_schema_full_response("orders-value", Schema(ONE)).guid
    data = b"\x01" + bytes.fromhex(guid.replace("-", "")) + b"\x02"
    deserializer = AvroDeserializer(client)
    assert [deserializer(data, VALUE), deserializer(data, VALUE), deserializer(data)] == [{"id": 1}] * 3


def test_a_header_wins_over_the_prefix(client):
    for text in (ONE, TWO):
        client.register_schema("orders-value", Schema(text))
    ctx = SerializationContext("orders", MessageField.VALUE, [("__value_schema_id", b"\0\0\0\0\1")])
    other = SerializationContext("orders", MessageField.VALUE, [("trace", b"1")])
    deserializer, framed = AvroDeserializer(client), AvroSerializer(client, ONE)({"id": 7}, VALUE)
    for _ in range(2):  # the second time each is found in the tables
        assert [deserializer(b"\x0a", ctx), deserializer(framed, other)] == [{"id": 5}, {"id": 7}]
        assert [deserializer(None, ctx), deserializer(memoryview(b"\x0a"), ctx)] == [None, {"id": 5}]
        with pytest.raises(FramingError, match="must be bytes"):
            deserializer("\x0a", ctx)
    # Where headers are not looked at, the prefix alone counts.
    prefixed = AvroDeserializer(client, conf={"schema.id.deserializer": prefix_schema_id_deserializer})
    assert [prefixed(framed, ctx), prefixed(framed, ctx)] == [{"id": 7}] * 2


def test_ids_may_travel_as_the_user_likes(client):
    def trailing(payload, _ctx, schema_id):
        return payload + schema_id.id_to_bytes()

    def leading(payload, _ctx, schema_id):
        schema_id.id = payload[0]
        return BytesIO(payload[1:])

    serializer = AvroSerializer(client, ONE, conf={"schema.id.serializer": trailing})
    assert serializer({"id": 1}, VALUE) == b"\x02\0\0\0\0\1"
    deserializer = AvroDeserializer(client, conf={"schema.id.deserializer": leading})
    assert [deserializer(b"\x01\x02", VALUE), deserializer(b"\x01\x04", VALUE)] == [{"id": 1}, {"id": 2}]


def test_the_schema_of_a_record_is_told(client):
    data = AvroSerializer(client, ONE)({"id": 1}, VALUE)
    value, info = AvroDeserializer(client).decode_with_schema(data, VALUE)
    assert (value, info.schema_id, info.name) == ({"id": 1}, 1, "Order")


def test_the_names_of_records_in_unions_are_told_on_demand(client):
    schema = json.dumps([json.loads(record(("a", "int"), name="A")), json.loads(record(("b", "int"), name="B"))])
    data = AvroSerializer(client, schema, conf=TOPIC)(("B", {"b": 1}), VALUE)
    assert AvroDeserializer(client, return_record_name=True, conf=TOPIC)(data, VALUE) == ("B", {"b": 1})


@pytest.mark.parametrize("codegen", ["auto", "off"])
def test_trailing_bytes_are_ignored_or_refused(client, codegen):
    data = AvroSerializer(client, ONE)({"id": 1}, VALUE) + b"more"
    assert AvroDeserializer(client, conf={"codegen": codegen})(data, VALUE) == {"id": 1}
    with pytest.raises(TrailingData) as failure:
        AvroDeserializer(client, conf={"codegen": codegen, "avro.fail.on.trailing.data": True})(data, VALUE)
    assert failure.value.left_bytes == 4


@pytest.mark.parametrize(
    ("conf", "value", "fits"),
    [
        ({}, {"id": 1}, True),
        ({}, {"id": 1, "more": 1}, True),
        ({"validate.strict": True}, {"id": 1}, False),
        ({"validate.strict": True}, {"id": 1, "note": "x"}, True),
        ({"validate.strict": True}, {"id": 1, "note": "x", "more": 1}, False),
        ({"validate.strict.allow.default": True}, {"id": 1}, True),
        ({"validate.strict.allow.default": True}, {"id": 1, "more": 1}, False),
    ],
)
def test_strictness_is_about_missing_and_additional_fields(client, conf, value, fits):
    serializer = AvroSerializer(client, TWO, conf=conf)
    if fits:
        assert serializer(value, VALUE)
    else:
        with pytest.raises(EncodeError):
            serializer(value, VALUE)


def test_top_level_bytes_travel_without_their_length(client):
    serializer = AvroSerializer(client, '"bytes"', conf=TOPIC)
    assert serializer(b"raw", VALUE) == b"\0\0\0\0\1raw"
    assert AvroDeserializer(client, conf=TOPIC)(b"\0\0\0\0\1raw", VALUE) == b"raw"
    with pytest.raises(EncodeError, match="expected bytes, found int"):
        serializer(7, VALUE)


def test_a_record_without_fields_is_no_special_case(client):
    data = AvroSerializer(client, record())({}, VALUE)
    assert AvroDeserializer(client)(data, VALUE) == {}


def test_what_to_dict_makes_none_of_is_no_tombstone(client):
    assert AvroSerializer(client, '["null","string"]', lambda *_: None, TOPIC)("x", VALUE) == b"\0\0\0\0\1\0"
    with pytest.raises(EncodeError):
        AvroSerializer(client, ONE, lambda *_: None)("x", VALUE)


@pytest.mark.anyio
async def test_async_serdes_do_the_same(url):
    async with AsyncSchemaRegistryClient({"url": url}) as client:
        serializer, deserializer = AsyncAvroSerializer(client, ONE), await AsyncAvroDeserializer(client)
        with pytest.raises(NotCached):
            serializer.try_sync({"id": 1}, VALUE)
        data = await serializer({"id": 1}, VALUE)
        assert serializer.try_sync({"id": 1}, VALUE) == data
        with pytest.raises(NotCached):
            deserializer.try_sync(data, VALUE)
        await deserializer.prepare([1], ["orders"])
        assert deserializer.try_sync(data, VALUE) == await deserializer(data, VALUE) == {"id": 1}
        write = await serializer.for_topic("orders")
        assert [write({"id": 1}), await serializer(None, VALUE)] == [data, None]
        assert await deserializer.decode_with_schema(data, VALUE) == (
            {"id": 1},
            (1, None, "Order", ONE.replace(" ", "")),
        )
