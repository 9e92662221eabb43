"""What a client remembers of the registry's answers.

Owns three bounded shelves: what never changes (least recently used goes first), what changes (stale copies too), and
refusals (for seconds). Refuses to know how answers are got and how long they may serve.
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
    """An answer.

    since: when it came, on the client's clock. refresh_failed: the registry could not be asked again since.
    unverified: it came from disk, and the registry has not confirmed it yet.
    """

    answer: Any
    since: float
    refresh_failed: bool = False
    unverified: bool = False


class _Refusal(NamedTuple):
    error: RegistryError
    seconds: float


class Memory:
    """Answers by question. Every method is safe to call from any thread."""

    def __init__(self, capacity: int, clock: Callable[[], float]) -> None:
        self._lock = RLock()
        self._lasting: LRUCache[Key, Kept] = LRUCache(capacity)
        self._changing: LRUCache[Key, Kept] = LRUCache(capacity)
        self._refused: TLRUCache[Key, _Refusal] = TLRUCache(
            capacity, ttu=lambda _, refusal, now: now + refusal.seconds, timer=clock
        )

    def reopen(self) -> None:
        """Take a new lock: after a fork the old one may be held by a thread that does not exist here."""
        self._lock = RLock()

    @property
    def unverified(self) -> bool:
        """Whether an answer from disk is in use that the registry has not confirmed yet."""
        with self._lock:
            return any(kept.unverified for shelf in (self._lasting, self._changing) for kept in shelf.values())

    def lasting(self, key: Key) -> Kept | None:
        """The answer that holds for ever."""
        with self._lock:
            return self._lasting.get(key)

    def keep_lasting(self, key: Key, kept: Kept) -> None:
        """Remember an answer that holds for ever."""
        with self._lock:
            self._lasting[key] = kept
            self._kept(key, kept)

    def changing(self, key: Key) -> Kept | None:
        """The last answer of a kind that changes, however old."""
        with self._lock:
            return self._changing.get(key)

    def keep_changing(self, key: Key, kept: Kept) -> None:
        """Remember an answer that may change."""
        with self._lock:
            self._changing[key] = kept
            self._kept(key, kept)

    def _kept(self, key: Key, kept: Kept) -> None:
        """What a subject was refused may be granted after it has changed."""
        # What the disk told proves nothing about what the registry would grant now.
        self._refused.pop(key, None)
        if not kept.unverified and key.subject is not None:
            for refused in [refused for refused in self._refused if refused.subject == key.subject]:
                self._refused.pop(refused, None)

    def refusal(self, key: Key) -> RegistryError | None:
        """What the registry answered to this question a moment ago, if it refused."""
        with self._lock:
            refusal = self._refused.get(key)
        return None if refusal is None else refusal.error.again()

    def keep_refusal(self, key: Key, error: RegistryError, seconds: float) -> None:
        """Remember a refusal for some seconds."""
        with self._lock:
            self._refused[key] = _Refusal(error.again(), seconds)

    def forget(self, key: Key) -> None:
        """Drop the answer to one question."""
        with self._lock:
            self._changing.pop(key, None)
            self._lasting.pop(key, None)

    def forget_changing(self, subject: str | None = None) -> None:
        """Drop what may have changed, refusals too: about one subject, or everything.

        Which subject a topic is bound to is no question about a subject, and is dropped with any of them.
        """
        with self._lock:
            for shelf in (self._changing, self._refused):
                for key in [key for key in shelf if subject is None or key.subject in (subject, None)]:
                    shelf.pop(key, None)

    def forget_subject(self, subject: str) -> None:
        """Drop everything that was told about a subject."""
        self.forget_changing(subject)
        with self._lock:
            for key in [key for key in self._lasting if key.subject == subject]:
                del self._lasting[key]

    def forget_lasting(self) -> None:
        """Drop what was thought to hold for ever."""
        with self._lock:
            self._lasting.clear()

    def sizes(self) -> dict[str, int]:
        """How many answers each shelf holds."""
        with self._lock:
            return {"lasting": len(self._lasting), "changing": len(self._changing), "refused": len(self._refused)}
