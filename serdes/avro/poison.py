"""What becomes of a record that cannot be read, as far as a deserializer decides it.

Owns the choice (raise, return, drop), the time that an unknown id may need to become known, and the guard against
storms: when most records cannot be read, something else is wrong than the records.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from serdes.codec import Read
from serdes.errors import DecodeError, PoisonStorm, UnknownSchemaId
from serdes.settings import DeserializerSettings

_WINDOW = 100
_MOST_UNKNOWN = 1000


@dataclass(frozen=True, slots=True)
class Poison:
    """A record that cannot be read: its bytes and the reason. Falsy, and never equal to a value."""

    raw: bytes
    error: DecodeError
    topic: str | None
    field: str | None

    def __bool__(self) -> bool:
        return False


class StormGuard:
    """Counts the last 100 records.

    max_ratio: the part of them that may be poison.
    """

    def __init__(self, max_ratio: float) -> None:
        self._max_ratio = max_ratio
        self._last: deque[bool] = deque(maxlen=_WINDOW)
        self._failed = 0

    def count(self, failed: bool) -> None:
        """Count a record.

        Raises PoisonStorm when too many of the last 100 failed.
        """
        if len(self._last) == _WINDOW:
            self._failed -= self._last[0]
        self._last.append(failed)
        self._failed += failed
        if failed and len(self._last) == _WINDOW and self._failed > self._max_ratio * _WINDOW:
            raise PoisonStorm(self._failed, _WINDOW)


class Watch:
    """The policy of one deserializer."""

    def __init__(self, settings: DeserializerSettings, clock: Callable[[], float]) -> None:
        self._on_error = settings.on_error
        self._grace_seconds = settings.unknown_id_grace_seconds
        self._clock = clock
        self._guard = StormGuard(settings.poison_max_ratio)
        self._unknown_since: dict[Any, float] = {}

    def unknown(self, error: UnknownSchemaId) -> UnknownSchemaId:
        """The error for an unknown id: retriable at first, since a registry that follows another may lag."""
        # Garbage names a new id each time; to forget them all only gives each its time again.
        if len(self._unknown_since) >= _MOST_UNKNOWN:
            self._unknown_since.clear()
        since = self._unknown_since.setdefault(error.schema_id, self._clock())
        error.retriable = self._clock() - since < self._grace_seconds
        return error

    def known(self, identity: Any) -> None:
        """The id is known now."""
        self._unknown_since.pop(identity, None)

    def counted(self, read: Read) -> Read:
        """The function, counted where the guard needs to know how many records were read."""
        if self._on_error == "raise":
            return read

        def counting(data: bytes | None, ctx: Any = None) -> Any:
            value = read(data, ctx)
            self._guard.count(failed=False)
            return value

        return counting

    def accepts(self, error: DecodeError) -> bool:
        """Whether a record is given back or dropped rather than raised; never one that may be readable later."""
        return self._on_error != "raise" and not error.retriable

    def accepted(self, error: DecodeError, data: bytes) -> Poison | None:
        """What to return for a record that cannot be read.

        Raises PoisonStorm when too many records failed.
        """
        self._guard.count(failed=True)
        return Poison(data, error, error.topic, error.field) if self._on_error == "return" else None
