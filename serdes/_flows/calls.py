"""One call to the registry, whatever it takes: retries, several URLs, the deadline, circuit breakers.

Refuses to know caches and what is asked.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

from serdes._auth import Credentials
from serdes._effects import Flow, Pause, Send
from serdes._requests import Answer, Request, read_answer
from serdes._stats import Stats
from serdes.errors import RegistryUnavailable
from serdes.settings import ClientSettings

R = TypeVar("R")

_BREAKER_MAX_SECONDS = 30.0
# What tells that the registry is not there, other than a 500, which may be about this one request.
_ABSENT = frozenset({0, 502, 503, 504})


class Breaker:
    """Whether a registry URL is worth a call: after a failure not for 1 s, then 2, 4 ... 30; one probe at a time."""

    def __init__(self) -> None:
        self._failures = 0
        self._closed_until = 0.0
        self._probing = False

    def admits(self, now: float, probe_seconds: float) -> bool:
        """Whether to call now; the first call after a pause keeps all others away for `probe_seconds`."""
        if self._failures and now < self._closed_until:
            return False
        if self._failures:
            self._closed_until = now + probe_seconds
            self._probing = True
        return True

    def left(self, now: float) -> None:
        """The call is over. If it was a probe and told nothing of this URL, the next call is one."""
        if self._probing:
            self._probing, self._closed_until = False, now

    def failed(self, now: float) -> None:
        """No registry was found."""
        self._failures += 1
        self._probing = False
        self._closed_until = now + min(2.0 ** (self._failures - 1), _BREAKER_MAX_SECONDS)

    def succeeded(self) -> None:
        """The registry answered."""
        self._failures = 0
        self._probing = False


class Calls:
    """Makes calls, all under the same settings."""

    def __init__(self, settings: ClientSettings, stats: Stats, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._stats = stats
        self._clock = clock
        self._credentials = Credentials(settings, clock)
        self._breakers = {url: Breaker() for url in settings.urls}
        self._last_failure = ""

    def headers(self) -> Flow[dict[str, str]]:
        """The headers that say who is asking."""
        return self._credentials.headers()

    def call(self, request: Request[R]) -> Flow[R]:
        """What the registry answers.

        Raises RegistryUnavailable when no attempt brought an answer, RegistryError when the answer refuses.
        """
        started = self._clock()
        deadline = started + self._settings.deadline_seconds
        admitted = [url for url, breaker in self._breakers.items() if breaker.admits(started, deadline - started)]
        if not admitted:
            raise RegistryUnavailable(f"{self._last_failure}; not asked again yet, since that was a moment ago")
        try:
            return (yield from self._attempts(admitted, request, deadline))
        finally:
            # A URL behind the one that answered was not asked, nor was any if the caller went away or had no token.
            for url in admitted:
                self._breakers[url].left(self._clock())

    def _attempts(self, admitted: list[str], request: Request[R], deadline: float) -> Flow[R]:
        """Every attempt asks each URL once; waiting is for when none of them answers."""
        for attempt in range(self._settings.max_retries + 1):
            try:
                answer = yield from self._ask_each(admitted, request, deadline)
            except RegistryUnavailable as error:
                pause = max(self._pause_seconds(attempt), error.retry_after_seconds)
                if attempt == self._settings.max_retries or self._clock() + pause >= deadline:
                    self._give_up(admitted, error)
                    raise
                self._stats.count("retries", reason=type(error).__name__)
            else:
                return read_answer(request, answer)
            yield Pause(pause)
        raise AssertionError  # the last attempt returns or raises

    def _ask_each(self, urls: list[str], request: Request[Any], deadline: float) -> Flow[Answer]:
        """One round: the URLs in order, until one answers."""
        failure = RegistryUnavailable("the deadline left no time for an attempt")
        for url in urls:
            left = deadline - self._clock()
            if left <= 0:
                break
            try:
                answer = yield from self._send(url, request, left)
            except RegistryUnavailable as error:
                failure = error
            else:
                self._breakers[url].succeeded()
                return answer
        raise failure

    def _send(self, url: str, request: Request[Any], left_seconds: float) -> Flow[Answer]:
        """One attempt at one URL. Raises RegistryUnavailable, also for an answer that says to try again."""
        headers = request.headers | (yield from self.headers())
        timeout = min(left_seconds, self._settings.timeout_seconds or left_seconds)
        started, status = self._clock(), "none"
        try:
            answer: Answer = yield Send(url, request, headers, timeout)
            status = str(answer.status)
        finally:
            self._stats.count("registry_calls", op=request.operation, status=status)
            self._stats.count("registry_seconds", self._clock() - started)
        if answer.retriable:
            read_answer(request, answer)
        return answer

    def _give_up(self, urls: list[str], error: RegistryUnavailable) -> None:
        """Let the breakers know; an answer that only this request got keeps the URL open for others."""
        self._last_failure = error.error_message
        for url in urls:
            # A 500 may be about this one request; a breaker that opened for it would keep all others away.
            if error.http_status_code in _ABSENT:
                self._breakers[url].failed(self._clock())
            else:
                self._breakers[url].succeeded()

    def _pause_seconds(self, attempt: int) -> float:
        most = min(self._settings.retries_wait_ms * 2.0**attempt, self._settings.retries_max_wait_ms)
        # Full jitter: a fleet that failed together must not come back together.
        return random.random() * most / 1000  # noqa: S311 - jitter, not a secret
