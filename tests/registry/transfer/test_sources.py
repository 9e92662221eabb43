"""Records of every dialect, as our own."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.envelope import Entry
from registry.log.memory import MemoryLog
from registry.model import Subject
from registry.records import read_record
from registry.state import State
from registry.transfer import Fact, gather, gather_facts, gather_history, read_lines
from registry.transfer.lines import Line

CASES = json.loads(Path(__file__).with_name("cases").joinpath("dialects.json").read_text())


def described(state: State) -> Iterator[str]:
    """What a state holds, in the words of the cases; the highest id where no version tells it."""
    yield from (f":{name}:: context" for name in state.contexts()[1:])
    for subject in state.subjects():
        for row in state.rows(subject):
            deleted = " deleted" if row.deleted else ""
            yield f"{subject} {row.version}: id {row.id}{deleted} {row.content.schema.type}"
    yield from (f"{subject}: config {config.compatibility_level.word}" for subject, config in state.configs())
    yield from (f"{subject}: mode {mode.word}" for subject, mode in state.modes())
    yield from (
        f"highest {name} {mark}" for name, mark in state.highest_ids().items() if is_forgotten(state, name, mark)
    )


def is_forgotten(state: State, context: str, number: int) -> bool:
    return state.holding(context, number) is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_topic_is_read_in_the_dialect_of_whoever_wrote_it(case: dict[str, Any]) -> None:
    source = gather(read_lines([line.encode() for line in case["lines"]], "topic"))
    assert sorted(described(source.outline())) == sorted(case["holds"])
    assert [left.place for left in source.left_out] == case["left_out"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_whatever_the_dialect_the_records_are_in_ours_and_say_the_same(case: dict[str, Any]) -> None:
    source = gather(read_lines([line.encode() for line in case["lines"]], "topic"))
    records = [read_record(entry.key, entry.value) for entry in source.entries]
    assert [record.entry() for record in records] == list(source.entries)
    again = State()
    again.apply(records)
    assert sorted(described(again)) == sorted(case["holds"])


def test_no_key_keeps_members_by_which_compaction_would_tell_it_from_ours() -> None:
    redpanda = next(case for case in CASES if case["name"].startswith("Redpanda: keys"))
    keys = {entry.key for entry in gather(read_lines(map(str.encode, redpanda["lines"]), "topic")).entries}
    assert b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}' in keys
    assert b'{"keytype":"CONFIG","magic":0}' in keys


def test_times_and_authors_are_kept(version_of) -> None:
    entry = version_of("s", 1, 1).entry("me")._replace(timestamp_ms=7)
    source = gather([Line(1, None, entry)])
    assert list(source.entries) == [entry]
    row = source.outline().row(Subject.of("s"), 1)
    assert (row.timestamp_ms, row.author) == (7, "me")


@pytest.mark.anyio
async def test_a_history_is_read_with_its_positions(version_of, append) -> None:
    log = MemoryLog(lambda: 5)
    await append(log, [version_of("s", 1, 1), Entry(b"rubbish", None), version_of("s", 2, 1, '"long"')])
    source = await gather_history(log)
    assert list(source.entries) == [version_of("s", 1, 1).entry()._replace(timestamp_ms=5)]
    assert [place for place, _ in source.left_out] == ["position 2", "position 3"]


def test_facts_are_ordered_so_that_they_can_be_read_again(version_of) -> None:
    facts = [Fact(version_of("s", number, number, f'"{number}"'), None, number) for number in (3, 1, 2)]
    source = gather_facts(facts)
    assert [entry.timestamp_ms for entry in source.entries.between(0, 3)] == [1, 2, 3]


def test_a_fact_that_contradicts_another_is_left_out_by_name(version_of) -> None:
    source = gather_facts([Fact(version_of("s", 1, 1)), Fact(version_of("t", 4, 1, '"long"'))])
    assert [left.place for left in source.left_out] == ["version 4 of t"]
    assert version_of("s", 1, 1).entry() in source.entries


def test_the_texts_of_a_source_are_not_in_memory(version_of) -> None:
    texts = (f'"{number:010000}"' for number in range(1, 1_001))
    records = (version_of("s", number, number, text) for number, text in enumerate(texts, 1))
    tracemalloc.start()
    source = gather(Line(record.key.version, None, record.entry()) for record in records)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < len(source.entries) * 10_000 / 2
