"""A log in memory: for tests and for trying things out; gone with the process."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID, uuid4

from registry.envelope import Batch, Logged
from registry.errors import StoreUnusable
from registry.log.door import BATCH_ENTRIES, Clock, Door, HeldTurn, gone_backwards, nothing_to_follow


async def open_url(url: str, clock: Clock) -> MemoryLog:
    """Open an empty log for the URL `memory:`."""
    if url != "memory:":
        raise StoreUnusable("A store in memory has no name: its URL is memory: and nothing more.")
    return MemoryLog(clock)


class MemoryLog:
    """Entries and the ends of their commits, in two lists."""

    def __init__(self, clock: Clock) -> None:
        self.uuid: Final[UUID] = uuid4()
        self.alarm: Final = None
        self.shared: Final = False
        self.file: Final = None
        self._entries: list[Logged] = []
        self._ends: list[int] = []
        self._door = Door(clock)

    async def read(self, after: int) -> AsyncIterator[Batch]:
        """Everything after a position; see the protocol."""
        while batch := self._batch(after):
            yield batch
            after = batch.end

    def follow(self) -> AsyncIterator[None]:
        """Nothing: there is one writer."""
        return nothing_to_follow()

    @asynccontextmanager
    async def turn(self, after: int) -> AsyncIterator[HeldTurn]:
        """Wait for the door and hold it; see the protocol."""
        async with self._door:
            end = await self.end()
            if after > end:
                raise gone_backwards(end, after)
            missed = Batch(after, end, tuple(self._entries[after:]))
            yield HeldTurn(self._door, missed, self._write)

    async def end(self) -> int:
        """The position of the last entry, 0 when there is none."""
        return len(self._entries)

    async def damage(self) -> None:
        """Nothing: there is no file."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def _write(self, batch: Batch) -> None:
        self._entries += batch.entries
        self._ends.append(batch.end)

    def _batch(self, after: int) -> Batch | None:
        # Positions are dense here: the entry at position n has index n - 1.
        if after >= len(self._entries):
            return None
        # A batch ends with a commit, never within one.
        last = bisect_left(self._ends, min(after + BATCH_ENTRIES, len(self._entries)))
        end = self._ends[last]
        return Batch(after, end, tuple(self._entries[after:end]))
