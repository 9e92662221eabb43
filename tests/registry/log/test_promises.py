"""The promises of registry/log/protocol.py, kept by every storage engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import pytest

from registry.envelope import Batch, Entry, Logged
from registry.errors import StoreFailed
from registry.log import Log, open_log
from registry.log.door import BATCH_ENTRIES

pytestmark = pytest.mark.anyio

ANY_BYTES = [
    Entry(b'{"keytype":"NOOP","magic":0}', None),
    Entry(b"", b""),
    Entry(b"\x00", b"\x00\x00", "nul\x00author"),
    Entry(b"\xff\xfe", bytes(range(256)), "Zoë \U0001f600"),
    Entry('{"subject":"\U0001f600"}'.encode(), b'{"schema":"\\u0000"}'),
    Entry(b"k" * 3000, b"v" * 3_000_000),
]


def numbered(count: int, first: int = 1) -> list[Entry]:
    return [Entry(b"key %d" % number, b"value %d" % number) for number in range(first, first + count)]


async def append(log: Log, entries: Sequence[Entry], after: int | None = None) -> Batch:
    async with log.turn(await log.end() if after is None else after) as turn:
        return await turn.append(entries)


async def batches(log: Log, after: int = 0) -> list[Batch]:
    return [batch async for batch in log.read(after)]


async def entries(log: Log, after: int = 0) -> list[Logged]:
    return [entry for batch in await batches(log, after) for entry in batch.entries]


async def test_a_new_log_is_empty(log: Log) -> None:
    assert await log.end() == 0
    assert await batches(log) == []
    assert log.alarm is None


@pytest.mark.parametrize("entry", ANY_BYTES, ids=lambda entry: repr(entry.key[:12]))
async def test_key_value_and_author_come_back_as_they_were_appended(log: Log, entry: Entry) -> None:
    await append(log, [entry])
    (logged,) = await entries(log)
    assert (logged.key, logged.value, logged.author) == (entry.key, entry.value, entry.author)


async def test_the_rest_of_a_commit_is_read_from_within_it(log: Log) -> None:
    await append(log, numbered(3))
    assert [batch.after for batch in await batches(log, 2)] == [2]
    assert [logged.position for logged in await entries(log, 2)] == [3]


async def test_a_commit_of_tombstones_only_is_appended(log: Log) -> None:
    await append(log, [Entry(b"a", None), Entry(b"b", None)])
    assert [entry.value for entry in await entries(log)] == [None, None]


async def test_the_first_position_is_1_and_each_next_one_is_larger(log: Log) -> None:
    await append(log, numbered(2))
    await append(log, numbered(3, first=3))
    assert [(entry.position, entry.key) for entry in await entries(log)] == [
        (number, b"key %d" % number) for number in range(1, 6)
    ]


async def test_an_append_answers_with_what_a_reader_sees(log: Log) -> None:
    await append(log, numbered(2))
    appended = await append(log, numbered(3))
    assert await batches(log, after=2) == [appended]
    assert (appended.after, appended.end) == (2, 5)


async def test_reading_gives_whole_commits_in_batches_that_join(log: Log) -> None:
    sizes = (1, 700, 900, 700, BATCH_ENTRIES + 1, 3)
    ends = [(await append(log, numbered(size))).end for size in sizes]
    read = await batches(log)
    assert [batch.after for batch in read] == [0, *(batch.end for batch in read[:-1])]
    assert {batch.end for batch in read} <= set(ends)
    assert [len(batch.entries) for batch in read] == [batch.end - batch.after for batch in read]
    assert len(read) == 3


async def test_reading_from_any_commit_gives_the_rest(log: Log) -> None:
    ends = [0] + [(await append(log, numbered(size))).end for size in (3, 1, 2)]
    everything = await entries(log)
    for end in ends:
        assert await entries(log, after=end) == everything[end:]


async def test_entries_carry_the_time_of_their_append(store, clock) -> None:
    log = await open_log(store.url, clock)
    for clock.now_ms in (5_000, 1_000, 9_000):  # a clock that jumps changes no order
        await append(log, numbered(1))
    assert [entry.timestamp_ms for entry in await entries(log)] == [5_000, 1_000, 9_000]
    await log.close()


async def test_an_entry_that_is_copied_keeps_its_time(store, clock) -> None:
    log = await open_log(store.url, clock)
    await append(log, [Entry(b"a", None, None, 1), Entry(b"b", b"b", "author"), Entry(b"c", b"c", None, 2**42)])
    assert [entry.timestamp_ms for entry in await entries(log)] == [1, 1_000, 2**42]
    await log.close()


async def test_a_turn_without_append_changes_nothing(log: Log) -> None:
    async with log.turn(0):
        pass
    async with log.turn(0) as turn:
        assert (await turn.append([])).entries == ()
    assert await log.end() == 0


async def test_a_turn_that_fails_changes_nothing_and_lets_the_next_one_in(log: Log) -> None:
    with pytest.raises(ZeroDivisionError):
        async with log.turn(0):
            raise ZeroDivisionError
    assert (await append(log, numbered(1))).end == 1


async def test_a_turn_appends_once(log: Log) -> None:
    async with log.turn(0) as turn:
        await turn.append(numbered(1))
        with pytest.raises(RuntimeError, match="a turn appends once"):
            await turn.append(numbered(1))
    assert await log.end() == 1


async def test_one_turn_at_a_time_in_order_of_arrival(log: Log) -> None:
    order: list[tuple[str, int]] = []

    async def take(number: int) -> None:
        async with log.turn(0) as turn:
            order.append(("in", number))
            await turn.append(numbered(1, first=number))
            order.append(("out", number))

    await asyncio.gather(*(take(number) for number in range(20)))
    assert order == [(step, number) for number in range(20) for step in ("in", "out")]
    assert [entry.key for entry in await entries(log)] == [b"key %d" % number for number in range(20)]


async def test_a_turn_gives_what_was_missed_since_a_position(log: Log) -> None:
    first = await append(log, numbered(2))
    second = await append(log, numbered(3))
    async with log.turn(first.end) as turn:
        assert turn.missed == second
    async with log.turn(second.end) as turn:
        assert turn.missed == Batch(5, 5, ())


@pytest.mark.parametrize("delay_ms", [0, 0.1, 0.2, 0.4, 0.8, 1.2, 1.6, 2.5, 4, 10])
async def test_an_append_whose_caller_is_cancelled_is_known_to_the_next_turn(log: Log, delay_ms: float) -> None:
    await append(log, numbered(1))
    task = asyncio.create_task(append(log, numbered(2), after=1))
    await asyncio.sleep(delay_ms / 1000)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    async with log.turn(1) as turn:
        assert list(turn.missed.entries) == await entries(log, after=1)
        assert len(turn.missed.entries) in (0, 2)
        assert (await turn.append(numbered(1))).after == turn.missed.end


async def test_cancelling_one_who_waits_for_the_door_leaves_it_to_the_others(log: Log) -> None:
    async with log.turn(0) as turn:
        waiting = [asyncio.create_task(append(log, numbered(1), after=0)) for _ in range(3)]
        await asyncio.sleep(0.01)
        waiting[0].cancel()
        await turn.append(numbered(1))
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in done] == [asyncio.CancelledError, Batch, Batch]
    assert await log.end() == 3


async def test_a_turn_from_beyond_the_end_is_refused(log: Log) -> None:
    await append(log, numbered(1))
    with pytest.raises(StoreFailed, match=r"position 1.*position 2"):
        async with log.turn(2):
            pass


async def test_the_end_covers_every_acknowledged_append(log: Log) -> None:
    for size in (1, 5, 2):
        appended = await append(log, numbered(size))
        assert await log.end() >= appended.end


async def test_reading_during_appends_tears_no_commit(log: Log) -> None:
    async def write() -> None:
        for _ in range(100):
            await append(log, numbered(3))

    writing = asyncio.create_task(write())
    seen = 0
    while seen < 300:
        await asyncio.sleep(0)
        for batch in await batches(log, after=seen):
            assert (batch.after, batch.end % 3, len(batch.entries)) == (seen, 0, batch.end - seen)
            seen = batch.end
    await writing


async def test_two_logs_have_different_identities(log: Log) -> None:
    other = await open_log("memory:")
    assert other.uuid != log.uuid


async def test_an_opened_again_log_is_the_same(store) -> None:
    if not store.lasting:
        pytest.skip("a log in memory ends with its process")
    first = await open_log(store.url)
    appended = [await append(first, numbered(size)) for size in (1, 4)]
    await first.close()
    second = await open_log(store.url)
    assert second.uuid == first.uuid
    assert await entries(second) == [entry for batch in appended for entry in batch.entries]
    assert (await append(second, numbered(1))).after == 5
    await second.close()


async def test_closing_waits_for_the_append_under_way(store) -> None:
    log = await open_log(store.url)
    appending = asyncio.create_task(append(log, numbered(50), after=0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await log.close()
    assert (await appending).end == 50


async def test_a_log_may_be_closed_twice(log: Log) -> None:
    await append(log, numbered(1))
    await log.close()
    await log.close()


async def test_a_reader_may_leave_early(log: Log) -> None:
    for first, second in pairwise(range(1, 4)):
        await append(log, numbered(BATCH_ENTRIES, first=first))
        await append(log, numbered(1, first=second))
    async for batch in log.read(0):
        assert batch.after == 0
        break
    assert (await append(log, numbered(1))).entries
