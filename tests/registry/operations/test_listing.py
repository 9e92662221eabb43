"""A long list leaves the event loop to others while it is made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from registry.operations.listing import SORTED_AT_ONCE, at_pace, ordered, page_of, unhurried
from registry.pace import PIECE_SECONDS
from registry.rules.subjects import EVERY_CONTEXT

pytestmark = pytest.mark.anyio


PIECES = [[("a", [1, 2]), ("b", []), ("c", [3])], [], [("d", [4, 5, 6])], [("e", [7])]]
EVERYTHING = [("a", 1), ("a", 2), ("c", 3), ("d", 4), ("d", 5), ("d", 6), ("e", 7)]


@pytest.mark.parametrize("offset", range(9))
@pytest.mark.parametrize("limit", range(1, 9))
async def test_a_page_is_a_slice_of_all_groups_one_after_the_other(offset: int, limit: int) -> None:
    assert await page_of(PIECES, offset, limit) == EVERYTHING[offset : offset + limit]


async def test_nothing_is_looked_at_beyond_the_page() -> None:
    pieces = iter(PIECES)
    assert await page_of(pieces, 1, 3) == [("a", 2), ("c", 3), ("d", 4)]
    assert next(pieces) == PIECES[-1]


@pytest.mark.parametrize("count", [0, 1, SORTED_AT_ONCE, SORTED_AT_ONCE + 1, 5 * SORTED_AT_ONCE])
async def test_entries_are_put_in_order_however_many_there_are(count: int) -> None:
    entries = [(f"subject-{number * 7919 % 10007}", number) for number in range(count)]
    assert await ordered(entries) == sorted(entries)


async def test_many_lists_together_hold_a_pass_of_the_loop_no_longer_than_one() -> None:
    made: list[int] = []

    def slow() -> Iterator[None]:
        for number in range(5):
            time.sleep(PIECE_SECONDS)
            yield made.append(number)

    async def make() -> None:
        async for _ in at_pace(slow()):
            pass

    lists, most, before = [asyncio.create_task(make()) for _ in range(20)], 0, 0
    while not all(one.done() for one in lists):
        await asyncio.sleep(0)
        most, before = max(most, len(made) - before), len(made)
    assert (len(made), most <= 2) == (100, True)


async def test_others_run_while_a_long_list_is_made() -> None:
    def slow() -> Iterator[int]:
        for number in range(200):
            time.sleep(PIECE_SECONDS / 10)
            yield number

    listing, turns = asyncio.create_task(unhurried(slow())), 0
    while not listing.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await listing, turns > 3) == (list(range(200)), True)


async def test_names_stay_those_of_the_moment_when_they_were_asked_for(desk: Any) -> None:
    for name in ("a", "b"):
        await desk.put(name)
    told = desk.registry.state.names(EVERY_CONTEXT)
    await desk.erase("a")
    await desk.delete("b")
    await desk.put("c")
    assert [name for name, _ in chain.from_iterable(told)] == ["a", "b"]


@pytest.mark.parametrize("asked_between", [True, False])
async def test_subjects_are_told_in_order_while_they_come_and_go(desk: Any, asked_between: bool) -> None:
    def told() -> list[str]:
        return [name for name, _ in chain.from_iterable(desk.registry.state.names(EVERY_CONTEXT))]

    steps = [("put", "c"), ("put", "a"), ("put", ":.b:z"), ("erase", "c"), ("put", "b"), ("put", "c"), ("erase", "a")]
    there: set[str] = set()
    assert told() == []
    for step, name in steps:
        await getattr(desk, step)(name)
        there ^= {name}
        assert not asked_between or told() == sorted(there)
    await desk.put("c", '"long"')
    assert told() == sorted(there)
