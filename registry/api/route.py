"""What every JSON route shares: media types on both sides, bodies read as Jackson reads them, and 304.

Follows sections 0.1 and 0.2 of Confluent's REST API; refuses to know what a route does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from registry.api.negotiation import DEFAULT, answer_type, check_body_type
from registry.operations import Registry, Stored

JSON_TYPE_HEADER: Final = (b"content-type", b"application/json")


class Text(Response):
    """An answer that is a schema text as it is; its media type is the JSON type that the client asked for."""

    media_type = DEFAULT

    def __init__(self, content: str | bytes, status_code: int = 200, entity_tag: str | None = None) -> None:
        headers = None if entity_tag is None else {"ETag": entity_tag, "Cache-Control": "private, no-cache"}
        super().__init__(content, status_code, headers)


class Json(Text):
    """An answer of JSON; its media type is what the client asked for."""

    def __init__(self, content: object, status_code: int = 200, entity_tag: str | None = None) -> None:
        super().__init__(orjson.dumps(content), status_code, entity_tag)


def read_json(body: bytes) -> Any:
    """Read a body: any Unicode encoding, and NaN and Infinity as numbers.

    Raises json.JSONDecodeError when it is not JSON, nested too deeply, or not Unicode.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as refusal:
        return _read_leniently(body, refusal)


def _read_leniently(body: bytes, refusal: json.JSONDecodeError) -> Any:
    try:
        value = json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise refusal from None
    return value


class _Call(Request):
    """A request whose body is JSON whatever its Content-Type says."""

    def __init__(self, request: Request) -> None:
        headers = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
        super().__init__({**request.scope, "headers": [*headers, JSON_TYPE_HEADER]}, request.receive)

    async def json(self) -> Any:
        return read_json(await self.body())


class Route(APIRoute):
    """A route of the API: its endpoint gives the answer, the route its media type.

    Refused in this order: a body of a foreign type (415), an answer that is not acceptable (406), the body itself.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler that FastAPI made, within the common part."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            check_body_type(request.headers.get("content-type", ""))
            media_type = answer_type(",".join(request.headers.getlist("accept")))
            response = await handler(request if self.body_field is None else _Call(request))
            return _finished(request, response, media_type)

        return handle


def _finished(request: Request, response: Response, media_type: str) -> Response:
    tag = response.headers.get("etag")
    if tag is not None and _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": response.headers["cache-control"]})
    if media_type != DEFAULT and response.headers.get("content-type") == DEFAULT:
        response.headers["content-type"] = media_type
    return response


def _matches(if_none_match: str, tag: str) -> bool:
    """Whether the tag is among those that the client holds, weakly compared."""
    held = {item.strip().removeprefix("W/") for item in if_none_match.split(",")}
    return "*" in held or tag.removeprefix("W/") in held


async def _the_registry(request: Request) -> Registry:
    registry: Registry = request.app.state.registry
    return registry


TheRegistry = Annotated[Registry, Depends(_the_registry)]
"""The registry that serves this application."""


def new_router(tag: str) -> APIRouter:
    """A router for the routes of one noun."""
    return APIRouter(tags=[tag], route_class=Route, default_response_class=Json)


def tag_of_position(registry: Registry) -> str:
    """The ETag of an answer that anything may change."""
    return entity_tag(registry.uuid, registry.state.position)


def tag_of_version(registry: Registry, stored: Stored) -> str:
    """The ETag of an answer about one version: new whenever its subject, or any setting, changes."""
    return entity_tag(registry.uuid, max(registry.state.stamp(stored.subject), registry.state.settings_stamp))


def tag_of_id(registry: Registry, stored: Stored) -> str:
    """The ETag of an answer about an id: new whenever a version that holds it, or any setting, changes."""
    holding = registry.state.holding(stored.subject.context, stored.id)
    return entity_tag(registry.uuid, max(holding.stamp if holding else 0, registry.state.settings_stamp))


def entity_tag(log: UUID, stamp: int) -> str:
    """The weak ETag of what a log says at a stamp; weak because one resource has several media types."""
    return f'W/"{log}-{stamp}"'
