"""Hosts that are given what they cannot call: told when it is given, not by the first message or dead letter."""

import pytest
from aiokafka import AIOKafkaProducer

from serdes import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncSchemaRegistryClient,
    AvroDeserializer,
    AvroSerializer,
)
from serdes.aiokafka import consume as consume_awaited
from serdes.confluent import Records
from serdes.dead_letters import DeadLetterQueue
from serdes.errors import SettingInvalid
from serdes.faststream import RegistryCodec
from serdes.faust import AvroCodec
from serdes.kafka_python import KeyDeserializer, KeySerializer, ValueDeserializer, ValueSerializer, consume

from .conftest import ORDER

# How a host is given a serde, the kind that it can call, what it is called.
PLACES = [
    (KeySerializer, AvroSerializer, "KeySerializer"),
    (ValueSerializer, AvroSerializer, "ValueSerializer"),
    (KeyDeserializer, AvroDeserializer, "KeyDeserializer"),
    (ValueDeserializer, AvroDeserializer, "ValueDeserializer"),
    (lambda serde: list(consume([], key=serde)), AvroDeserializer, "consume"),
    (lambda serde: list(consume([], value=serde)), AvroDeserializer, "consume"),
    (lambda serde: Records(None, key=serde), AvroDeserializer, "Records"),
    (lambda serde: Records(None, value=serde), AvroDeserializer, "Records"),
    (lambda serde: AvroCodec(serde, None, "orders"), AvroSerializer, "AvroCodec"),
    (lambda serde: AvroCodec(None, serde, "orders"), AvroDeserializer, "AvroCodec"),
    (RegistryCodec, AsyncAvroSerializer, "RegistryCodec"),
    (lambda serde: RegistryCodec(None, serde), AsyncAvroDeserializer, "RegistryCodec"),
]


@pytest.fixture
def serdes(client, url):
    """One of each kind, and what is none."""
    awaited = AsyncSchemaRegistryClient({"url": url})
    return [
        AvroSerializer(client, ORDER),
        AvroDeserializer(client),
        AsyncAvroSerializer(awaited, ORDER),
        AsyncAvroDeserializer(awaited),
        client,
    ]


@pytest.mark.parametrize(("give", "kind", "taker"), PLACES)
def test_a_host_takes_what_it_can_call_and_says_what_it_needs_instead_of_others(serdes, give, kind, taker):
    for serde in serdes:
        given = type(serde)
        if given is kind:
            give(serde)
        else:
            with pytest.raises(SettingInvalid, match=f"{taker} needs an {kind.__name__}, and {given.__name__} is not"):
                give(serde)


async def never_awaited(*_):
    raise AssertionError


@pytest.mark.parametrize("give", [ValueSerializer, ValueDeserializer, lambda serde: Records(None, value=serde)])
def test_a_function_of_the_users_serves_unless_nobody_can_await_it(give):
    give(lambda value, _ctx: value)
    with pytest.raises(SettingInvalid, match="and function is not one"):
        give(never_awaited)


@pytest.fixture
async def producers(broker, brokers):
    async with AIOKafkaProducer(bootstrap_servers=brokers) as awaited:
        yield {"blocking": broker, "awaited": awaited}


@pytest.mark.anyio
async def test_a_loop_takes_the_dead_letter_queue_whose_producer_it_can_wait_for(producers):
    queues = {kind: DeadLetterQueue(producer) for kind, producer in producers.items()}
    for queue in (queues["awaited"], producers["blocking"]):
        with pytest.raises(SettingInvalid, match="Records needs a DeadLetterQueue"):
            Records(None, dlq=queue)
        with pytest.raises(SettingInvalid, match="consume needs a DeadLetterQueue"):
            next(consume([], dlq=queue))
    for queue in (queues["blocking"], producers["awaited"]):
        with pytest.raises(SettingInvalid, match="consume needs a DeadLetterQueue"):
            await anext(consume_awaited(None, dlq=queue))
    assert Records(None, dlq=queues["blocking"])
    assert list(consume([], dlq=queues["blocking"])) == []
