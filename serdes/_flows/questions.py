"""The questions that serdes ask, each answered by the nearest of: memory, the disk, the registry.

Owns what is remembered how long, what serves when the registry is down, and what is compared when it is back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from serdes._cache.memory import Kept, Key, Memory
from serdes._effects import Flow, Later, Share
from serdes._flows.calls import Calls
from serdes._requests import Request, administration, schemas
from serdes._stats import Stats
from serdes.errors import (
    IncompatibleSchema,
    InvalidSchema,
    RegistryError,
    RegistryUnavailable,
    SchemaIdReused,
)
from serdes.normal import normal_text
from serdes.schema import Association, RegisteredSchema, Schema
from serdes.settings import ClientSettings

if TYPE_CHECKING:
    from serdes._cache.disk import Disk

R = TypeVar("R")

_log = logging.getLogger(__name__)
_REFRESH_AHEAD = 0.8
_CONFLICT_SECONDS = 60.0


class Questions:
    """The questions, each a method that returns a flow."""

    def __init__(
        self,
        settings: ClientSettings,
        memory: Memory,
        disk: Disk | None,
        calls: Calls,
        stats: Stats,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._memory = memory
        self._disk = disk
        self._calls = calls
        self._stats = stats
        self._clock = clock

    def register(self, subject: str, schema: Schema, normalize: bool) -> Flow[RegisteredSchema]:
        """Register a schema under a subject, once."""
        key = registered_key(subject, schema, normalize)
        return self._lasting(key, schemas.register(subject, schema, normalize))

    def lookup(
        self, subject: str, schema: Schema, normalize: bool, deleted: bool, fmt: str | None
    ) -> Flow[RegisteredSchema]:
        """The version of a subject that a schema has."""
        request = schemas.lookup(subject, schema, normalize, deleted, fmt)
        return self._lasting(Key("looked up", subject, (schema, normalize, deleted, fmt)), request)

    def by_id(
        self, schema_id: int, subject: str | None, fmt: str | None, reference_format: str | None
    ) -> Flow[RegisteredSchema]:
        """What an id means."""
        request = schemas.by_id(schema_id, subject, fmt, reference_format)
        return self._lasting(Key("id", subject, (schema_id, fmt, reference_format)), request)

    def by_guid(self, guid: str, fmt: str | None) -> Flow[RegisteredSchema]:
        """What a GUID means."""
        return self._lasting(Key("guid", None, (guid, fmt)), schemas.by_guid(guid, fmt))

    def reference(self, subject: str, number: int) -> Flow[RegisteredSchema]:
        """A version that a schema refers to: what it means is settled with that schema."""
        return self._lasting(Key("reference", subject, number), schemas.version(subject, number, deleted=True))

    def version(self, subject: str, number: int | str, deleted: bool, fmt: str | None) -> Flow[RegisteredSchema]:
        """A version of a subject."""
        key = Key("version", subject, (number, deleted, fmt))
        return self._changing(key, schemas.version(subject, number, deleted, fmt))

    def latest_with_metadata(
        self, subject: str, metadata: Mapping[str, str], deleted: bool, fmt: str | None
    ) -> Flow[RegisteredSchema]:
        """The latest version whose metadata has these pairs."""
        key = Key("latest with metadata", subject, (frozenset(metadata.items()), deleted, fmt))
        return self._changing(key, schemas.latest_with_metadata(subject, metadata, deleted, fmt))

    def associations(
        self,
        name: str,
        namespace: str,
        resource_type: str | None,
        association_types: tuple[str, ...],
        offset: int,
        limit: int,
    ) -> Flow[list[Association]]:
        """The subjects that a Kafka resource is bound to."""
        request = administration.associations(name, namespace, resource_type, association_types, offset, limit)
        return self._changing(
            Key("associations", None, (name, namespace, resource_type, association_types, offset, limit)), request
        )

    # What never changes.

    def _lasting(self, key: Key, request: Request[R]) -> Flow[R]:
        found = self._memory.lasting(key)
        if found is None:
            answer: R = yield Share(key, lambda: self._fetch_lasting(key, request))
            return answer
        self._stats.count("hits", layer="memory")
        if found.unverified:
            yield Later(key, lambda: self._verify(key, request))
        return found.answer  # type: ignore[no-any-return]  # the key tells the type

    def _fetch_lasting(self, key: Key, request: Request[R]) -> Flow[R]:
        # Whoever had the flight before may have landed between the look into memory and this flight.
        found = self._memory.lasting(key)
        if found is not None:
            return found.answer  # type: ignore[no-any-return]  # the key tells the type
        if self._settings.disk_mode == "first" and (answer := self._from_disk(key)) is not None:
            yield Later(key, lambda: self._verify(key, request))
            return answer  # type: ignore[no-any-return]  # the key tells the type
        try:
            fetched = yield from self._ask(key, request)
        except RegistryUnavailable:
            if (answer := self._from_disk(key)) is None:
                raise
            return answer  # type: ignore[no-any-return]  # the key tells the type
        self._keep(key, fetched)
        return fetched

    def _from_disk(self, key: Key) -> Any:
        """The answer on disk, which serves until the registry has confirmed it."""
        answer = None if self._disk is None else self._disk.load(key)
        if answer is not None:
            self._stats.count("hits", layer="disk")
            self._memory.keep_lasting(key, Kept(answer, self._clock(), unverified=True))
        return answer

    def _verify(self, key: Key, request: Request[Any]) -> Flow[None]:
        """Ask the registry for what the disk has answered; what it does not confirm is dropped."""
        kept = self._memory.lasting(key)
        try:
            answer = yield from self._ask(key, request)
        except RegistryUnavailable:
            return
        except RegistryError as error:
            self._drop(key, f"refuses it: {error.error_message}")
            return
        if kept is not None and not _same(kept.answer, answer):
            self._drop(key, "answers otherwise")
        self._keep(key, answer)

    def _drop(self, key: Key, reason: str) -> None:
        _log.error("the disk cache told %s of subject %s, but the registry %s", key.question, key.subject, reason)
        self._stats.count("disk_mismatch")
        self._memory.forget(key)
        if self._disk is not None:
            self._disk.forget(key)

    def _keep(self, key: Key, answer: Any) -> None:
        """Remember an answer of the registry, and what else it tells.

        Raises SchemaIdReused when an id that is known means another schema now.
        """
        self._memory.keep_lasting(key, Kept(answer, self._clock()))
        if self._disk is not None:
            self._disk.save(key, answer)
        if key.question in ("registered", "looked up") and answer.schema_id is not None:
            self._learn_id(key.subject, answer)

    def _learn_id(self, subject: str | None, found: RegisteredSchema) -> None:
        """What was registered here needs not be asked again when it is read here."""
        key = Key("id", subject, (found.schema_id, None, None))
        known = self._memory.lasting(key)
        if known is not None and known.answer.guid and found.guid and known.answer.guid != found.guid:
            self._memory.forget_lasting()
            raise SchemaIdReused(found.schema_id or 0)
        self._memory.keep_lasting(key, Kept(found, self._clock()))

    # What changes.

    def _changing(self, key: Key, request: Request[R]) -> Flow[R]:
        kept = self._memory.changing(key) or self._changing_on_disk(key)
        if kept is not None:
            age, ttl = self._clock() - kept.since, self._settings.latest_ttl_seconds
            if not kept.unverified and (ttl is None or age < ttl * _REFRESH_AHEAD):
                self._stats.count("hits", layer="memory")
                return kept.answer  # type: ignore[no-any-return]  # the key tells the type
            if self._serves_while_asking(kept, age, ttl):
                self._stats.count("hits" if ttl is None or age < ttl else "stale_served", layer="memory")
                yield Later(key, lambda: self._refresh(key, request))
                return kept.answer  # type: ignore[no-any-return]  # the key tells the type
        answer: R = yield Share(key, lambda: self._refresh(key, request))
        return answer

    def _serves_while_asking(self, kept: Kept, age: float, ttl: float | None) -> bool:
        """Whether an answer that is due serves at once, and the registry is asked in the background.

        Past its time it does so only when asking has failed before: one caller has waited then, the others need not.
        """
        if kept.unverified and self._settings.disk_mode == "first":
            return True
        return ttl is None or age < ttl or (kept.refresh_failed and age < ttl + self._settings.stale_seconds)

    def _changing_on_disk(self, key: Key) -> Kept | None:
        """What the disk serves before the registry is asked."""
        if self._disk is None or self._settings.disk_mode != "first":
            return None
        answer = self._disk.load(key)
        if answer is None:
            return None
        self._stats.count("hits", layer="disk")
        kept = Kept(answer, self._clock(), unverified=True)
        self._memory.keep_changing(key, kept)
        return kept

    def _refresh(self, key: Key, request: Request[R]) -> Flow[R]:
        kept = self._memory.changing(key)
        try:
            answer = yield from self._ask(key, request)
        except RegistryUnavailable:
            stale = self._stale(key, kept)
            if stale is None:
                raise
            return stale  # type: ignore[no-any-return]  # the key tells the type
        except RegistryError:
            self._memory.forget(key)
            raise
        self._memory.keep_changing(key, Kept(answer, self._clock()))
        if self._disk is not None:
            self._disk.save(key, answer)
        return answer

    def _stale(self, key: Key, kept: Kept | None) -> Any:
        """What serves while the registry is down: the last answer within the limit, else the disk's; or None."""
        ttl = self._settings.latest_ttl_seconds
        if kept is not None and (ttl is None or self._clock() - kept.since < ttl + self._settings.stale_seconds):
            self._stats.count("stale_served", layer="memory")
            kept.refresh_failed = True
            return kept.answer
        answer = None if self._disk is None else self._disk.load(key)
        if answer is not None:
            self._stats.count("hits", layer="disk")
            since = self._clock() - (ttl or 0.0)
            self._memory.keep_changing(key, Kept(answer, since, refresh_failed=True, unverified=True))
        return answer

    def _ask(self, key: Key, request: Request[R]) -> Flow[R]:
        """Ask the registry, unless it refused the same question a moment ago."""
        refusal = self._memory.refusal(key)
        if refusal is not None:
            self._stats.count("negative_hits")
            raise refusal
        self._stats.count("misses")
        try:
            return (yield from self._calls.call(request))
        except RegistryError as error:
            seconds = self._refusal_seconds(error)
            if seconds:
                self._memory.keep_refusal(key, error, seconds)
            raise

    def _refusal_seconds(self, error: RegistryError) -> float:
        if isinstance(error, (IncompatibleSchema, InvalidSchema)):
            return _CONFLICT_SECONDS
        return self._settings.negative_ttl_seconds if error.http_status_code == 404 else 0.0


def registered_key(subject: str, schema: Schema, normalize: bool) -> Key:
    """The question for a registration."""
    return Key("registered", subject, (schema, normalize))


def _same(known: Any, told: Any) -> bool:
    """Whether two registrations mean the same id and the same schema."""
    if known.guid and told.guid:
        return bool(known.schema_id == told.schema_id and known.guid == told.guid)
    return bool(
        known.schema_id == told.schema_id
        and known.schema.references == told.schema.references
        and normal_text(known.schema.schema_str) == normal_text(told.schema.schema_str)
    )
