"""The way from an address to its route, by a table instead of a scan.

FastAPI's own router tries one route after the other, and goes through layers that no route here needs; it still
answers everything that the table does not hold: documentation, event streams, unknown paths and methods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from registry.api.route import Route
from registry.api.visit import UNROUTED, visit_of


class Dispatch:
    """Hands a request to its route, or to the whole application."""

    def __init__(self, surface: FastAPI) -> None:
        self._surface: ASGIApp = surface
        self._app = surface
        self._routes = _by_method_and_length(surface)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope; the failure of a route rises unhandled."""
        if scope["type"] == "http":
            segments = scope["path"].split("/")
            for route in self._routes.get((scope["method"], len(segments)), ()):
                parameters = route.match(segments)
                if parameters is not None:
                    visit_of(scope).template = route.path
                    await route.answer({**scope, "app": self._app, "path_params": parameters}, receive, send)
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


def _by_method_and_length(surface: FastAPI) -> Mapping[tuple[str, int], list[Route]]:
    found: dict[tuple[str, int], list[Route]] = defaultdict(list)
    for route in surface.routes:
        if isinstance(route, Route):
            found[route.method, len(route.segments)].append(route)
    return found
