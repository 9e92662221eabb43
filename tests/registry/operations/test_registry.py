"""The registry as a whole: opening and closing it, and following what happens in it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from registry.envelope import Batch, Entry
from registry.errors import StoreFailed
from registry.log.memory import MemoryLog
from registry.model import Schema, Subject
from registry.operations import Candidate, opened
from registry.records import Record, SchemaKey, SchemaValue
from registry.replay import MANY_RECORDS

pytestmark = pytest.mark.anyio


class WatchedLog(MemoryLog):
    """A log in memory that other nodes share, that tells whether it was closed, and that may be unreadable."""

    def __init__(self) -> None:
        super().__init__(count(1).__next__)
        self.shared = True  # type: ignore[misc, assignment]  # as another engine's is
        self.closed = False
        self.unreadable = False
        self.hints: asyncio.Queue[None] = asyncio.Queue()

    def read(self, after: int) -> AsyncIterator[Batch]:
        if self.unreadable:
            raise StoreFailed("The store cannot be read")
        return super().read(after)

    async def follow(self) -> AsyncIterator[None]:  # type: ignore[override]  # mypy: an async generator is one
        while True:
            yield await self.hints.get()

    async def close(self) -> None:
        self.closed = True


def version(number: int) -> Entry:
    return Record(SchemaKey(Subject.of("s"), number), SchemaValue(number, Schema(f"{number}"))).entry("ann")


async def append(log: MemoryLog, *entries: Entry) -> None:
    async with log.turn(await log.end()) as turn:
        await turn.append(entries)


async def test_a_registry_holds_what_its_log_does_and_closes_it() -> None:
    log = WatchedLog()
    await append(log, version(1), version(2))
    async with opened(log) as registry:
        assert (registry.state.position, registry.uuid, registry.shared) == (2, log.uuid, True)
        assert not log.closed
    assert log.closed


async def test_a_log_that_cannot_be_replayed_is_closed() -> None:
    log = WatchedLog()
    log.unreadable = True
    with pytest.raises(StoreFailed):
        async with opened(log):
            pass
    assert log.closed


async def test_the_progress_of_a_replay_is_told() -> None:
    log = MemoryLog(count(1).__next__)
    await append(log, *map(version, range(1, 6)))
    told: list[tuple[int, int]] = []
    async with opened(log, on_replay=lambda position, end: told.append((position, end))):
        assert told == [(5, 5)]


async def test_garbage_is_collected_again_after_a_replay_but_not_in_what_it_left_behind() -> None:
    log = MemoryLog(count(1).__next__)
    await append(log, *map(version, range(1, MANY_RECORDS + 2)))
    try:
        async with opened(log):
            assert gc.isenabled()
            assert gc.get_freeze_count() > MANY_RECORDS
    finally:
        gc.unfreeze()


async def test_what_another_node_appends_is_taken_in_at_a_hint() -> None:
    log = WatchedLog()
    async with opened(log) as registry:
        await append(log, version(1))
        log.unreadable = True
        log.hints.put_nowait(None)
        await asyncio.sleep(0.01)
        assert registry.state.position == 0
        log.unreadable = False
        log.hints.put_nowait(None)
        await asyncio.sleep(0.01)
        assert registry.state.position == 1


async def test_a_read_waits_for_what_another_node_was_told() -> None:
    log = WatchedLog()
    async with opened(log) as registry:
        await append(log, version(1))
        assert (await registry.versions.get(Subject.of("s"), 1)).id == 1


async def test_changes_are_told_from_a_position_on_and_as_they_happen(desk: Any) -> None:
    await desk.put("a")
    await desk.append_entries(Entry(b"{", None))
    changes = desk.registry.changes(0)
    first = await anext(changes)
    assert (first.position, first.timestamp_ms, str(first.record.key.subject), first.author) == (1, 1000, "a", None)
    following = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    assert not following.done()
    await desk.registry.on_behalf_of("ann").versions.register(Subject.of("b"), Candidate('"int"'))
    second = await following
    assert (second.position, str(second.record.key.subject), second.author) == (3, "b", "ann")
    await changes.aclose()


async def test_a_follower_that_leaves_is_forgotten(desk: Any) -> None:
    await desk.put("a")
    changes = desk.registry.changes(0)
    await anext(changes)
    assert len(desk.registry._core.writer._listeners) == 1
    await changes.aclose()
    assert desk.registry._core.writer._listeners == []


async def test_a_large_schema_is_parsed_before_its_turn(desk: Any) -> None:
    fields = ",".join(f'{{"name":"f{number}","type":"int","default":0}}' for number in range(3000))
    large = f'{{"type":"record","name":"R","fields":[{fields}]}}'
    assert [(await desk.put("s", large)).version, (await desk.put("t", large)).version] == [1, 1]
    assert (await desk.find("s", large)).version == 1
    assert (await desk.refusal(desk.put("s", large[:-1])))[0] == 42201
    assert (await desk.refusal(desk.put("s", large, type="XML")))[0] == 42201


async def test_a_stored_text_that_cannot_be_read_is_passed_over_in_a_lookup(desk: Any) -> None:
    text = '{"type":"record","name":"R","fields":[]}'
    await desk.append_version("s", text.replace("[]", "]["), (), 1)
    assert await desk.refusal(desk.find("s", text)) == (40403, "Schema not found")
