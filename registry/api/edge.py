"""The border between the socket and the routes, in plain ASGI: request ids, callers, bodies, HEAD, failures.

Follows sections 0.1 to 0.4 of Confluent's REST API; refuses to know what is asked.
"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import count
from random import getrandbits
from time import perf_counter
from typing import Final
from uuid import uuid4

from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.api.answers import KEPT_METHODS, OK, Answers, Key
from registry.api.failures import breakdown, refusal
from registry.api.negotiation import media_types
from registry.api.visit import VISIT, RawHeaders, RequestTallies, Visit
from registry.auth import NOBODY, OPEN, SEVERAL, Caller, Guard
from registry.errors import BodyTooLarge, RegistryError, StoreTimedOut

BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods whose body, if there is one, nobody reads."""
DECIDING_HEADERS: Final = frozenset({b"accept", b"accept-encoding", b"content-type", b"if-none-match"})
"""The request headers that decide the form of an answer."""
OWN_ADDRESSES: Final = frozenset({"127.0.0.1", "::1"})
READ_HEADERS: Final = DECIDING_HEADERS | {b"x-request-id", b"content-length", b"authorization"}
"""All that the border reads; most headers are none of these."""

_STOPPED: Final = "The registry stopped while it worked on this, and the outcome is not known"

log = logging.getLogger("signet")


class ClientLeftError(Exception):
    """The connection ended before the body was whole; there is nobody left to answer."""


ENDINGS: Final = tuple(b"%03x" % number for number in range(16**3))
"""The last digits of request ids, which are made for so many at a time."""


class RequestIds:
    """UUIDs of version 4 in form: random where they are made, then counted, which takes a tenth of `uuid4`'s time."""

    def __init__(self) -> None:
        self._random = str(uuid4()).encode()[:24]
        self._beginnings = count(getrandbits(28))
        self._left: Iterator[bytes] = iter(())

    def new(self) -> bytes:
        """An id that no other request has."""
        for request_id in self._left:
            return request_id
        beginning = b"%b%09x" % (self._random, next(self._beginnings) & 0xFFFFFFFFF)
        self._left = map(beginning.__add__, ENDINGS)
        return next(self._left)


class Heading(Struct, frozen=True, gc=False):
    """What the headers of a request say to the border.

    given_id: the id that the client gave it, empty if it gave none, or several. length: of its body, in bytes.
    deciding: the headers that decide the form of the answer. authorization: who it says that it comes from; of several
    such headers the values, with SEVERAL in between.
    """

    given_id: bytes
    length: int
    deciding: RawHeaders
    authorization: bytes | None


class Whole(Struct, frozen=True, gc=False):
    """A request that is here whole, who sent it if that is known, and the SHA-256 of its body (empty for none)."""

    heading: Heading
    caller: Caller | None
    body: bytes
    digest: bytes


WHOLE: Final = "signet.whole"
"""Where the scope of a request that was here whole, but not answered at once, holds what was found out so far."""

Lines = tuple[bytes, bytes]
"""The header lines of an answer with status 200, each with its end, and its body."""


def read_headers(headers: Iterable[tuple[bytes, bytes]]) -> Heading:
    """Read the headers of a request."""
    given = b""
    length = ids = 0
    deciding = []
    authorization = None
    for header in headers:
        name, value = header
        # One look-up for most headers: a client sends several that nobody reads.
        if name not in READ_HEADERS:
            continue
        if name in DECIDING_HEADERS:
            deciding.append(header)
        elif name == b"x-request-id":
            # Of several ids none is sure to be the one that the client will look for.
            given, ids = value.strip(), ids + 1
        elif name == b"content-length" and value.isdigit():
            length = int(value)
        elif name == b"authorization":
            authorization = value if authorization is None else authorization + SEVERAL + value
    return Heading(given if ids == 1 else b"", length, tuple(deciding), authorization)


def _readable(request_id: bytes) -> str:
    """An id for the log; what a client put into its own cannot begin a line of its own."""
    return request_id.decode("latin-1").encode("unicode_escape").decode("ascii")


def client_address(scope: Scope) -> str:
    """Where a request comes from; a proxy on this machine is believed when it says for whom it asks."""
    client = scope.get("client")
    address = client[0] if client else ""
    if address in OWN_ADDRESSES:
        # What stands last was added by the proxy itself; anything before it may be made up.
        said = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return said[-1].rpartition(b",")[2].strip().decode("latin-1") or address if said else address
    return str(address)


def accepted(heading: Heading) -> str:
    """What the client accepts."""
    return media_types(heading.deciding)[0]


class Edge:
    """The outermost layer: gives every request an id, finds out who asks, reads its body within the limit, answers what
    was answered to such a caller before, counts it, and lets no failure out.
    """

    def __init__(self, app: ASGIApp, guard: Guard, answers: Answers, tallies: RequestTallies, max_body: int) -> None:
        """max_body: bytes of the largest body that is read."""
        self.app = app
        self.guard = guard
        self.answers = answers
        self.tallies = tallies
        self.max_body_bytes = max_body
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; anything but HTTP goes through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()
        whole: Whole | None = scope.get(WHOLE)
        if whole is None:
            heading = read_headers(scope["headers"])
            caller = self.guard.known(heading.authorization)
        else:
            heading, caller = whole.heading, whole.caller
        request_id = heading.given_id or self._ids.new()
        visit = Visit(scope["method"], caller or NOBODY, heading.deciding, self.tallies)
        answer = _Answer(send, request_id, bodiless=scope["method"] == "HEAD")
        try:
            # Not known by now: a password has to be verified, which takes long and happens elsewhere.
            if caller is None:
                visit.caller = await self._admitted(scope, heading.authorization)
            await self._answer(heading.length, whole, visit, scope, receive, answer)
        except RegistryError as error:
            await refusal(error, accepted(heading))(scope, receive, answer)
        except CancelledError:
            # The server stops and has waited for long enough. Left to itself it would say nothing but that it failed,
            # of a change that may be made all the same.
            if not answer.status:
                await refusal(StoreTimedOut(_STOPPED), accepted(heading))(scope, receive, answer)
        except ClientLeftError:
            log.info("request %s: the client left before its body was whole", _readable(request_id))
        except Exception:
            # The outermost border: whatever went wrong, it goes to the log, and no traceback reaches a client.
            log.exception("request %s failed", _readable(request_id))
            if not answer.status:
                await breakdown(accepted(heading))(scope, receive, answer)
        finally:
            visit.tally.add(answer.status, perf_counter() - began)

    def at_once(self, scope: Scope, body: bytes | bytearray) -> Lines | None:
        """The answer to a request that is here whole, if it was made before, still stands and needs no waiting.

        For a server that would rather write an answer at once than begin a task for it. Any other request, and any
        other server, goes through `__call__`, which would answer the same; it finds in the scope what is known by now.
        """
        began = perf_counter()
        method = scope["method"]
        if method not in KEPT_METHODS:
            return None
        heading = read_headers(scope["headers"])
        digest = sha256(body).digest() if body and method not in BODILESS else b""
        caller, finished = self.guard.known(heading.authorization), None
        if caller is not None:
            finished = self.answers.at_once(_key(caller, method, scope, heading.deciding, digest))
        if finished is None:
            scope[WHOLE] = Whole(heading, caller, bytes(body), digest)
            return None
        finished.tally.add(OK, perf_counter() - began)
        request_id = heading.given_id or self._ids.new()
        return b"%bx-request-id: %b\r\n" % (finished.lines, request_id), finished.end["body"]

    async def _admitted(self, scope: Scope, authorization: bytes | None) -> Caller:
        # Compared as it was sent: whatever else leads to the same route needs a user.
        if scope["raw_path"] in OPEN:
            return NOBODY
        return await self.guard.admit(authorization, client_address(scope))

    async def _answer(
        self, length: int, whole: Whole | None, visit: Visit, scope: Scope, receive: Receive, answer: _Answer
    ) -> None:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        inner = {**scope, "method": method, VISIT: visit}
        digest = b""
        if method not in BODILESS:
            if whole is None:
                visit.body = await read_body(length, receive, self.max_body_bytes)
            else:
                visit.body, digest = whole.body, whole.digest
                check_length(len(visit.body), self.max_body_bytes)
        if method not in KEPT_METHODS:
            await self.app(inner, receive, answer)
            return
        if visit.body and not digest:
            digest = sha256(visit.body).digest()
        key = _key(visit.caller, method, scope, visit.deciding, digest)
        finished = await self.answers.find(key)
        if finished is not None:
            visit.template = finished.tally.template
            # Both messages are the answer's own; nobody changes them on their way out.
            await answer(finished.start())
            await answer(finished.end)
            return
        await self.answers.record(key, self.app, inner, receive, answer)


def _key(caller: Caller, method: str, scope: Scope, deciding: RawHeaders, digest: bytes) -> Key:
    return caller.permissions, method, scope["raw_path"], scope["query_string"], deciding, digest


async def read_body(declared: int, receive: Receive, max_bytes: int) -> bytes:
    """Read a body whole, unless it is over the limit: then no more of it than the limit is taken in.

    Raises BodyTooLarge, and ClientLeftError when the connection ends first.
    """
    check_length(declared, max_bytes)
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        body += message.get("body", b"")
        more = message.get("more_body", False)
        check_length(len(body), max_bytes)
    return bytes(body)


def check_length(length: int, max_bytes: int) -> None:
    """Raise BodyTooLarge for a body of more bytes than are read."""
    if length > max_bytes:
        raise BodyTooLarge(max_bytes)


class _Answer:
    """A `send` that adds the request id, remembers the status once the answer has begun, and can leave out the body."""

    def __init__(self, send: Send, request_id: bytes, *, bodiless: bool) -> None:
        self.send = send
        self.request_id = request_id
        self.bodiless = bodiless
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], (b"x-request-id", self.request_id)]}
        elif self.bodiless and message["type"] == "http.response.body":
            message = {"type": "http.response.body"}
        await self.send(message)
