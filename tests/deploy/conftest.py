"""What stands around the nodes of an operator: a PostgreSQL, HAProxy, PgBouncer, and clients that never pause."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import httpx
import pytest

from loadtests.servers import Server, free_port, registry
from tests.resilience.database import Postgres

DRAIN_SECONDS = 4
"""Longer than the balancer takes to notice; an operator's nodes take 10."""


class Node:
    """A node that keeps its address while it is stopped and started again."""

    def __init__(self, store: str) -> None:
        self.port = free_port()
        self._store = store
        self._running = ExitStack()
        self.server: Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {"SIGNET_SHUTDOWN_DRAIN_SECONDS": str(DRAIN_SECONDS), "SIGNET_COMPATIBILITY_LEVEL": "NONE"}
        self.server = self._running.enter_context(
            registry(self._store, port=self.port, env=environment, start_seconds=60)
        )

    def stop(self) -> None:
        """As an operator does: SIGTERM, and wait."""
        self._running.close()


@pytest.fixture(scope="session")
def database() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        database = Postgres(folder)
        yield database
        database.close()


@pytest.fixture(scope="module")
def start_nodes(database: Postgres) -> Iterator[Callable[..., list[Node]]]:
    """Start nodes that end with the module: `start_nodes(3)`, `start_nodes(2, "postgresql://...")`."""
    database.query("DROP SCHEMA IF EXISTS signet CASCADE")
    started: list[Node] = []

    def start(count: int, store: str = database.url) -> list[Node]:
        nodes = [Node(store) for _ in range(count)]
        started.extend(nodes)
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(Node.start, nodes))
        return nodes

    yield start
    for node in started:
        if node.server is not None:
            node.server.process.kill()
        node.stop()


@pytest.fixture
def pooler(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pooler]:
    """PgBouncer before the database, giving each transaction whatever connection is free."""
    folder, socket = tmp_path_factory.mktemp("pooler"), Path(database.socket)
    pooler = Pooler(free_port(), folder / "log")
    (folder / "pgbouncer.ini").write_text(POOLING.format(socket.parent, pooler.port))
    # It refuses to be root, and has to reach the socket.
    user = ["-u", socket.owner()] if os.geteuid() == 0 else []
    command = [program("pgbouncer"), *user, str(folder / "pgbouncer.ini")]
    with pooler.log.open("w") as log, running(command, f"http://127.0.0.1:{pooler.port}", log):
        yield pooler


class Pooler(NamedTuple):
    """A running PgBouncer: its port and what it says."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"


POOLING = """
[databases]
postgres = host={0} dbname=postgres user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {1}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
"""


def program(name: str) -> str:
    """Where a program is; the test is skipped where it is not installed."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@contextmanager
def running(command: Sequence[str], url: str, log: IO[str] | None = None, **environment: str) -> Iterator[None]:
    """Run a program until the context ends, which begins when something listens at the URL."""
    with subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=log) as process:
        try:
            give_up = time.monotonic() + 20
            while not answers(url):
                assert process.poll() is None, f"{command[0]} ended"
                assert time.monotonic() < give_up
                time.sleep(0.05)
            yield
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=5)
    except httpx.ConnectError:
        return False
    except httpx.TransportError:  # it is there, and does not speak HTTP
        return True
    return True


CONFIGURATION = Path(__file__).parents[2] / "deploy/three-nodes/haproxy.cfg"


@pytest.fixture(scope="module")
def start_balancer() -> Iterator[Callable[[Sequence[Node]], str]]:
    """Run HAProxy with the configuration that we ship before three nodes, and answer with its URL."""
    haproxy = program("haproxy")
    with ExitStack() as stack:

        def start(nodes: Sequence[Node]) -> str:
            address = f"127.0.0.1:{free_port()}"
            places = {f"REGISTRY_NODE_{number}": f"127.0.0.1:{node.port}" for number, node in enumerate(nodes, 1)}
            command = [haproxy, "-db", "-f", str(CONFIGURATION)]
            stack.enter_context(running(command, f"http://{address}", REGISTRY_ADDRESS=address, **places))
            return f"http://{address}"

        yield start
