"""The wire between a node and PostgreSQL, which a scenario can watch and cut at a message of the protocol.

It runs in a thread of its own. Moments on the wire have names; a scenario may do something at one of them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Final, Self

CHUNK_BYTES: Final = 1 << 20


class Moment(Enum):
    """What passes the wire; each is before the message is passed on, unless it says otherwise."""

    BEGIN = "before begin"
    TURN_TAKEN = "in the transaction"
    COMMIT = "before the commit"
    HALF_COMMIT = "in a multi-record operation"
    """Half of the message that appends and commits has been passed on."""
    COMMIT_SENT = "commit sent"
    """The message that appends and commits has been passed on."""
    COMMIT_ANSWERED = "commit sent, answer not seen"
    """The database has answered the commit, and the node does not know it yet."""
    LISTEN = "listen"


class Link:
    """One connection of a node to the database, with both ends."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._near, self._far = near, far
        self.backend_pid = 0
        self.listens = False
        self.is_cut = False
        self.began = False

    def cut(self) -> None:
        """Cut both ends at once; what was not passed on is lost."""
        self.is_cut = True
        self._near.transport.abort()
        self._far.transport.abort()


Seen = Callable[[Moment, Link], None]


class Wire:
    """A relay from a port of the loopback interface to the socket of a PostgreSQL server."""

    def __init__(self, far_socket: str) -> None:
        self._far_socket = far_socket
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.is_down = False
        """Whether connections are refused; set by `go_down`."""
        self.at: Seen | None = None
        """Is told of each moment, in the thread of the wire, before the wire goes on; it may kill and cut."""

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self, *, listening_only: bool = False) -> int:
        """Cut all connections, or those that listen; answers with how many."""
        done: asyncio.Future[int] = asyncio.run_coroutine_threadsafe(self._cut(listening_only), self._loop)
        return done.result(10)

    def go_down(self) -> None:
        """From a moment on the wire on: cut everything and take nothing new, until `is_down` is reset."""
        self.is_down = True
        for link in self._links:
            link.cut()

    async def _cut(self, listening_only: bool) -> int:
        chosen = [link for link in self._links if link.listens or not listening_only]
        for link in chosen:
            link.cut()
        return len(chosen)

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        await self._cut(False)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            if self.is_down:
                raise ConnectionRefusedError
            far_reader, far = await asyncio.open_unix_connection(self._far_socket)
        except OSError:  # the database is down
            near.transport.abort()
            return
        link = Link(near, far)
        self._links.add(link)
        for pump in (self._requests(link, near_reader, far), self._answers(link, far_reader, near)):
            task = asyncio.create_task(self._until_cut(link, pump))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _until_cut(self, link: Link, pump) -> None:
        with suppress(OSError):
            await pump
        link.cut()
        self._links.discard(link)

    async def _requests(self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if b"LISTEN signet" in data:
                link.listens = True
                self._tell(Moment.LISTEN, link)
            if b"BEGIN ISOLATION" in data:
                link.began = True
                self._tell(Moment.BEGIN, link)
            commits = b"COMMIT\n" in data
            if commits:
                self._tell(Moment.COMMIT, link)
                half = len(data) // 2
                writer.write(data[:half])
                self._tell(Moment.HALF_COMMIT, link)
                data = data[half:]
            if link.is_cut:
                return
            writer.write(data)
            if commits:
                await writer.drain()
                self._tell(Moment.COMMIT_SENT, link)

    async def _answers(self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            if not link.backend_pid and (at := data.find(b"K\x00\x00\x00\x0c")) >= 0:
                link.backend_pid = int.from_bytes(data[at + 5 : at + 9])
            if link.began:
                link.began = False
                self._tell(Moment.TURN_TAKEN, link)
            if b"COMMIT\x00" in data:
                self._tell(Moment.COMMIT_ANSWERED, link)
            if link.is_cut:
                return
            writer.write(data)

    def _tell(self, moment: Moment, link: Link) -> None:
        if self.at is not None and not link.is_cut:
            self.at(moment, link)
