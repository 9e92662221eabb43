"""How long work of one kind may hold the event loop before everybody else gets a turn.

Owns the measure; refuses to know the work.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Final

PIECE_SECONDS: Final = 0.002


class Pace:
    """Of work in pieces, or of many that do the same: together they hold a pass of the loop for one piece of time."""

    def __init__(self) -> None:
        self._began: float | None = None
        """When the work of this pass of the loop began."""

    async def rest(self) -> None:
        """Wait for the next pass of the loop, if the work of this one has taken long enough."""
        while self._began is not None and monotonic() - self._began > PIECE_SECONDS:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)
        if self._began is None:
            self._began = monotonic()
            asyncio.get_running_loop().call_soon(self._next_pass)

    def _next_pass(self) -> None:
        self._began = None
