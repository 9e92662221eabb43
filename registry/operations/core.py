"""What all operations stand on: the state, the door for change, the languages and the policy of this server.

Owns how an operation reads (after the barrier) and how it changes (through the writer, or as a plan).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from msgspec import Struct

from registry.errors import OperationNotPermitted
from registry.model import GLOBAL_CONTEXT, Config, Level, Mode, Subject, guid_text
from registry.operations.barrier import Barrier
from registry.operations.languages import Languages
from registry.operations.requests import Page, Plan, Stored
from registry.operations.sight import EVERYTHING_SEEN, Sight, seen
from registry.records import EVERYTHING
from registry.rows import Content, Row
from registry.rules.inheritance import config_in_force, mode_in_force
from registry.state import State
from registry.writer import Command, Decision, Writer

T = TypeVar("T")
Answer = TypeVar("Answer")


class PageLimits(Struct, frozen=True):
    """How many items a list holds when the client names no limit, and at most."""

    default: int = 2**31 - 1
    maximum: int = 2**31 - 1

    def limit(self, page: Page) -> int:
        """How many items a page holds at most; a limit of 0, below, or above the maximum means the default."""
        # Clients send -1 for no limit; Confluent refuses none of these either.
        return page.limit if 0 < page.limit <= self.maximum else self.default

    def slice(self, items: Iterable[T], page: Page) -> list[T]:
        """The items of a page."""
        return list(islice(items, page.offset, page.offset + self.limit(page)))


SERVER_DEFAULTS = Config(compatibility_level=Level.BACKWARD)


class Policy(Struct, frozen=True):
    """What the operator decided: defaults and limits that no subject can see past."""

    defaults: Config = SERVER_DEFAULTS
    mode_mutable: bool = True
    empty_subject_allowed: bool = True
    rule_sets_kept: bool = True
    reference_versions_strict: bool = False
    schema_limits: PageLimits = PageLimits(1000, 1000)
    subject_limits: PageLimits = PageLimits()
    version_limits: PageLimits = PageLimits()
    context_limits: PageLimits = PageLimits()


class Core(Struct, frozen=True):
    """The parts that every noun shares; after the `barrier` the state holds all that was answered anywhere.

    sight: what the one who asks may see; author: their name, which changes are logged with.
    """

    whole: State
    writer: Writer
    languages: Languages
    policy: Policy
    barrier: Barrier
    sight: Sight = EVERYTHING_SEEN
    author: str | None = None

    @property
    def state(self) -> State:
        """The state as far as the one who asks may see it."""
        return seen(self.whole, self.sight)

    async def current(self) -> State:
        """The state, at least as new as the moment of the call."""
        await self.barrier.wait()
        return self.state

    async def change(self, command: Command[Answer]) -> Answer:
        """Carry out a command: decided at once if it changes nothing, else through the writer.

        Raises whatever the command refuses with, Overloaded and StoreFailed.
        """
        decision = await self._decision(command)
        if not decision.records:
            return decision.answer
        return await self.submit(command)

    async def submit(self, command: Command[Answer]) -> Answer:
        """Carry out a command through the writer.

        Raises whatever the command refuses with, Overloaded and StoreFailed.
        """
        return await self.writer.submit(command, self.author)

    async def plan(self, command: Command[Answer]) -> Plan:
        """What a command would do now; nothing is written.

        Raises whatever the command refuses with.
        """
        decision = await self._decision(command)
        entries = [record.entry() for record in decision.records]
        records = tuple((entry.key.decode(), entry.value.decode() if entry.value else None) for entry in entries)
        return Plan(decision.answer, records)

    async def carry_out(self, command: Command[Answer], dry_run: bool) -> Answer | Plan:
        """`plan` for a dry run, `change` otherwise."""
        return await (self.plan(command) if dry_run else self.change(command))

    async def _decision(self, command: Command[Answer]) -> Decision[Answer]:
        state = await self.current()
        decision = command.decide(state)
        # First on what may be seen, so that nobody builds on the rest; then on all that stands for or against it.
        return decision if state is self.whole else command.decide(self.whole)

    def config_of(self, state: State, subject: Subject) -> Config:
        """The config that decides for a subject."""
        return config_in_force(*state.configs_above(subject), self.policy.defaults)


def normalizes(asked: bool, config: Config, mode: Mode) -> bool:
    """Whether a schema is brought into normal form: asked for or configured, and never while importing."""
    return (asked or bool(config.normalize)) and not mode.importing


def is_everything(subject: Subject) -> bool:
    """Whether settings of this subject hold for all: the whole registry, or all contexts. They are never missing."""
    return subject == EVERYTHING or subject.context == GLOBAL_CONTEXT


def mode_of(state: State, subject: Subject) -> Mode:
    """The mode that decides for a subject."""
    return mode_in_force(*state.modes_above(subject))


def check_writable(state: State, subject: Subject, shown: str | None = None) -> None:
    """Refuse a change of a subject whose mode is read-only; `shown` is how the message names it.

    Raises OperationNotPermitted.
    """
    if mode_of(state, subject).read_only:
        raise OperationNotPermitted(f"Subject {shown or subject} in context {subject.prefix} is in read-only mode")


def stored(subject: Subject, row: Row) -> Stored:
    """A row as an answer."""
    return Stored(
        subject=subject,
        version=row.version,
        id=row.id,
        schema=row.content.schema,
        guid=guid_text(row.content.guid),
        timestamp_ms=row.timestamp_ms or None,  # a draft does not know it yet
        deleted=row.deleted,
    )


def recognised(subject: Subject, row: Row, sent: Content) -> Stored:
    """A row as the answer to who sent its schema: one with the same GUID is answered as sent, so that timestamp and
    deletion are told of an equivalent one only.
    """
    if row.content.guid == sent.guid:
        return fresh(subject, row.version, row.id, sent)
    return stored(subject, row)


def fresh(subject: Subject, version: int, number: int, content: Content) -> Stored:
    """A version that is not logged yet, as an answer: Confluent leaves out its timestamp."""
    return Stored(subject=subject, version=version, id=number, schema=content.schema, guid=guid_text(content.guid))
