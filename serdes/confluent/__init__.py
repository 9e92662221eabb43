"""confluent-kafka: change one import line, and its programs use our serializers and client.

`from serdes.confluent import SchemaRegistryClient, AvroSerializer, AvroDeserializer` takes the place of the imports
from `confluent_kafka.schema_registry` and `confluent_kafka.schema_registry.avro`.
"""

try:
    from confluent_kafka.schema_registry import (
        RegisteredSchema,
        Schema,
        SchemaReference,
        SchemaRegistryError,
        dual_schema_id_deserializer,
        header_schema_id_serializer,
        prefix_schema_id_deserializer,
        prefix_schema_id_serializer,
        record_subject_name_strategy,
        topic_record_subject_name_strategy,
        topic_subject_name_strategy,
    )
    from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError
except ImportError as error:
    raise ImportError(
        "serdes.confluent needs confluent-kafka with what its registry client needs: "
        "pip install 'confluent-kafka[avro,schemaregistry]>=2.16'"
    ) from error

from serdes.confluent.clients import AsyncSchemaRegistryClient, SchemaRegistryClient
from serdes.confluent.loops import Records, plain
from serdes.confluent.serdes import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AvroDeserializer,
    AvroDeserializerBuilder,
    AvroSerializer,
    AvroSerializerBuilder,
)

__all__ = [
    "AsyncAvroDeserializer",
    "AsyncAvroSerializer",
    "AsyncSchemaRegistryClient",
    "AvroDeserializer",
    "AvroDeserializerBuilder",
    "AvroSerializer",
    "AvroSerializerBuilder",
    "MessageField",
    "Records",
    "RegisteredSchema",
    "Schema",
    "SchemaReference",
    "SchemaRegistryClient",
    "SchemaRegistryError",
    "SerializationContext",
    "SerializationError",
    "dual_schema_id_deserializer",
    "header_schema_id_serializer",
    "plain",
    "prefix_schema_id_deserializer",
    "prefix_schema_id_serializer",
    "record_subject_name_strategy",
    "topic_record_subject_name_strategy",
    "topic_subject_name_strategy",
]
