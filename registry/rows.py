"""What a state is made of: the versions of subjects as rows, and what the ids mean that they hold.

Owns the values and the order of rows; refuses to know how they change.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter
from typing import Final, NamedTuple

from msgspec import Struct

from registry.model import Schema
from registry.records import SchemaValue

Id = tuple[str, int]
"""A schema id within its context."""


class Content(Struct, frozen=True, gc=False):
    """What a schema id means, and the 16 bytes of its GUID."""

    schema: Schema
    guid: bytes


class Row(Struct, frozen=True, gc=False):
    """A version of a subject; `position` and `timestamp_ms` are those of its latest record."""

    version: int
    id: int
    content: Content
    deleted: bool
    timestamp_ms: int
    position: int
    registered_ms: int
    author: str | None

    def value(self, *, deleted: bool) -> SchemaValue:
        """What a new record of this version says; a GUID that cannot be computed goes along."""
        schema, guid = self.content.schema, self.content.guid
        return SchemaValue(self.id, schema, deleted, None if schema.digest() == guid else guid)


class Versions(Struct, frozen=True, gc=False):
    """All rows of a subject in ascending order, and the position of the last change to any of them."""

    rows: tuple[Row, ...]
    stamp: int


class Holding(Struct, frozen=True, gc=False):
    """The content bound to an id, and the position of the last change to any row that holds it."""

    content: Content
    stamp: int


class Counts(NamedTuple):
    """How much a state holds; `schemas` are ids, each in its context."""

    subjects: int
    live_versions: int
    deleted_versions: int
    schemas: int
    contexts: int


NOTHING: Final = Versions((), 0)
"""The versions of a subject that has none."""
_by_version = attrgetter("version")


def row_of(rows: tuple[Row, ...], version: int) -> Row | None:
    """The row of a version, if there is one."""
    index = index_of(rows, version)
    return rows[index] if index < len(rows) and rows[index].version == version else None


def index_of(rows: tuple[Row, ...], version: int) -> int:
    """Where the row of a version is, or would be."""
    # Replay and writers nearly always append.
    if not rows or rows[-1].version < version:
        return len(rows)
    return bisect_left(rows, version, key=_by_version)
