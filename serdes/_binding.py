"""What a serde must know before its first record: subject, id, schema, and what the schema refers to.

Flows over a registry client, as generators of questions: a question names a method of the client and its arguments,
so that our clients and confluent-kafka's, blocking and async, answer the same flows. Owns the order of the questions;
refuses to know codecs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from serdes.errors import (
    RegistryError,
    SchemaNotFound,
    SerializationError,
    SubjectNotFound,
    SubjectUnknown,
    VersionNotFound,
    refusal,
)
from serdes.settings import SerializerSettings, SubjectSettings
from serdes.subjects import (
    CLUSTER_ID,
    FALLBACK_TYPE,
    STRATEGIES,
    SerializationContext,
    SubjectNameStrategyType,
)

R = TypeVar("R")

_ANY_CLUSTER = "-"
# A record has room for higher ids, and bytes that are no frame name them as often; Java's registries give out none.
_HIGHEST_ID = 0x7FFFFFFF
_LONG_CHARS = 64 * 1024
"""Characters of a schema; of a longer one nothing is made on an event loop, which would stand still for too long."""
# What another library's client raises where ours answers with an empty list.
_NO_ASSOCIATIONS = frozenset({404, 405, 422})


class Ask(NamedTuple):
    """Call a method of the registry client. Result: the method's. Fails with RegistryError."""

    method: str
    arguments: tuple[Any, ...]


class Make(NamedTuple):
    """Make something of a long schema, which takes a while. Result: the function's. Fails as it does."""

    function: Callable[[], Any]


Binding = Generator[Ask | Make, Any, R]


class Registration(NamedTuple):
    """The schema to write or read with (`schema` has confluent-kafka's fields), under which id, and its version.

    changes: whether asking again later may give another.
    """

    schema: Any
    schema_id: int | None
    guid: str | None
    version: int | None
    changes: bool = False


def made(function: Callable[[], R], chars: int) -> Binding[R]:
    """What a function makes of a schema of so many characters. Fails as the function does."""
    if chars <= _LONG_CHARS:
        return function()
    result: R = yield Make(function)
    return result


def subject_of(
    settings: SubjectSettings,
    ctx: SerializationContext | None,
    record_name: str | None,
    cluster_id: Callable[[], str] | None = None,
) -> Binding[str | None]:
    """The subject of a record under the configured strategy; None when the strategy names none.

    Raises SubjectUnknown when the strategy needs what is not there.
    """
    if settings.strategy is not None:
        named = settings.strategy(ctx, record_name)
        if named is not None and not isinstance(named, str):
            raise SubjectUnknown(f"subject.name.strategy must return a text, not {type(named).__name__}")
        return named
    kind = SubjectNameStrategyType(settings.strategy_type or SubjectNameStrategyType.ASSOCIATED)
    if kind is SubjectNameStrategyType.ASSOCIATED:
        return (yield from _associated(settings.strategy_conf or {}, ctx, record_name, cluster_id))
    return STRATEGIES[kind](ctx, record_name)


def _associated(
    conf: Mapping[str, Any],
    ctx: SerializationContext | None,
    record_name: str | None,
    cluster_id: Callable[[], str] | None,
) -> Binding[str | None]:
    """The subject that the registry has bound the topic to, else the fallback strategy's."""
    if ctx is None:
        raise SubjectUnknown(
            "the associated subject name strategy needs a SerializationContext that names the topic and the field; "
            "a function that needs none comes from for_topic"
        )
    # Asked of Kafka only when nobody told: it takes a connection.
    namespace = conf.get(CLUSTER_ID) or (cluster_id() if cluster_id else _ANY_CLUSTER)
    field = "key" if ctx.field == "key" else "value"
    try:
        found = yield Ask("get_associations_by_resource_name", (ctx.topic, namespace, "topic", [field], 0, -1))
    except RegistryError as error:
        if error.http_status_code not in _NO_ASSOCIATIONS:
            raise
        found = []
    # Whichever were taken, the records of others would come to another subject.
    if len(found) > 1:
        raise SubjectUnknown(f"topic {ctx.topic} is associated with several subjects")
    if found:
        return found[0].subject  # type: ignore[no-any-return]  # of our client or of confluent-kafka's
    fallback = conf.get(FALLBACK_TYPE, SubjectNameStrategyType.TOPIC)
    if fallback is SubjectNameStrategyType.NONE:
        raise SubjectUnknown(f"topic {ctx.topic} is associated with no subject, and there is no fallback strategy")
    return STRATEGIES[fallback](ctx, record_name)


def to_write(settings: SerializerSettings, subject: str | None, own: Any, with_guid: bool) -> Binding[Registration]:
    """The registration that a serializer writes with.

    own: the serializer's schema, None when it writes with whatever the registry has.
    """
    if subject is None:
        raise SubjectUnknown("the subject name strategy names no subject for this schema (a union has no name)")
    if settings.use_schema_id is not None:
        schema = yield Ask("get_schema", (settings.use_schema_id, subject))
        # What an id means is answered without its GUID, which only a lookup tells.
        guid = (yield Ask("lookup_schema", (subject, schema, False, None, True))).guid if with_guid else None
        return Registration(schema, settings.use_schema_id, guid, None)
    latest = yield from latest_of(settings, subject)
    if latest is not None:
        return latest
    if own is None:
        raise SerializationError("a serializer without a schema needs use.latest.version or use.schema.id")
    found = yield from (_registered if settings.auto_register else _found)(subject, own, settings.normalize)
    # The registry may have added rules and metadata of its own; the text to write with is the serializer's.
    return Registration(_with_rules(own, found.schema), found.schema_id, found.guid, found.version)


def _registered(subject: str, own: Any, normalize: bool) -> Binding[Any]:
    return (yield Ask("register_schema_full_response", (subject, own, normalize)))


def _found(subject: str, own: Any, normalize: bool) -> Binding[Any]:
    try:
        return (yield Ask("lookup_schema", (subject, own, normalize)))
    except (SubjectNotFound, SchemaNotFound) as error:
        reason = f"{error.error_message.rstrip('.')}: register the schema first, since auto.register.schemas is off"
        raise refusal(error.http_status_code, error.error_code, reason) from error.__cause__


def _with_rules(own: Any, registered: Any) -> Any:
    return registered if own.rule_set is None and registered.rule_set is not None else own


def latest_of(settings: SubjectSettings, subject: str) -> Binding[Registration | None]:
    """The latest version that the settings ask for; None when they ask for none."""
    if settings.use_latest_with_metadata is not None:
        found = yield Ask("get_latest_with_metadata", (subject, settings.use_latest_with_metadata, True))
    elif settings.use_latest_version:
        found = yield Ask("get_latest_version", (subject,))
    else:
        return None
    return Registration(found.schema, found.schema_id, found.guid, found.version, changes=True)


def written(schema_id: int | None, guid: UUID | None, subject: str | None) -> Binding[Any]:
    """The schema that a frame names. Fails with SchemaNotFound where the registry does not know it."""
    if schema_id is None:
        return (yield Ask("get_schema_by_guid", (str(guid),)))
    try:
        return (yield Ask("get_schema", (schema_id, subject)))
    except RegistryError as error:
        # Asked for an id that is no int of theirs, they answer as if they had no such path, whatever `url` is.
        if schema_id <= _HIGHEST_ID or error.http_status_code != 404:
            raise
        raise SchemaNotFound(404, 40403, f"Schema {schema_id} not found") from error


def ids_of(subject: str) -> Binding[list[int]]:
    """The ids of all versions of a subject."""
    found: list[int] = []
    # One by one, as no call tells the ids of a subject.
    for number in (yield Ask("get_versions", (subject,))):
        version = yield Ask("get_version", (subject, number))
        found += [version.schema_id]
    return found


def references(schema: Any, method: str) -> Binding[tuple[tuple[str, str], ...]]:
    """Name and text of every schema that this one refers to, each after those that it needs itself."""
    found: dict[str, str] = {}
    yield from _collect(schema, method, found, 0)
    return tuple(found.items())


def _collect(schema: Any, method: str, found: dict[str, str], depth: int) -> Binding[None]:
    if depth > 100:
        raise SerializationError("the references of the schema go round in a circle, or are nested too deeply")
    for reference in schema.references or ():
        # Referred to by several, it is needed once, before the first of them.
        if reference.name in found:
            continue
        if reference.subject is None or reference.version is None:
            raise SerializationError(f"the reference {reference.name} of the schema names no subject or no version")
        version = yield Ask(
            method, (reference.subject, reference.version, *((True,) if method == "get_version" else ()))
        )
        yield from _collect(version.schema, method, found, depth + 1)
        found[reference.name] = version.schema.schema_str


def versions_between(subject: str, first: Any, last: Any) -> Binding[list[Any]]:
    """The registrations from one version of a subject to another, both included, in ascending order."""
    found = [first]
    for number in range(first.version + 1, last.version):
        with suppress(VersionNotFound):  # deleted for good, with whatever rules it had
            found += [(yield Ask("get_version", (subject, number, True)))]
    return [*found, last]
