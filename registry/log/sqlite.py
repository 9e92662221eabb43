"""A log in an SQLite file: the default, for one process.

Owns the commits and their moments; knows nothing of what the bytes mean. One thread writes, another reads; every
commit is synced to the disk before it is answered.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from importlib import import_module
from itertools import starmap
from pathlib import Path
from typing import Final, ParamSpec, TypeVar
from uuid import UUID, uuid4

from msgspec.structs import astuple

from registry.envelope import Batch, Logged
from registry.errors import StoreFailed, StoreUnusable
from registry.log.door import BATCH_ENTRIES, Clock, Door, HeldTurn, gone_backwards, nothing_to_follow
from registry.log.sqlite_file import (
    FileLock,
    claim,
    connect,
    damage,
    empty_write_ahead_log,
    failure,
    hold,
    is_between,
    is_current,
    lying_at,
    make_reader,
    make_writer,
    mark,
    mark_in,
    mark_of,
    path_of,
    unusable,
)

P = ParamSpec("P")
T = TypeVar("T")

MOVED: Final = (
    "The file of the store, or what lies beside it, was moved, deleted or replaced while it was in use,"
    " and nothing is written to it"
)
OVERWRITTEN: Final = "The file of the store was overwritten while it was in use, and nothing is written to it"
TAKEN: Final = "Another process wrote to the file of the store while it was in use, and nothing is written to it"
INSERT: Final = """
INSERT INTO log (position, timestamp_ms, key, value, author, commit_id) VALUES (?, ?, ?, ?, ?, ?)
"""
_COMMITTED: Final = "SELECT 1 FROM log WHERE position = ? AND commit_id = ?"
BATCH: Final = """
SELECT position, timestamp_ms, key, value, author
FROM log
WHERE position > :after AND position <= coalesce(
    (SELECT position FROM log WHERE position >= :after + :entries AND commit_id IS NOT NULL ORDER BY position LIMIT 1),
    9223372036854775807
)
ORDER BY position
"""

_CHECKPOINT_IDLE_SECONDS: Final = 0.25
_CHECKPOINT_BYTES: Final = 8 * 1024 * 1024
"""A checkpoint moves the write-ahead log into the file: when nothing was written for a moment, or when the log has
grown by this much, and then after the answer of a commit, never inside one."""

_COMMIT_BYTES: Final = 3 * 4096
"""What a commit adds to the write-ahead log at least: pages of the table, and what they overflow into."""

_AHEAD: Final = 2**20
"""A mark that is so little ahead is of the same log, written on by another process."""

_logger = logging.getLogger(__name__)


async def open_url(url: str, clock: Clock) -> SqliteLog:
    """Open the log in the file of a URL like `sqlite:signet.db`, making it when it is not there.

    Raises StoreUnusable, with one sentence, when the file is taken by another process or cannot be used.
    """
    path = path_of(url)
    try:
        return await asyncio.to_thread(_open, path, clock)
    except sqlite3.Error as error:
        raise unusable(path, error) from error


def _open(path: Path, clock: Clock) -> SqliteLog:
    with ExitStack() as undo:
        lock = FileLock(path)
        undo.callback(lock.release)
        writer = undo.enter_context(closing(connect(path)))
        # Whose file it is comes first: another program's is left as it is, to its journal mode.
        claim(writer, path)
        make_writer(writer, path)
        # After SQLite has opened it for writing: under an overlay file system that makes another file of it.
        descriptor = hold(path)
        undo.callback(os.close, descriptor)
        if not is_current(writer):
            import_module("registry.log.sqlite_tables").migrate(writer, str(path))
        reader = undo.enter_context(closing(connect(path)))
        make_reader(reader)
        identity = writer.execute("SELECT uuid FROM identity").fetchone()
        if identity is None:
            raise StoreUnusable(f"{path} holds no whole log: its identity is missing")
        log = SqliteLog(path, descriptor, UUID(*identity), lock, writer, reader, clock)
        undo.pop_all()
        return log


class SqliteLog:
    """One file, one thread that commits and checkpoints, one that reads."""

    def __init__(
        self,
        path: Path,
        descriptor: int,
        uuid: UUID,
        lock: FileLock,
        writer: sqlite3.Connection,
        reader: sqlite3.Connection,
        clock: Clock,
    ) -> None:
        ((end,),) = writer.execute("SELECT coalesce(max(position), 0) FROM log")
        self.uuid: Final = uuid
        self.shared: Final = False
        self.file: Final = path
        self.alarm: str | None = None
        self._opened = lying_at(path)
        self._descriptor = descriptor
        self._end: int = end
        self._newest_mark = mark_of(uuid, end)
        self._mark = mark(writer, descriptor, self._newest_mark)
        """The mark that was last found in the file: it grows with each checkpoint, whoever makes it."""
        self._lock = lock
        self._writer = writer
        self._reader = reader
        # One connection commits and checkpoints, on one thread: SQLite up to 3.51.2 can corrupt a file when two
        # connections do so at the same instant.
        self._writing = ThreadPoolExecutor(1, "log-writer")
        self._reading = ThreadPoolExecutor(1, "log-reader")
        self._door = Door(clock)
        self._is_closed = False
        self._unmoved_bytes = 0
        self._idle_timer: asyncio.TimerHandle | None = None

    async def read(self, after: int) -> AsyncIterator[Batch]:
        """Everything after a position; see the protocol."""
        while batch := await self._in(self._reading, self._batch, after):
            yield batch
            after = batch.end

    def follow(self) -> AsyncIterator[None]:
        """Nothing: there is one writer."""
        return nothing_to_follow()

    @asynccontextmanager
    async def turn(self, after: int) -> AsyncIterator[HeldTurn]:
        """Wait for the door and hold it; see the protocol."""
        async with self._door:
            # Nobody else writes: what can be missed is an append of our own whose caller was cancelled.
            if after > self._end:
                raise gone_backwards(self._end, after)
            missed = [batch async for batch in self.read(after)] if after < self._end else []
            entries = tuple(entry for batch in missed for entry in batch.entries)
            yield HeldTurn(self._door, Batch(after, self._end, entries), self._write)

    async def end(self) -> int:
        """The position of the last entry, 0 when there is none."""
        return self._end

    async def damage(self) -> str | None:
        """What SQLite finds damaged in any page of the file; see the protocol."""
        return await self._in(self._reading, damage, self._reader)

    async def close(self) -> None:
        """Close the file, moving the write-ahead log into it, and let the next process in."""
        async with self._door:
            if self._is_closed:
                return
            self._is_closed = True
            if self._idle_timer:
                self._idle_timer.cancel()
            await self._in(self._reading, self._reader.close)
            await self._in(self._writing, self._close_writer)
            self._reading.shutdown()
            self._writing.shutdown()
            # Not before: to close any descriptor of a file drops all locks that SQLite holds on it.
            os.close(self._descriptor)
            self._lock.release()

    async def _in(self, thread: ThreadPoolExecutor, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(thread, partial(work, *args, **kwargs))
        except (sqlite3.Error, OSError) as error:
            raise failure(error) from error

    def _batch(self, after: int) -> Batch | None:
        if self.alarm == OVERWRITTEN:
            return None
        rows = self._reader.execute(BATCH, {"after": after, "entries": BATCH_ENTRIES})
        entries = tuple(starmap(Logged, rows))
        return Batch(after, entries[-1].position, entries) if entries else None

    async def _write(self, batch: Batch) -> None:
        await self._in(self._writing, self._commit, batch, str(uuid4()))
        self._end = batch.end
        self._plan_checkpoint(_COMMIT_BYTES + sum(len(entry.key) + len(entry.value or b"") for entry in batch.entries))

    def _commit(self, batch: Batch, commit_id: str) -> None:
        self._look_at_file()
        if self.alarm:
            raise StoreFailed(self.alarm)
        newest_mark = mark_of(self.uuid, batch.end)
        *others, last = batch.entries
        try:
            with self._transaction():
                self._writer.executemany(INSERT, [(*astuple(entry), None) for entry in others])
                self._writer.execute(INSERT, (*astuple(last), commit_id))
                self._writer.execute(f"PRAGMA user_version = {newest_mark}")
        except sqlite3.Error:
            # A commit can fail behind the point where it counts.
            if not self._writer.execute(_COMMITTED, (batch.end, commit_id)).fetchone():
                raise
        self._newest_mark = newest_mark

    def _look_at_file(self) -> None:
        """Set the alarm unless the file lies where it was opened and is what it was: SQLite would write to it wherever
        and whatever it is, and the next start would not find that.
        """
        if self.alarm == OVERWRITTEN:
            # For good, also when the file is back: its write-ahead log lies where no start would look for it.
            return
        found, alarm = mark_in(self._descriptor), None
        if not is_between(found, self._mark, self._newest_mark):
            # A second registry, let in by whoever deleted the lock file: the write-ahead log is its own too.
            ahead = is_between(found, self._newest_mark, self._newest_mark + _AHEAD)
            alarm = TAKEN if ahead else OVERWRITTEN
        else:
            self._mark = found
            if lying_at(self.file) != self._opened:
                alarm = MOVED
        if alarm != self.alarm:
            self._part(alarm)
        self.alarm = alarm

    def _part(self, alarm: str | None) -> None:
        """Leave nothing that a start would take for a part of the file that lies there now."""
        if alarm == MOVED:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        elif alarm == OVERWRITTEN:
            left = Path(f"{self.file}-wal.left")
            with suppress(FileNotFoundError):
                Path(f"{self.file}-wal").rename(left)
            _logger.error("%s; what was not in it yet is put aside in %s", alarm, left)

    def _close_writer(self) -> None:
        self._look_at_file()
        if self.alarm == OVERWRITTEN:
            # Keeps SQLite from moving its write-ahead log into the file.
            self._writer.interrupt()
        self._writer.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # A deferred transaction would fail at its first write, without waiting, while a person holds the file.
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._writer.execute("COMMIT")
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")

    def _plan_checkpoint(self, written_bytes: int) -> None:
        self._unmoved_bytes += written_bytes
        if self._idle_timer:
            self._idle_timer.cancel()
        if self._unmoved_bytes >= _CHECKPOINT_BYTES:
            self._checkpoint(is_idle=False)
        else:
            # Nothing is left of it when idle: after kill -9 it would be taken for a part of whatever file lies there.
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(_CHECKPOINT_IDLE_SECONDS, partial(self._checkpoint, is_idle=True))

    def _checkpoint(self, *, is_idle: bool) -> None:
        self._unmoved_bytes = 0
        move = partial(self._move_write_ahead_log, is_idle=is_idle)
        asyncio.get_running_loop().run_in_executor(self._writing, move).add_done_callback(self._moved)

    def _moved(self, moving: asyncio.Future[bool]) -> None:
        # Whoever read meanwhile, as a backup does, will have ended some time.
        if not moving.result() and not self._is_closed:
            self._plan_checkpoint(0)

    def _move_write_ahead_log(self, *, is_idle: bool) -> bool:
        """Move the write-ahead log into its file, all of it when idle; tell whether no more can be done for now."""
        try:
            self._look_at_file()
            if self.alarm == OVERWRITTEN:
                return True
            if is_idle:
                is_done = empty_write_ahead_log(self._writer)
            else:
                is_done = True
                self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self._mark = mark_in(self._descriptor)
        except (sqlite3.Error, OSError) as error:
            # Nothing is lost: what was not moved stays in the write-ahead log until the next time.
            _logger.warning("The write-ahead log of the store could not be moved into its file: %s", error)
            return True
        return is_done
