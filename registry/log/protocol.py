"""The promises that every storage engine keeps.

A log is one ordered sequence of records. It knows bytes and positions; it refuses to know what they mean.
Every engine passes tests/registry/log/test_promises.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from registry.envelope import Batch, Entry


class Turn(Protocol):
    """The right to append, held by one writer over all nodes."""

    @property
    def missed(self) -> Batch:
        """What other writers committed since the position that the turn was asked with; empty on a single node."""
        ...

    async def append(self, entries: Sequence[Entry]) -> Batch:
        """Append all entries as one commit, all or nothing, and answer with them at their positions.

        When this returns, they survive kill -9 and power loss. May be called once in a turn; a turn that ends
        without it changes nothing.

        Raises StoreFailed when nothing was written, SchemaTooLarge when the engine takes no such value, Overloaded
        while the store is out of reach. An unknown outcome is looked up before anything is raised.
        """
        ...


class Log(Protocol):
    """An append-only sequence of records with positions that only grow; the first position is 1."""

    @property
    def uuid(self) -> UUID:
        """This log's identity, made with it and changed only when a backup of it is restored."""
        ...

    def read(self, after: int) -> AsyncIterator[Batch]:
        """All commits after a position, whole and in commit order, in batches of moderate size; ends at the end."""
        ...

    def turn(self, after: int) -> AbstractAsyncContextManager[Turn]:
        """Wait for the door and hold it; `after` is the last position that the caller has applied."""
        ...

    async def end(self) -> int:
        """The barrier: a position such that no acknowledged entry lies beyond it."""
        ...

    async def close(self) -> None:
        """Let go of files and connections; what was appended stays."""
        ...
