"""What a node under test hands to its application instead of `open_log`: the same log, watched, and its clock.

The product holds no fail point. A fail point is a moment that can be seen from outside of it: a turn, an append, or a
statement that SQLite is about to execute; at the chosen occurrence the node kills itself with SIGKILL.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Protocol

from registry.envelope import Batch, Entry
from registry.errors import StoreFailed
from registry.log import Log, open_log
from registry.log.door import nothing_to_follow, wall_clock_ms


class Happened(Protocol):
    """Is told of an event, with the entries that are about to be appended where it is `appending`."""

    def __call__(self, event: str, entries: Sequence[Entry] = ()) -> None: ...


@dataclass(frozen=True, slots=True)
class FailPoint:
    """A moment at which a node dies.

    event: what is about to happen (a statement of SQLite; `INSERT 1` is the first of a commit, `INSERT inside` one
    between two tombstones of a subject) or has happened (`turn`, `appending`, `appended`); within_seconds: how long
    after it at most the kill comes, at random; 0 is at once, before it goes on.
    """

    event: str
    within_seconds: float = 0.0


SQLITE_FAIL_POINTS: Final = {
    "before begin": FailPoint("BEGIN IMMEDIATE"),
    "in the transaction": FailPoint("INSERT 1"),
    "in a multi-record operation": FailPoint("INSERT inside"),
    "before the commit": FailPoint("COMMIT"),
    "commit sent, answer not seen": FailPoint("COMMIT", within_seconds=0.002),
    "after commit, before the HTTP answer": FailPoint("appended"),
    "during checkpoint": FailPoint("PRAGMA wal_checkpoint", within_seconds=0.002),
}
NODE_FAIL_POINTS: Final = {"after commit, before the HTTP answer": FailPoint("appended")}
"""Those of a node over PostgreSQL that lie in the node; the others lie on the wire, see wire.py."""


def opener(seams: dict[str, Any]) -> Callable[[str], Awaitable[Log]]:
    """How a node opens its store.

    Args:
        seams: `fail_point` (event, within_seconds) and `skip`, how many of its occurrences pass; `clock`, a file that
            holds by how many seconds the clock is off; `full`, a file that fills the disk while it exists; `lie`, how
            the log breaks its promises, so that the suite can be seen to notice.
    """

    async def open_store(url: str) -> Log:
        log = await open_log(url, offset_clock(seams["clock"]) if "clock" in seams else wall_clock_ms)
        if "fail_point" in seams:
            killer = Killer(FailPoint(*seams["fail_point"]), seams["skip"])
            watch_statements(log, killer)
            return Watched(log, killer)
        if "lie" in seams:
            return LIES[seams["lie"]](log)
        if "full" in seams:
            return Watched(log, Filler(log._writer, Path(seams["full"])))
        return log

    return open_store


def offset_clock(file: str) -> Callable[[], int]:
    def now_ms() -> int:
        return wall_clock_ms() + int(Path(file).read_text()) * 1000

    return now_ms


class Killer:
    """Kills this process at an occurrence of an event."""

    def __init__(self, point: FailPoint, skip: int) -> None:
        self._point = point
        self._skip = skip
        self._inserts = 0
        self._inside = 0
        self._due = threading.Event()
        if point.within_seconds:
            threading.Thread(target=self._kill_soon, daemon=True).start()

    def __call__(self, event: str, entries: Sequence[Entry] = ()) -> None:
        if event == "appending":
            self._inserts, self._inside = 0, second_tombstone(entries)
        if event.startswith("INSERT"):
            self._inserts += 1
            event = f"INSERT {'inside' if self._inserts == self._inside else self._inserts}"
        if event.startswith(self._point.event):
            self._skip -= 1
            if self._skip < 0:
                self._due.set() if self._point.within_seconds else die()

    def _kill_soon(self) -> None:
        self._due.wait()
        time.sleep(random.uniform(0, self._point.within_seconds))
        die()


def second_tombstone(entries: Sequence[Entry]) -> int:
    """The number of the first entry that deletes a version right behind another of the same subject, or 0."""
    subjects = [json.loads(entry.key).get("subject") if entry.value is None else None for entry in entries]
    pairs = enumerate(pairwise(subjects), start=2)
    return next((number for number, (one, other) in pairs if one is not None and one == other), 0)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # the kill comes before this thread goes on


class Filler:
    """Lets an SQLite file grow no further while a file exists: what a full disk is to SQLite."""

    def __init__(self, writer: sqlite3.Connection, sign: Path) -> None:
        self._writer = writer
        self._sign = sign

    def __call__(self, event: str, entries: Sequence[Entry] = ()) -> None:
        if event == "appending":  # the thread that writes is idle then
            (pages,) = self._writer.execute("PRAGMA page_count").fetchone()
            limit = pages if self._sign.exists() else 2**31 - 2
            self._writer.execute(f"PRAGMA max_page_count = {limit}")


def watch_statements(log: Log, happened: Happened) -> None:
    """Be told of each statement before SQLite executes it; other engines say nothing here."""
    writer = getattr(log, "_writer", None)
    if isinstance(writer, sqlite3.Connection):
        writer.set_trace_callback(lambda statement: happened(statement.strip()))


class Watched:
    """A log that tells of its turns and appends, and is otherwise the one that it watches."""

    def __init__(self, log: Log, happened: Happened) -> None:
        self._log = log
        self._happened = happened

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    @asynccontextmanager
    async def turn(self, after: int) -> AsyncIterator[WatchedTurn]:
        async with self._log.turn(after) as turn:
            self._happened("turn")
            yield WatchedTurn(turn, self._happened)


class WatchedTurn:
    """The turn of a watched log."""

    def __init__(self, turn: Any, happened: Happened) -> None:
        self._turn = turn
        self._happened = happened

    def __getattr__(self, name: str) -> Any:
        return getattr(self._turn, name)

    async def append(self, entries: Sequence[Entry]) -> Batch:
        self._happened("appending", entries)
        batch = await self._turn.append(entries)
        self._happened("appended")
        return batch


def happens(event: str, entries: Sequence[Entry] = ()) -> None:
    """Be told of an event, and let it be."""


class Forgetful(Watched):
    """Acknowledges every tenth append without writing it."""

    def __init__(self, log: Log) -> None:
        super().__init__(log, happens)
        self._appends = 0

    @asynccontextmanager
    async def turn(self, after: int) -> AsyncIterator[WatchedTurn]:
        self._appends += 1
        async with self._log.turn(after) as turn:
            yield (ForgottenTurn if self._appends % 10 == 0 else WatchedTurn)(turn, happens)


class ForgottenTurn(WatchedTurn):
    async def append(self, entries: Sequence[Entry]) -> Batch:
        return Batch.appended(self._turn.missed.end, wall_clock_ms(), entries)


class Pessimist(Watched):
    """Writes, and says that it did not."""

    def __init__(self, log: Log) -> None:
        super().__init__(log, self._deny)
        self._appends = 0

    def _deny(self, event: str, entries: Sequence[Entry] = ()) -> None:
        self._appends += event == "appended"
        if event == "appended" and self._appends % 10 == 0:
            raise StoreFailed("The store failed, or so it says")


class Sluggish(Watched):
    """Tells the end of the log as it was a while ago, and of nothing new by itself."""

    def __init__(self, log: Log) -> None:
        super().__init__(log, happens)
        self._told = 0
        self._asked_at = 0.0

    async def end(self) -> int:
        if time.monotonic() - self._asked_at > 1.0:
            self._told, self._asked_at = await self._log.end(), time.monotonic()
        return self._told

    def follow(self) -> AsyncIterator[None]:
        return nothing_to_follow()


LIES: Final[dict[str, Callable[[Log], Any]]] = {"forgets": Forgetful, "denies": Pessimist, "lags": Sluggish}
