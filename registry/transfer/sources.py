"""What is to be imported, read in full before anything is written: records in the bytes of our own dialect.

Owns which records are left out and why; refuses to know where they go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import orjson

from registry.envelope import Entry
from registry.log.protocol import History
from registry.records import Record, UnreadableRecordError, read_record
from registry.state import State
from registry.transfer.lines import Line
from registry.transfer.names import name_of, owner_of
from registry.transfer.snapshot import Fact, snapshot

LOST_RACE: Final = "another node of Redpanda had written first, so Redpanda passes over it"
CONFLICT: Final = "its id was already bound to another schema, and the first one counts"


class LeftOut(NamedTuple):
    """A record that is not imported: where it was found, and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """Records in order, the state that they add up to, and what is not among them."""

    entries: list[Entry] = field(default_factory=list)
    state: State = field(default_factory=State)
    left_out: list[LeftOut] = field(default_factory=list)

    def take(self, record: Record, place: str, timestamp_ms: int | None, author: str | None) -> None:
        """Add a record that was found at a place, unless it contradicts an earlier one."""
        conflicts = self.state.conflicting_records
        self.state.apply([record], author, timestamp_ms or 0)
        if self.state.conflicting_records > conflicts:
            self.left_out.append(LeftOut(place, CONFLICT))
        else:
            # Written anew: compaction goes by the bytes of keys, so a key in another dialect's bytes would survive the
            # tombstone that we write for it.
            self.entries.append(record.entry(author)._replace(timestamp_ms=timestamp_ms))


def gather(lines: Iterable[Line], unit: str = "line") -> Source:
    """Bring records of any dialect into ours, leaving out what no registry would follow.

    unit: what the numbers of the lines count.
    """
    read = list(lines)
    lost = lost_races(read)
    source = Source()
    for number, _, (key, value, author, timestamp_ms) in read:
        place = f"{unit} {number}"
        if number in lost:
            source.left_out.append(LeftOut(place, LOST_RACE))
            continue
        try:
            record = read_record(key, value)
        except UnreadableRecordError as reason:
            source.left_out.append(LeftOut(place, f"no dialect explains it ({reason})"))
            continue
        source.take(record, place, timestamp_ms, author)
    return source


async def gather_history(history: History) -> Source:
    """Read the whole history of a log."""
    lines: list[Line] = []
    async for batch in history.read(0):
        lines.extend(
            Line(position, position, Entry(key, value, author, timestamp_ms))
            for position, timestamp_ms, key, value, author in batch.entries
        )
    return gather(lines, "position")


def gather_facts(facts: Iterable[Fact]) -> Source:
    """Bring things that hold now into the order of a snapshot."""
    source = Source()
    for record, _, timestamp_ms, author in facts:
        source.take(record, f"{name_of(record.key)} of {owner_of(record.key)}", timestamp_ms, author)
    return replace(source, entries=[fact.entry() for fact in snapshot(source.state)])


def lost_races(lines: Sequence[Line]) -> frozenset[int]:
    """The numbers of the lines that Redpanda passes over, because another record holds the place they were meant for.

    A key of Redpanda's says at which offset its writer expected it. Only in the topic itself do the two agree; in a
    copy of it, only the first record that expected a place counts as having got it.
    """
    expected = ((line, _expected_offset(line.entry.key)) for line in lines if line.entry.value)
    claims = [(line, seq) for line, seq in expected if seq is not None]
    placed = [(line.position, seq) for line, seq in claims if line.position is not None]
    won = sum(position == seq for position, seq in placed)
    # A copy loses places to compaction, so its records come too early; nothing ever comes too early in the original.
    original = won * 2 > len(placed) and all(seq <= position for position, seq in placed)
    lost: set[int] = set()
    taken: set[int] = set()
    for line, seq in claims:
        if seq in taken or (original and line.position not in (None, seq)):
            lost.add(line.number)
        taken.add(seq)
    return frozenset(lost)


def _expected_offset(key: bytes) -> int | None:
    if b'"seq"' not in key:
        return None
    try:
        seq = orjson.loads(key)["seq"]
    except (ValueError, KeyError, TypeError):
        return None
    return seq if isinstance(seq, int) else None
