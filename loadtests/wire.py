"""A wire to a PostgreSQL that counts how often somebody waits for an answer on it.

It runs in a thread of its own, so that whoever uses the wire may block.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

CHUNK_BYTES = 1 << 20


class Wire:
    """A relay from a port of the loopback interface to a Unix socket."""

    def __init__(self, socket: Path) -> None:
        self.port = 0
        self.round_trips = 0
        self._socket = socket

    async def open(self) -> None:
        """Listen on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._socket)
        link = _Link(self)
        with suppress(ConnectionError):
            await asyncio.gather(
                link.pass_on(reader, far_writer, asks=True), link.pass_on(far_reader, writer, asks=False)
            )


class _Link:
    """One connection; a round trip begins when the client speaks after the server has."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._client_spoke_last = False

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asks: bool) -> None:
        while data := await reader.read(CHUNK_BYTES):
            self._wire.round_trips += asks and not self._client_spoke_last
            self._client_spoke_last = asks
            writer.write(data)
        writer.close()


@contextmanager
def counted(socket: Path) -> Iterator[Wire]:
    """A wire to a socket, until the block ends."""
    wire, loop = Wire(socket), asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(wire.open(), loop).result(10)
        yield wire
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
