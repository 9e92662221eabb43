"""aiokafka's producer and consumer with our serdes: no record can stop the loop, and no question holds it up."""

import asyncio
import time
from contextlib import aclosing, asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from serdes import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncSchemaRegistryClient,
    AvroDeserializer,
    Poison,
    SchemaRegistryClient,
)
from serdes.aiokafka import consume
from serdes.dead_letters import DeadLetterQueue
from serdes.errors import FramingError, PoisonStorm

from .conftest import ORDER, POISON

pytestmark = pytest.mark.anyio


@pytest.fixture
async def async_client(url):
    async with AsyncSchemaRegistryClient({"url": url, "max.retries": 0}) as client:
        yield client


@pytest.fixture
async def dead_letters(brokers):
    async with AIOKafkaProducer(bootstrap_servers=brokers) as producer:
        yield DeadLetterQueue(producer)


@asynccontextmanager
async def consuming(brokers, topic, **options):
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, auto_offset_reset="earliest", **options)
    consumer.assign([TopicPartition(topic, 0)])
    async with consumer:
        yield consumer


async def first(count, records):
    async with aclosing(records), asyncio.timeout(15):
        return [record async for _, record in azip(range(count), records)]


async def azip(numbers, records):
    for number in numbers:
        yield number, await anext(records)


async def test_a_bound_function_is_all_that_a_producer_needs(async_client, client, brokers, topic, lying_in):
    serializer = AsyncAvroSerializer(async_client, ORDER)
    keys = await AsyncAvroSerializer(async_client, '"string"').for_topic(topic, "key")
    values = await serializer.for_topic(topic)
    async with AIOKafkaProducer(bootstrap_servers=brokers, key_serializer=keys, value_serializer=values) as producer:
        await producer.send_and_wait(topic, {"id": 1}, key="k", partition=0)
        await producer.send_and_wait(topic, None, key="k", partition=0)
    order, tombstone = lying_in(topic, 2)
    reading = AvroDeserializer(client)
    assert (reading(order.key()), reading(order.value()), tombstone.value()) == ("k", {"id": 1}, None)


async def test_a_bound_function_that_returns_poison_lets_a_consumer_go_on(client, brokers, topic, produce, order):
    produce(order(1), POISON, order(2))
    read = AvroDeserializer(client, conf={"on.error": "return"}).for_topic(topic)
    async with consuming(brokers, topic, value_deserializer=read) as consumer:
        values = [(await consumer.getone()).value for _ in range(3)]
    assert (values[0], values[2]) == ({"id": 1}, {"id": 2})
    assert (type(values[1]), values[1].raw) == (Poison, POISON)


@pytest.mark.parametrize("kind", [AsyncAvroDeserializer, AvroDeserializer])
async def test_poison_becomes_a_dead_letter_and_the_partition_goes_on(
    async_client, client, brokers, topic, produce, order, dead_letters, lying_in, kind
):
    produce(order(1), POISON, order(2), headers=[("trace", b"7")])
    value = kind(async_client if kind is AsyncAvroDeserializer else client)
    async with consuming(brokers, topic) as consumer:
        records = await first(2, consume(consumer, value=value, dlq=dead_letters))
    assert [(record.key, record.value) for record in records] == [(b"0", {"id": 1}), (b"2", {"id": 2})]
    [letter] = await asyncio.to_thread(lying_in, f"{topic}.dlq", 1)
    assert (letter.key(), letter.value()) == (b"1", POISON)
    assert dict(letter.headers()).items() >= {"trace": b"7", "serdes.error": b"FramingError"}.items()


async def test_without_a_dead_letter_queue_the_error_is_raised(async_client, brokers, topic, produce):
    produce(POISON)
    async with consuming(brokers, topic) as consumer:
        with pytest.raises(FramingError, match="looks like JSON"):
            await first(1, consume(consumer, value=AsyncAvroDeserializer(async_client)))


@pytest.mark.parametrize("kind", [AsyncAvroDeserializer, AvroDeserializer])
async def test_while_the_registry_is_away_a_partition_waits_and_nothing_is_a_dead_letter(
    registry, url, brokers, topic, produce, order, dead_letters, kind
):
    produce(order(1), order(2))
    registry.stop()
    open_client = AsyncSchemaRegistryClient if kind is AsyncAvroDeserializer else SchemaRegistryClient
    cold = open_client({"url": url, "max.retries": 0})
    async with consuming(brokers, topic) as consumer:
        reading = asyncio.create_task(first(2, consume(consumer, value=kind(cold), dlq=dead_letters)))
        await asyncio.sleep(0.5)
        assert not reading.done()
        registry.start()
        assert [record.value for record in await reading] == [{"id": 1}, {"id": 2}]
    await cold.close() if kind is AsyncAvroDeserializer else cold.close()


async def asked_again(registry, before):
    def watch():
        deadline = time.monotonic() + 10
        while registry.total() == before:
            assert time.monotonic() < deadline, "nobody has asked"
            time.sleep(0.005)

    await asyncio.to_thread(watch)


async def test_a_record_that_was_asked_about_when_the_consumer_stopped_is_read_again(
    registry, async_client, brokers, topic, produce, order
):
    produce(order(1))
    registry.delay_seconds, before = 5, registry.total()
    async with consuming(brokers, topic) as consumer:
        reading = asyncio.create_task(first(1, consume(consumer, value=AsyncAvroDeserializer(async_client))))
        await asked_again(registry, before)
        reading.cancel()
        await asyncio.wait([reading])
        assert await consumer.position(TopicPartition(topic, 0)) == 0


async def test_a_partition_that_went_away_while_the_registry_was_asked_stops_nothing(
    registry, url, brokers, broker, topic, produce, order
):
    produce(order(1))
    broker.produce(other := f"{topic}-other", b"raw", partition=0)
    broker.flush(10)
    registry.delay_seconds, before = 5, registry.total()
    cold = AsyncSchemaRegistryClient({"url": url, "max.retries": 0, "deadline": 1})
    async with cold, consuming(brokers, topic) as consumer:
        records = consume(consumer, value=AsyncAvroDeserializer(cold))
        reading = asyncio.create_task(anext(records))
        await asked_again(registry, before)
        consumer.assign([TopicPartition(other, 0)])
        with pytest.raises(FramingError, match="the first byte is 0x72"):
            await asyncio.wait_for(reading, 10)


async def test_a_cold_blocking_deserializer_does_not_hold_up_the_event_loop(
    registry, client, brokers, topic, produce, order
):
    produce(order(1))
    client.clear_caches()
    registry.delay_seconds = 1.5
    async with consuming(brokers, topic) as consumer:
        reading = asyncio.create_task(first(1, consume(consumer, value=AvroDeserializer(client))))
        longest, loop = 0.0, asyncio.get_running_loop()
        while not reading.done():
            before = loop.time()
            await asyncio.sleep(0.01)
            longest = max(longest, loop.time() - before)
    assert longest < 1.0


async def test_a_storm_of_poison_stops_everything(async_client, brokers, topic, produce, dead_letters):
    produce(*[POISON] * 100)
    async with consuming(brokers, topic) as consumer:
        with pytest.raises(PoisonStorm):
            await first(1, consume(consumer, value=AsyncAvroDeserializer(async_client), dlq=dead_letters))


async def test_keys_are_read_too_and_what_has_no_deserializer_stays_bytes(
    async_client, client, brokers, topic, produce, order
):
    produce(order(1))
    value = AsyncAvroDeserializer(async_client)
    async with consuming(brokers, topic) as consumer:
        [record] = await first(1, consume(consumer, value=value))
    assert (record.key, record.value, record.offset) == (b"0", {"id": 1}, 0)
