"""Short words for the tests of moving: records, stores and what is in them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

import pytest

from registry.envelope import Batch, Entry
from registry.log import Log, open_log
from registry.model import Schema, Subject
from registry.records import Record, SchemaKey, SchemaValue
from registry.state import State


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def version_of() -> Callable[..., Record]:
    """A version's record: `version_of("a", 1, 7, '"int"', deleted=True)`."""

    def build(subject: str, version: int, number: int, text: str = '"int"', *, deleted: bool = False) -> Record:
        return Record(SchemaKey(Subject.of(subject), version), SchemaValue(number, Schema(text), deleted))

    return build


@pytest.fixture
def state_of() -> Callable[..., State]:
    """The state that some records add up to."""

    def build(*records: Record) -> State:
        state = State()
        state.apply(records)
        return state

    return build


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Log]:
    """An empty store in a file."""
    log = await open_log(f"sqlite:{tmp_path}/store.db")
    yield log
    await log.close()


@pytest.fixture
def append() -> Callable[..., Awaitable[Batch]]:
    """Append records or entries to a store, as a registry would."""

    async def append_all(log: Log, records: Iterable[Record | Entry]) -> Batch:
        async with log.turn(await log.end()) as turn:
            return await turn.append([each.entry() if isinstance(each, Record) else each for each in records])

    return append_all


Signet = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def signet() -> Signet:
    """Run a command to its end as a user does: `signet("verify", "--store", url, exit_code=100)`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SIGNET_")}

    def run(*arguments: str, exit_code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "registry", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
        assert done.returncode == exit_code, done.stderr
        return done

    return run
