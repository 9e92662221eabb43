"""Schema resolution as fastavro does it: which part of the reader's schema a part of the writer's is read as.

Answers only what is certain; where fastavro would refuse or where its answer is not plain, it says None, and the
message is left to fastavro.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from serdes.codec.definitions import NAMED, Definitions, type_word

_Json: TypeAlias = Mapping[str, Any]
PROMOTIONS = {
    ("int", "long"): "",
    ("int", "float"): "float",
    ("int", "double"): "float",
    ("long", "float"): "float",
    ("long", "double"): "float",
    ("float", "double"): "",
    ("string", "bytes"): "encode",
    ("bytes", "string"): "decode",
}


class Resolution:
    """Writer's and reader's named types, and what matches what."""

    def __init__(self, writer: Definitions, reader: Definitions) -> None:
        self.writer = writer
        self.reader = reader

    def reading(self, written: Any, reading: Any) -> Any | None:
        """The reader's schema, or the branch of its union, that a type (no union) is read as; None when in doubt."""
        candidates = reading if isinstance(reading, list) else [reading]
        if any(isinstance(candidate, list) for candidate in candidates):
            return None  # a union inside a union, which Avro does not know
        for candidate in candidates:
            verdict = self._match(written, candidate)
            if verdict is None:
                return None
            if verdict:
                return candidate
        return None

    def _match(self, written: Any, reading: Any) -> bool | None:
        """Whether fastavro matches two types; None when in doubt."""
        written, reading = self.writer.resolved(written), self.reader.resolved(reading)
        if isinstance(written, list) or isinstance(reading, list):
            return True
        word, other = type_word(written), type_word(reading)
        if word in NAMED and other in NAMED:
            return self._match_named(written, reading)
        if word == other == "array":
            return self._match(written["items"], reading["items"])
        if word == other == "map":
            return self._match(written["values"], reading["values"])
        return word == other or (word, other) in PROMOTIONS

    def _match_named(self, written: dict[str, Any], reading: dict[str, Any]) -> bool | None:
        if written["type"] != reading["type"]:
            # fastavro compares the names only, and then reads the one as the other.
            return None
        if written["type"] == "fixed" and written["size"] != reading["size"]:
            return False
        full, aliases = written["name"], reading.get("aliases", ())
        short = full.rpartition(".")[2]
        return short == reading["name"].rpartition(".")[2] or full in aliases or short in aliases


@dataclass(frozen=True, slots=True)
class ReadField:
    """A field as it comes in the data: its type, the name it gets (None: skipped), the type it is read as."""

    written: Any
    target: str | None
    reading: Any


@dataclass(frozen=True, slots=True)
class ReadFields:
    """The fields of a record in the data's order, and the defaults for those that are not in the data."""

    written: tuple[ReadField, ...]
    defaults: tuple[tuple[str, Any], ...]


# What reads a field that the reader does not have.
_SKIPPED: Final[_Json] = {"name": None, "type": None}


def record_fields(written: dict[str, Any], reading: dict[str, Any] | None) -> ReadFields | None:
    """What to do with each field of a record; None when a field is missing that has no default."""
    if reading is None:
        return ReadFields(tuple(ReadField(field["type"], field["name"], None) for field in written["fields"]), ())
    by_name = {field["name"]: field for field in reading["fields"]}
    by_alias = {alias: field for field in reading["fields"] for alias in field.get("aliases", ())}
    found: list[ReadField] = []
    for field in written["fields"]:
        target = _target(field["name"], by_name, by_alias)
        found.append(ReadField(field["type"], target["name"], target["type"]))
        if target is not _SKIPPED and by_name.pop(target["name"], None) is None:
            return None
    if any("default" not in field for field in by_name.values()):
        return None
    return ReadFields(tuple(found), tuple((field["name"], field["default"]) for field in by_name.values()))


def _target(name: str, by_name: Mapping[str, _Json], by_alias: Mapping[str, _Json]) -> _Json:
    """The reader's field that a field of the writer is read as."""
    return by_name.get(name) or by_alias.get(name, _SKIPPED)


def enum_symbols(written: dict[str, Any], reading: dict[str, Any] | None) -> dict[int, str]:
    """The symbol to return for each number in the data; numbers that fastavro refuses are missing."""
    numbered = enumerate(written["symbols"])
    if reading is None:
        return dict(numbered)
    known, default = set(reading["symbols"]), reading.get("default")
    readable = {index: symbol if symbol in known else default for index, symbol in numbered}
    return {index: symbol for index, symbol in readable.items() if symbol}
