"""A closed-loop HTTP client that costs little, so that what is measured is the server.

Each connection sends a request, waits for the whole answer and sends the next; answers must carry Content-Length.
Owns bytes on sockets; refuses to know what is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Result:
    """What a run saw: answers by status, seconds in all, and each answer's latency in seconds, sorted."""

    statuses: dict[int, int]
    seconds: float
    latencies_seconds: tuple[float, ...] = field(repr=False)

    @property
    def answers(self) -> int:
        """How many answers came."""
        return sum(self.statuses.values())

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds

    def quantile_seconds(self, share: float) -> float:
        """The latency that this share of the answers did not exceed."""
        return self.latencies_seconds[min(int(len(self.latencies_seconds) * share), len(self.latencies_seconds) - 1)]


def request(method: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
    """The bytes of a request with keep-alive."""
    length = f"content-length: {len(body)}\r\ncontent-type: application/json\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nhost: registry\r\n{length}{headers}\r\n".encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], finished: asyncio.Future[None]) -> None:
        self._requests = requests
        self._finished = finished
        self._buffer = b""
        self._sent_at = 0.0
        self.statuses: dict[int, int] = {}
        self.latencies: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send_next()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 : (head.find(b"\r", at) + 1 or len(head) + 1) - 1]) if at >= 0 else 0
        if len(self._buffer) < head_end + 4 + length:
            return
        self._buffer = b""
        status = int(head[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.latencies.append(perf_counter() - self._sent_at)
        self._send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._finished.done():
            self._finished.set_exception(exc or ConnectionError("the server closed the connection"))

    def _send_next(self) -> None:
        content = next(self._requests, None)
        if content is None:
            if not self._finished.done():
                self._finished.set_result(None)
            self._transport.close()
            return
        self._sent_at = perf_counter()
        self._transport.write(content)  # type: ignore[attr-defined]  # a TCP transport can write


async def drive(url: str, requests: Iterator[bytes], connections: int) -> Result:
    """Send all requests over this many connections, each taking the next one when its answer is there."""
    address = urlsplit(url)
    host, port = address.hostname or "127.0.0.1", address.port or 80
    loop = asyncio.get_running_loop()
    finished = [loop.create_future() for _ in range(connections)]
    started = perf_counter()
    made = [
        await loop.create_connection(lambda done=done: _Connection(requests, done), host, port)  # type: ignore[misc]  # mypy does not infer the default
        for done in finished
    ]
    await asyncio.gather(*finished)
    seconds = perf_counter() - started
    statuses: dict[int, int] = {}
    for _, connection in made:
        for status, count in connection.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    latencies = tuple(sorted(latency for _, connection in made for latency in connection.latencies))
    return Result(statuses, seconds, latencies)
