"""What every JSON route does around its endpoint: the check of rights, media types on both sides, ETags and 304.

Follows section 0.1 of Confluent's REST API; refuses to know what an endpoint does, and where its arguments come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from hashlib import blake2b
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from registry.api.binding import Plan
from registry.api.compression import send_answer
from registry.api.declaration import Declared, Router
from registry.api.negotiation import DEFAULT, answer_type, check_body_type, media_types
from registry.api.old_clients import KNOWN, shortened
from registry.api.visit import visit_of
from registry.auth import ANYBODY, NEEDS, Need
from registry.operations import Registry
from registry.questions import Question, heard


class Json(JSONResponse):
    """An answer of JSON; its media type is what the client asked for."""

    media_type = DEFAULT

    def __init__(self, content: object, status_code: int = 200, *, tagged: bool = False) -> None:
        """Answer with content; `tagged` with an ETag, which is new whenever what the answer stands on changes."""
        super().__init__(content, status_code)
        self.tagged = tagged

    def render(self, content: object) -> bytes:
        """The bytes of the body."""
        return orjson.dumps(content)


class Text(Json):
    """An answer that is a schema text as it is; its media type is the JSON type that the client asked for."""

    def render(self, content: object) -> bytes:
        """The bytes of the body."""
        return str(content).encode()


class Route(Declared):
    """A route of the API: its endpoint gives the answer, the route its media type.

    Refused in this order: what the caller may not do (403), a body of a foreign type (415), an answer that is not
    acceptable (406), the body itself.
    """

    @cached_property
    def plan(self) -> Plan:
        """Where the endpoint's arguments come from."""
        return Plan(self.endpoint)

    @cached_property
    def need(self) -> Need:
        """What a caller needs; a route of which the table does not know is not served."""
        return NEEDS[self.method, self.path]

    @cached_property
    def known(self) -> frozenset[str]:
        """The members of its answer that old clients know, if they refuse others."""
        return KNOWN.get((self.method, self.path), frozenset())

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; raises RegistryError."""
        await send_answer(await self._response(Request(scope, receive)), scope, receive, send)

    async def _response(self, request: Request) -> Response:
        check(self.need, request)
        accept, content_type = media_types(visit_of(request.scope).deciding)
        check_body_type(content_type)
        media_type = answer_type(accept)
        response: Response = await self.endpoint(**await self.plan.arguments(request))
        if self.known and request.app.state.old_clients:
            response = _shortened(response, self.known)
        return _finished(request, response, media_type)


def check(need: Need, request: Request) -> None:
    """Let a request pass whose caller has what its route needs.

    Raises AccessDenied.
    """
    # The check is made where a route was chosen, and with the very parameters that it will read: no way of writing an
    # address can lead past it.
    parameters = request.scope["path_params"]
    place = parameters.get("subject") or parameters.get("context") or ""
    visit_of(request.scope).caller.check(need, place)


async def checked(request: Request) -> None:
    """The same for a route that FastAPI answers, as a dependency of it."""
    check(NEEDS[request.method, request.scope["route"].path], request)


def _shortened(response: Response, known: frozenset[str]) -> Response:
    if not isinstance(response, Json):
        return response
    content = shortened(orjson.loads(response.body), known)
    return Json(content, response.status_code, tagged=response.tagged)


def _finished(request: Request, response: Response, media_type: str) -> Response:
    if isinstance(response, Json) and response.tagged:
        tag = entity_tag(request.app.state.registry.uuid, heard())
        # Several headers of a name are one list; RFC 9110, section 5.3.
        if _matches(",".join(request.headers.getlist("if-none-match")), tag):
            response = Response(status_code=304)
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = "private, no-cache"
    if media_type != DEFAULT and response.headers.get("content-type") == DEFAULT:
        response.headers["content-type"] = media_type
    return response


def _matches(if_none_match: str, tag: str) -> bool:
    """Whether the tag is among those that the client holds, weakly compared."""
    # Commas inside a tag are allowed, but ours have none, so that splitting cannot make a match that is none.
    held = {item.strip().removeprefix("W/") for item in if_none_match.split(",")}
    return "*" in held or tag.removeprefix("W/") in held


async def _the_registry(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    caller = visit_of(request.scope).caller
    return registry if caller is ANYBODY else registry.on_behalf_of(caller.user, caller.permissions)


TheRegistry = Annotated[Registry, Depends(_the_registry)]
"""The registry that serves this application, as the caller sees it."""


def new_router(tag: str) -> Router:
    """A router for the routes of one noun."""
    return Router(Route, tags=[tag], response_class=Json)


def entity_tag(log: UUID, questions: Mapping[Question, int]) -> str:
    """The weak ETag of an answer: the log, the latest stamp that the answer stands on, and a digest of all of them.

    Weak because one resource has several media types. The digest tells apart answers that stand on different things
    with the same latest stamp.
    """
    digest = blake2b(repr(tuple(questions.items())).encode(), digest_size=6).hexdigest()
    return f'W/"{log}-{max(questions.values(), default=0)}-{digest}"'
