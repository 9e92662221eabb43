"""Registering a schema: the one command that makes versions and ids.

Follows Confluent's Schema Registry step by step: a schema that is there already is answered whatever the mode; then
mode, inheritance, parsing, equality, compatibility, version, id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from registry.errors import IncompatibleSchema, InvalidSchema, OperationNotPermitted, UnparsableSchema
from registry.formats.protocol import InlineTags
from registry.model import DEFAULT_CONTEXT, LATEST, Config, Mode, Schema, Subject
from registry.operations.compatibility import judge_history
from registry.operations.core import Core, fresh, mode_of, stored
from registry.operations.lookup import find_version
from registry.operations.reading import Reading, read, read_stored, sent_schema, source_of, unreadable
from registry.operations.requests import Candidate, Stored
from registry.records import ContextKey, Present, Record, SchemaKey, SchemaValue
from registry.rules.contracts import (
    check_rule_set,
    contract_version,
    inheriting,
    with_contract_version,
)
from registry.rules.subjects import check_subject
from registry.state import Row, State
from registry.writer import Decision

NO_ID = -1
"""The id of a schema that a client leaves to the registry."""


@dataclass(frozen=True, slots=True)
class Register:
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
        check_rule_set(self.candidate.rule_set)
        check_subject(self.subject, empty_allowed=self.core.policy.empty_subject_allowed)
        self.core.languages.check_type(self.candidate.type)
        config = self.core.config_of(state, self.subject)
        normalize = self.normalize or bool(config.normalize)
        known = self._known_already(state, config, normalize)
        if known is not None:
            return Decision(stored(self.subject, known))
        mode = mode_of(state, self.subject)
        _check_mode(mode, self.subject, self.candidate)
        return self._register(state, config, mode, normalize and not mode.importing)

    def _known_already(self, state: State, config: Config, normalize: bool) -> Row | None:
        candidate = self.candidate
        if _changes_tags(candidate) or _has_contract_defaults(config) or not (candidate.text or "").strip():
            return None
        sent = read(
            self.core, state, self.subject, sent_schema(candidate), strict=False, normalize=normalize, deleted=True
        )
        row = find_version(self.core, state, self.subject, sent, latest_only=candidate.version == LATEST)
        if row is None or candidate.id not in (NO_ID, row.id):
            return None
        if candidate.version <= 0:
            return row
        asked_for = state.row(self.subject, candidate.version)
        if asked_for is None or asked_for.deleted or asked_for.id != candidate.id:
            return None
        return asked_for if asked_for.content.guid == row.content.guid else None

    def _register(self, state: State, config: Config, mode: Mode, normalize: bool) -> Decision[Stored]:
        candidate, subject = self.candidate, self.subject
        previous = state.latest(subject)
        next_version = max((row.version for row in state.rows(subject)), default=0) + 1
        sent = sent_schema(candidate)
        if not mode.importing:
            sent = self._inheriting(state, config, sent, previous, next_version)
        strict = candidate.id < 0 and config.validate_new_schemas is not False
        reading = read(self.core, state, subject, sent, strict=strict, normalize=normalize)
        number = self._known_id(state, reading)
        same = self._same_version(state, reading, number)
        if same is not None:
            return Decision(stored(subject, same))
        if not (mode.importing or self.force):
            verdict = judge_history(self.core, state, subject, reading, config)
            if not verdict.compatible:
                raise IncompatibleSchema(subject, verdict.messages)
        version = self._version(mode, next_version)
        number = self._allowed_id(state, reading, number)
        records = tuple(self._records(state, version, number, reading.schema))
        return Decision(fresh(subject, version, number, reading.schema), records)

    def _inheriting(
        self, state: State, config: Config, sent: Schema, previous: Row | None, next_version: int
    ) -> Schema:
        if not sent.text.strip():
            if previous is None:
                raise InvalidSchema("Empty schema")
            before = previous.content.schema
            sent = replace(sent, text=before.text, type=before.type, references=before.references)
        sent = replace(sent, text=self._retagged(state, sent, previous))
        asked = LATEST if _edits_tags(self.candidate) and self.candidate.version == 0 else self.candidate.version
        inherited = inheriting(sent, config, previous.content.schema if previous else None)
        if asked == 0 and contract_version(inherited.metadata) is None:
            return inherited
        return replace(inherited, metadata=with_contract_version(inherited.metadata, next_version))

    def _retagged(self, state: State, sent: Schema, previous: Row | None) -> str:
        candidate = self.candidate
        if not _changes_tags(candidate):
            return sent.text
        try:
            add: Sequence[InlineTags] = candidate.tags_to_add
            if candidate.propagate_tags and previous is not None:
                before = read_stored(self.core, state, self.subject, previous.content.schema)
                add = (*before.tags(), *add)
            return retagged_text(self.core, state, self.subject, sent, add, candidate.tags_to_remove)
        except UnparsableSchema as reason:
            raise unreadable(self.subject, sent, reason.message) from reason

    def _known_id(self, state: State, reading: Reading) -> int | None:
        ids = state.ids_of_guid(self.subject.context, reading.guid)
        if self.candidate.id >= 0:
            return self.candidate.id if self.candidate.id in ids else None
        return ids[0] if ids else None

    def _same_version(self, state: State, reading: Reading, number: int | None) -> Row | None:
        if self.candidate.version != 0:
            return None
        row = find_version(self.core, state, self.subject, reading)
        if row is None or self.candidate.id not in (NO_ID, row.id):
            return next((row for row in state.live_rows(self.subject) if row.id == number), None)
        return row

    def _version(self, mode: Mode, next_version: int) -> int:
        asked = self.candidate.version
        if asked <= 0:
            return next_version
        if asked != next_version and not mode.importing:
            raise InvalidSchema("Version is not one more than previous version")
        return asked

    def _allowed_id(self, state: State, reading: Reading, number: int | None) -> int:
        context = self.subject.context
        if number is not None:
            return number
        if self.candidate.id < 0:
            return state.highest_id(context) + 1
        held = state.holding(context, self.candidate.id)
        if held is not None and held.content.guid != reading.guid:
            raise OperationNotPermitted(
                f"Overwrite new schema with id {self.candidate.id} in context {self.subject.prefix} is not permitted."
            )
        return self.candidate.id

    def _records(self, state: State, version: int, number: int, schema: Schema) -> Iterator[Record]:
        subject = self.subject
        if subject.context != DEFAULT_CONTEXT and not state.has_context(subject.context):
            yield Record(ContextKey(subject.context), Present())
        for row in state.rows(subject):
            superseded = row.deleted and row.id == number and row.version != version
            if superseded and next(state.referrers(subject, row.version), None) is None:
                yield Record(SchemaKey(subject, row.version), None)
        yield Record(SchemaKey(subject, version), SchemaValue(number, schema))


def retagged_text(
    core: Core, state: State, subject: Subject, sent: Schema, add: Sequence[InlineTags], remove: Sequence[InlineTags]
) -> str:
    """The text of a schema after adding, then removing inline tags.

    Raises UnparsableSchema when the text cannot be read or a path names nothing in it.
    """
    source = source_of(core, state, subject, sent, strict=False, deleted=True)
    return core.languages.parse(source).retagged(add, remove)


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


def _changes_tags(candidate: Candidate) -> bool:
    return candidate.propagate_tags or _edits_tags(candidate)


def _has_contract_defaults(config: Config) -> bool:
    return any((config.default_metadata, config.override_metadata, config.default_rule_set, config.override_rule_set))
