"""What each question to the registry does, cache first, as generators: no socket, no thread, no event loop.

A flow yields effects and is sent their results; the two clients in `_clients` drive the same flows. Owns the order
of caches, retries, the deadline and the circuit breakers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from serdes import _requests
from serdes._cache.memory import Kept, Key, Memory
from serdes._requests import Answer, Request
from serdes._stats import Stats
from serdes.errors import IncompatibleSchema, InvalidSchema, RegistryError, RegistryUnavailable
from serdes.schema import Association, RegisteredSchema, Schema
from serdes.settings import ClientSettings

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request to a registry and wait at most so long. Result: Answer. Raises RegistryUnavailable."""

    url: str
    request: Request[Any]
    headers: Mapping[str, str]
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Share:
    """Run a flow once for all who ask for the same key now. Result: the flow's, or its exception."""

    key: Hashable
    flow: Callable[[], Flow[Any]]


@dataclass(frozen=True, slots=True)
class Later:
    """Run a flow in the background, unless one with this key is on its way. Its errors go nowhere."""

    key: Hashable
    flow: Callable[[], Flow[Any]]


Effect = Send | Pause | Share | Later
Flow = Generator[Effect, Any, R]

_REFRESH_AHEAD = 0.8
_CONFLICT_SECONDS = 60.0
_BREAKER_MAX_SECONDS = 30.0


class Breaker:
    """Whether one registry URL is worth a call: after a failure, not for 1 s, then 2, 4 ... 30; one probe at a time."""

    def __init__(self) -> None:
        self._failures = 0
        self._closed_until = 0.0

    def admits(self, now: float, probe_seconds: float) -> bool:
        """Whether to call now; a call after a pause is the only one for `probe_seconds`."""
        if self._failures and now < self._closed_until:
            return False
        if self._failures:
            self._closed_until = now + probe_seconds
        return True

    def failed(self, now: float) -> None:
        """The call found no registry."""
        self._failures += 1
        self._closed_until = now + min(2.0 ** (self._failures - 1), _BREAKER_MAX_SECONDS)

    def succeeded(self) -> None:
        """The registry answered."""
        self._failures = 0


class Flows:
    """The questions, each a method that returns a flow."""

    def __init__(self, settings: ClientSettings, memory: Memory, stats: Stats, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._memory = memory
        self._stats = stats
        self._clock = clock
        self._breakers = {url: Breaker() for url in settings.urls}

    def register(self, subject: str, schema: Schema, normalize: bool) -> Flow[RegisteredSchema]:
        """Register a schema under a subject, once."""
        key = Key("registered", subject, (schema, normalize))
        found = yield from self._lasting(key, _requests.register(subject, schema, normalize))
        self._learn_id(subject, found)
        return found

    def lookup(
        self, subject: str, schema: Schema, normalize: bool, deleted: bool, fmt: str | None
    ) -> Flow[RegisteredSchema]:
        """The version of a subject that a schema has."""
        key = Key("looked up", subject, (schema, normalize, deleted, fmt))
        found = yield from self._lasting(key, _requests.lookup(subject, schema, normalize, deleted, fmt))
        self._learn_id(subject, found)
        return found

    def schema_by_id(
        self, schema_id: int, subject: str | None, fmt: str | None, reference_format: str | None
    ) -> Flow[RegisteredSchema]:
        """What an id means."""
        key = Key("id", subject, (schema_id, fmt, reference_format))
        return (yield from self._lasting(key, _requests.schema_by_id(schema_id, subject, fmt, reference_format)))

    def schema_by_guid(self, guid: str, fmt: str | None) -> Flow[RegisteredSchema]:
        """What a GUID means."""
        return (yield from self._lasting(Key("guid", None, (guid, fmt)), _requests.schema_by_guid(guid, fmt)))

    def version(self, subject: str, number: int | str, deleted: bool, fmt: str | None) -> Flow[RegisteredSchema]:
        """A version of a subject."""
        key = Key("version", subject, (number, deleted, fmt))
        return (yield from self._changing(key, _requests.version(subject, number, deleted, fmt)))

    def reference(self, subject: str, number: int) -> Flow[RegisteredSchema]:
        """A version that a schema refers to: what it means is settled with that schema."""
        key = Key("reference", subject, number)
        return (yield from self._lasting(key, _requests.version(subject, number, deleted=True)))

    def latest_with_metadata(
        self, subject: str, metadata: Mapping[str, str], deleted: bool, fmt: str | None
    ) -> Flow[RegisteredSchema]:
        """The latest version whose metadata has these pairs."""
        key = Key("latest with metadata", subject, (frozenset(metadata.items()), deleted, fmt))
        return (yield from self._changing(key, _requests.latest_with_metadata(subject, metadata, deleted, fmt)))

    def associations(
        self,
        name: str,
        namespace: str,
        resource_type: str | None,
        association_types: tuple[str, ...],
        lifecycle: str | None,
        offset: int,
        limit: int,
    ) -> Flow[list[Association]]:
        """The subjects that a Kafka resource is bound to; a registry that knows none answers with an empty list."""
        request = _requests.associations(name, namespace, resource_type, association_types, lifecycle, offset, limit)
        key = Key("associations", None, (name, namespace, resource_type, association_types, lifecycle, offset, limit))
        return (yield from self._changing(key, request))

    def call(self, request: Request[R]) -> Flow[R]:
        """Ask the registry, remembering nothing: retries, the deadline and the breakers hold.

        Raises RegistryUnavailable when no attempt brought an answer, RegistryError when the answer refuses.
        """
        deadline = self._clock() + self._settings.deadline_seconds
        for attempt in range(self._settings.max_retries + 1):
            try:
                answer = yield from self._ask_each_url(request, deadline)
            except RegistryUnavailable as error:
                pause = self._pause_seconds(attempt)
                if attempt == self._settings.max_retries or self._clock() + pause >= deadline:
                    raise
                self._stats.count("retries", reason=type(error).__name__)
            else:
                return _requests.read_answer(request, answer)
            yield Pause(pause)
        raise AssertionError  # the last attempt returns or raises

    def _ask_each_url(self, request: Request[Any], deadline: float) -> Flow[Answer]:
        failure = RegistryUnavailable("the registry failed a moment ago and is not asked again yet")
        for url, breaker in self._breakers.items():
            left = deadline - self._clock()
            if left <= 0 or not breaker.admits(self._clock(), left):
                continue
            try:
                answer = yield from self._send(url, request, left)
            except RegistryUnavailable as error:
                breaker.failed(self._clock())
                failure = error
            else:
                breaker.succeeded()
                return answer
        raise failure

    def _send(self, url: str, request: Request[Any], left_seconds: float) -> Flow[Answer]:
        """One attempt at one URL. Raises RegistryUnavailable, also for an answer that says to try again."""
        started = self._clock()
        timeout = min(left_seconds, self._settings.timeout_seconds or left_seconds)
        status = "none"
        try:
            answer: Answer = yield Send(url, request, request.headers, timeout)
            status = str(answer.status)
        finally:
            self._stats.count("registry_calls", op=request.operation, status=status)
            self._stats.count("registry_seconds", self._clock() - started)
        if answer.retriable:
            _requests.read_answer(request, answer)
        return answer

    def _pause_seconds(self, attempt: int) -> float:
        most = min(self._settings.retries_wait_ms * 2.0**attempt, self._settings.retries_max_wait_ms)
        return random.random() * most / 1000  # noqa: S311 - jitter, not a secret

    def _lasting(self, key: Key, request: Request[R]) -> Flow[R]:
        found: R | None = self._memory.lasting(key)
        if found is not None:
            self._stats.count("hits", layer="memory")
            return found
        shared: R = yield Share(key, lambda: self._fetch_lasting(key, request))
        return shared

    def _fetch_lasting(self, key: Key, request: Request[R]) -> Flow[R]:
        # Whoever had the flight before may have landed between the look into memory and this flight.
        found: R | None = self._memory.lasting(key)
        if found is None:
            found = yield from self._fetch(key, request)
            self._memory.keep_lasting(key, found)
        return found

    def _fetch(self, key: Key, request: Request[R]) -> Flow[R]:
        self._memory.raise_refusal(key)
        self._stats.count("misses")
        try:
            return (yield from self.call(request))
        except RegistryError as error:
            seconds = self._refusal_seconds(error)
            if seconds:
                self._memory.keep_refusal(key, error, seconds)
            raise

    def _refusal_seconds(self, error: RegistryError) -> float:
        if isinstance(error, (IncompatibleSchema, InvalidSchema)):
            return _CONFLICT_SECONDS
        return self._settings.negative_ttl_seconds if error.http_status_code == 404 else 0.0

    def _changing(self, key: Key, request: Request[R]) -> Flow[R]:
        kept = self._memory.changing(key)
        if kept is not None:
            age, ttl = self._clock() - kept.since, self._settings.latest_ttl_seconds
            if ttl is None or age < ttl * _REFRESH_AHEAD:
                self._stats.count("hits", layer="memory")
                return kept.answer  # type: ignore[no-any-return]  # the key tells the type
            if age < ttl or (kept.refresh_failed and age < ttl + self._settings.stale_seconds):
                self._stats.count("hits" if age < ttl else "stale_served", layer="memory")
                yield Later(key, lambda: self._refresh(key, request))
                return kept.answer  # type: ignore[no-any-return]  # the key tells the type
        shared: R = yield Share(key, lambda: self._refresh(key, request))
        return shared

    def _refresh(self, key: Key, request: Request[R]) -> Flow[R]:
        kept = self._memory.changing(key)
        try:
            answer = yield from self._fetch(key, request)
        except RegistryUnavailable:
            if kept is None or not self._still_serves(kept):
                raise
            kept.refresh_failed = True
            self._stats.count("stale_served", layer="memory")
            return kept.answer  # type: ignore[no-any-return]  # the key tells the type
        except RegistryError:
            self._memory.forget(key)
            raise
        self._memory.keep_changing(key, answer)
        return answer

    def _still_serves(self, kept: Kept) -> bool:
        ttl = self._settings.latest_ttl_seconds
        return ttl is None or self._clock() - kept.since < ttl + self._settings.stale_seconds

    def _learn_id(self, subject: str, found: RegisteredSchema) -> None:
        """What was registered here needs not be asked again when it is read here."""
        if found.schema_id is not None:
            self._memory.keep_lasting(Key("id", subject, (found.schema_id, None, None)), found)
