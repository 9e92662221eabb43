"""Whether one schema can read what another writes, as far as a serializer must know before it borrows a schema.

Owns Avro's resolution rules without values; the registry's compatibility levels are not its business.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from serdes.codec.definitions import BELOW, RECORDS, Definitions, type_word
from serdes.codec.generated.resolution import Resolution, enum_symbols, record_fields
from serdes.codec.parsing import AvroSchema


def unreadable(reader: AvroSchema, writer: AvroSchema) -> str | None:
    """Why a reader cannot read what a writer writes; None when it can."""
    return _Check(Definitions(writer.tree), Definitions(reader.tree)).reason(writer.tree, reader.tree, "")


class _Check:
    def __init__(self, writer: Definitions, reader: Definitions) -> None:
        self._writer = writer
        self._reader = reader
        self._resolution = Resolution(writer, reader)
        self._seen: set[tuple[str, str]] = set()

    def reason(self, written: Any, reading: Any, path: str) -> str | None:
        written = self._writer.resolved(written)
        if isinstance(written, list):
            return self._first(self.reason(branch, reading, path) for branch in written)
        found = self._reader.resolved(self._resolution.reading(written, reading))
        if found is None:
            return f"{path or 'the root'}: {self._writer.name(written)} cannot be read as {self._told(reading)}"
        word = type_word(written)
        if word in RECORDS:
            return self._record(written, found, path)
        if word == "enum":
            readable = enum_symbols(written, found)
            unread = [symbol for index, symbol in enumerate(written["symbols"]) if index not in readable]
            return f"{path or 'the root'}: no symbol {', '.join(unread)}" if unread else None
        part = BELOW.get(word)
        return None if part is None else self.reason(written[part], found[part], f"{path}[]")

    def _record(self, written: Any, reading: Any, path: str) -> str | None:
        pair = (written["name"], reading["name"])
        # Under way already, or found readable: a type within itself is asked about once.
        if pair in self._seen:
            return None
        self._seen.add(pair)
        fields = record_fields(written, reading)
        if fields is None:
            return f"{path or 'the root'}: a field of {reading['name']} is missing and has no default"
        return self._first(
            self.reason(field.written, field.reading, f"{path}.{field.target}".lstrip("."))
            for field in fields.written
            if field.target is not None
        )

    def _told(self, reading: Any) -> str:
        branches = reading if isinstance(reading, list) else [reading]
        return " or ".join(map(self._reader.name, branches))

    def _first(self, reasons: Iterable[str | None]) -> str | None:
        return next((reason for reason in reasons if reason is not None), None)
