"""A registry on a log in memory, and short words for what the tests ask of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Any

import pytest

from registry.envelope import Batch, Entry
from registry.errors import RegistryError
from registry.log.memory import MemoryLog
from registry.model import Config, Level, Mode, Reference, Schema, Subject
from registry.operations import Candidate, Page, Policy, Registry, Stored, Visibility, opened
from registry.records import Record, SchemaKey, SchemaValue, read_record

ANY_LEVEL = Policy(defaults=Config(compatibility_level=Level.NONE))


class Desk:
    """Where the tests come with their wishes; subjects are written as clients write them."""

    def __init__(self, registry: Registry, log: MemoryLog) -> None:
        self.registry = registry
        self.log = log

    async def put(
        self,
        subject: str,
        text: str | None = '"int"',
        *,
        normalize: bool = False,
        force: bool = False,
        **parts: Any,
    ) -> Stored:
        """Register a schema."""
        stored = await self.registry.versions.register(
            Subject.of(subject), Candidate(text, **parts), normalize=normalize, force=force
        )
        assert isinstance(stored, Stored)
        return stored

    async def find(
        self, subject: str, text: str | None = '"int"', *, normalize: bool = False, deleted: bool = False, **parts: Any
    ) -> Stored:
        """Look a schema up."""
        return await self.registry.subjects.lookup(
            Subject.of(subject), Candidate(text, **parts), normalize=normalize, deleted=deleted
        )

    async def get(self, subject: str, version: int = -1, *, deleted: bool = False) -> Stored:
        """Read a version."""
        return await self.registry.versions.get(Subject.of(subject), version, deleted=deleted)

    async def versions(self, subject: str) -> list[int]:
        """All version numbers, soft-deleted ones below zero; none of an unknown subject."""
        place = Subject.of(subject)
        if not self.registry.state.rows(place):
            return []
        return list(await self.registry.versions.list(place, Visibility.ALL, Page(), deleted_as_negative=True))

    async def delete(self, subject: str, version: int | None = None, *, permanent: bool = False) -> Any:
        """Delete a subject, or one version."""
        if version is None:
            return await self.registry.subjects.delete(Subject.of(subject), permanent=permanent)
        return await self.registry.versions.delete(Subject.of(subject), version, permanent=permanent)

    async def erase(self, subject: str, version: int | None = None) -> None:
        """Delete a subject, or one version, softly and then for good."""
        await self.delete(subject, version)
        await self.delete(subject, version, permanent=True)

    async def configure(self, subject: str, **fields: Any) -> Any:
        """Change fields of a config."""
        return await self.registry.config.put(Subject.of(subject), fields)

    async def switch(self, subject: str, mode: Mode | None, *, force: bool = False) -> Any:
        """Set a mode."""
        return await self.registry.mode.put(Subject.of(subject), mode, force=force)

    @staticmethod
    async def refusal(wish: Awaitable[object]) -> tuple[int, str]:
        """The code and the sentence with which a wish is refused."""
        try:
            answer = await wish
        except RegistryError as reason:
            return reason.code, reason.message
        raise AssertionError(f"was not refused: {answer}")

    async def append(self, *records: Record) -> None:
        """Have another writer of the log append records, and take them in."""
        await self.append_entries(*(record.entry() for record in records))

    async def append_version(self, subject: str, text: str, references: tuple[Reference, ...], number: int) -> None:
        """Have another writer of the log append the first version of a subject, judged by nobody."""
        schema = Schema(text, references=references)
        await self.append(Record(SchemaKey(Subject.of(subject), 1), SchemaValue(number, schema)))

    async def append_entries(self, *entries: Entry) -> None:
        """Have another writer of the log append entries, and take them in."""
        async with self.log.turn(await self.log.end()) as turn:
            batch: Batch = await turn.append(entries)
        self.registry.state.advance(batch)

    def records(self) -> list[Record]:
        """All that was logged."""
        return [read_record(entry.key, entry.value) for entry in self.log._entries]

    @property
    def position(self) -> int:
        """How much was logged."""
        return len(self.log._entries)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def open_desk() -> OpenDesk:
    """Open a desk with a policy, on a log that may have been written before."""

    @asynccontextmanager
    async def open_(policy: Policy = ANY_LEVEL, log: MemoryLog | None = None) -> AsyncIterator[Desk]:
        log = log or MemoryLog(count(1000, 1000).__next__)
        async with opened(log, policy) as registry:
            yield Desk(registry, log)

    return open_


@pytest.fixture
async def desk(open_desk: OpenDesk) -> AsyncIterator[Desk]:
    """A desk of a registry where every schema is compatible."""
    async with open_desk() as desk:
        yield desk
