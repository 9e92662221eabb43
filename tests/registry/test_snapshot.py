"""A snapshot says all that a state holds, and one that is not whole is found out."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

import pytest
from msgspec.structs import replace

from registry.envelope import Batch
from registry.model import (
    Association,
    Config,
    Level,
    Metadata,
    Mode,
    Reference,
    Rule,
    RuleKind,
    RuleMode,
    RuleSet,
    RuleStage,
    Schema,
    Subject,
)
from registry.records import (
    EVERYTHING,
    AssociationKey,
    ConfigKey,
    ContextKey,
    IdMarks,
    ModeKey,
    NoopKey,
    Present,
    Record,
    SchemaKey,
    SchemaValue,
)
from registry.snapshot import (
    FORMAT,
    PIECE,
    Head,
    Histories,
    Meanings,
    UnfitSnapshotError,
    frames,
    read_head,
    read_parts,
)
from registry.state import State

S, ELSEWHERE = Subject.of("s"), Subject.of(":.ctx:s")
RULE = Rule(
    "name",
    "doc",
    RuleKind.CONDITION,
    RuleMode.READ,
    "CEL",
    ("b", "a"),
    {"z": "1", "y": "2"},
    "expr",
    "NONE",
    "DLQ",
    True,
)
RICH = Schema(
    '"int" \U0001f600',
    "JSON",
    (Reference("n", "s", 1), Reference(None, None, None)),
    Metadata({"a.b": ("PII", "A")}, {"owner": "bob"}, ("owner",)),
    RuleSet((RULE,), (Rule(None),), (RULE, RULE), RuleStage.GATEWAY),
)
CONFIG = Config("alias", "deks", True, False, True, False, Level.FULL, "STRICT", "group", default_rule_set=RuleSet())
ASSOCIATION = Association("guid", "topic", "lkc", "id", "topic", "value", S, "STRONG", True)
HEAD = Head(FORMAT, UUID(int=1), 7, b"digest")

HISTORIES: list[list[Record]] = [
    [],
    [Record(SchemaKey(S, 1), SchemaValue(1, RICH))],
    [Record(SchemaKey(S, 2), SchemaValue(1, RICH, True, b"m" * 16)), Record(SchemaKey(S, 1), SchemaValue(1, RICH))],
    [Record(SchemaKey(ELSEWHERE, 1), SchemaValue(2, RICH)), Record(SchemaKey(S, 1), SchemaValue(2, Schema("")))],
    [Record(SchemaKey(S, n), SchemaValue(n, Schema(f"{n}"))) for n in range(1, PIECE + 2)],
    [Record(SchemaKey(Subject.of(f"{n}"), 1), SchemaValue(1, Schema("1"))) for n in range(PIECE + 1)],
    [Record(ConfigKey(S), CONFIG), Record(ConfigKey(EVERYTHING), Config(compatibility_level=Level.NONE))],
    [Record(ModeKey(S), Mode.IMPORT), Record(ModeKey(EVERYTHING), Mode.READONLY)],
    [Record(AssociationKey("topic", "lkc", "topic", "value", S), ASSOCIATION)],
    [Record(ContextKey(".ctx"), Present()), Record(NoopKey(), IdMarks({".": 9, ".ctx": 2}))],
]


def state_of(history: list[Record]) -> State:
    state = State()
    state.advance(Batch.appended(0, 1000, [record.entry("ann") for record in history]))
    return state


def snapshot_of(state: State) -> bytes:
    return b"".join(frames(HEAD, state.snapshot()))


def read(snapshot: bytes) -> State:
    file = BytesIO(snapshot)
    assert read_head(file) == HEAD
    return State.of_snapshot(read_parts(file))


def all_in(state: State) -> list[object]:
    """What the parts say: equal for states that are."""
    return [*state.snapshot()]


@pytest.mark.parametrize("history", HISTORIES)
def test_a_state_comes_back_from_bytes_as_it_was(history: list[Record]) -> None:
    state = state_of(history)
    made = read(snapshot_of(state))
    assert (all_in(made), made.counts()) == (all_in(state), state.counts())
    assert {name: made.rows(name) for name in made.subjects()} == {name: state.rows(name) for name in state.subjects()}


def test_what_an_id_means_is_said_once() -> None:
    shared = [Record(SchemaKey(Subject.of(name), 1), SchemaValue(1, RICH)) for name in "abc"]
    assert snapshot_of(state_of(shared)).count(RICH.text.encode()) == 1


def test_rows_of_an_id_share_what_it_means() -> None:
    made = read(snapshot_of(state_of(HISTORIES[5])))
    assert len({id(row.content) for _, row in made.holders(".", 1)}) == 1


def test_a_piece_of_it_is_small() -> None:
    sizes = [
        len(part.ids if isinstance(part, Meanings) else part.subjects)
        for history in HISTORIES[4:6]
        for part in state_of(history).snapshot()
        if isinstance(part, Meanings | Histories)
    ]
    assert sizes == [PIECE, 1, 1, 1, PIECE, 1]


WHOLE = snapshot_of(state_of(HISTORIES[2] + HISTORIES[6]))


def is_refused(snapshot: bytes) -> bool:
    try:
        read(snapshot)
    except UnfitSnapshotError:
        return True
    return False


def test_a_snapshot_that_breaks_off_is_found_out_wherever_it_does() -> None:
    assert [length for length in range(len(WHOLE)) if not is_refused(WHOLE[:length])] == []


def test_a_wrong_byte_is_found_out_wherever_it_is() -> None:
    changed = (WHOLE[:at] + bytes([byte ^ 0x40]) + WHOLE[at + 1 :] for at, byte in enumerate(WHOLE))
    assert [at for at, snapshot in enumerate(changed) if not is_refused(snapshot)] == []


def test_what_follows_a_snapshot_does_not_count() -> None:
    assert all_in(read(WHOLE + b"more")) == all_in(read(WHOLE))


FOREIGN: list[tuple[bytes, str]] = [
    (b"".join(frames(replace(HEAD, format="signet 0.0.1 snapshot 1"), [])), "another version of this program"),
    (b"", "breaks off"),
    (b"SQLite format 3\0" * 4, "damaged"),
]


@pytest.mark.parametrize(("snapshot", "reason"), FOREIGN)
def test_what_is_no_snapshot_of_this_program_is_refused(snapshot: bytes, reason: str) -> None:
    with pytest.raises(UnfitSnapshotError, match=reason):
        read_head(BytesIO(snapshot))
