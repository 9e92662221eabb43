"""The one door for change: commands queue, are decided in order on a draft, appended as one commit, then answered.

Owns order and durability: an answer is sent only when everything that it was decided on is durable, refusals and
successes without records included. Refuses to know what a command means.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic, perf_counter
from typing import Any, Final, Generic, Protocol, TypeVar

from msgspec import Struct

from registry.envelope import Entry
from registry.errors import Overloaded, RegistryError, SchemaTooLarge, StoreFailed
from registry.log.protocol import Log
from registry.pace import Pace
from registry.records import Record
from registry.state import State
from registry.tallies import ITEMS, SECONDS, Spread

Answer = TypeVar("Answer")
Answer_co = TypeVar("Answer_co", covariant=True)

GATHERED_SECONDS: Final = 0.01
"""How long a commit waits at most for those who are nearly ready to share it."""

ANSWERED_AT_ONCE: Final = 16
"""How many of those that share a commit go on in one pass of the event loop."""

logger = logging.getLogger(__name__)


class Decision(Struct, Generic[Answer_co], frozen=True, gc=False):
    """What a command decided: the records that make it true, and what to answer then."""

    answer: Answer_co
    records: tuple[Record, ...] = ()


class Command(Protocol[Answer_co]):
    """A wish to change the registry."""

    def decide(self, state: State) -> Decision[Answer_co]:
        """Decide on this state, without touching it or anything else.

        Raises RegistryError to refuse.
        """
        ...


@dataclass(slots=True, eq=False)
class _Job:
    command: Command[Any]
    author: str | None
    answered: asyncio.Future[Any]


@dataclass(slots=True)
class _Round:
    """What became of the jobs of one turn, until it is known to be durable."""

    decisions: list[tuple[_Job, Decision[Any]]] = field(default_factory=list)
    refusals: list[tuple[_Job, RegistryError]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)


class Writer:
    """Takes commands one by one and makes them durable together."""

    def __init__(self, log: Log, state: State, *, max_waiting: int = 10_000, max_commit: int = 64) -> None:
        """Write to a log on behalf of a state.

        max_waiting: how many commands may queue before new ones are refused; max_commit: how many share one commit.
        """
        self._log = log
        self._state = state
        self.thinking = Pace()
        """Of all that make sense of schemas, most of them to write one: a loop that finds many of them waiting must not
        be held by all in turn.
        """
        self._max_waiting = max_waiting
        self._max_commit = max_commit
        self._waiting: deque[_Job] = deque()
        self._wake = asyncio.Event()
        self._stopped = self._is_failing = False
        self._listeners: list[Callable[[], None]] = []
        self.commit_records, self.commit_seconds = Spread(ITEMS), Spread(SECONDS)
        """How many records each commit has, and how long it took to become durable."""

    async def submit(self, command: Command[Answer], author: str | None = None) -> Answer:
        """Have a command decided and made durable, and answer what it decided.

        Raises Overloaded when the queue is full or the writer stopped, StoreFailed when the log refuses, and whatever
        the command refuses with. A caller that stops waiting does not stop the command.
        """
        if self._stopped:
            raise _stopping()
        if len(self._waiting) >= self._max_waiting:
            raise Overloaded("Too many writes are waiting already; try again shortly")
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(command, author, answered))
        self._wake.set()
        return await answered

    @property
    def waiting(self) -> int:
        """How many commands wait for their turn."""
        return len(self._waiting)

    def on_advance(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call a listener whenever the state has advanced; calling the answer ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def run(self) -> None:
        """Serve the queue until `stop`; what is being decided and appended then is still answered."""
        while not self._stopped:
            await self._wake.wait()
            # Before the queue is looked at: who comes while it is being emptied sets it again.
            self._wake.clear()
            while self._waiting:
                await self._gather()
                # Whoever waited may have been refused meanwhile.
                if jobs := self._next_jobs(self._max_commit):
                    await self._serve(jobs, joinable=True)

    async def _gather(self) -> None:
        """Let those come along who are nearly ready: a turn costs nearly the same for one and for many."""
        until = monotonic() + GATHERED_SECONDS
        while self.thinking.crowded and len(self._waiting) < self._max_commit and monotonic() < until:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Take no more commands, refuse those that wait, and let `run` end."""
        self._stopped = True
        self._wake.set()
        while self._waiting:
            _settle(self._waiting.popleft(), _stopping())

    async def catch_up(self) -> None:
        """Take in what other writers appended."""
        before = self._state.position
        async for batch in self._log.read(before):
            self._state.advance(batch)
        if self._state.position != before:
            self._announce()

    def _next_jobs(self, at_most: int) -> list[_Job]:
        return [self._waiting.popleft() for _ in range(min(at_most, len(self._waiting)))]

    async def _serve(self, jobs: Sequence[_Job], *, joinable: bool = False) -> None:
        """Decide jobs and append what they decided in one turn, with those that came while it was waited for if it
        is `joinable`: when many nodes want their turns, that is most of them.
        """
        done = _Round()
        try:
            async with self._log.turn(self._state.position) as turn:
                self._state.advance(turn.missed)
                if joinable:
                    jobs = [*jobs, *self._next_jobs(self._max_commit - len(jobs))]
                await self._decide(jobs, done)
                if done.entries:
                    began = perf_counter()
                    self._state.advance(await turn.append(done.entries), done.records)
                    self.commit_seconds.add(perf_counter() - began)
                    self.commit_records.add(len(done.entries))
                    self._report(None)
        except SchemaTooLarge as reason:
            await self._serve_apart(jobs, reason)
        except RegistryError as reason:
            self._report(reason)
            await self._fail(done, jobs, reason)
        except Exception:
            # The outermost border of the writing task: it must outlive any fault, or nobody could write again.
            logger.exception("a write failed in a way that nothing foresaw")
            await self._serve_apart(jobs, StoreFailed("Register operation failed while writing to the store"))
        else:
            await _answer(done)
            self._announce()

    async def _decide(self, jobs: Sequence[_Job], done: _Round) -> None:
        draft, pace = self._state.draft(), Pace()
        for job in jobs:
            await pace.rest()
            try:
                decision = job.command.decide(draft)
            except RegistryError as refusal:
                done.refusals.append((job, refusal))
                continue
            draft.apply(decision.records, job.author)
            for record in decision.records:
                done.records.append(record)
                done.entries.append(record.entry(job.author))
            done.decisions.append((job, decision))

    async def _serve_apart(self, jobs: Sequence[_Job], reason: RegistryError) -> None:
        # One command took the others' commit with it: alone, only that one fails.
        if len(jobs) == 1:
            _settle(jobs[0], reason)
            return
        for job in jobs:
            await self._serve([job])

    async def _fail(self, done: _Round, jobs: Sequence[_Job], reason: RegistryError) -> None:
        # What was decided without records stood on a draft that never came true, so it is decided again.
        undecided = len(done.decisions) + len(done.refusals) < len(jobs)
        appended = {job for job, decision in done.decisions if decision.records}
        again = [] if undecided or not appended else [job for job in jobs if job not in appended]
        for job in jobs:
            if job not in again:
                _settle(job, reason)
        if again:
            await self._serve(again)

    def _report(self, trouble: RegistryError | None) -> None:
        """Tell the operator of the first commit that fails, and of the first one after it that does not."""
        if trouble is not None and not self._is_failing:
            # What an engine makes of its driver's words is for clients, who need not know where the store is.
            logger.error("The store takes no changes: %s", str(trouble.__cause__ or trouble).partition("\n")[0])
        elif trouble is None and self._is_failing:
            logger.warning("The store takes changes again")
        self._is_failing = trouble is not None

    def _announce(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def _stopping() -> Overloaded:
    return Overloaded("The registry is shutting down; try another node or again")


async def _answer(done: _Round) -> None:
    for number, (job, decision) in enumerate(done.decisions, 1):
        if not job.answered.done():
            job.answered.set_result(decision.answer)
        # Whoever waited goes on in the next pass of the loop, and a pass with all of them would be a long one.
        if number % ANSWERED_AT_ONCE == 0:
            await asyncio.sleep(0)
    for job, refusal in done.refusals:
        _settle(job, refusal)


def _settle(job: _Job, reason: RegistryError) -> None:
    with suppress(asyncio.InvalidStateError):
        job.answered.set_exception(reason)
