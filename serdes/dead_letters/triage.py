"""What to do with a record that failed: one decision for all hosts, without any of them.

Owns the order of the decisions: what may pass is tried again, what is poison becomes a letter, a value or nothing, and
a storm stops everything.
"""

from __future__ import annotations

from enum import Enum

from serdes.avro.poison import StormGuard
from serdes.errors import DecodeError, SerdesError

_MAX_PAUSE_SECONDS = 30.0


class Action(Enum):
    """What a loop does with a record."""

    RETRY = "the same record again, later"
    LETTER = "a dead letter, and on to the next record"
    RAISE = "raise the error"


class Triage:
    """Decides, and counts.

    Args:
        letters: whether there is a dead letter queue.
        max_ratio: the part of the last 100 records that may be poison.
    """

    def __init__(self, *, letters: bool, max_ratio: float = 0.5) -> None:
        self._letters = letters
        self._guard = StormGuard(max_ratio)
        self._attempts: dict[tuple[str, int], int] = {}

    def read(self, topic: str, partition: int) -> None:
        """A record could be read."""
        self._attempts.pop((topic, partition), None)
        self._guard.count(failed=False)

    def failed(self, topic: str, partition: int, error: SerdesError) -> Action:
        """What to do about a record that could not be read.

        A registry that cannot be asked is no reason to call a record poison: it is tried again, however long that
        takes. Raises PoisonStorm when too many records of the last 100 were poison.
        """
        if error.retriable:
            self._attempts[topic, partition] = self._attempts.get((topic, partition), 0) + 1
            return Action.RETRY
        # Whatever else failed is no fault of the record, which must not be lost for it.
        if not self._letters or not isinstance(error, DecodeError):
            return Action.RAISE
        # Counted before the letter is sent: a storm must not become a queue full of letters.
        self._guard.count(failed=True)
        return Action.LETTER

    def pause_seconds(self, topic: str, partition: int) -> float:
        """How long to leave a partition alone: 0.1 s, doubling up to 30."""
        return min(0.1 * 2.0 ** (self._attempts.get((topic, partition), 1) - 1), _MAX_PAUSE_SECONDS)

    def given_up(self, topic: str, partition: int) -> int:
        """How often the record was tried that becomes a letter now; the one behind it begins anew."""
        return self._attempts.pop((topic, partition), 0) + 1
