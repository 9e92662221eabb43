"""Our serdes and Confluent's for Python, each reading what the other wrote: blocking both, or asynchronous both."""

import asyncio
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, header_schema_id_serializer
from confluent_kafka.serialization import MessageField, SerializationContext

import serdes
from registry.envelope import Entry
from registry.log import open_log


def record(*fields, name="Order"):
    return {"type": "record", "name": name, "namespace": "shop", "fields": list(fields)}


def field(name, type_, **attributes):
    return {"name": name, "type": type_, **attributes}


ID = field("id", "long")
ORDER = json.dumps(record(ID))
ORDER_WITH_STATE = json.dumps(record(ID, field("state", "string", default="placed")))
EVERYTHING = record(
    field("flag", "boolean"),
    field("small", "int"),
    field("single", "float"),
    field("double", "double"),
    field("raw", "bytes"),
    field("hash", {"type": "fixed", "name": "Hash", "size": 4}),
    field("state", {"type": "enum", "name": "State", "symbols": ["PLACED", "SENT"]}),
    field("tags", {"type": "map", "values": ["null", "string"]}),
    field("lines", {"type": "array", "items": record(field("price", "double"), name="Line")}),
    field("number", {"type": "string", "logicalType": "uuid"}),
    field("at", {"type": "long", "logicalType": "timestamp-micros"}),
    field("day", {"type": "int", "logicalType": "date"}),
    field("hour", {"type": "int", "logicalType": "time-millis"}),
    field("total", {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}),
    field("next", ["null", "Order"], default=None),
)
ANYTHING = {
    "flag": True,
    "small": -7,
    "single": 0.5,
    "double": 1e300,
    "raw": b"\x00\xff",
    "hash": b"abcd",
    "state": "SENT",
    "tags": {"a": "ä", "b": None},
    "lines": [{"price": 1.5}, {"price": -2.0}],
    "number": UUID("095d71cf-1255-6b9d-5e33-0ad575b3df5d"),
    "at": datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
    "day": date(2026, 1, 2),
    "hour": time(3, 4, 5, 678000),
    "total": Decimal("1234.50"),
    "next": None,
}
VALUES = [
    (EVERYTHING, ANYTHING | {"next": ANYTHING}),
    (record(ID), {"id": 2**63 - 1}),
    ("string", "Grüße 🦉"),
    ("bytes", b"\x00\x01 no length in front"),
    ("long", -1),
    ({"type": "array", "items": "int"}, [1, 2, 3]),
    (["string", "long"], 5),
]


@pytest.fixture
def value(topic):
    """The context of the values of the topic, with headers."""
    return SerializationContext(topic, MessageField.VALUE, [])


@pytest.mark.parametrize(("schema", "content"), VALUES)
def test_each_reads_what_the_other_wrote_and_the_bytes_are_the_same(confluent, ours, value, schema, content):
    text = json.dumps(schema)
    by_us = ours.serializer(text)(content, value)
    by_them = confluent.serializer(text)(content, value)
    assert by_us == by_them
    assert confluent.deserializer()(by_us, value) == content
    assert ours.deserializer()(by_them, value) == content


@pytest.mark.parametrize("part", [MessageField.KEY, MessageField.VALUE])
def test_keys_and_values_have_subjects_of_their_own(confluent, ours, topic, part):
    context = SerializationContext(topic, part)
    by_us = ours.serializer(ORDER)({"id": 1}, context)
    assert confluent.client.get_latest_version(f"{topic}-{part}").schema_id == int.from_bytes(by_us[1:5], "big")
    assert confluent.deserializer()(by_us, context) == {"id": 1}


def test_a_tombstone_stays_one_both_ways(confluent, ours, value):
    assert ours.serializer(ORDER)(None, value) is None
    assert ours.deserializer()(confluent.serializer(ORDER)(None, value), value) is None


def test_each_reads_as_its_own_schema_what_the_other_wrote_with_an_older_one(confluent, ours, value):
    by_us = ours.serializer(ORDER)({"id": 1}, value)
    assert confluent.deserializer(ORDER_WITH_STATE)(by_us, value) == {"id": 1, "state": "placed"}
    by_them = confluent.serializer(ORDER_WITH_STATE)({"id": 2, "state": "sent"}, value)
    assert ours.deserializer(ORDER)(by_them, value) == {"id": 2}


def test_each_reads_a_schema_with_references_that_the_other_registered(confluent, ours, value, subject):
    customer = json.dumps(record(field("name", "string"), name="Customer"))
    text = json.dumps(record(ID, field("customer", "shop.Customer")))
    confluent.client.register_schema(f"{subject}-customer", Schema(customer))
    content = {"id": 1, "customer": {"name": "Ada"}}
    reference = ("shop.Customer", f"{subject}-customer", 1)
    by_us = ours.serializer(serdes.Schema(text, references=(serdes.SchemaReference(*reference),)))(content, value)
    by_them = confluent.serializer(Schema(text, references=[SchemaReference(*reference)]))(content, value)
    assert by_us == by_them
    assert confluent.deserializer()(by_us, value) == content
    assert ours.deserializer()(by_them, value) == content


def test_each_finds_the_guid_that_the_other_put_into_the_headers(confluent, ours, topic):
    content = {"id": 2**60}  # Confluent's deserializer takes nothing shorter than six bytes, headers or not.
    by_us, by_them = (SerializationContext(topic, MessageField.VALUE, []) for _ in range(2))
    ours_to_headers = ours.serializer(ORDER, **{"schema.id.serializer": serdes.header_schema_id_serializer})
    written = ours_to_headers(content, by_us)
    theirs_to_headers = confluent.serializer(ORDER, **{"schema.id.serializer": header_schema_id_serializer})
    assert theirs_to_headers(content, by_them) == written
    assert by_us.headers == by_them.headers
    assert confluent.deserializer()(written, by_us) == content
    assert ours.deserializer()(written, by_them) == content


@pytest.mark.parametrize("strategy", ["TOPIC", "RECORD", "TOPIC_RECORD", "ASSOCIATED"])
def test_every_strategy_leads_both_to_the_same_subject(confluent, ours, value, topic, strategy):
    text = json.dumps(record(ID, name=f"Order_{topic.replace('-', '_')}"))
    conf = {"subject.name.strategy.type": strategy}
    by_us = ours.serializer(text, **conf)({"id": 1}, value)
    before = confluent.client.get_subjects()
    assert confluent.serializer(text, **conf)({"id": 1}, value) == by_us
    assert confluent.client.get_subjects() == before


LATEST = {"use.latest.version": True, "auto.register.schemas": False}


def test_both_write_with_the_latest_version_when_told_to(confluent, ours, value, subject):
    confluent.client.register_schema(subject, Schema(ORDER))
    latest = confluent.client.register_schema(subject, Schema(ORDER_WITH_STATE))
    by_us = ours.serializer(ORDER, **LATEST)({"id": 1, "state": "sent"}, value)
    assert int.from_bytes(by_us[1:5], "big") == latest
    assert by_us == confluent.serializer(ORDER, **LATEST)({"id": 1, "state": "sent"}, value)


ASSOCIATED_KEY = (
    b'{"keytype":"ASSOC","tenant":"default","resourceName":"orders","resourceNamespace":"lkc-1","resourceType":"topic",'
    b'"associationType":"value","subject":"all-orders","magic":0}'
)
ASSOCIATED_VALUE = (
    b'{"guid":"1b2c3d4e-1255-4b9d-9e33-0ad575b3df5d","tenant":"default","resourceName":"orders",'
    b'"resourceNamespace":"lkc-1","resourceId":"id-1","resourceType":"topic","associationType":"value",'
    b'"subject":"all-orders","lifecycle":"WEAK","frozen":false}'
)


async def leave_an_association(store):
    log = await open_log(store)
    async with log.turn(await log.end()) as turn:
        await turn.append([Entry(ASSOCIATED_KEY, ASSOCIATED_VALUE)])
    await log.close()


def test_both_follow_an_association_that_stands_in_the_log(connect, start_registry, tmp_path):
    store = f"sqlite:{tmp_path}/signet.db"
    asyncio.run(leave_an_association(store))
    url = start_registry(store=store).url
    value = SerializationContext("orders", MessageField.VALUE)
    with connect(url, "ours") as ours:
        by_us = ours.serializer(ORDER)({"id": 1}, value)
    with connect(url) as confluent:
        assert confluent.serializer(ORDER)({"id": 1}, value) == by_us
        assert confluent.client.get_subjects() == ["all-orders"]
        (found,) = confluent.client.get_associations_by_resource_name("orders", "lkc-1", "topic", ["value"])
        assert (found.subject, found.resource_id, found.frozen) == ("all-orders", "id-1", False)
