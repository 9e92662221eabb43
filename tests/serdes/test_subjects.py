"""Which subject a record's schema is registered under, strategy by strategy."""

import pytest

from serdes import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncSchemaRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    MessageField,
    SchemaRegistryClient,
    SerializationContext,
    SubjectNameStrategyType,
    record_subject_name_strategy,
    topic_record_subject_name_strategy,
    topic_subject_name_strategy,
)
from serdes.errors import SubjectUnknown

RECORD = '{"type":"record","name":"Order","namespace":"com.acme","fields":[]}'
VALUE = SerializationContext("orders", MessageField.VALUE)
KEY = SerializationContext("orders", MessageField.KEY)
STRATEGY = "subject.name.strategy"


@pytest.fixture
def client(url):
    with SchemaRegistryClient({"url": url}) as opened:
        yield opened


def bound(subject, field="value"):
    return {"subject": subject, "associationType": field}


@pytest.mark.parametrize(
    ("conf", "ctx", "subject"),
    [
        ({}, VALUE, "orders-value"),
        ({}, KEY, "orders-key"),
        ({f"{STRATEGY}.type": "topic"}, VALUE, "orders-value"),
        ({f"{STRATEGY}.type": SubjectNameStrategyType.RECORD}, VALUE, "com.acme.Order"),
        ({f"{STRATEGY}.type": "RECORD"}, None, "com.acme.Order"),
        ({f"{STRATEGY}.type": "TOPIC_RECORD"}, VALUE, "orders-com.acme.Order"),
        ({f"{STRATEGY}.conf": {f"{STRATEGY}.fallback.type": "RECORD"}}, VALUE, "com.acme.Order"),
        ({f"{STRATEGY}.conf": {f"{STRATEGY}.fallback.type": None}}, VALUE, "orders-value"),
        ({STRATEGY: topic_subject_name_strategy}, VALUE, "orders-value"),
        ({STRATEGY: record_subject_name_strategy}, VALUE, "com.acme.Order"),
        ({STRATEGY: topic_record_subject_name_strategy}, VALUE, "orders-com.acme.Order"),
        (
            {STRATEGY: lambda ctx, name: f"{ctx.topic}/{name}", f"{STRATEGY}.type": "TOPIC"},
            VALUE,
            "orders/com.acme.Order",
        ),
    ],
)
def test_the_strategy_names_the_subject(registry, client, conf, ctx, subject):
    AvroSerializer(client, RECORD, conf=conf)({}, ctx)
    assert list(registry.subjects) == [subject]


NONSENSE = ["orders", ("orders", "value"), SerializationContext(None, "value"), SerializationContext("orders", "val")]


@pytest.mark.parametrize("ctx", [*NONSENSE, SerializationContext(["orders"], "value")])
@pytest.mark.parametrize("conf", [{}, {f"{STRATEGY}.type": "RECORD"}])
def test_what_is_no_context_is_said_to_be_none(registry, client, conf, ctx):
    with pytest.raises(SubjectUnknown, match="a SerializationContext with a topic and a field"):
        AvroSerializer(client, RECORD, conf=conf)({}, ctx)
    with pytest.raises(SubjectUnknown, match="a SerializationContext with a topic and a field"):
        AvroDeserializer(client, conf=conf)(b"\0\0\0\0\1", ctx)
    assert not registry.total()


@pytest.mark.anyio
@pytest.mark.parametrize("ctx", NONSENSE)
async def test_what_is_no_context_is_none_for_asynchronous_serdes_either(url, ctx):
    async with AsyncSchemaRegistryClient({"url": url}) as client:
        serializer, deserializer = AsyncAvroSerializer(client, RECORD), AsyncAvroDeserializer(client)
        for call in (serializer, deserializer):
            with pytest.raises(SubjectUnknown, match="a SerializationContext with a topic and a field"):
                await call(b"\0\0\0\0\1", ctx)


def test_a_strategy_must_return_a_text(client):
    with pytest.raises(SubjectUnknown, match="strategy must return a text, not int"):
        AvroSerializer(client, RECORD, conf={STRATEGY: lambda _ctx, _name: 5})({}, VALUE)


def test_an_associated_topic_uses_the_subject_it_is_bound_to(registry, client):
    registry.associations["orders"] = [bound("shared"), bound("keys", "key")]
    serializer = AvroSerializer(client, RECORD)
    serializer({}, VALUE)
    serializer({}, KEY)
    assert list(registry.subjects) == ["shared", "keys"]


def test_the_cluster_is_named_where_it_is_known(registry, client):
    told = AvroSerializer(client, RECORD, conf={f"{STRATEGY}.conf": {f"{STRATEGY}.kafka.cluster.id": "lkc-1"}})
    asked = AvroSerializer(client, RECORD)
    asked.set_cluster_id_resolver(lambda: "lkc-2")
    for serializer in (told, asked):
        serializer({}, VALUE)
    assert [call for call in registry.calls if "associations" in call] == [
        "GET /associations/resources/lkc-1/orders",
        "GET /associations/resources/lkc-2/orders",
    ]


@pytest.mark.parametrize(("status", "code"), [(404, 40410), (404, 404), (405, 405), (422, 42212)])
def test_a_registry_without_associations_means_the_fallback(registry, client, status, code):
    original = registry._answer

    def answer(method, parts, query, body):
        return original(method, parts, query, body) if parts[0] == "subjects" else registry.refuse(code)

    registry._answer = answer
    AvroSerializer(client, RECORD)({}, VALUE)
    assert list(registry.subjects) == ["orders-value"]


@pytest.mark.parametrize(
    ("conf", "ctx", "said"),
    [
        ({}, None, "SerializationContext"),
        ({f"{STRATEGY}.type": "TOPIC"}, None, "SerializationContext"),
        ({f"{STRATEGY}.type": "TOPIC_RECORD"}, None, "SerializationContext"),
        ({f"{STRATEGY}.conf": {f"{STRATEGY}.fallback.type": "NONE"}}, VALUE, "no subject"),
        ({STRATEGY: lambda *_: None}, VALUE, "no subject"),
    ],
)
def test_without_a_subject_nothing_is_written(client, conf, ctx, said):
    with pytest.raises(SubjectUnknown, match=said):
        AvroSerializer(client, RECORD, conf=conf)({}, ctx)


def test_a_topic_bound_to_two_subjects_is_refused(registry, client):
    registry.associations["orders"] = [bound("a"), bound("b")]
    with pytest.raises(SubjectUnknown, match="several"):
        AvroSerializer(client, RECORD)({}, VALUE)


def test_a_strategy_of_the_users_sees_every_record(registry, client):
    conf = {STRATEGY: lambda ctx, _: dict(ctx.headers)["tenant"].decode()}
    serializer = AvroSerializer(client, RECORD, conf=conf)
    for tenant in (b"a", b"b", b"a"):
        serializer({}, SerializationContext("orders", MessageField.VALUE, [("tenant", tenant)]))
    assert registry.calls == {"POST /subjects/a/versions": 1, "POST /subjects/b/versions": 1}
