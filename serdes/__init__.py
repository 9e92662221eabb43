"""Serializers and deserializers that ask a schema registry once and never again."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from serdes.errors import SerdesError

if TYPE_CHECKING:
    from serdes._clients.asynchronous import AsyncSchemaRegistryClient
    from serdes._clients.blocking import SchemaRegistryClient
    from serdes.avro.asynchronous import AsyncAvroDeserializer, AsyncAvroSerializer
    from serdes.avro.deserializer import AvroDeserializer, SchemaInfo
    from serdes.avro.poison import Poison
    from serdes.avro.serializer import AvroSerializer
    from serdes.schema import Association, RegisteredSchema, Schema, SchemaReference
    from serdes.subjects import (
        MessageField,
        SerializationContext,
        SubjectNameStrategyType,
        record_subject_name_strategy,
        topic_record_subject_name_strategy,
        topic_subject_name_strategy,
    )
    from serdes.wire import (
        SchemaId,
        dual_schema_id_deserializer,
        header_schema_id_serializer,
        prefix_schema_id_deserializer,
        prefix_schema_id_serializer,
    )

__all__ = [
    "Association",
    "AsyncAvroDeserializer",
    "AsyncAvroSerializer",
    "AsyncSchemaRegistryClient",
    "AvroDeserializer",
    "AvroSerializer",
    "MessageField",
    "Poison",
    "RegisteredSchema",
    "Schema",
    "SchemaId",
    "SchemaInfo",
    "SchemaReference",
    "SchemaRegistryClient",
    "SerdesError",
    "SerializationContext",
    "SubjectNameStrategyType",
    "dual_schema_id_deserializer",
    "header_schema_id_serializer",
    "prefix_schema_id_deserializer",
    "prefix_schema_id_serializer",
    "record_subject_name_strategy",
    "topic_record_subject_name_strategy",
    "topic_subject_name_strategy",
]

# Where each name lives. It is loaded when it is first asked for: a program that only writes waits for no reader, one
# without an event loop for nothing that is asynchronous.
_ROOMS = {
    "serdes._clients.asynchronous": ("AsyncSchemaRegistryClient",),
    "serdes._clients.blocking": ("SchemaRegistryClient",),
    "serdes.avro.asynchronous": ("AsyncAvroDeserializer", "AsyncAvroSerializer"),
    "serdes.avro.deserializer": ("AvroDeserializer", "SchemaInfo"),
    "serdes.avro.poison": ("Poison",),
    "serdes.avro.serializer": ("AvroSerializer",),
    "serdes.schema": ("Association", "RegisteredSchema", "Schema", "SchemaReference"),
    "serdes.subjects": (
        "MessageField",
        "SerializationContext",
        "SubjectNameStrategyType",
        "record_subject_name_strategy",
        "topic_record_subject_name_strategy",
        "topic_subject_name_strategy",
    ),
    "serdes.wire": (
        "SchemaId",
        "dual_schema_id_deserializer",
        "header_schema_id_serializer",
        "prefix_schema_id_deserializer",
        "prefix_schema_id_serializer",
    ),
}

# Type checkers read the imports above; a __getattr__ would make every name an Any to them.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        for room, names in _ROOMS.items():
            if name in names:
                found = globals()[name] = getattr(import_module(room), name)
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
