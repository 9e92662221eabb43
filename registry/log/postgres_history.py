"""A log in a PostgreSQL database read beside its nodes, for exports and checks.

Makes no tables and needs no right but to read, so that a standby will do. Knows nothing of what the bytes mean.
"""

from __future__ import annotations

import psycopg

from registry.errors import StoreUnusable
from registry.log.door import Clock
from registry.log.postgres import PostgresLog
from registry.log.postgres_line import Database


async def open_url(url: str, clock: Clock) -> PostgresLog:
    """Open the log in the database of a URL like `postgresql://user:password@host/database`, which must be there.

    Raises StoreUnusable, with one sentence, when the database cannot be used or holds no log.
    """
    database = Database.of(url)
    try:
        async with await database.connect() as connection:
            row = await (await connection.execute("SELECT uuid FROM signet.head")).fetchone()
    except psycopg.errors.UndefinedTable as error:
        raise StoreUnusable(f"The database {database.place} holds no registry") from error
    except psycopg.Error as error:
        raise database.unusable(error) from error
    if row is None:
        raise StoreUnusable(f"The log in the database {database.place} has lost its head")
    return PostgresLog(database, row[0], clock)
