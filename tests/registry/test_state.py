"""What the log adds up to: the reader's rules of the `_schemas` topic, drafts, and stamps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from registry.configured import EVERYWHERE, scopes
from registry.envelope import Batch, Entry, Logged
from registry.model import Association, Config, Level, Metadata, Mode, Reference, RuleSet, Schema, Subject
from registry.questions import ANYTHING, overheard
from registry.records import (
    EVERYTHING,
    AssociationKey,
    ClearSubjectKey,
    ConfigKey,
    ContextKey,
    DeletedUpTo,
    DeleteSubjectKey,
    IdMarks,
    ModeKey,
    NoopKey,
    Present,
    Record,
    SchemaKey,
    SchemaValue,
)
from registry.rows import Content, Row
from registry.state import GapError, State

INT, LONG, STRING = Schema('"int"'), Schema('"long"'), Schema('"string"')
S, OTHER, ELSEWHERE = Subject.of("s"), Subject.of("other"), Subject.of(":.ctx:s")


def version(subject: Subject, number: int, schema_id: int, schema: Schema = INT, deleted: bool = False) -> Record:
    return Record(SchemaKey(subject, number), SchemaValue(schema_id, schema, deleted))


def gone(subject: Subject, number: int) -> Record:
    return Record(SchemaKey(subject, number), None)


def deleted_up_to(subject: Subject, number: int | None) -> Record:
    return Record(DeleteSubjectKey(subject), DeletedUpTo(number))


def cleared(scope: Subject) -> Record:
    return Record(ClearSubjectKey(scope), Present())


def log(state: State, *records: Record, author: str | None = None) -> State:
    """Take records in as logged right behind the state, at position times 1000 ms."""
    for record in records:
        after = state.position
        state.advance(Batch.appended(after, 1000 * (after + 1), [record.entry(author)]))
    return state


def replayed(*records: Record) -> State:
    return log(State(), *records)


def versions(state: State, subject: Subject = S) -> list[int]:
    return [-row.version if row.deleted else row.version for row in state.rows(subject)]


def texts(state: State, subject: Subject = S) -> list[str]:
    return [row.content.schema.text for row in state.rows(subject)]


def test_versions_are_put_replaced_and_removed() -> None:
    state = replayed(version(S, 2, 2, LONG), version(S, 1, 1), version(S, 3, 3, STRING))
    assert texts(state) == ['"int"', '"long"', '"string"']
    log(state, version(S, 2, 1, INT), gone(S, 3))
    assert texts(state) == ['"int"', '"int"']
    log(state, gone(S, 1), gone(S, 2), gone(S, 2), gone(OTHER, 1))
    assert (list(state.subjects()), state.rows(S), state.latest(S)) == ([], (), None)


def test_a_version_is_found_by_its_number() -> None:
    state = replayed(version(S, 2, 2, LONG), version(S, 5, 5, STRING), version(S, 4, 4))
    assert [row.version if row else None for row in map(state.row, [S] * 6, range(1, 7))] == [None, 2, None, 4, 5, None]


def test_the_latest_version_is_the_highest_live_one() -> None:
    state = replayed(version(S, 1, 1), version(S, 2, 2, LONG), version(S, 3, 3, STRING, deleted=True))
    latest = state.latest(S)
    assert latest is not None
    assert (latest.version, [row.version for row in state.live_rows(S)]) == (2, [1, 2])


def test_the_first_text_of_an_id_wins_and_the_others_are_counted() -> None:
    state = replayed(version(S, 1, 1, INT), version(S, 2, 1, LONG), version(OTHER, 1, 1, LONG), version(S, 1, 1, LONG))
    assert (texts(state), texts(state, OTHER), state.conflicting_records) == (['"int"'], [], 3)


def test_an_id_that_nothing_holds_any_more_may_get_another_text() -> None:
    state = replayed(version(S, 1, 1, INT), gone(S, 1), version(S, 1, 1, LONG))
    assert (texts(state), state.conflicting_records) == (['"long"'], 0)


def test_each_context_has_ids_of_its_own() -> None:
    state = replayed(version(S, 1, 1, INT), version(ELSEWHERE, 1, 1, LONG))
    assert (texts(state), texts(state, ELSEWHERE), state.conflicting_records) == (['"int"'], ['"long"'], 0)


def test_the_text_of_an_id_may_return_with_other_metadata() -> None:
    described = replace(INT, metadata=Metadata(properties={"owner": "bob"}))
    state = replayed(version(S, 1, 1, INT), version(OTHER, 1, 1, described), version(S, 1, 1, described))
    assert [row.content.schema for _, row in state.holders(".", 1)] == [described, described]
    assert state.ids_of_guid(".", described.digest()) == (1,)


def test_a_guid_that_comes_with_a_record_is_taken_and_given_on() -> None:
    state = replayed(Record(SchemaKey(S, 1), SchemaValue(1, INT, md5=b"m" * 16)))
    (row,) = state.rows(S)
    assert (row.content.guid, state.ids_of_guid(".", b"m" * 16)) == (b"m" * 16, (1,))
    assert row.value(deleted=True) == SchemaValue(1, INT, deleted=True, md5=b"m" * 16)
    assert replayed(version(S, 1, 1)).rows(S)[0].value(deleted=True) == SchemaValue(1, INT, deleted=True)


SOFT_DELETES = [
    ([deleted_up_to(S, 2)], [-1, -2, 3]),
    ([deleted_up_to(S, None)], [-1, -2, -3]),
    ([deleted_up_to(S, 9)], [-1, -2, -3]),
    ([deleted_up_to(S, 0)], [1, 2, 3]),
    ([deleted_up_to(OTHER, 3)], [1, 2, 3]),
    ([Record(DeleteSubjectKey(S), None)], [1, 2, 3]),
    ([deleted_up_to(S, 3), version(S, 2, 2, LONG), version(S, 4, 1)], [-1, 2, -3, 4]),
    ([deleted_up_to(S, 3), Record(DeleteSubjectKey(S), None)], [-1, -2, -3]),
]


@pytest.mark.parametrize(("records", "left"), SOFT_DELETES)
def test_a_soft_delete_of_a_subject_covers_its_versions_as_of_its_position(
    records: list[Record], left: list[int]
) -> None:
    state = replayed(version(S, 1, 1), version(S, 2, 2, LONG), version(S, 3, 3, STRING), *records)
    assert versions(state) == left


CLEARED = [
    (cleared(S), ["other-1", ":.ctx:s-1"]),
    (cleared(Subject.of(":.ctx:")), ["s-1", "other-1"]),
    (cleared(EVERYTHING), []),
    (cleared(EVERYWHERE), []),
    (Record(ClearSubjectKey(EVERYTHING), None), ["s-1", "other-1", ":.ctx:s-1"]),
]


@pytest.mark.parametrize(("record", "left"), CLEARED)
def test_clearing_drops_what_is_soft_deleted_within_its_scope(record: Record, left: list[str]) -> None:
    state = State()
    for subject in (S, OTHER, ELSEWHERE):
        log(state, version(subject, 1, 1, deleted=True), version(subject, 2, 1))
    log(state, record)
    names = [f"{name}{number}" for name in state.subjects() for number in versions(state, name) if number < 0]
    assert names == left
    assert all(state.latest(name) for name in (S, OTHER, ELSEWHERE))


def test_records_that_make_no_sense_are_counted_and_passed_over() -> None:
    state = State()
    state.advance(Batch.appended(0, 0, [Entry(b"{", None), version(S, 1, 1).entry(), Entry(b"null", b"")]))
    assert (state.position, state.unreadable_records, versions(state)) == (3, 2, [1])


def test_a_batch_beyond_the_state_is_refused() -> None:
    state = replayed(version(S, 1, 1))
    with pytest.raises(GapError, match="continues position 2, the state ends at 1"):
        state.advance(Batch.appended(2, 0, [version(S, 2, 2, LONG).entry()]))
    assert (state.position, versions(state)) == (1, [1])


def test_what_the_state_has_already_is_passed_over() -> None:
    entries = [version(S, number, number, Schema(str(number))).entry() for number in (1, 2, 3)]
    state = State()
    state.advance(Batch.appended(0, 0, entries[:2]))
    log(state, gone(S, 1))
    state.advance(Batch(0, 4, tuple(Logged(at, 0, entry.key, entry.value) for at, entry in enumerate(entries, 1))))
    assert (versions(state), state.position) == ([2], 4)


def test_positions_may_have_gaps_within_a_batch() -> None:
    state = State()
    first, second = version(S, 1, 1).entry(), version(S, 2, 2, LONG).entry()
    state.advance(Batch(0, 9, (Logged(3, 0, first.key, first.value), Logged(7, 0, second.key, second.value))))
    assert (state.position, state.stamp(S), versions(state)) == (9, 7, [1, 2])


def test_the_highest_id_never_goes_down() -> None:
    state = replayed(version(S, 1, 7), version(S, 2, 3, LONG), version(OTHER, 1, 7, LONG), gone(S, 1), gone(S, 2))
    assert (state.highest_id("."), state.highest_id(".ctx")) == (7, 0)
    log(state, Record(NoopKey(), IdMarks({".": 5, ".ctx": 4})))
    assert (state.highest_id("."), state.highest_id(".ctx")) == (7, 4)
    log(state, Record(NoopKey(), IdMarks({".": 12})), Record(NoopKey(), None))
    assert state.highest_id(".") == 12


def test_ids_are_kept_back_in_all_contexts_at_once() -> None:
    state = replayed(version(S, 1, 7), Record(NoopKey(), IdMarks({".__GLOBAL": 100})))
    assert (state.highest_id("."), state.highest_id(".new")) == (100, 100)


def test_an_id_knows_who_holds_it() -> None:
    state = replayed(version(S, 1, 1), version(OTHER, 4, 1), version(ELSEWHERE, 1, 1), deleted_up_to(S, 1))
    assert [(name, row.version, row.deleted) for name, row in state.holders(".", 1)] == [
        (S, 1, True),
        (OTHER, 4, False),
    ]
    log(state, gone(S, 1), gone(OTHER, 4))
    assert (list(state.holders(".", 1)), state.holding(".", 1)) == ([], None)
    held = state.holding(".ctx", 1)
    assert held is not None
    assert held.content == Content(INT, INT.digest())


def test_a_guid_knows_its_ids() -> None:
    state = replayed(version(S, 1, 5), version(OTHER, 1, 2), version(ELSEWHERE, 1, 9))
    assert (state.ids_of_guid(".", INT.digest()), state.ids_of_guid(".ctx", INT.digest())) == ((2, 5), (9,))
    log(state, gone(S, 1))
    assert state.ids_of_guid(".", INT.digest()) == (2,)


def test_a_guid_is_forgotten_with_the_last_version_that_has_it() -> None:
    described = replace(INT, metadata=Metadata(properties={"owner": "bob"}))
    state = replayed(version(S, 1, 1, INT), version(OTHER, 1, 1, described), gone(S, 1))
    assert (state.ids_of_guid(".", INT.digest()), state.ids_of_guid(".", described.digest())) == ((), (1,))
    log(state, gone(OTHER, 1), version(S, 1, 1, LONG))
    assert [state.ids_of_guid(".", schema.digest()) for schema in (INT, described, LONG)] == [(), (), (1,)]


def test_a_version_knows_what_refers_to_it() -> None:
    bare, qualified = Reference("n", "s", 1), Reference("n", ":.ctx:s", 1)
    state = replayed(
        version(OTHER, 1, 1, replace(INT, references=(bare, qualified))),
        version(Subject.of(":.ctx:other"), 1, 1, replace(INT, references=(bare, Reference("n", None, 1)))),
    )
    assert [str(name) for name, _ in state.referrers(S, 1)] == ["other"]
    assert [str(name) for name, _ in state.referrers(ELSEWHERE, 1)] == ["other", ":.ctx:other"]
    log(state, deleted_up_to(OTHER, 1))
    assert [row.deleted for _, row in state.referrers(S, 1)] == [True]
    log(state, gone(OTHER, 1))
    assert list(state.referrers(S, 1)) == []


def test_replacing_a_version_replaces_its_references() -> None:
    referring = replace(INT, references=(Reference("n", "s", 1),))
    state = replayed(version(OTHER, 1, 1, referring), version(OTHER, 1, 2, LONG))
    assert list(state.referrers(S, 1)) == []


def test_contexts_come_from_their_records_and_from_what_is_in_them() -> None:
    state = replayed(Record(ContextKey(".b"), Present()), version(Subject.of(":.a:s"), 1, 1), version(S, 1, 1))
    assert (state.contexts(), state.has_context("."), state.has_context(".c")) == ([".", ".a", ".b"], True, False)
    log(state, Record(ContextKey(".b"), None))
    assert state.contexts() == [".", ".a"]


def test_configs_and_modes_are_what_was_said_last() -> None:
    full, none = Config(compatibility_level=Level.FULL), Config(alias="other", compatibility_level=Level.NONE)
    state = replayed(
        Record(ConfigKey(EVERYTHING), full),
        Record(ConfigKey(S), full),
        Record(ConfigKey(S), none),
        Record(ModeKey(S), Mode.IMPORT),
        Record(ModeKey(EVERYTHING), Mode.READONLY),
        Record(ModeKey(EVERYTHING), None),
    )
    assert (state.config(EVERYTHING), state.config(S), state.config(OTHER)) == (full, none, None)
    assert (state.mode(EVERYTHING), state.mode(S)) == (None, Mode.IMPORT)
    assert (list(state.aliases()), list(state.modes())) == ([(S, "other")], [(S, Mode.IMPORT)])


def test_the_modes_of_a_context_are_those_of_its_subjects() -> None:
    names = ["", "a", ":.ctx:", ":.ctx:a", ":.ctx:b"]
    state = replayed(*(Record(ModeKey(Subject.of(name)), Mode.IMPORT) for name in names))
    assert [str(name) for name in state.modes_within(EVERYTHING)] == ["a"]
    assert [str(name) for name in state.modes_within(Subject.of(":.ctx:"))] == [":.ctx:a", ":.ctx:b"]


def test_an_association_keeps_the_time_when_it_was_made() -> None:
    key = AssociationKey("t", "ns", "topic", "value", S)
    association = Association("g", "t", "ns", "id", "topic", "value", S, "WEAK", False)
    state = replayed(Record(key, association), Record(key, association))
    assert list(state.associations()) == [(association, 1000, 2000)]
    assert list(log(state, Record(key, None)).associations()) == []


def row_of(state: State) -> Row:
    (row,) = state.rows(S)
    return row


def test_a_version_knows_when_and_by_whom_it_was_registered() -> None:
    state = log(State(), version(S, 1, 1), author="ann")
    log(state, version(S, 1, 1, deleted=True), author="bob")
    row = row_of(state)
    assert (row.registered_ms, row.author, row.timestamp_ms, row.position) == (1000, "ann", 2000, 2)
    row = row_of(log(state, version(S, 1, 2, LONG), author="bob"))
    assert (row.registered_ms, row.author) == (3000, "bob")


def test_a_soft_delete_of_a_subject_leaves_the_times_of_its_versions() -> None:
    row = row_of(replayed(version(S, 1, 1), deleted_up_to(S, 1)))
    assert (row.timestamp_ms, row.position, row.deleted) == (1000, 2, True)


def test_settings_stand_at_the_subject_its_context_and_all_contexts() -> None:
    assert scopes(S) == (S, EVERYTHING, EVERYWHERE)
    assert scopes(ELSEWHERE) == (ELSEWHERE, Subject(".ctx", ""), EVERYWHERE)


# Stamps: the position of the last change to a thing.

TOUCHED: list[tuple[Record, set[str]]] = [
    (version(S, 2, 2, LONG), {"s", "id 2"}),
    (version(OTHER, 2, 1), {"other", "id 1"}),
    (version(S, 1, 1, deleted=True), {"s", "id 1"}),
    (deleted_up_to(S, 1), {"s", "id 1"}),
    (gone(S, 1), {"s", "id 1"}),
    (gone(ELSEWHERE, 1), {"elsewhere"}),
    (version(S, 9, 1, LONG), set()),
    (Record(ConfigKey(S), Config()), {"settings"}),
    (Record(ConfigKey(S), None), {"settings"}),
    (Record(ModeKey(S), Mode.IMPORT), {"settings"}),
    (Record(ContextKey(".new"), Present()), {"settings"}),
    (Record(ContextKey(".ctx"), None), {"settings"}),
    (Record(NoopKey(), IdMarks({".": 50})), set()),
    (version(Subject.of(":.new:s"), 1, 1), {"settings"}),
]


def stamps(state: State) -> dict[str, int]:
    return {
        "s": state.stamp_of(("subject", S)),
        "other": state.stamp_of(("subject", OTHER)),
        "elsewhere": state.stamp_of(("subject", ELSEWHERE)),
        "id 1": state.stamp_of(("id", (".", 1))),
        "id 2": state.stamp_of(("id", (".", 2))),
        "settings": state.stamp_of(("settings", None)),
    }


@pytest.mark.parametrize(("record", "touched"), TOUCHED)
def test_a_record_changes_the_stamps_of_what_it_touches_and_of_nothing_else(record: Record, touched: set[str]) -> None:
    state = replayed(version(S, 1, 1), version(OTHER, 1, 1), version(ELSEWHERE, 1, 1))
    before = stamps(state)
    after = stamps(log(state, record))
    assert {name for name in after if after[name] != before[name]} == touched
    assert state.stamp_of(ANYTHING) == state.position == 4


# Drafts, and replay as a law: random records over few names.

subjects = st.sampled_from([S, OTHER, ELSEWHERE, Subject.of(":.ctx:"), EVERYTHING])
numbers = st.integers(1, 3)
schemas = st.sampled_from(
    [
        INT,
        LONG,
        replace(INT, references=(Reference("n", "s", 1), Reference("m", ":.ctx:s", 2))),
        replace(LONG, rule_set=RuleSet()),
    ]
)
records = st.one_of(
    st.builds(version, subjects, numbers, st.integers(0, 3), schemas, st.booleans()),
    st.builds(version, subjects, numbers, st.integers(0, 3), schemas, st.booleans()),
    st.builds(gone, subjects, numbers),
    st.builds(deleted_up_to, subjects, st.none() | numbers),
    st.builds(cleared, subjects | st.just(EVERYWHERE)),
    st.builds(Record, st.builds(ConfigKey, subjects), st.none() | st.builds(Config, alias=st.just("s"))),
    st.builds(Record, st.builds(ModeKey, subjects), st.none() | st.sampled_from(Mode)),
    st.builds(Record, st.just(ContextKey(".ctx")), st.none() | st.just(Present())),
    st.builds(Record, st.just(NoopKey()), st.just(IdMarks({".": 2}))),
)
histories = st.lists(records, max_size=25)


def facts(state: State, *, timed: bool = True) -> dict[str, Any]:
    """Everything that a state answers about the names above; times are unknown to drafts."""

    def shown(rows: Iterable[Row]) -> Sequence[Row]:
        return [row if timed else replace(row, timestamp_ms=0, registered_ms=0) for row in rows]

    named = [S, OTHER, ELSEWHERE, Subject.of(":.ctx:"), EVERYTHING]
    ids = [(context, number) for context in (".", ".ctx") for number in range(4)]
    return {
        "position": state.position,
        "subjects": set(state.subjects()),
        "rows": {name: shown(state.rows(name)) for name in named},
        "latest": {name: row.version for name in named if (row := state.latest(name))},
        "stamps": [state.stamp(name) for name in named] + [state.stamp_of(("id", identity)) for identity in ids],
        "settings": (state.settings_stamp, state.contexts(), set(state.configs()), set(state.modes())),
        "aliases": state.has_aliases,
        "holders": [[(name, row.version) for name, row in state.holders(*identity)] for identity in ids],
        "held": [state.holding(*identity) for identity in ids],
        "guids": [
            state.ids_of_guid(context, guid) for context in (".", ".ctx") for guid in (INT.digest(), LONG.digest())
        ],
        "referrers": [sorted((str(n), row.version) for n, row in state.referrers(name, 1)) for name in named],
        "highest": state.highest_ids(),
    }


@given(histories, histories)
def test_a_draft_answers_as_the_state_will_and_leaves_it_alone(history: list[Record], planned: list[Record]) -> None:
    state = replayed(*history)
    before = facts(state)
    draft = state.draft()
    assert facts(draft) == before
    draft.apply(planned)
    assert facts(state) == before
    assert facts(draft, timed=False) == facts(log(state, *planned), timed=False)


@given(histories, st.integers(1, 5))
def test_replay_gives_the_same_state_however_the_log_is_cut_into_batches(history: list[Record], size: int) -> None:
    one_by_one, cut = replayed(*history), State()
    logged = tuple(Logged(position, 1000 * position, *record.entry()[:2]) for position, record in enumerate(history, 1))
    for start in range(0, len(logged), size):
        cut.advance(Batch(start, min(start + size, len(logged)), logged[start : start + size]))
    assert facts(cut) == facts(one_by_one)


@given(histories)
def test_records_that_are_known_add_up_to_what_reading_them_does(history: list[Record]) -> None:
    logged = tuple(Logged(position, 1000 * position, *record.entry()[:2]) for position, record in enumerate(history, 1))
    batch, read, known = Batch(0, len(logged), logged), State(), State()
    read.advance(batch)
    known.advance(batch, history)
    assert facts(known) == facts(read)


@example([version(S, 1, 3, LONG), version(S, 2, 3, replace(LONG, rule_set=RuleSet())), gone(S, 1)], [])
@given(histories, histories)
def test_a_state_made_of_a_snapshot_is_the_same_and_goes_on_alike(history: list[Record], more: list[Record]) -> None:
    state = replayed(*history)
    made = State.of_snapshot(state.snapshot())
    assert (facts(made), made.counts()) == (facts(state), state.counts())
    assert facts(log(made, *more)) == facts(log(state, *more))


@given(histories, histories)
def test_a_snapshot_is_of_one_moment_whatever_comes_while_it_is_told(history: list[Record], more: list[Record]) -> None:
    state = replayed(*history)
    before, snapshot = facts(state), state.snapshot()
    log(state, *more)
    assert facts(State.of_snapshot(snapshot)) == before


@given(histories)
def test_the_indexes_agree_with_the_rows(history: list[Record]) -> None:
    state = replayed(*history)
    assert state.has_aliases == any(state.aliases())
    rows = [(name, row) for name in state.subjects() for row in state.rows(name)]
    for name, row in rows:
        assert (name, row) in list(state.holders(name.context, row.id))
        assert row.id in state.ids_of_guid(name.context, row.content.guid)
        assert all(
            (name, row) in list(state.referrers(target.subject, target.version))
            for target in state.targets(name, row.content.schema)
        )
    told = [state.all_holders(context, number) for context in (".", ".ctx") for number in range(4)]
    held = list(chain.from_iterable(chain.from_iterable(told)))
    assert sorted(held, key=str) == sorted(rows, key=str)
    assert {name for name, row in rows if row.content.schema.rule_set is not None} <= state.marks().ruled
    assert {name for name, row in rows if row.deleted} == state.marks().thinned
    numbers = [[row.version for row in state.rows(name)] for name in state.subjects()]
    assert numbers == [sorted(set(subject_numbers)) for subject_numbers in numbers]


QUESTIONS: list[Callable[[State], Any]] = [
    lambda state: set(state.subjects()),
    lambda state: set(state.subjects_in_scope(Subject.of(":.ctx:"))),
    lambda state: state.rows(S),
    lambda state: state.latest(ELSEWHERE),
    lambda state: list(state.referrers(S, 1)),
    lambda state: state.holding(".", 1),
    lambda state: list(state.holders(".ctx", 1)),
    lambda state: state.ids_of_guid(".", INT.digest()),
    lambda state: state.highest_id("."),
    lambda state: state.contexts(),
    lambda state: state.has_context(".ctx"),
    lambda state: (state.config(S), set(state.aliases())),
    lambda state: (state.mode(S), state.modes_within(EVERYTHING)),
    lambda state: list(state.associations()),
]


@given(histories, histories)
def test_an_answer_stands_while_the_stamps_of_its_questions_do(history: list[Record], more: list[Record]) -> None:
    state = replayed(*history)
    answers = []
    for question in QUESTIONS:
        with overheard() as asked:
            answers.append((question, question(state), asked))
        assert asked
    log(state, *more)
    for question, answer, asked in answers:
        if all(state.stamp_of(about) == stamp for about, stamp in asked.items()):
            assert question(state) == answer


@given(histories, st.booleans())
def test_names_and_lifeless_subjects_are_those_of_the_rows_whenever_they_are_asked_for(
    history: list[Record], asked_between: bool
) -> None:
    state = State()
    for record in history:
        state.apply([record])
        if asked_between:
            state.names(":*:")
    there = {str(subject): subject for subject in state.subjects()}
    assert list(chain.from_iterable(state.names(":*:"))) == sorted(there.items())
    assert state.marks().lifeless == {subject for subject in there.values() if not state.live_rows(subject)}


def test_holders_of_an_id_can_be_followed_while_others_come_and_go() -> None:
    state = replayed(version(S, 1, 1), version(OTHER, 1, 1))
    told = state.all_holders(".", 1)
    log(state, gone(S, 1), version(Subject.of("third"), 1, 1))
    assert [name for name, _ in chain.from_iterable(told)] == [OTHER]
