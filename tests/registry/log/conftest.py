"""Every storage engine by name: a URL for a fresh store of it, and an open log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from registry.log import Log, open_log


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


@pytest.fixture(params=["memory", "sqlite"])
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
