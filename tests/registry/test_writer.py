"""The one door for change: order, shared commits, and what becomes of everyone when a commit fails."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from time import monotonic

import pytest

from registry.envelope import Batch
from registry.errors import (
    Overloaded,
    RegistryError,
    SchemaTooLarge,
    StoreFailed,
    StoreTimedOut,
    SubjectNotFound,
)
from registry.log.door import HeldTurn
from registry.log.memory import MemoryLog
from registry.model import Schema, Subject
from registry.pace import PIECE_SECONDS
from registry.records import Record, SchemaKey, SchemaValue
from registry.state import State
from registry.writer import Command, Decision, Writer

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class FragileLog(MemoryLog):
    """A log in memory that fails as planned, waits on demand, and takes no large values."""

    def __init__(self) -> None:
        super().__init__(count(1).__next__)
        self.faults: deque[RegistryError] = deque()
        self.turn_faults: deque[RegistryError] = deque()
        self.open = asyncio.Event()
        self.open.set()
        self.begun = asyncio.Event()
        self.may_turn = asyncio.Event()
        self.may_turn.set()
        self.max_bytes = 10_000

    @asynccontextmanager
    async def turn(self, after: int) -> AsyncIterator[HeldTurn]:
        if self.turn_faults:
            raise self.turn_faults.popleft()
        await self.may_turn.wait()
        async with super().turn(after) as turn:
            yield turn

    async def _write(self, batch: Batch) -> None:
        self.begun.set()
        await self.open.wait()
        if self.faults:
            raise self.faults.popleft()
        if any(len(entry.value or b"") > self.max_bytes for entry in batch.entries):
            raise SchemaTooLarge
        await super()._write(batch)

    @property
    def commits(self) -> list[list[str]]:
        """The subjects of each commit."""
        starts = [0, *self._ends]
        return [[self._subject(at) for at in range(a, b)] for a, b in zip(starts, self._ends, strict=False)]

    def _subject(self, at: int) -> str:
        return self._entries[at].key.split(b'"')[7].decode()


def versions(state: State, subject: str) -> int:
    return len(state.rows(Subject.of(subject)))


@dataclass(frozen=True)
class Put:
    """Add a version to a subject; the answer is its number."""

    subject: str
    text: str = '"int"'

    def decide(self, state: State) -> Decision[int]:
        number = versions(state, self.subject) + 1
        key = SchemaKey(Subject.of(self.subject), number)
        value = SchemaValue(state.highest_id(".") + 1, Schema(self.text))
        return Decision(number, (Record(key, value),))


@dataclass(frozen=True)
class Count:
    """How many versions a subject has."""

    subject: str

    def decide(self, state: State) -> Decision[int]:
        return Decision(versions(state, self.subject))


@dataclass(frozen=True)
class PutFirst:
    """Add the first version of a subject; refuse when there is one."""

    subject: str

    def decide(self, state: State) -> Decision[int]:
        if versions(state, self.subject):
            raise SubjectNotFound(self.subject)
        return Put(self.subject).decide(state)


class Broken:
    """A command with a fault in its code."""

    def decide(self, state: State) -> Decision[int]:
        raise ZeroDivisionError(f"at {state.position}")


@dataclass
class Door:
    """A writer on a fragile log, and answers as values."""

    log: FragileLog
    state: State
    writer: Writer
    running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.running = asyncio.create_task(self.writer.run())

    async def stop(self) -> None:
        self.writer.stop()
        if self.running:
            await self.running

    async def ask(self, *commands: Command[int]) -> list[asyncio.Task[int]]:
        """Queue commands before the writer can look at any of them."""
        tasks = [asyncio.create_task(self.writer.submit(command, "ann")) for command in commands]
        await asyncio.sleep(0)
        return tasks

    async def answers(self, *commands: Command[int]) -> list[int | BaseException]:
        tasks = await self.ask(*commands)
        if self.running is None:
            self.start()
        return await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    log, state = FragileLog(), State()
    door = Door(log, state, Writer(log, state, max_waiting=100, max_commit=8))
    yield door
    log.open.set()
    log.may_turn.set()
    await door.stop()


async def test_commands_are_answered_and_logged_in_the_order_they_came(door: Door) -> None:
    assert await door.answers(Put("a"), Put("b"), Put("a"), Count("a")) == [1, 1, 2, 2]
    assert (door.log.commits, door.state.position) == ([["a", "b", "a"]], 3)
    assert {entry.author for entry in door.log._entries} == {"ann"}


async def test_what_waits_shares_commits_of_limited_size(door: Door) -> None:
    await door.answers(*(Put(f"s{number}") for number in range(20)))
    assert [len(commit) for commit in door.log.commits] == [8, 8, 4]


async def test_what_comes_during_a_commit_shares_the_next_one(door: Door) -> None:
    door.start()
    door.log.open.clear()
    first = await door.ask(Put("a"))
    await door.log.begun.wait()
    later = await door.ask(Put("b"), Put("c"), Put("d"))
    door.log.open.set()
    assert await asyncio.gather(*first, *later) == [1, 1, 1, 1]
    assert door.log.commits == [["a"], ["b", "c", "d"]]


async def test_commands_that_are_nearly_ready_share_the_commit_of_the_first(door: Door) -> None:
    async def thought_through(subject: str) -> int:
        await door.writer.thinking.rest()
        time.sleep(PIECE_SECONDS)  # noqa: ASYNC251 - what is tested is thinking that holds the loop
        return await door.writer.submit(Put(subject))

    door.start()
    await asyncio.gather(*(thought_through(subject) for subject in "abcd"))
    assert door.log.commits == [["a", "b", "c", "d"]]


async def test_what_comes_while_the_turn_is_waited_for_shares_its_commit(door: Door) -> None:
    door.start()
    door.log.may_turn.clear()
    first = await door.ask(Put("a"))
    later = await door.ask(*(Put(f"s{number}") for number in range(9)))
    door.log.may_turn.set()
    await asyncio.gather(*first, *later)
    assert [len(commit) for commit in door.log.commits] == [8, 2]


async def test_nothing_is_answered_before_it_is_durable(door: Door) -> None:
    door.log.open.clear()
    door.start()
    tasks = await door.ask(Put("a"), Count("a"), PutFirst("a"))
    await door.log.begun.wait()
    assert not any(task.done() for task in tasks)
    assert door.state.position == 0
    door.log.open.set()
    assert [type(answer) for answer in await asyncio.gather(*tasks, return_exceptions=True)] == [
        int,
        int,
        SubjectNotFound,
    ]


async def test_a_refusal_takes_no_one_with_it(door: Door) -> None:
    first, refused, second = await door.answers(Put("a"), PutFirst("a"), Put("a"))
    assert (first, second, type(refused)) == (1, 2, SubjectNotFound)
    assert door.log.commits == [["a", "a"]]


async def test_only_refusals_append_nothing(door: Door) -> None:
    await door.answers(Put("a"))
    await door.answers(PutFirst("a"), Count("a"))
    assert door.log.commits == [["a"]]


async def test_a_failed_commit_fails_those_who_wrote_and_changes_nothing(door: Door) -> None:
    door.log.faults.append(StoreFailed("The disk is full"))
    answers = await door.answers(Put("a"), Put("b"))
    assert [type(answer) for answer in answers] == [StoreFailed, StoreFailed]
    assert (door.state.position, door.log.commits) == (0, [])
    assert await door.answers(Put("a")) == [1]


async def test_what_was_decided_on_a_failed_commit_is_decided_again(door: Door) -> None:
    door.log.faults.append(StoreFailed("The disk is full"))
    failed, counted, put = await door.answers(Put("a"), Count("a"), PutFirst("a"))
    assert (type(failed), counted, put) == (StoreFailed, 0, 1)
    assert door.log.commits == [["a"]]


async def test_a_commit_of_unknown_outcome_says_so(door: Door) -> None:
    door.log.faults.append(StoreTimedOut("Register operation timed out"))
    timed_out, counted = await door.answers(Put("a"), Count("b"))
    assert (type(timed_out), counted) == (StoreTimedOut, 0)


async def test_a_store_out_of_reach_fails_all_and_nothing_later(door: Door) -> None:
    door.log.turn_faults.append(Overloaded("The store is out of reach"))
    assert [type(answer) for answer in await door.answers(Put("a"), Count("a"))] == [Overloaded, Overloaded]
    assert await door.answers(Put("a"), Count("a")) == [1, 1]


async def test_the_first_of_failing_commits_is_logged_and_the_first_that_comes_through(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    refused = StoreFailed("The store failed (42501)")
    refused.__cause__ = PermissionError("permission denied for table log\nHINT: ask its owner")
    door.log.faults.extend([refused, StoreFailed("The disk is full")])
    for _ in range(4):
        await door.answers(Put("a"), PutFirst("b"), Put("c", "x" * 20_000))
    assert [record.getMessage() for record in caplog.records] == [
        "The store takes no changes: permission denied for table log",
        "The store takes changes again",
    ]


async def test_a_record_that_is_too_large_fails_alone(door: Door) -> None:
    answers = await door.answers(Put("a"), Put("b", "x" * 20_000), Count("b"), Put("a"))
    assert [answers[0], type(answers[1]), answers[2], answers[3]] == [1, SchemaTooLarge, 0, 2]
    assert door.log.commits == [["a"], ["a"]]


async def test_a_fault_in_a_command_fails_alone_and_the_writer_goes_on(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answers = await door.answers(Put("a"), Broken(), Put("a"))
    assert [answers[0], type(answers[1]), answers[2]] == [1, StoreFailed, 2]
    assert "ZeroDivisionError" in caplog.text
    assert await door.answers(Put("a")) == [3]


async def test_a_full_queue_refuses_more_and_serves_what_waits(door: Door) -> None:
    tasks = await door.ask(*(Put("a") for _ in range(100)))
    assert door.writer.waiting == 100
    with pytest.raises(Overloaded, match="Too many writes"):
        await door.writer.submit(Put("a"))
    door.start()
    assert await asyncio.gather(*tasks) == list(range(1, 101))


async def test_a_caller_that_stops_waiting_does_not_stop_its_command(door: Door) -> None:
    impatient, patient = await door.ask(Put("a"), Put("a"))
    impatient.cancel()
    door.start()
    assert await patient == 2
    assert door.log.commits == [["a", "a"]]


async def test_a_caller_that_stops_waiting_during_the_commit_is_no_fault(door: Door) -> None:
    door.log.open.clear()
    door.start()
    impatient, refused = await door.ask(Put("a"), PutFirst("a"))
    await door.log.begun.wait()
    impatient.cancel()
    refused.cancel()
    door.log.open.set()
    assert await door.answers(Count("a")) == [1]


async def test_stopping_refuses_what_waits_and_answers_what_is_under_way(door: Door) -> None:
    door.log.open.clear()
    door.start()
    (under_way,) = await door.ask(Put("a"))
    await door.log.begun.wait()
    (waiting,) = await door.ask(Put("b"))
    door.writer.stop()
    door.log.open.set()
    assert await under_way == 1
    for refused in (waiting, door.writer.submit(Put("c"))):
        with pytest.raises(Overloaded, match="shutting down"):
            await refused
    await door.stop()
    assert door.log.commits == [["a"]]


async def test_stopping_an_idle_writer_ends_it(door: Door) -> None:
    door.start()
    await asyncio.sleep(0)
    await asyncio.wait_for(door.stop(), timeout=5)


async def test_listeners_hear_of_each_advance_until_they_leave(door: Door) -> None:
    heard: list[int] = []
    leave = door.writer.on_advance(lambda: heard.append(door.state.position))
    await door.answers(Put("a"), Put("b"))
    await door.answers(Put("a"))
    leave()
    await door.answers(Put("a"))
    assert heard == [2, 3]


@asynccontextmanager
async def node(log: MemoryLog) -> AsyncIterator[Writer]:
    """Another writer on the same log, with a state of its own."""
    writer = Writer(log, State())
    running = asyncio.create_task(writer.run())
    yield writer
    writer.stop()
    await running


async def test_two_writers_of_one_log_decide_on_all_that_was_committed(door: Door) -> None:
    door.start()
    async with node(door.log) as other:
        await asyncio.gather(*(writer.submit(Put("a")) for writer in (door.writer, other) * 10))
    numbers = [entry.key for entry in door.log._entries]
    assert len(set(numbers)) == 20
    await door.writer.catch_up()
    assert (versions(door.state, "a"), door.state.highest_id("."), door.state.conflicting_records) == (20, 20, 0)


async def test_catching_up_takes_in_what_others_wrote_and_tells_the_listeners(door: Door) -> None:
    heard: list[int] = []
    door.writer.on_advance(lambda: heard.append(door.state.position))
    async with node(door.log) as other:
        await other.submit(Put("a"))
    await door.writer.catch_up()
    await door.writer.catch_up()
    assert (heard, versions(door.state, "a")) == ([1], 1)


@dataclass(frozen=True)
class Slow:
    """A command that takes its time."""

    seconds: float

    def decide(self, state: State) -> Decision[int]:
        end = monotonic() + self.seconds
        while monotonic() < end:
            pass
        return Decision(state.position)


async def test_others_get_a_turn_while_many_commands_are_decided(door: Door) -> None:
    tasks = await door.ask(*[Slow(2 * PIECE_SECONDS)] * 8)
    door.start()
    turns = 0
    while not all(task.done() for task in tasks):
        turns += 1
        await asyncio.sleep(0)
    assert turns >= 8
