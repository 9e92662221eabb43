"""A long list leaves the event loop to others while it is made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from registry.operations.listing import unhurried
from registry.pace import PIECE_SECONDS

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("offset", "limit", "kept"),
    [(0, None, [1, 2, 3, 4]), (1, None, [2, 3, 4]), (1, 2, [2, 3]), (0, 0, []), (4, 9, []), (3, 9, [4])],
)
async def test_a_page_counts_what_is_kept_and_not_what_is_left_out(
    offset: int, limit: int | None, kept: list[int]
) -> None:
    assert await unhurried([None, 1, None, 2, 3, None, 4, None], offset=offset, limit=limit) == kept


async def test_nothing_is_made_beyond_the_page() -> None:
    made = iter(range(10))
    assert await unhurried(made, offset=1, limit=2) == [1, 2]
    assert next(made) == 4


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
    told, lifeless = desk.registry.state.names(), desk.registry.state.lifeless()
    await desk.erase("a")
    await desk.delete("b")
    await desk.put("c")
    assert [name for name, _ in told] == ["a", "b"]
    assert lifeless == set()


@pytest.mark.parametrize("asked_between", [True, False])
async def test_subjects_are_told_in_order_while_they_come_and_go(desk: Any, asked_between: bool) -> None:
    def told() -> list[str]:
        return [name for name, _ in desk.registry.state.names()]

    steps = [("put", "c"), ("put", "a"), ("put", ":.b:z"), ("erase", "c"), ("put", "b"), ("put", "c"), ("erase", "a")]
    there: set[str] = set()
    assert told() == []
    for step, name in steps:
        await getattr(desk, step)(name)
        there ^= {name}
        assert not asked_between or told() == sorted(there)
    await desk.put("c", '"long"')
    assert told() == sorted(there)
