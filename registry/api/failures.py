"""The one place where a failure becomes a status and a body.

Follows sections 0.2 and 2 of Confluent's REST API: `{"error_code", "message"}`; refuses to know any route.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from registry.api.negotiation import failure_type
from registry.errors import (
    BadRequest,
    MethodNotAllowed,
    MissingBody,
    Overloaded,
    RegistryError,
    RequestNotFound,
    TooManyFailures,
    Unauthenticated,
)

SHAPES: Final = {
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "list_type": "must be a list",
}
"""What is wrong with a value of the wrong shape, in JSON's words where pydantic has Python's."""
METHODS: Final = ("DELETE", "GET", "POST", "PUT")
log = logging.getLogger("signet")


def refusal(error: RegistryError, accept: str) -> Response:
    """The answer that tells a client of an error; `accept` is its Accept header."""
    headers = {"Vary": "Accept-Encoding"}
    if isinstance(error, (Overloaded, TooManyFailures)):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Basic realm="Signet", charset="UTF-8"'
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    body = orjson.dumps({"error_code": error.code, "message": error.message})
    return Response(body, error.status, headers, media_type=failure_type(accept))


def breakdown(accept: str) -> Response:
    """The answer when the registry itself is at fault; what happened stays in its log."""
    return refusal(RegistryError("Internal Server Error"), accept)


def install(app: FastAPI) -> None:
    """Make the application answer every failure as this module says."""

    async def refuse(request: Request, error: Exception) -> Response:
        known = _TRANSLATIONS[type(error)](request, error) if type(error) in _TRANSLATIONS else error
        # No route has OPTIONS: what would be refused is the answer to the question.
        if isinstance(known, MethodNotAllowed) and request.method == "OPTIONS":
            return Response(headers={"Allow": ", ".join(known.allowed)})
        accept = ",".join(request.headers.getlist("accept"))
        return refusal(known, accept) if isinstance(known, RegistryError) else breakdown(accept)

    for kind in (RegistryError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, refuse)


def _from_routing(request: Request, error: Any) -> RegistryError:
    if error.status_code == MethodNotAllowed.code:
        return MethodNotAllowed(_allowed(request))
    return RequestNotFound() if error.status_code == RequestNotFound.code else BadRequest(str(error.detail))


def _allowed(request: Request) -> list[str]:
    """The methods that the path of a request takes."""
    scopes = ({**request.scope, "method": method} for method in METHODS)
    # Asked of each route rather than kept in a table, because routes come from several places and this is rare.
    taken = {
        scope["method"] for scope in scopes for route in request.app.routes if route.matches(scope)[0] is Match.FULL
    }
    return sorted(taken | {"OPTIONS"} | ({"HEAD"} if "GET" in taken else set()))


def of_parameter() -> RegistryError:
    """The refusal of a path or query that cannot be read: there is no such route."""
    return RequestNotFound()


def of_body(fault: Mapping[str, Any]) -> RegistryError:
    """The refusal of a body in which there is a fault, as pydantic describes it."""
    path = fault["loc"]
    if not path and fault["input"] is None:
        return MissingBody()
    place = ".".join(map(str, path)) or "it"
    wrong = SHAPES.get(fault["type"]) or fault["msg"].replace("Input should be", "must be")
    return BadRequest(f"The body cannot be read: {place} {wrong}")


def _from_validation(_request: Request, _error: Any) -> RegistryError:
    # Bodies are read by the routes themselves; FastAPI reads only the parameters of the event stream.
    return of_parameter()


_TRANSLATIONS: Final[Mapping[type[Exception], Callable[[Request, Any], RegistryError]]] = {
    HTTPException: _from_routing,
    RequestValidationError: _from_validation,
}
