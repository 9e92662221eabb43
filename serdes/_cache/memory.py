"""What a client remembers of the registry's answers.

Owns three bounded shelves: what never changes (least recently used goes first), what changes (kept with its age,
stale copies too), and refusals (for seconds). Refuses to know how answers are got.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import RLock
from typing import Any, NamedTuple

from cachetools import LRUCache, TLRUCache

from serdes.errors import RegistryError


class Key(NamedTuple):
    """What was asked: the kind of question, the subject it is about (if any), and the rest of the question."""

    question: str
    subject: str | None
    rest: Hashable = None


@dataclass(slots=True)
class Kept:
    """An answer that may change, when it came (on the client's clock), and whether refreshing it failed since."""

    answer: Any
    since: float
    refresh_failed: bool = False


@dataclass(frozen=True, slots=True)
class _Refusal:
    kind: type[RegistryError]
    facts: tuple[int, int, str]
    seconds: float


class Memory:
    """Answers by question. Every method is safe to call from any thread."""

    def __init__(self, capacity: int, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = RLock()
        self._lasting: LRUCache[Key, Any] = LRUCache(capacity)
        self._changing: LRUCache[Key, Kept] = LRUCache(capacity)
        self._refused: TLRUCache[Key, _Refusal] = TLRUCache(
            capacity, ttu=lambda _, refusal, now: now + refusal.seconds, timer=clock
        )

    def reopen(self) -> None:
        """Take a new lock: after a fork the old one may be held by a thread that does not exist here."""
        self._lock = RLock()

    def lasting(self, key: Key) -> Any:
        """The answer that holds for ever, or None."""
        with self._lock:
            return self._lasting.get(key)

    def keep_lasting(self, key: Key, answer: Any) -> None:
        """Remember an answer that holds for ever."""
        with self._lock:
            self._lasting[key] = answer
            self._refused.pop(key, None)

    def changing(self, key: Key) -> Kept | None:
        """The last answer of a kind that changes, however old."""
        with self._lock:
            return self._changing.get(key)

    def keep_changing(self, key: Key, answer: Any) -> None:
        """Remember an answer that may change."""
        with self._lock:
            self._changing[key] = Kept(answer, self._clock())
            self._refused.pop(key, None)

    def raise_refusal(self, key: Key) -> None:
        """Raise what the registry answered to this question a moment ago, if it refused."""
        with self._lock:
            refusal = self._refused.get(key)
        if refusal is not None:
            raise refusal.kind(*refusal.facts)

    def keep_refusal(self, key: Key, error: RegistryError, seconds: float) -> None:
        """Remember a refusal for some seconds."""
        with self._lock:
            facts = (error.http_status_code, error.error_code, error.error_message)
            self._refused[key] = _Refusal(type(error), facts, seconds)

    def forget(self, key: Key) -> None:
        """Drop what was remembered for one question, refusals excepted."""
        with self._lock:
            self._changing.pop(key, None)
            self._lasting.pop(key, None)

    def forget_changing(self, subject: str | None = None) -> None:
        """Drop what may have changed: of one subject, or everything; refusals about it as well."""
        with self._lock:
            for shelf in (self._changing, self._refused):
                for key in [key for key in shelf if subject is None or key.subject == subject]:
                    shelf.pop(key, None)

    def forget_lasting(self, drop: Callable[[Key], bool] = lambda _: True) -> None:
        """Drop what was thought to hold for ever: where `drop` says so, by default everything."""
        with self._lock:
            for key in [key for key in self._lasting if drop(key)]:
                del self._lasting[key]

    def sizes(self) -> dict[str, int]:
        """How many answers each shelf holds."""
        with self._lock:
            return {
                "lasting": len(self._lasting),
                "changing": len(self._changing),
                "refused": len(self._refused),
            }
