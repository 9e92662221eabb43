"""What came and went leaves nothing in memory: neither in the state nor in what is remembered beside it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from registry.envelope import Batch
from registry.model import Schema, Subject
from registry.records import Record, SchemaKey, SchemaValue
from registry.rules.equality import likeness
from registry.state import State

NOISE_BYTES = 32 * 1024


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def come_and_go(state: State, numbers: range) -> int:
    """Have one subject after the other come, be looked for, and go; answers with what is in memory then."""
    for number in numbers:
        key, schema = SchemaKey(Subject.of(f"s{number}"), 1), Schema(f'"{number:09}"')
        records = Record(key, SchemaValue(number, schema)), Record(key, None)
        state.advance(Batch.appended(state.position, 1, [record.entry() for record in records]))
        likeness(schema)(Schema(f'"{-number:09}"'))
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.usefixtures("traced")
def test_subjects_that_came_and_went_leave_nothing_in_memory() -> None:
    state = State()
    settled = come_and_go(state, range(1, 2_500))
    assert come_and_go(state, range(2_500, 5_000)) < settled + NOISE_BYTES
