"""What only a real socket shows: raw paths, bodies in pieces, clients that behave badly."""

import json
import resource
import socket
import time
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import httpx
import pytest

BODY = json.dumps({"schema": '"string"'}).encode()


def connected(url: str) -> socket.socket:
    place = urlsplit(url)
    return socket.create_connection((place.hostname, place.port), timeout=10)


def exchange(url: str, request: bytes) -> tuple[int, dict]:
    """Send bytes as they are; the status and the JSON body of the one answer."""
    with closing(connected(url)) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body) if body.startswith(b"{") else {}


def post(path: bytes, *headers: bytes, body: bytes = BODY) -> bytes:
    lines = [b"POST " + path + b" HTTP/1.1", b"Host: registry", b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def sized(body: bytes = BODY) -> bytes:
    return b"Content-Length: %d" % len(body)


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        (b"/subjects/a%2Fb/versions", "a/b"),
        (b"/subjects/a+b/versions", "a+b"),
        (b"/subjects/a%2bb/versions/", "a+b"),
        (b"/subjects/%252F/versions", "%2F"),
        (b"/contexts/:.c:/subjects/a%2Fb/versions", ":.c:a/b"),
        (b"http://registry/subjects/absolute/versions", "absolute"),
        (b"/subjects/./versions", "."),
        (b"/subjects/../versions", ".."),
    ],
)
def test_a_path_is_taken_as_it_was_sent(registry_url, path, subject) -> None:
    status, _ = exchange(registry_url, post(path, sized()))
    assert status == 200
    assert subject in httpx.get(f"{registry_url}/subjects").json()


def test_a_body_in_pieces_is_put_together(registry_url) -> None:
    chunks = b"".join(b"1\r\n" + BODY[place : place + 1] + b"\r\n" for place in range(len(BODY))) + b"0\r\n\r\n"
    request = post(b"/subjects/chunked/versions", b"Transfer-Encoding: chunked", body=chunks)
    assert exchange(registry_url, request)[0] == 200


def test_a_declared_body_over_the_limit_is_refused_before_it_is_sent(registry_url) -> None:
    started = time.monotonic()
    status, answer = exchange(registry_url, post(b"/subjects/s/versions", b"Content-Length: 1048577", body=b""))
    assert (status, answer["error_code"]) == (413, 413)
    assert time.monotonic() - started < 5


def test_an_endless_body_is_refused_at_the_limit(registry_url) -> None:
    with closing(connected(registry_url)) as connection:
        connection.sendall(post(b"/subjects/s/versions", b"Transfer-Encoding: chunked", body=b""))
        with pytest.raises(ConnectionError):
            connection.sendall(b"".join([b"10000\r\n" + b" " * 0x10000 + b"\r\n"] * 1000))


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\n",
        b"POST /subjects/s/versions HTTP/1.1\r\nHost: r\r\nContent-Length: 50\r\n\r\n{",
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/1.1\r\nHost: r\r\n\r\nrubbish" * 9,
    ],
    ids=["half a head", "half a body", "a TLS hello", "pipelined garbage"],
)
def test_a_client_that_behaves_badly_does_not_disturb_others(registry_url, request_bytes) -> None:
    with closing(connected(registry_url)) as connection:
        connection.sendall(request_bytes)
        assert httpx.get(f"{registry_url}/", timeout=5).json() == {}


def test_a_client_that_vanishes_in_its_body_leaves_nothing(registry_url) -> None:
    with closing(connected(registry_url)) as connection:
        connection.sendall(post(b"/subjects/vanished/versions", sized())[:-5])
    time.sleep(0.2)
    assert "vanished" not in httpx.get(f"{registry_url}/subjects").json()


def test_an_endless_head_is_refused(registry_url) -> None:
    with closing(connected(registry_url)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Endless: ")
        with pytest.raises(ConnectionError):
            connection.sendall(b"a" * 2**26)


LAST_CHUNK = b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)


def test_what_follows_a_body_in_chunks_is_bounded_as_a_head_is(registry_url) -> None:
    with closing(connected(registry_url)) as connection:
        connection.sendall(post(b"/subjects/s/versions", b"Transfer-Encoding: chunked", body=LAST_CHUNK))
        with pytest.raises(ConnectionError):
            connection.sendall((b"X-More: " + b"a" * 1000 + b"\r\n") * 2**16)


def test_what_follows_a_body_in_chunks_is_no_header_of_the_request(registry_url) -> None:
    body = LAST_CHUNK + b"Accept: text/html\r\nContent-Type: text/html\r\n\r\n"
    request = post(b"/subjects/trailers/versions", b"Transfer-Encoding: chunked", body=body)
    assert exchange(registry_url, request)[0] == 200


def test_a_large_head_is_read_up_to_the_limit(registry_url) -> None:
    head = b"GET / HTTP/1.1\r\nHost: r\r\nConnection: close\r\nX-Large: %s\r\n\r\n" % (b"a" * 60_000)
    assert exchange(registry_url, head) == (200, {})


@pytest.mark.parametrize("begun", [b"", b"GET / HT", post(b"/subjects/slow", sized())[:-5]])
def test_a_request_that_takes_too_long_to_come_is_given_up(start_registry, begun) -> None:
    running = start_registry(request_seconds=1)
    with closing(connected(running.url)) as connection:
        connection.sendall(begun)
        assert connection.recv(100) == b""
    assert httpx.get(f"{running.url}/").json() == {}


def test_a_stream_lasts_longer_than_a_request_may_take_to_come(start_registry) -> None:
    running = start_registry(request_seconds=1)
    with httpx.stream("GET", f"{running.url}/signet/v1/events", timeout=10) as events:
        time.sleep(2.5)
        httpx.put(f"{running.url}/mode", json={"mode": "READONLY"})
        assert next(events.iter_lines()) == "event: signet.mode.set"


@pytest.fixture
def ten_thousand_files():
    """Lets this process have so many open, and the servers that it starts the usual 1024 at first."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < 11_000:
        pytest.skip(f"this process may have {most} files open at most")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, most))
    yield lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def test_ten_thousand_idle_connections_do_not_disturb_others(ten_thousand_files, start_registry) -> None:
    url = start_registry().url
    ten_thousand_files()
    with ExitStack() as idle:
        for _ in range(10_000):
            idle.enter_context(closing(connected(url)))
        assert httpx.get(f"{url}/", timeout=5).json() == {}
