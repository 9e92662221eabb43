"""Serializers and deserializers that ask a schema registry once and never again."""

from serdes._clients import SchemaRegistryClient
from serdes.avro import AvroDeserializer, AvroSerializer
from serdes.errors import SerdesError
from serdes.schema import RegisteredSchema, Schema, SchemaReference
from serdes.subjects import MessageField, SerializationContext

__all__ = [
    "AvroDeserializer",
    "AvroSerializer",
    "MessageField",
    "RegisteredSchema",
    "Schema",
    "SchemaReference",
    "SchemaRegistryClient",
    "SerdesError",
    "SerializationContext",
]
