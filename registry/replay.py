"""From a log to the state that it adds up to: by a snapshot as far as there is one, and by its records from there on.

Owns when a snapshot is of use and when a new one is due; refuses to know its format, and what the records mean. The
file of a snapshot may be lost, old or damaged at any time: then all records are read, which only takes longer.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Final

from msgspec.msgpack import encode

from registry.errors import RegistryError
from registry.log.protocol import Log
from registry.records import UnreadableRecordError
from registry.rules.subjects import EVERY_CONTEXT
from registry.snapshot import FORMAT, Head, Part, UnfitSnapshotError, frames, may_be_replaced, read_head, read_parts
from registry.state import State

MANY_RECORDS: Final = 10_000
"""Fewer are read in a moment: they are worth no snapshot, and no care for what they leave in memory."""

NEW_PART: Final = 8
"""A snapshot is due when more than one in so many records is new: what writing it costs stays small beside them."""

CHECK_SECONDS: Final = 10.0
"""How often a node that serves looks whether a snapshot is due."""

OnReplay = Callable[[int, int], None]
"""Is told how far a replay has come: the position reached, and the one to reach."""

_logger = logging.getLogger(__name__)


class SnapshotFile:
    """The file of a snapshot of what a log adds up to; none where there is no path for one."""

    def __init__(self, log: Log, path: Path | None) -> None:
        self._log = log
        self._path = path
        self._position = 0
        """The position of the snapshot that was read or written last, or could not be written; 0 before the first."""

    async def read(self, on_part: Callable[[int], None]) -> State:
        """The state of the snapshot, or an empty one where that is of no use; `on_part` is told how far it has come."""
        if self._path is None:
            return State()
        try:
            _check_kind(self._path)
            with await asyncio.to_thread(self._path.open, "rb") as file:
                head, size = read_head(file), self._path.stat().st_size
                await self._check(head)
                state = State.of_snapshot(_told(read_parts(file), lambda: on_part(head.position * file.tell() // size)))
        except FileNotFoundError:
            return State()
        except (OSError, UnfitSnapshotError, KeyError, UnreadableRecordError) as reason:
            _logger.warning("The snapshot of the state in %s is of no use, the log is replayed: %s", self._path, reason)
            return State()
        self._position = state.position
        return state

    @property
    def wanted(self) -> bool:
        """Whether there is a path for one."""
        return self._path is not None

    async def write_if_due(self, state: State, whole: Callable[[Iterator[Part]], Iterator[Part]] = iter) -> None:
        """Write a snapshot of a state that has many records more than the last one.

        whole: makes its parts out of those of the state, for one that has not all in memory.
        """
        few = max(MANY_RECORDS, state.position // NEW_PART)
        if self._path is None or state.position - self._position <= few:
            return
        position, parts = state.position, state.snapshot()
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            _check_kind(self._path)
            await asyncio.to_thread(_check_content, self._path)
            head = Head(FORMAT, self._log.uuid, position, await self._entry_at(position))
            await _write(beside, frames(head, whole(parts)))
            await asyncio.to_thread(beside.replace, self._path)
        except (OSError, RegistryError, UnfitSnapshotError) as reason:
            _logger.warning("No snapshot of the state could be written to %s: %s", self._path, reason)
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        self._position = position

    async def _check(self, head: Head) -> None:
        if head.log != self._log.uuid or head.entry != await self._entry_at(head.position):
            raise UnfitSnapshotError("it is not of this log")

    async def _entry_at(self, position: int) -> bytes:
        """The digest of an entry.

        Raises UnfitSnapshotError if the log has none there: it ends earlier, or is another one than it was.
        """
        batch = await anext(aiter(self._log.read(position - 1)), None)
        if batch is None or batch.entries[0].position != position:
            raise UnfitSnapshotError(f"the store has no entry at position {position}")
        return blake2b(encode(batch.entries[0])).digest()


async def replay(log: Log, snapshot: SnapshotFile, on_replay: OnReplay | None = None) -> State:
    """The state at the end of a log; `on_replay` is told how far it has come, every few thousand records."""
    with _no_collection():
        end = await log.end()

        def reached(position: int) -> None:
            if on_replay is not None:
                on_replay(position, end)

        state = await snapshot.read(reached)
        async for batch in log.read(state.position):
            state.advance(batch)
            reached(state.position)
        # The first list of subjects would hold the loop while all of them are put in order; after it little changes.
        state.names(EVERY_CONTEXT)
        if state.position > MANY_RECORDS:
            # What is in memory is not searched for garbage any more: it is much, and it stays.
            gc.freeze()
    return state


@asynccontextmanager
async def keeping(snapshot: SnapshotFile, state: State) -> AsyncIterator[None]:
    """Write a snapshot whenever one is due: at the start, while the state is in use, and at the end."""
    ending = asyncio.Event()
    writing = asyncio.create_task(_write_until(ending, snapshot, state))
    try:
        yield
    finally:
        ending.set()
        await writing


async def _write_until(ending: asyncio.Event, snapshot: SnapshotFile, state: State) -> None:
    while not ending.is_set():
        await snapshot.write_if_due(state)
        with suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), CHECK_SECONDS)
    await snapshot.write_if_due(state)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Look for no garbage: among what a replay leaves behind it would take a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _told(parts: Iterable[Part], on_part: Callable[[], None]) -> Iterator[Part]:
    for part in parts:
        yield part
        on_part()


def _check_kind(path: Path) -> None:
    """Raise OSError where something lies that is no file: a pipe would be waited for, and a device be replaced."""
    if path.exists() and not path.is_file():
        raise OSError("it is no file")


def _check_content(path: Path) -> None:
    """Raise OSError where a file lies that is no snapshot, and somebody else's."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        if not may_be_replaced(file.read(64)):
            raise OSError("what lies there is no snapshot")


async def _write(path: Path, pieces: Iterable[bytes]) -> None:
    # What lies there may be somebody else's, or lead elsewhere.
    await asyncio.to_thread(path.unlink, missing_ok=True)
    # For nobody else's eyes, as the store may be; and without a sync, since one that is not whole after a power failure
    # is found out.
    with await asyncio.to_thread(open, path, "xb", opener=partial(os.open, mode=0o600)) as file:
        for piece in pieces:
            await asyncio.to_thread(file.write, piece)
