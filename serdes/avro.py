"""AvroSerializer and AvroDeserializer: everything that depends on the schema is resolved once, then a record costs a
dictionary look-up and a function call.

Own the tables in front of the client; refuse to know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from serdes import _binding, wire
from serdes._binding import Ask, Binding
from serdes._clients import SchemaRegistryClient
from serdes.codec import AvroSchema, Codecs, Read, ReadOptions, Write, WriteOptions, parse
from serdes.errors import SchemaNotFound, SerdesError, SubjectUnknown, UnknownSchemaId
from serdes.schema import Schema
from serdes.settings import Conf, DeserializerSettings, SerializerSettings
from serdes.subjects import MessageField, SerializationContext

T = TypeVar("T")
R = TypeVar("R")

ToDict = Callable[[T, SerializationContext], Any]
FromDict = Callable[[Any, SerializationContext], T]


def schema_of(schema: Schema | str) -> Schema:
    """The schema to register; a bare name becomes an object, as confluent-kafka writes it."""
    if not isinstance(schema, str):
        return schema
    text = schema.strip()
    return Schema(text if text[:1] in ("{", "[") else '{"type":' + text + "}")


class AvroSerializer(Generic[T]):
    """Writes values of one schema.

    Args:
        schema_registry_client: the client to ask for ids.
        schema_str: the Avro schema; a Schema when it refers to others.
        to_dict: makes a value that fits the schema out of an object.
        conf: the keys of SerializerSettings.
    """

    def __init__(
        self,
        schema_registry_client: SchemaRegistryClient,
        schema_str: Schema | str,
        to_dict: ToDict[T] | None = None,
        conf: Conf | None = None,
    ) -> None:
        self._client = schema_registry_client
        self._settings = SerializerSettings.read(conf)
        self._to_dict = to_dict
        self._schema = schema_of(schema_str)
        self._keys: dict[str, Write] = {}
        self._values: dict[str, Write] = {}
        self._parsed: AvroSchema | None = None

    def __call__(self, obj: T | None, ctx: SerializationContext | None = None) -> bytes | None:
        """The framed bytes of a value; None stays None."""
        if obj is None:
            return None
        if ctx is None:
            raise SubjectUnknown("a SerializationContext is needed, which names the topic and the field")
        table = self._keys if ctx.field == "key" else self._values
        write = table.get(ctx.topic)
        if write is None:
            write = self._bind(ctx)
        return write(obj, ctx)

    def for_topic(self, topic: str, field: str = "value") -> Callable[[T | None], bytes | None]:
        """A function of the value alone, with everything resolved: for hosts that pass neither topic nor headers."""
        return self._bind(SerializationContext(topic, MessageField(field)))

    def _bind(self, ctx: SerializationContext) -> Write:
        try:
            write = _answered(self._client, self._binding(ctx))
        except SerdesError as error:
            raise error.at(ctx.topic, str(ctx.field)) from error.__cause__
        table = self._keys if ctx.field == "key" else self._values
        table[ctx.topic] = write
        return write

    def _binding(self, ctx: SerializationContext) -> Binding[Write]:
        parsed = self._parsed or parse(
            self._schema.schema_str, (yield from _binding.references(self._schema, "get_reference"))
        )
        self._parsed = parsed
        subject = yield from _binding.subject_of(self._settings, ctx, parsed.name)
        if subject is None:
            raise SubjectUnknown("the strategy names no subject")
        found = yield from _binding.registered(self._settings, subject, self._schema)
        frame = wire.id_frame(found.schema_id)
        options = WriteOptions(self._settings.strict, self._settings.strict_allow_default)
        write = Codecs().writer(parsed, frame, options)
        to_dict = self._to_dict
        if to_dict is None:
            return write
        return lambda obj, ctx=ctx: None if obj is None else write(to_dict(obj, ctx))


class AvroDeserializer(Generic[T]):
    """Reads values, whatever schema each was written with.

    Args:
        schema_registry_client: the client to ask what an id means.
        schema_str: the schema to read as; None for the one that was written.
        from_dict: makes an object out of what was read.
        return_record_name: for a union of records, whether to return (name, record).
        conf: the keys of DeserializerSettings.
    """

    def __init__(
        self,
        schema_registry_client: SchemaRegistryClient,
        schema_str: Schema | str | None = None,
        from_dict: FromDict[T] | None = None,
        return_record_name: bool = False,
        conf: Conf | None = None,
    ) -> None:
        self._client = schema_registry_client
        self._settings = DeserializerSettings.read(conf)
        self._from_dict = from_dict
        self._return_record_name = return_record_name
        self._schema = None if schema_str is None else schema_of(schema_str)
        self._capacity = schema_registry_client.cache_capacity
        self._keys: dict[str, dict[bytes, Read]] = {}
        self._values: dict[str, dict[bytes, Read]] = {}
        self._unplaced: dict[bytes, Read] = {}

    def __call__(self, data: bytes | None, ctx: SerializationContext | None = None) -> T | None:
        """The value in framed bytes; None stays None."""
        if data is None:
            return None
        table = self._unplaced if ctx is None else self._table(ctx)
        read = table.get(data[:5])
        if read is None:
            read = self._bind(data, ctx, table)
        value = read(data)
        return value if self._from_dict is None or ctx is None else self._from_dict(value, ctx)

    def for_topic(self, topic: str, field: str = "value") -> Callable[[bytes | None], T | None]:
        """A function of the bytes alone: for hosts that pass neither topic nor headers."""
        ctx = SerializationContext(topic, MessageField(field))
        return lambda data: self(data, ctx)

    def _table(self, ctx: SerializationContext) -> dict[bytes, Read]:
        tables = self._keys if ctx.field == "key" else self._values
        table = tables.get(ctx.topic)
        if table is None:
            table = tables.setdefault(ctx.topic, {})
        return table

    def _bind(self, data: bytes, ctx: SerializationContext | None, table: dict[bytes, Read]) -> Read:
        schema_id, _, frame_bytes = wire.split(data)
        try:
            read = _answered(self._client, self._binding(schema_id, frame_bytes, ctx))
        except SchemaNotFound as error:
            raise UnknownSchemaId(schema_id or 0, error.error_message) from error
        if len(table) >= self._capacity:
            table.clear()
        table[data[:5]] = read
        return read

    def _binding(self, schema_id: int | None, frame_bytes: int, ctx: SerializationContext | None) -> Binding[Read]:
        subject = None if ctx is None else (yield from _binding.subject_of(self._settings, ctx, None))
        written = yield Ask("get_schema", (schema_id, subject))
        schema = parse(written.schema_str, (yield from _binding.references(written, "get_reference")))
        reading = None
        if self._schema is not None:
            reading = parse(self._schema.schema_str, (yield from _binding.references(self._schema, "get_reference")))
        options = ReadOptions(self._return_record_name, self._settings.refuse_trailing)
        return Codecs().reader(schema, reading, frame_bytes, options)


def _answered(client: Any, binding: Binding[R]) -> R:
    """Let a blocking client answer the questions of a binding."""
    try:
        question = next(binding)
        while True:
            try:
                answer = getattr(client, question.method)(*question.arguments)
            except SerdesError as error:
                question = binding.throw(error)
            else:
                question = binding.send(answer)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # a generator's return value is not typed on the exception
