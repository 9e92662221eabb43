"""The border between the socket and the routes, in plain ASGI: request ids, bodies, HEAD, addresses, failures.

Follows sections 0.1 to 0.4 of Confluent's REST API; refuses to know what is asked.
"""

from __future__ import annotations

import logging
from typing import Final
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.api import paths
from registry.api.failures import breakdown, refusal
from registry.errors import BodyTooLarge, RegistryError

BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods whose body, if there is one, nobody reads."""

log = logging.getLogger("signet")


class ClientLeftError(Exception):
    """The connection ended before the body was whole; there is nobody left to answer."""


class Edge:
    """The outermost layer: gives every request an id, reads its body within the limit, and lets no failure out."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; anything but HTTP goes through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        accept = ",".join(headers.getlist("accept"))
        answer = _Answer(send, request_id(headers), bodiless=scope["method"] == "HEAD")
        try:
            if scope["method"] not in BODILESS:
                receive = _replayed(await read_body(headers, receive, self.max_body_bytes), receive)
            await self.app(_as_get(scope), receive, answer)
        except RegistryError as error:
            await refusal(error, accept)(scope, receive, answer)
        except ClientLeftError:
            log.info("request %r: the client left before its body was whole", answer.request_id)
        except Exception:
            log.exception("request %r failed", answer.request_id)
            if not answer.started:
                await breakdown(accept)(scope, receive, answer)


class Addressing:
    """Rewrites every request's address before it is routed: raw path, context, alias."""

    def __init__(self, app: ASGIApp, alias_of: paths.AliasOf) -> None:
        self.app = app
        self.alias_of = alias_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one request on under its final address.

        Raises BadRequest when the path cannot be read.
        """
        if scope["type"] == "http":
            sent = paths.read(scope["raw_path"], scope["query_string"])
            address = paths.unaliased(paths.in_context(sent, scope["method"]), self.alias_of)
            scope = {**scope, "path": address.path, "query_string": address.query.encode("latin-1")}
        await self.app(scope, receive, send)


def request_id(headers: Headers) -> str:
    """The id that the client gave, if it gave exactly one, else a new UUID."""
    given = headers.getlist("x-request-id")
    return given[0] if len(given) == 1 and given[0].strip() else str(uuid4())


async def read_body(headers: Headers, receive: Receive, max_bytes: int) -> bytes:
    """Read a body whole, unless it is over the limit: then no more of it than the limit is taken in.

    Raises BodyTooLarge, and ClientLeftError when the connection ends first.
    """
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise BodyTooLarge(max_bytes)
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > max_bytes:
            raise BodyTooLarge(max_bytes)
    return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once, then what the connection gives."""
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return unread.pop() if unread else await receive()

    return replay


def _as_get(scope: Scope) -> Scope:
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope


class _Answer:
    """A `send` that adds the request id, remembers whether the answer has begun, and can leave out the body."""

    def __init__(self, send: Send, request_id: str, *, bodiless: bool) -> None:
        self.send = send
        self.request_id = request_id
        self.bodiless = bodiless
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(raw=message["headers"])
            headers["X-Request-ID"] = self.request_id
        elif self.bodiless and message["type"] == "http.response.body":
            message = {"type": "http.response.body"}
        await self.send(message)
