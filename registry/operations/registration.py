"""Registering a schema: the one command that makes versions and ids.

Follows Confluent's Schema Registry step by step: a schema that is there already is answered whatever the mode; then
mode, inheritance, parsing, equality, compatibility, version, id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from registry.errors import IncompatibleSchema, InvalidSchema, OperationNotPermitted, StoreFailed, UnparsableSchema
from registry.formats.protocol import InlineTags
from registry.model import LATEST, MAX_INT, Config, Mode, Reference, Schema, Subject
from registry.operations.compatibility import judge_against
from registry.operations.core import Core, fresh, mode_of, normalizes, recognised, stored
from registry.operations.lookup import find_version
from registry.operations.reading import Reading, read, read_stored, sent_schema, unreadable
from registry.operations.requests import Candidate, Stored
from registry.questions import Question, overheard
from registry.records import ContextKey, Present, Record, SchemaKey, SchemaValue
from registry.rows import Content, Row
from registry.rules.contracts import (
    VERSION_PROPERTY,
    check_rule_set,
    inheriting,
    property_of,
    with_contract_version,
)
from registry.rules.subjects import check_subject
from registry.state import State, referred_subject
from registry.writer import Decision

NO_CONTRACTS: Final = (None, None, None, None)


class _Met(Struct, frozen=True, gc=False):
    """What a registration meets: the schema as sent with its tags edited, what is in force, and the live versions,
    newest first.
    """

    sent: Schema
    config: Config
    mode: Mode
    live: Sequence[Row]
    next_version: int


class Register(Struct, frozen=True, gc=False):
    """Make a schema a version of a subject."""

    core: Core
    subject: Subject
    candidate: Candidate
    normalize: bool = False
    force: bool = False

    def decide(self, state: State) -> Decision[Stored]:
        """Answer with the version that the schema has, or make it one.

        Raises InvalidRuleSet, InvalidSubject, InvalidSchema, OperationNotPermitted, IncompatibleSchema, and StoreFailed
        when no version or id is left.
        """
        found = self.consider(state)
        return found.decide(state) if isinstance(found, NewVersion) else Decision(found)

    def foreseen(self, state: State) -> Stored | ForeseenVersion:
        """The version that the schema has already, or the command that makes it one, thought through on this state.

        Raises as `decide` does.
        """
        with overheard() as questions:
            found = self.consider(state)
        return ForeseenVersion(self, found, questions) if isinstance(found, NewVersion) else found

    def consider(self, state: State) -> Stored | NewVersion:
        """The version that the schema has already, or the one that it would become.

        Raises as `decide` does.
        """
        candidate, subject = self.candidate, self.subject
        check_rule_set(candidate.rule_set)
        check_subject(subject, empty_allowed=self.core.policy.empty_subject_allowed)
        met = self._met(state)
        reading = self._as_sent(state, met)
        # Before the mode is asked: what is there already is answered in a read-only subject too.
        known = self._known_already(state, met, reading) if reading else None
        if reading and known:
            asks_for_latest = self.candidate.version == LATEST
            return stored(subject, known) if asks_for_latest else recognised(subject, known, reading.content)
        _check_mode(met.mode, subject, candidate)
        return self._consider_new(state, met, reading)

    def _met(self, state: State) -> _Met:
        subject, rows = self.subject, state.rows(self.subject)
        sent = sent_schema(self.candidate)
        return _Met(
            sent if self.candidate.is_blank else self._retagged(state, sent),
            self.core.config_of(state, subject),
            mode_of(state, subject),
            [row for row in reversed(rows) if not row.deleted],
            rows[-1].version + 1 if rows else 1,
        )

    @property
    def _asked_id(self) -> int | None:
        return self.candidate.id if self.candidate.id >= 0 else None

    @property
    def _asked_version(self) -> int:
        # Edited tags make a new version even of a schema that is there already.
        return LATEST if self.candidate.version == 0 and _edits_tags(self.candidate) else self.candidate.version

    def _as_sent(self, state: State, met: _Met) -> Reading | None:
        """The schema as sent, when a version that is the same may be the answer whatever the mode."""
        candidate = self.candidate
        if candidate.propagate_tags or _edits_tags(candidate) or candidate.is_blank or _has_contracts(met.config):
            return None
        return self._read(state, met, met.sent, strict=False)

    def _read(self, state: State, met: _Met, schema: Schema, *, strict: bool) -> Reading:
        normalize = normalizes(self.normalize, met.config, met.mode)
        return read(self.core, state, self.subject, schema, strict=strict, normalize=normalize)

    def _known_already(self, state: State, met: _Met, reading: Reading) -> Row | None:
        candidate = self.candidate
        # Who asks for a version after the latest one wants to repeat that one at most.
        rows = met.live[:1] if candidate.version == LATEST else met.live
        row = find_version(self.core, state, self.subject, rows, reading, number=self._asked_id)
        if row is None or candidate.version in (0, LATEST):
            return row
        # An import names id and version: only the very row that has both is the one that it repeats.
        asked_for = state.row(self.subject, candidate.version) if candidate.id == row.id else None
        if asked_for is None or asked_for.deleted or asked_for.id != row.id:
            return None
        return asked_for if asked_for.content.guid == row.content.guid else None

    def _consider_new(self, state: State, met: _Met, as_sent: Reading | None) -> Stored | NewVersion:
        subject = self.subject
        schema = self._completed(state, met)
        reading = self._read_as_new(state, met, schema, as_sent)
        _check_associations(state, subject, schema.references)
        # What was sent has been looked for already; what it took from its predecessor may make it another.
        looked_for = as_sent is not None and as_sent.content == reading.content
        same = None if looked_for or self._asked_version != 0 else self._same_version(state, met, reading)
        if same is not None:
            return fresh(subject, same.version, same.id, reading.content)
        if not (met.mode.importing or self.force):
            verdict = judge_against(self.core, state, subject, reading, met.config, met.live)
            if not verdict.compatible:
                raise IncompatibleSchema(subject, verdict.messages)
        return NewVersion(subject, self._version(met), reading.content, self._asked_id)

    def _read_as_new(self, state: State, met: _Met, schema: Schema, as_sent: Reading | None) -> Reading:
        strict = self._asked_id is None and met.config.validate_new_schemas is not False
        # References mean something else in a new schema, which may not refer to what is soft-deleted.
        if as_sent is None or schema.references or schema != met.sent:
            return self._read(state, met, schema, strict=strict)
        if strict and as_sent.fault is not None:
            raise unreadable(state, self.subject, schema, as_sent.fault)
        return as_sent

    def _completed(self, state: State, met: _Met) -> Schema:
        """The schema as sent, with all that it takes from its predecessor and the config."""
        sent, mode = met.sent, met.mode
        # What is imported stands for itself and takes nothing from a predecessor.
        before = met.live[0].content.schema if met.live and not mode.importing else None
        if self.candidate.is_blank and not mode.importing:
            if before is None:
                raise InvalidSchema("Empty schema")
            taken = replace(sent, text=before.text, type=before.type, references=before.references)
            sent = self._retagged(state, taken)
        if self.candidate.propagate_tags and before is not None:
            tags = read_stored(self.core, state, self.subject, before).tags()
            sent = retagged(self.core, state, self.subject, sent, tags, ())
        if mode.importing:
            return sent
        inherited = inheriting(sent, met.config, before)
        if self._asked_version == 0 and property_of(inherited.metadata, VERSION_PROPERTY) is None:
            return inherited
        return replace(inherited, metadata=with_contract_version(inherited.metadata, met.next_version))

    def _retagged(self, state: State, sent: Schema) -> Schema:
        add, remove = self.candidate.tags_to_add, self.candidate.tags_to_remove
        return retagged(self.core, state, self.subject, sent, add, remove)

    def _same_version(self, state: State, met: _Met, reading: Reading) -> Row | None:
        known = known_id(state, self.subject.context, reading.content, self._asked_id)
        # A content that has an id already becomes a version with that id, whatever is equivalent under another.
        number = self._asked_id if known is None else known
        row = find_version(self.core, state, self.subject, met.live, reading, number=number)
        return row or next((row for row in reversed(met.live) if row.id == known), None)

    def _version(self, met: _Met) -> int:
        asked = self.candidate.version
        if asked <= 0:
            if met.next_version > MAX_INT:
                raise StoreFailed(f"No version is left in subject {self.subject}")
            return met.next_version
        # An import may fill gaps, and bring versions in any order.
        if asked != met.next_version and not met.mode.importing:
            raise InvalidSchema("Version is not one more than previous version")
        return asked


class NewVersion(Struct, frozen=True, gc=False):
    """A version that is to be made, with all but its id, which only the moment of writing can give."""

    subject: Subject
    version: int
    content: Content
    asked_id: int | None

    def decide(self, state: State) -> Decision[Stored]:
        """Make the version, with the id that its content has in the context, or the next one.

        Raises OperationNotPermitted when the id asked for means something else, StoreFailed when none is left.
        """
        known = known_id(state, self.subject.context, self.content, self.asked_id)
        number = self._allowed_id(state) if known is None else known
        records = tuple(self._records(state, number))
        return Decision(fresh(self.subject, self.version, number, self.content), records)

    def _allowed_id(self, state: State) -> int:
        context, asked = self.subject.context, self.asked_id
        if asked is None:
            highest = state.highest_id(context)
            if highest >= MAX_INT:
                raise StoreFailed(f"No schema id is left in context {context}")
            return highest + 1
        held = state.holding(context, asked)
        # An id that means this already may be held by another version as well.
        if held is not None and held.content.guid != self.content.guid:
            raise OperationNotPermitted(
                f"Overwrite new schema with id {asked} in context {self.subject.prefix} is not permitted."
            )
        return asked

    def _records(self, state: State, number: int) -> Iterator[Record]:
        subject, version, content = self.subject, self.version, self.content
        if not state.has_context(subject.context):
            yield Record(ContextKey(subject.context), Present())
        for row in state.rows(subject):
            # A schema that comes back gets a new version, and its soft-deleted ones go, unless something refers to
            # just them.
            superseded = row.deleted and row.id == number and row.version < version
            if superseded and next(state.referrers(subject, row.version), None) is None:
                yield Record(SchemaKey(subject, row.version), None)
        yield Record(SchemaKey(subject, version), SchemaValue(number, content.schema, computed=content.guid))


class ForeseenVersion(Struct, frozen=True, gc=False):
    """A registration that was thought through before its turn, and is anew only if something changed since."""

    wish: Register
    found: NewVersion
    questions: Mapping[Question, int]

    def decide(self, state: State) -> Decision[Stored]:
        """Decide as the wish does; raises what it raises."""
        if state.holds(self.questions.items()):
            return self.found.decide(state)
        return self.wish.decide(state)


def known_id(state: State, context: str, content: Content, asked: int | None) -> int | None:
    """The id that a content has in a context: the one asked for if that is one of them, else the last written."""
    ids = state.ids_of_guid(context, content.guid)
    if asked is not None:
        return asked if asked in ids else None
    if len(ids) < 2:
        return next(iter(ids), None)
    return max(ids, key=lambda number: held.stamp if (held := state.holding(context, number)) else 0)


def retagged(
    core: Core, state: State, subject: Subject, sent: Schema, add: Sequence[InlineTags], remove: Sequence[InlineTags]
) -> Schema:
    """A schema after adding, then removing inline tags.

    Raises InvalidSchema when the language is unknown, the text cannot be read, or a path names nothing in it.
    """
    if not (add or remove):
        return sent
    core.languages.check_type(sent.type)
    parsed = read_stored(core, state, subject, sent)
    try:
        return replace(sent, text=parsed.retagged(add, remove))
    except UnparsableSchema as reason:
        # With the name of Java's exception, as Confluent's registry says it.
        raise InvalidSchema(f"java.lang.IllegalArgumentException: {reason.message}") from reason


def _check_associations(state: State, subject: Subject, references: Sequence[Reference]) -> None:
    if not references:
        return
    targets = {referred_subject(subject, name): name for reference in references if (name := reference.subject)}
    for association, _, _ in state.associations():
        if association.lifecycle == "STRONG" and association.subject in targets:
            name = targets[association.subject]
            raise OperationNotPermitted(f"Subject '{name}' has a strong association and cannot be referenced")


def _check_mode(mode: Mode, subject: Subject, candidate: Candidate) -> None:
    if mode.read_only:
        fault = "in read-only mode"
    elif candidate.id >= 0 and not mode.importing:
        fault = "not in import mode"
    elif candidate.id < 0 and mode.importing:
        fault = "not in read-write mode"
    else:
        return
    raise OperationNotPermitted(f"Subject {subject} in context {subject.prefix} is {fault}")


def _edits_tags(candidate: Candidate) -> bool:
    return bool(candidate.tags_to_add or candidate.tags_to_remove)


def _has_contracts(config: Config) -> bool:
    """Whether a schema may take metadata or rules from the config."""
    contracts = (config.default_metadata, config.override_metadata, config.default_rule_set, config.override_rule_set)
    return contracts != NO_CONTRACTS
