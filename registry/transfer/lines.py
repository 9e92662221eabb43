"""Records as lines of a file: the form that `signet export` writes, and those that Kafka's tools print.

Owns the forms of a line; refuses to know what the records mean. A line of ours is a JSON object: `position`,
`timestamp_ms` and `author` where they are known, `key` and `value` as the very texts of the topic.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import orjson

from registry.envelope import Entry
from registry.errors import SourceUnreadable
from registry.shapes import Json

SUMMARY: Final = re.compile(rb"Processed a total of \d+ messages")
"""What kafka-console-consumer says at its end, in files that hold its standard error too."""

# The names that a part of a record has in our lines, in those of `rpk topic consume`, and in those of `kcat -J`.
_VALUE: Final = ("value", "payload")
_POSITION: Final = ("position", "offset")
_TIMESTAMP: Final = ("timestamp_ms", "timestamp", "ts")

# The labels of kafka-console-consumer's print.timestamp and print.offset.
_CONSOLE_LABELS: Final = {b"CreateTime": "timestamp", b"LogAppendTime": "timestamp", b"Offset": "offset"}

_NEVER: Final = 2**63


class Line(NamedTuple):
    """A record and where it was found; `position` is the one that it had in its log or topic, if that is known."""

    number: int
    position: int | None
    entry: Entry


def write_line(entry: Entry, position: int | None = None) -> bytes:
    """A record as a line of ours, with its line break."""
    members: Json = {"position": position, "timestamp_ms": entry.timestamp_ms, "author": entry.author}
    told = {name: value for name, value in members.items() if value is not None}
    return orjson.dumps({**told, **_said("key", entry.key), **_said("value", entry.value)}) + b"\n"


def _said(name: str, part: bytes | None) -> Mapping[str, str | None]:
    if part is None:
        return {name: None}
    try:
        return {name: part.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(part).decode()}


def read_lines(lines: Iterable[bytes], file: str) -> Iterator[Line]:
    """Read the records of a file, each line in whichever form it has; empty lines say nothing.

    Raises SourceUnreadable, with the name of the file, when a line has none of the forms.
    """
    for number, line in enumerate(lines, 1):
        bare = line.rstrip(b"\r\n")
        if not bare or SUMMARY.fullmatch(bare):
            continue
        try:
            # JSON has no bare tab, so a tab can only stand between a key and a value.
            position, entry = _read_console(bare) if b"\t" in bare else _read_object(bare)
        except (ValueError, TypeError, AttributeError) as error:
            raise SourceUnreadable(
                f"Line {number} of {file} is no record: neither of signet export, rpk or kcat -J, nor KEY, tab, VALUE"
                " as kafka-console-consumer prints with --property print.key=true"
            ) from error
        yield Line(number, position, entry)


def _read_object(line: bytes) -> tuple[int | None, Entry]:
    members = orjson.loads(line)
    key = _bytes(members, ("key",))
    if key is None and "key" not in members and "topic" not in members:
        raise ValueError("an object without a key is no record")
    author = members.get("author")
    entry = Entry(key or b"", _bytes(members, _VALUE), author and str(author), _count(_first(members, _TIMESTAMP)))
    return _count(_first(members, _POSITION)), entry


def _read_console(line: bytes) -> tuple[int | None, Entry]:
    fields = line.split(b"\t")
    keys = (index for index, field in enumerate(fields[:-1]) if field.startswith(b"{") or field == b"null")
    at = next(keys, None)
    if at is None:
        raise ValueError("no field is a key with a value behind it")
    labelled = (field.partition(b":") for field in fields[:at])
    told = {_CONSOLE_LABELS[label]: int(said) for label, _, said in labelled if label in _CONSOLE_LABELS}
    value = b"\t".join(fields[at + 1 :])
    entry = Entry(fields[at], None if value == b"null" else value, None, _count(told.get("timestamp")))
    return told.get("offset"), entry


def _first(members: Json, names: Iterable[str]) -> Any:
    return next((members[name] for name in names if members.get(name) is not None), None)


def _bytes(members: Json, names: Iterable[str]) -> bytes | None:
    for name in names:
        if encoded := members.get(f"{name}_base64"):
            return b64decode(encoded, validate=True)
    said = _first(members, names)
    if said is not None and not isinstance(said, str):
        raise TypeError("keys and values are texts")
    return None if said is None else said.encode()


def _count(said: Any) -> int | None:
    """A position or a time; Kafka writes -1 where it knows none."""
    if said is not None and not (isinstance(said, int) and said < _NEVER):
        raise TypeError("positions and times are whole numbers of at most 63 bits")
    return None if said is None or said < 0 else said
