"""faust's applications with our codec."""

import asyncio
from contextlib import asynccontextmanager

import faust
import pytest
from faust.serializers import codecs

from serdes import AvroDeserializer, AvroSerializer, Poison
from serdes.errors import EncodeError, SettingInvalid
from serdes.faust import AvroCodec

from .conftest import ORDER, POISON

pytestmark = pytest.mark.anyio


class Order(faust.Record):
    id: int


@asynccontextmanager
async def running(brokers, topic, codec, tmp_path, **options):
    """An application with one agent; gives its topic and the queue of what the agent gets."""
    app = faust.App(
        f"app-{topic}", broker=f"kafka://{brokers}", store="memory://", datadir=tmp_path, web_enabled=False,
        topic_disable_leader=True, topic_allow_declare=False, broker_session_timeout=10, broker_heartbeat_interval=1,
    )  # fmt: skip
    channel = app.topic(topic, value_serializer=codec, key_type=bytes, key_serializer="raw", **options)
    seen = asyncio.Queue()

    @app.agent(channel)
    async def agent(stream):
        async for value in stream:
            await seen.put(value)

    async with asyncio.timeout(30):
        await app.start()
        try:
            yield channel, seen
        finally:
            await app.stop()


async def test_an_agent_gets_what_was_sent_and_poison_does_not_stop_it(client, brokers, topic, broker, tmp_path):
    deserializer = AvroDeserializer(client, conf={"on.error": "return"})
    codec = AvroCodec(AvroSerializer(client, ORDER), deserializer, topic)
    async with running(brokers, topic, codec, tmp_path) as (channel, seen):
        await channel.send(value={"id": 1}, partition=0)
        assert await seen.get() == {"id": 1}
        broker.produce(topic, POISON, partition=0)
        assert isinstance(await seen.get(), Poison)
        await channel.send(value={"id": 2}, partition=0)
        assert await seen.get() == {"id": 2}


async def test_a_model_is_written_as_its_fields_and_read_as_a_model(client, brokers, topic, tmp_path):
    codec = AvroCodec(AvroSerializer(client, ORDER), AvroDeserializer(client), topic)
    async with running(brokers, topic, codec, tmp_path, value_type=Order) as (channel, seen):
        await channel.send(value=Order(id=7))
        assert await seen.get() == Order(id=7)


def test_a_codec_is_one_among_others(client, registry):
    """As faust combines them: the schema's bytes, and then base64."""
    codec = AvroCodec(AvroSerializer(client, ORDER), AvroDeserializer(client), "orders") | codecs.get_codec("binary")
    assert codec.loads(codec.dumps({"id": 1})) == {"id": 1}
    assert codec.dumps({"id": 1}) == b"AAAAAAEC"
    assert set(registry.subjects) == {"orders-value"}


def test_a_key_has_a_subject_of_its_own(client, registry):
    AvroCodec(AvroSerializer(client, '"string"'), None, "orders", "key").dumps("k")
    assert set(registry.subjects) == {"orders-key"}


def test_what_a_codec_cannot_do_it_says(client):
    with pytest.raises(SettingInvalid, match="no serializer"):
        AvroCodec(None, AvroDeserializer(client), "orders").dumps({"id": 1})
    with pytest.raises(SettingInvalid, match="no deserializer"):
        AvroCodec(AvroSerializer(client, ORDER), None, "orders").loads(b"")
    with pytest.raises(EncodeError, match="expected long, found str"):
        AvroCodec(AvroSerializer(client, ORDER), None, "orders").dumps({"id": "one"})
