"""Registering a schema: the one command that makes versions and ids.

Follows Confluent's Schema Registry step by step: a schema that is there already is answered whatever the mode; then
mode, inheritance, parsing, equality, compatibility, version, id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from registry.errors import IncompatibleSchema, InvalidSchema, OperationNotPermitted, StoreFailed, UnparsableSchema
from registry.formats.protocol import InlineTags
from registry.model import LATEST, MAX_INT, Config, Mode, Reference, Schema, Subject
from registry.operations.compatibility import judge_history
from registry.operations.core import Core, fresh, mode_of, normalizes, stored
from registry.operations.lookup import find_version
from registry.operations.reading import Reading, check_as_new, read, read_stored, sent_schema, unreadable
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


class Register(Struct, frozen=True, gc=False):
    """Make a schema a version of a subject."""

    core: Core
    subject: Subject
    candidate: Candidate
    normalize: bool = False
    force: bool = False

    def decide(self, state: State) -> Decision[Stored]:
        """Answer with the version that the schema has, or make it one.

        Raises InvalidRuleSet, InvalidSubject, InvalidSchema, OperationNotPermitted, IncompatibleSchema.
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
        check_rule_set(self.candidate.rule_set)
        check_subject(self.subject, empty_allowed=self.core.policy.empty_subject_allowed)
        config, mode = self.core.config_of(state, self.subject), mode_of(state, self.subject)
        sent = self._sent(state, config, mode)
        known = self._known_already(state, sent) if sent else None
        if known is not None:
            return stored(self.subject, known)
        _check_mode(mode, self.subject, self.candidate)
        return self._consider_new(state, config, mode, sent)

    @property
    def _asked_id(self) -> int | None:
        return self.candidate.id if self.candidate.id >= 0 else None

    @property
    def _asked_version(self) -> int:
        # Edited tags make a new version even of a schema that is there already.
        return LATEST if self.candidate.version == 0 and _edits_tags(self.candidate) else self.candidate.version

    def _sent(self, state: State, config: Config, mode: Mode) -> Reading | None:
        """The schema as sent, when a version that is the same may be the answer whatever the mode."""
        candidate = self.candidate
        if candidate.propagate_tags or _edits_tags(candidate) or _has_contract_defaults(config) or candidate.is_blank:
            return None
        normalize = normalizes(self.normalize, config, mode)
        return read(self.core, state, self.subject, sent_schema(candidate), strict=False, normalize=normalize)

    def _known_already(self, state: State, sent: Reading) -> Row | None:
        candidate = self.candidate
        latest_only = candidate.version == LATEST
        row = find_version(self.core, state, self.subject, sent, latest_only=latest_only, number=self._asked_id)
        if row is None or candidate.version in (0, LATEST):
            return row
        asked_for = state.row(self.subject, candidate.version) if candidate.id == row.id else None
        if asked_for is None or asked_for.deleted or asked_for.id != row.id:
            return None
        return asked_for if asked_for.content.guid == row.content.guid else None

    def _consider_new(self, state: State, config: Config, mode: Mode, sent: Reading | None) -> Stored | NewVersion:
        subject, rows = self.subject, state.rows(self.subject)
        next_version = rows[-1].version + 1 if rows else 1
        schema = self._completed(state, config, mode, next_version)
        reading = self._read(state, schema, config, mode, sent)
        _check_associations(state, subject, schema.references)
        # What was sent has been looked for already; what it took from its predecessor may make it another.
        looked_for = sent is not None and sent.content == reading.content
        same = None if looked_for or self._asked_version != 0 else self._same_version(state, reading)
        if same is not None:
            return stored(subject, same)
        if not (mode.importing or self.force):
            verdict = judge_history(self.core, state, subject, reading, config)
            if not verdict.compatible:
                raise IncompatibleSchema(subject, verdict.messages)
        return NewVersion(subject, self._version(mode, next_version), reading.content, self._asked_id)

    def _read(self, state: State, schema: Schema, config: Config, mode: Mode, sent: Reading | None) -> Reading:
        strict = self._asked_id is None and config.validate_new_schemas is not False
        # References mean something else in a new schema, which may not refer to what is soft-deleted.
        if sent is None or schema.references or schema != sent_schema(self.candidate):
            normalize = normalizes(self.normalize, config, mode)
            return read(self.core, state, self.subject, schema, strict=strict, normalize=normalize)
        if strict:
            check_as_new(self.core, state, self.subject, schema)
        return sent

    def _completed(self, state: State, config: Config, mode: Mode, next_version: int) -> Schema:
        """The schema as sent, with its tags edited and with all that it takes from its predecessor and the config."""
        sent, previous = sent_schema(self.candidate), None if mode.importing else state.latest(self.subject)
        before = previous.content.schema if previous else None
        if self.candidate.is_blank and not mode.importing:
            if before is None:
                raise InvalidSchema("Empty schema")
            sent = replace(sent, text=before.text, type=before.type, references=before.references)
        sent = self._retagged(state, sent, before)
        if mode.importing:
            return sent
        inherited = inheriting(sent, config, before)
        if self._asked_version == 0 and property_of(inherited.metadata, VERSION_PROPERTY) is None:
            return inherited
        return replace(inherited, metadata=with_contract_version(inherited.metadata, next_version))

    def _retagged(self, state: State, sent: Schema, before: Schema | None) -> Schema:
        add: Sequence[InlineTags] = self.candidate.tags_to_add
        if self.candidate.propagate_tags and before is not None:
            add = (*read_stored(self.core, state, self.subject, before).tags(), *add)
        return retagged(self.core, state, self.subject, sent, add, self.candidate.tags_to_remove)

    def _same_version(self, state: State, reading: Reading) -> Row | None:
        row = find_version(self.core, state, self.subject, reading, number=self._asked_id)
        number = known_id(state, self.subject.context, reading.content, self._asked_id)
        return row or next((row for row in state.live_rows(self.subject) if row.id == number), None)

    def _version(self, mode: Mode, next_version: int) -> int:
        asked = self.candidate.version
        if asked <= 0:
            return next_version
        if asked != next_version and not mode.importing:
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
            if state.highest_id(context) >= MAX_INT:
                raise StoreFailed(f"No schema id is left in context {context}")
            return state.highest_id(context) + 1
        held = state.holding(context, asked)
        if held is not None and held.content.guid != self.content.guid:
            raise OperationNotPermitted(
                f"Overwrite new schema with id {asked} in context {self.subject.prefix} is not permitted."
            )
        return asked

    def _records(self, state: State, number: int) -> Iterator[Record]:
        subject, version = self.subject, self.version
        if not state.has_context(subject.context):
            yield Record(ContextKey(subject.context), Present())
        for row in state.rows(subject):
            superseded = row.deleted and row.id == number and row.version < version
            if superseded and next(state.referrers(subject, row.version), None) is None:
                yield Record(SchemaKey(subject, row.version), None)
        yield Record(SchemaKey(subject, version), SchemaValue(number, self.content.schema))


class ForeseenVersion(Struct, frozen=True, gc=False):
    """A registration that was thought through before its turn, and is anew only if something changed since."""

    wish: Register
    found: NewVersion
    questions: Mapping[Question, int]

    def decide(self, state: State) -> Decision[Stored]:
        """Decide as the wish does; raises what it raises."""
        if all(state.stamp_of(question) == stamp for question, stamp in self.questions.items()):
            return self.found.decide(state)
        return self.wish.decide(state)


def known_id(state: State, context: str, content: Content, asked: int | None) -> int | None:
    """The id that a content has in a context: the one asked for if that is one of them, else the lowest."""
    ids = state.ids_of_guid(context, content.guid)
    if asked is not None:
        return asked if asked in ids else None
    return ids[0] if ids else None


def retagged(
    core: Core, state: State, subject: Subject, sent: Schema, add: Sequence[InlineTags], remove: Sequence[InlineTags]
) -> Schema:
    """A schema after adding, then removing inline tags.

    Raises InvalidSchema when the text cannot be read or a path names nothing in it.
    """
    if not (add or remove):
        return sent
    parsed = read_stored(core, state, subject, sent)
    try:
        return replace(sent, text=parsed.retagged(add, remove))
    except UnparsableSchema as reason:
        raise unreadable(subject, sent, reason.message) from reason


def _check_associations(state: State, subject: Subject, references: Sequence[Reference]) -> None:
    targets = {referred_subject(subject, name): name for reference in references if (name := reference.subject)}
    for association, _, _ in state.associations() if targets else ():
        if association.lifecycle == "STRONG" and association.subject in targets:
            name = targets[association.subject]
            raise OperationNotPermitted(f"Subject '{name}' has a strong association and cannot be referenced")


def _check_mode(mode: Mode, subject: Subject, candidate: Candidate) -> None:
    place = f"Subject {subject} in context {subject.prefix}"
    if mode.read_only:
        raise OperationNotPermitted(f"{place} is in read-only mode")
    if candidate.id >= 0 and not mode.importing:
        raise OperationNotPermitted(f"{place} is not in import mode")
    if candidate.id < 0 and mode.importing:
        raise OperationNotPermitted(f"{place} is not in read-write mode")


def _edits_tags(candidate: Candidate) -> bool:
    return bool(candidate.tags_to_add or candidate.tags_to_remove)


def _has_contract_defaults(config: Config) -> bool:
    contracts = (config.default_metadata, config.override_metadata, config.default_rule_set, config.override_rule_set)
    return any(contract is not None for contract in contracts)
