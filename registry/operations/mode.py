"""Modes of subjects, contexts and the whole registry.

Follows Confluent's Schema Registry; entering IMPORT wants an empty place, and sweeps what is soft-deleted there.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from registry.configured import EVERYWHERE
from registry.errors import (
    InvalidMode,
    OperationNotPermitted,
    ReferenceExists,
    SubjectModeNotFound,
    SubjectNotFound,
)
from registry.model import Mode, Subject
from registry.operations.core import Core, is_everything, mode_of
from registry.operations.requests import Plan
from registry.records import EVERYTHING, ClearSubjectKey, ModeKey, Present, Record, SchemaKey
from registry.rules.subjects import check_subject
from registry.state import State
from registry.writer import Decision


class Modes:
    """What can be asked of modes, and what changes them; the subject EVERYTHING is the whole registry."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def get(self, subject: Subject, *, default_to_global: bool = False) -> Mode:
        """The mode set for a subject, or with `default_to_global` the one in force.

        Raises SubjectModeNotFound.
        """
        state = await self._core.current()
        if default_to_global:
            return mode_of(state, subject)
        own = state.mode(subject)
        if own is None and not is_everything(subject):
            raise SubjectModeNotFound(subject)
        # The registry as a whole always has a mode, set or not.
        return own or Mode.READWRITE

    async def put(
        self,
        subject: Subject,
        mode: Mode | None,
        *,
        force: bool = False,
        dry_run: bool = False,
    ) -> Mode | Plan | None:
        """Set the mode of a subject, None clears it; `force` enters IMPORT whatever is there.

        Raises InvalidSubject, InvalidMode, OperationNotPermitted, ReferenceExists.
        """
        if subject != EVERYTHING:
            check_subject(subject, global_allowed=True)
        if mode is Mode.FORWARD and subject != EVERYWHERE:
            raise InvalidMode("Forward mode only supported on global level")
        self._check_mutable()
        return await self._core.carry_out(PutMode(subject, mode, force), dry_run)

    async def delete(self, subject: Subject, *, recursive: bool = False, dry_run: bool = False) -> Mode | Plan | None:
        """Remove the mode of a subject, `recursive` also those of all subjects in it; the answer is what was set.

        Raises SubjectNotFound when none was and not recursive, OperationNotPermitted.
        """
        if not self._core.policy.mode_mutable:
            # That nothing is set is said first.
            DeleteMode(subject, recursive).decide(await self._core.current())
            self._check_mutable()
        return await self._core.carry_out(DeleteMode(subject, recursive), dry_run)

    def _check_mutable(self) -> None:
        if not self._core.policy.mode_mutable:
            raise OperationNotPermitted("Mode changes are not allowed")


class PutMode(Struct, frozen=True):
    """Set or clear the mode of a subject."""

    subject: Subject
    mode: Mode | None
    force: bool

    def decide(self, state: State) -> Decision[Mode | None]:
        """Raise what stands against entering IMPORT."""
        subject = self.subject
        # Set again it sweeps nothing: what was imported meanwhile is not to be lost.
        if state.mode(subject) is self.mode:
            return Decision(self.mode)
        # Whoever is in a place that imports already has been let in before.
        entering = self.mode is Mode.IMPORT and not self.force and mode_of(state, subject) is not Mode.IMPORT
        swept = tuple(_swept(state, subject)) if entering else ()
        return Decision(self.mode, (*swept, Record(ModeKey(subject), self.mode)))


def _swept(state: State, scope: Subject) -> Iterator[Record]:
    # In order of their names, so that what a dry run tells is what will be written.
    subjects = sorted(state.subjects_in_scope(scope), key=str)
    if any(state.latest(subject) for subject in subjects):
        raise OperationNotPermitted("Cannot import since found existing subjects")
    for subject in subjects:
        for row in state.rows(subject):
            if next(state.referrers(subject, row.version), None) is not None:
                raise ReferenceExists(subject, row.version)
            yield Record(SchemaKey(subject, row.version), None)
    # Behind the tombstones, as Confluent has it: its readers drop by this what they hold as soft-deleted.
    yield Record(ClearSubjectKey(scope), Present())


class DeleteMode(Struct, frozen=True):
    """Remove the mode of a subject, and of all subjects in it."""

    subject: Subject
    recursive: bool

    def decide(self, state: State) -> Decision[Mode | None]:
        """Raise SubjectNotFound when none is set and none below is asked for."""
        subject, own = self.subject, state.mode(self.subject)
        if own is None and not is_everything(subject) and not self.recursive:
            raise SubjectNotFound(subject)
        whole = subject == EVERYTHING or subject.is_context
        # Only a place that has subjects in it can be cleared with them; for a subject there is nothing below.
        below = sorted(state.modes_within(subject), key=str) if self.recursive and whole else []
        cleared = [*([subject] if own is not None else []), *below]
        answer = own or (Mode.READWRITE if is_everything(subject) else None)
        return Decision(answer, tuple(Record(ModeKey(name), None) for name in cleared))
