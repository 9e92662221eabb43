"""Avro serializers and deserializers, blocking and async."""

from serdes.avro.deserializer import AsyncAvroDeserializer, AvroDeserializer, SchemaInfo
from serdes.avro.poison import Poison
from serdes.avro.serializer import AsyncAvroSerializer, AvroSerializer

__all__ = [
    "AsyncAvroDeserializer",
    "AsyncAvroSerializer",
    "AvroDeserializer",
    "AvroSerializer",
    "Poison",
    "SchemaInfo",
]
