"""Dead letters: how one is written, sent, and taken back.

Owns the three header styles; refuses to know consumers. Key, value, headers and timestamp of the original travel
unchanged, and the reason stands in additional headers, so that a letter can be sent again as if nothing had happened.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from itertools import islice
from typing import Any

from serdes.errors import SerdesError, SettingInvalid

# Kafka knows headers without a value.
HeaderList = Sequence[tuple[str, bytes | None]]

# What Kafka Connect and Kafka Streams add to a letter, more than is known here, and no application's headers.
_FOREIGN = ("__connect.errors.", "__streams.errors.")
# Under which name each style tells the facts; a style that knows no name for a fact leaves it out.
_STYLES: dict[str, dict[str, str]] = {
    "serdes": {
        "topic": "serdes.topic",
        "partition": "serdes.partition",
        "offset": "serdes.offset",
        "stage": "serdes.stage",
        "class": "serdes.error",
        "message": "serdes.message",
        "schema_id": "serdes.schema.id",
        "attempt": "serdes.attempt",
    },
    "connect": {
        "topic": "__connect.errors.topic",
        "partition": "__connect.errors.partition",
        "offset": "__connect.errors.offset",
        "stage": "__connect.errors.stage",
        "class": "__connect.errors.exception.class.name",
        "message": "__connect.errors.exception.message",
    },
    "streams": {
        "topic": "__streams.errors.topic",
        "partition": "__streams.errors.partition",
        "offset": "__streams.errors.offset",
        "class": "__streams.errors.exception",
        "message": "__streams.errors.message",
    },
}
# The characters that Kafka takes in the name of a topic.
_TOPIC = re.compile("[a-zA-Z0-9._-]+")
_SAMPLES = ["orders", "payments"]
_OWN = frozenset(_STYLES["serdes"].values())
# Characters; a message may be that of a registry or of a user's rule, and a letter that is too large never arrives.
_LONGEST_MESSAGE = 1000
_FLUSH_SECONDS = 30.0
# How many letters may be under way: a producer's queue holds some, and a dead letter topic any number.
_REPLAYED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it lies in Kafka. timestamp_ms: None when it has none."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: HeaderList = ()
    timestamp_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent to a dead letter topic, or back from it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)
    timestamp_ms: int | None = None


class DeadLetterQueue:
    """Sends records that cannot be read to a topic of their own.

    Args:
        producer: confluent-kafka's Producer, kafka-python's KafkaProducer (both blocking), or aiokafka's
            AIOKafkaProducer; without serializers.
        topic: the name of the dead letter topic; `{topic}` stands for the record's own.
        headers: the names of the headers: "serdes", "connect" (Kafka Connect's) or "streams" (Kafka Streams').
        flush: whether to wait until each letter has arrived, so that committing the record's offset loses nothing.
        redact: changes the error's message before it is sent, since it may tell parts of the data.

    Attributes:
        awaited: whether its letters are sent with `send_async`; None for a producer of the user's own, which may be
            either.

    Raises:
        SettingInvalid: the header style is unknown, the topic cannot be one or is the record's own, or the producer is
            none of these.
    """

    def __init__(
        self,
        producer: Any,
        topic: str = "{topic}.dlq",
        *,
        headers: str = "serdes",
        flush: bool = True,
        redact: Callable[[str], str] | None = None,
    ) -> None:
        if headers not in _STYLES:
            raise SettingInvalid(f"headers must be one of {', '.join(_STYLES)}, not {headers!r}")
        _check_topic(topic)
        self.awaited = _is_awaited(producer)
        if self.awaited is None and not callable(getattr(producer, "send", None)):
            raise SettingInvalid(
                "a DeadLetterQueue needs confluent-kafka's Producer, kafka-python's KafkaProducer or aiokafka's "
                f"AIOKafkaProducer, and {type(producer).__name__} is none of them"
            )
        self._producer = producer
        self._topic = topic
        self._style = _STYLES[headers]
        self._flush = flush
        self._redact = redact

    def letter(self, record: Record, error: SerdesError, *, attempt: int = 1) -> Letter:
        """The letter for a record. A letter about a letter counts its attempts, and keeps the first reason's place.

        Raises SettingInvalid when it would go to the record's own topic, from where it would come again without end.
        """
        topic = self._topic.format(topic=record.topic)
        if topic == record.topic:
            raise SettingInvalid(
                f"a dead letter for topic {topic} would go to that topic: `topic` must name another one"
            )
        # A letter that was read from a dead letter topic and failed again still tells where it came from.
        told = _told(record)
        before = told.get(self._style.get("attempt", ""), b"0")
        facts = {
            "topic": told.get(self._style["topic"], record.topic.encode()),
            "partition": told.get(self._style["partition"], str(record.partition).encode()),
            "offset": told.get(self._style["offset"], str(record.offset).encode()),
            "stage": (error.field or "value").encode(),
            "class": type(error).__name__.encode(),
            "message": self._message(error).encode(errors="backslashreplace"),
            "schema_id": b"" if error.schema_id is None else str(error.schema_id).encode(),
            "attempt": str(attempt + (int(before) if before.isdigit() else 0)).encode(),
        }
        reasons = [(self._style[fact], value) for fact, value in facts.items() if fact in self._style]
        return Letter(topic, record.key, record.value, [*_kept(record), *reasons], record.timestamp_ms)

    def _message(self, error: SerdesError) -> str:
        return (self._redact(error.message) if self._redact else error.message)[:_LONGEST_MESSAGE]

    def send(self, record: Record, error: SerdesError, *, attempt: int = 1) -> None:
        """Send the letter for a record through a blocking producer.

        Raises what the producer raises, or TimeoutError when the letter has not arrived in time.
        """
        arrived = send_letter(self._producer, self.letter(record, error, attempt=attempt))
        if self._flush:
            arrived()

    async def send_async(self, record: Record, error: SerdesError, *, attempt: int = 1) -> None:
        """Send the letter for a record through aiokafka's producer."""
        await send_letter_async(self._producer, self.letter(record, error, attempt=attempt), wait=self._flush)

    def replay(self, letters: Iterable[Record]) -> int:
        """Send letters back to the topics they came from, as they were; how many that were. All of them have arrived.

        letters: records of dead letter topics; a record without the header that names its topic is left alone.
        Raises as `send` does; letters before the one that failed, and some behind it, may have arrived then.
        """
        sent = 0
        originals = filter(None, map(self.original, letters))
        while some := [*islice(originals, _REPLAYED_AT_ONCE)]:
            for arrived in [send_letter(self._producer, letter) for letter in some]:
                arrived()
            sent += len(some)
        return sent

    def original(self, record: Record) -> Letter | None:
        """A letter without its reasons, addressed to where it came from; None for what is no letter."""
        told = _told(record)
        topic = next((told[style["topic"]] for style in _STYLES.values() if style["topic"] in told), None)
        if topic is None:
            return None
        return Letter(topic.decode(), record.key, record.value, _kept(record), record.timestamp_ms)


def check_queue(queue: Any, taker: str, *, awaited: bool) -> None:
    """See to it that a loop can send letters, before it meets the first record that becomes one.

    awaited: whether the loop calls `send_async`. Raises SettingInvalid for what is no queue, and for one whose producer
    is of the other kind.
    """
    if not callable(getattr(queue, "send_async" if awaited else "send", None)):
        raise SettingInvalid(f"{taker} needs a DeadLetterQueue, and {type(queue).__name__} is not one")
    if getattr(queue, "awaited", None) is (not awaited):
        needed = "aiokafka's producer" if awaited else "a blocking producer"
        raise SettingInvalid(f"{taker} needs a DeadLetterQueue with {needed}")


def _check_topic(topic: str) -> None:
    try:
        # Two, as a fixed name may be that of one.
        names = [topic.format(topic=own) for own in _SAMPLES]
    except (LookupError, ValueError, AttributeError) as error:
        raise SettingInvalid(f"topic may have no braces but those of {{topic}}, not {topic!r}") from error
    if not all(map(_TOPIC.fullmatch, names)):
        raise SettingInvalid(f"topic must be of letters, digits, dots, hyphens and underscores, not {topic!r}")
    if names == _SAMPLES:
        raise SettingInvalid(f"topic must not be the record's own, from where its letters come again: not {topic!r}")


def _is_awaited(producer: Any) -> bool | None:
    """Whether a producer is aiokafka's, or blocking; None for one of the user's own, and for what is none."""
    send, produce = getattr(producer, "send", None), getattr(producer, "produce", None)
    if iscoroutinefunction(send):
        return True
    kafka_python = callable(send) and type(producer).__module__.partition(".")[0] == "kafka"
    # confluent-kafka's for asyncio counts as none: it gives out awaitables where a Producer calls back.
    confluent_kafka = callable(produce) and not iscoroutinefunction(produce)
    return False if kafka_python or confluent_kafka else None


def _told(record: Record) -> dict[str, bytes]:
    return {name: value for name, value in record.headers if value is not None}


def _kept(record: Record) -> list[tuple[str, bytes | None]]:
    """The headers that are no reasons: the original's own."""
    return [(name, value) for name, value in record.headers if name not in _OWN and not name.startswith(_FOREIGN)]


def send_letter(producer: Any, letter: Letter) -> Callable[[], object]:
    """Hand a letter to confluent-kafka's or kafka-python's producer; what is returned waits until it has arrived.

    That raises what kafka-python's futures raise, or TimeoutError when the letter has not arrived in time.
    """
    if hasattr(producer, "produce"):
        return _produced(producer, letter)
    future = producer.send(
        letter.topic,
        value=letter.value,
        key=letter.key,
        headers=letter.headers,
        timestamp_ms=letter.timestamp_ms,
    )
    return lambda: future.get(timeout=_FLUSH_SECONDS)


def _produced(producer: Any, letter: Letter) -> Callable[[], None]:
    failures: list[Any] = []
    when = {} if letter.timestamp_ms is None else {"timestamp": letter.timestamp_ms}
    producer.produce(
        letter.topic,
        value=letter.value,
        key=letter.key,
        headers=letter.headers,
        on_delivery=lambda error, _message: failures.append(error) if error is not None else None,
        **when,
    )

    def arrived() -> None:
        # Of many letters the first one waits for all: the producer flushes nothing less.
        if producer.flush(_FLUSH_SECONDS):
            raise TimeoutError(f"a dead letter for topic {letter.topic} has not arrived within {_FLUSH_SECONDS:.0f} s")
        if failures:
            raise TimeoutError(f"a dead letter for topic {letter.topic} could not be sent: {failures[0]}")

    return arrived


async def send_letter_async(producer: Any, letter: Letter, *, wait: bool) -> None:
    """Send through aiokafka's producer."""
    arrived: Awaitable[Any] = await producer.send(
        letter.topic,
        value=letter.value,
        key=letter.key,
        headers=letter.headers,
        timestamp_ms=letter.timestamp_ms,
    )
    if wait:
        await arrived
