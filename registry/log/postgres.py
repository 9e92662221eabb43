"""A log in a PostgreSQL database, shared by any number of equal nodes.

Who locks the one row of `signet.head` has the turn: commits come in the order of their positions, and a turn is one
transaction of two round trips. All locks end with their transaction, so a PgBouncer may stand in between.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID, uuid4

import psycopg

from registry.envelope import Batch, Logged
from registry.errors import Overloaded, StoreFailed, StoreTimedOut, StoreUnusable
from registry.log.door import BATCH_ENTRIES, Clock, Door, HeldTurn, gone_backwards
from registry.log.postgres_line import Connection, Database, Line, Row, failure, is_refusal
from registry.log.postgres_tables import migrate

# A turn is two messages of several statements each. In libpq's pipeline mode it would be two round trips as well, but
# a request to flush, which the driver sends behind everything, stops the timer of a transaction that stands idle, and
# a node that is frozen between two statements would hold the lock for ever. The cursor is there because it is BINARY:
# under contention much is missed, and as text it would be twice as long.
# The isolation is said because the database may have another default, under which a turn that waited is refused.
_TAKE_TURN: Final = """
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT set_config('idle_in_transaction_session_timeout', '5s', true),
       set_config('lock_timeout', '10s', true),
       set_config('statement_timeout', '15s', true),
       set_config('synchronous_commit', coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on'), true);
SELECT uuid, position, (SELECT commit_id FROM signet.log WHERE position = %(seen)s) FROM signet.head FOR UPDATE;
DECLARE missed BINARY CURSOR FOR
    SELECT position, timestamp_ms, key, value, author, commit_id
    FROM signet.log
    WHERE position > %(after)s
    ORDER BY position;
FETCH ALL FROM missed
"""
# The head is moved only from where the turn found it, so an append outside of a turn would write nothing. A commit
# that waits for a standby must not be given up by a timeout: it would be done here, and not yet there.
_APPEND: Final = """
WITH
    moved AS (
        UPDATE signet.head SET position = %(end)s WHERE position = %(after)s
        RETURNING set_config('statement_timeout', '0', true)
    ),
    appended AS (
        INSERT INTO signet.log (position, timestamp_ms, key, value, author, commit_id)
        SELECT %(after)s + number, timestamp_ms, key, value, author,
               CASE %(after)s + number WHEN %(end)s THEN %(commit_id)s END
        FROM moved,
             unnest(%(times_ms)s::bigint[], %(keys)s::bytea[], %(values)s::bytea[], %(authors)s::bytea[])
             WITH ORDINALITY AS entry (timestamp_ms, key, value, author, number)
    )
SELECT pg_notify('signet', %(end)s::text) FROM moved;
COMMIT
"""
_HEAD: Final = "SELECT uuid, position, (SELECT commit_id FROM signet.log WHERE position = %b::bigint) FROM signet.head"
_BATCH: Final = """
SELECT position, timestamp_ms, key, value, author, commit_id
FROM signet.log
WHERE position > %b::bigint AND position <= coalesce(
    (SELECT position FROM signet.log
     WHERE position >= %b::bigint AND commit_id IS NOT NULL ORDER BY position LIMIT 1),
    9223372036854775807
)
ORDER BY position
"""
_TURN_SECONDS: Final = 30.0
"""How long a turn is waited for, behind nodes that stand still, before the store counts as out of reach."""

_LOOKUP_SECONDS: Final = 20.0
"""How long the outcome of a commit is looked for, on a database that went away in the middle of it."""

_NOT_WRITTEN: Final = "The store was out of reach for a moment, and nothing was written"

# After these the node hangs up. They are longer than what the settings of a turn allow, so that the database's own
# refusal comes first; what is left is a database, or a network, that says nothing any more.
_LOCK_SECONDS: Final = 12.0
_APPEND_SECONDS: Final = 10.0
_READ_SECONDS: Final = 15.0
_END_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 1.0
_GATHER_SECONDS: Final = 0.02
_RETRY_SECONDS: Final = 0.2

_logger = logging.getLogger(__name__)


class _Commit(NamedTuple):
    """A commit that this node knows: where it ends, and its id, by which it is told from another one there."""

    end: int
    id: UUID | None


async def open_url(url: str, clock: Clock) -> PostgresLog:
    """Open the log in the database of a URL like `postgresql://user:password@host/database`, making its tables.

    Raises StoreUnusable, with one sentence, when the database cannot be used.
    """
    database = Database.of(url)
    try:
        async with await database.connect() as connection:
            await _check_server(connection, database.place)
            await migrate(connection, database.place)
            row = await (await connection.execute("SELECT uuid FROM signet.head")).fetchone()
    except psycopg.Error as error:
        raise database.unusable(error) from error
    if row is None:
        raise StoreUnusable(f"The log in the database {database.place} has lost its head")
    return PostgresLog(database, row[0], clock)


async def _check_server(connection: Connection, place: str) -> None:
    cursor = await connection.execute(
        "SELECT current_setting('transaction_read_only'), current_setting('fsync'), current_setting('full_page_writes')"
    )
    read_only, *safeguards = await cursor.fetchone() or ()
    if read_only == "on":
        raise StoreUnusable(f"The database {place} is read-only")
    if "off" in safeguards:
        _logger.warning("The database %s runs without fsync: a power failure can lose what was acknowledged", place)


class PostgresLog:
    """Four connections: one for turns, one to read, one for the barrier, one that listens."""

    def __init__(self, database: Database, uuid: UUID, clock: Clock) -> None:
        self.uuid: Final = uuid
        self.shared: Final = True
        self.file: Final = None
        self.alarm: str | None = None
        # Apart, so that a barrier need not wait behind an export, nor a turn behind either.
        self._turns = Line(database)
        self._reads = Line(database)
        self._ends = Line(database)
        self._hints = Line(database)
        self._door = Door(clock)
        self._seen = _Commit(0, None)
        self._sending = 0

    async def read(self, after: int) -> AsyncIterator[Batch]:
        """Everything after a position; see the protocol."""
        while batch := await self._next(after):
            yield batch
            after = batch.end

    async def follow(self) -> AsyncIterator[None]:
        """Listen for the commits of other nodes, and hint at least every second; see the protocol."""
        while not self._hints.is_closed:
            try:
                async with self._hints.within(None) as connection:
                    if await _is_direct(connection):
                        await connection.execute("LISTEN signet")
                    while True:
                        yield  # what was said before somebody listened is lost
                        await self._wait_for_hint(connection)
            except psycopg.Error:
                await asyncio.sleep(_POLL_SECONDS)
                yield

    @asynccontextmanager
    async def turn(self, after: int) -> AsyncIterator[HeldTurn]:
        """Wait for the door and hold it; see the protocol."""
        async with self._door:
            turn = HeldTurn(self._door, await self._take_turn(after), self._write)
            try:
                yield turn
            finally:
                if not turn.appended:
                    await self._turns.roll_back()

    async def end(self) -> int:
        """The end of the log over all nodes, as of now; see the protocol."""
        seen = self._seen
        if self.alarm:
            return seen.end

        async def ask(connection: Connection) -> Row | None:
            return await (await connection.execute(_HEAD, (seen.end,), binary=True)).fetchone()

        try:
            head = await self._ends.ask(_END_SECONDS, ask)
        except psycopg.Error as error:
            raise failure(error) from error
        return self._end_in(head, seen) or seen.end

    async def damage(self) -> None:
        """Nothing: its pages are the database's own care."""

    async def close(self) -> None:
        """Close the connections when the append under way has ended."""
        async with self._door:
            for line in (self._turns, self._reads, self._ends, self._hints):
                line.close()

    async def _next(self, after: int) -> Batch | None:
        seen = self._seen
        if self.alarm:
            return None

        async def ask(connection: Connection) -> tuple[Row | None, list[Row]]:
            async with connection.pipeline():
                head = await connection.execute(_HEAD, (seen.end,), binary=True)
                rows = await connection.execute(_BATCH, (after, after + BATCH_ENTRIES), binary=True)
            return await head.fetchone(), await rows.fetchall()

        try:
            head, rows = await self._reads.ask(_READ_SECONDS, ask)
        except psycopg.Error as error:
            raise failure(error) from error
        return self._batch(after, rows) if self._end_in(head, seen) and rows else None

    async def _take_turn(self, after: int) -> Batch:
        give_up = time.monotonic() + _TURN_SECONDS
        while True:
            if self.alarm:
                raise StoreFailed(self.alarm)
            try:
                end, rows = await self._turns.ask(_LOCK_SECONDS, partial(self._lock_head, after))
            except psycopg.Error as error:
                await self._turns.roll_back()
                # A lock that others keep is no fault: nobody is refused for contention before the turn is given up.
                if not isinstance(error, psycopg.errors.LockNotAvailable) or time.monotonic() > give_up:
                    raise failure(error) from error
            else:
                return self._batch(after, rows) if rows else Batch(after, end, ())

    async def _lock_head(self, after: int, connection: Connection) -> tuple[int, list[Row]]:
        """Begin a transaction, lock the head, and read what lies behind a position: one round trip."""
        seen = self._seen
        cursor = psycopg.AsyncClientCursor(connection)
        await cursor.execute(_TAKE_TURN, {"seen": seen.end, "after": after})
        cursor.nextset()
        cursor.nextset()
        end = self._end_in(await cursor.fetchone(), seen)
        if end is None:
            raise StoreFailed(self.alarm or "")
        if end < after:
            raise gone_backwards(end, after)
        cursor.nextset()
        cursor.nextset()
        return end, await cursor.fetchall()

    async def _write(self, batch: Batch) -> None:
        commit = _Commit(batch.end, uuid4())
        self._sending = batch.end
        try:
            await self._send_until_known(batch, commit, time.monotonic() + _LOOKUP_SECONDS)
        finally:
            self._sending = 0
        self._seen = commit

    async def _send_until_known(self, batch: Batch, commit: _Commit, give_up: float) -> None:
        while True:
            try:
                await self._send(batch, commit)
            except psycopg.Error as error:
                if is_refusal(error):
                    await self._turns.roll_back()
                    raise failure(error) from error
            else:
                return
            # The connection broke, and with it the answer: the commit may stand or not.
            if await self._came_through(batch, commit, give_up):
                return
            if time.monotonic() > give_up:
                await self._turns.roll_back()
                raise Overloaded(_NOT_WRITTEN)

    async def _send(self, batch: Batch, commit: _Commit) -> None:
        """Append, notify and commit: one round trip."""
        said = {
            "after": batch.after,
            "end": batch.end,
            "commit_id": commit.id,
            "times_ms": [entry.timestamp_ms for entry in batch.entries],
            "keys": _array(entry.key for entry in batch.entries),
            "values": _array(entry.value for entry in batch.entries),
            "authors": _array(None if entry.author is None else entry.author.encode() for entry in batch.entries),
        }
        async with self._turns.within(_APPEND_SECONDS) as connection:
            await psycopg.AsyncClientCursor(connection).execute(_APPEND, said)

    async def _came_through(self, batch: Batch, commit: _Commit, give_up: float) -> bool:
        """Look up, on a new connection, what became of a commit whose answer was lost.

        The head is locked first, so whatever was still under way on the old connection is over. When nothing was
        committed since, the lock stays: the same append may be sent again.

        Raises Overloaded when the commit did not come through and another node's did.
        """
        while True:
            try:
                _, rows = await self._turns.ask(_LOCK_SECONDS, partial(self._lock_head, batch.after))
                break
            except psycopg.Error as error:
                await self._turns.roll_back()
                if time.monotonic() > give_up:
                    raise StoreTimedOut("The store went away during a commit, and its outcome is not known") from error
            await asyncio.sleep(_RETRY_SECONDS)
        if not rows:
            return False
        await self._turns.roll_back()
        if any(commit_id == commit.id for *_, commit_id in rows):
            return True
        raise Overloaded(_NOT_WRITTEN)

    def _batch(self, after: int, rows: list[Row]) -> Batch:
        """The rows as a batch that is handed out now, so that its end counts as seen."""
        entries = tuple(
            Logged(position, timestamp_ms, key, value, None if author is None else author.decode())
            for position, timestamp_ms, key, value, author, _ in rows
        )
        last = _Commit(entries[-1].position, rows[-1][-1])
        self._seen = max(self._seen, last, key=lambda commit: commit.end)
        return Batch(after, last.end, entries)

    def _end_in(self, head: Row | None, seen: _Commit) -> int | None:
        """The end that a head tells; None, and an alarm, when what was seen before is not there any more."""
        # The id finds what the position alone would not: a standby that took over without the last commits, and
        # has been written to since.
        uuid, end, commit_id = head or (None, 0, None)
        if uuid != self.uuid:
            self._raise_alarm("The store holds another log than the one that was opened")
        elif end < seen.end:
            self._raise_alarm(f"The store ends at position {end}, but position {seen.end} was seen before")
        elif commit_id != seen.id:
            self._raise_alarm(f"The store holds another commit at position {seen.end} than the one seen before")
        else:
            return int(end)
        return None

    def _raise_alarm(self, finding: str) -> None:
        self.alarm = f"{finding}: it has gone backwards, and nothing is written to it any more"
        _logger.critical(self.alarm)

    async def _wait_for_hint(self, connection: Connection) -> None:
        """Wait until another node has committed something that no turn has shown meanwhile, or a second."""
        poll = time.monotonic() + _POLL_SECONDS
        while (left := poll - time.monotonic()) > 0:
            payloads = [notice.payload async for notice in connection.notifies(timeout=left, stop_after=1)]
            if self._is_news(payloads):
                # Commits come in swarms: what is right behind is read with it, or has been by then.
                await asyncio.sleep(_GATHER_SECONDS)
                if self._is_news(payloads):
                    return

    def _is_news(self, payloads: list[str]) -> bool:
        known = max(self._seen.end, self._sending)
        return any(not payload.isdecimal() or int(payload) > known for payload in payloads)


async def _is_direct(connection: Connection) -> bool:
    """Whether the process at the other end is the one that the connection was made with.

    Behind a pooler it is another one, and the next one may be yet another: what it was told to listen for would be
    told to nobody, or to somebody else.
    """
    row = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
    return row == (connection.info.backend_pid,)


def _array(items: Iterable[bytes | None]) -> str:
    """A literal of type bytea[]; the driver's own way to one takes several times as long."""
    return "{" + ",".join("NULL" if item is None else rf'"\\x{item.hex()}"' for item in items) + "}"
