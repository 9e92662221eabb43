"""What a run saw, as frozen values that travel as JSON between the measurement and the report."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Slot:
    """A few seconds in which one gateway had all the load.

    encoder: the gateway's way of writing records; batch: records in a request; bytes: of all values produced.
    """

    encoder: str
    batch: int
    requests: int
    failures: int
    seconds: float
    gateway_cpu_seconds: float
    registry_cpu_seconds: float
    generator_cpu_seconds: float
    records: int
    undelivered: int
    registry_calls: int
    bytes: int
    p99_ms: float

    @property
    def records_per_second(self) -> float:
        """Records that the gateway took per second."""
        return self.records / self.seconds

    @property
    def cpu_us(self) -> float:
        """The gateway's processor time per record, in microseconds."""
        return self.gateway_cpu_seconds / self.records * 1e6


@dataclass(frozen=True, slots=True)
class Interval:
    """Requests that ended in a piece of time; `began` is seconds since the load began."""

    began: float
    seconds: float
    taken: int
    failures: int
    p99_ms: float

    @property
    def taken_per_second(self) -> float:
        """Requests that the gateway took per second."""
        return self.taken / self.seconds


@dataclass(frozen=True, slots=True)
class Outage:
    """One gateway under load while the registry is killed and comes back.

    phases: before, during and after; intervals: the same time in small equal pieces.
    """

    encoder: str
    registry_calls: int
    phases: tuple[Interval, Interval, Interval]
    intervals: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that a run saw; machine, date: what it ran on, and when (ISO 8601)."""

    machine: str
    date: str
    users: int
    batch_users: int
    slots: tuple[Slot, ...]
    outages: tuple[Outage, ...]

    def save(self, file: Path) -> None:
        """Write it as JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, file: Path) -> Run:
        """Read what `save` wrote. Raises OSError when it cannot be read, ValueError when it is something else."""
        try:
            told: dict[str, Any] = json.loads(file.read_text())
            slots = tuple(Slot(**slot) for slot in told.pop("slots"))
            outages = tuple(_outage(outage) for outage in told.pop("outages"))
            return cls(**told, slots=slots, outages=outages)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{file} is not observations of this version: {error!r}") from error


def _outage(told: dict[str, Any]) -> Outage:
    before, during, after = (Interval(**phase) for phase in told["phases"])
    intervals = tuple(Interval(**interval) for interval in told["intervals"])
    return Outage(told["encoder"], told["registry_calls"], (before, during, after), intervals)
