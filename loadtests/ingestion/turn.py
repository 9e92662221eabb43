"""A turn: what is sent to a gateway for some time, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from loadtests.ingestion.observation import Interval


@dataclass(slots=True)
class Turn:
    """Requests to the gateway with this encoder.

    url, bodies: what is sent; row: the row of Locust's table; users: how many may wait for an answer at a time;
    ended: of each request when it ended (time.perf_counter), how many milliseconds it took, whether it was taken.
    """

    encoder: str
    url: str
    row: str
    users: int
    bodies: Iterator[bytes]
    began: float = field(default_factory=time.perf_counter)
    in_flight: int = 0
    ended: list[tuple[float, float, bool]] = field(default_factory=list)

    @property
    def failures(self) -> int:
        """Requests that were not taken."""
        return sum(not taken for *_, taken in self.ended)

    @property
    def seconds(self) -> float:
        """The time from the beginning of the first request to the end of the last, 0 without any."""
        begins = (at - milliseconds / 1e3 for at, milliseconds, _ in self.ended)
        return max((at for at, *_ in self.ended), default=0.0) - min(begins, default=0.0)

    @property
    def p99_ms(self) -> float:
        """The latency that 99 of 100 requests did not exceed."""
        return _p99([milliseconds for _, milliseconds, _ in self.ended])

    def interval(self, start: float, end: float) -> Interval:
        """The requests that ended between two times, in seconds since the turn began."""
        found = [(milliseconds, taken) for at, milliseconds, taken in self.ended if start <= at - self.began < end]
        taken = sum(taken for _, taken in found)
        return Interval(start, end - start, taken, len(found) - taken, _p99([one for one, _ in found]))


def _p99(milliseconds: list[float]) -> float:
    return sorted(milliseconds)[int(len(milliseconds) * 0.99)] if milliseconds else 0.0
