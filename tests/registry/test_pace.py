"""Work that many do at once leaves room for others, whether one does it in pieces or each does one piece."""

import asyncio
import time

import pytest

from registry.pace import PIECE_SECONDS, Pace

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def pace() -> Pace:
    return Pace()


async def work(pace: Pace, pieces: int, seconds: float) -> None:
    for _ in range(pieces):
        await pace.rest()
        time.sleep(seconds)  # noqa: ASYNC251 - what is tested is work that holds the loop


async def passes(workers: int, pieces: int, seconds: float) -> int:
    """How many turns somebody else gets until all work is done."""
    pace, turns = Pace(), 0
    tasks = [asyncio.create_task(work(pace, pieces, seconds)) for _ in range(workers)]
    while not all(task.done() for task in tasks):
        turns += 1
        await asyncio.sleep(0)
    return turns


@pytest.mark.parametrize(("workers", "pieces"), [(1, 20), (20, 1), (4, 5)])
async def test_work_that_takes_long_takes_many_passes_of_the_loop(workers: int, pieces: int) -> None:
    assert await passes(workers, pieces, PIECE_SECONDS) >= 10


@pytest.mark.parametrize(("workers", "pieces"), [(1, 20), (20, 1), (4, 5)])
async def test_work_that_takes_no_time_takes_few(workers: int, pieces: int) -> None:
    assert await passes(workers, pieces, 0.0) < 10


async def taken_in_turn(pace: Pace, name: str, order: list[str]) -> None:
    await work(pace, 1, PIECE_SECONDS)
    order.append(name)


async def test_those_who_wait_go_on_in_the_order_they_came(pace: Pace) -> None:
    order: list[str] = []
    await asyncio.gather(*(taken_in_turn(pace, name, order) for name in "abcdefgh"))
    assert order == list("abcdefgh")


async def test_one_who_gives_up_holds_nobody_up(pace: Pace) -> None:
    order: list[str] = []
    tasks = [asyncio.create_task(taken_in_turn(pace, name, order)) for name in "abcd"]
    await asyncio.sleep(0)
    tasks[2].cancel()
    await asyncio.wait(tasks, timeout=5)
    assert order == list("abd")


async def test_it_is_crowded_while_somebody_waits(pace: Pace) -> None:
    tasks = [asyncio.create_task(work(pace, 1, PIECE_SECONDS)) for _ in range(3)]
    assert not pace.crowded
    await asyncio.sleep(0)
    assert pace.crowded
    await asyncio.gather(*tasks)
    assert not pace.crowded
