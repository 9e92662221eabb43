"""SchemaRegistryClient: drives the flows with threads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from threading import RLock
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from serdes import _events
from serdes._clients.background import Background
from serdes._clients.flights import Flights
from serdes._clients.listener import Listener
from serdes._clients.parts import Client, own_schema
from serdes._effects import Effect, Flow, Invoke, Later, Pause, Send, Share
from serdes._requests import Request, administration, schemas
from serdes.errors import SerdesError
from serdes.schema import Association, RegisteredSchema, Schema, SubjectVersion

R = TypeVar("R")
Number = int | Literal["latest"]


class SchemaRegistryClient(Client):
    """A caching client of a schema registry, safe to share between threads, usable after a fork, and picklable.

    Methods raise RegistryError: its leaves say what the registry refused, RegistryUnavailable that it could not be
    asked within `deadline` seconds.

    Args:
        conf: the keys of ClientSettings; only `url` must be given.
        on_event: called with (name, labels, value) for everything that `stats()` counts.
        clock: the seconds that ages and deadlines are measured in; tests hand in their own.

    Raises:
        SettingInvalid: a key is unknown, or its value cannot be used.
    """

    def _start(self) -> None:
        self._lock = RLock()
        self._flights = Flights(self._parts.stats)
        self._background = Background()
        self._transport: Any = None
        self._listener: Listener | None = None

    def _run(self, flow: Flow[R]) -> R:
        """What a flow results in, for the caller of a public method."""
        return self._drive(flow)

    def _drive(self, flow: Flow[R]) -> R:
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

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send():
                return self._opened().send(effect.url, effect.request, effect.headers, effect.timeout_seconds)
            case Pause():
                return time.sleep(effect.seconds)
            case Invoke():
                return effect.function and effect.function(effect.argument)
            case Share():
                return self._flights.share(effect.key, lambda: self._drive(effect.flow()))
            case Later():
                return self._background.run(effect.key, lambda: self._drive(effect.flow()))

    def _opened(self) -> Any:
        """The transport; the first call opens it, and starts to listen where that is wanted."""
        with self._lock:
            if self._transport is None:
                transport = import_module("serdes._transport").HttpTransport(self._parts.settings)
                self._transport = transport
                if self._parts.settings.push:
                    lines = partial(self._event_lines, transport)
                    self._listener = Listener(lines, self._parts.memory, self._parts.stats.count)
            return self._transport

    def _event_lines(self, transport: Any) -> Iterator[str]:
        headers = self._drive(self._parts.calls.headers())
        # Over the transport that the listener belongs to: to ask for one would open a client that was closed meanwhile.
        lines: Iterator[str] = transport.lines(self._parts.settings.urls[0], _events.PATH, headers)
        return lines

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and stop what runs in the background; the next call opens them again."""
        # What waits there would open them by itself, and nobody would close them.
        self._background.drop()
        with self._lock:
            transport, self._transport = self._transport, None
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        if transport is not None:
            transport.close()

    def register_schema(self, subject_name: str, schema: Schema, normalize_schemas: bool = False) -> int:
        """Register a schema under a subject, once; its id."""
        schema_id = self.register_schema_full_response(subject_name, schema, normalize_schemas).schema_id
        assert schema_id is not None  # reading the answer has checked it
        return schema_id

    def register_schema_full_response(
        self, subject_name: str, schema: Schema, normalize_schemas: bool = False
    ) -> RegisteredSchema:
        """Register a schema under a subject, once; the registry's answer.

        Raises:
            IncompatibleSchema: it breaks the subject's compatibility level.
            InvalidSchema: the registry cannot use it.
        """
        return self._run(self._questions.register(subject_name, own_schema(schema), normalize_schemas))

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
        """
        return self._run(self._questions.by_id(schema_id, subject_name, fmt, reference_format)).schema

    def get_schema_by_guid(self, guid: str, fmt: str | None = None) -> Schema:
        """What a GUID means.

        Raises:
            SchemaNotFound: the registry does not know the GUID.
        """
        return self._run(self._questions.by_guid(guid, fmt)).schema

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
        """
        return self._run(self._questions.lookup(subject_name, own_schema(schema), normalize_schemas, deleted, fmt))

    def get_latest_version(self, subject_name: str, fmt: str | None = None) -> RegisteredSchema:
        """The latest version of a subject, at most `cache.latest.ttl.sec` old.

        Raises:
            SubjectNotFound: there is no such subject.
        """
        return self._run(self._questions.version(subject_name, "latest", False, fmt))

    def get_latest_with_metadata(
        self, subject_name: str, metadata: Mapping[str, str], deleted: bool = False, fmt: str | None = None
    ) -> RegisteredSchema:
        """The latest version whose metadata has these pairs, at most `cache.latest.ttl.sec` old."""
        return self._run(self._questions.latest_with_metadata(subject_name, metadata, deleted, fmt))

    def get_version(
        self, subject_name: str, version: Number = "latest", deleted: bool = False, fmt: str | None = None
    ) -> RegisteredSchema:
        """A version of a subject, at most `cache.latest.ttl.sec` old.

        Raises:
            SubjectNotFound, VersionNotFound: there is no such version.
        """
        return self._run(self._questions.version(subject_name, version, deleted, fmt))

    def get_reference(self, subject_name: str, version: int) -> RegisteredSchema:
        """A version that a schema refers to: remembered for good, since that schema's id settles what it means."""
        return self._run(self._questions.reference(subject_name, version))

    def get_associations_by_resource_name(
        self,
        resource_name: str,
        resource_namespace: str,
        resource_type: str | None = None,
        association_types: Sequence[str] | None = None,
        offset: int = 0,
        limit: int = -1,
    ) -> list[Association]:
        """The subjects that a Kafka resource is bound to, at most `cache.latest.ttl.sec` old."""
        kinds = tuple(association_types or ())
        flow = self._questions.associations(resource_name, resource_namespace, resource_type, kinds, offset, limit)
        return self._run(flow)

    # What follows is asked anew each time.

    def _call(self, request: Request[R]) -> R:
        return self._run(self._parts.calls.call(request))

    def get_schema_types(self) -> list[str]:
        """The schema languages that the registry knows."""
        return self._call(schemas.types())

    def get_subjects_by_schema_id(
        self, schema_id: int, subject_name: str | None = None, deleted: bool = False, offset: int = 0, limit: int = -1
    ) -> list[str]:
        """The subjects that hold a schema id."""
        return self._call(schemas.subjects_of_id(schema_id, subject_name, deleted, offset, limit))

    def get_schema_versions(
        self, schema_id: int, subject_name: str | None = None, deleted: bool = False, offset: int = 0, limit: int = -1
    ) -> list[SubjectVersion]:
        """The versions that have a schema id."""
        return self._call(schemas.versions_of_id(schema_id, subject_name, deleted, offset, limit))

    def get_subjects(
        self,
        subject_prefix: str | None = None,
        deleted: bool = False,
        deleted_only: bool = False,
        offset: int = 0,
        limit: int = -1,
    ) -> list[str]:
        """The names of subjects."""
        return self._call(schemas.subjects(subject_prefix, deleted, deleted_only, offset, limit))

    def delete_subject(self, subject_name: str, permanent: bool = False) -> list[int]:
        """Delete a subject; the versions that went with it."""
        return self._forgetting(subject_name, schemas.delete_subject(subject_name, permanent))

    def _forgetting(self, subject: str, request: Request[R]) -> R:
        answer = self._call(request)
        self._parts.memory.forget_subject(subject)
        return answer

    def get_versions(self, subject_name: str, deleted: bool = False, offset: int = 0, limit: int = -1) -> list[int]:
        """The numbers of a subject's versions."""
        return self._call(schemas.versions(subject_name, deleted, offset, limit))

    def delete_version(self, subject_name: str, version: Number, permanent: bool = False) -> int:
        """Delete a version; its number."""
        return self._forgetting(subject_name, schemas.delete_version(subject_name, version, permanent))

    def get_referenced_by(
        self, subject_name: str, version: Number = "latest", offset: int = 0, limit: int = -1
    ) -> list[int]:
        """The ids of the schemas that refer to a version."""
        return self._call(schemas.referenced_by(subject_name, version, offset, limit))

    def test_compatibility(
        self,
        subject_name: str,
        schema: Schema,
        version: Number = "latest",
        normalize: bool = False,
        verbose: bool = False,
    ) -> bool:
        """Whether a schema is compatible with a version of a subject."""
        request = schemas.compatibility(subject_name, version, own_schema(schema), normalize, verbose)
        return self._call(request)

    def test_compatibility_all_versions(
        self, subject_name: str, schema: Schema, normalize: bool = False, verbose: bool = False
    ) -> bool:
        """Whether a schema is compatible with all versions that the subject's level asks for."""
        return self._call(schemas.compatibility_with_all(subject_name, own_schema(schema), normalize, verbose))

    def set_compatibility(self, subject_name: str | None = None, level: str | None = None) -> dict[str, Any]:
        """Set the compatibility level of a subject, or of the registry."""
        return self._call(administration.set_config(subject_name, {"compatibility": (level or "").upper()}))

    def get_compatibility(self, subject_name: str | None = None) -> str:
        """The compatibility level of a subject, or of the registry."""
        return str(self._call(administration.config(subject_name))["compatibilityLevel"])

    def set_config(self, subject_name: str | None = None, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Set the configuration of a subject, or of the registry."""
        return self._call(administration.set_config(subject_name, config or {}))

    def get_config(self, subject_name: str | None = None) -> dict[str, Any]:
        """The configuration of a subject, or of the registry."""
        return self._call(administration.config(subject_name))

    def delete_config(self, subject_name: str | None = None) -> dict[str, Any]:
        """Delete the configuration of a subject, or of the registry."""
        return self._call(administration.delete_config(subject_name))

    def get_mode(self, subject_name: str) -> str:
        """The mode of a subject."""
        return self._call(administration.mode(subject_name))

    def update_mode(self, subject_name: str, mode: str, force: bool = False) -> str:
        """Set the mode of a subject."""
        return self._call(administration.set_mode(subject_name, mode, force))

    def delete_mode(self, subject_name: str) -> str:
        """Delete the mode of a subject."""
        return self._call(administration.delete_mode(subject_name))

    def get_global_mode(self) -> str:
        """The mode of the registry."""
        return self._call(administration.global_mode())

    def update_global_mode(self, mode: str, force: bool = False) -> str:
        """Set the mode of the registry."""
        return self._call(administration.set_global_mode(mode, force))

    def get_contexts(self, offset: int = 0, limit: int = -1) -> list[str]:
        """The names of the contexts."""
        return self._call(administration.contexts(offset, limit))

    def create_association(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Bind a Kafka resource to subjects; request and answer are the JSON objects of the REST API."""
        return self._call(administration.create_association(request))

    def delete_associations(
        self,
        resource_id: str,
        resource_type: str | None = None,
        association_types: Sequence[str] | None = None,
        cascade_lifecycle: bool = False,
    ) -> None:
        """Unbind a Kafka resource."""
        kinds = tuple(association_types or ())
        self._call(administration.delete_associations(resource_id, resource_type, kinds, cascade_lifecycle))
