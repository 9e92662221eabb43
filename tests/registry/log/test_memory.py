"""What only the log in memory promises."""

from __future__ import annotations

import tracemalloc

import orjson
import pytest

from registry.envelope import Entry
from registry.log.memory import open_url

pytestmark = pytest.mark.anyio


async def test_an_entry_takes_as_much_memory_as_its_bytes_and_little_more(clock) -> None:
    log = await open_url("memory:", clock)
    tracemalloc.start()
    async with log.turn(0) as turn:
        await turn.append([Entry(orjson.dumps(f"key {number}"), orjson.dumps("value")) for number in range(1_000)])
    del turn
    held_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held_bytes < 1_000_000
