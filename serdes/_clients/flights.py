"""One flight per key among threads: the first caller flies, the others wait for its result or its exception."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future
from threading import Lock
from typing import Any

from serdes._stats import Stats
from serdes.errors import SerdesError


class Flights:
    """The flights under way."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats
        self._lock = Lock()
        self._under_way: dict[Hashable, Future[Any]] = {}

    def share(self, key: Hashable, fly: Callable[[], Any]) -> Any:
        """The result of `fly`, which runs once for all who ask for the same key now."""
        while True:
            with self._lock:
                flight = self._under_way.get(key)
                if flight is None:
                    mine = self._under_way[key] = Future()
                    break
            self._stats.count("joined")
            try:
                return flight.result()
            except SerdesError as error:
                raise error.again() from error.__cause__
            except CancelledError:
                continue  # the leader was interrupted, by Ctrl-C for example: somebody else must fly
        return self._lead(key, mine, fly)

    def _lead(self, key: Hashable, flight: Future[Any], fly: Callable[[], Any]) -> Any:
        try:
            result = fly()
        except SerdesError as error:
            flight.set_exception(error)
            raise error.again() from error.__cause__
        else:
            flight.set_result(result)
            return result
        finally:
            with self._lock:
                self._under_way.pop(key, None)
            # Whatever ends the leader, nobody may wait for ever.
            flight.cancel()  # changes nothing once there is a result or an error
