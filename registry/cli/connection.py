"""What uvicorn leaves open in a connection: a bound on a request's head and on what follows its body, a bound on the
time in which a request comes and on that in which nothing of its answer is taken, a bound on the requests that wait in
it, answers that are there already, which are written at once instead of by a task, answers written in one piece, and
offers of another protocol, which are passed over.

Refuses to know what the requests are about.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from registry.api.edge import Edge

MAX_HEAD_BYTES: Final = 64 * 1024
_TOO_LARGE: Final = b"The head of a request may have %d bytes at most." % MAX_HEAD_BYTES
_REFUSAL: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(_TOO_LARGE), _TOO_LARGE)
)
_NO_HTTP: Final = "Invalid HTTP request received."
CLOSE: Final = (b"connection", b"close")
"""The header that ends a connection after an answer."""
SHARED_BYTES: Final = 32 * 1024
"""Answers from this size on are not copied: many clients that do not read would each keep a copy in memory."""
PIECE_BYTES: Final = 1024
"""What is read at a time of many requests that arrived at once: at most 57 of the shortest."""
_MANY: Final = 8
"""More requests than this in what arrived at once are read piece by piece."""
_LINE_END: Final = b" HTTP/1."
"""What every request has once."""
FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
"""The headers that say where the body of a request ends."""
NOWHERE: Final[deque[tuple[bytes, bytes]]] = deque(maxlen=0)
"""Takes headers and keeps none."""
_Begun = tuple[RequestResponseCycle, ASGI3Application]
"""A request, and the application that is to answer it."""


class Gathering:
    """A transport that writes in one piece what is written in one pass of the loop.

    An answer is written as a head and a body. A process that is killed between the two would leave half an answer, for
    which no balancer can ask another node, as it can for none at all.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._pieces: list[bytes] = []
        self._written_bytes = 0

    def write(self, piece: bytes) -> None:
        """Write at the end of this pass of the loop."""
        if not self._pieces:
            self._loop.call_soon(self.flush)
        self._pieces.append(piece)

    def flush(self) -> None:
        """Write now what waits, unless the client has left meanwhile: uvloop raises where nobody can be written to."""
        pieces, self._pieces = self._pieces, []
        if pieces and not self._transport.is_closing():
            self._write(pieces)

    def close(self) -> None:
        """Write what waits, and close."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed or being closed."""
        return self._transport.is_closing()

    def write_now(self, *pieces: bytes) -> None:
        """Write behind what waits, without waiting."""
        if self._pieces:
            self.flush()
        self._write(pieces)

    def _write(self, pieces: Sequence[bytes]) -> None:
        if max(map(len, pieces)) < SHARED_BYTES:
            pieces = (b"".join(pieces),)
        self._written_bytes += sum(map(len, pieces))
        self._transport.writelines(pieces)

    @property
    def untaken_bytes(self) -> int:
        """How much the client has yet to take."""
        return self._transport.get_write_buffer_size()

    @property
    def taken_bytes(self) -> int:
        """How much it has taken so far."""
        return self._written_bytes - self.untaken_bytes

    def abort(self) -> None:
        """Close, and drop what the client has not taken."""
        self._transport.abort()


class Flow(FlowControl):
    """Takes nothing more from a client while something that it sent before waits, whoever asks for more.

    waits: whether something does; go_on: called instead of taking more.
    """

    def __init__(self, transport: asyncio.Transport, waits: Callable[[], bool], go_on: Callable[[], None]) -> None:
        super().__init__(transport)
        self._waits = waits
        self._go_on = go_on

    def resume_reading(self) -> None:
        """Take more, unless something waits."""
        if not self.read_paused:
            return
        if self._waits():
            self._go_on()
        else:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """A connection that knows since when a request has been arriving on it, and begins one when it is here whole.

    What arrives behind requests that wait stays what it is, bytes: as requests it would take far more memory.
    """

    # Of more than 30 attributes in one dictionary each takes longer to find, and uvicorn has 27 of its own.
    __slots__ = (
        "_begun",
        "_ended",
        "_goes_on",
        "_head_bytes",
        "_out",
        "_passing_over",
        "_reading",
        "_rest",
        "_taken_at",
        "_taken_bytes",
        "_unbegun",
        "arriving_since",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what uvicorn hands to each of its connections."""
        super().__init__(*args, **kwargs)
        self.arriving_since: float | None = None
        """When the request that is not whole yet began, in seconds of the loop; None between requests."""
        self._head_bytes: int | None = 0
        self._begun = self._reading = self._goes_on = self._passing_over = self._ended = False
        self._unbegun: _Begun | None = None
        self._rest: bytes | memoryview = b""
        self._taken_bytes, self._taken_at = 0, 0.0
        """How much of its answers the client had taken when it last took any, or was offered none."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Count the wait for the first request like the request itself."""
        super().connection_made(transport)
        self.flow = Flow(transport, self._waits, self._go_on)
        self._out = Gathering(transport, self.loop)
        self.transport = self._out  # type: ignore[assignment]  # all of a transport that uvicorn uses for HTTP
        self.arriving_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of all that refers back to this connection.

        What is only freed by the collector stays for long: a connection outlives the frequent collections.
        """
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # uvicorn leaves it to itself where a client did not close, but reset
        self._rest = b""
        self.pipeline.clear()
        self.cycle = self.flow = None  # type: ignore[assignment]  # as uvicorn does with its parser

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn never stays
        """Stay for a client that has said all and waits for its answer, as `nc -N` does; tell whether that is so.

        Who closes a stream, or leaves in the middle of a request, waits for nothing.
        """
        # What was answered is not written yet, and would not be written to a transport that closes.
        self._out.flush()
        cycle: RequestResponseCycle | None = self.cycle
        is_streaming = cycle is not None and cycle.response_started
        return not is_streaming and not self._rest and self._ends_with_an_answer()

    def data_received(self, data: bytes) -> None:
        """Read on; of many requests some, so that those of others come between."""
        if self._rest:  # TLS hands on what it had when it was told to pause
            self._rest = memoryview(bytes(self._rest) + data)
        elif len(data) > PIECE_BYTES and data.count(_LINE_END) > _MANY:
            self._rest = memoryview(data)
            self.flow.pause_reading()
            self._read_rest()
        else:
            self._read(data)

    def _waits(self) -> bool:
        return bool(self.pipeline or self._rest)

    def _go_on(self) -> None:
        """Read on in the next pass of the loop."""
        if not self._goes_on:
            self._goes_on = True
            self.loop.call_soon(self._read_rest)

    def _read_rest(self) -> None:
        """Read a piece of what is left when all before it is answered; when nothing is left, take more."""
        self._goes_on = False
        if self.transport.is_closing():
            self._rest = b""
        elif not self.pipeline:
            piece, self._rest = self._rest[:PIECE_BYTES], self._rest[PIECE_BYTES:]
            if piece:
                self._read(piece)
            self.flow.resume_reading()

    def _read(self, data: bytes | memoryview) -> None:
        """Read this, unless the head has grown too large: the parser would gather it without end."""
        if self._ended:
            return
        # What came before the head in the same piece is not its own, so that its first piece does not count.
        self._begun = False
        self._reading = True
        self._unset_keepalive_if_required()
        try:
            self._parse(data)
        except HttpParserError:
            self.logger.warning(_NO_HTTP)
            if not self._ends_with_an_answer():
                self.send_400_response(_NO_HTTP)
        self._reading = False
        if self._unbegun is not None:
            # The rest of it comes later, if at all; its head may be reason enough to refuse it.
            self._begin(*self._unbegun)
        if self._head_bytes is None or self._begun:
            return
        self._head_bytes += len(data)
        if self._head_bytes <= MAX_HEAD_BYTES or self.transport.is_closing() or self._ends_with_an_answer():
            return
        self.transport.write(_REFUSAL)
        self.transport.close()

    def _ends_with_an_answer(self) -> bool:
        """Let the connection end with the answer that a request waits for, if one is here whole, and read no more: the
        client would take a refusal of what came behind it for that answer.
        """
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.more_body or cycle.response_complete:
            return False
        cycle.keep_alive = False
        self._ended = True
        return True

    def _parse(self, data: bytes | memoryview) -> None:
        """Stay with HTTP/1.1 when a head offers another protocol, as Java's client does in every request.

        To httptools such a request ends with its head, and its body would be read as the next request, or not at all
        where the connection is to end. So another parser reads on, from a head that says no more than how long the body
        is and whether anything may come behind it.

        Raises HttpParserError.
        """
        while True:
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as offer:
                data = memoryview(data)[offer.args[0] :]
                self.parser = HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's own
                self.parser.feed_data(self._same_body())
            else:
                return

    def _same_body(self) -> bytes:
        """A head, not to be heeded, of a request that has the same body as the one whose head was read last."""
        self._passing_over = True
        told = [header for header in self.scope["headers"] if header[0] in FRAMING]
        if not self.cycle.keep_alive:
            told.append(CLOSE)
        return b"POST / HTTP/1.1\r\n%b\r\n" % b"".join(b"%b: %b\r\n" % header for header in told)

    def on_message_begin(self) -> None:
        """A request begins."""
        if self._passing_over:
            return
        super().on_message_begin()
        self._head_bytes = 0
        self._begun = True
        self.arriving_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        if self._passing_over:
            self._passing_over = False
            return
        self._head_bytes = None
        super().on_headers_complete()
        # What comes behind the body, or of the head that is passed over, is none of the request's headers: a proxy has
        # not seen it as such.
        self.headers = NOWHERE  # type: ignore[assignment]  # uvicorn does no more than append to it

    def on_chunk_header(self) -> None:
        """A chunk begins: if it is the last, more headers follow, which may be no longer than a head."""
        self._head_bytes = 0
        self._begun = True

    def on_body(self, body: bytes) -> None:
        """A piece of the body is here."""
        self._head_bytes = None
        super().on_body(body)

    def on_message_complete(self) -> None:
        """It is whole, unless it offered another protocol: then its body is still to come."""
        if self.parser.should_upgrade():
            return
        self.arriving_since = None
        super().on_message_complete()
        if self._unbegun is not None:
            self._begin(*self._unbegun)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if self._reading:
            self._unbegun = (cycle, app)
        else:
            self._begin(cycle, app)

    def _begin(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._unbegun = None
        if not (isinstance(app, Edge) and self._answered(cycle, app)):
            super()._start_asgi_task(cycle, app)

    def _answered(self, cycle: RequestResponseCycle, edge: Edge) -> bool:
        """Answer a request now if that takes no waiting and does not end the connection, and tell whether it was."""
        # Of those that wait in a pipeline only the last is tried: each answer here begins the next one within its call.
        if cycle.more_body or self.pipeline or self.flow.write_paused:
            return False
        if not cycle.keep_alive or CLOSE in cycle.default_headers:
            return False
        answer = edge.at_once(cycle.scope, cycle.body)  # type: ignore[arg-type]  # uvicorn names its members
        if answer is None:
            return False
        lines, body = answer
        own_lines = b"".join(b"%b: %b\r\n" % header for header in cycle.default_headers)
        self._out.write_now(b"HTTP/1.1 200 OK\r\n%b%b\r\n" % (own_lines, lines), body)
        cycle.response_started = cycle.response_complete = True
        cycle.on_response()
        return True

    def close_if_slow(self, deadline: float) -> None:
        """Give up a request that began before the deadline and is not whole yet, and a client who has taken nothing of
        an answer since then.
        """
        taken_bytes = self._out.taken_bytes
        if taken_bytes != self._taken_bytes or not self._out.untaken_bytes:
            self._taken_bytes, self._taken_at = taken_bytes, self.loop.time()
        elif self._taken_at < deadline:
            self._out.abort()
        if self.arriving_since is not None and self.arriving_since < deadline:
            self.transport.close()
