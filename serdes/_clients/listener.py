"""Listens to the registry's event stream in a thread, and lets the cache forget what has changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any, Protocol

from serdes._cache.memory import Memory
from serdes._events import Events
from serdes.errors import RegistryError, RegistryUnavailable

_log = logging.getLogger(__name__)
_MAX_PAUSE_SECONDS = 30.0


class Lines(Protocol):
    """Opens the stream: an iterator of lines. Raises RegistryError."""

    def __call__(self) -> Iterator[str]:
        """The lines of the stream, until it ends."""
        ...


class Listener:
    """One thread. Ends when it is closed, or when the registry offers no events."""

    def __init__(self, open_lines: Lines, memory: Memory, count: Callable[[str], Any]) -> None:
        self._open_lines = open_lines
        self._memory = memory
        self._count = count
        self._closed = Event()
        Thread(target=self._listen, name="serdes-events", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()

    def _listen(self) -> None:
        pause = 1.0
        while not self._closed.is_set():
            try:
                for subject in self._subjects():
                    pause = 1.0
                    self._forget(subject)
            except RegistryUnavailable as error:
                _log.info("the registry's events cannot be heard, next try in %s s: %s", pause, error)
            except RegistryError as error:
                _log.info("the registry offers no events: %s", error)
                return
            self._closed.wait(pause)
            pause = min(2 * pause, _MAX_PAUSE_SECONDS)

    def _subjects(self) -> Iterator[str]:
        """What has changed. The first line says that we listen now; before it, everything may have changed."""
        events, listening = Events(), False
        for line in self._open_lines():
            if self._closed.is_set():
                return
            if not listening:
                listening = True
                self._forget(None)
            subject = events.feed(line)
            if subject is not None:
                yield subject

    def _forget(self, subject: str | None) -> None:
        self._memory.forget_changing(subject)
        self._count("pushed")
