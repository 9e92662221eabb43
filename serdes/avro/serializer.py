"""AvroSerializer: everything that depends on the schema is resolved once, then a record costs
a dictionary look-up and a function call.

Own the tables in front of the client; refuse to know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from serdes import _binding, wire
from serdes._binding import Binding, Registration
from serdes._rules import RuleSettings
from serdes._stats import WRITTEN
from serdes.avro.leases import leased
from serdes.avro.registry import Registry
from serdes.avro.rules import Rules, rules_to_write
from serdes.codec import AvroSchema, Place, Write, WriteOptions, parse, plain_writer
from serdes.codec.shapes import Shapes
from serdes.errors import EncodeError, SerdesError, SerializationError, SettingInvalid
from serdes.schema import Schema
from serdes.settings import Conf, SerializerSettings, checks
from serdes.subjects import NO_CONTEXT, SerializationContext, check_context, field_named, names

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault  # in typing itself from Python 3.13 on

    # The values of a serde; one that was told nothing of them takes any, and needs no annotation.
    T = TypeVarWithDefault("T", default=Any)
else:
    T = TypeVar("T")
M = TypeVar("M")

ToDict = Callable[[T, SerializationContext], Any]
Table = dict[str, Write]


def schema_of(schema: Any) -> Any:
    """The schema to register; a bare name becomes an object, as confluent-kafka writes it.

    Raises SettingInvalid for what is neither a text nor a Schema.
    """
    if isinstance(schema, str):
        text = schema.strip()
        return Schema(text if text[:1] in ("{", "[") else '{"type":' + text + "}")
    if not hasattr(schema, "schema_str"):
        raise SettingInvalid(f"a schema must be a text or a Schema, not {type(schema).__name__}")
    return schema


def parsed_from(schema: Any, referenced: Sequence[tuple[str, str]] = ()) -> AvroSchema:
    """A schema parsed, with name and text of those that it refers to.

    Raises SerializationError when it is no Avro schema.
    """
    kind = getattr(schema, "schema_type", None) or "AVRO"
    if kind != "AVRO":
        raise SerializationError(f"the schema is of type {kind}, not AVRO")
    return parse(schema.schema_str, referenced)


def parsing(schema: Any, referenced: Sequence[tuple[str, str]]) -> Binding[AvroSchema]:
    """The same as a part of a binding."""
    chars = len(schema.schema_str) + sum(len(text) for _, text in referenced)
    return _binding.made(partial(parsed_from, schema, referenced), chars)


def place_of(ctx: SerializationContext | None) -> Place:
    """The place that a context tells, for errors; what is no context tells none."""
    if ctx is None or not hasattr(ctx, "topic") or not hasattr(ctx, "field"):
        return Place()
    return Place(ctx.topic, str(ctx.field))


class Serializing(Generic[T]):
    """What both serializers share: the tables, and the binding that fills them.

    Args:
        schema_registry_client: the client to ask for ids: ours, or confluent-kafka's.
        schema_str: the Avro schema; a Schema when it refers to others; None to write with what the registry has.
        to_dict: makes a value that fits the schema out of an object and the context.
        conf: the keys of SerializerSettings.
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
        to_dict: ToDict[T] | None = None,
        conf: Conf | None = None,
        rule_conf: Conf | None = None,
        rule_registry: Any = None,
    ) -> None:
        # Kept for a copy in another process, which is made anew rather than taken apart.
        self._arguments = (schema_registry_client, schema_str, to_dict, conf, rule_conf, rule_registry)
        self._registry = Registry(schema_registry_client, awaited=self._awaited)
        self._settings = SerializerSettings.read(conf)
        if to_dict is not None and not callable(to_dict):
            raise SettingInvalid("to_dict must be callable with the signature to_dict(object, SerializationContext)")
        self._to_dict = to_dict
        self._rules = RuleSettings(checks.pairs("rule_conf", rule_conf or {}), rule_registry, self._registry.conf)
        self._schema = None if schema_str is None else schema_of(schema_str)
        self._options = WriteOptions(
            self._settings.strict, self._settings.strict_allow_default, self._settings.codegen != "off"
        )
        self._model: type | None = None
        self._namespace = ""
        self._cluster_id: Callable[[], str] | None = None
        self._parsed: dict[Any, AvroSchema] = {}
        # Without a call, so that a schema that is none shows at once; references have to be asked for.
        if self._schema is not None and not self._schema.references:
            self._parsed[self._schema] = parsed_from(self._schema)
        self._keys: Table = {}
        self._values: Table = {}
        self._written: dict[Any, Write] = {}

    def _as_raised(self, error: SerdesError) -> SerdesError:
        """The error as callers expect it; serdes for a host raise the host's."""
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        if self._model is not None:
            return serde_for, (type(self), self._model, self._arguments[0], self._namespace, self._arguments[3])
        return type(self), self._arguments

    def _serve(self, model: type, namespace: str, shapes: Shapes) -> None:
        """Write objects of a class."""
        self._model, self._namespace = model, namespace
        self._options = self._options._replace(shapes=shapes)

    def set_cluster_id_resolver(self, resolver: Callable[[], str]) -> None:
        """Let the associated strategy ask for the Kafka cluster's id when it first needs it."""
        self._cluster_id = resolver

    def _table(self, field: str) -> Table:
        return self._keys if field == "key" else self._values

    def _place(self, topic: str, field: str, write: Write) -> Write:
        """Put a function where calls look for it; a strategy of the user's must see every record, so then nowhere."""
        if self._settings.strategy is None:
            table = self._table(field)
            # Emptied as a whole: what is in use comes back with its next record, out of the client's cache.
            if len(table) >= self._registry.capacity:
                table.clear()
            table[topic] = write
        return write

    def _look_up(self, ctx: SerializationContext | None) -> Binding[tuple[Write, bool]]:
        """The function for a topic and field, and whether another may be right later."""
        check_context(ctx)
        own = None if self._schema is None else (yield from self._read(self._schema))
        subject = yield from _binding.subject_of(
            self._settings, ctx, None if own is None else own.name, self._cluster_id
        )
        with_guid = self._settings.schema_id_serializer is not wire.prefix_schema_id_serializer
        registration = yield from _binding.to_write(self._settings, subject, self._schema, with_guid)
        place = place_of(ctx)
        # A strategy of the user's is asked for every record, and mostly names a subject that is known.
        key = (place, subject, registration)
        write = self._written.get(key)
        if write is None:
            schema = yield from self._read(registration.schema)
            # Once for each version, not for each record.
            self._check_latest(registration, schema, own)
            compose = partial(self._composed, subject or "", registration, schema, place)
            write = yield from _binding.made(compose, len(schema.text))
            if len(self._written) >= self._registry.capacity:
                self._written.clear()
            self._written[key] = write
        return write, registration.changes or self._registry.unverified

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

    def _check_latest(self, registration: Registration, latest: AvroSchema, own: AvroSchema | None) -> None:
        if not self._settings.latest_compatibility_strict or not registration.changes or own is None:
            return
        # By name, as few ask for this check.
        reason = import_module("serdes.codec.readable").unreadable(latest, own)
        if reason is not None:
            raise EncodeError(
                f"latest.compatibility.strict: version {registration.version} of the subject cannot read what this "
                f"serializer's schema writes: {reason}"
            )

    def _composed(self, subject: str, registration: Registration, schema: AvroSchema, place: Place) -> Write:
        """The function from a value (and the context) to framed bytes."""
        return self._registry.counted(self._uncounted(subject, registration, schema, place), WRITTEN)

    def _uncounted(self, subject: str, registration: Registration, schema: AvroSchema, place: Place) -> Write:
        rules = rules_to_write(self._rules, self._settings, subject, registration.schema, schema)
        framed = self._settings.schema_id_serializer
        # The usual case has its prefix written by the codec itself, and copies nothing.
        prefixed = framed is wire.prefix_schema_id_serializer and rules is None
        place = place._replace(schema_id=registration.schema_id, translate=self._as_raised)
        frame = wire.SchemaId(registration.schema_id).id_to_bytes() if prefixed else b""
        encode = self._registry.codecs.writer(schema, frame, self._options, place)
        if prefixed and self._to_dict is None:
            return encode
        steps = _Steps(
            self._to_dict, rules, encode, plain_writer(schema, frame, self._options, place, tombstones=False)
        )
        identity = wire.SchemaId(registration.schema_id, registration.guid)

        def write(obj: Any, ctx: Any = None) -> bytes | None:
            try:
                payload = steps.write(obj, ctx)
                return payload if payload is None or prefixed else framed(payload, ctx, identity)
            except SerdesError as error:
                raise place.error(error) from error.__cause__

        return write


def serde_for(kind: Any, model: type, client: Any, namespace: str, conf: Conf | None) -> Any:
    """A serde of a kind for objects of a class, with a schema made out of the class. Raises SettingInvalid."""
    if not callable(model):
        raise SettingInvalid(f"for_type takes a class and then the client, not an object of {type(model).__name__}")
    # By name: only those who have models need to wait for what reads them.
    text, shapes = import_module("serdes.models").schema_for(model, namespace)
    serde = kind(client, text, conf=conf)
    serde._serve(model, namespace, shapes)  # noqa: SLF001 - a constructor of that class
    return serde


class _Steps:
    """What happens to a record between the user's object and its payload."""

    def __init__(self, to_dict: ToDict[Any] | None, rules: Rules | None, encode: Write, encode_none: Write) -> None:
        self._to_dict = to_dict
        self._rules = rules
        self._encode = encode
        self._encode_none = encode_none

    def write(self, obj: Any, ctx: Any = None) -> bytes | None:
        """The payload of an object; None stays None."""
        if obj is None:
            return None
        if self._to_dict is not None:
            if ctx is None:
                raise EncodeError("to_dict needs a SerializationContext")
            obj = self._to_dict(obj, ctx)
        if self._rules is None:
            # A value that became None on the way is no tombstone: it must fit the schema.
            return self._encode(obj) if obj is not None else self._encode_none(obj)
        value = self._rules.write(obj, ctx)
        payload = self._encode(value) if value is not None else self._encode_none(value)
        return self._rules.encode(payload, ctx)


class AvroSerializer(Serializing[T]):
    """Writes values of one schema. Safe to share between threads."""

    @classmethod
    def for_type(
        cls, model: type[M], client: Any, *, namespace: str = "", conf: Conf | None = None
    ) -> AvroSerializer[M]:
        """A serializer for objects of a class, with a schema made out of the class.

        Args:
            model: a dataclass, a pydantic model or a msgspec Struct.
            client: the client to ask for ids.
            namespace: of the records and enums.
            conf: the keys of SerializerSettings.

        Raises:
            SettingInvalid: a field's type has no Avro type, or a setting cannot be used.
        """
        made: AvroSerializer[M] = serde_for(cls, model, client, namespace, conf)
        return made

    def __call__(self, obj: T | None, ctx: SerializationContext | None = None) -> bytes | None:
        """The framed bytes of a value; None stays None.

        Raises:
            EncodeError: the value does not fit the schema.
            SubjectUnknown: the strategy needs a context and there is none.
            RegistryError: the registry had to be asked, and refused or could not be reached.
        """
        if obj is None:
            return None
        if ctx is None:
            return self._bind(None)(obj, None)
        try:
            write = (self._keys if ctx.field == "key" else self._values).get(ctx.topic)
        except NO_CONTEXT:
            write = None
        if write is None:
            write = self._bind(ctx)
        return write(obj, ctx)

    def for_topic(self, topic: str, field: str = "value") -> Callable[[T | None], bytes | None]:
        """A function of the value alone, with everything resolved: for hosts that pass neither topic nor headers.

        Raises what a call raises when the registry has to be asked.
        """
        ctx = SerializationContext(topic, field_named(field))
        write = self._bind(ctx)
        return write if self._to_dict is None else lambda obj: write(obj, ctx)

    def serialize_many(self, objects: Iterable[T | None], ctx: SerializationContext) -> list[bytes | None]:
        """The framed bytes of many values of one topic and field."""
        return [self(obj, ctx) for obj in objects]

    def prepare(self, topics: Iterable[str], fields: Iterable[str] = ("value",)) -> None:
        """Ask the registry now, for these topics and fields, so that what is wrong shows at the start."""
        for topic in names("topics", topics):
            for field in names("fields", fields):
                self._bind(SerializationContext(topic, field_named(field)))

    def _bind(self, ctx: SerializationContext | None) -> Write:
        write, may_change = self._looked_up(ctx)
        if ctx is None:
            return write
        if may_change:
            # Without the headers: a record's own must not live as long as the function.
            placed = SerializationContext(ctx.topic, ctx.field)
            write = leased(write, lambda _: self._renewed(placed), self._registry.clock)
        return self._place(ctx.topic, str(ctx.field), write)

    def _renewed(self, ctx: SerializationContext) -> Write:
        write, may_change = self._looked_up(ctx)
        return write if may_change else self._place(ctx.topic, str(ctx.field), write)

    def _looked_up(self, ctx: SerializationContext | None) -> tuple[Write, bool]:
        try:
            return self._registry.answer(self._look_up(ctx))
        except SerdesError as error:
            raise self._as_raised(place_of(ctx).error(error)) from error.__cause__
