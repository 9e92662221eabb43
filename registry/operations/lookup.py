"""Finding a schema that a subject already has.

Follows Confluent's Schema Registry: by content first, then by equivalence from the newest version to the oldest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from registry.errors import InvalidSchema, SchemaNotFound, SubjectNotFound
from registry.formats.protocol import Parsed
from registry.model import DEFAULT_CONTEXT, Config, Schema, Subject
from registry.operations.core import Core, mode_of, normalizes, recognised
from registry.operations.reading import Reading, read, read_stored, sent_schema
from registry.operations.requests import Candidate, Stored
from registry.rows import Row
from registry.rules.contracts import inheriting
from registry.rules.equality import likeness, same_schema
from registry.state import State


class Lookup(Struct, frozen=True):
    """Whether a subject has a schema, and as which version."""

    core: Core
    subject: Subject
    candidate: Candidate
    normalize: bool
    deleted: bool

    def answer(self, state: State) -> Stored:
        """The version that is the schema sent; a bare subject name is also looked for in the other contexts.

        Raises InvalidSchema, SubjectNotFound, SchemaNotFound.
        """
        found = self._find(state, self.subject)
        if found is None and self.subject.context == DEFAULT_CONTEXT:
            # The first of the contexts is the default one, where it was looked for already.
            found = next(filter(None, (self._find_elsewhere(state, context) for context in state.contexts()[1:])), None)
        if found is not None:
            return found
        if not (state.rows(self.subject) if self.deleted else state.latest(self.subject)):
            raise SubjectNotFound(self.subject)
        raise SchemaNotFound

    def _find(self, state: State, subject: Subject) -> Stored | None:
        if self.candidate.is_blank:
            return None
        # Read anew in each context: its config may want normal form, and references mean other versions there.
        config = self.core.config_of(state, subject)
        normalize = normalizes(self.normalize, config, mode_of(state, subject))
        rows = [row for row in reversed(state.rows(subject)) if self.deleted or not row.deleted]
        for schema in self._meant(state, subject, config):
            reading = read(self.core, state, subject, schema, strict=False, normalize=normalize)
            row = find_version(self.core, state, subject, rows, reading)
            if row is not None:
                return recognised(subject, row, reading.content)
        return None

    def _meant(self, state: State, subject: Subject, config: Config) -> Iterator[Schema]:
        """The schema as sent, then with all that it would take from its predecessor if it were registered."""
        sent = sent_schema(self.candidate)
        yield sent
        latest = state.latest(subject)
        if latest is not None:
            inherited = inheriting(sent, config, latest.content.schema)
            if inherited != sent:
                yield inherited

    def _find_elsewhere(self, state: State, context: str) -> Stored | None:
        try:
            return self._find(state, Subject(context, self.subject.name))
        except InvalidSchema:
            return None


def find_version(
    core: Core,
    state: State,
    subject: Subject,
    rows: Sequence[Row],
    sent: Reading,
    *,
    number: int | None = None,
) -> Row | None:
    """The first of these versions of a subject that is the schema sent; number: the id that it must have."""
    if not rows:
        return None
    if number is not None:
        rows = [row for row in rows if row.id == number]
    schema, guid = sent.content.schema, sent.content.guid
    # The same GUID is the same in all that counts, and needs no comparison.
    by_content = next((row for row in rows if row.content.guid == guid), None)
    if by_content is not None:
        return by_content
    # Most versions are told apart by their texts alone, so that they need not be parsed.
    is_like = likeness(schema)
    worth_asking = (row for row in rows if is_like(row.content.schema))
    return next((row for row in worth_asking if _equivalent(core, state, subject, sent, row)), None)


def _equivalent(core: Core, state: State, subject: Subject, sent: Reading, row: Row) -> bool:
    def parse_stored() -> Parsed | None:
        try:
            return read_stored(core, state, subject, row.content.schema)
        except InvalidSchema:
            return None

    return same_schema(row.content.schema, row.version, sent.content.schema, sent.parsed, parse_stored)
