"""A call to the registry as a value, and what its answer means.

Owns media types, query options and the reading of refusals; refuses to know sockets, retries and caches.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode, urlsplit

from serdes.errors import (
    AnswerMalformed,
    RegistryError,
    RegistryFailed,
    RegistryRedirected,
    refusal,
)

R = TypeVar("R")

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
RETRIABLE = frozenset({408, 429, 500, 502, 503, 504})
_ACCEPT = f"{MEDIA_TYPE}, application/vnd.schemaregistry+json, application/json"
# Nothing there, a question that is not known, a name that is refused.
_ABSENT = frozenset({404, 405, 422})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What reading an answer raises that is no JSON, or JSON of another shape, or nested without end.
_NONSENSE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


class Request(NamedTuple, Generic[R]):
    """One call.

    read: turns the JSON of a good answer into what the caller wants. absent: what the caller wants where the registry
    has no such thing, or does not know the question; None where that is an error.
    """

    method: str
    path: str
    read: Callable[[Any], R]
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    operation: str = ""
    absent: Callable[[], R] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What the registry needs to know about the body, and the media types that are understood."""
        if self.form is not None:
            return {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        return {"Accept": _ACCEPT} | ({} if self.body is None else {"Content-Type": MEDIA_TYPE})

    @property
    def content(self) -> bytes | None:
        """The body as bytes."""
        if self.form is not None:
            return urlencode(self.form).encode()
        return None if self.body is None else json.dumps(self.body).encode()


class Answer(NamedTuple):
    """What came back: status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""

    @property
    def retriable(self) -> bool:
        """Whether the registry says that trying again may help."""
        return self.status in RETRIABLE


def read_answer(request: Request[R], answer: Answer) -> R:
    """What the answer means for this request.

    Raises RegistryError: the leaf says what kind of refusal, failure or nonsense it is.
    """
    if answer.status in _ABSENT and request.absent is not None:
        return request.absent()
    if answer.status in _REDIRECTS:
        raise RegistryRedirected(answer.status, _place(answer.headers.get("location", "")))
    if not 200 <= answer.status < 300:
        raise _refused(answer)
    try:
        return request.read(None if answer.status == 204 or not answer.body else json.loads(answer.body))
    except _NONSENSE as error:
        kind = answer.headers.get("content-type", "no media type")
        raise AnswerMalformed(
            answer.status, f"{request.method} {request.path} got an answer of {kind} that cannot be read: {error!r}"
        ) from error


def _place(location: str) -> str:
    """Where a redirect leads, without what may be secret there: a password, the query of a login page."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "a place that cannot be read"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _refused(answer: Answer) -> RegistryError:
    code, message = -1, answer.body[:200].decode("utf-8", "replace").strip() or "no message"
    try:
        told = json.loads(answer.body)
        code, message = int(told["error_code"]), str(told.get("message") or "no message")
    except _NONSENSE:
        pass  # a proxy's page: its first words are the best message there is
    if answer.retriable:
        seconds = retry_after_seconds(answer.headers)
        return RegistryFailed(f"the registry failed: {message}", answer.status, code, seconds)
    if answer.status == 404 and code in (-1, 404):
        # Not the registry's word for what it does not have: the path is another one there, or it is another server.
        message += ": is `url` right?"
    return refusal(answer.status, code, message)


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """How long an answer asks to wait (RFC 9110, 10.2.3): a number of seconds, or a moment; 0 where it does not."""
    wait = headers.get("retry-after", "")
    if wait.isdecimal():
        return float(wait)
    # By name, as it takes long to import and hardly any answer needs it.
    moment = import_module("email.utils").parsedate_to_datetime
    try:
        # Both by the clock of whoever answered: ours may be wrong.
        left: float = (moment(wait) - moment(headers.get("date", ""))).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(left, 0.0)


def query(**options: object) -> tuple[tuple[str, str], ...]:
    """Query options in order; absent and false ones are left out, lists are repeated."""
    return tuple(
        (name, "true" if value is True else str(value))
        for name, option in options.items()
        for value in (option if isinstance(option, (list, tuple)) else [option])
        if value is not None and value is not False
    )
