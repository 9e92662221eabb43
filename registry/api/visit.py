"""What is known of a request by now: who is asking, what was read of it, and which route answers.

It travels in the ASGI scope, made at the edge; the layers within add to it. Requests are counted by route, method and
class of status; the template of a route, never a path, is what a count is called by.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from starlette.types import Scope

from registry.auth import Caller
from registry.tallies import SECONDS, Spread

RawHeaders = tuple[tuple[bytes, bytes], ...]

VISIT: Final = "signet.visit"
UNROUTED: Final = "none"
"""The template of what no route answered: unknown paths, and requests that were refused before they came to one."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
OTHER_METHOD: Final = "other"


class RouteTally:
    """The requests of one method to one route."""

    __slots__ = ("method", "seconds", "statuses", "template")

    def __init__(self, method: str, template: str) -> None:
        self.method = method
        self.template = template
        self.statuses = [0] * 6
        """How many were answered with each class of status, by its first digit; 0 is none at all."""
        self.seconds = Spread(SECONDS)

    def add(self, status: int, seconds: float) -> None:
        """Count one request."""
        self.statuses[status // 100] += 1
        # Spread.add, written out: a call more is felt where an answer takes as long as ten of them.
        spread = self.seconds
        spread.counts[bisect_left(SECONDS, seconds)] += 1
        spread.total += seconds


class RequestTallies:
    """How often each route was asked."""

    def __init__(self) -> None:
        self._by_route: dict[tuple[str, str], RouteTally] = {}

    def of(self, method: str, template: str) -> RouteTally:
        """The tally of a route; methods that nobody serves share one."""
        # Anybody can make up methods, and each would be a series of its own for ever.
        known = method if method in METHODS else OTHER_METHOD
        try:
            return self._by_route[known, template]
        except KeyError:
            return self._by_route.setdefault((known, template), RouteTally(known, template))

    def __iter__(self) -> Iterator[RouteTally]:
        return iter(self._by_route.values())


class Visit:
    """One request: who asks, the headers that decide the form of the answer, the body, read whole, and the template of
    the route that answers.
    """

    __slots__ = ("_method", "_tallies", "body", "caller", "deciding", "template")

    def __init__(self, method: str, caller: Caller, deciding: RawHeaders, tallies: RequestTallies) -> None:
        self.caller = caller
        self.deciding = deciding
        self.body = b""
        self.template = UNROUTED
        self._method = method
        self._tallies = tallies

    @property
    def tally(self) -> RouteTally:
        """Where the request is counted."""
        return self._tallies.of(self._method, self.template)


def visit_of(scope: Scope) -> Visit:
    """The visit that a scope belongs to; without one nothing is answered."""
    visit: Visit = scope[VISIT]
    return visit
