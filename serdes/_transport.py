"""HTTP, through httpx: the one place where its exceptions become ours.

Loaded by name on the first call, since importing httpx costs more than all the rest of the package.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import aclosing, closing, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx

from serdes._requests import Answer, Request
from serdes.errors import AnswerMalformed, RegistryTimedOut, RegistryUnavailable, SettingInvalid, refusal
from serdes.settings import ClientSettings

# Of a SOCKS proxy it would write the password down, at DEBUG.
logging.getLogger("httpcore.socks").setLevel(logging.INFO)

_EVENTS = {"Accept": "text/event-stream"}
_SILENCE_SECONDS = 60.0
# All schemas of a registry at once are less, and nobody asks for them.
_MOST_BYTES = 64 << 20

# What the words of OpenSSL and h11 mean to who has written a configuration.
_HINTS = {
    "illegal request line": "; is it https:// that is spoken there?",
    "WRONG_VERSION_NUMBER": "; is it http:// that is spoken there?",
    "CERTIFICATE_VERIFY_FAILED": "; ssl.ca.location tells whom to trust",
}


class HttpTransport:
    """Sends requests and waits for whole answers, never longer than told."""

    def __init__(self, settings: ClientSettings) -> None:
        with _usable_proxy():
            self._client = httpx.Client(proxy=settings.proxy, verify=_trust(settings))

    def send(self, url: str, request: Request[Any], headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        """One exchange.

        httpx bounds each wait for bytes, but neither name resolution nor a server that dribbles; so the exchange runs
        in a thread of its own, and the caller leaves at the deadline whatever the thread does.
        Raises RegistryUnavailable.
        """
        outcome: Future[Answer] = Future()
        # Made here: what cannot be sent at all is the caller's to hear of, and not a thread's to die of.
        built = _built(self._client, url, request, headers, timeout_seconds)
        arguments = (outcome, url, built, timeout_seconds)
        # A daemon: an exchange that hangs must not keep the program from ending.
        Thread(target=self._exchange, args=arguments, name="serdes-call", daemon=True).start()
        try:
            return outcome.result(timeout_seconds)
        except TimeoutError:
            raise _timed_out(url, timeout_seconds) from None

    def _exchange(self, outcome: Future[Answer], url: str, built: httpx.Request, timeout_seconds: float) -> None:
        try:
            response = self._client.send(built, stream=True)
            with closing(response):
                body = _Body(response)
                for part in response.iter_bytes():
                    body.add(part)
            outcome.set_result(body.answer())
        except httpx.TimeoutException:
            outcome.set_exception(_timed_out(url, timeout_seconds))
        except AnswerMalformed as error:
            outcome.set_exception(error)
        except Exception as error:  # noqa: BLE001 - what this thread dies of, its caller would take for a slow registry
            outcome.set_exception(_unreachable(url, error))

    def lines(self, url: str, path: str, headers: Mapping[str, str]) -> Iterator[str]:
        """The lines of an event stream. Raises RegistryError."""
        try:
            # Signet sends a comment every 15 s, so a stream that is silent for a minute is a dead connection.
            timeout = httpx.Timeout(_SILENCE_SECONDS)
            with self._client.stream("GET", url + path, headers={**headers, **_EVENTS}, timeout=timeout) as response:
                _check_stream(response)
                yield ""  # the stream is open
                yield from response.iter_lines()
        except (httpx.HTTPError, RuntimeError) as error:
            raise _unreachable(url, error) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class AsyncHttpTransport:
    """The same for asyncio."""

    def __init__(self, settings: ClientSettings) -> None:
        with _usable_proxy():
            self._client = httpx.AsyncClient(proxy=settings.proxy, verify=_trust(settings))

    async def send(self, url: str, request: Request[Any], headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        """One exchange. Raises RegistryUnavailable."""
        built = _built(self._client, url, request, headers, timeout_seconds)
        try:
            async with asyncio.timeout(timeout_seconds):
                response = await self._client.send(built, stream=True)
                async with aclosing(response):
                    body = _Body(response)
                    async for part in response.aiter_bytes():
                        body.add(part)
        except (TimeoutError, httpx.TimeoutException):
            raise _timed_out(url, timeout_seconds) from None
        except (httpx.HTTPError, OSError) as error:
            raise _unreachable(url, error) from error
        return body.answer()

    async def lines(self, url: str, path: str, headers: Mapping[str, str]) -> AsyncIterator[str]:
        """The lines of an event stream. Raises RegistryError."""
        try:
            timeout = httpx.Timeout(_SILENCE_SECONDS)
            streaming = self._client.stream("GET", url + path, headers={**headers, **_EVENTS}, timeout=timeout)
            async with streaming as response:
                _check_stream(response)
                yield ""  # the stream is open
                async for line in response.aiter_lines():
                    yield line
        except (httpx.HTTPError, RuntimeError) as error:
            raise _unreachable(url, error) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class _Body:
    """The body of an answer while it comes, which must not fill the memory: a small one may unpack to anything."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._parts: list[bytes] = []
        self._room_bytes = _MOST_BYTES

    def add(self, part: bytes) -> None:
        """Take what has come. Raises AnswerMalformed when that is more than any registry answers."""
        self._room_bytes -= len(part)
        if self._room_bytes < 0:
            reason = f"the registry answers with more than {_MOST_BYTES >> 20} MiB"
            raise AnswerMalformed(self._response.status_code, reason)
        self._parts.append(part)

    def answer(self) -> Answer:
        """The whole answer."""
        return Answer(self._response.status_code, dict(self._response.headers), b"".join(self._parts))


@contextmanager
def _usable_proxy() -> Iterator[None]:
    """Inside, what is wrong with a proxy, of the settings or of the environment, becomes a SettingInvalid."""
    try:
        yield
    except SettingInvalid:
        raise
    except (ImportError, ValueError) as error:
        raise SettingInvalid(f"the proxy cannot be used: {error}") from error
    except httpx.InvalidURL:
        # Without the reason, which may repeat a part of the password.
        raise SettingInvalid("the proxy cannot be used: what the settings or the environment say is no URL") from None


def _built(
    client: httpx.Client | httpx.AsyncClient,
    url: str,
    request: Request[Any],
    headers: Mapping[str, str],
    timeout_seconds: float,
) -> httpx.Request:
    """The request as httpx sends it. Raises SettingInvalid for a URL or a header that no request can have."""
    for name, value in headers.items():
        # Not shown: httpx would, and what cannot be sent is mostly a token that was read together with its line end.
        if not (value.isascii() and value.isprintable() and value == value.strip()):
            raise SettingInvalid(
                f"the header {name} cannot be sent: credentials must be printable ASCII, without a space or a line end "
                "around them"
            )
    try:
        return client.build_request(
            request.method,
            url + request.path,
            params=list(request.query) or None,
            headers=dict(headers),
            content=request.content,
            timeout=timeout_seconds,
        )
    except (httpx.InvalidURL, UnicodeError) as error:
        raise SettingInvalid(f"no request to {url} can be made of the settings: {error}") from error


def _check_stream(response: httpx.Response) -> None:
    status = response.status_code
    if status >= 500:
        raise RegistryUnavailable("the event stream failed", status)
    if status != 200 or not response.headers.get("content-type", "").startswith("text/event-stream"):
        raise refusal(status, -1, "no event stream is offered")


def _timed_out(url: str, timeout_seconds: float) -> RegistryTimedOut:
    return RegistryTimedOut(f"{url} gave no whole answer within {timeout_seconds:.1f} s")


def _unreachable(url: str, error: Exception) -> RegistryUnavailable:
    reason = str(error) or type(error).__name__
    hint = next((hint for word, hint in _HINTS.items() if word in reason), "")
    return RegistryUnavailable(f"{url} cannot be reached: {reason}{hint}")


def _trust(settings: ClientSettings) -> ssl.SSLContext | bool:
    """Whom to trust, and who we are. Raises SettingInvalid when a file cannot be used."""
    location = settings.ca_location
    if location is None and settings.certificate_location is None:
        # Reading the CA bundle takes 20 ms, which a registry without TLS need not cost.
        return settings.proxy is not None or any(url.startswith("https://") for url in settings.urls)
    with _usable_files("ssl.ca.location"):
        where = location if isinstance(location, str) else None
        folder = where is not None and Path(where).is_dir()
        context = ssl.create_default_context(cafile=None if folder else where, capath=where if folder else None)
    if location is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.certificate_location is not None:
        with _usable_files("ssl.certificate.location with ssl.key.location"):
            context.load_cert_chain(settings.certificate_location, settings.key_location, settings.key_password)
    return context


@contextmanager
def _usable_files(keys: str) -> Iterator[None]:
    """Say of which settings the files are that cannot be used. Raises SettingInvalid."""
    try:
        yield
    except OSError as error:
        raise SettingInvalid(f"{keys} cannot be used: {error}") from error
