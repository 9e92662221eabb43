"""Compressed answers for those who ask for them; everybody else's pass through untouched.

The compressing is Starlette's. It stands aside here because its layer costs as much as a route, also where nothing is
compressed, and most clients of a registry do not ask for it.
"""

from __future__ import annotations

from typing import Final

from fastapi import Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.api.negotiation import takes_gzip
from registry.api.visit import visit_of

# Below a packet's size compression saves nothing; above level 2 it takes twice the time for a twentieth of the bytes.
MIN_BYTES: Final = 1024
LEVEL: Final = 2
VARYING: Final = (b"vary", b"Accept-Encoding")
"""Tells caches in between that others may get this answer compressed, or not."""


async def send_answer(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer that is here whole, through gzip where the client takes it."""
    if _accepts_gzip(scope):
        await have_answered(response, scope, receive, send)
    else:
        response.raw_headers.append(VARYING)
        await response(scope, receive, send)


async def have_answered(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Have an application answer, through gzip where the client takes it."""

    async def varying(message: Message) -> None:
        # Refusals say so themselves, and so does what was compressed.
        if message["type"] == "http.response.start" and not any(name == VARYING[0] for name, _ in message["headers"]):
            message["headers"].append(VARYING)
        await send(message)

    answering = GZipMiddleware(app, MIN_BYTES, LEVEL) if _accepts_gzip(scope) else app
    await answering(scope, receive, varying)


def _accepts_gzip(scope: Scope) -> bool:
    taken = b",".join(value for name, value in visit_of(scope).deciding if name == b"accept-encoding")
    return bool(taken) and takes_gzip(taken.decode("latin-1"))
