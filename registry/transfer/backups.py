"""Backups of a store in an SQLite file, and stores made of them.

Owns what must be different in a restored store: it is another log, and no id that was given out after the backup is
given out again. How a file is copied is the engine's matter.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from registry.errors import StoreUnusable
from registry.log import open_history, sqlite_copy
from registry.records import IdMarks, NoopKey, Record
from registry.state import State
from registry.transfer.loading import replay, reserved

RESERVED_IDS = 1000
"""How many ids are skipped if not told: more than are given out between two backups, one hopes."""


async def back_up(store: str, file: Path) -> State:
    """Copy a store, in use or not, to a new file, and answer with what the copy holds.

    Raises StoreUnusable when the store cannot be read or the file cannot be written, StoreDisagrees when there is
    such a file already.
    """
    if not store.startswith("sqlite:"):
        raise StoreUnusable(
            "signet backup copies SQLite files; a store in PostgreSQL is backed up with pg_dump or with signet export"
        )
    await asyncio.to_thread(sqlite_copy.back_up, store, file)
    return await _held(file)


async def restore(file: Path, store: str, reserve_ids: int = RESERVED_IDS) -> State:
    """Make a new store of a backup, and answer with what it holds.

    Args:
        file: the backup.
        store: the URL of an SQLite file that is not there yet.
        reserve_ids: how many ids of every context are never given out, because they may have been since the backup.

    Raises StoreUnusable when the backup cannot be read or the store cannot be written, StoreDisagrees when there is
    such a store already.
    """
    if not store.startswith("sqlite:"):
        raise StoreUnusable(
            "signet restore makes SQLite files; into another store a backup goes with"
            " signet import sqlite:FILE --store URL --reserve-ids 1000"
        )
    before = await _held(file)
    marks = IdMarks(reserved(before.highest_ids(), reserve_ids))
    before.apply([Record(NoopKey(), marks)])
    await asyncio.to_thread(sqlite_copy.restore, file, store, Record(NoopKey(), marks).entry())
    return before


async def _held(file: Path) -> State:
    history = await open_history(f"sqlite:{file}")
    try:
        return await replay(history)
    finally:
        await history.close()
