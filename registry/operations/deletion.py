"""Deleting subjects and versions, softly or for good, and taking a soft delete back.

Follows Confluent's Schema Registry: what exists is asked before the mode, the mode before references.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from registry.errors import (
    IncompatibleSchema,
    NoActiveVersion,
    OperationNotPermitted,
    ReferenceExists,
    SubjectAssociated,
    SubjectNotFound,
    SubjectNotSoftDeleted,
    SubjectSoftDeleted,
    VersionNotFound,
    VersionNotSoftDeleted,
    VersionSoftDeleted,
)
from registry.model import LATEST, Subject
from registry.operations.compatibility import judge_against, same_group
from registry.operations.core import Core, check_writable, stored
from registry.operations.reading import Reading, read_stored
from registry.operations.requests import Stored
from registry.records import EVERYTHING, ConfigKey, DeletedUpTo, DeleteSubjectKey, ModeKey, Record, SchemaKey
from registry.rows import Row
from registry.state import State
from registry.writer import Decision


class DeleteSubject(Struct, frozen=True):
    """Delete all versions of a subject; the answer is their numbers."""

    subject: Subject
    permanent: bool

    def decide(self, state: State) -> Decision[list[int]]:
        """Raise what stands against it: existence, mode, associations, references, in this order."""
        subject, rows, live = self.subject, state.rows(self.subject), state.live_rows(self.subject)
        if not rows:
            raise SubjectNotFound(subject)
        if not (self.permanent or live):
            raise SubjectSoftDeleted(subject)
        check_writable(state, subject)
        if _is_associated(state, subject):
            raise SubjectAssociated(subject)
        doomed = rows if self.permanent else live
        for row in doomed:
            # Versions of the subject that refer to each other go together.
            _check_unreferenced(state, subject, row, self.permanent, same_subject=False)
            if self.permanent and not row.deleted:
                raise SubjectNotSoftDeleted(subject)
        numbers = [row.version for row in doomed]
        if not self.permanent:
            # One record stands for all of them, since it covers every version up to the one that it names.
            return Decision(numbers, (Record(DeleteSubjectKey(subject), DeletedUpTo(numbers[-1])),))
        # The highest first, as Confluent writes them.
        tombstones = (Record(SchemaKey(subject, number), None) for number in reversed(numbers))
        return Decision(numbers, (*tombstones, *_forgotten_settings(state, subject)))


class DeleteVersion(Struct, frozen=True):
    """Delete one version of a subject (LATEST: the highest live one); the answer is its number."""

    subject: Subject
    version: int
    permanent: bool

    def decide(self, state: State) -> Decision[int]:
        """Raise what stands against it: existence, mode, associations, references, in this order."""
        subject = self.subject
        row = state.latest(subject) if self.version == LATEST else state.row(subject, self.version)
        if row is None:
            raise VersionNotFound(self.version) if state.rows(subject) else SubjectNotFound(subject)
        if row.deleted and not self.permanent:
            raise VersionSoftDeleted(subject, row.version)
        check_writable(state, subject)
        # An association needs a live version to stand on, but does not care which.
        if not self.permanent and _is_associated(state, subject) and len(state.live_rows(subject)) == 1:
            raise NoActiveVersion(subject)
        _check_unreferenced(state, subject, row, self.permanent, same_subject=True)
        key = SchemaKey(subject, row.version)
        if not self.permanent:
            return Decision(row.version, (Record(key, row.value(deleted=True)),))
        if not row.deleted:
            raise VersionNotSoftDeleted(subject, row.version)
        # What is set for a subject goes with its last version.
        last = len(state.rows(subject)) == 1
        return Decision(row.version, (Record(key, None), *(_forgotten_settings(state, subject) if last else ())))


class Undelete(Struct, frozen=True):
    """Make a soft-deleted version live again, under its own number and id."""

    core: Core
    subject: Subject
    version: int
    force: bool

    def decide(self, state: State) -> Decision[Stored]:
        """Raise SubjectNotFound, VersionNotFound, OperationNotPermitted, InvalidSchema or IncompatibleSchema."""
        subject, row = self.subject, state.row(self.subject, self.version)
        if row is None:
            raise VersionNotFound(self.version) if state.rows(subject) else SubjectNotFound(subject)
        check_writable(state, subject)
        if not row.deleted:
            raise OperationNotPermitted(f"Subject '{subject}' Version {row.version} is not soft deleted")
        reading = Reading(row.content, read_stored(self.core, state, subject, row.content.schema, revived=True))
        if not self.force:
            self._check_neighbours(state, row, reading)
        record = Record(SchemaKey(subject, row.version), row.value(deleted=False))
        return Decision(stored(subject, replace(row, deleted=False)), (record,))

    def _check_neighbours(self, state: State, row: Row, reading: Reading) -> None:
        """Judge the version as if it had been there all the time, later ones too: it is among what they follow."""
        core, subject, config = self.core, self.subject, self.core.config_of(state, self.subject)
        group = same_group(reading.content, config, state.live_rows(subject))
        older = [other for other in reversed(group) if other.version < row.version]
        later = [other for other in group if other.version > row.version]
        verdicts = [judge_against(core, state, subject, reading, config, older)]
        for other in later if config.compatibility_level and config.compatibility_level.transitive else later[:1]:
            successor = Reading(other.content, read_stored(core, state, subject, other.content.schema))
            verdicts.append(judge_against(core, state, subject, successor, config, [row]))
        for verdict in verdicts:
            if not verdict.compatible:
                raise IncompatibleSchema(subject, verdict.messages)


def _check_unreferenced(state: State, subject: Subject, row: Row, permanent: bool, *, same_subject: bool) -> None:
    for referrer, other in state.referrers(subject, row.version):
        # Only who is live holds a soft delete back; for good, a soft-deleted referrer could not be brought back
        # either.
        counts = (permanent or not other.deleted) and (same_subject or referrer != subject)
        if counts:
            raise ReferenceExists(subject, row.version)


def _is_associated(state: State, subject: Subject) -> bool:
    return any(association.subject == subject for association, _, _ in state.associations())


def _forgotten_settings(state: State, subject: Subject) -> Iterator[Record]:
    if subject == EVERYTHING:
        # What is set under the empty name is not the empty subject's own.
        return
    if state.mode(subject) is not None:
        yield Record(ModeKey(subject), None)
    if state.config(subject) is not None:
        yield Record(ConfigKey(subject), None)
