"""What a serializer must know before its first record: subject, id, schema, and what the schema refers to.

Flows over a registry client, as generators of questions: a question names a method of the client and its arguments,
so that our clients and confluent-kafka's, blocking and async, answer the same flows. Owns the order of the questions;
refuses to know codecs.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from serdes.schema import Schema
from serdes.settings import SerializerSettings, SubjectSettings
from serdes.subjects import STRATEGIES, SerializationContext, SubjectNameStrategyType, topic_subject_name_strategy

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Ask:
    """Call a method of the registry client."""

    method: str
    arguments: tuple[Any, ...]


Binding = Generator[Ask, Any, R]


def subject_of(
    settings: SubjectSettings, ctx: SerializationContext | None, record_name: str | None
) -> Binding[str | None]:
    """The subject of a record under the configured strategy; None when the strategy names none.

    Raises SubjectUnknown when the strategy needs a context that is not there.
    """
    if settings.strategy is not None:
        named: str | None = settings.strategy(ctx, record_name)
        return named
    kind = settings.strategy_type
    strategy = topic_subject_name_strategy if kind is None else STRATEGIES[SubjectNameStrategyType(kind)]
    yield from ()
    return strategy(ctx, record_name)


def registered(settings: SerializerSettings, subject: str, schema: Schema) -> Binding[Any]:
    """The registration that a serializer writes with."""
    method = "register_schema_full_response" if settings.auto_register else "lookup_schema"
    return (yield Ask(method, (subject, schema, settings.normalize)))


def references(schema: Any, method: str) -> Binding[tuple[tuple[str, str], ...]]:
    """Name and text of every schema that this one refers to, each after those that it needs itself."""
    found: dict[str, str] = {}
    yield from _collect(schema, method, found)
    return tuple(found.items())


def _collect(schema: Any, method: str, found: dict[str, str]) -> Binding[None]:
    for reference in schema.references or ():
        if reference.name in found:
            continue
        arguments = (reference.subject, reference.version) + ((True,) if method == "get_version" else ())
        version = yield Ask(method, arguments)
        yield from _collect(version.schema, method, found)
        found[reference.name] = version.schema.schema_str
