"""The way from an address to its route, by a table instead of a scan.

FastAPI's own router tries one route after the other, and goes through layers that no route here needs; it still
answers everything that the table does not hold: documentation, event streams, unknown paths and methods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final, NamedTuple

from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from registry.api.route import Route
from registry.api.visit import UNROUTED, visit_of

PARAMETER: Final = "{"


class _Pattern(NamedTuple):
    """A route with the segments of its path; those that are parameters stand in braces."""

    segments: tuple[str, ...]
    route: Route

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The parameters in the segments of a path, if the path is this route's."""
        parameters = {}
        for expected, given in zip(self.segments, segments, strict=True):
            if expected[:1] == PARAMETER:
                parameters[expected[1:-1]] = given
            elif expected != given:
                return None
        return parameters


class Dispatch:
    """Hands a request to its route, or to the whole application."""

    def __init__(self, surface: FastAPI) -> None:
        self._surface: ASGIApp = surface
        self._app = surface
        self._patterns: Mapping[tuple[str, int], list[_Pattern]] = _patterns(surface)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope; the failure of a route rises unhandled."""
        if scope["type"] == "http":
            segments = scope["path"].split("/")
            for pattern in self._patterns.get((scope["method"], len(segments)), ()):
                parameters = pattern.match(segments)
                if parameters is not None and all(parameters.values()):
                    visit_of(scope).template = pattern.route.path
                    inner = {**scope, "app": self._app, "path_params": parameters}
                    response = await pattern.route.respond(Request(inner, receive))
                    await response(scope, receive, send)
                    return
            await self._by_router(scope, receive, send)
            return
        await self._surface(scope, receive, send)

    async def _by_router(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._surface(scope, receive, send)
        finally:
            # FastAPI's router leaves the route in the scope that it was given.
            visit_of(scope).template = getattr(scope.get("route"), "path", UNROUTED)


def _patterns(surface: FastAPI) -> Mapping[tuple[str, int], list[_Pattern]]:
    found: dict[tuple[str, int], list[_Pattern]] = defaultdict(list)
    for route in surface.routes:
        if isinstance(route, Route):
            pattern = _Pattern(tuple(route.path.split("/")), route)
            for method in route.methods or ():
                found[method, len(pattern.segments)].append(pattern)
    return found
