"""What is written at once is what a task would have answered, in the same order, and nothing else is lost by it."""

import asyncio
import gc
import json
import socket
import struct
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from math import inf

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from registry.api.edge import Edge
from registry.app import create
from registry.cli.connection import CLOSE, Connection, Gathering
from registry.settings import Settings

BODY = json.dumps({"schema": '"string"'}).encode()
REGISTER = b"POST /subjects/s/versions HTTP/1.1\r\nhost: r\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)
LATEST = b"GET /subjects/s/versions/latest HTTP/1.1\r\nhost: r\r\n\r\n"
UNKNOWN = b"GET /subjects/unknown/versions HTTP/1.1\r\nhost: r\r\n\r\n"
LARGE_BODY = json.dumps({"schema": '"string"', "metadata": {"properties": {"large": "x" * 1_000_000}}}).encode()
LARGE = b"POST /subjects/s/versions HTTP/1.1\r\nhost: r\r\ncontent-length: %d\r\n\r\n%b" % (len(LARGE_BODY), LARGE_BODY)
OFFER = b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQ\r\n"
OFFERING = REGISTER.replace(b"\r\n", b"\r\n" + OFFER, 1)
OFFERING_CHUNKS = (
    b"POST /subjects/s/versions HTTP/1.1\r\nhost: r\r\ntransfer-encoding: chunked\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n"
    % (OFFER, len(BODY), BODY)
)
OFFERING_AT_THE_END = REGISTER.replace(b"\r\n", b"\r\n" + OFFER + b"connection: close\r\n", 1)
OFFERING_IN_1_0 = OFFERING.replace(b"HTTP/1.1", b"HTTP/1.0")
WITH_BODY = b"GET /subjects/s/versions/latest HTTP/1.1\r\nhost: r\r\ncontent-length: 4\r\n\r\nbody"


class Counting(Edge):
    """An edge that counts what comes through it as ASGI, and takes a moment for it."""

    calls = 0
    seconds = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        if self.seconds:
            await asyncio.sleep(self.seconds)
        await super().__call__(scope, receive, send)


Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(state: ServerState) -> AsyncIterator[tuple[Counting, Peer]]:
    """A connection to a registry in which a schema is registered and asked for once."""
    application = create(Settings(store="memory:"))
    edge = application.edge
    counting = Counting(edge.app, edge.guard, edge.answers, edge.tallies, edge.max_body_bytes)
    config = uvicorn.Config(counting, ws="none", log_config=None, proxy_headers=False)
    loop = asyncio.get_running_loop()
    async with application.running():
        server = await loop.create_server(lambda: Connection(config, state, {}), "127.0.0.1")
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            await exchange((reader, writer), [REGISTER], 1)
            await exchange((reader, writer), [REGISTER, LATEST], 2)
            counting.calls = 0
            yield counting, (reader, writer)
            writer.close()


async def exchange(peer: Peer, pieces: list[bytes], answers: int) -> list[tuple[int, bytes]]:
    """Send pieces, each on its own, and read so many answers: status and body, by their order."""
    reader, writer = peer
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.01)
    return [await read_answer(reader) for _ in range(answers)]


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


def ask(pieces: list[bytes], answers: int, state: ServerState | None = None) -> tuple[int, list[tuple[int, bytes]]]:
    """How many requests needed a task, and the answers."""

    async def run() -> tuple[int, list[tuple[int, bytes]]]:
        async with connected(state or ServerState()) as (edge, peer):
            given = await asyncio.wait_for(exchange(peer, pieces, answers), 20)
            return edge.calls, given

    return asyncio.run(run())


PIECES = [
    ("one that is kept", [LATEST], 0, [200]),
    ("one that is kept, in pieces", [LATEST[:9], LATEST[9:40], LATEST[40:]], 0, [200]),
    ("a registration that was made before", [REGISTER], 0, [200]),
    ("one whose body comes later", [REGISTER[:-5], REGISTER[-5:]], 1, [200]),
    ("one that has a body that nobody reads", [WITH_BODY], 0, [200]),
    ("one that is not kept", [UNKNOWN], 1, [404]),
    ("several at once, all kept", [LATEST + REGISTER + LATEST], 0, [200, 200, 200]),
    ("several at once, the first not kept", [UNKNOWN + LATEST + REGISTER], 2, [404, 200, 200]),
    ("several at once, the last in two pieces", [LATEST + UNKNOWN + LATEST[:20], LATEST[20:]], 1, [200, 404, 200]),
    ("one that offers another protocol", [LATEST[:-2] + OFFER + b"\r\n"], 0, [200]),
    ("one with a body that offers another protocol", [OFFERING], 0, [200]),
    ("one whose head offers another protocol and whose body comes later", [OFFERING[:-5], OFFERING[-5:]], 1, [200]),
    ("one in chunks that offers another protocol", [OFFERING_CHUNKS[:-9], OFFERING_CHUNKS[-9:]], 1, [200]),
    ("the last one, which offers another protocol", [OFFERING_AT_THE_END], 1, [200]),
    ("the last one, and something behind it", [OFFERING_AT_THE_END[:-5], OFFERING_AT_THE_END[-5:] + LATEST], 1, [200]),
    ("one of HTTP/1.0 that offers another protocol", [OFFERING_IN_1_0], 1, [200]),
    ("several at once that offer another protocol", [OFFERING + OFFERING_CHUNKS + LATEST], 0, [200, 200, 200]),
]


@pytest.mark.parametrize(("_what", "pieces", "tasks", "statuses"), PIECES, ids=[row[0] for row in PIECES])
def test_answers_come_in_the_order_of_the_requests_and_kept_ones_need_no_task(_what, pieces, tasks, statuses) -> None:
    calls, answers = ask(pieces, len(statuses))
    assert ([status for status, _ in answers], calls) == (statuses, tasks)


ENDLESS = [b"GET /subjects HTTP/1.1\r\nx: ", *[b"x" * 60_000] * 3]


@pytest.mark.parametrize("behind", [[b"\0"], [b"GET /subjects HTTP/1.1\r\nx\r\n\r\n", b"\0"], ENDLESS])
@pytest.mark.parametrize("before", [[UNKNOWN], [LATEST, UNKNOWN]])
def test_a_request_gets_its_own_answer_whatever_comes_behind_it(before: list[bytes], behind: list[bytes]) -> None:
    async def run() -> list[int]:
        async with connected(ServerState()) as (edge, (reader, writer)):
            edge.seconds = 0.2
            answers = await asyncio.wait_for(exchange((reader, writer), [*before, *behind], len(before)), 20)
            assert await asyncio.wait_for(reader.read(), 20) == b""
            return [status for status, _ in answers]

    assert asyncio.run(run()) == [200, 404][-len(before) :]


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [(LATEST, [200]), (UNKNOWN, [404]), (LATEST + UNKNOWN + LATEST, [200, 404, 200]), (REGISTER[:-5], [])],
)
@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_a_client_that_has_said_all_gets_its_answers_and_the_end(
    sent: bytes, statuses: list[int], seconds: float
) -> None:
    async def run() -> list[int]:
        async with connected(ServerState()) as (edge, (reader, writer)):
            edge.seconds = seconds
            writer.write(sent)
            writer.write_eof()
            answers = [await asyncio.wait_for(read_answer(reader), 20) for _ in statuses]
            assert await asyncio.wait_for(reader.read(), 20) == b""
            return [status for status, _ in answers]

    assert asyncio.run(run()) == statuses


def test_thousands_of_requests_in_one_piece_are_all_answered() -> None:
    _, answers = ask([UNKNOWN + LATEST * 5_000], 5_001)
    assert [status for status, _ in answers] == [404] + [200] * 5_000


def test_what_a_client_sends_without_reading_its_answers_waits_as_bytes_and_is_answered_in_the_end() -> None:
    async def run() -> tuple[int, list[tuple[int, bytes]]]:
        state, most, count = ServerState(), 0, 6_000
        async with connected(state) as (_, (reader, writer)):
            writer.write((UNKNOWN + LATEST) * (count // 2))
            (connection,) = state.connections
            for _ in range(200):
                await asyncio.sleep(0.005)
                most = max(most, len(connection.pipeline))
            return most, [await read_answer(reader) for _ in range(count)]

    most, answers = asyncio.run(run())
    assert most < 57
    assert [status for status, _ in answers] == [404, 200] * 3_000


@pytest.mark.parametrize("reads", [False, True])
def test_a_client_that_takes_nothing_of_its_answers_is_given_up(reads: bool) -> None:
    async def run() -> bool:
        state = ServerState()
        async with connected(state) as (_, (reader, writer)):
            (connection,) = state.connections
            await exchange((reader, writer), [LARGE], 1)
            writer.write(LATEST * 16)
            for deadline in (-inf, -inf, inf):
                await asyncio.sleep(0.2)
                connection.close_if_slow(deadline)
                if reads:
                    await reader.readexactly(4_000_000)
            await asyncio.sleep(0.01)
            return connection in state.connections

    assert asyncio.run(run()) == reads


def test_the_request_of_one_client_does_not_wait_for_thousands_of_another() -> None:
    async def run() -> int:
        state = ServerState()
        async with connected(state) as (_, (_, writer)):
            host, port = writer.get_extra_info("peername")
            other = await asyncio.open_connection(host, port)
            await exchange(other, [LATEST], 1)
            before = state.total_requests
            writer.write(LATEST * 4_000)
            other[1].write(LATEST)
            await read_answer(other[0])
            other[1].close()
            return state.total_requests - before

    assert asyncio.run(run()) < 400


def test_thousands_of_offers_in_one_piece_are_all_passed_over() -> None:
    _, answers = ask([UNKNOWN + OFFERING * 5_000], 5_001)
    assert [status for status, _ in answers] == [404] + [200] * 5_000


def test_no_body_is_read_as_a_request_because_its_head_offers_another_protocol() -> None:
    smuggled = OFFERING.replace(BODY, UNKNOWN).replace(b"length: %d" % len(BODY), b"length: %d" % len(UNKNOWN))
    _, answers = ask([smuggled + LATEST], 2)
    assert [status for status, _ in answers] == [400, 200]


@pytest.mark.parametrize("header", [b"connection: close\r\n", b"connection: keep-alive, close\r\n"])
def test_a_client_that_wants_the_connection_closed_gets_it_closed(header) -> None:
    async def run() -> bytes:
        async with connected(ServerState()) as (_, (reader, writer)):
            writer.write(LATEST[:-2] + header + b"\r\n")
            return await asyncio.wait_for(reader.read(), 10)

    assert b"connection: close" in asyncio.run(run())


def test_a_server_that_drains_ends_the_connection_with_a_kept_answer_too() -> None:
    async def run() -> bytes:
        state = ServerState()
        async with connected(state) as (_, (reader, writer)):
            state.default_headers = [*state.default_headers, CLOSE]
            writer.write(LATEST)
            return await asyncio.wait_for(reader.read(), 10)

    assert b"connection: close" in asyncio.run(run())


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("sent", [LATEST, UNKNOWN * 30, REGISTER[:-5], LARGE + LARGE[:-5], b"\0"], ids=range(5))
def test_a_connection_that_ended_leaves_nothing_to_the_collector(sent: bytes, is_reset: bool) -> None:
    async def run() -> object:
        state = ServerState()
        async with connected(state) as (_, (_, writer)):
            left = weakref.ref(*state.connections)
            writer.write(sent)
            await asyncio.sleep(0.1)
            if is_reset:
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            await asyncio.sleep(0.2)
            return left()

    assert asyncio.run(run()) is None


class Recording(asyncio.Transport):
    """The other end of a connection, as far as it shows what is written to it at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:  # type: ignore[override]  # nothing but bytes is written here
        self.written.append(data)

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


class Left(Recording):
    """The other end of a connection that was closed by the client."""

    def is_closing(self) -> bool:
        return True


def test_an_answer_to_a_client_that_left_meanwhile_is_dropped() -> None:
    async def run() -> list[bytes]:
        transport = Left()
        out = Gathering(transport, asyncio.get_running_loop())
        out.write(b"an answer")
        await asyncio.sleep(0)
        return transport.written

    assert asyncio.run(run()) == []


@pytest.mark.parametrize("request_bytes", [UNKNOWN, REGISTER, LATEST, UNKNOWN + LATEST], ids=range(4))
def test_an_answer_is_written_in_one_piece_so_that_nobody_gets_half_of_it(request_bytes) -> None:
    async def run() -> list[bytes]:
        async with connected(ServerState()) as (edge, _):
            transport = Recording()
            connection = Connection(
                uvicorn.Config(edge, ws="none", log_config=None, proxy_headers=False), ServerState(), {}
            )
            connection.connection_made(transport)
            connection.data_received(request_bytes)
            await asyncio.sleep(0.2)
            return transport.written

    written = asyncio.run(run())
    assert b"".join(written).count(b"HTTP/1.1 ") == request_bytes.count(b" HTTP/1.1")
    assert all(piece.startswith(b"HTTP/1.1 ") for piece in written)
