"""python-schema-registry-client, synchronous and asynchronous, against a running registry."""

import json

import pytest
from confluent_kafka.serialization import MessageField, SerializationContext
from schema_registry.client import AsyncSchemaRegistryClient, SchemaRegistryClient
from schema_registry.client.errors import ClientError
from schema_registry.client.schema import AvroSchema
from schema_registry.serializers import AsyncAvroMessageSerializer, AvroMessageSerializer

ID = {"name": "id", "type": "long"}


def record(*fields):
    return json.dumps({"type": "record", "name": "Order", "namespace": "shop", "fields": fields})


ORDER = record(ID)
ORDER_WITH_STATE = record(ID, {"name": "state", "type": "string", "default": "placed"})
ORDER_WITH_PRICE = record(ID, {"name": "price", "type": "double"})


@pytest.fixture(params=["sync", "async"])
def peer(request, waiting, registry_url):
    """Opens the client and its serializer, both with empty caches."""

    def connected(**options):
        if request.param == "sync":
            client = SchemaRegistryClient(registry_url)
            return client, AvroMessageSerializer(client, **options)
        client = AsyncSchemaRegistryClient(registry_url)
        return waiting(client), waiting(AsyncAvroMessageSerializer(client, **options))

    return connected


@pytest.fixture
def client(peer):
    return peer()[0]


def test_a_registered_schema_is_found_by_id_version_and_text(peer, client, subject):
    schema_id = client.register(subject, ORDER)
    another, _ = peer()
    assert another.get_by_id(schema_id) == AvroSchema(ORDER)
    assert another.get_schema(subject, 1).schema_id == schema_id
    assert another.check_version(subject, ORDER).version == 1
    assert another.register(subject, ORDER) == schema_id
    assert (subject, 1) in {(one.subject, one.version) for one in another.get_schema_subject_versions(schema_id)}


def test_what_is_not_there_is_none_or_empty(client, subject):
    assert client.get_by_id(2**31 - 1) is None
    assert client.get_schema_subject_versions(2**31 - 1) is None
    assert client.get_schema(subject) is None
    assert client.check_version(subject, ORDER) is None
    assert client.get_versions(subject) == []
    assert client.delete_subject(subject) == []
    assert client.delete_version(subject, 1) is None


def test_a_schema_evolves_by_compatible_steps_only(client, subject):
    client.register(subject, ORDER)
    assert client.test_compatibility(subject, ORDER_WITH_STATE) is True
    assert client.test_compatibility(subject, ORDER_WITH_PRICE) is False
    verdict = client.test_compatibility(subject, ORDER_WITH_PRICE, verbose=True)
    assert "READER_FIELD_MISSING_DEFAULT_VALUE" in verdict["messages"][0]
    client.register(subject, ORDER_WITH_STATE)
    with pytest.raises(ClientError, match=r"Incompatible .*schema") as caught:
        client.register(subject, ORDER_WITH_PRICE)
    assert caught.value.http_code == 409
    assert client.get_versions(subject) == [1, 2]


@pytest.mark.parametrize("level", ["NONE", "BACKWARD_TRANSITIVE", "FORWARD", "FULL"])
def test_the_level_of_a_subject_is_set(client, subject, level):
    assert client.update_compatibility(level, subject) is True
    assert client.get_compatibility(subject) == level
    assert client.get_compatibility() == "BACKWARD"


def test_an_invalid_schema_is_refused(client, subject):
    with pytest.raises(ClientError) as caught:
        client.register(subject, record({"name": "id", "type": {"type": "fixed", "name": "Id", "size": -1}}))
    assert caught.value.http_code == 422
    assert subject not in client.get_subjects()


def test_versions_and_subjects_are_deleted(client, subject):
    client.register(subject, ORDER)
    client.register(subject, ORDER_WITH_STATE)
    assert client.delete_version(subject, "latest") == 2
    assert client.get_versions(subject) == [1]
    assert client.delete_subject(subject) == [1]
    assert subject not in client.get_subjects()


def test_each_reads_what_the_other_wrote_and_the_bytes_are_the_same(peer, ours, topic, subject):
    order = {"id": 1, "state": "sent"}
    context = SerializationContext(topic, MessageField.VALUE)
    _, serializer = peer()
    by_them = serializer.encode_record_with_schema(subject, AvroSchema(ORDER_WITH_STATE), order)
    assert ours.serializer(ORDER_WITH_STATE)(order, context) == by_them
    assert ours.deserializer()(by_them, context) == order
    assert peer()[1].decode_message(by_them) == order


def test_an_older_record_of_ours_is_read_with_a_newer_schema(peer, ours, topic):
    context = SerializationContext(topic, MessageField.VALUE)
    by_us = ours.serializer(ORDER)({"id": 1}, context)
    _, serializer = peer(reader_schema=AvroSchema(ORDER_WITH_STATE).schema)
    assert serializer.decode_message(by_us) == {"id": 1, "state": "placed"}
