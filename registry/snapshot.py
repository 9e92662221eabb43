"""A snapshot: a state as bytes, from which a start has it back in a third of the time of a replay.

Owns the parts of a snapshot, how they are framed, and how a damaged one is found out; refuses to know where the bytes
lie, and what the state makes of the parts. A snapshot is never the truth: if one is of no use, the log has it all.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from itertools import chain, groupby, islice
from typing import BinaryIO, Final, TypeAlias, TypeVar
from uuid import UUID
from zlib import crc32

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, Encoder

from registry.model import Association, Subject
from registry.records import AssociationKey, SchemaKey
from registry.rows import Content, Holding, Id, Row, Versions

T = TypeVar("T")

FORMAT: Final = f"signet {version('signet')} snapshot 1"
"""Counts up whenever a part changes, or what a state makes of the records; no release reads the snapshot of another."""

PIECE: Final = 256
"""How many ids or subjects a part has at most."""

Meaning: TypeAlias = tuple[int, int, Content]
"""A schema id, the position of the last change to any row that holds it, and its content."""

SnapshotRow: TypeAlias = tuple[int, int, bool, int, int, int, str | None, Content | None]
"""A row as in `rows.Row`, with the content last, and only where it is not that of the id."""


class UnfitSnapshotError(Exception):
    """A snapshot that is damaged, or not of this program, log or state; the log has to be replayed."""


class Head(Struct, frozen=True, array_like=True, gc=False):
    """What a snapshot is of: a log up to a position; `entry` is the digest of the entry there."""

    format: str
    log: UUID
    position: int
    entry: bytes


class Meanings(Struct, frozen=True, array_like=True, tag=True, gc=False):
    """What ids of a context mean."""

    context: str
    ids: list[Meaning]


class Holders(Struct, frozen=True, array_like=True, tag=True, gc=False):
    """The versions that hold an id in the order in which they came, where there are several."""

    context: str
    number: int
    keys: list[SchemaKey]


class Referrers(Struct, frozen=True, array_like=True, tag=True, gc=False):
    """The versions that refer to a version in the order in which they came, where there are several."""

    target: SchemaKey
    keys: list[SchemaKey]


class Histories(Struct, frozen=True, array_like=True, tag=True, gc=False):
    """The versions of subjects of a context: name, position of the last change to any of them, rows."""

    context: str
    subjects: list[tuple[str, int, list[SnapshotRow]]]


class Rest(Struct, frozen=True, array_like=True, tag=True, gc=False):
    """All that there are few of; the last part, so that a snapshot that breaks off before it is none.

    settings: configs and modes, as keys and values of records; associations: with the times of their first and last
    change (ms).
    """

    position: int
    unreadable_records: int
    conflicting_records: int
    settings_stamp: int
    highest_ids: dict[str, int]
    contexts: list[str]
    settings: list[tuple[bytes, bytes]]
    associations: list[tuple[AssociationKey, Association, int, int]]


Part: TypeAlias = Meanings | Holders | Referrers | Histories | Rest

_FRAME: Final = struct.Struct(">II")
"""Before each part: its length in bytes, and their CRC-32."""
_encode: Final = Encoder().encode
_decode_head: Final = Decoder(Head).decode
_decode_part: Final = Decoder(Part).decode


def meanings(ids: Mapping[Id, Holding]) -> Iterator[Meanings]:
    """The parts that say what ids mean."""
    for context, piece in _by_context(ids.items(), lambda item: item[0][0]):
        yield Meanings(context, [(number, held.stamp, held.content) for (_, number), held in piece])


def histories(subjects: Iterable[tuple[Subject, Versions]], ids: Mapping[Id, Holding]) -> Iterator[Histories]:
    """The parts that say what versions subjects have, of the same moment as their ids."""
    for context, piece in _by_context(subjects, lambda item: item[0].context):
        told = [
            (subject.name, versions.stamp, [_told(row, ids[context, row.id].content) for row in versions.rows])
            for subject, versions in piece
        ]
        yield Histories(context, told)


def _told(row: Row, meant: Content) -> SnapshotRow:
    # Nearly every version says what its id means, which stands in the snapshot once already.
    content = None if row.content == meant else row.content
    return (row.version, row.id, row.deleted, row.timestamp_ms, row.position, row.registered_ms, row.author, content)


def rows_of(told: Iterable[SnapshotRow], context: str, ids: Mapping[Id, Holding]) -> tuple[Row, ...]:
    """The rows of a subject of a context, as they were.

    Raises KeyError when one has an id that means nothing.
    """
    return tuple(
        [
            Row(version, number, content or ids[context, number].content, deleted, ms, position, registered_ms, author)
            for version, number, deleted, ms, position, registered_ms, author, content in told
        ]
    )


def _by_context(items: Iterable[T], context: Callable[[T], str]) -> Iterator[tuple[str, list[T]]]:
    """Items in pieces of one context each."""
    for name, group in groupby(items, context):
        while piece := [*islice(group, PIECE)]:
            yield name, piece


def frames(head: Head, parts: Iterable[Part]) -> Iterator[bytes]:
    """A snapshot as bytes, a piece at a time."""
    for part in chain((head,), parts):
        # Each with a checksum of its own: a state is built while the file is read, long before its end is seen.
        said = _encode(part)
        yield _FRAME.pack(len(said), crc32(said)) + said


def may_be_replaced(beginning: bytes) -> bool:
    """Whether what begins so is a snapshot, of whatever release, or one of which a power failure left nothing."""
    return b" snapshot " in beginning[:64] or not beginning.strip(b"\0")


def read_head(file: BinaryIO) -> Head:
    """What the snapshot in a file is of.

    Raises UnfitSnapshotError when it is none, or one of another program.
    """
    try:
        head = _decode_head(_frame(file))
    except DecodeError as error:
        raise UnfitSnapshotError(f"its head cannot be read: {error}") from error
    if head.format != FORMAT:
        raise UnfitSnapshotError("another version of this program wrote it")
    return head


def read_parts(file: BinaryIO) -> Iterator[Part]:
    """The parts that follow the head, `Rest` last.

    Raises UnfitSnapshotError where the snapshot is damaged.
    """
    part: Part | None = None
    while not isinstance(part, Rest):
        try:
            part = _decode_part(_frame(file))
        except DecodeError as error:
            raise UnfitSnapshotError(f"a part of it cannot be read: {error}") from error
        yield part


def _frame(file: BinaryIO) -> bytes:
    before = file.read(_FRAME.size)
    if len(before) < _FRAME.size:
        raise UnfitSnapshotError("it breaks off")
    length, checksum = _FRAME.unpack(before)
    # However wrong a length is, no more is read than the file has.
    said = file.read(length)
    if len(said) != length or crc32(said) != checksum:
        raise UnfitSnapshotError("it is damaged")
    return said
