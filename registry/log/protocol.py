"""The promises that every storage engine keeps.

A log is one ordered sequence of records. It knows bytes and positions; it refuses to know what they mean.
Every engine passes tests/registry/log/test_promises.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol
from uuid import UUID

from registry.envelope import Batch, Entry


class Turn(Protocol):
    """The right to append, held by one writer over all nodes."""

    @property
    def missed(self) -> Batch:
        """All that was committed since the position that the turn was asked with: by other nodes, or by an earlier
        append of this one whose caller was cancelled.
        """
        ...

    async def append(self, entries: Sequence[Entry]) -> Batch:
        """Append all entries as one commit, all or nothing, and answer with them at their positions.

        When this returns, they survive kill -9 and power loss. May be called once in a turn; a turn that ends
        without it changes nothing, nor does an append of no entries. An append that has begun goes on when the task
        awaiting it is cancelled, and the next turn finds it in `missed` if it came through.

        Raises StoreFailed when nothing was written, SchemaTooLarge when the engine takes no such value, Overloaded
        when nothing was written because the store is out of reach: to decide again in a new turn is right. An
        unknown outcome is looked up before anything is raised; StoreTimedOut means that it could not be found out,
        and a later turn will tell.
        """
        ...


class History(Protocol):
    """What of a log can be read while somebody else writes to it."""

    @property
    def uuid(self) -> UUID:
        """This log's identity, made with it and changed only when a backup of it is restored."""
        ...

    def read(self, after: int) -> AsyncIterator[Batch]:
        """All commits after a position, whole and in commit order, in batches of moderate size; ends at the end.

        Of a commit that the position lies within, the rest comes first.

        Raises Overloaded while the store is out of reach, StoreFailed when it cannot be read.
        """
        ...

    async def damage(self) -> str | None:
        """What the engine itself finds damaged in what it keeps, also where no record lies; None when all is well.

        Raises as `read` does.
        """
        ...

    async def close(self) -> None:
        """Let go of files and connections when the append under way has ended; what was appended stays.

        Closing what is closed does nothing.
        """
        ...


class Log(History, Protocol):
    """An append-only sequence of records with positions that only grow; the first position is 1."""

    @property
    def shared(self) -> bool:
        """Whether other nodes append to this log too, so that reads have to wait for the barrier."""
        ...

    @property
    def file(self) -> Path | None:
        """The file that this log is, beside which more may be kept that belongs to it; None where it is none."""
        ...

    @property
    def alarm(self) -> str | None:
        """Why this log takes no more appends until somebody looks after it, one sentence; None while all is well.

        Set for good when the store has gone backwards, and lost or replaced commits that this node has seen, or when
        the file that the log is was overwritten. Reading goes on with what was seen: `read` finds nothing new, and
        `end` stays where it was. Set by an append, and until the next one that finds it mended, when the file does not
        lie in its place any more.
        """
        ...

    def follow(self) -> AsyncIterator[None]:
        """Yield whenever another node may have committed something that was not read yet; then `read` it.

        A hint, and never the only one: it yields at least once a second while the log is shared, also while the
        store is out of reach. On an engine with one writer it ends at once. At most one task may follow.
        """
        ...

    def turn(self, after: int) -> AbstractAsyncContextManager[Turn]:
        """Wait for the door and hold it; `after` is the last position that the caller has applied.

        Turns are taken in order of arrival and are never refused for contention. Raises Overloaded while the store
        is out of reach, StoreFailed once it has gone backwards (see `alarm`).
        """
        ...

    async def end(self) -> int:
        """The barrier: a position such that no acknowledged entry lies beyond it.

        Raises Overloaded while the store is out of reach.
        """
        ...
