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


def names(what: str, given: Iterable[str]) -> Iterable[str]:
    """Several names, as they are. Raises SettingInvalid for one text, each letter of which would be a name."""
    if isinstance(given, str):
        raise SettingInvalid(f"{what} must be a list of names, not the text {given!r}")
    return given


# The last of these words counts: a topic may be called `orders-key`.
_TOPIC_SUBJECT = re.compile(r"(?P<topic>.+)-(?P<field>key|value)", re.DOTALL)


@dataclass(slots=True)
class SerializationContext:
    """What a serializer is told about the record: its topic, the part of it, its headers (a list or a dict)."""

    topic: str
    field: MessageField
    headers: Headers = None


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
            f"the {strategy} subject name strategy needs a SerializationContext that names the topic and the field"
        )
    return ctx
