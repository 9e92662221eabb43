"""What the log adds up to: every version, id, config and mode, and every question that can be asked of them.

`State.advance` is the only code that changes the live state. Replay never judges: it follows the records, counts what
it cannot read, and lets the first text bound to an id win. Owns meaning; refuses to know HTTP, schema languages and
storage. Follows the reader's rules of Confluent's `_schemas` topic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from itertools import chain, starmap, zip_longest
from sys import intern
from typing import Any, Final

from msgspec.structs import replace

from registry.configured import EVERYWHERE, Configured
from registry.envelope import Batch, Logged
from registry.marks import Marks
from registry.model import DEFAULT_CONTEXT, GLOBAL_CONTEXT, Schema, Subject
from registry.names import Named, Names
from registry.questions import ANYTHING, Question, ask, ask_anything
from registry.records import (
    EVERYTHING,
    ClearSubjectKey,
    ConfigKey,
    DeletedUpTo,
    DeleteSubjectKey,
    IdMarks,
    Key,
    ModeKey,
    NoopKey,
    Record,
    SchemaKey,
    SchemaValue,
    UnreadableRecordError,
    Value,
    read_record,
)
from registry.rows import NOTHING, Content, Counts, Holding, Id, Row, Versions, index_of, row_of
from registry.rules.subjects import in_pieces
from registry.snapshot import Histories, Holders, Meanings, Part, Referrers, Rest, histories, meanings, rows_of
from registry.tables import Groups, Overlay


class GapError(Exception):
    """A batch does not continue where the state ends."""


PIECE: Final = 256
"""How many holders of an id are told at a time."""


class State(Configured):
    """The registry at one position of the log; see `draft` for a copy that can be thrown away."""

    def __init__(self) -> None:
        super().__init__()
        self.unreadable_records = 0
        self.conflicting_records = 0
        self._live_versions = self._deleted_versions = 0
        self._subjects: MutableMapping[Subject, Versions] = {}
        self._names = Names()
        self._marks = Marks()
        self._ids: MutableMapping[Id, Holding] = {}
        self._highest_ids: MutableMapping[str, int] = {}
        self._ids_by_guid: Groups[tuple[str, bytes], int] = Groups()
        self._holders: Groups[Id, SchemaKey] = Groups()
        self._referrers: Groups[SchemaKey, SchemaKey] = Groups()

    def draft(self) -> State:
        """A state on top of this one: it answers the same, takes records, and leaves this one as it is."""
        draft = State()
        draft._stand_on(self)
        draft._subjects = Overlay(self._subjects)
        draft._ids = Overlay(self._ids)
        draft._highest_ids = Overlay(self._highest_ids)
        draft._ids_by_guid = self._ids_by_guid.overlaid()
        draft._holders = self._holders.overlaid()
        draft._referrers = self._referrers.overlaid()
        return draft

    # Change: one way in for replay, tail and writer; another for drafts.

    def advance(self, batch: Batch, records: Iterable[Record | None] = ()) -> None:
        """Take in the records of a batch that this state does not have yet.

        records: what the entries of the batch say, for one who wrote them and need not read them again; None for one
        that is to be read here.

        Raises GapError when the batch begins beyond the state's position.
        """
        # What lies between would never be seen: a state with a gap would answer wrongly from then on.
        if batch.after > self.position:
            raise GapError(f"the batch continues position {batch.after}, the state ends at {self.position}")
        for logged, record in zip_longest(batch.entries, records):
            # A batch may begin before the end of the state: after a lost connection both are read again.
            if logged.position > self.position:
                self._take(logged, record)
        self.position = max(self.position, batch.end)

    def apply(self, records: Iterable[Record], author: str | None = None, timestamp_ms: int = 0) -> None:
        """Take records into a draft as if they were logged next; a timestamp that is not known yet reads as 0."""
        for record in records:
            self.position += 1
            logged = Logged(self.position, timestamp_ms, b"", None, author)
            self._APPLY[type(record.key)](self, record.key, record.value, logged)

    def _take(self, logged: Logged, record: Record | None) -> None:
        self.position = logged.position
        try:
            record = record or read_record(logged.key, logged.value)
        except UnreadableRecordError:
            self.unreadable_records += 1
            return
        self._APPLY[type(record.key)](self, record.key, record.value, logged)

    def _apply_schema(self, key: SchemaKey, value: SchemaValue | None, logged: Logged) -> None:
        if value is None:
            self._remove_row(key, logged.position)
            return
        subject, version = key.subject, key.version
        number, schema, is_deleted = value.id, value.schema, value.deleted
        position, now_ms, author = logged.position, logged.timestamp_ms, logged.author
        identity = (subject.context, number)
        if number > self._highest_ids.get(subject.context, 0):
            self._highest_ids[subject.context] = number
        held = self._ids.get(identity)
        if held is None:
            content = Content(schema, value.guid)
        # The first text of an id is the one that producers have written data with.
        elif held.content.schema.text != schema.text:
            self.conflicting_records += 1
            return
        else:
            content = held.content if held.content.schema == schema else Content(schema, value.guid)
        rows = self._subjects.get(subject, NOTHING).rows
        if not rows or rows[-1].version < version:
            # Nearly every record of a log is a new version behind all others; the rest goes the long way.
            row = Row(version, number, content, is_deleted, now_ms, position, now_ms, author)
            self._subjects[subject] = Versions((*rows, row), position)
            self._meet_row(key, row, identity, held)
            if not rows:
                self._names.came(subject)
            # One more live version changes no mark but that of a subject without any.
            if is_deleted or subject in self._marks.lifeless:
                self._mark(subject)
            return
        self._apply_again(key, Row(version, number, content, is_deleted, now_ms, position, now_ms, author), identity)

    def _apply_again(self, key: SchemaKey, row: Row, identity: Id) -> None:
        """Take in a version that may be there already, and keep when it was registered, and by whom."""
        before = row_of(self._subjects[key.subject].rows, row.version)
        if before is not None:
            if before.id == row.id:
                row = replace(row, registered_ms=before.registered_ms, author=before.author)
            if before.id != row.id or before.content != row.content:
                self._remove_row(key, row.position)
        self._put_row(key, row, identity)

    def _put_row(self, key: SchemaKey, row: Row, identity: Id) -> None:
        rows = self._subjects.get(key.subject, NOTHING).rows
        index = index_of(rows, row.version)
        replaced = index < len(rows) and rows[index].version == row.version
        self._subjects[key.subject] = Versions((*rows[:index], row, *rows[index + replaced :]), row.position)
        if not rows:
            self._names.came(key.subject)
        self._mark(key.subject)
        held = self._ids.get(identity)
        if replaced:
            self._count(rows[index], -1)
            self._count(row, 1)
            self._ids[identity] = Holding(row.content if held is None else held.content, row.position)
        else:
            self._meet_row(key, row, identity, held)

    def _meet_row(self, key: SchemaKey, row: Row, identity: Id, held: Holding | None) -> None:
        """Enter a row that is not in the tables yet; `held` is what its id means already."""
        context = identity[0]
        self._ids[identity] = Holding(row.content if held is None else held.content, row.position)
        self._index(key, row, identity)
        if context != DEFAULT_CONTEXT and context not in self._contexts:
            self._contexts[context] = None
            self.settings_stamp = row.position

    def _index(self, key: SchemaKey, row: Row, identity: Id) -> None:
        """Count a row, and let it be found by all that it names."""
        self._count(row, 1)
        content, context = row.content, identity[0]
        self._holders.add(identity, key)
        self._ids_by_guid.add((context, content.guid), row.id)
        if content.schema.references:
            for target in self.targets(key.subject, content.schema):
                self._referrers.add(target, key)
        if content.schema.rule_set is not None:
            self._marks.ruled.add(key.subject)

    def _mark(self, subject: Subject) -> None:
        """Note which versions of a subject are soft-deleted now, for lists."""
        self._marks.note(subject, [row.deleted for row in self._subjects[subject].rows])

    def _count(self, row: Row, change: int) -> None:
        if row.deleted:
            self._deleted_versions += change
        else:
            self._live_versions += change

    def _remove_row(self, key: SchemaKey, position: int) -> None:
        rows = self._subjects.get(key.subject, NOTHING).rows
        row = row_of(rows, key.version)
        if row is None:
            return
        self._count(row, -1)
        identity = (key.subject.context, row.id)
        left = tuple(other for other in rows if other.version != key.version)
        if left:
            self._subjects[key.subject] = Versions(left, position)
            self._mark(key.subject)
        else:
            del self._subjects[key.subject]
            self._marks.forget(key.subject)
            self._names.went(key.subject)
        for target in self.targets(key.subject, row.content.schema):
            self._referrers.discard(target, key)
        self._holders.discard(identity, key)
        # Nearly always the first holder left has the same content.
        if all(other.content.guid != row.content.guid for _, other in self._found(self._holders.of(identity))):
            self._ids_by_guid.discard((identity[0], row.content.guid), row.id)
        if next(self._holders.of(identity), None) is None:
            del self._ids[identity]
        else:
            self._ids[identity] = replace(self._ids[identity], stamp=position)

    def _raise_mark(self, context: str, number: int) -> None:
        if number > self._highest_ids.get(context, 0):
            self._highest_ids[context] = number

    def _apply_delete_subject(self, key: DeleteSubjectKey, value: DeletedUpTo | None, logged: Logged) -> None:
        if value is None:
            return
        for row in self.rows(key.subject):
            # Versions that came later are not meant, though the record is read again at every start.
            if not row.deleted and (value.version is None or row.version <= value.version):
                deleted = replace(row, deleted=True, position=logged.position)
                self._put_row(SchemaKey(key.subject, row.version), deleted, (key.subject.context, row.id))

    def _apply_clear_subject(self, key: ClearSubjectKey, value: Value | None, logged: Logged) -> None:
        if value is None:
            return
        # A list, because subjects without versions leave the table on the way.
        for subject in list(self.subjects_in_scope(key.subject)):
            for row in self.rows(subject):
                if row.deleted:
                    self._remove_row(SchemaKey(subject, row.version), logged.position)

    def _apply_noop(self, _key: NoopKey, value: Value | None, _logged: Logged) -> None:
        if isinstance(value, IdMarks):
            for context, mark in value.highest.items():
                self._raise_mark(context, mark)

    _APPLY: Final[Mapping[type[Key], Callable[..., None]]] = {
        SchemaKey: _apply_schema,
        DeleteSubjectKey: _apply_delete_subject,
        ClearSubjectKey: _apply_clear_subject,
        NoopKey: _apply_noop,
        **Configured.SETTERS,
    }

    # Snapshots: a state as parts, and back.

    def snapshot(self) -> Iterator[Part]:
        """All that this live state holds as of now, a piece at a time; see `of_snapshot`."""
        ids, subjects = dict(self._ids), [*self._subjects.items()]
        holders, referrers = self._holders.several(), self._referrers.several()
        return chain(
            meanings(ids),
            (Holders(context, number, keys) for (context, number), keys in holders),
            (Referrers(target, keys) for target, keys in referrers),
            histories(subjects, ids),
            (self._rest(),),
        )

    @classmethod
    def of_snapshot(cls, parts: Iterable[Part]) -> State:
        """The state that the parts are the snapshot of.

        Raises KeyError or UnreadableRecordError when they do not belong together.
        """
        state = cls()
        for part in parts:
            state._RESTORE[type(part)](state, part)
        return state

    def _rest(self) -> Rest:
        settings = chain(
            (Record(ConfigKey(subject), config) for subject, config in self._configs.items()),
            (Record(ModeKey(subject), mode) for subject, mode in self._modes.items()),
        )
        return Rest(
            self.position,
            self.unreadable_records,
            self.conflicting_records,
            self.settings_stamp,
            dict(self._highest_ids),
            [*self._contexts],
            [(entry.key, entry.value or b"") for entry in (record.entry() for record in settings)],
            [(key, *bound) for key, bound in self._associations.items()],
        )

    def _restore_meanings(self, part: Meanings) -> None:
        context = intern(part.context)
        for number, stamp, content in part.ids:
            self._ids[context, number] = Holding(content, stamp)

    def _restore_holders(self, part: Holders) -> None:
        for key in part.keys:
            self._holders.add((intern(part.context), part.number), key)

    def _restore_referrers(self, part: Referrers) -> None:
        for key in part.keys:
            self._referrers.add(part.target, key)

    def _restore_histories(self, part: Histories) -> None:
        context = intern(part.context)
        for name, stamp, told in part.subjects:
            subject = Subject(context, name)
            rows = rows_of(told, context, self._ids)
            self._subjects[subject] = Versions(rows, stamp)
            for row in rows:
                self._index(SchemaKey(subject, row.version), row, (context, row.id))
            self._names.came(subject)
            self._mark(subject)

    def _restore_rest(self, rest: Rest) -> None:
        self.position = rest.position
        self.unreadable_records, self.conflicting_records = rest.unreadable_records, rest.conflicting_records
        self._highest_ids.update({intern(context): mark for context, mark in rest.highest_ids.items()})
        self._contexts.update(dict.fromkeys(map(intern, rest.contexts)))
        for key, association, created_ms, changed_ms in rest.associations:
            self._associations[key] = (association, created_ms, changed_ms)
        for record in starmap(read_record, rest.settings):
            self._APPLY[type(record.key)](self, record.key, record.value, Logged(rest.position, 0, b"", None))
        self.settings_stamp = rest.settings_stamp

    _RESTORE: Final[Mapping[type[Part], Callable[..., None]]] = {
        Meanings: _restore_meanings,
        Holders: _restore_holders,
        Referrers: _restore_referrers,
        Histories: _restore_histories,
        Rest: _restore_rest,
    }

    # Questions about subjects and versions.

    def subjects(self) -> Iterator[Subject]:
        """Every subject that has a row, in no particular order."""
        ask_anything(self.position)
        return iter(self._subjects)

    def names(self, prefix: str) -> Iterator[Sequence[Named]]:
        """The subjects of a prefix that have a row, in order of their names, as of now, a piece at a time."""
        ask_anything(self.position)
        return in_pieces(prefix, self._names.of(self._subjects))

    def marks(self) -> Marks:
        """The subjects that lists treat unlike the others; of the live state only, as with `counts`."""
        ask_anything(self.position)
        return self._marks

    def subjects_in_scope(self, scope: Subject) -> Iterator[Subject]:
        """The subject itself; every subject of the context, if it names one; all, if EVERYTHING or all contexts."""
        if scope in (EVERYTHING, EVERYWHERE):
            return self.subjects()
        if scope.is_context:
            return (subject for subject in self.subjects() if subject.context == scope.context)
        return iter((scope,) if scope in self._subjects else ())

    def rows(self, subject: Subject) -> tuple[Row, ...]:
        """All versions of a subject, soft-deleted ones included, in ascending order."""
        versions = self._subjects.get(subject, NOTHING)
        ask(("subject", subject), versions.stamp, self.position)
        return versions.rows

    def rows_of(self, subjects: Iterable[Subject]) -> list[tuple[Subject, tuple[Row, ...]]]:
        """Subjects with their rows, as `rows` tells them, where there are too many to ask for each."""
        ask_anything(self.position)
        return [(subject, self._subjects.get(subject, NOTHING).rows) for subject in subjects]

    def live_rows(self, subject: Subject) -> tuple[Row, ...]:
        """The versions of a subject that are not soft-deleted, in ascending order."""
        return tuple(row for row in self.rows(subject) if not row.deleted)

    def row(self, subject: Subject, version: int) -> Row | None:
        """One version, soft-deleted or not."""
        return row_of(self.rows(subject), version)

    def latest(self, subject: Subject) -> Row | None:
        """The highest live version."""
        return next((row for row in reversed(self.rows(subject)) if not row.deleted), None)

    def stamp(self, subject: Subject) -> int:
        """The position of the last change to any version of a subject."""
        return self._subjects.get(subject, NOTHING).stamp

    def targets(self, subject: Subject, schema: Schema) -> Iterator[SchemaKey]:
        """The versions that a schema of this subject refers to; a bare name means the subject's own context."""
        for reference in schema.references:
            if reference.subject is not None and reference.version is not None:
                yield SchemaKey(referred_subject(subject, reference.subject), reference.version)

    def referrers(self, subject: Subject, version: int) -> Iterator[tuple[Subject, Row]]:
        """The versions whose schema refers to this one, soft-deleted ones included."""
        ask_anything(self.position)
        return self._found(self._referrers.of(SchemaKey(subject, version)))

    # Questions about ids and GUIDs.

    def holding(self, context: str, number: int) -> Holding | None:
        """What an id means in a context, while any row holds it."""
        held = self._ids.get((context, number))
        ask(("id", (context, number)), held.stamp if held else 0, self.position)
        return held

    def holders(self, context: str, number: int) -> Iterator[tuple[Subject, Row]]:
        """The versions that hold an id, soft-deleted ones included."""
        self.holding(context, number)
        return self._found(self._holders.of((context, number)))

    def all_holders(self, context: str, number: int) -> Iterator[Sequence[tuple[Subject, Row]]]:
        """The same a piece at a time, as of now: for whoever lets others change the state in between."""
        self.holding(context, number)
        keys = tuple(self._holders.of((context, number)))
        return (list(self._found(keys[start : start + PIECE])) for start in range(0, len(keys), PIECE))

    def _found(self, keys: Iterable[SchemaKey]) -> Iterator[tuple[Subject, Row]]:
        for key in keys:
            row = row_of(self._subjects.get(key.subject, NOTHING).rows, key.version)
            if row is not None:
                yield key.subject, row

    def ids_of_guid(self, context: str, guid: bytes) -> tuple[int, ...]:
        """The ids bound to a GUID in a context, ascending; more than one only after imports."""
        ask_anything(self.position)
        bound = tuple(self._ids_by_guid.of((context, guid)))
        return tuple(sorted(number for number in bound if (context, number) in self._ids)) if bound else ()

    def highest_id(self, context: str) -> int:
        """The highest id ever given out in a context, or kept back in all of them; 0 before the first."""
        ask_anything(self.position)
        return max(self._highest_ids.get(context, 0), self._highest_ids.get(GLOBAL_CONTEXT, 0))

    def highest_ids(self) -> dict[str, int]:
        """The mark of each context, and of GLOBAL_CONTEXT what is kept back in all contexts, unknown ones included."""
        ask_anything(self.position)
        return dict(self._highest_ids)

    # What there is, in numbers: no answer stands on them.

    def counts(self) -> Counts:
        """How much there is; of the live state only, a draft does not count what is below it."""
        contexts = len(self._contexts) + (DEFAULT_CONTEXT not in self._contexts)
        return Counts(len(self._subjects), self._live_versions, self._deleted_versions, len(self._ids), contexts)

    # What the answers stand on.

    def stamp_of(self, question: Question) -> int:
        """The position of the last change to what a question is about."""
        kind, about = question
        return self._STAMPS[kind](self, about)

    def holds(self, questions: Iterable[tuple[Question, int]]) -> bool:
        """Whether what was asked, each with the stamp of then, would be answered the same now."""
        return all(self._STAMPS[kind](self, about) == stamp for (kind, about), stamp in questions)

    def _id_stamp(self, identity: Id) -> int:
        held = self._ids.get(identity)
        return held.stamp if held else 0

    _STAMPS: Final[Mapping[str, Callable[[State, Any], int]]] = {
        ANYTHING[0]: lambda state, _about: state.position,
        "settings": lambda state, _about: state.settings_stamp,
        "subject": stamp,
        "id": _id_stamp,
    }


def referred_subject(referrer: Subject, name: str) -> Subject:
    """The subject that a reference names: a bare name stays in the referrer's context."""
    return Subject.of(name) if name.startswith(":.") else Subject(referrer.context, name)
