"""The views for people say what the log adds up to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime

import pytest

from registry.envelope import Entry
from registry.log import open_log

pytestmark = pytest.mark.anyio

Query = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def sqlite_query(sqlite_store) -> Query:
    def query(sql: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(sqlite_store.url.removeprefix("sqlite:")) as database:
            rows = database.execute(sql).fetchall()
        database.close()
        return rows

    return query


@pytest.fixture
def postgres_query(postgres) -> Query:
    def query(sql: str) -> list[tuple[object, ...]]:
        rows = postgres.query(f"SET search_path = signet; SET TIME ZONE 'UTC'; {sql}")
        return [
            tuple(f"{cell:%Y-%m-%dT%H:%M:%SZ}" if isinstance(cell, datetime) else cell for cell in row) for row in rows
        ]

    return query


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> tuple[str, Query]:
    store = request.getfixturevalue(f"{request.param}_store")
    return store.url, request.getfixturevalue(f"{request.param}_query")


def record(keytype: str, value: dict | None, **key: object) -> Entry:
    written = json.dumps({"keytype": keytype, **key}).encode()
    return Entry(written, None if value is None else json.dumps(value).encode())


def schema(subject: str, version: int, id: int, deleted: bool = False, **more: object) -> Entry:  # noqa: A002 - its name on the wire
    value = {"subject": subject, "version": version, "id": id, "schema": f'"{id}"', "deleted": deleted, **more}
    return record("SCHEMA", value, subject=subject, version=version, magic=1)


def tombstone(subject: str, version: int) -> Entry:
    return record("SCHEMA", None, subject=subject, version=version, magic=1)


def delete_subject(subject: str, **upto: int) -> Entry:
    return record("DELETE_SUBJECT", {"subject": subject, **upto}, subject=subject, magic=0)


def clear_subject(subject: str) -> Entry:
    return record("CLEAR_SUBJECT", {"subject": subject}, subject=subject, magic=0)


@pytest.mark.parametrize(
    ("entries", "versions"),
    [
        ([schema("s", 1, 7), schema("s", 2, 8)], ["s 1 7 live", "s 2 8 live"]),
        ([schema("s", 1, 7), schema("s", 1, 7, deleted=True)], ["s 1 7 deleted"]),
        ([schema("s", 1, 7), schema("s", 2, 8), tombstone("s", 1)], ["s 2 8 live"]),
        ([schema("s", 1, 7), delete_subject("s", version=1), schema("s", 2, 7)], ["s 1 7 deleted", "s 2 7 live"]),
        ([schema("s", 1, 7), schema("t", 1, 8), delete_subject("s")], ["s 1 7 deleted", "t 1 8 live"]),
        ([schema("s", 1, 7), schema("s", 2, 8), delete_subject("s", version=1)], ["s 1 7 deleted", "s 2 8 live"]),
        ([schema("s", 1, 7), schema("s", 2, 8, deleted=True), clear_subject("s")], ["s 1 7 live"]),
        ([schema("s", 1, 7), delete_subject("s"), clear_subject("s"), schema("s", 2, 8)], ["s 2 8 live"]),
        ([schema("s", 1, 7), clear_subject("s"), delete_subject("s")], ["s 1 7 deleted"]),
        ([schema("s", 1, 7), record("DELETE_SUBJECT", None, subject="s", magic=0)], ["s 1 7 live"]),
        ([Entry(b"\xff", b"\xff"), Entry(b"{", None), Entry(b"null", b"null"), schema("s", 1, 7)], ["s 1 7 live"]),
        ([record("NOOP", None), record("CONFIG", {"compatibilityLevel": "FULL"}, subject="s")], []),
    ],
)
async def test_versions_follow_the_records(engine, entries: list[Entry], versions: list[str]) -> None:
    url, query = engine
    await write(url, entries)
    rows = query("SELECT subject, version, id, deleted FROM versions ORDER BY subject, version")
    assert [f"{s} {v} {number} {'deleted' if deleted else 'live'}" for s, v, number, deleted in rows] == versions


async def write(url: str, entries: list[Entry]) -> None:
    log = await open_log(url, lambda: 1_700_000_000_000)
    async with log.turn(0) as turn:
        await turn.append(entries)
    await log.close()


async def test_each_view_has_what_people_look_for(engine) -> None:
    url, query = engine
    text = '"\N{GRINNING FACE}"'
    again = schema(":.old:s", 2, 7, deleted=True, schema=text)
    await write(url, [schema("s", 1, 7), schema(":.old:s", 1, 7, schema=text, schemaType="JSON"), again])
    assert query("SELECT context, subject, type, registered_at, position, schema FROM versions ORDER BY position") == [
        (".", "s", "AVRO", "2023-11-14T22:13:20Z", 1, '"7"'),
        (".old", ":.old:s", "JSON", "2023-11-14T22:13:20Z", 2, text),
        (".old", ":.old:s", "AVRO", "2023-11-14T22:13:20Z", 3, text),
    ]
    assert query("SELECT context, id, versions, schema FROM schemas ORDER BY context") == [
        (".", 7, 1, '"7"'),
        (".old", 7, 2, text),
    ]
    assert query(
        "SELECT subject, context, versions, live_versions, latest_version, deleted FROM subjects ORDER BY 1 DESC"
    ) == [
        ("s", ".", 1, 1, 1, 0),
        (":.old:s", ".old", 2, 1, 1, 0),
    ]
