"""Outlines: records and states in which a fingerprint stands for each schema text.

A state only ever compares texts, so that an outline answers every question that moving and checking a registry asks,
in half the memory or less. Owns what is left out of a record, and how it is put back; refuses to know what is done
with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from registry.envelope import Logged
from registry.log.protocol import History
from registry.records import Record, SchemaValue, UnreadableRecordError, read_record
from registry.rows import Content
from registry.snapshot import Histories, Meanings, Part, SnapshotRow
from registry.state import State
from registry.transfer.archive import Archive


class Fingerprint(str):
    """The SHA-256 of a text, which stands for it."""

    __slots__ = ()


def fingerprint(text: str) -> Fingerprint:
    """What stands for a text; a fingerprint stands for itself."""
    if isinstance(text, Fingerprint):
        return text
    return Fingerprint(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def outlined(record: Record) -> Record:
    """A record with the fingerprint of its text; the GUID, which cannot be computed any more, goes along."""
    value = record.value
    if not isinstance(value, SchemaValue) or isinstance(value.schema.text, Fingerprint):
        return record
    outline = replace(value.schema, text=fingerprint(value.schema.text))
    return Record(record.key, replace(value, schema=outline, md5=value.md5 or value.schema.digest()))


def filled_in(record: Record, text: str) -> Record:
    """The record whose outline this is and whose schema has this text."""
    value = record.value
    if not isinstance(value, SchemaValue):
        return record
    schema = replace(value.schema, text=text)
    return Record(record.key, replace(value, schema=schema, md5=None if value.md5 == schema.digest() else value.md5))


class Texts:
    """The texts that fingerprints stand for, set aside in a file."""

    def __init__(self) -> None:
        self._texts: Archive[_Text] = Archive(_Text)
        self._places: dict[str, int] = {}

    def keep(self, record: Record) -> None:
        """Set the text of a record aside, if it is the first one of this text."""
        if isinstance(record.value, SchemaValue):
            text = record.value.schema.text
            if self._places.setdefault(fingerprint(text), len(self._texts)) == len(self._texts):
                self._texts.append(text)

    def filled_in(self, content: Content) -> Content:
        """The content whose outline this is."""
        text = self._texts[self._places[content.schema.text]].text
        return replace(content, schema=replace(content.schema, text=text))


class _Text(NamedTuple):
    text: str


async def outline(history: History, texts: Texts | None = None) -> State:
    """The state that the whole history of a log adds up to, in outline.

    texts: where the texts of its schemas are kept, if anywhere.
    """
    state = State()
    async for batch in history.read(0):
        state.advance(batch, [_outline_of(logged, texts) for logged in batch.entries])
    return state


def _outline_of(logged: Logged, texts: Texts | None) -> Record | None:
    try:
        record = read_record(logged.key, logged.value)
    except UnreadableRecordError:
        # The state finds out by itself, and counts it.
        return None
    if texts is not None:
        texts.keep(record)
    return outlined(record)


def whole(parts: Iterable[Part], texts: Texts) -> Iterator[Part]:
    """The parts of the snapshot of a state, out of those of its outline."""
    for part in parts:
        match part:
            case Meanings():
                yield replace(part, ids=[(id_, stamp, texts.filled_in(content)) for id_, stamp, content in part.ids])
            case Histories():
                told = [(name, stamp, [_whole_row(row, texts) for row in rows]) for name, stamp, rows in part.subjects]
                yield replace(part, subjects=told)
            case _:
                yield part


def _whole_row(row: SnapshotRow, texts: Texts) -> SnapshotRow:
    content = row[7]
    return row if content is None else (*row[:7], texts.filled_in(content))
