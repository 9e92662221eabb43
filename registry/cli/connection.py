"""What uvicorn leaves unbounded in a connection: the size of a request's head, and the time a request may take to come.

Refuses to know what the requests are about.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES: Final = 64 * 1024
_TOO_LARGE: Final = b"The head of a request may have 65536 bytes at most."
_REFUSAL: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(_TOO_LARGE), _TOO_LARGE)
)


class Connection(HttpToolsProtocol):
    """A connection that knows since when a request has been arriving on it."""

    arriving_since: float | None = None
    """When the request that is not whole yet began, in seconds of the loop; None between requests."""

    _head_bytes: int | None = 0
    _begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Count the wait for the first request like the request itself."""
        super().connection_made(transport)
        self.arriving_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the head has grown too large: the parser would gather it without end."""
        # What came before the head in the same piece is not its own, so that its first piece does not count.
        self._begun = False
        super().data_received(data)
        if self._head_bytes is None or self._begun:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_bytes = 0
        self._begun = True
        self.arriving_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._head_bytes = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """It is whole."""
        self.arriving_since = None
        super().on_message_complete()

    def close_if_slow(self, deadline: float) -> None:
        """Give up a request that began before the deadline and is not whole yet."""
        if self.arriving_since is not None and self.arriving_since < deadline:
            self.transport.close()
