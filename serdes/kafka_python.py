"""kafka-python 3: serializers that its producer and consumer take as they are, and a loop that no record can stop.

The library hands out topic and headers but not whether it is the key or the value, so each gets an object of its own.
It takes a TypeError for an old-fashioned serializer and calls again with other arguments; none leaves these.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

try:
    from kafka import KafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # kafka-python has no types
    from kafka.serializer import Deserializer, Serializer  # type: ignore[import-untyped]  # kafka-python has no types
except ImportError as error:
    raise ImportError("serdes.kafka_python needs kafka-python: pip install 'kafka-python>=3'") from error

from serdes import AvroDeserializer, AvroSerializer, MessageField, SerializationContext
from serdes.avro.kinds import check_kind
from serdes.dead_letters import Action, DeadLetterQueue, Record, Triage, check_queue
from serdes.errors import DecodeError, EncodeError, SerdesError, SerializationError


class _Writing(Serializer):  # type: ignore[misc]  # kafka-python is not typed
    field: MessageField

    def __init__(self, serializer: AvroSerializer[Any]) -> None:
        check_kind(serializer, AvroSerializer, type(self).__name__)
        self._serializer = serializer

    def serialize(self, topic: str, headers: list[tuple[str, bytes]] | None, data: Any) -> bytes | None:
        """The framed bytes of a value. Raises as the serializer does."""
        try:
            return self._serializer(data, SerializationContext(topic, self.field, headers))
        except TypeError as error:
            raise EncodeError(f"a function of the user's failed: {error}").at(topic, self.field) from error


class KeySerializer(_Writing):
    """For `KafkaProducer(key_serializer=...)`."""

    field = MessageField.KEY


class ValueSerializer(_Writing):
    """For `KafkaProducer(value_serializer=...)`."""

    field = MessageField.VALUE


class _Reading(Deserializer):  # type: ignore[misc]  # kafka-python is not typed
    field: MessageField

    def __init__(self, deserializer: AvroDeserializer[Any]) -> None:
        check_kind(deserializer, AvroDeserializer, type(self).__name__)
        self._deserializer = deserializer

    def deserialize(self, topic: str, headers: list[tuple[str, bytes]] | None, data: bytes | None) -> Any:
        """The value in framed bytes. Raises as the deserializer does."""
        try:
            return self._deserializer(data, SerializationContext(topic, self.field, headers))
        except TypeError as error:
            raise DecodeError(f"a function of the user's failed: {error}").at(topic, self.field) from error


class KeyDeserializer(_Reading):
    """For `KafkaConsumer(key_deserializer=...)`; with `on.error` "return" no record can stop a partition."""

    field = MessageField.KEY


class ValueDeserializer(_Reading):
    """For `KafkaConsumer(value_deserializer=...)`; with `on.error` "return" no record can stop a partition."""

    field = MessageField.VALUE


def consume(
    consumer: KafkaConsumer,
    *,
    key: AvroDeserializer[Any] | None = None,
    value: AvroDeserializer[Any] | None = None,
    dlq: DeadLetterQueue | None = None,
    poison_max_ratio: float = 0.5,
) -> Iterator[Any]:
    """The records of a consumer, with key and value read; ends when the consumer's iteration does.

    A record that cannot be read goes to `dlq` and is passed over; without one its error is raised. While the registry
    cannot be asked, the record is tried again.

    Args:
        consumer: without deserializers.
        key: what reads keys; None leaves their bytes alone.
        value: what reads values; None leaves their bytes alone.
        dlq: where records go that cannot be read.
        poison_max_ratio: the part of the last 100 records that may be poison.

    Raises:
        SettingInvalid: `key` or `value` is no blocking deserializer, or `dlq` has no blocking producer.
        PoisonStorm: too many records are poison.
        SerdesError: a record is poison, and there is no `dlq`.
    """
    for one in (key, value):
        if one is not None:
            check_kind(one, AvroDeserializer, "consume")
    if dlq is not None:
        check_queue(dlq, "consume", awaited=False)
    triage = Triage(letters=dlq is not None, max_ratio=poison_max_ratio)
    for record in consumer:
        try:
            read = _handled(consumer, key, value, dlq, triage, record)
        except SerializationError:
            raise  # about this record alone, which the next call passes over
        except BaseException:
            # A consumer that is closed now commits where it stands.
            _go_back(consumer, record)
            raise
        if read is not None:
            yield read


def _handled(
    consumer: KafkaConsumer,
    key: AvroDeserializer[Any] | None,
    value: AvroDeserializer[Any] | None,
    dlq: DeadLetterQueue | None,
    triage: Triage,
    record: Any,
) -> Any:
    """The record with key and value read; None when there is nothing to hand out for it."""
    try:
        read_key = _read(key, record, MessageField.KEY, record.key)
        read_value = _read(value, record, MessageField.VALUE, record.value)
    except SerdesError as error:
        match triage.failed(record.topic, record.partition, error):
            case Action.RETRY:
                _go_back(consumer, record)
                # One iterator for all partitions: there is nothing else to read meanwhile. Heartbeats go on.
                time.sleep(triage.pause_seconds(record.topic, record.partition))
            case Action.LETTER if dlq is not None:
                dlq.send(_plain(record), error, attempt=triage.given_up(record.topic, record.partition))
            case _:
                raise
        return None
    triage.read(record.topic, record.partition)
    return record._replace(key=read_key, value=read_value)


def _go_back(consumer: KafkaConsumer, record: Any) -> None:
    consumer.seek(TopicPartition(record.topic, record.partition), record.offset)


def _read(deserializer: AvroDeserializer[Any] | None, record: Any, field: MessageField, data: bytes | None) -> Any:
    if deserializer is None:
        return data
    return deserializer(data, SerializationContext(record.topic, field, list(record.headers)))


def _plain(record: Any) -> Record:
    return Record(
        record.topic, record.partition, record.offset, record.key, record.value, record.headers, record.timestamp
    )
