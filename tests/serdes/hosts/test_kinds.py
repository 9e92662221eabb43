"""Hosts that are given a serde which they cannot call: told when it is given, not by the first message."""

import pytest

from serdes import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncSchemaRegistryClient,
    AvroDeserializer,
    AvroSerializer,
)
from serdes.confluent import Records
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
