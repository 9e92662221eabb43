"""How new an answer has to be when other nodes write too, and waiting until it is.

A read may share only a question to the log that was sent after the read arrived; those that arrive while one is under
way share the next. So at most one is under way, and no read misses what any node has acknowledged before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct

from registry.questions import NEWEST, ask_newest, heard
from registry.tallies import SECONDS, Spread

Clock = Callable[[], float]


class Consistency(Struct, frozen=True):
    """How far a read may lag behind what other nodes have acknowledged.

    seconds: 0 is not at all, None is whatever this node happens to know.
    """

    seconds: float | None

    @classmethod
    def of(cls, text: str) -> Consistency:
        """Read `strong`, `local` or `bounded:<ms>`.

        Raises ValueError.
        """
        word, _, milliseconds = text.partition(":")
        if word == "bounded" and milliseconds.isdecimal():
            return cls(float(milliseconds) / 1000)
        if text not in _NAMED:
            raise ValueError("It must be strong, local or bounded:<milliseconds>")
        return _NAMED[text]


STRONG: Final = Consistency(0.0)
LOCAL: Final = Consistency(None)
_NAMED: Final = {"strong": STRONG, "local": LOCAL}


class Barrier:
    """Lets reads through when the state is new enough for them."""

    def __init__(self, catch_up: Callable[[], Awaitable[None]], consistency: Consistency, clock: Clock) -> None:
        """Bring the state up to date with `catch_up`, which takes in all that was acknowledged before its call.

        clock: seconds, monotonic.
        """
        self._catch_up = catch_up
        self._consistency = consistency
        self._clock = clock
        self._current_until = float("-inf")
        self._under_way: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self.waits = Spread(SECONDS)
        """How long reads waited, those that had to."""

    async def wait(self) -> None:
        """Return when the state is new enough; raises Overloaded while the log is out of reach."""
        # An answer has to be as new as the request, which may wait at several places, and not as the last of them.
        if NEWEST not in heard() and not self._is_new_enough():
            await self._question_answered()
        ask_newest()

    async def _question_answered(self) -> None:
        # A question that is under way may have been answered already, without what was acknowledged since.
        if self._next is None:
            self._next = asyncio.create_task(self._fly(self._under_way))
        began = self._clock()
        # One of those who share it may leave, and must not end it for the others.
        await asyncio.shield(self._next)
        self.waits.add(self._clock() - began)

    def _is_new_enough(self) -> bool:
        seconds = self._consistency.seconds
        return seconds is None or self._clock() - self._current_until < seconds

    async def _fly(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._under_way, self._next = self._next, None
        # As of the question: what is acknowledged before its answer need not be in it.
        asked_at = self._clock()
        await self._catch_up()
        self._current_until = asked_at
