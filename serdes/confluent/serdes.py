"""AvroSerializer and AvroDeserializer as confluent-kafka's: its errors, its clients, its builders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Self, TypeVar

from confluent_kafka.serialization import Deserializer, DeserializerBuilder, Serializer, SerializerBuilder

import serdes
from serdes.avro.serializer import T
from serdes.confluent.clients import SchemaRegistryClient
from serdes.confluent.errors import as_confluents, their_errors
from serdes.errors import SerdesError, SettingInvalid

S = TypeVar("S", "AvroSerializer[Any]", "AvroDeserializer[Any]")


class _Owned:
    """A serde that closes the client which a builder has made for it, and no other."""

    _owned: SchemaRegistryClient | None = None

    def close(self) -> None:
        """Close the client that a builder has made."""
        if self._owned is not None:
            self._owned.close()


class AvroSerializer(_Owned, serdes.AvroSerializer[T], Serializer):  # type: ignore[misc]  # any context like theirs will do
    """Our serializer, with the interface of `confluent_kafka.schema_registry.avro.AvroSerializer`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        with their_errors():
            super().__init__(*arguments, **options)

    def _as_raised(self, error: SerdesError) -> SerdesError:
        return as_confluents(error)


class AvroDeserializer(_Owned, serdes.AvroDeserializer[T], Deserializer):  # type: ignore[misc]  # as above
    """Our deserializer, with the interface of `confluent_kafka.schema_registry.avro.AvroDeserializer`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        with their_errors():
            super().__init__(*arguments, **options)

    def _as_raised(self, error: SerdesError) -> SerdesError:
        return as_confluents(error)


class AsyncAvroSerializer(serdes.AsyncAvroSerializer[T]):
    """Our serializer, with the interface of `confluent_kafka.schema_registry.avro.AsyncAvroSerializer`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        with their_errors():
            super().__init__(*arguments, **options)

    def _as_raised(self, error: SerdesError) -> SerdesError:
        return as_confluents(error)


class AsyncAvroDeserializer(serdes.AsyncAvroDeserializer[T]):
    """Our deserializer, with the interface of `confluent_kafka.schema_registry.avro.AsyncAvroDeserializer`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        with their_errors():
            super().__init__(*arguments, **options)

    def _as_raised(self, error: SerdesError) -> SerdesError:
        return as_confluents(error)


class _Builder(Generic[S]):
    """What both builders share: a client or the configuration of one, a schema, and configurations."""

    def __init__(
        self,
        schema_registry_config: Mapping[str, Any] | None = None,
        schema_registry_client: Any = None,
        schema: Any = None,
    ) -> None:
        self._client_conf = schema_registry_config
        self._client = schema_registry_client
        self._schema = schema
        self._rule_conf: Mapping[str, Any] | None = None
        self._rule_registry: Any = None
        self._conf: Mapping[str, Any] | None = None
        self._convert: Callable[..., Any] | None = None
        self._init: Callable[[S], None] | None = None

    def set_schema_registry_config(self, schema_registry_conf: Mapping[str, Any]) -> Self:
        """The configuration of a client to make; the serde closes it."""
        self._client_conf = schema_registry_conf
        return self

    def set_schema_registry_client(self, schema_registry_client: Any) -> Self:
        """A client that is there already; it stays the application's."""
        self._client = schema_registry_client
        return self

    def set_schema(self, schema_str: Any) -> Self:
        """The schema to write or read with."""
        self._schema = schema_str
        return self

    def set_rule_config(self, rule_conf: Mapping[str, Any]) -> Self:
        """The configuration of rule executors."""
        self._rule_conf = rule_conf
        return self

    def set_rule_registry(self, rule_registry: Any) -> Self:
        """The rule registry, in place of the global one."""
        self._rule_registry = rule_registry
        return self

    def _built(self, make: Callable[[Any], S]) -> S:
        if self._client is not None and self._client_conf is not None:
            raise SettingInvalid("a schema registry client and a configuration of one are given: give one of them")
        made = SchemaRegistryClient(self._client_conf) if self._client_conf is not None else None
        serde = make(self._client if made is None else made)
        serde._owned = made  # noqa: SLF001 - the builder and its product belong together
        if self._init is not None:
            self._init(serde)
        return serde


class AvroSerializerBuilder(_Builder["AvroSerializer[Any]"], SerializerBuilder):
    """For `key.serializer.builder` and `value.serializer.builder`."""

    def __init__(
        self,
        schema_registry_config: Mapping[str, Any] | None = None,
        schema_registry_client: Any = None,
        schema: Any = None,
        to_dict: Callable[..., Any] | None = None,
        serializer_config: Mapping[str, Any] | None = None,
        rule_config: Mapping[str, Any] | None = None,
        rule_registry: Any = None,
        serializer_init: Callable[[AvroSerializer[Any]], None] | None = None,
    ) -> None:
        super().__init__(schema_registry_config, schema_registry_client, schema)
        self._convert, self._conf, self._init = to_dict, serializer_config, serializer_init
        self._rule_conf, self._rule_registry = rule_config, rule_registry

    def set_to_dict(self, to_dict: Callable[..., Any]) -> Self:
        """What makes a value out of an object."""
        self._convert = to_dict
        return self

    def set_serializer_config(self, serializer_conf: Mapping[str, Any]) -> Self:
        """The keys of the serializer."""
        self._conf = serializer_conf
        return self

    def set_serializer_init(self, serializer_init: Callable[[AvroSerializer[Any]], None]) -> Self:
        """Called with the serializer once it is made."""
        self._init = serializer_init
        return self

    def build(self, conf: dict[str, Any], is_key: bool) -> tuple[Any, dict[str, Any]]:  # noqa: ARG002 - confluent-kafka's signature
        """The serializer, and the producer's configuration unchanged."""
        arguments = (self._schema, self._convert, self._conf, self._rule_conf, self._rule_registry)
        return self._built(lambda client: AvroSerializer(client, *arguments)), dict(conf)


class AvroDeserializerBuilder(_Builder["AvroDeserializer[Any]"], DeserializerBuilder):
    """For `key.deserializer.builder` and `value.deserializer.builder`."""

    def __init__(
        self,
        schema_registry_config: Mapping[str, Any] | None = None,
        schema_registry_client: Any = None,
        schema: Any = None,
        from_dict: Callable[..., Any] | None = None,
        return_record_name: bool = False,
        deserializer_config: Mapping[str, Any] | None = None,
        rule_config: Mapping[str, Any] | None = None,
        rule_registry: Any = None,
        deserializer_init: Callable[[AvroDeserializer[Any]], None] | None = None,
    ) -> None:
        super().__init__(schema_registry_config, schema_registry_client, schema)
        self._convert, self._conf, self._init = from_dict, deserializer_config, deserializer_init
        self._rule_conf, self._rule_registry = rule_config, rule_registry
        self._named = return_record_name

    def set_from_dict(self, from_dict: Callable[..., Any]) -> Self:
        """What makes an object out of a value."""
        self._convert = from_dict
        return self

    def set_return_record_name(self, return_record_name: bool) -> Self:
        """Whether a union of records gives (name, record)."""
        self._named = return_record_name
        return self

    def set_deserializer_config(self, deserializer_conf: Mapping[str, Any]) -> Self:
        """The keys of the deserializer."""
        self._conf = deserializer_conf
        return self

    def set_deserializer_init(self, deserializer_init: Callable[[AvroDeserializer[Any]], None]) -> Self:
        """Called with the deserializer once it is made."""
        self._init = deserializer_init
        return self

    def build(self, conf: dict[str, Any], is_key: bool) -> tuple[Any, dict[str, Any]]:  # noqa: ARG002 - confluent-kafka's signature
        """The deserializer, and the consumer's configuration unchanged."""
        arguments = (self._schema, self._convert, self._named, self._conf, self._rule_conf, self._rule_registry)
        return self._built(lambda client: AvroDeserializer(client, *arguments)), dict(conf)
