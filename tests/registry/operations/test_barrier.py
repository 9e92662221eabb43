"""What a read waits for when other nodes write too."""

import asyncio

import pytest

from registry.errors import Overloaded
from registry.operations.barrier import STRONG, Barrier, Consistency
from registry.questions import NEWEST, overheard


class Store:
    """A shared log that is slow to answer: counts the questions, and knows when each was asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked_at: list[float] = []
        self.release = asyncio.Event()
        self.out_of_reach = False

    async def catch_up(self) -> None:
        self.asked_at.append(self.now)
        await self.release.wait()
        if self.out_of_reach:
            raise Overloaded("The store is out of reach")

    def barrier(self, consistency: Consistency) -> Barrier:
        return Barrier(self.catch_up, consistency, lambda: self.now)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_reads_that_arrive_together_share_one_question() -> None:
    async def run() -> None:
        store = Store()
        store.release.set()
        barrier = store.barrier(STRONG)
        await asyncio.gather(*(barrier.wait() for _ in range(32)))
        assert len(store.asked_at) == 1

    asyncio.run(run())


def test_a_request_waits_once_however_many_of_its_parts_ask() -> None:
    async def run() -> None:
        store = Store()
        store.release.set()
        barrier = store.barrier(STRONG)
        for _ in range(2):
            with overheard() as questions:
                await barrier.wait()
                await barrier.wait()
                assert NEWEST in questions
        assert len(store.asked_at) == 2

    asyncio.run(run())


def test_who_waited_in_vain_has_not_waited() -> None:
    async def run() -> None:
        store = Store()
        store.release.set()
        store.out_of_reach = True
        barrier = store.barrier(STRONG)
        with overheard():
            for _ in range(2):
                with pytest.raises(Overloaded):
                    await barrier.wait()

    asyncio.run(run())


def test_a_read_never_shares_a_question_that_was_sent_before_it_arrived() -> None:
    async def run() -> None:
        store = Store()
        barrier = store.barrier(STRONG)
        early = asyncio.create_task(barrier.wait())
        await settle()
        store.now = 1.0
        late = [asyncio.create_task(barrier.wait()) for _ in range(8)]
        await settle()
        assert store.asked_at == [0.0]
        store.release.set()
        await asyncio.gather(early, *late)
        assert store.asked_at == [0.0, 1.0]

    asyncio.run(run())


def test_a_read_that_is_given_up_leaves_the_others_waiting() -> None:
    async def run() -> None:
        store = Store()
        barrier = store.barrier(STRONG)
        given_up, patient = (asyncio.create_task(barrier.wait()) for _ in range(2))
        await settle()
        given_up.cancel()
        store.release.set()
        await patient
        assert given_up.cancelled() or given_up.cancelling()

    asyncio.run(run())


def test_a_store_out_of_reach_fails_the_reads_that_need_it_and_no_later_ones() -> None:
    async def run() -> None:
        store = Store()
        store.release.set()
        store.out_of_reach = True
        barrier = store.barrier(STRONG)
        with pytest.raises(Overloaded):
            await barrier.wait()
        store.out_of_reach = False
        await barrier.wait()

    asyncio.run(run())


LAGS = [
    # consistency, seconds between two reads, questions in all
    ("strong", 0.0, 2),
    ("strong", 0.5, 2),
    ("bounded:1000", 0.5, 1),
    ("bounded:1000", 1.5, 2),
    ("bounded:" + "9" * 5000, 100.0, 1),
    ("local", 100.0, 0),
]


@pytest.mark.parametrize(("text", "seconds", "questions"), LAGS)
def test_a_read_asks_the_log_when_what_is_known_is_too_old_for_it(text: str, seconds: float, questions: int) -> None:
    async def run() -> None:
        store = Store()
        store.release.set()
        barrier = store.barrier(Consistency.of(text))
        await barrier.wait()
        store.now += seconds
        await barrier.wait()
        assert len(store.asked_at) == questions

    asyncio.run(run())


@pytest.mark.parametrize("text", ["", "weak", "bounded", "bounded:", "bounded:-1", "bounded:1s", "bounded:²", "STRONG"])
def test_another_word_for_the_consistency_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="strong, local or bounded"):
        Consistency.of(text)
