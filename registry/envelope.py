"""The envelope around a record: what a log adds to key and value.

Owns positions and batches; refuses to know what the bytes mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct


class Entry(NamedTuple):
    """A record on its way into the log: key and value as in the `_schemas` topic, and who asked for it.

    timestamp_ms: when it was appended to the log that it is copied from; None says now.
    """

    key: bytes
    value: bytes | None
    author: str | None = None
    timestamp_ms: int | None = None


class Logged(Struct, frozen=True, gc=False):
    """A record with its place in the log; `timestamp_ms` is when it was appended, in ms since 1970."""

    position: int
    timestamp_ms: int
    key: bytes
    value: bytes | None
    author: str | None = None


class Batch(Struct, frozen=True):
    """One or more whole commits in commit order: all that the log holds after `after` and up to `end`."""

    after: int
    end: int
    entries: tuple[Logged, ...]

    @classmethod
    def appended(cls, after: int, timestamp_ms: int, entries: Sequence[Entry]) -> Batch:
        """The commit that these entries become right behind the position `after`; `timestamp_ms` says now."""
        logged = tuple(
            Logged(position, timestamp_ms if first_ms is None else first_ms, key, value, author)
            for position, (key, value, author, first_ms) in enumerate(entries, after + 1)
        )
        return cls(after, after + len(logged), logged)
