"""The file of an SQLite log: its path, its lock, its connections, whose it is, and what is said when it is of no use.

One process per file: SQLite would let several in, but they starve each other, and each would decide on its own state.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import UUID

from registry.errors import Overloaded, RegistryError, SchemaTooLarge, StoreFailed, StoreUnusable

APPLICATION_ID: Final = 0x5369676E
"""Marks a file as a registry's (`Sign` in ASCII), in the header of the file."""

STEPS: Final = ("1 the log", "2 views for people")
"""Every change of the tables since the first version, in order; a step that was released never changes again."""

_MARK_OFFSET: Final = 60
"""Where `user_version` stands in a file; see https://www.sqlite.org/fileformat.html, section 1.3."""

_MARKS: Final = 2**31

BESIDE: Final = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps for a file: the endings of their names."""

_HELD_BYTE: Final = 0x40000000 + 512
"""A byte that nobody reads or writes: it lies in the page that SQLite leaves out for its locks, right behind them."""

_BUSY_TIMEOUT_SECONDS: Final = 10.0
"""How long a commit waits for a person who keeps the file locked with another tool."""

_UNUSABLE: Final = {
    sqlite3.SQLITE_NOTADB: "is not an SQLite database",
    sqlite3.SQLITE_CORRUPT: "is damaged; restore it from a backup",
    sqlite3.SQLITE_READONLY: "is read-only",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check the permissions of the file and its folder",
    sqlite3.SQLITE_BUSY: "is locked by another program",
    sqlite3.SQLITE_FULL: "cannot be written: the disk is full",
}


def path_of(url: str) -> Path:
    """The file that a store URL names: `sqlite:signet.db`, `sqlite:/var/lib/signet.db`.

    Raises StoreUnusable when the URL names none.
    """
    name = url.removeprefix("sqlite:")
    if name in ("", ":memory:") or "\0" in name or (name.startswith("//") and not name.startswith("///")):
        raise StoreUnusable("An SQLite store is written sqlite:FILE or sqlite:/FOLDER/FILE (one in memory is memory:)")
    try:
        path = Path(name).resolve()
    except (OSError, RuntimeError) as error:  # the latter for links that lead in a circle
        raise StoreUnusable(f"{name} cannot be found: {getattr(error, 'strerror', error)}") from error
    if path.is_dir():
        raise StoreUnusable(f"{path} is a folder, not an SQLite file")
    if path.exists() and not path.is_file():
        raise StoreUnusable(f"{path} is a pipe or a device, not an SQLite file")
    if not path.parent.is_dir():
        raise StoreUnusable(f"The folder {path.parent} does not exist")
    return path


def lying_at(path: Path) -> tuple[tuple[int, int] | None, ...]:
    """Which file lies at a path now, and which write-ahead log and which memory for its index lie beside it.

    Each by its device and number; None where there is none that can be reached.
    """
    return tuple(_number_of(f"{path}{ending}") for ending in BESIDE[:3])


def _number_of(name: str) -> tuple[int, int] | None:
    try:
        status = os.stat(name)  # noqa: PTH116 - with every commit, and a path would take several times as long to make
    except OSError:
        return None
    return status.st_dev, status.st_ino


def mark_of(uuid: UUID, position: int) -> int:
    """The number that the header of a file carries (as `user_version`) when a log has come to a position in it.

    One more for each position, from a beginning of each log's own: by the number in the header a file is told from an
    older copy of it and from another log's.
    """
    return (uuid.int + position) % _MARKS


def is_between(mark: int, first: int, last: int) -> bool:
    """Whether a mark is one of those from a first to a last one of a log."""
    return (mark - first) % _MARKS <= (last - first) % _MARKS


def mark_in(descriptor: int) -> int:
    """The mark in the header of an open file, read past SQLite, which would not notice that somebody else wrote to it.

    Raises OSError.
    """
    return int.from_bytes(os.pread(descriptor, 4, _MARK_OFFSET))


class FileLock:
    """The right to open a file, held until `release` or the end of the process, however it ends.

    The lock lies in a file of its own beside the database, which stays when the lock goes: only the kernel's flock
    on it counts, so nothing that a killed process leaves behind is in the way.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreUnusable(f"{path}.lock cannot be written: {error.strerror}") from error
        try:
            # Not on the database itself: closing any descriptor of it would drop the locks that SQLite holds on it.
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 20).decode("ascii", "replace").strip()
            os.close(self._file)
            raise StoreUnusable(f"{path} is in use by another process (process id {holder})") from None
        os.ftruncate(self._file, 0)
        os.write(self._file, b"%d\n" % os.getpid())

    def release(self) -> None:
        """Let the next process in."""
        os.close(self._file)


def hold(path: Path) -> int:
    """Open a file that SQLite has open, and keep every other process out of it, by whatever name it comes, until it is
    closed: the write-ahead log goes by the name, and with two of them each would overwrite what the other wrote.

    Raises StoreUnusable when another process is in it.
    """
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _HELD_BYTE)
    except (BlockingIOError, PermissionError):
        os.close(descriptor)
        raise StoreUnusable(
            f"{path} is in use by another process, which knows it by another name or whose lock file was deleted"
        ) from None
    return descriptor


def connect(path: Path) -> sqlite3.Connection:
    """A connection for one thread at a time, which need not be the one that opens or closes it."""
    return sqlite3.connect(path, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)


def connect_reading(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there, which can write nothing and never checkpoints."""
    return sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro",
        uri=True,
        timeout=_BUSY_TIMEOUT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def claim(connection: sqlite3.Connection, path: Path) -> None:
    """Mark a new file as ours.

    Raises StoreUnusable when the file belongs to another program.
    """
    if not is_ours(connection, path):
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether a file is a registry's; one that holds nothing is nobody's yet.

    Raises StoreUnusable when the file belongs to another program.
    """
    # Asked of the file itself: a name says nothing about whose it is.
    ((number,),) = connection.execute("PRAGMA application_id")
    if number != APPLICATION_ID and (number or _tables(connection)):
        raise StoreUnusable(f"{path} is an SQLite database of another program")
    return bool(number == APPLICATION_ID)


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether a file of ours has the tables of this program, neither older nor newer ones."""
    if "_sqlite_migrations" not in _tables(connection):
        return False
    done = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = 'signet' ORDER BY rowid")
    return tuple(name for (name,) in done) == STEPS


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def make_writer(connection: sqlite3.Connection, path: Path) -> None:
    """Make a connection the one that writes and checkpoints; what it commits is on the disk when it returns.

    Raises StoreUnusable when the file cannot be written.
    """
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreUnusable(f"{path} lies on a file system that cannot hold an SQLite write-ahead log")
    connection.execute("PRAGMA synchronous = FULL")
    # The commit that happens to fill the write-ahead log would have to wait for the checkpoint.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    # A file that can be read and not written is found out now rather than by the first registration.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("PRAGMA user_version = 1")
    connection.execute("ROLLBACK")


def mark(connection: sqlite3.Connection, descriptor: int, number: int) -> int:
    """Give a file the mark that it should have, and answer with the one that it has: a person who reads it keeps its
    header as it was, and so does a full disk. Only a new file, or one that was not closed, has another before.
    """
    with suppress(sqlite3.OperationalError):
        if connection.execute("PRAGMA user_version").fetchone() != (number,):
            connection.execute(f"PRAGMA user_version = {number}")
        # Also of what a killed process left, to which nothing may come for long.
        empty_write_ahead_log(connection)
    return mark_in(descriptor)


def empty_write_ahead_log(connection: sqlite3.Connection) -> bool:
    """Move the write-ahead log into its file and leave nothing of it, as far as those who read let it, without waiting
    for them; tell whether that is done.
    """
    with impatient(connection):
        ((is_held_up, *_),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return not is_held_up


@contextmanager
def impatient(connection: sqlite3.Connection) -> Iterator[None]:
    """Let a connection wait for nobody meanwhile: what others hold up is done in part."""
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_TIMEOUT_SECONDS * 1000)}")


def make_reader(connection: sqlite3.Connection) -> None:
    """Make a connection one that can neither write nor checkpoint."""
    connection.execute("PRAGMA query_only = 1")
    connection.execute("PRAGMA wal_autocheckpoint = 0")


def damage(connection: sqlite3.Connection) -> str | None:
    """What SQLite finds damaged in any page of a file, whether it holds records or not; None when all is well."""
    try:
        ((found,), *_) = connection.execute("PRAGMA integrity_check(1)")
    except sqlite3.DatabaseError as error:
        if _code(error) != sqlite3.SQLITE_CORRUPT:
            raise
        # So much is damaged that the check itself cannot go on.
        found = str(error)
    # Of several lines SQLite makes one finding.
    return None if found == "ok" else " ".join(found.removeprefix("*** in database main ***").split())


def unusable(path: Path, error: sqlite3.Error) -> StoreUnusable:
    """The sentence for a file that cannot be opened."""
    return StoreUnusable(f"{path} {_UNUSABLE.get(_code(error), f'cannot be used: {error}')}")


def failure(error: sqlite3.Error | OSError) -> RegistryError:
    """What a failed read or write is to the registry."""
    match _code(error):
        case sqlite3.SQLITE_TOOBIG:
            return SchemaTooLarge()
        case sqlite3.SQLITE_BUSY:
            return Overloaded("Another program keeps the file of the store locked")
        case sqlite3.SQLITE_FULL:
            return StoreFailed("The disk of the store is full")
        case _:
            return StoreFailed(f"The store failed: {error}")


def _code(error: Exception) -> int:
    # The lowest byte is the kind of error; the rest tells variants of it apart.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
