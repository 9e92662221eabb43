"""What the client counts, and whom it tells.

Owns the counters' names and the event hook; refuses to know monitoring systems (docs/serdes.md shows Prometheus).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from threading import Lock

from serdes.errors import SettingInvalid

_log = logging.getLogger(__name__)
# Messages, which are counted only where `metrics.messages` is on.
WRITTEN, READ = "messages{side=write}", "messages{side=read}"

EventHook = Callable[[str, Mapping[str, str], float], None]


class _Ticks:
    """A counter without a lock: taking the next number is one step that no other thread can divide."""

    def __init__(self) -> None:
        self._numbers = count()
        self._looks = 0
        self.tick = self._numbers.__next__

    def total(self) -> int:
        """How many ticks there were; a look takes a number as well."""
        number = next(self._numbers) - self._looks
        self._looks += 1
        return number


class Stats:
    """Counters by name and labels; every change is also told to the hook, as (name, labels, value).

    Raises SettingInvalid when the hook cannot be called.
    """

    def __init__(self, on_event: EventHook | None = None) -> None:
        if on_event is not None and not callable(on_event):
            raise SettingInvalid("on_event must be callable with the signature on_event(name, labels, value)")
        self._on_event = on_event
        self._hook_failed = False
        self._lock = Lock()
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._ticks: dict[str, _Ticks] = {}

    def ticker(self, name: str) -> Callable[[], object]:
        """A function that counts one of what is too frequent for a lock and the hook: messages."""
        return self._ticks.setdefault(name, _Ticks()).tick

    def reopen(self) -> None:
        """Take a new lock: after a fork the old one may be held by a thread that does not exist here."""
        self._lock = Lock()

    def count(self, name: str, value: float = 1, **labels: str) -> None:
        """Add to a counter."""
        with self._lock:
            self._counts[name, tuple(sorted(labels.items()))] += value  # type: ignore[assignment]  # seconds are floats
        self.tell(name, value, **labels)

    def tell(self, name: str, value: float, **labels: str) -> None:
        """Tell the hook, without counting."""
        if self._on_event is None:
            return
        try:
            self._on_event(name, labels, value)
        except Exception as error:  # noqa: BLE001 - whatever it is, records are worth more than the news of them
            if not self._hook_failed:
                self._hook_failed = True
                _log.warning("on_event failed, which is said once and costs no record: %r", error)

    def total(self, name: str) -> float:
        """The sum of a counter over all its labels."""
        with self._lock:
            return sum(number for (counted, _), number in self._counts.items() if counted == name)

    def snapshot(self) -> dict[str, float]:
        """All counters; labels stand in the name, as in `hits{layer=memory}`."""
        with self._lock:
            told: dict[str, float] = {
                _written(name, labels): number for (name, labels), number in sorted(self._counts.items())
            }
            return told | {name: ticks.total() for name, ticks in self._ticks.items()}


def _written(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    return name + ("{" + ",".join(f"{label}={value}" for label, value in labels) + "}" if labels else "")
