"""The tables of a log in an SQLite file, the views that people read, and how an older file becomes a current one.

The program never reads the views: they say in SQL what the log adds up to, for a look into the file with any tool.
"""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from sqlite_utils import Database, Migrations

from registry.errors import StoreUnusable

APPLICATION_ID: Final = 0x5369676E
"""Marks a file as a registry's (`Sign` in ASCII), in the header of the file."""

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


def claim(db: Database, name: str) -> None:
    """Mark a new file as ours, and refuse one that is not; `name` is the file's name in sentences.

    Raises StoreUnusable when the file belongs to another program.
    """
    if _application_id(db) != APPLICATION_ID:
        if _application_id(db) or db.table_names():
            raise StoreUnusable(f"{name} is an SQLite database of another program")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def migrate(db: Database, name: str) -> None:
    """Bring a file of ours to the tables of this program.

    Raises StoreUnusable when a newer version of this program made them.
    """
    migrations = Migrations("signet")
    for title, step in _STEPS.items():
        migrations(name=title)(step)
    if unknown := [done.name for done in migrations.applied(db) if done.name not in _STEPS]:
        raise StoreUnusable(f"{name} was written by a newer version of this program (step {unknown[-1]!r})")
    migrations.apply(db)


def _application_id(db: Database) -> int:
    (number,) = db.execute("PRAGMA application_id").fetchone()
    return int(number)


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


_STEPS: Final = {"1 the log": _create_log, "2 views for people": _create_views}
"""Every change of the tables since the first version, in order; a step that was released never changes again."""
