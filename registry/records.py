"""The records of the log: exactly the bytes that Confluent keeps in its `_schemas` topic.

Owns keys, values and their encoding; refuses to know where they are stored and what they add up to.
Follows the record format of Confluent's `_schemas` topic, 8.x dialect; reads every older and foreign dialect.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

import orjson
from msgspec import Struct

from registry.envelope import Entry
from registry.model import MAX_INT, Association, Config, Mode, Schema, Subject
from registry.shapes import (
    Json,
    association_json,
    config_json,
    metadata_json,
    present,
    read_association,
    read_config,
    read_schema,
    reference_json,
    rule_set_json,
)

EVERYTHING: Final = Subject(".", "")
"""The subject under which the global config and mode are kept; records leave out its empty name."""
MD5_BYTES: Final = 16


class UnreadableRecordError(Exception):
    """A record that no dialect explains; the log goes on without it."""


class SchemaKey(Struct, frozen=True, order=True, gc=False):
    """Names a version of a subject."""

    subject: Subject
    version: int


class ConfigKey(Struct, frozen=True, gc=False):
    """Names the config of a subject, of a context, or of everything."""

    subject: Subject


class ModeKey(Struct, frozen=True, gc=False):
    """Names the mode of a subject, of a context, or of everything."""

    subject: Subject


class ContextKey(Struct, frozen=True, gc=False):
    """Names a context."""

    context: str


class DeleteSubjectKey(Struct, frozen=True, gc=False):
    """Names the soft delete of a whole subject."""

    subject: Subject


class ClearSubjectKey(Struct, frozen=True, gc=False):
    """Names the removal of what is soft-deleted in a subject, a context, or everywhere."""

    subject: Subject


class AssociationKey(Struct, frozen=True, gc=False):
    """Names the association of a resource with a subject."""

    resource_name: str
    resource_namespace: str
    resource_type: str
    association_type: str
    subject: Subject


class NoopKey(Struct, frozen=True, gc=False):
    """Names nothing; its value may carry the highest id of each context, and is anything in other dialects."""


class SchemaValue(Struct, frozen=True, gc=False):
    """A version of a subject: its id, what it says, and whether it is soft-deleted.

    md5: the bytes of the GUID where they cannot be computed, because Confluent encrypted sensitive metadata. computed:
    those that were computed already, never written.
    """

    id: int
    schema: Schema
    deleted: bool = False
    md5: bytes | None = None
    computed: bytes | None = None

    @property
    def guid(self) -> bytes:
        """The bytes of the GUID."""
        return self.md5 or self.computed or self.schema.digest()


class DeletedUpTo(Struct, frozen=True, gc=False):
    """The versions that a soft delete of a subject covers: all up to this one; None covers all."""

    version: int | None


class IdMarks(Struct, frozen=True, gc=False):
    """The highest id ever given out in each context; under GLOBAL_CONTEXT, what no context gives out any more."""

    highest: Mapping[str, int]


class Present(Struct, frozen=True, gc=False):
    """The value of a key that says all by itself."""


Key: TypeAlias = (
    SchemaKey | ConfigKey | ModeKey | ContextKey | DeleteSubjectKey | ClearSubjectKey | AssociationKey | NoopKey
)
Value: TypeAlias = SchemaValue | Config | Mode | DeletedUpTo | Association | IdMarks | Present


class Record(Struct, frozen=True, gc=False):
    """A key with its new value; None removes what the key names."""

    key: Key
    value: Value | None

    def entry(self, author: str | None = None) -> Entry:
        """The record as bytes, on its way into the log."""
        value = None if self.value is None else _VALUE_JSON[type(self.key)](self.key, self.value)
        return Entry(
            key=compact(_KEY_JSON[type(self.key)](self.key)),
            value=None if value is None else compact(value),
            author=author,
        )


# Writing: one row for each kind of key.


def _subject_key(keytype: str) -> Callable[[Any], Json]:
    return lambda key: present(keytype=keytype, subject=str(key.subject), magic=0)


def _schema_value(key: Any, value: Any) -> Json:
    schema: Schema = value.schema
    members = present(
        subject=str(key.subject),
        version=key.version,
        id=value.id,
        md5=b64encode(value.md5).decode() if value.md5 else None,
        schemaType=schema.type,
        references=[reference_json(reference) for reference in schema.references],
    )
    # Empty metadata and empty rule sets are written: they are not the same as none.
    if schema.metadata is not None:
        members["metadata"] = metadata_json(schema.metadata)
    if schema.rule_set is not None:
        members["ruleSet"] = rule_set_json(schema.rule_set)
    if schema.text:
        members["schema"] = schema.text
    members["deleted"] = value.deleted
    return members


def _named_value(key: Any, members: Json) -> Json:
    return {**present(subject=str(key.subject)), **members}


def _association_key(key: Any) -> Json:
    return {
        "keytype": "ASSOC",
        "tenant": "default",
        "resourceName": key.resource_name,
        "resourceNamespace": key.resource_namespace,
        "resourceType": key.resource_type,
        "associationType": key.association_type,
        "subject": str(key.subject),
        "magic": 0,
    }


_KEY_JSON: Final[Mapping[type, Callable[[Any], Json]]] = {
    SchemaKey: lambda key: present(keytype="SCHEMA", subject=str(key.subject), version=key.version, magic=1),
    ConfigKey: _subject_key("CONFIG"),
    ModeKey: _subject_key("MODE"),
    DeleteSubjectKey: _subject_key("DELETE_SUBJECT"),
    ClearSubjectKey: _subject_key("CLEAR_SUBJECT"),
    ContextKey: lambda key: {"keytype": "CONTEXT", "tenant": "default", "context": key.context, "magic": 0},
    AssociationKey: _association_key,
    NoopKey: lambda _key: {"keytype": "NOOP", "magic": 0},
}

_VALUE_JSON: Final[Mapping[type, Callable[[Any, Any], Json]]] = {
    SchemaKey: _schema_value,
    ConfigKey: lambda key, config: _named_value(key, config_json(config)),
    ModeKey: lambda key, mode: _named_value(key, {"mode": mode.word}),
    DeleteSubjectKey: lambda key, covered: _named_value(key, present(version=covered.version)),
    ClearSubjectKey: lambda key, _value: _named_value(key, {}),
    ContextKey: lambda key, _value: {"tenant": "default", "context": key.context},
    AssociationKey: lambda _key, association: association_json(association),
    NoopKey: lambda _key, marks: {"v": 1, "hw": dict(marks.highest)},
}


# Jackson writes control characters in upper-case hex and characters beyond U+FFFF as two escapes; orjson does neither.
_CONTROL_ESCAPE: Final = re.compile(r"\\(?:u00([0-9a-f]{2})|.)")
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")
_ASTRAL_LEADS: Final = re.compile(rb"[\xf0-\xf4]")


def compact(value: Json) -> bytes:
    """Compact JSON, byte for byte as Jackson writes it."""
    # A copy: what orjson makes takes at least 4 KiB, however short it is, and many a record is kept.
    raw = bytes(memoryview(orjson.dumps(value)))
    if b"\\u00" not in raw and (raw.isascii() or not _ASTRAL_LEADS.search(raw)):
        return raw
    text = _CONTROL_ESCAPE.sub(
        lambda found: found[0][:2] + found[0][2:].upper() if found[1] else found[0], raw.decode()
    )
    return _ASTRAL.sub(_surrogate_escapes, text).encode()


def _surrogate_escapes(found: re.Match[str]) -> str:
    high, low = divmod(ord(found[0]) - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04X}\\u{0xDC00 + low:04X}"


# Reading: one row for each keytype.


def read_record(key: bytes, value: bytes | None) -> Record:
    """Read a record of any dialect; empty bytes as value are a removal, as Karapace writes it.

    Raises UnreadableRecordError when key or value make no sense.
    """
    try:
        members = orjson.loads(key)
        read_key, read_value = _READERS[members["keytype"]]
        named = read_key(members)
        said = orjson.loads(value) if value else None
        return Record(named, None if said is None else read_value(named, said))
    except KeyError as reason:
        raise UnreadableRecordError(f"{reason} is missing or unknown") from reason
    except (TypeError, AttributeError) as reason:
        raise UnreadableRecordError("a part of it is of the wrong type") from reason
    except (ValueError, OverflowError) as reason:
        raise UnreadableRecordError(str(reason)) from reason


@lru_cache(maxsize=1024)
def _subject_named(name: str | None) -> Subject:
    # One value for records of a subject that come close together: it is a key in the state's tables over and over. For
    # them only, since names that came and went would stay.
    return EVERYTHING if name is None else Subject.of(name)


def _subject_of(members: Json) -> Subject:
    return _subject_named(members.get("subject"))


def _number(value: Any, least: int) -> int:
    number: int = value if type(value) is int else int(value)
    if not least <= number <= MAX_INT:
        raise ValueError(f"{number} is not between {least} and {MAX_INT}")
    return number


def _read_schema_key(members: Json) -> SchemaKey:
    if members.get("magic", 1) not in (0, 1):
        raise ValueError("the key of a schema has magic 0 or 1")
    return SchemaKey(_subject_named(members.get("subject")), _number(members["version"], 1))


def _read_schema_value(_key: Any, members: Json) -> SchemaValue:
    number, md5 = _number(members["id"], 0), members.get("md5")
    return SchemaValue(number, read_schema(members), members.get("deleted") is True, _read_md5(md5) if md5 else None)


def _read_md5(encoded: str) -> bytes:
    md5 = b64decode(encoded, validate=True)
    if len(md5) != MD5_BYTES:
        raise ValueError(f"an MD5 has {MD5_BYTES} bytes, not {len(md5)}")
    return md5


def _read_covered(_key: Any, members: Json) -> DeletedUpTo:
    version = members.get("version")
    return DeletedUpTo(None if version is None else int(version))


def _read_association_key(members: Json) -> AssociationKey:
    return AssociationKey(
        _text(members["resourceName"]),
        _text(members["resourceNamespace"]),
        _text(members.get("resourceType", "topic")),
        _text(members.get("associationType", "value")),
        _subject_of(members),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _read_marks(_key: Any, members: Any) -> IdMarks:
    highest = members.get("hw") if isinstance(members, dict) else None
    if not isinstance(highest, dict):
        return IdMarks({})
    return IdMarks({context: _number(mark, 0) for context, mark in highest.items()})


_READERS: Final[Mapping[str, tuple[Callable[[Json], Key], Callable[[Any, Any], Value]]]] = {
    "SCHEMA": (_read_schema_key, _read_schema_value),
    "CONFIG": (lambda key: ConfigKey(_subject_of(key)), lambda _key, value: read_config(value)),
    "MODE": (lambda key: ModeKey(_subject_of(key)), lambda _key, value: Mode[value["mode"]]),
    "DELETE_SUBJECT": (lambda key: DeleteSubjectKey(_subject_of(key)), _read_covered),
    "CLEAR_SUBJECT": (lambda key: ClearSubjectKey(_subject_of(key)), lambda _key, _value: Present()),
    "CONTEXT": (lambda key: ContextKey(_text(key["context"])), lambda _key, _value: Present()),
    "ASSOC": (_read_association_key, lambda _key, value: read_association(value)),
    "NOOP": (lambda _key: NoopKey(), _read_marks),
}
