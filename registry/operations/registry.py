"""The registry as a whole: its nouns, the barrier that reads wait for, and the changes as they happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from registry.envelope import Batch
from registry.errors import RegistryError
from registry.log.protocol import Log
from registry.model import Subject
from registry.operations.associations import Associations
from registry.operations.barrier import LOCAL, STRONG, Barrier, Consistency
from registry.operations.compatibility import Compatibility
from registry.operations.config import Configs
from registry.operations.contexts import Contexts
from registry.operations.core import Core, Policy
from registry.operations.languages import Languages
from registry.operations.mode import Modes
from registry.operations.schemas import Schemas
from registry.operations.sight import EVERYTHING_SEEN, Sight
from registry.operations.subjects import Subjects
from registry.operations.versions import SubjectVersions
from registry.records import Record, UnreadableRecordError, read_record
from registry.replay import OnReplay, SnapshotFile, keeping, replay
from registry.state import State, referred_subject
from registry.tallies import Spread
from registry.writer import Writer


class Change(Struct, frozen=True):
    """A record as it was logged, for those who follow the registry."""

    position: int
    timestamp_ms: int
    record: Record
    author: str | None


class Registry:
    """Everything that can be asked of a registry, by noun."""

    def __init__(self, log: Log, core: Core) -> None:
        """Put the nouns on a log whose records the state already holds; see `opened`."""
        self._log = log
        self._core = core
        self.subjects = Subjects(core)
        self.versions = SubjectVersions(core)
        self.schemas = Schemas(core)
        self.compatibility = Compatibility(core)
        self.config = Configs(core)
        self.mode = Modes(core)
        self.contexts = Contexts(core)
        self.associations = Associations(core)
        self.languages = core.languages

    def on_behalf_of(self, author: str | None, sight: Sight = EVERYTHING_SEEN) -> Registry:
        """The same registry for one who asks: changes are logged with their name, and they see what a sight shows."""
        return Registry(self._log, replace(self._core, author=author, sight=sight))

    @property
    def uuid(self) -> UUID:
        """The identity of the log: changed only when a backup is restored."""
        return self._log.uuid

    @property
    def shared(self) -> bool:
        """Whether other nodes write too, so that an answer kept from before needs the barrier."""
        return self._log.shared

    @property
    def alarm(self) -> str | None:
        """Why the log takes no more changes, if it does not."""
        return self._log.alarm

    @property
    def writer(self) -> Writer:
        """The door for change; for what it counts."""
        return self._core.writer

    @property
    def waits(self) -> Spread:
        """How long reads waited for the barrier."""
        return self._core.barrier.waits

    @property
    def state(self) -> State:
        """The state as far as it is applied here; for stamps and counts, which need no barrier."""
        return self._core.whole

    @property
    def has_aliases(self) -> bool:
        """Whether any subject is an alias."""
        return self._core.whole.has_aliases

    def alias_of(self, subject: Subject) -> Subject | None:
        """The subject that the own config of this one names as its alias; a bare name stays in the context."""
        alias = self._core.whole.alias(subject)
        return None if alias is None else referred_subject(subject, alias)

    async def changes(self, after: int) -> AsyncGenerator[Change, None]:
        """Every change after a position, those that happen from now on included; never ends by itself."""
        advanced = asyncio.Event()
        forget = self._core.writer.on_advance(advanced.set)
        try:
            while True:
                # Before the log is read, so that what comes meanwhile is not missed.
                advanced.clear()
                async for batch in self._log.read(after):
                    for change in _changes_in(batch):
                        yield change
                    after = max(after, batch.end)
                await advanced.wait()
        finally:
            forget()

    async def barrier(self) -> None:
        """Return when the state is as new as the read consistency asks for."""
        await self._core.barrier.wait()


def _changes_in(batch: Batch) -> list[Change]:
    found = []
    for logged in batch.entries:
        # What no dialect explains changed nothing, and there is nothing to tell of it.
        with suppress(UnreadableRecordError):
            record = read_record(logged.key, logged.value)
            found.append(Change(logged.position, logged.timestamp_ms, record, logged.author))
    return found


@asynccontextmanager
async def opened(
    log: Log,
    policy: Policy | None = None,
    *,
    consistency: Consistency = STRONG,
    max_parsed_bytes: int = 128 * 2**20,
    max_waiting: int = 10_000,
    snapshot_path: Path | None = None,
    on_replay: OnReplay | None = None,
) -> AsyncIterator[Registry]:
    """A registry on a log: replays it, serves writes while the context is open, and closes the log after it.

    consistency: how far reads may lag behind other nodes; max_parsed_bytes: how much memory parsed schemas may take;
    max_waiting: how many writes may queue; snapshot_path: the file that keeps a snapshot for the next start;
    on_replay: is told how far the replay has come, every few thousand records.
    """
    snapshot = SnapshotFile(log, snapshot_path)
    try:
        state = await replay(log, snapshot, on_replay)
        writer = Writer(log, state, max_waiting=max_waiting)
        async with keeping(snapshot, state), _served(log, writer):
            barrier = _barrier(log, state, writer, consistency)
            yield Registry(log, Core(state, writer, Languages(max_bytes=max_parsed_bytes), policy or Policy(), barrier))
    finally:
        await log.close()


def _barrier(log: Log, state: State, writer: Writer, consistency: Consistency) -> Barrier:
    async def catch_up() -> None:
        if await log.end() > state.position:
            await writer.catch_up()

    # Where nobody else writes, whatever this node happens to know is all there is.
    return Barrier(catch_up, consistency if log.shared else LOCAL, monotonic)


@asynccontextmanager
async def _served(log: Log, writer: Writer) -> AsyncIterator[None]:
    serving, following = asyncio.create_task(writer.run()), asyncio.create_task(_follow(log, writer))
    try:
        yield
    finally:
        writer.stop()
        await serving
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def _follow(log: Log, writer: Writer) -> None:
    """Take in what other nodes append, as soon as the log hints at it."""
    async for _ in log.follow():
        with suppress(RegistryError):  # the store is out of reach: the next hint comes within a second
            await writer.catch_up()
