"""The door of a log within this process: one turn at a time, in order of arrival.

Owns what a turn may do and when the next one may begin; refuses to know how an engine writes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Final

from registry.envelope import Batch, Entry
from registry.errors import StoreFailed

BATCH_ENTRIES: Final = 2_000
"""After how many entries a batch of `read` ends, with the commit that reaches them."""

Clock = Callable[[], int]
"""Tells the time in milliseconds since 1970; it is data for readers, nothing is ordered by it."""


def wall_clock_ms() -> int:
    """The time of this machine."""
    return time.time_ns() // 1_000_000


def gone_backwards(end: int, seen: int) -> StoreFailed:
    """The error of a turn that was asked for from beyond the end."""
    return StoreFailed(f"The store ends at position {end}, but position {seen} was seen before: it has gone backwards")


async def nothing_to_follow() -> AsyncIterator[None]:
    """What `follow` is on an engine with one writer."""
    never: tuple[None, ...] = ()
    for hint in never:
        yield hint


class HeldTurn:
    """A turn: what was missed before it, and one append, carried out by the engine's `write`."""

    def __init__(self, door: Door, missed: Batch, write: Callable[[Batch], Coroutine[Any, Any, None]]) -> None:
        self.missed = missed
        self.appended = False
        self._door = door
        self._write = write

    async def append(self, entries: Sequence[Entry]) -> Batch:
        """Append all entries as one commit; see the protocol."""
        batch = Batch.appended(self.missed.end, self._door.clock(), entries)
        if not entries:
            return batch
        if self.appended:
            # A fault of ours, which no caller is meant to handle.
            raise RuntimeError("a turn appends once")
        self.appended = True
        await self._door.finish(self._write(batch))
        return batch


class Door:
    """Held by one turn at a time; stays shut until the append begun by that turn has ended.

    A cancelled caller must not let the next turn in while its append is being written: where the log ends is not
    known before that.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._lock = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A write that outlives its caller opens the door when it has ended.
        if self._writing is None:
            self._lock.release()
        else:
            self._writing.add_done_callback(self._open)

    async def finish(self, write: Coroutine[Any, Any, None]) -> None:
        """Run a write to its end, whatever becomes of the task that waits for it."""
        self._writing = asyncio.get_running_loop().create_task(write)
        await asyncio.shield(self._writing)

    def _open(self, written: asyncio.Task[None]) -> None:
        self._writing = None
        self._lock.release()
        if not written.cancelled():
            written.exception()  # the caller may be gone; asyncio would report an error that nobody looked at
