"""Work that many do at once leaves room for others, whether one does it in pieces or each does one piece."""

import asyncio

import pytest

from registry.pace import PIECE_SECONDS, Pace

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Clock:
    """The time that work takes, and nothing else: how fast this machine is does not count."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


async def work(pace: Pace, clock: Clock, pieces: int, seconds: float) -> None:
    for _ in range(pieces):
        await pace.rest()
        clock.seconds += seconds


async def passes(workers: int, pieces: int, seconds: float) -> int:
    """How many turns somebody else gets until all work is done."""
    clock, turns = Clock(), 0
    pace = Pace(clock)
    tasks = [asyncio.create_task(work(pace, clock, pieces, seconds)) for _ in range(workers)]
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


async def taken_in_turn(pace: Pace, clock: Clock, name: str, order: list[str]) -> None:
    await work(pace, clock, 1, PIECE_SECONDS)
    order.append(name)


async def test_those_who_wait_go_on_in_the_order_they_came(pace: Pace, clock: Clock) -> None:
    order: list[str] = []
    await asyncio.gather(*(taken_in_turn(pace, clock, name, order) for name in "abcdefgh"))
    assert order == list("abcdefgh")


async def test_one_who_gives_up_holds_nobody_up(pace: Pace, clock: Clock) -> None:
    order: list[str] = []
    tasks = [asyncio.create_task(taken_in_turn(pace, clock, name, order)) for name in "abcd"]
    await asyncio.sleep(0)
    tasks[2].cancel()
    await asyncio.wait(tasks, timeout=5)
    assert order == list("abd")


async def test_it_is_crowded_while_somebody_waits(pace: Pace, clock: Clock) -> None:
    tasks = [asyncio.create_task(work(pace, clock, 1, PIECE_SECONDS)) for _ in range(3)]
    assert not pace.crowded
    await asyncio.sleep(0)
    assert pace.crowded
    await asyncio.gather(*tasks)
    assert not pace.crowded
