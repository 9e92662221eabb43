"""kafka-python's producer and consumer with our serdes: no record can stop the loop."""

from contextlib import closing
from itertools import islice
from threading import Timer

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from serdes import (
    AvroDeserializer,
    AvroSerializer,
    Poison,
    SchemaRegistryClient,
    header_schema_id_serializer,
)
from serdes.dead_letters import DeadLetterQueue
from serdes.errors import AuthError, DecodeError, EncodeError, FramingError, PoisonStorm
from serdes.kafka_python import KeyDeserializer, KeySerializer, ValueDeserializer, ValueSerializer, consume

from .conftest import ORDER, POISON

# librdkafka's broker refuses the newer question about versions in a form that kafka-python cannot read, so it is told.
VERSION = {"api_version": (2, 3)}


@pytest.fixture
def producing(brokers):
    return lambda **options: closing(KafkaProducer(bootstrap_servers=brokers, **VERSION, **options))


@pytest.fixture
def consuming(brokers, topic):
    """Opens a consumer at the beginning of the first partition of the topic."""
    opened = []

    def open_consumer(**options):
        timeout = {"consumer_timeout_ms": 10_000, "auto_offset_reset": "earliest", "group_id": None}
        opened.append(KafkaConsumer(bootstrap_servers=brokers, **VERSION, **timeout, **options))
        opened[-1].assign([TopicPartition(topic, 0)])
        return opened[-1]

    yield open_consumer
    for consumer in opened:
        consumer.close()


def test_a_record_goes_through_the_producer_and_the_consumer(client, topic, producing, consuming):
    writing = {
        "key_serializer": KeySerializer(AvroSerializer(client, '"string"')),
        "value_serializer": ValueSerializer(AvroSerializer(client, ORDER)),
    }
    reading = {
        "key_deserializer": KeyDeserializer(AvroDeserializer(client)),
        "value_deserializer": ValueDeserializer(AvroDeserializer(client)),
    }
    with producing(**writing) as producer:
        producer.send(topic, {"id": 1}, key="k", partition=0).get(10)
        producer.send(topic, None, key="k", partition=0).get(10)
    assert [(r.key, r.value) for r in islice(consuming(**reading), 2)] == [("k", {"id": 1}), ("k", None)]


def test_keys_and_values_have_subjects_of_their_own(registry, client, topic, producing):
    serializer = AvroSerializer(client, '"string"')
    with producing(key_serializer=KeySerializer(serializer), value_serializer=ValueSerializer(serializer)) as producer:
        producer.send(topic, "v", key="k", partition=0).get(10)
    assert set(registry.subjects) == {f"{topic}-key", f"{topic}-value"}


def test_guids_travel_in_kafkas_headers(client, topic, producing, consuming):
    conf = {"schema.id.serializer": header_schema_id_serializer}
    serializer = ValueSerializer(AvroSerializer(client, ORDER, conf=conf))
    with producing(value_serializer=serializer) as producer:
        producer.send(topic, {"id": 1}, partition=0, headers=[("a", b"1")]).get(10)
    [record] = islice(consuming(value_deserializer=ValueDeserializer(AvroDeserializer(client))), 1)
    assert (record.value, [name for name, _ in record.headers]) == ({"id": 1}, ["a", "__value_schema_id"])


def test_a_value_that_does_not_fit_is_said_where_it_was_sent(client, topic, producing):
    with (
        producing(value_serializer=ValueSerializer(AvroSerializer(client, ORDER))) as producer,
        pytest.raises(EncodeError, match="expected long, found str"),
    ):
        producer.send(topic, {"id": "one"})


def test_no_type_error_leaves_that_the_library_would_take_for_an_old_fashioned_serializer(client):
    def fails(*_):
        raise TypeError("not my type")

    writing = ValueSerializer(AvroSerializer(client, ORDER, fails))
    reading = ValueDeserializer(AvroDeserializer(client, None, fails))
    data = ValueSerializer(AvroSerializer(client, ORDER)).serialize("orders", [], {"id": 1})
    with pytest.raises(EncodeError, match="not my type"):
        writing.serialize("orders", [], {"id": 1})
    with pytest.raises(DecodeError, match="not my type"):
        reading.deserialize("orders", [], data)


def test_a_deserializer_that_returns_poison_lets_a_consumer_go_on(client, produce, order, consuming):
    produce(order(1), POISON, order(2))
    reading = ValueDeserializer(AvroDeserializer(client, conf={"on.error": "return"}))
    values = [record.value for record in islice(consuming(value_deserializer=reading), 3)]
    assert (values[0], values[2], type(values[1])) == ({"id": 1}, {"id": 2}, Poison)


def test_poison_becomes_a_dead_letter_and_the_partition_goes_on(
    client, topic, produce, order, producing, consuming, lying_in
):
    produce(order(1), POISON, order(2), headers=[("trace", b"7")])
    with producing() as producer:
        records = consume(consuming(), value=AvroDeserializer(client), dlq=DeadLetterQueue(producer))
        assert [(r.key, r.value) for r in islice(records, 2)] == [(b"0", {"id": 1}), (b"2", {"id": 2})]
    [letter] = lying_in(f"{topic}.dlq", 1)
    assert (letter.key(), letter.value()) == (b"1", POISON)
    assert dict(letter.headers()).items() >= {"trace": b"7", "serdes.error": b"FramingError"}.items()


def test_without_a_dead_letter_queue_the_error_is_raised(client, produce, consuming):
    produce(POISON)
    with pytest.raises(FramingError):
        next(consume(consuming(), value=AvroDeserializer(client)))


def test_while_the_registry_is_away_the_record_waits_and_is_no_dead_letter(
    registry, url, produce, order, consuming, broker
):
    produce(order(1), order(2))
    registry.stop()
    Timer(0.5, registry.start).start()
    with SchemaRegistryClient({"url": url, "max.retries": 0}) as cold:
        records = consume(consuming(), value=AvroDeserializer(cold), dlq=DeadLetterQueue(broker))
        assert [record.value for record in islice(records, 2)] == [{"id": 1}, {"id": 2}]


class Full:
    """A producer whose queue is full."""

    def send(self, *_letter, **_options):
        raise BufferError


@pytest.mark.parametrize("dlq", [None, DeadLetterQueue(Full())])
def test_a_record_that_was_not_handled_is_read_again(registry, client, produce, order, consuming, dlq):
    produce(order(1) if dlq is None else POISON)
    client.clear_caches()
    registry.answer_with = lambda _: (401, "text/plain", b"who?", {})
    consumer = consuming()
    with pytest.raises((AuthError, BufferError)):
        next(consume(consumer, value=AvroDeserializer(client), dlq=dlq))
    [partition] = consumer.assignment()
    assert consumer.position(partition) == 0


def test_a_storm_of_poison_stops_everything(client, produce, producing, consuming):
    produce(*[POISON] * 100)
    with producing() as producer, pytest.raises(PoisonStorm):
        next(consume(consuming(), value=AvroDeserializer(client), dlq=DeadLetterQueue(producer, flush=False)))
