"""Dead letters without a broker: what stands in one, what is sent, what becomes of a failure."""

import pytest
from confluent_kafka import Producer
from confluent_kafka.aio import AIOProducer

from serdes.dead_letters import Action, DeadLetterQueue, Record, Triage
from serdes.errors import (
    CorruptPayload,
    FramingError,
    PoisonStorm,
    RegistryUnavailable,
    SettingInvalid,
    SubjectUnknown,
    UnknownSchemaId,
)

RECORD = Record("orders", 3, 42, b"key", b"value", [("trace", b"7"), ("serdes.of.yours", b"1")], 1_000)
ERROR = CorruptPayload("the payload ends too early").at("orders", "value", 12)


class Sent:
    """kafka-python's producer, as far as a letter needs it."""

    def __init__(self):
        self.letters, self.flushed = [], 0

    def send(self, topic, **letter):
        self.letters.append((topic, letter))
        return self

    def get(self, timeout):
        self.flushed += 1


@pytest.mark.parametrize(
    ("style", "reasons"),
    [
        (
            "serdes",
            {
                "serdes.topic": b"orders",
                "serdes.partition": b"3",
                "serdes.offset": b"42",
                "serdes.stage": b"value",
                "serdes.error": b"CorruptPayload",
                "serdes.message": b"the payload ends too early",
                "serdes.schema.id": b"12",
                "serdes.attempt": b"1",
            },
        ),
        (
            "connect",
            {
                "__connect.errors.topic": b"orders",
                "__connect.errors.partition": b"3",
                "__connect.errors.offset": b"42",
                "__connect.errors.stage": b"value",
                "__connect.errors.exception.class.name": b"CorruptPayload",
                "__connect.errors.exception.message": b"the payload ends too early",
            },
        ),
        (
            "streams",
            {
                "__streams.errors.topic": b"orders",
                "__streams.errors.partition": b"3",
                "__streams.errors.offset": b"42",
                "__streams.errors.exception": b"CorruptPayload",
                "__streams.errors.message": b"the payload ends too early",
            },
        ),
    ],
)
def test_a_letter_is_the_original_with_its_reasons_in_headers(style, reasons):
    letter = DeadLetterQueue(Sent(), headers=style).letter(RECORD, ERROR)
    assert (letter.topic, letter.key, letter.value, letter.timestamp_ms) == ("orders.dlq", b"key", b"value", 1_000)
    assert letter.headers == [*RECORD.headers, *reasons.items()]


@pytest.mark.parametrize("style", ["serdes", "connect", "streams"])
def test_a_letter_goes_back_as_the_original(style):
    queue = DeadLetterQueue(Sent(), headers=style)
    letter = queue.letter(RECORD, ERROR)
    back = queue.original(Record(letter.topic, 0, 0, letter.key, letter.value, letter.headers, letter.timestamp_ms))
    assert (back.topic, back.key, back.value, back.headers, back.timestamp_ms) == (
        RECORD.topic, RECORD.key, RECORD.value, RECORD.headers, RECORD.timestamp_ms
    )  # fmt: skip


def test_a_letter_that_fails_again_tells_the_first_place_and_counts_its_attempts():
    queue = DeadLetterQueue(Sent())
    first = queue.letter(RECORD, ERROR, attempt=2)
    again = queue.letter(Record("orders.dlq", 0, 5, first.key, first.value, first.headers), ERROR)
    assert dict(again.headers) == dict(first.headers) | {"serdes.attempt": b"3"}


def test_what_may_tell_parts_of_the_data_can_be_redacted():
    letter = DeadLetterQueue(Sent(), redact=lambda message: message.split()[0]).letter(RECORD, ERROR)
    assert dict(letter.headers)["serdes.message"] == b"the"


@pytest.mark.parametrize(
    ("message", "told"), [("\u00fc" * 2_000_000, ("\u00fc" * 1000).encode()), ("half a \ud83d", b"half a \\ud83d")]
)
def test_whatever_an_error_says_finds_room_in_a_letter(message, told):
    letter = DeadLetterQueue(Sent()).letter(RECORD, CorruptPayload(message))
    assert dict(letter.headers)["serdes.message"] == told


def test_a_letter_has_arrived_before_the_next_record_is_read():
    producer = Sent()
    DeadLetterQueue(producer).send(RECORD, ERROR)
    DeadLetterQueue(producer, flush=False).send(RECORD, ERROR)
    assert (len(producer.letters), producer.flushed) == (2, 1)


def test_replay_sends_all_letters_and_waits_for_each():
    producer = Sent()
    queue = DeadLetterQueue(producer)
    letters = [Record("orders.dlq", 0, n, b"", b"", queue.letter(RECORD, ERROR).headers) for n in range(3)]
    assert queue.replay([*letters, RECORD]) == 3
    assert ([topic for topic, _ in producer.letters], producer.flushed) == (["orders"] * 3, 3)


def test_a_replay_whose_letters_do_not_arrive_says_so():
    producer = Producer({"bootstrap.servers": "127.0.0.1:9", "message.timeout.ms": 100, "log_level": 0})
    queue = DeadLetterQueue(producer, flush=False)
    lying = Record("orders.dlq", 0, 0, b"", b"", queue.letter(RECORD, ERROR).headers)
    with pytest.raises(TimeoutError, match="a dead letter for topic orders could not be sent"):
        queue.replay([lying])


def test_an_unknown_header_style_is_refused():
    with pytest.raises(SettingInvalid, match="headers must be one of serdes, connect, streams, not 'camel'"):
        DeadLetterQueue(Sent(), headers="camel")


@pytest.mark.parametrize("topic", ["{topics}.dlq", "dlq-{}", "dlq-{", "{topic.name}"])
def test_a_topic_that_cannot_be_named_is_refused_before_the_first_letter(topic):
    with pytest.raises(SettingInvalid, match="braces"):
        DeadLetterQueue(Sent(), topic)


@pytest.mark.parametrize("topic", ["{topic}", "{topic!s}", "{topic:s}"])
def test_letters_do_not_go_back_to_the_topic_of_the_record(topic):
    with pytest.raises(SettingInvalid, match="must not be the record's own"):
        DeadLetterQueue(Sent(), topic)


def test_a_record_of_the_dead_letter_topic_itself_becomes_no_letter_that_would_come_again():
    producer = Sent()
    with pytest.raises(SettingInvalid, match="for topic orders would go to that topic"):
        DeadLetterQueue(producer, topic="orders").send(RECORD, ERROR)
    assert not producer.letters


@pytest.mark.parametrize("topic", ["", "orders/dlq", "dead letters", "{topic}-\u00fc"])
def test_a_topic_that_kafka_does_not_take_is_refused_before_the_first_letter(topic):
    with pytest.raises(SettingInvalid, match="topic must be of letters, digits"):
        DeadLetterQueue(Sent(), topic)


@pytest.mark.parametrize("producer", ["127.0.0.1:9092", None, {"bootstrap.servers": "127.0.0.1:9092"}])
def test_what_cannot_send_a_letter_is_refused_before_there_is_one(producer):
    with pytest.raises(SettingInvalid, match=r"a DeadLetterQueue needs confluent-kafka's Producer, .* is none of them"):
        DeadLetterQueue(producer)


@pytest.mark.anyio
async def test_what_nobody_would_await_as_it_has_to_be_is_refused_too():
    producer = AIOProducer({"bootstrap.servers": "127.0.0.1:9", "log_level": 0})
    with pytest.raises(SettingInvalid, match="and AIOProducer is none of them"):
        DeadLetterQueue(producer)
    await producer.close()


def unknown(retriable):
    error = UnknownSchemaId(7, "Schema not found")
    error.retriable = retriable
    return error


@pytest.mark.parametrize(
    ("letters", "error", "action"),
    [
        (True, FramingError("?"), Action.LETTER),
        (False, FramingError("?"), Action.RAISE),
        (True, RegistryUnavailable("down"), Action.RETRY),
        (False, RegistryUnavailable("down"), Action.RETRY),
        (True, unknown(retriable=True), Action.RETRY),
        (True, unknown(retriable=False), Action.LETTER),
        (True, SubjectUnknown("which?"), Action.RAISE),
    ],
)
def test_what_may_pass_is_tried_again_and_what_is_poison_is_a_letter(letters, error, action):
    assert Triage(letters=letters).failed("orders", 0, error) is action


def test_a_partition_is_left_alone_for_longer_each_time_up_to_half_a_minute():
    triage, pauses = Triage(letters=True), []
    for _ in range(11):
        triage.failed("orders", 0, RegistryUnavailable("down"))
        pauses.append(triage.pause_seconds("orders", 0))
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    triage.read("orders", 0)
    assert triage.given_up("orders", 0) == 1


def test_attempts_at_one_record_are_not_those_of_the_next():
    triage = Triage(letters=True)
    triage.failed("orders", 0, RegistryUnavailable("down"))
    triage.failed("orders", 0, FramingError("?"))
    first = triage.given_up("orders", 0)
    triage.failed("orders", 0, FramingError("?"))
    assert (first, triage.given_up("orders", 0), triage.pause_seconds("orders", 0)) == (2, 1, 0.1)


def test_half_of_the_last_100_records_may_be_poison_and_no_more():
    triage = Triage(letters=True)
    for _ in range(50):
        triage.read("orders", 0)
        triage.failed("orders", 0, FramingError("?"))
    with pytest.raises(PoisonStorm, match="51 of the last 100"):
        triage.failed("orders", 0, FramingError("?"))
