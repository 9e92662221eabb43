"""SchemaRegistryClient and AsyncSchemaRegistryClient: two small drivers of the same flows.

Own threads, tasks and transports; every decision is in `_flows`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import CancelledError, Future
from importlib import import_module
from threading import RLock
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from serdes._cache.memory import Memory
from serdes._flows import Flow, Flows, Later, Pause, Send, Share
from serdes._stats import EventHook, Stats
from serdes.errors import SerdesError
from serdes.schema import Association, RegisteredSchema, Schema
from serdes.settings import ClientSettings, Conf

R = TypeVar("R")


class SchemaRegistryClient:
    """A caching client of a schema registry, safe to share between threads.

    Args:
        conf: the keys of ClientSettings; only `url` must be given.
        on_event: called with (name, labels, value) for everything that `stats()` counts.
        clock: the seconds that ages and deadlines are measured in; tests hand in their own.

    Raises:
        SettingInvalid: a key is unknown, or its value cannot be used.
    """

    def __init__(
        self, conf: Conf, *, on_event: EventHook | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._conf = dict(conf)
        self._settings = ClientSettings.read(conf)
        self._stats = Stats(on_event)
        self._memory = Memory(self._settings.cache_capacity, clock)
        self._flows = Flows(self._settings, self._memory, self._stats, clock)
        self._lock = RLock()
        self._flights: dict[Hashable, Future[Any]] = {}
        self._transport: Any = None

    def _run(self, flow: Flow[R]) -> R:
        """Do what the flow asks until it is done."""
        try:
            effect = next(flow)
            while True:
                try:
                    result = self._perform(effect)
                except SerdesError as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # a generator's return value is not typed on the exception

    def _perform(self, effect: Send | Pause | Share | Later) -> Any:
        match effect:
            case Send():
                return self._opened().send(effect.url, effect.request, effect.headers, effect.timeout_seconds)
            case Pause():
                return time.sleep(effect.seconds)
            case Share():
                return self._share(effect)
            case Later():
                return None

    def _share(self, effect: Share) -> Any:
        """One flight per key: the first caller flies, the others wait for its result or its exception."""
        while True:
            with self._lock:
                flight = self._flights.get(effect.key)
                if flight is None:
                    mine = self._flights[effect.key] = Future()
                    break
            try:
                return flight.result()
            except CancelledError:
                continue  # the leader was interrupted (Ctrl-C); somebody else must fly
        return self._fly(effect, mine)

    def _fly(self, effect: Share, flight: Future[Any]) -> Any:
        try:
            result = self._run(effect.flow())
        except SerdesError as error:
            flight.set_exception(error)
            raise
        else:
            flight.set_result(result)
            return result
        finally:
            with self._lock:
                self._flights.pop(effect.key, None)
            flight.cancel()

    def _opened(self) -> Any:
        with self._lock:
            if self._transport is None:
                self._transport = import_module("serdes._transport").HttpTransport(self._settings)
            return self._transport

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        with self._lock:
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    @property
    def cache_capacity(self) -> int:
        """How many entries each cache holds at most."""
        return self._settings.cache_capacity

    def config(self) -> dict[str, Any]:
        """The configuration that was given."""
        return self._conf

    def stats(self) -> dict[str, float]:
        """What was counted so far."""
        return self._stats.snapshot()

    def register_schema(self, subject_name: str, schema: Schema, normalize_schemas: bool = False) -> int:
        """Register a schema under a subject and return its id."""
        schema_id = self.register_schema_full_response(subject_name, schema, normalize_schemas).schema_id
        assert schema_id is not None  # reading the answer checks it
        return schema_id

    def register_schema_full_response(
        self, subject_name: str, schema: Schema, normalize_schemas: bool = False
    ) -> RegisteredSchema:
        """Register a schema under a subject, once; the registry's answer.

        Raises:
            IncompatibleSchema, InvalidSchema: the registry refuses it.
            RegistryError: anything else that keeps it from being registered.
        """
        return self._run(self._flows.register(subject_name, schema, normalize_schemas))

    def get_schema(
        self,
        schema_id: int,
        subject_name: str | None = None,
        fmt: str | None = None,
        reference_format: str | None = None,
    ) -> Schema:
        """What an id means; the subject tells the context.

        Raises:
            SchemaNotFound: the registry does not know the id.
            RegistryError: anything else that keeps it from being known.
        """
        return self._run(self._flows.schema_by_id(schema_id, subject_name, fmt, reference_format)).schema

    def get_schema_by_guid(self, guid: str, fmt: str | None = None) -> Schema:
        """What a GUID means. Raises as `get_schema` does."""
        return self._run(self._flows.schema_by_guid(guid, fmt)).schema

    def lookup_schema(
        self,
        subject_name: str,
        schema: Schema,
        normalize_schemas: bool = False,
        fmt: str | None = None,
        deleted: bool = False,
    ) -> RegisteredSchema:
        """The version of a subject that a schema has.

        Raises:
            SubjectNotFound, SchemaNotFound: it has none.
            RegistryError: anything else that keeps it from being known.
        """
        return self._run(self._flows.lookup(subject_name, schema, normalize_schemas, deleted, fmt))

    def get_latest_version(self, subject_name: str, fmt: str | None = None) -> RegisteredSchema:
        """The latest version of a subject, at most `cache.latest.ttl.sec` old."""
        return self._run(self._flows.version(subject_name, "latest", False, fmt))

    def get_latest_with_metadata(
        self, subject_name: str, metadata: Mapping[str, str], deleted: bool = False, fmt: str | None = None
    ) -> RegisteredSchema:
        """The latest version whose metadata has these pairs, at most `cache.latest.ttl.sec` old."""
        return self._run(self._flows.latest_with_metadata(subject_name, metadata, deleted, fmt))

    def get_version(
        self,
        subject_name: str,
        version: int | Literal["latest"] = "latest",
        deleted: bool = False,
        fmt: str | None = None,
    ) -> RegisteredSchema:
        """A version of a subject, at most `cache.latest.ttl.sec` old."""
        return self._run(self._flows.version(subject_name, version, deleted, fmt))

    def get_reference(self, subject_name: str, version: int) -> RegisteredSchema:
        """A version that a schema refers to: remembered for good, since that schema's id settles what it means."""
        return self._run(self._flows.reference(subject_name, version))

    def get_associations_by_resource_name(
        self,
        resource_name: str,
        resource_namespace: str,
        resource_type: str | None = None,
        association_types: list[str] | None = None,
        offset: int = 0,
        limit: int = -1,
    ) -> list[Association]:
        """The subjects that a Kafka resource is bound to."""
        kinds = tuple(association_types or ())
        return self._run(
            self._flows.associations(resource_name, resource_namespace, resource_type, kinds, None, offset, limit)
        )
