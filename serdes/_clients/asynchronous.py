"""AsyncSchemaRegistryClient: drives the flows with asyncio."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from serdes import _events
from serdes._clients.parts import Client, own_schema
from serdes._effects import Effect, Flow, Invoke, Later, Pause, Send, Share
from serdes._requests import Request, administration, schemas
from serdes.errors import RegistryError, RegistryUnavailable, SerdesError
from serdes.schema import Association, RegisteredSchema, Schema, SubjectVersion

if TYPE_CHECKING:
    import asyncio

R = TypeVar("R")
Number = int | Literal["latest"]

_MAX_PAUSE_SECONDS = 30.0


class _Life:
    """What belongs to one event loop: the connections, the flights under way, the task that listens."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.tasks: dict[Hashable, asyncio.Task[Any]] = {}
        self.listening: asyncio.Task[None] | None = None


class AsyncSchemaRegistryClient(Client):
    """A caching client of a schema registry for asyncio; usable after a fork, in several loops, and picklable.

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
        # By name: asyncio takes as long to import as everything else here, and a blocking program never needs it.
        self._asyncio: Any = import_module("asyncio")
        self._lives: dict[asyncio.AbstractEventLoop, _Life] = {}
        self._cut_off: set[Hashable] = set()

    async def _run(self, flow: Flow[R]) -> R:
        """What a flow results in, for the caller of a public method."""
        return await self._drive(flow)

    async def _drive(self, flow: Flow[R]) -> R:
        """Do what the flow asks until it is done."""
        try:
            effect = next(flow)
            while True:
                try:
                    result = await self._perform(effect)
                except SerdesError as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(result)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # a generator's return value is not typed on the exception

    async def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send():
                transport = self._opened()
                return await transport.send(effect.url, effect.request, effect.headers, effect.timeout_seconds)
            case Pause():
                return await self._asyncio.sleep(effect.seconds)
            case Invoke():
                result = effect.function and effect.function(effect.argument)
                return await result if inspect.isawaitable(result) else result
            case Share():
                return await self._share(effect)
            case Later():
                return await self._later(("later", effect.key), effect.flow)

    async def _share(self, effect: Share) -> Any:
        """One flight per key: a task that flies on when the caller who started it is cancelled."""
        if effect.key in self._life().tasks:
            self._parts.stats.count("joined")
        try:
            return await self._asyncio.shield(self._task(effect.key, effect.flow))
        except SerdesError as error:
            raise error.again() from error.__cause__

    def _landed(self, tasks: dict[Hashable, asyncio.Task[Any]], key: Hashable, task: asyncio.Task[Any]) -> None:
        tasks.pop(key, None)
        if task.cancelled():
            self._cut_off.add(key)
        else:
            task.exception()  # marks it as seen: the callers get it too, and in the background nobody waits

    async def _later(self, key: Hashable, flow: Callable[[], Flow[Any]]) -> None:
        """Nobody waits, unless a loop has ended before it was done: where all loops do, it would never be done."""
        task = self._task(key, flow)
        if key in self._cut_off:
            self._cut_off.discard(key)
            await self._asyncio.wait([task])

    def _task(self, key: Hashable, flow: Callable[[], Flow[Any]]) -> asyncio.Task[Any]:
        tasks = self._life().tasks
        task = tasks.get(key)
        if task is None:
            task = tasks[key] = self._asyncio.get_running_loop().create_task(self._drive(flow()))
            task.add_done_callback(lambda done: self._landed(tasks, key, done))
        return task

    def _life(self) -> _Life:
        """What belongs to the running loop; what belonged to a loop that has ended is left behind."""
        loop = self._asyncio.get_running_loop()
        life = self._lives.get(loop)
        if life is None:
            # Other loops may run in other threads at this moment, so nothing but what ended is touched.
            for ended in [one for one in list(self._lives) if one.is_closed()]:
                self._lives.pop(ended, None)
            life = self._lives[loop] = _Life()
        return life

    def _opened(self) -> Any:
        """The transport of the running loop."""
        life = self._life()
        if life.transport is None:
            life.transport = import_module("serdes._transport").AsyncHttpTransport(self._parts.settings)
            if self._parts.settings.push:
                life.listening = self._asyncio.get_running_loop().create_task(self._listen())
        return life.transport

    async def _listen(self) -> None:
        """Forget what the registry's events say has changed; whatever may have changed while nobody listened too."""
        pause = 1.0
        while True:
            try:
                events, listening = _events.Events(), False
                async for line in await self._event_lines():
                    if not listening:
                        listening = True
                        self._forget(None)
                    subject = events.feed(line)
                    if subject is not None:
                        self._forget(subject)
                        pause = 1.0
            except RegistryUnavailable:
                pass
            except RegistryError:
                return  # it offers no events
            await self._asyncio.sleep(pause)
            pause = min(2 * pause, _MAX_PAUSE_SECONDS)

    def _forget(self, subject: str | None) -> None:
        self._parts.memory.forget_changing(subject)
        self._parts.stats.count("pushed")

    async def _event_lines(self) -> AsyncIterator[str]:
        headers = await self._drive(self._parts.calls.headers())
        lines: AsyncIterator[str] = self._opened().lines(self._parts.settings.urls[0], _events.PATH, headers)
        return lines

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the running loop's connections and stop what runs in its background; the next call opens them again."""
        life = self._lives.pop(self._asyncio.get_running_loop(), _Life())
        tasks = [*life.tasks.values(), *([life.listening] if life.listening else [])]
        for task in tasks:
            task.cancel()
        await self._asyncio.gather(*tasks, return_exceptions=True)
        if life.transport is not None:
            await life.transport.close()

    async def register_schema(self, subject_name: str, schema: Schema, normalize_schemas: bool = False) -> int:
        """Register a schema under a subject, once; its id."""
        schema_id = (await self.register_schema_full_response(subject_name, schema, normalize_schemas)).schema_id
        assert schema_id is not None  # reading the answer has checked it
        return schema_id

    async def register_schema_full_response(
        self, subject_name: str, schema: Schema, normalize_schemas: bool = False
    ) -> RegisteredSchema:
        """Register a schema under a subject, once; the registry's answer.

        Raises:
            IncompatibleSchema: it breaks the subject's compatibility level.
            InvalidSchema: the registry cannot use it.
        """
        return await self._run(self._questions.register(subject_name, own_schema(schema), normalize_schemas))

    async def get_schema(
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
        return (await self._run(self._questions.by_id(schema_id, subject_name, fmt, reference_format))).schema

    async def get_schema_by_guid(self, guid: str, fmt: str | None = None) -> Schema:
        """What a GUID means.

        Raises:
            SchemaNotFound: the registry does not know the GUID.
        """
        return (await self._run(self._questions.by_guid(guid, fmt))).schema

    async def lookup_schema(
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
        return await self._run(
            self._questions.lookup(subject_name, own_schema(schema), normalize_schemas, deleted, fmt)
        )

    async def get_latest_version(self, subject_name: str, fmt: str | None = None) -> RegisteredSchema:
        """The latest version of a subject, at most `cache.latest.ttl.sec` old.

        Raises:
            SubjectNotFound: there is no such subject.
        """
        return await self._run(self._questions.version(subject_name, "latest", False, fmt))

    async def get_latest_with_metadata(
        self, subject_name: str, metadata: Mapping[str, str], deleted: bool = False, fmt: str | None = None
    ) -> RegisteredSchema:
        """The latest version whose metadata has these pairs, at most `cache.latest.ttl.sec` old."""
        return await self._run(self._questions.latest_with_metadata(subject_name, metadata, deleted, fmt))

    async def get_version(
        self, subject_name: str, version: Number = "latest", deleted: bool = False, fmt: str | None = None
    ) -> RegisteredSchema:
        """A version of a subject, at most `cache.latest.ttl.sec` old.

        Raises:
            SubjectNotFound, VersionNotFound: there is no such version.
        """
        return await self._run(self._questions.version(subject_name, version, deleted, fmt))

    async def get_reference(self, subject_name: str, version: int) -> RegisteredSchema:
        """A version that a schema refers to: remembered for good, since that schema's id settles what it means."""
        return await self._run(self._questions.reference(subject_name, version))

    async def get_associations_by_resource_name(
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
        return await self._run(flow)

    # What follows is asked anew each time.

    async def _call(self, request: Request[R]) -> R:
        return await self._run(self._parts.calls.call(request))

    async def get_schema_types(self) -> list[str]:
        """The schema languages that the registry knows."""
        return await self._call(schemas.types())

    async def get_subjects_by_schema_id(
        self, schema_id: int, subject_name: str | None = None, deleted: bool = False, offset: int = 0, limit: int = -1
    ) -> list[str]:
        """The subjects that hold a schema id."""
        return await self._call(schemas.subjects_of_id(schema_id, subject_name, deleted, offset, limit))

    async def get_schema_versions(
        self, schema_id: int, subject_name: str | None = None, deleted: bool = False, offset: int = 0, limit: int = -1
    ) -> list[SubjectVersion]:
        """The versions that have a schema id."""
        return await self._call(schemas.versions_of_id(schema_id, subject_name, deleted, offset, limit))

    async def get_subjects(
        self,
        subject_prefix: str | None = None,
        deleted: bool = False,
        deleted_only: bool = False,
        offset: int = 0,
        limit: int = -1,
    ) -> list[str]:
        """The names of subjects."""
        return await self._call(schemas.subjects(subject_prefix, deleted, deleted_only, offset, limit))

    async def delete_subject(self, subject_name: str, permanent: bool = False) -> list[int]:
        """Delete a subject; the versions that went with it."""
        return await self._forgetting(subject_name, schemas.delete_subject(subject_name, permanent))

    async def _forgetting(self, subject: str, request: Request[R]) -> R:
        answer = await self._call(request)
        self._parts.memory.forget_subject(subject)
        return answer

    async def get_versions(
        self, subject_name: str, deleted: bool = False, offset: int = 0, limit: int = -1
    ) -> list[int]:
        """The numbers of a subject's versions."""
        return await self._call(schemas.versions(subject_name, deleted, offset, limit))

    async def delete_version(self, subject_name: str, version: Number, permanent: bool = False) -> int:
        """Delete a version; its number."""
        return await self._forgetting(subject_name, schemas.delete_version(subject_name, version, permanent))

    async def get_referenced_by(
        self, subject_name: str, version: Number = "latest", offset: int = 0, limit: int = -1
    ) -> list[int]:
        """The ids of the schemas that refer to a version."""
        return await self._call(schemas.referenced_by(subject_name, version, offset, limit))

    async def test_compatibility(
        self,
        subject_name: str,
        schema: Schema,
        version: Number = "latest",
        normalize: bool = False,
        verbose: bool = False,
    ) -> bool:
        """Whether a schema is compatible with a version of a subject."""
        request = schemas.compatibility(subject_name, version, own_schema(schema), normalize, verbose)
        return await self._call(request)

    async def test_compatibility_all_versions(
        self, subject_name: str, schema: Schema, normalize: bool = False, verbose: bool = False
    ) -> bool:
        """Whether a schema is compatible with all versions that the subject's level asks for."""
        return await self._call(schemas.compatibility_with_all(subject_name, own_schema(schema), normalize, verbose))

    async def set_compatibility(self, subject_name: str | None = None, level: str | None = None) -> dict[str, Any]:
        """Set the compatibility level of a subject, or of the registry."""
        return await self._call(administration.set_config(subject_name, {"compatibility": (level or "").upper()}))

    async def get_compatibility(self, subject_name: str | None = None) -> str:
        """The compatibility level of a subject, or of the registry."""
        return str((await self._call(administration.config(subject_name)))["compatibilityLevel"])

    async def set_config(
        self, subject_name: str | None = None, config: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Set the configuration of a subject, or of the registry."""
        return await self._call(administration.set_config(subject_name, config or {}))

    async def get_config(self, subject_name: str | None = None) -> dict[str, Any]:
        """The configuration of a subject, or of the registry."""
        return await self._call(administration.config(subject_name))

    async def delete_config(self, subject_name: str | None = None) -> dict[str, Any]:
        """Delete the configuration of a subject, or of the registry."""
        return await self._call(administration.delete_config(subject_name))

    async def get_mode(self, subject_name: str) -> str:
        """The mode of a subject."""
        return await self._call(administration.mode(subject_name))

    async def update_mode(self, subject_name: str, mode: str, force: bool = False) -> str:
        """Set the mode of a subject."""
        return await self._call(administration.set_mode(subject_name, mode, force))

    async def delete_mode(self, subject_name: str) -> str:
        """Delete the mode of a subject."""
        return await self._call(administration.delete_mode(subject_name))

    async def get_global_mode(self) -> str:
        """The mode of the registry."""
        return await self._call(administration.global_mode())

    async def update_global_mode(self, mode: str, force: bool = False) -> str:
        """Set the mode of the registry."""
        return await self._call(administration.set_global_mode(mode, force))

    async def get_contexts(self, offset: int = 0, limit: int = -1) -> list[str]:
        """The names of the contexts."""
        return await self._call(administration.contexts(offset, limit))

    async def create_association(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Bind a Kafka resource to subjects; request and answer are the JSON objects of the REST API."""
        return await self._call(administration.create_association(request))

    async def delete_associations(
        self,
        resource_id: str,
        resource_type: str | None = None,
        association_types: Sequence[str] | None = None,
        cascade_lifecycle: bool = False,
    ) -> None:
        """Unbind a Kafka resource."""
        kinds = tuple(association_types or ())
        await self._call(administration.delete_associations(resource_id, resource_type, kinds, cascade_lifecycle))
