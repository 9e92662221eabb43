"""confluent-kafka's producers and consumers with our serdes: one changed import line, and a loop that nothing stops."""

import time
from contextlib import suppress

import pytest
from confluent_kafka import Consumer, DeserializingConsumer, SerializingProducer, TopicPartition
from confluent_kafka import schema_registry as theirs
from confluent_kafka.error import ValueDeserializationError, ValueSerializationError
from confluent_kafka.schema_registry import avro as their_avro

from serdes import AvroDeserializer, AvroSerializer, header_schema_id_serializer
from serdes import confluent as ours
from serdes.confluent import Records, SchemaRegistryError, SerializationError, plain
from serdes.dead_letters import DeadLetterQueue
from serdes.errors import AnswerMalformed, AuthError, FramingError, PoisonStorm, RegistryUnavailable

from .conftest import NEWER, ORDER, POISON, QUIET

VALUE = ours.SerializationContext("orders", ours.MessageField.VALUE)
RECORD = {"subject.name.strategy.type": "RECORD"}
HEADER = {"schema.id.serializer": header_schema_id_serializer}


@pytest.fixture(params=[ours, theirs], ids=["our client", "their client"])
def either_client(request, url):
    with request.param.SchemaRegistryClient({"url": url}) as client:
        yield client


@pytest.fixture
def their_client(url):
    with theirs.SchemaRegistryClient({"url": url}) as client:
        yield client


@pytest.fixture
def through_kafka(brokers, topic):
    """Writes a value with a SerializingProducer, and reads it with a DeserializingConsumer; theirs, both of them."""

    def carry(writing, reading, value, headers=None):
        with SerializingProducer({"bootstrap.servers": brokers, **QUIET, **writing}) as producer:
            producer.produce(topic, key="k", value=value, partition=0, headers=headers)
        with DeserializingConsumer({"bootstrap.servers": brokers, "group.id": "g", **QUIET, **reading}) as consumer:
            consumer.assign([TopicPartition(topic, 0, 0)])
            return consumer.poll(10)

    return carry


def writing(client, kind=ours.AvroSerializer, **conf):
    return {"key.serializer": kind(client, '"string"'), "value.serializer": kind(client, ORDER, conf=conf)}


def reading(client, kind=ours.AvroDeserializer):
    return {"key.deserializer": kind(client), "value.deserializer": kind(client)}


def test_a_record_goes_through_their_producer_and_consumer_whoever_made_the_client(either_client, through_kafka):
    message = through_kafka(writing(either_client), reading(either_client), {"id": 1})
    assert (message.key(), message.value()) == ("k", {"id": 1})


def test_what_we_wrote_is_read_with_the_old_import(either_client, their_client, through_kafka):
    old = reading(their_client, their_avro.AvroDeserializer)
    assert through_kafka(writing(either_client), old, {"id": 1}).value() == {"id": 1}


def test_what_was_written_with_the_old_import_is_read_by_us(either_client, their_client, through_kafka):
    old = writing(their_client, their_avro.AvroSerializer)
    assert through_kafka(old, reading(either_client), {"id": 1}).value() == {"id": 1}


def test_guids_travel_in_kafkas_headers(either_client, through_kafka):
    conf = {"schema.id.serializer": ours.header_schema_id_serializer}
    message = through_kafka(writing(either_client, **conf), reading(either_client), {"id": 1}, headers=[("a", b"1")])
    assert message.value() == {"id": 1}
    assert [name for name, _ in message.headers()] == ["a", "__value_schema_id"]


def test_builders_make_serdes_that_close_their_own_client(url, through_kafka):
    writing = {
        "key.serializer.builder": ours.AvroSerializerBuilder()
        .set_schema_registry_config({"url": url})
        .set_schema('"string"'),
        "value.serializer.builder": ours.AvroSerializerBuilder()
        .set_schema_registry_config({"url": url})
        .set_schema(ORDER),
    }
    built = ours.AvroDeserializerBuilder().set_schema_registry_config({"url": url}).set_schema(NEWER)
    message = through_kafka(writing, {"value.deserializer.builder": built}, {"id": 1})
    assert message.value() == {"id": 1, "paid": False}


def test_a_value_that_does_not_fit_is_their_error(either_client, through_kafka):
    with pytest.raises(ValueSerializationError, match="expected long, found str"):
        through_kafka(writing(either_client), {}, {"id": "one"})


def test_bytes_that_cannot_be_read_are_their_error(either_client, through_kafka):
    with pytest.raises(ValueDeserializationError, match="looks like JSON"):
        through_kafka({}, {"value.deserializer": ours.AvroDeserializer(either_client)}, POISON)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda client: ours.AvroSerializer(client, ORDER)({"id": "x"}, None), SerializationError),
        (lambda client: ours.AvroSerializer(client, ORDER, lambda obj, _: obj, RECORD)({"id": 1}), SerializationError),
        (lambda client: ours.AvroSerializer(client, ORDER, conf=HEADER)({"id": 1}, VALUE), SerializationError),
        (lambda client: ours.AvroDeserializer(client)(POISON), SerializationError),
        (lambda client: ours.AvroDeserializer(client)(b"\0\0\0\0\x63\2"), SchemaRegistryError),
        (lambda client: ours.AvroDeserializer(client)(b"\0\0\0\0\x63\2"), SerializationError),
        (lambda client: ours.AvroDeserializer(client).decode_with_schema(POISON), SerializationError),
        (lambda client: ours.AvroDeserializer(client).decode_with_schema(b"\0\0\0\0\x63\2"), SerializationError),
        (lambda client: ours.AvroDeserializer(client).prepare([99]), SerializationError),
        (lambda client: client.get_schema(99), SchemaRegistryError),
        (lambda client: client.get_latest_version("nothing"), SchemaRegistryError),
    ],
)
def test_except_clauses_of_existing_programs_still_catch(url, call, kind):
    with ours.SchemaRegistryClient({"url": url}) as client, pytest.raises(kind):
        call(client)


def test_what_fails_when_a_schema_is_looked_up_again_is_their_error_too(url):
    clock = [0.0]
    conf = {"use.latest.version": True, "auto.register.schemas": False, "latest.compatibility.strict": True}
    latest = {"url": url, "cache.latest.ttl.sec": 1, "cache.stale.sec": 0}
    with ours.SchemaRegistryClient(latest, clock=lambda: clock[0]) as client:
        client.register_schema("orders-value", ours.Schema(ORDER, "AVRO"))
        serializer = ours.AvroSerializer(client, ORDER, conf=conf)
        assert serializer({"id": 1}, ours.SerializationContext("orders", "value"))
        client.register_schema("orders-value", ours.Schema(ORDER.replace("long", "string"), "AVRO"))
        clock[0] = 10.0
        with pytest.raises(SerializationError, match=r"latest\.compatibility\.strict") as failure:
            serializer({"id": 1}, ours.SerializationContext("orders", "value"))
    assert (failure.value.topic, failure.value.field) == ("orders", "value")


def read_all(records, count, seconds=10):
    found, deadline = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        message = records.poll(0.2)
        if message is not None:
            found.append(message.value())
    return found


def test_poison_becomes_a_dead_letter_and_the_partition_goes_on(client, consumer, produce, order, broker, lying_in):
    produce(order(1), POISON, order(2), headers=[("trace", b"7")])
    records = Records(consumer, value=AvroDeserializer(client), dlq=DeadLetterQueue(broker))
    assert read_all(records, 2) == [{"id": 1}, {"id": 2}]
    [letter] = lying_in(f"{consumer.assignment()[0].topic}.dlq", 1)
    headers = dict(letter.headers())
    assert (letter.key(), letter.value(), headers["trace"]) == (b"1", POISON, b"7")
    assert (headers["serdes.offset"], headers["serdes.error"]) == (b"1", b"FramingError")


def test_a_dead_letter_is_sent_back_as_it_was(client, consumer, produce, broker, lying_in, topic):
    produce(POISON, headers=[("trace", b"7")])
    dlq = DeadLetterQueue(broker)
    assert Records(consumer, value=AvroDeserializer(client), dlq=dlq).poll(10) is None
    letters = [plain(message) for message in lying_in(f"{topic}.dlq", 1)]
    assert dlq.replay([*letters, plain(lying_in(topic, 1)[0])]) == 1  # what is no letter is left alone
    first, second = lying_in(topic, 2)
    assert (second.key(), second.value(), second.headers()) == (first.key(), first.value(), first.headers())


def test_a_batch_leaves_out_what_cannot_be_read(client, consumer, produce, order, broker):
    produce(order(1), POISON, order(2))
    records = Records(consumer, value=AvroDeserializer(client), dlq=DeadLetterQueue(broker))
    found, deadline = [], time.monotonic() + 20
    while len(found) < 2 and time.monotonic() < deadline:
        found += records.consume(10, 1)
    assert [(message.key(), message.value()) for message in found] == [(b"0", {"id": 1}), (b"2", {"id": 2})]


@pytest.mark.parametrize("read", [lambda records: records.poll(0.2), lambda records: records.consume(3, 0.2)])
def test_while_the_registry_is_away_a_partition_waits_and_nothing_is_a_dead_letter(
    registry, url, client, consumer, produce, order, broker, read
):
    produce(order(1), order(2))
    registry.stop()
    with ours.SchemaRegistryClient({"url": url, "max.retries": 0}) as cold:
        records = Records(consumer, value=AvroDeserializer(cold), dlq=DeadLetterQueue(broker))
        assert not any(read(records) for _ in range(5))
        registry.start()
        found, deadline = [], time.monotonic() + 20
        while len(found) < 2 and time.monotonic() < deadline:
            got = read(records)
            found += got if isinstance(got, list) else [got] if got else []
    assert [message.value() for message in found] == [{"id": 1}, {"id": 2}]


@pytest.fixture
def waiting(client, registry, url, produce, order, topic, brokers):
    """Reads one record, closes the consumer while the second waits for the registry, and tells what is committed."""

    def read(**conf):
        later = b"\0\0\0\0\x09\2"
        produce(order(1), later)
        group = {"bootstrap.servers": brokers, "group.id": topic, "auto.offset.reset": "earliest", **QUIET, **conf}
        consumer = Consumer(group)
        consumer.subscribe([topic])
        registry.stop()
        records = Records(consumer, value=AvroDeserializer(client))
        assert read_all(records, 1) == [{"id": 1}]
        if conf:
            consumer.store_offsets(offsets=[TopicPartition(topic, 0, 1)])
        assert any(records.poll(0.2) is None and records._paused for _ in range(50))
        consumer.close()
        asking = Consumer(group)
        (committed,) = asking.committed([TopicPartition(topic, 0)], timeout=10)
        asking.close()
        return committed.offset

    return read


def test_a_record_that_waits_while_the_consumer_is_closed_is_read_again(waiting, caplog):
    assert waiting(**{"enable.auto.offset.store": False}) == 1
    assert not caplog.messages


def test_a_consumer_that_would_pass_over_a_waiting_record_is_told_of(waiting, caplog):
    assert waiting() == 2
    (warning,) = caplog.messages
    assert "set enable.auto.offset.store to False" in warning


def test_a_header_without_a_value_stays_one_in_a_letter(client, consumer, produce, broker, lying_in):
    produce(POISON, headers=[("empty", None)])
    assert Records(consumer, value=AvroDeserializer(client), dlq=DeadLetterQueue(broker)).poll(10) is None
    (letter,) = lying_in(f"{consumer.assignment()[0].topic}.dlq", 1)
    assert ("empty", None) in letter.headers()


def test_a_long_text_that_is_no_utf_8_becomes_a_letter_which_has_room_for_it(
    client, consumer, produce, broker, topic, lying_in
):
    serialize = AvroSerializer(client, '"string"')
    value = serialize("x" * 300_000, ours.SerializationContext(topic, "value")).replace(b"x", b"\xff")
    produce(value)
    assert Records(consumer, value=AvroDeserializer(client), dlq=DeadLetterQueue(broker)).poll(10) is None
    (letter,) = lying_in(f"{topic}.dlq", 1)
    assert letter.value() == value


def test_without_a_dead_letter_queue_the_error_is_raised(client, consumer, produce):
    produce(POISON)
    with pytest.raises(FramingError) as failure:
        Records(consumer, value=AvroDeserializer(client)).poll(10)
    assert (failure.value.topic, failure.value.field) == (consumer.assignment()[0].topic, "value")


@pytest.mark.parametrize("read", [Records.poll, lambda records, seconds: records.consume(1, seconds)])
def test_a_record_that_was_not_handled_is_read_again(registry, client, consumer, produce, order, read):
    produce(order(1))
    client.clear_caches()
    records = Records(consumer, value=AvroDeserializer(client))
    registry.answer_with = lambda _: (401, "text/plain", b"who?", {})
    with pytest.raises(AuthError):
        read(records, 10)
    registry.answer_with = None
    assert read_all(records, 1) == [{"id": 1}]


def test_a_batch_hands_out_what_stands_before_and_behind_poison(client, consumer, produce, order):
    produce(order(1), POISON, order(2))
    records, values = Records(consumer, value=AvroDeserializer(client)), []
    for _ in range(50):
        with suppress(FramingError):
            values += [message.value() for message in records.consume(3, 0.2)]
        if len(values) == 2:
            break
    assert values == [{"id": 1}, {"id": 2}]


def test_a_storm_of_poison_stops_everything(client, consumer, produce, broker):
    produce(*[POISON] * 100)
    records = Records(consumer, value=AvroDeserializer(client), dlq=DeadLetterQueue(broker, flush=False))
    with pytest.raises(PoisonStorm, match="100 of the last 100"):
        read_all(records, 1)


def test_keys_are_read_too_and_what_has_no_deserializer_stays_bytes(client, consumer, produce, order):
    produce(order(1))
    message = Records(consumer, key=AvroDeserializer(client, conf={"on.error": "return"})).poll(10)
    assert isinstance(message.key().error, FramingError)
    assert message.value() == order(1)


def test_a_registry_that_is_away_is_no_poison(registry, url, client, order):
    data = order(1)
    registry.stop()
    with (
        ours.SchemaRegistryClient({"url": url, "max.retries": 0}) as cold,
        pytest.raises(SchemaRegistryError) as failure,
    ):
        ours.AvroDeserializer(cold, conf={"on.error": "return"})(data)
    assert isinstance(failure.value, RegistryUnavailable)


def says_nothing_of_use(_handler):
    return 200, "text/html", b"<html>", {}


@pytest.mark.parametrize(("answer", "kind"), [(None, RegistryUnavailable), (says_nothing_of_use, AnswerMalformed)])
def test_what_their_client_fails_with_is_an_error_of_ours(registry, url, answer, kind):
    registry.answer_with = answer
    if answer is None:
        registry.stop()
    with theirs.SchemaRegistryClient({"url": url, "max.retries": 0}) as client, pytest.raises(kind):
        AvroDeserializer(client)(b"\0\0\0\0\1\2")
