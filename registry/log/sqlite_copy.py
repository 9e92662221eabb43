"""Copies of an SQLite file, whole or not at all: a backup of one in use, and a new log made of a backup.

Knows nothing of what the bytes mean. A copy grows beside its place and is moved there when it is on the disk.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from msgspec.structs import astuple

from registry.envelope import Batch, Entry
from registry.errors import StoreDisagrees, StoreUnusable
from registry.log.door import wall_clock_ms
from registry.log.sqlite import INSERT
from registry.log.sqlite_file import BESIDE, FileLock, connect, damage, path_of
from registry.log.sqlite_history import connect_ours


def back_up(url: str, target: Path) -> None:
    """Copy all that is committed in the file of a store URL to a new file, while another process goes on writing.

    Raises StoreUnusable when the store cannot be read or the copy cannot be written, StoreDisagrees when there is a
    file already.
    """
    _copy(path_of(url), target, lambda _connection: None)


def restore(backup: Path, url: str, last: Entry) -> None:
    """Make the file of a store URL from a backup: a log of its own, with another UUID and one more entry.

    Raises StoreUnusable when the backup cannot be read or the file cannot be written, StoreDisagrees when there is a
    file already.
    """
    target = path_of(url)
    lock = FileLock(target)
    try:
        _copy(backup, target, lambda connection: _begin_anew(connection, last))
    finally:
        lock.release()


def _begin_anew(connection: sqlite3.Connection, last: Entry) -> None:
    ((end,),) = connection.execute("SELECT coalesce(max(position), 0) FROM log")
    (logged,) = Batch.appended(end, wall_clock_ms(), [last]).entries
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE identity SET uuid = ?", (str(uuid4()),))
    connection.execute(INSERT, (*astuple(logged), str(uuid4())))
    connection.execute("COMMIT")


def _copy(source: Path, target: Path, finish: Callable[[sqlite3.Connection], None]) -> None:
    # A write-ahead log that is left from an older file would be read into the new one.
    for name in (f"{target}{ending}" for ending in BESIDE):
        if Path(name).exists():
            raise StoreDisagrees(f"{name} exists already, and nothing is overwritten")
    growing = Path(f"{target}.growing")
    with closing(connect_ours(source)) as original:
        try:
            _remove(growing)
            # One read transaction: it holds up neither the writer nor its checkpoints.
            original.execute("VACUUM INTO ?", (str(growing),))
            with closing(connect(growing)) as copy:
                # A journal on the disk would outlive a kill and be played back into the next copy of this name.
                copy.execute("PRAGMA journal_mode = MEMORY")
                _check(source, copy)
                # Not the mark of the file in use, in whose place somebody may put the copy.
                copy.execute("PRAGMA user_version = 0")
                finish(copy)
            _put(growing, target)
        except (sqlite3.Error, OSError) as error:
            raise StoreUnusable(f"{source} cannot be copied to {target}: {error}") from error
        finally:
            _remove(growing)


def _remove(growing: Path) -> None:
    """Leave nothing of a copy that did not become one, its journal included."""
    for ending in BESIDE:
        Path(f"{growing}{ending}").unlink(missing_ok=True)


def _check(source: Path, copy: sqlite3.Connection) -> None:
    if found := damage(copy):
        raise StoreUnusable(f"{source} is damaged: {found}")


def _put(growing: Path, target: Path) -> None:
    """Move a file to its place so that it is there, whole, after a power failure too."""
    _sync(growing)
    growing.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
