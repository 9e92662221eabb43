"""An SQLite file read beside the process that writes it, for exports and checks.

Takes no lock, never checkpoints and sees whole commits only: the writer does not notice. Knows nothing of what the
bytes mean.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import ExitStack, closing
from itertools import starmap
from pathlib import Path
from typing import Final
from uuid import UUID

from registry.envelope import Batch, Logged
from registry.errors import StoreUnusable
from registry.log.door import BATCH_ENTRIES, Clock
from registry.log.sqlite import BATCH
from registry.log.sqlite_file import connect_reading, damage, failure, is_ours, path_of, unusable


async def open_url(url: str, _clock: Clock) -> SqliteHistory:
    """Open the file of a URL like `sqlite:signet.db`, which must be there.

    Raises StoreUnusable, with one sentence, when there is no such file or it is not a registry's.
    """
    return await asyncio.to_thread(SqliteHistory, path_of(url))


def connect_ours(path: Path) -> sqlite3.Connection:
    """A reading connection to a registry's file.

    Raises StoreUnusable when there is no such file or it is not a registry's.
    """
    if not path.exists():
        raise StoreUnusable(f"{path} does not exist")
    with ExitStack() as undo:
        try:
            connection = undo.enter_context(closing(connect_reading(path)))
            if not is_ours(connection, path):
                raise StoreUnusable(f"{path} is empty: no registry has written to it yet")
        except sqlite3.Error as error:
            raise unusable(path, error) from error
        undo.pop_all()
        return connection


class SqliteHistory:
    """The commits of a file, as far as they are made when they are read."""

    def __init__(self, path: Path) -> None:
        self._connection: Final = connect_ours(path)
        try:
            ((identity,),) = self._connection.execute("SELECT uuid FROM identity")
        except (sqlite3.Error, ValueError) as error:
            self._connection.close()
            raise StoreUnusable(f"{path} holds no whole log: {error}") from error
        self.uuid: Final = UUID(identity)

    async def read(self, after: int) -> AsyncIterator[Batch]:
        """Everything after a position; see the protocol."""
        while batch := await asyncio.to_thread(self._batch, after):
            yield batch
            after = batch.end

    async def damage(self) -> str | None:
        """What SQLite finds damaged in any page of the file; see the protocol."""
        try:
            return await asyncio.to_thread(damage, self._connection)
        except sqlite3.Error as error:
            raise failure(error) from error

    async def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _batch(self, after: int) -> Batch | None:
        try:
            rows = self._connection.execute(BATCH, {"after": after, "entries": BATCH_ENTRIES})
            entries = tuple(starmap(Logged, rows))
        except sqlite3.Error as error:
            raise failure(error) from error
        return Batch(after, entries[-1].position, entries) if entries else None
