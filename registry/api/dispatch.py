"""The way from an address to its route: rewritten for contexts and aliases, then by a table instead of a scan.

FastAPI's own router tries one route after the other, and goes through layers that no route here needs; it still
answers everything that the table does not hold: documentation, event streams, unknown paths and methods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from registry.api import paths
from registry.api.compression import have_answered
from registry.api.route import Route
from registry.api.visit import UNROUTED, visit_of
from registry.auth import Caller

AliasesFor = Callable[[Caller], paths.AliasOf | None]
"""What subjects stand for, to the one who asks; None while there are no aliases."""
Current = Callable[[], Awaitable[None]]
"""Waits until what other nodes acknowledged is known here."""


class Dispatch:
    """Hands a request to its route, or to the whole application."""

    def __init__(self, surface: FastAPI, aliases_for: AliasesFor, current: Current) -> None:
        self._surface = surface
        self._aliases_for = aliases_for
        self._current = current
        self._routes = _by_method_and_length(surface)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope; the failure of a route rises unhandled, and BadRequest for a path that is none."""
        if scope["type"] != "http":
            await self._surface(scope, receive, send)
            return
        address = await self._address(scope)
        # A scope of its own: whoever handed this one in still reads it.
        rewritten = {**scope, "app": self._surface, "query_string": address.query.encode("latin-1")}
        for route in self._routes.get((scope["method"], len(address.segments)), ()):
            parameters = route.match(address.segments)
            if parameters is not None:
                visit_of(scope).template = route.path
                rewritten["path_params"] = parameters
                await route.answer(rewritten, receive, send)
                return
        rewritten["path"] = address.path
        await self._by_router(rewritten, receive, send)

    async def _address(self, scope: Scope) -> paths.Address:
        """Where a request goes: its context is in the subject, which is the one meant by an alias."""
        address = paths.in_context(paths.read(scope["raw_path"], scope["query_string"]), scope["method"])
        if not paths.may_name_subject(address):
            return address
        caller = visit_of(scope).caller
        if self._needs_news(address, scope["method"], caller):
            await self._current()
        alias_of = self._aliases_for(caller)
        return address if alias_of is None else paths.unaliased(address, alias_of)

    def _needs_news(self, address: paths.Address, method: str, caller: Caller) -> bool:
        """Whether an alias that another node was just told of would lead an address elsewhere."""
        # What an id means is told without the log.
        if not paths.is_of_subject(address):
            return False
        # A new version waits for its turn; where nobody uses aliases, it need not ask the log before.
        return not paths.registers(address, method) or self._aliases_for(caller) is not None

    async def _by_router(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await have_answered(self._surface, scope, receive, send)
        finally:
            # FastAPI's router leaves the route in the scope that it was given.
            visit_of(scope).template = getattr(scope.get("route"), "path", UNROUTED)


def _by_method_and_length(surface: FastAPI) -> Mapping[tuple[str, int], list[Route]]:
    found: dict[tuple[str, int], list[Route]] = defaultdict(list)
    for route in surface.routes:
        if isinstance(route, Route):
            found[route.method, len(route.segments)].append(route)
    return found
