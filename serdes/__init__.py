"""Serializers and deserializers that ask a schema registry once and never again."""

from serdes._clients import AsyncSchemaRegistryClient, SchemaRegistryClient
from serdes.avro import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroSerializer,
    Poison,
    SchemaInfo,
)
from serdes.errors import SerdesError
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
