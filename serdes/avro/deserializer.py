"""AvroDeserializer: what an id means is resolved once, then a record costs a dictionary
look-up on its first five bytes and a function call.

Own the tables in front of the client and what becomes of a record that cannot be read; refuse to know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, Literal, NamedTuple, Self, TypeVar, overload
from uuid import UUID

from serdes import _binding, wire
from serdes._binding import Ask, Binding, Registration
from serdes._rules import RuleSettings
from serdes._stats import READ
from serdes.avro.leases import leased
from serdes.avro.poison import Poison, Watch
from serdes.avro.registry import Registry
from serdes.avro.rules import Rules, migrations_between, rules_to_read
from serdes.avro.serializer import T, parsed_from, parsing, place_of, schema_of, serde_for
from serdes.codec import AvroSchema, Place, Read, ReadOptions
from serdes.codec.shapes import Shapes
from serdes.errors import (
    DecodeError,
    FramingError,
    SchemaNotFound,
    SchemaResolutionError,
    SchemaUnusable,
    SerdesError,
    SerializationError,
    SettingInvalid,
    UnknownSchemaId,
)
from serdes.schema import Schema
from serdes.settings import Conf, DeserializerSettings, checks
from serdes.subjects import NO_CONTEXT, SerializationContext, check_context, field_named, names, place_told

M = TypeVar("M")

FromDict = Callable[[Any, SerializationContext], T]
Table = dict[bytes, Read]

# A slice is an object; made once, it costs nothing.
_PREFIX = slice(wire.ID_FRAME_BYTES)
# What makes a key of a frame that was found in a header.
_IN_HEADER = b"header"
_BUFFERS = (bytes, bytearray, memoryview)
# What looking up the first bytes of the data raises: for a frame that is not known yet, or for what is no bytes or no
# context. Those are so rare that records do not pay for a test beforehand.
_NOT_FOUND = (LookupError, TypeError, ValueError, AttributeError)


class SchemaInfo(NamedTuple):
    """The schema that a record was written with: its id or GUID, the name of its record, its text."""

    schema_id: int | None
    guid: str | None
    name: str | None
    schema_str: str


class Frame(NamedTuple):
    """What a record says about its schema: an id or a GUID, how many bytes of the data say it, and the table key."""

    schema_id: int | None
    guid: UUID | None
    length: int
    key: bytes

    @property
    def identity(self) -> int | str:
        """The id or the GUID."""
        return self.schema_id if self.schema_id is not None else str(self.guid)


class Deserializing(Generic[T]):
    """What both deserializers share: the tables, and the binding that fills them.

    Args:
        schema_registry_client: the client to ask what an id means: ours, or confluent-kafka's.
        schema_str: the schema to read as; None for the one that was written.
        from_dict: makes an object out of what was read and the context.
        return_record_name: for a union of records, whether to return (name, record).
        conf: the keys of DeserializerSettings.
        rule_conf: configuration of rule executors, for schemas with rules.
        rule_registry: confluent-kafka's rule registry; None for its global one.

    Raises:
        SettingInvalid: a key is unknown, or a value cannot be used.
        SerializationError: the schema cannot be parsed.
    """

    _awaited = False

    def __init__(
        self,
        schema_registry_client: Any,
        schema_str: Schema | str | None = None,
        from_dict: FromDict[T] | None = None,
        return_record_name: bool = False,
        conf: Conf | None = None,
        rule_conf: Conf | None = None,
        rule_registry: Any = None,
    ) -> None:
        self._arguments = (
            schema_registry_client, schema_str, from_dict, return_record_name, conf, rule_conf, rule_registry
        )  # fmt: skip
        self._registry = Registry(schema_registry_client, awaited=self._awaited)
        self._settings = DeserializerSettings.read(conf)
        if from_dict is not None and not callable(from_dict):
            raise SettingInvalid("from_dict must be callable with the signature from_dict(dict, SerializationContext)")
        if not isinstance(return_record_name, bool):
            raise SettingInvalid("return_record_name must be a boolean value")
        self._from_dict = from_dict
        self._rules = RuleSettings(checks.pairs("rule_conf", rule_conf or {}), rule_registry, self._registry.conf)
        self._schema = None if schema_str is None else schema_of(schema_str)
        self._options = ReadOptions(return_record_name, self._settings.refuse_trailing, self._settings.codegen != "off")
        self._framed = self._settings.schema_id_deserializer
        self._dual = self._framed is wire.dual_schema_id_deserializer
        self._watch = Watch(self._settings, self._registry.clock)
        self._model: type | None = None
        self._namespace = ""
        self._cluster_id: Callable[[], str] | None = None
        self._parsed: dict[Any, AvroSchema] = {}
        if self._schema is not None and not self._schema.references:
            self._parsed[self._schema] = parsed_from(self._schema)
        self._keys: dict[str, Table] = {}
        self._values: dict[str, Table] = {}
        self._unplaced: Table = {}

    def _as_raised(self, error: SerdesError) -> SerdesError:
        """The error as callers expect it; serdes for a host raise the host's."""
        return error

    def _failed(self, error: SerdesError, data: Any, ctx: SerializationContext | None) -> Any:
        """What to return for a record that cannot be read, where that is wanted; else raises."""
        error.at(*place_of(ctx)[:2])
        if isinstance(error, DecodeError) and not error.retriable:
            self._registry.counters.count("poison", error=type(error).__name__)
        if isinstance(error, DecodeError) and self._watch.accepts(error):
            return self._watch.accepted(error, bytes(data) if isinstance(data, _BUFFERS) else data)
        raise self._as_raised(error) from error.__cause__

    @contextmanager
    def _raising(self, ctx: SerializationContext | None) -> Iterator[None]:
        """Inside, errors become those that callers expect, also where a record that cannot be read is none."""
        try:
            yield
        except SerdesError as error:
            raise self._as_raised(place_of(ctx).error(error)) from error.__cause__

    def __reduce__(self) -> tuple[Any, ...]:
        if self._model is not None:
            return serde_for, (type(self), self._model, self._arguments[0], self._namespace, self._arguments[4])
        return type(self), self._arguments

    def _serve(self, model: type, namespace: str, shapes: Shapes) -> None:
        """Make objects of a class."""
        self._model, self._namespace = model, namespace
        self._options = self._options._replace(shapes=shapes)

    def set_cluster_id_resolver(self, resolver: Callable[[], str]) -> None:
        """Let the associated strategy ask for the Kafka cluster's id when it first needs it."""
        self._cluster_id = resolver

    def _deciding(self, on_error: str) -> Self:
        """The same deserializer with another answer to what cannot be read."""
        client, schema, from_dict, named, conf, *rules = self._arguments
        other = type(self)(client, schema, from_dict, named, {**(conf or {}), "on.error": on_error}, *rules)
        other._cluster_id = self._cluster_id  # noqa: SLF001 - of the same class
        if self._model is not None:
            other._serve(self._model, self._namespace, self._options.shapes)  # noqa: SLF001 - of the same class
        return other

    def _table(self, ctx: SerializationContext | None) -> Table:
        """The functions by frame, for one topic and field."""
        if ctx is None:
            return self._unplaced
        try:
            tables = self._keys if ctx.field == "key" else self._values
            table = tables.get(ctx.topic)
        except NO_CONTEXT:
            check_context(ctx)
            raise
        if table is None:
            if len(tables) >= self._registry.capacity:
                tables.clear()
            # Another thread may have been quicker, and what it has put there must not be lost.
            table = tables.setdefault(ctx.topic, {})
        return table

    def _frame(self, data: bytes, ctx: SerializationContext | None) -> Frame:
        """What the record says about its schema. Raises FramingError."""
        if self._dual or self._framed is wire.prefix_schema_id_deserializer:
            header = wire.header_frame(ctx.headers, ctx.field) if self._dual and ctx is not None else None
            schema_id, guid, length = wire.split(data if header is None else header)
            if header is not None:
                # A key that no prefix has: the same id, but the payload starts at the first byte.
                return Frame(schema_id, guid, 0, header + _IN_HEADER)
            return Frame(schema_id, guid, length, data[:length])
        identity = wire.SchemaId()
        rest = self._framed(data, ctx, identity)
        length = len(data) - len(rest.read())
        return Frame(identity.id, identity.guid, length, repr((identity.id, identity.guid, length)).encode())

    def _look_up(self, frame: Frame, ctx: SerializationContext | None) -> Binding[tuple[Read, bool]]:
        """The function for a frame, and whether another may be right later."""
        check_context(ctx)
        subject = yield from self._subject(ctx, None)
        raw, schema = yield from self._written(frame, subject)
        if subject is None and ctx is not None:
            subject = yield from self._subject(ctx, schema.name)
        latest = None if subject is None else (yield from _binding.latest_of(self._settings, subject))
        target, reading = yield from self._reader(latest)
        steps = () if latest is None else (yield from self._migrations(subject or "", raw, latest))
        place = place_of(ctx)._replace(schema_id=frame.identity)
        # Rules belong to a subject: without one, as without a context, there is nobody to say which.
        rules = None
        if subject is not None:
            rules = rules_to_read(self._rules, subject, raw, target or raw, reading or schema, steps)
        resolved = None if steps else reading
        compose = partial(self._composed, schema, resolved, frame.length, place, rules)
        read = yield from _binding.made(compose, sum(len(one.text) for one in (schema, resolved) if one is not None))
        return read, latest is not None or self._registry.unverified

    def _reader(self, latest: Registration | None) -> Binding[tuple[Any, AvroSchema | None]]:
        """The schema to read as, as the registry or the caller has it, and parsed; None for the writer's own."""
        target = latest.schema if latest is not None else self._schema
        return target, None if target is None else (yield from self._read(target))

    def _subject(self, ctx: SerializationContext | None, record_name: str | None) -> Binding[str | None]:
        if ctx is None:
            return None
        return (yield from _binding.subject_of(self._settings, ctx, record_name, self._cluster_id))

    def _written(self, frame: Frame, subject: str | None) -> Binding[tuple[Any, AvroSchema]]:
        """The schema that a frame names, as the registry has it, and parsed."""
        try:
            raw = yield from _binding.written(frame.schema_id, frame.guid, subject)
        except SchemaNotFound as error:
            raise self._watch.unknown(UnknownSchemaId(frame.identity, error.error_message)) from error
        self._watch.known(frame.identity)
        try:
            return raw, (yield from self._read(raw))
        except SerializationError as error:
            raise SchemaUnusable(f"schema {frame.identity} cannot be used: {error}") from error

    def _read(self, schema: Any) -> Binding[AvroSchema]:
        """A schema parsed, together with those that it refers to."""
        parsed = self._parsed.get(schema)
        if parsed is None:
            method = self._registry.reference_method
            parsed = yield from parsing(schema, (yield from _binding.references(schema, method)))
            if len(self._parsed) >= self._registry.capacity:
                self._parsed.clear()
            self._parsed[schema] = parsed
        return parsed

    def _migrations(self, subject: str, raw: Any, latest: Registration) -> Binding[Any]:
        """The migration rules between the version that was written and the one to read as."""
        try:
            source = yield Ask("lookup_schema", (subject, raw, False, None, True))
        except SchemaNotFound as error:
            # Written by somebody who names subjects otherwise: a record that cannot be read, and no fault of ours.
            raise SchemaResolutionError(
                f"subject {subject} does not have the schema of the record, so it has no way from there to its latest"
            ) from error
        if source.version is None or latest.version is None or source.version == latest.version:
            return ()
        first, last = sorted((source, latest), key=lambda one: one.version)
        return migrations_between(
            (yield from _binding.versions_between(subject, first, last)), source.version < latest.version
        )

    def _composed(
        self, schema: AvroSchema, reading: AvroSchema | None, frame_bytes: int, place: Place, rules: Rules | None
    ) -> Read:
        """The function from framed bytes (and the context) to an object."""
        return self._registry.counted(self._uncounted(schema, reading, frame_bytes, place, rules), READ)

    def _uncounted(
        self, schema: AvroSchema, reading: AvroSchema | None, frame_bytes: int, place: Place, rules: Rules | None
    ) -> Read:
        from_dict = self._from_dict
        if rules is None:
            decode = self._registry.codecs.reader(schema, reading, frame_bytes, self._options, place)
            return decode if from_dict is None else _converting(decode, from_dict)
        decode = self._registry.codecs.reader(schema, reading, 0, self._options, place)

        def read(data: bytes | None, ctx: Any = None) -> Any:
            if data is None:
                return None
            data = bytes(data)  # a buffer that reads like bytes is found like bytes
            payload = rules.decode(data[frame_bytes:], ctx, data)
            return rules.read(rules.migrate(decode(payload), ctx), ctx, data)

        return read if from_dict is None else _converting(read, from_dict)

    def _store(self, table: Table, frame: Frame, read: Read) -> Read:
        """Put a function where calls look for it."""
        if len(table) >= self._registry.capacity:
            table.clear()
        table[frame.key] = read
        return read

    def _info(self, frame: Frame, ctx: SerializationContext | None) -> Binding[SchemaInfo]:
        subject = yield from self._subject(ctx, None)
        raw, schema = yield from self._written(frame, subject)
        guid = None if frame.guid is None else str(frame.guid)
        return SchemaInfo(frame.schema_id, guid, schema.name, raw.schema_str)


def _converting(read: Read, from_dict: FromDict[Any]) -> Read:
    def convert(data: bytes | None, ctx: Any = None) -> Any:
        if data is None:
            return None
        value = read(data, ctx)
        if ctx is None:
            raise DecodeError("from_dict needs a SerializationContext")
        return from_dict(value, ctx)

    return convert


def as_bytes(data: Any) -> bytes:
    """A buffer as bytes. Raises FramingError."""
    if isinstance(data, _BUFFERS):
        return bytes(data)
    raise FramingError(f"the data must be bytes, not {type(data).__name__}")


def contexts(topics: Iterable[str], field: str) -> list[SerializationContext | None]:
    """The places to prepare for; without topics, none in particular."""
    return [SerializationContext(topic, field_named(field)) for topic in names("topics", topics)] or [None]


def frame_of(schema_id: int) -> Frame:
    """The frame that names an id in front of the payload. Raises SettingInvalid for what is no schema id."""
    prefix = wire.id_frame(checks.schema_id("a schema id", schema_id))
    return Frame(schema_id, None, len(prefix), prefix)


class AvroDeserializer(Deserializing[T]):
    """Reads values, whatever schema each was written with. Safe to share between threads."""

    @classmethod
    def for_type(
        cls, model: type[M], client: Any, *, namespace: str = "", conf: Conf | None = None
    ) -> AvroDeserializer[M]:
        """A deserializer that makes objects of a class, whatever version of its schema was written.

        Args:
            model: a dataclass, a pydantic model or a msgspec Struct.
            client: the client to ask what an id means.
            namespace: of the records and enums.
            conf: the keys of DeserializerSettings.

        Raises:
            SettingInvalid: a field's type has no Avro type, or a setting cannot be used.
        """
        made: AvroDeserializer[M] = serde_for(cls, model, client, namespace, conf)
        return made

    def __call__(self, data: bytes | None, ctx: SerializationContext | None = None) -> T | None:
        """The value in framed bytes; None stays None.

        With `on.error` return or drop, a record that cannot be read gives a Poison or None.

        Raises:
            FramingError: the bytes are not framed.
            UnknownSchemaId, SchemaUnusable: the registry does not know the id, or has no Avro schema under it.
            CorruptPayload, TrailingData: the bytes do not fit their schema.
            SchemaResolutionError: they cannot be read as the reader's schema.
            RegistryError: the registry had to be asked, and could not be.
        """
        read: Read | None
        try:
            try:
                # The magic byte and the id at once: whatever is no known frame is not in the table.
                prefix = data[_PREFIX]  # type: ignore[index]  # None is found out here, too
                if ctx is None:
                    read = self._unplaced[prefix]
                else:
                    table = (self._keys if ctx.field == "key" else self._values)[ctx.topic]
                    # A header may name another schema than the first five bytes, and then those tell nothing.
                    header = wire.header_frame(ctx.headers, ctx.field) if ctx.headers else None
                    if header is None:
                        read = table[prefix]
                    else:
                        read = table[header + _IN_HEADER] if data.__class__ is bytes else None
            except _NOT_FOUND:
                read = None
            return self._slowly(data, ctx) if read is None else read(data, ctx)
        except SerdesError as error:
            return self._failed(error, data, ctx)  # type: ignore[no-any-return]  # a Poison, where that is wanted

    @overload
    def for_topic(
        self, topic: str, field: str = "value", *, on_error: Literal["return"]
    ) -> Callable[[bytes | None], T | Poison | None]: ...

    @overload
    def for_topic(
        self, topic: str, field: str = "value", *, on_error: Literal["raise", "drop"] | None = None
    ) -> Callable[[bytes | None], T | None]: ...

    def for_topic(
        self, topic: str, field: str = "value", *, on_error: str | None = None
    ) -> Callable[[bytes | None], T | Poison | None]:
        """A function of the bytes alone: for hosts that pass neither topic nor headers.

        on_error: in place of the setting `on.error`, for this function.
        """
        if on_error is not None and on_error != self._settings.on_error:
            return self._deciding(on_error).for_topic(topic, field)
        ctx = SerializationContext(topic, field_named(field))
        table, prefix, slowly, failed = self._table(ctx), _PREFIX, self._slowly, self._failed

        def read_one(data: Any) -> T | None:
            try:
                try:
                    read = table[data[prefix]]
                except _NOT_FOUND:
                    return slowly(data, ctx)
                return read(data, ctx)  # type: ignore[no-any-return]  # the schema tells the type
            except SerdesError as error:
                return failed(error, data, ctx)  # type: ignore[no-any-return]  # a Poison, where that is wanted

        return read_one

    def knows(self, data: bytes | None, ctx: SerializationContext) -> bool:
        """Whether reading this record needs no answer of the registry."""
        try:
            return data is None or self._frame(as_bytes(data), ctx).key in self._table(ctx)
        except DecodeError:
            return True  # it will be refused without asking

    def deserialize_many(self, datas: Iterable[bytes | None], ctx: SerializationContext) -> list[T | None]:
        """The values in many framed bytes of one topic and field."""
        return [self(data, ctx) for data in datas]

    def decode_with_schema(self, data: bytes, ctx: SerializationContext | None = None) -> tuple[T | None, SchemaInfo]:
        """The value, and the schema that it was written with.

        Raises as a call does; without a frame that the registry knows there is no schema to tell of, whatever
        `on.error` says.
        """
        with self._raising(ctx):
            frame = self._frame(as_bytes(data), ctx)
            info = self._registry.answer(self._info(frame, ctx))
        return self(data, ctx), info

    def prepare(
        self,
        ids: Iterable[int] = (),
        topics: Iterable[str] = (),
        field: str = "value",
        *,
        subjects: Iterable[str] = (),
    ) -> None:
        """Ask the registry now what will be needed, so that what is wrong shows at the start.

        Args:
            ids: schema ids that records will name.
            topics: the topics that those records will come from; none in particular when it is empty.
            field: "value" or "key" of those topics.
            subjects: subjects whose versions records will be written with; `orders-value` is for the values of orders.

        Raises as a call does.
        """
        places = contexts(topics, field)
        for frame in map(frame_of, names("ids", ids)):
            for place in places:
                with self._raising(place):
                    self._bind(frame, place)
        for subject in names("subjects", subjects):
            place = place_told(subject)
            with self._raising(place):
                for schema_id in self._registry.answer(_binding.ids_of(subject)):
                    self._bind(frame_of(schema_id), place)

    def _slowly(self, data: Any, ctx: SerializationContext | None) -> T | None:
        """What becomes of data that the short way did not find: the first of their kind, or no bytes at all."""
        if data is None:
            return None
        data = as_bytes(data)
        table, frame = self._table(ctx), self._frame(data, ctx)
        read = table.get(frame.key) or self._bind(frame, ctx)
        return read(data, ctx)  # type: ignore[no-any-return]  # the schema tells the type

    def _bind(self, frame: Frame, ctx: SerializationContext | None) -> Read:
        # Hosts change one context between key and value, and headers belong to one record: neither is kept.
        placed = None if ctx is None else SerializationContext(ctx.topic, ctx.field)
        read, may_change = self._registry.answer(self._look_up(frame, placed))
        if may_change:
            read = leased(read, lambda _: self._renewed(frame, placed), self._registry.clock)
        return self._store(self._table(ctx), frame, self._watch.counted(read))

    def _renewed(self, frame: Frame, ctx: SerializationContext | None) -> Read:
        read, may_change = self._registry.answer(self._look_up(frame, ctx))
        return read if may_change else self._store(self._table(ctx), frame, self._watch.counted(read))
