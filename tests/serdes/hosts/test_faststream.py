"""FastStream's brokers with our codec: the one over aiokafka, and the one over confluent-kafka."""

import asyncio
from functools import partial
from types import SimpleNamespace

import faststream.confluent
import faststream.kafka
import pytest

from serdes import AsyncAvroDeserializer, AsyncAvroSerializer, AsyncSchemaRegistryClient, AvroDeserializer, Poison
from serdes.errors import SubjectUnknown
from serdes.faststream import CONTENT_TYPE, RegistryCodec, RegistryMiddleware

from .conftest import ORDER, POISON

pytestmark = pytest.mark.anyio


@pytest.fixture
async def async_client(url):
    async with AsyncSchemaRegistryClient({"url": url}) as client:
        yield client


@pytest.fixture
def codec(async_client):
    reading = AsyncAvroDeserializer(async_client, conf={"on.error": "return"})
    return RegistryCodec(AsyncAvroSerializer(async_client, ORDER), reading)


# librdkafka's broker makes topics when they are first named, and knows no request to make one.
BROKERS = {
    "aiokafka": faststream.kafka.KafkaBroker,
    "confluent-kafka": partial(faststream.confluent.KafkaBroker, allow_auto_create_topics=False),
}


@pytest.mark.parametrize("library", BROKERS)
async def test_a_handler_gets_what_was_published_and_poison_does_not_stop_it(library, codec, brokers, topic, broker):
    stream = BROKERS[library](brokers, codec=codec, middlewares=[RegistryMiddleware], logger=None)
    seen = asyncio.Queue()

    @stream.subscriber(topic, group_id=topic, auto_offset_reset="earliest")
    async def handle(order) -> None:
        await seen.put(order)

    async with asyncio.timeout(30), stream:
        await stream.start()
        await stream.publish({"id": 1}, topic=topic, partition=0)
        assert await seen.get() == {"id": 1}
        broker.produce(topic, POISON, partition=0)
        assert isinstance(await seen.get(), Poison)
        await stream.publish({"id": 2}, topic=topic, partition=0)
        assert await seen.get() == {"id": 2}


@pytest.mark.parametrize("library", BROKERS)
async def test_a_tombstone_is_none_and_batches_are_read(library, codec, brokers, topic, broker, order):
    stream = BROKERS[library](brokers, codec=codec, middlewares=[RegistryMiddleware], logger=None)
    seen = asyncio.Queue()

    @stream.subscriber(topic, group_id=topic, auto_offset_reset="earliest", batch=True)
    async def handle(orders) -> None:
        for order in orders:
            await seen.put(order)

    async with asyncio.timeout(30), stream:
        await stream.start()
        broker.produce(topic, None, b"k", partition=0, headers=[("nothing", b"")])
        broker.produce(topic, order(1), partition=0)
        broker.flush(5)
        await stream.publish_batch({"id": 2}, {"id": 3}, topic=topic, partition=0)
        assert [await seen.get() for _ in range(4)] == [None, {"id": 1}, {"id": 2}, {"id": 3}]


async def test_what_was_published_is_framed_and_says_what_it_is(codec, client, brokers, topic, lying_in):
    async with faststream.kafka.KafkaBroker(brokers, codec=codec, middlewares=[RegistryMiddleware], logger=None) as one:
        await one.publish({"id": 1}, topic=topic)
    [message] = await asyncio.to_thread(lying_in, topic, 1)
    assert AvroDeserializer(client)(message.value()) == {"id": 1}
    assert dict(message.headers())["content-type"] == CONTENT_TYPE.encode()


async def test_a_codec_may_belong_to_one_topic(async_client, client, brokers, topic, lying_in, registry):
    codec = RegistryCodec(AsyncAvroSerializer(async_client, ORDER), topic=topic)
    async with faststream.kafka.KafkaBroker(brokers, codec=codec, logger=None) as one:
        await one.publish({"id": 1}, topic=topic)
    [message] = await asyncio.to_thread(lying_in, topic, 1)
    assert AvroDeserializer(client)(message.value()) == {"id": 1}
    assert set(registry.subjects) == {f"{topic}-value"}


async def test_a_codec_takes_what_faststream_hands_it_by_name(async_client, client, topic):
    codec = RegistryCodec(AsyncAvroSerializer(async_client, ORDER), topic=topic)
    [(alone, _), (other, _)] = await codec.encode_batch(msgs=[{"id": 1}, {"id": 2}], serializer=None)
    assert (alone, CONTENT_TYPE) == await codec.encode(msg={"id": 1}, serializer=None)
    assert AvroDeserializer(client)(other) == {"id": 2}


async def test_a_codec_that_knows_no_topic_says_what_it_needs(codec):
    with pytest.raises(SubjectUnknown, match="the RegistryMiddleware or a topic"):
        await codec.encode({"id": 1})
    with pytest.raises(SubjectUnknown, match="needs a deserializer"):
        await RegistryCodec().decode(SimpleNamespace(raw_message=None, body=b""))
