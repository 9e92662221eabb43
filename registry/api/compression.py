"""Compressed answers for those who ask for them; everybody else's pass through untouched.

The compressing is Starlette's. It stands aside here because its layer costs as much as a route, also where nothing is
compressed, and most clients of a registry do not ask for it.
"""

from __future__ import annotations

from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Below a packet's size compression saves nothing; above level 2 it takes twice the time for a twentieth of the bytes.
MIN_BYTES: Final = 1024
LEVEL: Final = 2
VARYING: Final = (b"vary", b"Accept-Encoding")


class Compression:
    """Hands a request to the application, through gzip where the client takes it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = GZipMiddleware(app, MIN_BYTES, LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] != "http" or _accepts_gzip(scope):
            await self._compressed(scope, receive, send)
        else:
            await self._app(scope, receive, _varying(send))


def _accepts_gzip(scope: Scope) -> bool:
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])


def _varying(send: Send) -> Send:
    """A `send` that tells caches in between that this is the answer for those who do not take gzip."""

    async def varying(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"].append(VARYING)
        await send(message)

    return varying
