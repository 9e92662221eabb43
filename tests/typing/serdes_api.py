"""Never run: mypy reads it. What is assigned must fit, and what is marked as an error must be one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_type

import pydantic

from serdes import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncSchemaRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    MessageField,
    Poison,
    Schema,
    SchemaInfo,
    SchemaReference,
    SchemaRegistryClient,
    SerializationContext,
)
from serdes import confluent as drop_in


@dataclass
class Order:
    id: int


class Customer(pydantic.BaseModel):
    name: str


CTX = SerializationContext("orders", MessageField.VALUE)


def writing(client: SchemaRegistryClient) -> None:
    serializer = AvroSerializer.for_type(Order, client)
    assert_type(serializer, AvroSerializer[Order])
    assert_type(serializer(Order(1), CTX), bytes | None)
    assert_type(serializer.for_topic("orders"), Callable[[Order | None], bytes | None])
    assert_type(serializer.serialize_many([Order(1), None], CTX), list[bytes | None])
    serializer({"id": 1}, CTX)  # type: ignore[arg-type]  # an Order is wanted
    serializer.for_topic("orders")(Customer(name="Ada"))  # type: ignore[arg-type]  # an Order is wanted


def reading(client: SchemaRegistryClient, data: bytes) -> None:
    deserializer = AvroDeserializer.for_type(Customer, client)
    assert_type(deserializer(data, CTX), Customer | None)
    assert_type(deserializer.for_topic("customers"), Callable[[bytes | None], Customer | None])
    kept = deserializer.for_topic("customers", on_error="return")
    assert_type(kept, Callable[[bytes | None], Customer | Poison | None])
    assert_type(deserializer.decode_with_schema(data), tuple[Customer | None, SchemaInfo])
    assert_type(deserializer.deserialize_many([data], CTX), list[Customer | None])
    deserializer("text", CTX)  # type: ignore[arg-type]  # bytes are wanted
    deserializer.for_topic("customers", on_error="ignore")  # type: ignore[call-overload]  # no such word


def of_whatever_values(client: SchemaRegistryClient, drop_in_client: drop_in.SchemaRegistryClient) -> None:
    serializer, deserializer = AvroSerializer(client, "{}"), AvroDeserializer(client)
    assert_type(serializer, AvroSerializer[Any])
    assert_type(deserializer, AvroDeserializer[Any])
    assert_type(drop_in.AvroSerializer(drop_in_client, "{}"), drop_in.AvroSerializer[Any])


def with_references(client: SchemaRegistryClient) -> AvroSerializer[Order]:
    return AvroSerializer(client, Schema("{}", "AVRO", [SchemaReference("Order", "orders-value", 1)]))


def made_from_functions(client: SchemaRegistryClient, schema: str) -> None:
    def to_dict(order: Order, _ctx: SerializationContext) -> dict[str, int]:
        return {"id": order.id}

    def from_dict(value: dict[str, int], _ctx: SerializationContext) -> Order:
        return Order(**value)

    assert_type(AvroSerializer(client, schema, to_dict), AvroSerializer[Order])
    assert_type(AvroDeserializer(client, schema, from_dict), AvroDeserializer[Order])
    assert_type(AvroSerializer[dict[str, int]](client, schema)({"id": 1}), bytes | None)


async def asynchronously(client: AsyncSchemaRegistryClient, data: bytes) -> None:
    serializer = AsyncAvroSerializer.for_type(Order, client)
    deserializer = AsyncAvroDeserializer.for_type(Order, client)
    assert_type(await serializer(Order(1), CTX), bytes | None)
    assert_type(await serializer.for_topic("orders"), Callable[[Order | None], bytes | None])
    assert_type(serializer.try_sync(Order(1), CTX), bytes | None)
    assert_type(await deserializer(data, CTX), Order | None)
    assert_type(deserializer.try_sync(data, CTX), Order | None)
    assert_type(await deserializer.decode_with_schema(data), tuple[Order | None, SchemaInfo])


def dropped_in(client: drop_in.SchemaRegistryClient) -> None:
    assert_type(drop_in.AvroSerializer.for_type(Order, client)(Order(1), CTX), bytes | None)
    assert_type(drop_in.AvroDeserializer.for_type(Order, client)(b"", CTX), Order | None)
