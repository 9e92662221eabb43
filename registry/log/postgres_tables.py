"""The tables of a log in a PostgreSQL database, the views that people read, and how an older one becomes current.

All lies in the database schema `signet`. Bytes are kept as bytes: text could not hold U+0000. The program never
reads the views: they say in SQL what the log adds up to.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import psycopg

from registry.errors import StoreUnusable

_MIGRATION_LOCK: Final = 0x5369676E6574
"""The advisory lock under which one node at a time migrates (`Signet` in ASCII)."""

_LOG: Final = """
CREATE TABLE signet.log (
    position bigint PRIMARY KEY,
    timestamp_ms bigint NOT NULL,
    key bytea NOT NULL,
    value bytea,
    author bytea,
    commit_id uuid
);
COMMENT ON COLUMN signet.log.commit_id IS 'the id of a commit, at its last entry';
CREATE TABLE signet.head (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    uuid uuid NOT NULL,
    position bigint NOT NULL
);
COMMENT ON TABLE signet.head IS 'the end of the log; who locks its row has the turn';
"""

_VIEWS: Final = r"""
CREATE FUNCTION signet.read_json(bytes bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    -- PostgreSQL's text cannot hold U+0000; people see the replacement character.
    RETURN replace(convert_from(bytes, 'UTF8'), '\u0000', '\ufffd')::jsonb;
EXCEPTION WHEN others THEN
    RETURN NULL;
END $$;

CREATE FUNCTION signet.read_number(number jsonb) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE jsonb_typeof(number) WHEN 'number' THEN number::numeric END
$$;

CREATE VIEW signet.versions AS
WITH
    record AS MATERIALIZED (
        SELECT *
        FROM (
            SELECT position, timestamp_ms, signet.read_json(key) AS key, signet.read_json(value) AS value,
                   value IS NULL AS is_tombstone
            FROM signet.log
        ) AS parsed
        WHERE is_tombstone OR value IS NOT NULL
    ),
    last_write AS (
        SELECT DISTINCT ON (1, 2)
               key ->> 'subject' AS subject, signet.read_number(key -> 'version') AS version,
               position, timestamp_ms, value
        FROM record
        WHERE key ->> 'keytype' = 'SCHEMA'
        ORDER BY 1, 2, position DESC
    ),
    deletion AS MATERIALIZED (
        SELECT key ->> 'subject' AS subject, signet.read_number(value -> 'version') AS upto, position
        FROM record
        WHERE key ->> 'keytype' = 'DELETE_SUBJECT' AND NOT is_tombstone
    ),
    clearing AS MATERIALIZED (
        SELECT key ->> 'subject' AS subject, max(position) AS cleared_at
        FROM record
        WHERE key ->> 'keytype' = 'CLEAR_SUBJECT' AND NOT is_tombstone
        GROUP BY 1
    ),
    subject_deletion AS (
        SELECT last_write.position, min(deletion.position) AS deleted_at
        FROM last_write JOIN deletion USING (subject)
        WHERE deletion.position > last_write.position
              AND coalesce(deletion.upto, last_write.version) >= last_write.version
        GROUP BY 1
    ),
    row AS (
        SELECT last_write.*, cleared_at,
               CASE WHEN value -> 'deleted' = 'true' THEN last_write.position ELSE deleted_at END AS deleted_at
        FROM last_write
             LEFT JOIN subject_deletion USING (position)
             LEFT JOIN clearing USING (subject)
        WHERE value IS NOT NULL
    )
SELECT subject,
       version,
       signet.read_number(value -> 'id') AS id,
       coalesce(value ->> 'schemaType', 'AVRO') AS type,
       deleted_at IS NOT NULL AS deleted,
       to_timestamp(timestamp_ms / 1000) AS registered_at,
       CASE WHEN subject LIKE ':.%' THEN split_part(subject, ':', 2) ELSE '.' END AS context,
       position,
       value ->> 'schema' AS schema
FROM row
WHERE deleted_at IS NULL OR cleared_at IS NULL OR cleared_at < deleted_at;

CREATE VIEW signet.schemas AS
SELECT DISTINCT ON (context, id)
       context, id, type, position, registered_at,
       count(*) OVER (PARTITION BY context, id) AS versions, schema
FROM signet.versions
ORDER BY context, id, position;

CREATE VIEW signet.subjects AS
SELECT subject, context, count(*) AS versions, count(*) FILTER (WHERE NOT deleted) AS live_versions,
       max(version) FILTER (WHERE NOT deleted) AS latest_version, bool_and(deleted) AS deleted
FROM signet.versions
GROUP BY subject, context;
"""

_STEPS: Final = (("the log", _LOG), ("views for people", _VIEWS))
"""Every change of the tables since the first version, in order; a step that was released never changes again."""


async def migrate(connection: psycopg.AsyncConnection[Any], place: str) -> None:
    """Bring a database, new or ours, to the tables of this program; `place` is its name in sentences.

    Any number of nodes may do this at once. Raises StoreUnusable when the tables belong to another program or to a
    newer version of this one.
    """
    async with connection.transaction():
        # Whatever the default of the database: who waited for the lock must see what was done under it.
        await connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        # Ten nodes may start at once, and the one that is first may be frozen in the middle of it.
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '5s'")
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
        done = await _steps_done(connection, place)
        for number, (title, sql) in enumerate(_STEPS[done:], done + 1):
            await connection.execute(sql)
            await connection.execute("INSERT INTO signet.migrations (number, title) VALUES (%s, %s)", (number, title))
        await connection.execute(
            "INSERT INTO signet.head (uuid, position) VALUES (%s, 0) ON CONFLICT DO NOTHING", (uuid4(),)
        )


async def _steps_done(connection: psycopg.AsyncConnection[Any], place: str) -> int:
    state = await connection.execute(
        "SELECT to_regnamespace('signet') IS NOT NULL, to_regclass('signet.migrations') IS NOT NULL,"
        " EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('signet'))"
    )
    has_schema, has_migrations, has_tables = await state.fetchone() or (False, False, False)
    # CREATE SCHEMA IF NOT EXISTS would ask for the right to create one even where an administrator has done so.
    if not has_schema:
        await connection.execute("CREATE SCHEMA signet")
    if not has_migrations:
        if has_tables:
            raise StoreUnusable(f"The schema signet of the database {place} holds tables of another program")
        await connection.execute(
            "CREATE TABLE signet.migrations"
            " (number int PRIMARY KEY, title text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
    newest = await (await connection.execute("SELECT coalesce(max(number), 0) FROM signet.migrations")).fetchone()
    done: int = newest[0] if newest else 0
    if done > len(_STEPS):
        raise StoreUnusable(f"The tables in the database {place} were made by a newer version of this program")
    return done
