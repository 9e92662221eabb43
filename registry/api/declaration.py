"""Routes as they are declared: an address, an endpoint, and what the documentation says of it.

A route of FastAPI makes validators for its endpoint and its answers as soon as it is made, and all of them together
take a fifth of a start. So a route here is a value until it is asked, or the documentation is. Refuses to know how a
request is answered.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

PARAMETER: Final = "{"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def segments_of(path: str) -> tuple[str, ...]:
    """The segments of a path; empty ones do not count."""
    return tuple(filter(None, path.split("/")))


class Declared(BaseRoute, ABC):
    """A route of one method; the segments of its path that are parameters stand in braces."""

    def __init__(self, method: str, path: str, endpoint: Callable[..., Any], description: Mapping[str, Any]) -> None:
        """description: what else FastAPI's route takes."""
        self.method = method
        self.path = path
        self.segments = segments_of(path)
        self.endpoint = endpoint
        self._description = description

    def documented(self) -> APIRoute:
        """FastAPI's route of the same declaration."""
        return APIRoute(self.path, self.endpoint, methods=[self.method], **self._description)

    def match(self, segments: Sequence[str]) -> dict[str, str] | None:
        """The parameters in the segments of a path, if the path is this route's."""
        if len(segments) != len(self.segments):
            return None
        parameters = {}
        for expected, given in zip(self.segments, segments, strict=True):
            # A parameter is a whole segment in every route, so that nothing has to be matched within one.
            if expected[:1] == PARAMETER:
                parameters[expected[1:-1]] = given
            elif expected != given:
                return None
        return parameters

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """How far a request is this route's, for a router of Starlette or FastAPI."""
        parameters = self.match(segments_of(scope["path"])) if scope["type"] == "http" else None
        if parameters is None:
            return Match.NONE, {}
        known = {"route": self, "endpoint": self.endpoint, "path_params": parameters}
        return (Match.FULL if scope["method"] == self.method else Match.PARTIAL), known

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that this route matches.

        Raises HTTPException when it matches but for the method.
        """
        if scope["method"] != self.method:
            raise HTTPException(405)
        await self.answer(scope, receive, send)

    @abstractmethod
    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is this route's."""


class PlainRoute(Declared):
    """A route that FastAPI answers, made when it is first asked."""

    @cached_property
    def _route(self) -> APIRoute:
        return self.documented()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as FastAPI does."""
        await self._route.handle(scope, receive, send)


class Router:
    """The routes of one noun, in the order of their declaration."""

    def __init__(self, kind: type[Declared], **described: Any) -> None:
        """kind: of which its routes are; described: what FastAPI's route takes, the same for all of them."""
        self.routes: list[Declared] = []
        self._kind = kind
        self._described = {"generate_unique_id_function": operation_id, **described}

    def get(self, path: str, **described: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare a function the endpoint of GET; described: what FastAPI's route takes."""
        return self._declaring("GET", path, described)

    def post(self, path: str, **described: Any) -> Callable[[Endpoint], Endpoint]:
        """The same for POST."""
        return self._declaring("POST", path, described)

    def put(self, path: str, **described: Any) -> Callable[[Endpoint], Endpoint]:
        """The same for PUT."""
        return self._declaring("PUT", path, described)

    def delete(self, path: str, **described: Any) -> Callable[[Endpoint], Endpoint]:
        """The same for DELETE."""
        return self._declaring("DELETE", path, described)

    def _declaring(self, method: str, path: str, described: dict[str, Any]) -> Callable[[Endpoint], Endpoint]:
        def declare(endpoint: Endpoint) -> Endpoint:
            self.routes.append(self._kind(method, path, endpoint, self._described | described))
            return endpoint

        return declare


def operation_id(route: APIRoute) -> str:
    """The name of a route in OpenAPI, of which generated clients make the names of their methods."""
    return route.name
