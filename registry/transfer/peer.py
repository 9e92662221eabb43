"""A running registry that is asked over HTTP; GET is the whole vocabulary.

Owns credentials, patience and the sentences for what goes wrong; refuses to know what the answers mean. No sentence
holds a password.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, TypeVar

import httpx

from registry.errors import SourceUnreadable

Item = TypeVar("Item")
T = TypeVar("T")

AT_ONCE: Final = 16
"""How many things are asked for side by side."""

PAUSES_SECONDS: Final = (0.5, 1.0, 2.0)
"""How long to wait before a request is sent again."""

TIMEOUT_SECONDS: Final = 60.0
UNREADABLE: Final = (
    "The URL of the registry cannot be read as http://NAME:PASSWORD@HOST:PORT;"
    " characters like @ : / in the password are written as %40 %3A %2F"
)
MAX_PORT: Final = 65_535
ABSENT: Final = frozenset({404, 405})
BUSY: Final = frozenset({429, 502, 503, 504})
NAMELESS: Final = "a name and a password go into the URL: http://NAME:PASSWORD@HOST:PORT"
REFUSED: Final = {
    401: "the name or the password in the URL is wrong",
    403: "the user must be one who may read everything",
}
"""What to do about a refusal of somebody who told a name."""


@asynccontextmanager
async def opened(url: str, transport: httpx.AsyncBaseTransport | None = None) -> AsyncIterator[Peer]:
    """The registry at a URL, which may hold a name and a password.

    Raises SourceUnreadable when the URL cannot be read.
    """
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        raise SourceUnreadable(UNREADABLE) from None
    # What stands behind the host may be the rest of a password; of a port too high the system says no word.
    if b"@" in address.raw_path or "@" in address.fragment or (address.port or 0) > MAX_PORT:
        raise SourceUnreadable(UNREADABLE)
    if not address.host:
        raise SourceUnreadable("The URL of the registry names no host; it is written http://HOST:PORT")
    # From here on the password is in the client only, where no error message can find it.
    place = address.copy_with(userinfo=b"", query=None, fragment=None)
    async with AsyncExitStack() as clients:
        trust = _trusted()
        made = [
            await clients.enter_async_context(
                httpx.AsyncClient(
                    base_url=place,
                    auth=httpx.BasicAuth(address.username, address.password) if address.userinfo else None,
                    transport=transport,
                    timeout=TIMEOUT_SECONDS,
                    verify=trust,
                    follow_redirects=True,
                    headers={"Accept": "application/vnd.schemaregistry.v1+json, application/json"},
                )
            )
            for _ in range(AT_ONCE)
        ]
        yield Peer(made, str(place).rstrip("/"), named=bool(address.userinfo))


class Peer:
    """A registry that answers GET requests, of which several may be under way."""

    def __init__(self, clients: list[httpx.AsyncClient], place: str, *, named: bool) -> None:
        """named: whether the clients tell a name and a password."""
        self.place = place
        self._named = named
        # One for each request under way: with a pool that they share, each request looks through all its connections.
        self._clients = clients

    async def get(self, path: str, **query: str | int) -> Any:
        """The JSON that a path answers, None when there is no such thing.

        Raises SourceUnreadable when there is no usable answer, however often it is asked.
        """
        answer = await self._ask(path, query)
        if answer.status_code in ABSENT:
            return None
        if answer.status_code in REFUSED:
            hint = REFUSED[answer.status_code] if self._named else NAMELESS
            raise SourceUnreadable(f"{self.place} answers {answer.status_code} {answer.reason_phrase}; {hint}")
        if not answer.is_success:
            raise SourceUnreadable(f"{self.place} answers {answer.status_code} to GET {path}: {answer.text[:200]}")
        try:
            return answer.json()
        except ValueError:
            raise SourceUnreadable(f"{self.place} is no schema registry: what GET {path} answers is not JSON") from None

    async def each(self, work: Callable[[Item], Awaitable[T]], items: Iterable[Item]) -> AsyncIterator[T]:
        """What some work comes to for each of many items, in their order; it is done for some of them side by side."""
        under_way: deque[asyncio.Future[T]] = deque()
        try:
            for item in items:
                if len(under_way) == AT_ONCE:
                    yield await under_way.popleft()
                under_way.append(asyncio.ensure_future(work(item)))
            while under_way:
                yield await under_way.popleft()
        finally:
            for future in under_way:
                future.cancel()

    async def _ask(self, path: str, query: dict[str, str | int]) -> httpx.Response:
        client = self._clients.pop()
        try:
            return await self._insist(client, path, query)
        finally:
            self._clients.append(client)

    async def _insist(self, client: httpx.AsyncClient, path: str, query: dict[str, str | int]) -> httpx.Response:
        for pause_seconds in (*PAUSES_SECONDS, None):
            try:
                answer = await client.get(path, params=query)
            except httpx.HTTPError as error:
                if pause_seconds is None:
                    raise SourceUnreadable(f"{self.place} cannot be reached: {_reason(error)}") from error
            else:
                if answer.status_code not in BUSY or pause_seconds is None:
                    return answer
            await asyncio.sleep(pause_seconds)
        raise AssertionError("the last try returns or raises")


def _trusted() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise SourceUnreadable(
            f"The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read: {error.strerror}"
        ) from error


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
