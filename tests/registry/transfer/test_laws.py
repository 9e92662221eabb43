"""What holds for every registry, however it came about: moving it by any way changes nothing that it says."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.configured import EVERYWHERE
from registry.envelope import Batch, Entry
from registry.log import Log, open_log
from registry.log.memory import MemoryLog
from registry.model import Association, Config, Level, Metadata, Mode, Reference, Schema, Subject
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
from registry.rows import Row
from registry.state import State
from registry.transfer import Source, gather, held, load, ordered_facts, read_lines, replay, write_line
from registry.transfer.comparison import compare
from registry.transfer.lines import Line
from registry.transfer.outlines import Texts, outline, whole

NAMES = st.sampled_from(["a", "b", "", ":.c:a", ":.c:b"])
SUBJECTS = NAMES.map(Subject.of)
SCOPES = st.sampled_from([EVERYTHING, EVERYWHERE, Subject(".c", ""), Subject(".", "a"), Subject(".c", "b")])
VERSIONS = st.integers(1, 4)
REFERENCES = st.lists(st.builds(Reference, st.just("n"), NAMES, VERSIONS), max_size=2).map(tuple)
SCHEMAS = st.builds(
    Schema,
    st.sampled_from(['"int"', '"long"', '"€\U0001f600\\u0001"', ""]),
    st.sampled_from(["AVRO", "JSON"]),
    REFERENCES,
    st.none() | st.builds(Metadata, properties=st.dictionaries(st.sampled_from("xy"), st.text(max_size=2))),
)
VALUES = st.builds(SchemaValue, st.integers(0, 6), SCHEMAS, st.booleans(), st.none() | st.just(b"m" * 16))
LEVELS = st.none() | st.sampled_from(Level)
CONFIGS = st.builds(Config, compatibility_level=LEVELS, normalize=st.none() | st.booleans(), alias=st.none() | NAMES)
ASSOCIATIONS = st.builds(
    Association, st.just("g"), st.sampled_from("tu"), st.just("n"), st.just("i"), st.just("topic"), st.just("value"),
    SUBJECTS, st.sampled_from(["STRONG", "WEAK"]), st.booleans(),
)  # fmt: skip


def association_record(association: Association, removed: bool) -> Record:
    key = AssociationKey(association.resource_name, "n", "topic", "value", association.subject)
    return Record(key, None if removed else association)


RECORDS = st.lists(
    st.one_of(
        st.builds(Record, st.builds(SchemaKey, SUBJECTS, VERSIONS), VALUES),
        st.builds(Record, st.builds(SchemaKey, SUBJECTS, VERSIONS), st.none() | VALUES),
        st.builds(Record, st.builds(DeleteSubjectKey, SUBJECTS), st.builds(DeletedUpTo, st.none() | VERSIONS)),
        st.builds(Record, st.builds(ClearSubjectKey, SCOPES), st.just(Present())),
        st.builds(Record, st.builds(ConfigKey, SCOPES), st.none() | CONFIGS),
        st.builds(Record, st.builds(ModeKey, SCOPES), st.none() | st.sampled_from(Mode)),
        st.builds(Record, st.just(ContextKey(".c")), st.none() | st.just(Present())),
        st.builds(
            Record, st.just(NoopKey()), st.builds(IdMarks, st.dictionaries(st.sampled_from([".", ".c"]), VERSIONS))
        ),
        st.builds(association_record, ASSOCIATIONS, st.booleans()),
    ),
    max_size=25,
)


def gathered(records: list[Record]) -> Source:
    entries = [record.entry("me")._replace(timestamp_ms=number) for number, record in enumerate(records, 1)]
    return gather([Line(number, number, entry) for number, entry in enumerate(entries, 1)])


def state_of(entries: Iterable[Entry]) -> State:
    state = State()
    state.advance(Batch.appended(0, 0, list(entries)))
    return state


@given(RECORDS)
def test_a_compact_export_adds_up_to_what_the_history_did(records) -> None:
    state = state_of(gathered(records).entries)
    again = state_of(fact.entry() for fact in ordered_facts(state))
    assert held(again) == held(state)
    assert compare(state, again).agrees
    assert not compare(state, again).extra
    assert again.highest_ids() == state.highest_ids()
    assert again.conflicting_records == again.unreadable_records == 0


@given(RECORDS)
def test_a_compact_export_names_each_thing_once_and_refers_backwards_only(records) -> None:
    state = state_of(gathered(records).entries)
    keys = [fact.record.key for fact in ordered_facts(state)]
    assert len(set(keys)) == len(keys)
    again = State()
    for fact in ordered_facts(state):
        if isinstance(fact.record.key, SchemaKey) and not has_circle(state):
            subject, version = fact.record.key.subject, fact.record.key.version
            targets = [
                key for key in state.targets(subject, fact.record.value.schema) if state.row(key.subject, key.version)
            ]
            assert all(again.row(key.subject, key.version) for key in targets)
            assert all(row.version < version for row in again.rows(subject))
        again.apply([fact.record])


def has_circle(state: State) -> bool:
    """Whether some version leads back to itself: by references, its earlier versions, and who gave its id a meaning."""
    rows = {SchemaKey(subject, row.version): row for subject in state.subjects() for row in state.rows(subject)}
    before = {
        key: {*state.targets(key.subject, row.content.schema)}
        | {other for other in rows if other.subject == key.subject and other.version < key.version}
        | {other for other in rows if gives_meaning(state, other, rows[other], key, row)}
        for key, row in rows.items()
    }
    for _ in rows:
        before = {key: below.union(*(before.get(each, ()) for each in below)) for key, below in before.items()}
    return any(key in below for key, below in before.items())


def gives_meaning(state: State, first: SchemaKey, first_row: Row, key: SchemaKey, row: Row) -> bool:
    """Whether two versions share an id, and the first of them says what the id means, and the other does not."""
    shared = (first.subject.context, first_row.id) == (key.subject.context, row.id)
    meaning = state.holding(key.subject.context, row.id).content
    return shared and first_row.content == meaning != row.content


@given(RECORDS)
def test_an_export_is_imported_again_record_by_record(records) -> None:
    source = gathered(records)
    file = b"".join(write_line(entry, number) for number, entry in enumerate(source.entries, 1))
    again = gather(read_lines(file.splitlines(keepends=True), "file"))
    assert list(again.entries) == list(source.entries)
    assert again.left_out == []
    assert again.held == source.held


@given(RECORDS)
def test_an_outline_says_the_same_as_the_whole_and_is_filled_in_again(records) -> None:
    source = gathered(records)
    whole, outline = state_of(source.entries), source.outline()
    assert held(outline) == held(whole) == source.held
    filled_in = [fact.record for fact in source.whole(ordered_facts(outline))]
    assert filled_in == [fact.record for fact in ordered_facts(whole)]


@given(RECORDS)
def test_the_snapshot_of_an_outline_is_that_of_the_whole(records) -> None:
    async def compare(log: MemoryLog) -> None:
        async with log.turn(0) as turn:
            await turn.append([*(record.entry() for record in records), Entry(b"no record", b"")])
        texts = Texts()
        told = list(whole((await outline(log, texts)).snapshot(), texts))
        assert told == list((await replay(log)).snapshot())

    in_memory(compare)


async def entries_of(log: Log) -> AsyncIterator[Entry]:
    async for batch in log.read(0):
        for logged in batch.entries:
            yield Entry(logged.key, logged.value, logged.author, logged.timestamp_ms)


@settings(max_examples=20)
@given(RECORDS)
def test_a_registry_passes_through_every_engine_unchanged(records) -> None:
    async def move() -> None:
        source = gathered(records)
        with tempfile.TemporaryDirectory() as folder:
            file = await open_log(f"sqlite:{folder}/signet.db")
            for log in (MemoryLog(lambda: 0), file):
                assert (await load(source, log)).appended == len(source.entries)
                once = [entry async for entry in entries_of(log)]
                assert [(entry.key, entry.value, entry.author, entry.timestamp_ms) for entry in once] == list(
                    source.entries
                )
                again = await load(source, log)
                assert (again.appended, again.store.digest) == (0, again.source.digest)
            await file.close()

    asyncio.run(move())


def in_memory(work: Callable[[MemoryLog], object]) -> None:
    asyncio.run(work(MemoryLog(lambda: 0)))


@given(RECORDS, st.integers(0, 25))
def test_an_import_that_broke_off_is_completed_by_the_next(records, kept) -> None:
    async def resume(log: MemoryLog) -> None:
        whole = gathered(records)
        await load(gathered(records[:kept]), log)
        assert (await load(whole, log)).store.digest == whole.held.digest

    in_memory(resume)


@given(RECORDS)
def test_a_compact_and_a_whole_export_are_interchangeable(records) -> None:
    async def both_ways(log: MemoryLog) -> None:
        whole = gathered(records)
        facts = ordered_facts(state_of(whole.entries))
        compact = gather([Line(number, None, fact.entry()) for number, fact in enumerate(facts, 1)])
        await load(compact, log)
        again = await load(whole, log)
        assert again.store.digest == whole.held.digest

    in_memory(both_ways)
