"""A loop over confluent-kafka's Consumer that no record can stop: batches, dead letters, pauses for the registry."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from serdes.avro.deserializer import AvroDeserializer
from serdes.avro.kinds import check_kind
from serdes.dead_letters import Action, DeadLetterQueue, Record, Triage, check_queue
from serdes.errors import SerdesError, SerializationError
from serdes.subjects import MessageField, SerializationContext

_log = logging.getLogger(__name__)


class Records:
    """Reads the records of a consumer, key and value.

    A record that cannot be read goes to `dlq` and is passed over; without one its error is raised. While the registry
    cannot be asked, the partition is paused and the record is tried again later; other partitions go on.

    A consumer that stores offsets by itself takes a record for done once it has handed it out, so that one which is
    closed while records wait passes over them. With `enable.auto.offset.store` False nothing is lost: store each
    record's offset (`consumer.store_offsets(message)`) when it is done.

    Args:
        consumer: subscribed; a plain Consumer, which hands out bytes.
        key: what reads keys; None leaves their bytes alone.
        value: what reads values; None leaves their bytes alone.
        dlq: where records go that cannot be read.
        poison_max_ratio: the part of the last 100 records that may be poison.

    Raises:
        SettingInvalid: `key` or `value` is no blocking deserializer, or `dlq` has no blocking producer.
    """

    def __init__(
        self,
        consumer: Consumer,
        *,
        key: AvroDeserializer[Any] | None = None,
        value: AvroDeserializer[Any] | None = None,
        dlq: DeadLetterQueue | None = None,
        poison_max_ratio: float = 0.5,
    ) -> None:
        for one in (key, value):
            if one is not None:
                check_kind(one, AvroDeserializer, "Records")
        if dlq is not None:
            check_queue(dlq, "Records", awaited=False)
        self._consumer = consumer
        self._key = key
        self._value = value
        self._dlq = dlq
        self._triage = Triage(letters=dlq is not None, max_ratio=poison_max_ratio)
        self._paused: dict[tuple[str, int], float] = {}
        self._warned = False

    def poll(self, timeout: float = -1) -> Message | None:
        """The next record, its key and value read; None when none came in time, or when it was no record to hand out.

        A message that is an error of the consumer's is returned as it is.

        Raises:
            PoisonStorm: too many records are poison.
            SerdesError: a record is poison, and there is no `dlq`.
        """
        self._resume()
        message = self._consumer.poll(self._bounded(timeout))
        if message is None:
            return None
        try:
            return self._read(message)
        except SerializationError:
            raise  # about this record alone, which the next call passes over
        except BaseException:
            self._go_back([message])
            raise

    def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
        """Up to so many records, those that could be read. Raises as `poll` does."""
        self._resume()
        found: list[Message] = []
        given_up: set[tuple[str, int]] = set()
        messages = self._consumer.consume(num_messages, self._bounded(timeout))
        for number, message in enumerate(messages):
            # What follows a record that has to be read again comes again as well.
            place = _place(message)
            if place in given_up:
                continue
            try:
                read = self._read(message)
            except SerdesError as error:
                # What was read is handed out, and the next call meets this record first; then the rest comes again.
                passed = isinstance(error, SerializationError) and not found
                self._go_back([one for one in messages[number + passed :] if _place(one) not in given_up])
                if found:
                    return found
                raise
            if read is not None:
                found.append(read)
            elif place in self._paused:
                given_up.add(place)
        return found

    def _go_back(self, messages: Sequence[Message]) -> None:
        """Let these records come again."""
        first: dict[tuple[str, int], int] = {}
        for message in messages:
            if message.error() is None:
                first.setdefault(_place(message), message.offset() or 0)
        for (topic, partition), offset in first.items():
            self._consumer.seek(TopicPartition(topic, partition, offset))

    def _bounded(self, timeout: float) -> float:
        """A wait does not outlast the next time that a partition is to be resumed."""
        if not self._paused:
            return timeout
        left = max(min(self._paused.values()) - time.monotonic(), 0.01)
        return left if timeout < 0 else min(timeout, left)

    def _read(self, message: Message) -> Message | None:
        # No record, but news of a partition or a broker, which is for the caller.
        if message.error() is not None:
            return message
        topic, headers = message.topic() or "", message.headers()
        try:
            if self._key is not None:
                key = self._key(message.key(), SerializationContext(topic, MessageField.KEY, headers))
            if self._value is not None:
                value = self._value(message.value(), SerializationContext(topic, MessageField.VALUE, headers))
        except SerdesError as error:
            self._failed(message, error)
            return None
        if self._key is not None:
            message.set_key(key)
        if self._value is not None:
            # Only when both could be read: a record that fails goes on as it came.
            message.set_value(value)
        self._triage.read(*_place(message))
        return message

    def _failed(self, message: Message, error: SerdesError) -> None:
        match self._triage.failed(*_place(message), error):
            case Action.RETRY:
                self._pause(message)
            case Action.LETTER if self._dlq is not None:
                self._dlq.send(plain(message), error, attempt=self._triage.given_up(*_place(message)))
            case _:
                raise error

    def _pause(self, message: Message) -> None:
        """Go back to the record, and leave its partition alone for a while."""
        topic, partition = _place(message)
        if not self._warned and _stores_by_itself(self._consumer):
            self._warned = True
            _log.warning(
                "record %s of %s [%s] waits for the registry, and is passed over if this consumer is closed meanwhile, "
                "since it stores offsets by itself: set enable.auto.offset.store to False",
                message.offset(), topic, partition,
            )  # fmt: skip
        # Paused before it is sought: what is fetched ahead in between would come out of order.
        self._consumer.pause([TopicPartition(topic, partition)])
        self._consumer.seek(TopicPartition(topic, partition, message.offset() or 0))
        self._paused[topic, partition] = time.monotonic() + self._triage.pause_seconds(topic, partition)

    def _resume(self) -> None:
        now = time.monotonic()
        for topic, partition in [place for place, until in self._paused.items() if until <= now]:
            del self._paused[topic, partition]
            self._consumer.resume([TopicPartition(topic, partition)])


def _stores_by_itself(consumer: Consumer) -> bool:
    """Whether a consumer takes a record for done that it has handed out; such a one refuses to be told."""
    try:
        consumer.store_offsets(offsets=[])
    except KafkaException:
        return True
    return False


def _place(message: Message) -> tuple[str, int]:
    return message.topic() or "", message.partition() or 0


def plain(message: Message) -> Record:
    """A message as a record of bytes, for a DeadLetterQueue."""
    topic, partition = _place(message)
    kind, milliseconds = message.timestamp()
    headers = message.headers() or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    return Record(
        topic,
        partition,
        message.offset() or 0,
        message.key(),
        message.value(),
        [(name, value if isinstance(value, bytes) else None) for name, value in pairs],
        milliseconds if kind else None,
    )
