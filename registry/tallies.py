"""Counting what happens, in plain numbers: counters are ints where they count, and this is how durations are spread.

Refuses to know who reads them: they are put into Prometheus' words when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds for what should take less than a second."""
ITEMS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Upper bounds for how many things were done together."""


class Spread:
    """How observations are spread over ranges."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """bounds: the upper ends of the ranges, each included; what is above the last one is counted too."""
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one observation."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def merge(self, other: Spread) -> None:
        """Count what another one with the same bounds counted."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.total += other.total

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)
