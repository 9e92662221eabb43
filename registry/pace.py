"""How long work of one kind may hold the event loop before everybody else gets a turn.

Owns the measure and the order of those who wait; refuses to know the work.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

PIECE_SECONDS: Final = 0.0005


class Pace:
    """Of work in pieces, or of many that do the same: together they hold a pass of the loop for one piece of time."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        """When the work of this pass of the loop began."""
        self._has_waited = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._woken = 1
        """How many of those who waited work in one pass: woken all together, most would find its time used up."""

    @property
    def crowded(self) -> bool:
        """Whether anybody waits for a later pass, or has waited for this one."""
        return self._began is not None and (self._has_waited or bool(self._waiting))

    async def rest(self) -> None:
        """Wait for a later pass of the loop, in order, if the work of this one has taken long enough."""
        if self._began is None:
            self._begin(has_waited=False)
        elif self._waiting or self._clock() - self._began > PIECE_SECONDS:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    def _begin(self, *, has_waited: bool) -> None:
        self._began, self._has_waited = self._clock(), has_waited
        # What is called soon is called in the next pass of the loop, which is where this one has ended.
        asyncio.get_running_loop().call_soon(self._end, self._began)

    def _end(self, began: float) -> None:
        self._began = None
        if not self._waiting:
            self._woken = 1
            return
        seconds = self._clock() - began
        # Whoever was woken took longer than a piece together: one at a time, until it is known how many fit.
        if seconds > PIECE_SECONDS:
            self._woken = 1
        elif seconds < PIECE_SECONDS / 2:
            self._woken *= 2
        for _ in range(min(self._woken, len(self._waiting))):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
        self._begin(has_waited=True)
