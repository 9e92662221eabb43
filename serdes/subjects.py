"""Which subject a record's schema lives under: the strategies, and the context that they look at.

Owns the names; refuses to ask the registry (the associated strategy's question is asked in `_binding`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from serdes.errors import SettingInvalid, SubjectUnknown

# The keys of what the associated strategy is told.
CLUSTER_ID = "subject.name.strategy.kafka.cluster.id"
FALLBACK_TYPE = "subject.name.strategy.fallback.type"

Headers = Sequence[tuple[str, Any]] | Mapping[str, Any] | None


class MessageField(StrEnum):
    """A part of a record."""

    NONE = "none"
    KEY = "key"
    VALUE = "value"


def field_named(word: str) -> MessageField:
    """The part of a record that a word means. Raises SettingInvalid."""
    if word not in ("key", "value"):
        raise SettingInvalid(f"a field is key or value, not {word!r}")
    return MessageField(word)


def names(what: str, given: Any) -> Iterable[Any]:
    """Several names or ids, as they are. Raises SettingInvalid for a single one; each letter of a text would be one."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise SettingInvalid(f"{what} must be a list, not {given!r}")
    return given


# The last of these words counts: a topic may be called `orders-key`.
_TOPIC_SUBJECT = re.compile(r"(?P<topic>.+)-(?P<field>key|value)", re.DOTALL)


@dataclass(slots=True)
class SerializationContext:
    """What a serializer is told about the record: its topic, the part of it, its headers (a list or a dict)."""

    topic: str
    field: MessageField
    headers: Headers = None


# What looking for the topic of something raises that is no context.
NO_CONTEXT = (AttributeError, TypeError)


def check_context(ctx: Any) -> None:
    """Whether this is a context, with a topic and a field, or None. Raises SubjectUnknown."""
    if ctx is None:
        return
    topic, field = getattr(ctx, "topic", None), getattr(ctx, "field", None)
    if not isinstance(topic, str) or field not in tuple(MessageField):
        told = f"topic {topic!r} and field {field!r}" if hasattr(ctx, "topic") else type(ctx).__name__
        raise SubjectUnknown(f"a SerializationContext with a topic and a field (key or value) is needed, not {told}")


SubjectNameStrategy = Callable[[SerializationContext | None, str | None], str | None]


class SubjectNameStrategyType(StrEnum):
    """The strategies that have a name."""

    NONE = "NONE"
    TOPIC = "TOPIC"
    RECORD = "RECORD"
    TOPIC_RECORD = "TOPIC_RECORD"
    ASSOCIATED = "ASSOCIATED"


def topic_subject_name_strategy(ctx: SerializationContext | None, _record_name: str | None) -> str:
    """`orders-value`: one schema history per topic and field."""
    return f"{_placed(ctx, 'topic').topic}-{_placed(ctx, 'topic').field}"


def place_told(subject: str) -> SerializationContext | None:
    """The topic and field that a subject of the topic strategy is for; None for a subject that is named otherwise."""
    found = _TOPIC_SUBJECT.fullmatch(subject)
    return None if found is None else SerializationContext(found["topic"], MessageField(found["field"]))


def record_subject_name_strategy(_ctx: SerializationContext | None, record_name: str | None) -> str | None:
    """`com.acme.Order`: one schema history per record name; None when the schema has no name."""
    # A primitive type or a union has no name, and nothing else can stand for it.
    return record_name


def topic_record_subject_name_strategy(ctx: SerializationContext | None, record_name: str | None) -> str | None:
    """`orders-com.acme.Order`; None when the schema has no name."""
    topic = _placed(ctx, "topic-record").topic
    return None if record_name is None else f"{topic}-{record_name}"


STRATEGIES: dict[SubjectNameStrategyType, SubjectNameStrategy] = {
    SubjectNameStrategyType.TOPIC: topic_subject_name_strategy,
    SubjectNameStrategyType.RECORD: record_subject_name_strategy,
    SubjectNameStrategyType.TOPIC_RECORD: topic_record_subject_name_strategy,
}


def _placed(ctx: SerializationContext | None, strategy: str) -> SerializationContext:
    if ctx is None:
        raise SubjectUnknown(
            f"the {strategy} subject name strategy needs a SerializationContext that names the topic and the field; "
            "a function that needs none comes from for_topic"
        )
    return ctx
