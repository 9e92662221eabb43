"""Connections to the PostgreSQL database of a log: where it is, how they come back, and what their errors mean.

No sentence of this module holds a password, and none that reaches a client says where the database is.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, TypeVar

import psycopg
from msgspec import Struct
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from registry.errors import Overloaded, RegistryError, SchemaTooLarge, StoreFailed, StoreUnusable

Answer = TypeVar("Answer")
Row = tuple[Any, ...]
Connection = psycopg.AsyncConnection[Row]

_DEFAULTS: Final = {
    "application_name": "signet",
    "connect_timeout": "3",
    # A peer that vanished without a word is noticed within about ten seconds, not after the system's two hours.
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}

_ROLLBACK_SECONDS: Final = 5.0

_logger = logging.getLogger(__name__)
# The driver warns of each statement that a lost connection took with it; the loss is told here, once.
logging.getLogger("psycopg").setLevel(logging.ERROR)


class Database(Struct, frozen=True):
    """Where a store URL leads: what the driver needs, and a name for sentences (`db.example:5432/signet`)."""

    conninfo: str
    place: str

    @classmethod
    def of(cls, url: str) -> Database:
        """Read a URL like `postgresql://user:password@host:5432/database`.

        Raises StoreUnusable when it is none, or when its password is not escaped: parts of it would be taken for
        the host or the database and be printed with them.
        """
        try:
            said = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
        except psycopg.ProgrammingError:
            said = {"port": "unreadable"}
        host, port, name = said.get("host", ""), said.get("port", ""), said.get("dbname", "")
        if "@" in host + name or (not port.replace(",", "").isdigit() and port):
            # What the driver says of such a URL would quote it.
            raise StoreUnusable(
                "The store URL cannot be read as postgresql://USER:PASSWORD@HOST:PORT/DATABASE;"
                " characters like @ : / in the password are written as %40 %3A %2F"
            )
        if "," in host:
            # Of several hosts, the one that takes writes.
            said.setdefault("target_session_attrs", "read-write")
        place = f"{host or 'localhost'}:{port or '5432'}/{name or said.get('user', '')}"
        return cls(make_conninfo("", **(_DEFAULTS | said)), place)

    async def connect(self) -> Connection:
        """Open a connection that begins no transaction by itself.

        No statement is prepared on it: between a node and the database may stand a PgBouncer that gives each
        transaction another connection.
        """
        return await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True, prepare_threshold=None)

    def unusable(self, error: psycopg.Error) -> StoreUnusable:
        """The sentence for a database that cannot be used at start."""
        if isinstance(error, psycopg.ProgrammingError) and not isinstance(error, psycopg.errors.InsufficientPrivilege):
            return StoreUnusable(f"The schema signet of the database {self.place} holds tables of another program")
        return StoreUnusable(f"The database {self.place} cannot be used: {_reason(error)}")


def _reason(error: psycopg.Error) -> str:
    first_line = str(error).partition("\n")[0]
    return first_line.rpartition("failed: ")[2].removeprefix("FATAL:").strip() or type(error).__name__


def is_refusal(error: psycopg.Error) -> bool:
    """Whether the database refused a statement and stands by; else what was under way may be done or not.

    One that has become read-only is left like one that is gone: another host may have taken over.
    """
    return error.diag.severity_nonlocalized == "ERROR" and not isinstance(error, psycopg.errors.ReadOnlySqlTransaction)


def failure(error: psycopg.Error) -> RegistryError:
    """What a failed statement is to the registry; the driver's own words go to the operator's log only."""
    if isinstance(error, psycopg.errors.ProgramLimitExceeded):
        return SchemaTooLarge()
    if isinstance(error, psycopg.errors.DiskFull):
        return StoreFailed("The disk of the store is full")
    if isinstance(error, (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled)) or not is_refusal(error):
        return Overloaded("The store is out of reach")
    return StoreFailed(f"The store failed ({error.sqlstate or type(error).__name__})")


class Line:
    """One connection to the database, made when it is needed and made again after it broke."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self._was_lost = False
        self.is_closed = False

    @asynccontextmanager
    async def within(self, seconds: float | None) -> AsyncIterator[Connection]:
        """Use the connection for as long as that, if given, then hang up: who waits on it is told that it broke.

        A connection on which anything failed is not used again, unless it was a refusal of the database.
        """
        is_whole = False
        async with self._lock:
            try:
                connection = await self._open()
                with _hanging_up(connection, seconds):
                    yield connection
                is_whole = True
            except psycopg.Error as error:
                is_whole = is_refusal(error)
                if not is_whole:
                    self._note_loss(error)
                raise
            finally:
                # Also when the task was cancelled: what it was waiting for would be the answer to the next question.
                if not is_whole:
                    self.drop()

    async def ask(self, seconds: float, question: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """Put a question that may be put twice; a connection that broke since its last use is found out by using it."""
        left = seconds
        if self._connection is not None:
            started = time.monotonic()
            try:
                async with self.within(seconds) as connection:
                    return await question(connection)
            except psycopg.Error as error:
                left = seconds - (time.monotonic() - started)
                if is_refusal(error) or left <= 0:
                    raise
        async with self.within(left) as connection:
            return await question(connection)

    async def roll_back(self) -> None:
        """End the transaction that is open on the connection, if one is."""
        if self._connection is not None:
            with suppress(psycopg.Error):  # the connection is gone, and the transaction with it
                async with self.within(_ROLLBACK_SECONDS) as connection:
                    await connection.execute("ROLLBACK")

    def drop(self) -> None:
        """Let go of the connection at once; the database ends what was open on it."""
        if self._connection is not None:
            self._connection.pgconn.finish()
            self._connection = None

    def close(self) -> None:
        """Let go of the connection for good."""
        self.is_closed = True
        self.drop()

    async def _open(self) -> Connection:
        if self.is_closed:
            raise psycopg.InterfaceError("the log is closed")
        if self._connection is None:
            self._connection = await self._database.connect()
            if self._was_lost:
                _logger.warning("The database %s is in reach again", self._database.place)
                self._was_lost = False
        return self._connection

    def _note_loss(self, error: psycopg.Error) -> None:
        if not self._was_lost:
            _logger.warning("The database %s is out of reach: %s", self._database.place, _reason(error))
        self._was_lost = True


@contextmanager
def _hanging_up(connection: Connection, seconds: float | None) -> Iterator[None]:
    if seconds is None:
        yield
        return
    timer = asyncio.get_running_loop().call_later(seconds, _hang_up, connection)
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(connection: Connection) -> None:
    # Only the socket is shut: the driver finds it so and cleans up, in the task that uses it.
    with suppress(OSError, psycopg.Error):
        wire = socket.socket(fileno=connection.fileno())
        try:
            wire.shutdown(socket.SHUT_RDWR)
        finally:
            wire.detach()
