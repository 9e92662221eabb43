"""What the scenarios stand on: a launcher of nodes, a PostgreSQL of their own, their counts, and their accounts."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.resilience.counts import COUNTS
from tests.resilience.database import Postgres
from tests.resilience.history import Answer
from tests.resilience.nodes import Launcher, Node
from tests.resilience.report import Account
from tests.resilience.wire import Wire


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="the full numbers of the resilience suite")
    parser.addoption(
        "--count", action="append", default=[], metavar="NAME=NUMBER", help="another number; see counts.py"
    )
    parser.addoption("--seed", default="20261128", help="what random choices begin with")
    parser.addoption("--accounts", metavar="FOLDER", help="where each scenario leaves its account")


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Callable[[str], int]:
    """How often to do something, by its name in counts.py."""
    said = dict(one.split("=") for one in request.config.getoption("--count", []))
    assert said.keys() <= COUNTS.keys(), f"no such count: {said.keys() - COUNTS.keys()}"
    full = request.config.getoption("--full", False)
    return lambda name: int(said.get(name, COUNTS[name].full if full else COUNTS[name].short))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> str:
    return f"{request.config.getoption('--seed', '20261128')} {request.node.name}"


@pytest.fixture
def account(request: pytest.FixtureRequest, capsys) -> Iterator[Callable[[str, str], Account]]:
    """Open the account of a scenario, `account("Killed", "what is done")`; it is told and kept at the end."""
    opened: list[Account] = []

    def opening(section: str, title: str) -> Account:
        opened.append(Account(section, title))
        return opened[-1]

    yield opening
    folder = request.config.getoption("--accounts", None)
    for number, one in enumerate(opened):
        if folder:
            one.save(Path(folder), f"{request.path.stem}.{request.node.name}.{number}".replace("/", "-"))
        with capsys.disabled():
            sys.stdout.write(f"\n{one}\n")


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    with Launcher() as launcher:
        yield launcher


@pytest.fixture
def new_node(launcher: Launcher, tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """Make nodes that end with the test: `new_node("1", store)`; each must never have said that it broke."""
    with ExitStack() as stack:

        def new(name: str, store: str, **settings: Any) -> Node:
            node = Node(launcher, tmp_path, name, store, **settings)
            stack.callback(node.kill)
            nodes.append(node)
            return node

        nodes: list[Node] = []
        yield new
    assert [fault for node in nodes for fault in node.faults()] == []


@pytest.fixture(scope="session")
def database() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        postgres = Postgres(folder)
        yield postgres
        postgres.close()


@pytest.fixture
def postgres(database: Postgres) -> Postgres:
    """A PostgreSQL without a registry in it."""
    database.query("DROP SCHEMA IF EXISTS signet CASCADE")
    return database


@pytest.fixture
def wire(postgres: Postgres) -> Iterator[Wire]:
    with Wire(postgres.socket) as wire:
        yield wire


@pytest.fixture
def sqlite_store(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'signet.db'}"


@pytest.fixture
def history() -> list[Answer]:
    return []
