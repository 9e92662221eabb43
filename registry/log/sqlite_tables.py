"""The tables of a log in an SQLite file, the views that people read, and how an older file becomes a current one.

The program never reads the views: they say in SQL what the log adds up to, for a look into the file with any tool.
Loaded by name for a file that has no tables yet, or older ones: what makes them takes longer to load than a small log.
"""

from __future__ import annotations

import sqlite3
from typing import Final
from uuid import uuid4

from sqlite_utils import Database, Migrations

from registry.errors import StoreUnusable
from registry.log.sqlite_file import STEPS

_VERSIONS: Final = """
WITH
    record AS (
        SELECT position, timestamp_ms, CAST(value AS TEXT) AS value,
               CASE WHEN json_valid(CAST(key AS TEXT)) THEN CAST(key AS TEXT) END AS key
        FROM log
        WHERE value IS NULL OR json_valid(CAST(value AS TEXT))
    ),
    last_write AS (
        SELECT json_extract(key, '$.subject') AS subject, json_extract(key, '$.version') AS version,
               max(position) AS position, timestamp_ms, value
        FROM record
        WHERE json_extract(key, '$.keytype') = 'SCHEMA'
        GROUP BY 1, 2
    ),
    deletion AS MATERIALIZED (
        SELECT json_extract(key, '$.subject') AS subject, json_extract(value, '$.version') AS upto, position
        FROM record
        WHERE json_extract(key, '$.keytype') = 'DELETE_SUBJECT' AND value IS NOT NULL
    ),
    clearing AS MATERIALIZED (
        SELECT json_extract(key, '$.subject') AS subject, position
        FROM record
        WHERE json_extract(key, '$.keytype') = 'CLEAR_SUBJECT' AND value IS NOT NULL
    ),
    row AS MATERIALIZED (
        SELECT *,
               CASE
                   WHEN json_extract(value, '$.deleted') THEN position
                   ELSE (SELECT min(deletion.position) FROM deletion
                         WHERE deletion.subject = last_write.subject AND deletion.position > last_write.position
                               AND coalesce(deletion.upto, last_write.version) >= last_write.version)
               END AS deleted_at,
               (SELECT max(clearing.position) FROM clearing
                WHERE clearing.subject = last_write.subject) AS cleared_at
        FROM last_write
        WHERE value IS NOT NULL
    )
SELECT subject,
       version,
       json_extract(value, '$.id') AS id,
       coalesce(json_extract(value, '$.schemaType'), 'AVRO') AS type,
       deleted_at IS NOT NULL AS deleted,
       strftime('%Y-%m-%dT%H:%M:%SZ', timestamp_ms / 1000, 'unixepoch') AS registered_at,
       CASE WHEN subject LIKE ':.%' THEN substr(subject, 2, instr(substr(subject, 2), ':') - 1) ELSE '.' END AS context,
       position,
       json_extract(value, '$.schema') AS schema
FROM row
WHERE deleted_at IS NULL OR cleared_at IS NULL OR cleared_at < deleted_at
"""

_SCHEMAS: Final = """
SELECT context, id, type, min(position) AS position, min(registered_at) AS registered_at, count(*) AS versions, schema
FROM versions
GROUP BY context, id
"""

_SUBJECTS: Final = """
SELECT subject, context, count(*) AS versions, sum(NOT deleted) AS live_versions,
       max(CASE WHEN NOT deleted THEN version END) AS latest_version, min(deleted) AS deleted
FROM versions
GROUP BY subject
"""


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Bring a file of ours to the tables of this program; `name` is the file's name in sentences.

    Raises StoreUnusable when a newer version of this program made them.
    """
    # A plugin of sqlite-utils is somebody's tool for looking at data; it has no business in a server.
    db, migrations = Database(connection, execute_plugins=False), Migrations("signet")
    for title, step in zip(STEPS, (_create_log, _create_views), strict=True):
        migrations(name=title)(step)
    if unknown := [done.name for done in migrations.applied(db) if done.name not in STEPS]:
        raise StoreUnusable(f"{name} was written by a newer version of this program (step {unknown[-1]!r})")
    migrations.apply(db)


def _create_log(db: Database) -> None:
    # The last entry of a commit carries its id; the others carry none, so that ends of commits can be found.
    db.table("log").create(
        {"position": int, "timestamp_ms": int, "key": bytes, "value": bytes, "author": str, "commit_id": str},
        pk="position",
        not_null={"timestamp_ms", "key"},
    )
    db.table("identity").insert({"uuid": str(uuid4())})


def _create_views(db: Database) -> None:
    db.create_view("versions", _VERSIONS)
    db.create_view("schemas", _SCHEMAS)
    db.create_view("subjects", _SUBJECTS)
