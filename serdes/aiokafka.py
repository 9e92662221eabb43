"""aiokafka: functions for its producer, and a loop over its consumer that no record can stop.

aiokafka calls serializers with one argument, on the event loop, and a deserializer that raises leaves the consumer on
the same record for ever. So a producer gets `await serializer.for_topic(...)`, and a consumer gets no deserializer at
all: `consume` reads its bytes, awaits the registry off the record's path, and decides what becomes of poison.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

try:
    from aiokafka import (  # type: ignore[import-untyped]  # aiokafka has no types
        AIOKafkaConsumer,
        ConsumerRecord,
        TopicPartition,
    )
except ImportError as error:
    raise ImportError("serdes.aiokafka needs aiokafka: pip install aiokafka") from error

from serdes import AsyncAvroDeserializer, AvroDeserializer, MessageField, SerializationContext
from serdes.dead_letters import Action, DeadLetterQueue, Record, Triage, check_queue
from serdes.errors import SerdesError, SerializationError

Deserializer = AsyncAvroDeserializer[Any] | AvroDeserializer[Any]


async def consume(
    consumer: AIOKafkaConsumer,
    *,
    key: Deserializer | None = None,
    value: Deserializer | None = None,
    dlq: DeadLetterQueue | None = None,
    poison_max_ratio: float = 0.5,
) -> AsyncIterator[ConsumerRecord[Any, Any]]:
    """The records of a consumer, with key and value read.

    A record that cannot be read goes to `dlq` and is passed over; without one its error is raised. While the registry
    cannot be asked the partition is paused, and the record is tried again later; other partitions go on.

    Args:
        consumer: started, and without deserializers.
        key: what reads keys; None leaves their bytes alone.
        value: what reads values; None leaves their bytes alone.
        dlq: where records go that cannot be read.
        poison_max_ratio: the part of the last 100 records that may be poison.

    Raises:
        SettingInvalid: `dlq` has no producer of aiokafka's.
        PoisonStorm: too many records are poison.
        SerdesError: a record is poison, and there is no `dlq`.
    """
    if dlq is not None:
        check_queue(dlq, "consume", awaited=True)
    loop = _Loop(consumer, key, value, dlq, Triage(letters=dlq is not None, max_ratio=poison_max_ratio))
    async for record in consumer:
        read = await loop.read(record)
        if read is not None:
            yield read


class _Loop:
    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        key: Deserializer | None,
        value: Deserializer | None,
        dlq: DeadLetterQueue | None,
        triage: Triage,
    ) -> None:
        self._consumer = consumer
        self._key = key
        self._value = value
        self._dlq = dlq
        self._triage = triage
        self._resuming: set[asyncio.Task[None]] = set()

    async def read(self, record: ConsumerRecord[Any, Any]) -> ConsumerRecord[Any, Any] | None:
        """The record with key and value read; None when there is nothing to hand out for it."""
        try:
            return await self._read(record)
        except SerializationError:
            raise  # about this record alone, which the next call passes over
        except BaseException:
            # Also for a task that is cancelled while it asks: a consumer that stops commits where it stands.
            self._go_back(record)
            raise

    async def _read(self, record: ConsumerRecord[Any, Any]) -> ConsumerRecord[Any, Any] | None:
        try:
            key = await _read(self._key, record, MessageField.KEY, record.key)
            value = await _read(self._value, record, MessageField.VALUE, record.value)
        except SerdesError as error:
            await self._failed(record, error)
            return None
        self._triage.read(record.topic, record.partition)
        return replace(record, key=key, value=value)

    async def _failed(self, record: ConsumerRecord[Any, Any], error: SerdesError) -> None:
        match self._triage.failed(record.topic, record.partition, error):
            case Action.RETRY:
                self._pause(record)
            case Action.LETTER if self._dlq is not None:
                attempt = self._triage.given_up(record.topic, record.partition)
                await self._dlq.send_async(_plain(record), error, attempt=attempt)
            case _:
                raise error

    def _pause(self, record: ConsumerRecord[Any, Any]) -> None:
        """Go back to the record, and leave its partition alone for a while."""
        partition = self._go_back(record)
        if partition is None:
            return
        self._consumer.pause(partition)
        seconds = self._triage.pause_seconds(record.topic, record.partition)
        task = asyncio.get_running_loop().create_task(self._resume(partition, seconds))
        self._resuming.add(task)
        task.add_done_callback(self._resuming.discard)

    def _go_back(self, record: ConsumerRecord[Any, Any]) -> TopicPartition | None:
        """Let a record come again; its partition, None where that went to another consumer meanwhile."""
        partition = TopicPartition(record.topic, record.partition)
        if partition not in self._consumer.assignment():
            return None
        # To seek drops what was fetched ahead, so the records behind this one come again in their order.
        self._consumer.seek(partition, record.offset)
        return partition

    async def _resume(self, partition: TopicPartition, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if partition in self._consumer.assignment():
            self._consumer.resume(partition)


async def _read(
    deserializer: Deserializer | None, record: ConsumerRecord[Any, Any], field: MessageField, data: bytes | None
) -> Any:
    if deserializer is None:
        return data
    ctx = SerializationContext(record.topic, field, list(record.headers))
    if isinstance(deserializer, AsyncAvroDeserializer):
        return await deserializer(data, ctx)
    # A blocking deserializer may wait for the registry, which must not hold up the event loop.
    return (
        deserializer(data, ctx) if deserializer.knows(data, ctx) else await asyncio.to_thread(deserializer, data, ctx)
    )


def _plain(record: ConsumerRecord[Any, Any]) -> Record:
    return Record(
        record.topic, record.partition, record.offset, record.key, record.value, record.headers, record.timestamp
    )
