"""What the client counts, and whom it tells.

Owns the counters' names and the event hook; refuses to know monitoring systems (docs/serdes.md shows Prometheus).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from threading import Lock

EventHook = Callable[[str, Mapping[str, str], float], None]


class Stats:
    """Counters by name and labels; every change is also told to the hook, as (name, labels, value)."""

    def __init__(self, on_event: EventHook | None = None) -> None:
        self._on_event = on_event
        self._lock = Lock()
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()

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
        if self._on_event is not None:
            self._on_event(name, labels, value)

    def total(self, name: str) -> float:
        """The sum of a counter over all its labels."""
        with self._lock:
            return sum(count for (counted, _), count in self._counts.items() if counted == name)

    def snapshot(self) -> dict[str, float]:
        """All counters; labels stand in the name, as in `hits{layer=memory}`."""
        with self._lock:
            return {_written(name, labels): count for (name, labels), count in sorted(self._counts.items())}


def _written(name: str, labels: tuple[tuple[str, str], ...]) -> str:
    return name + ("{" + ",".join(f"{label}={value}" for label, value in labels) + "}" if labels else "")
