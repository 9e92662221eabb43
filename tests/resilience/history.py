"""What clients asked and were answered, and what a registry holds: the facts that the oracle judges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class Operation(Enum):
    """What was asked."""

    REGISTER = "register"
    LOOKUP = "lookup"
    LATEST = "latest"
    BY_ID = "by id"
    DELETE = "delete subject"
    DELETE_FOR_GOOD = "delete subject for good"
    READ_ONLY = "set READONLY"
    READ_WRITE = "set READWRITE"


class Outcome(Enum):
    """What became of it."""

    DONE = "done"
    """It was acknowledged, or answered with what was asked for."""
    ABSENT = "absent"
    """The registry said that there is no such thing."""
    REFUSED = "refused"
    """The registry said that a mode forbids it, or that it has to be soft-deleted first."""
    UNAVAILABLE = "unavailable"
    """The registry said that it cannot now, and that nothing was written."""
    UNKNOWN = "unknown"
    """No answer came, or one that says that the outcome is not known."""


class Answer(NamedTuple):
    """One question and its answer; started and ended are seconds of one monotonic clock, shared by all clients."""

    operation: Operation
    outcome: Outcome
    subject: str
    started: float
    ended: float = math.inf
    text: str | None = None
    """The schema that was sent, or the one that was answered."""
    id: int | None = None
    version: int | None = None
    versions: tuple[int, ...] = ()
    """What a deletion deleted."""
    node: str = "?"

    def __str__(self) -> str:
        held = "" if self.id is None else f" id {self.id}"
        held += "" if self.version is None else f" version {self.version}"
        end = "..." if self.ended == math.inf else f"{self.ended:.6f}"
        text = "" if self.text is None else f" {self.text[:80]}"
        return (
            f"{self.operation.value} {self.subject} at node {self.node}: {self.outcome.value}{held}{text}"
            f" ({self.started:.6f} to {end})"
        )


class Row(NamedTuple):
    """A version as a registry holds it in the end."""

    text: str
    id: int
    deleted: bool = False


Contents = Mapping[tuple[str, int], Row]
"""All that a registry holds, by subject and version."""


def context_of(subject: str) -> str:
    """The context of a subject as it stands in a path: ids are counted in each context apart."""
    return subject.split(":")[1] if subject.startswith(":.") else "."
