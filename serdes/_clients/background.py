"""One thread for what nobody waits for: refreshing ahead of time, and comparing the disk with the registry."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from serdes.errors import SerdesError

_IDLE_SECONDS = 5.0


class Background:
    """Runs jobs one after the other; the thread starts with the first job and ends when there is none for a while."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: SimpleQueue[tuple[Hashable, Callable[[], object]]] = SimpleQueue()
        self._keys: set[Hashable] = set()
        self._thread: Thread | None = None

    def run(self, key: Hashable, job: Callable[[], object]) -> None:
        """Run a job soon, unless one with this key waits or runs. What it raises as a SerdesError is forgotten."""
        with self._lock:
            if key in self._keys:
                return
            self._keys.add(key)
            self._waiting.put((key, job))
            # The thread of a parent process is dead after a fork.
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._work, name="serdes-background", daemon=True)
                self._thread.start()

    def drop(self) -> None:
        """Forget the jobs that wait; one that runs is run to its end."""
        with self._lock, suppress(Empty):
            while True:
                key, _ = self._waiting.get_nowait()
                self._keys.discard(key)

    def _work(self) -> None:
        while True:
            try:
                key, job = self._waiting.get(timeout=_IDLE_SECONDS)
            except Empty:
                if self._ended():
                    return
                continue
            try:
                job()
            except SerdesError:
                pass  # the flow has counted it, and the next caller asks again
            finally:
                with self._lock:
                    self._keys.discard(key)

    def _ended(self) -> bool:
        # As jobs are put under this lock, one that comes now finds a thread that will see it, or none and starts one.
        with self._lock:
            if not self._waiting.empty():
                return False
            self._thread = None
            return True
