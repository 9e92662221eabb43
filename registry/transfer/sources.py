"""What is to be imported, read in full before anything is written: records in the bytes of our own dialect.

Owns which records are left out and why; refuses to know where they go. Records are on disk and states in outline, so
that what is moved need not fit into memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import orjson

from registry.envelope import Entry
from registry.log.protocol import History
from registry.records import Record, SchemaValue, UnreadableRecordError, read_record
from registry.state import State
from registry.transfer.archive import Archive
from registry.transfer.facts import Fact, Held, held, ordered_facts
from registry.transfer.lines import Line
from registry.transfer.names import name_of, owner_of
from registry.transfer.outlines import filled_in, fingerprint, outlined

LOST_RACE: Final = "another node of Redpanda had written first, so Redpanda passes over it"
CONFLICT: Final = "its id was already bound to another schema, and the first one counts"


class LeftOut(NamedTuple):
    """A record that is not imported: where it was found, and why."""

    place: str
    reason: str


class Source(NamedTuple):
    """Records in order, what they add up to, and what is not among them."""

    entries: Archive[Entry]
    held: Held
    left_out: list[LeftOut]

    def outline(self) -> State:
        """The state that the records add up to, in outline."""
        state = State()
        for key, value, author, timestamp_ms in self.entries:
            state.apply([outlined(read_record(key, value))], author, timestamp_ms or 0)
        return state

    def whole(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """Facts of the outline with the texts that their fingerprints stand for."""
        return _whole(facts, self.entries)


class _Gathering:
    """Records on their way into a source."""

    def __init__(self) -> None:
        self.entries = Archive(Entry)
        self.state = State()
        self.left_out: list[LeftOut] = []

    def take(self, record: Record, place: str, timestamp_ms: int | None, author: str | None) -> None:
        """Add a record that was found at a place, unless it contradicts an earlier one."""
        # The state itself decides which record counts, as it will when the import is replayed.
        conflicts = self.state.conflicting_records
        self.state.apply([outlined(record)], author, timestamp_ms or 0)
        if self.state.conflicting_records > conflicts:
            self.left_out.append(LeftOut(place, CONFLICT))
        else:
            # Written anew: compaction goes by the bytes of keys, so a key in another dialect's bytes would survive the
            # tombstone that we write for it.
            self.entries.append(*record.entry(author)._replace(timestamp_ms=timestamp_ms))

    def source(self) -> Source:
        """All that was taken."""
        return Source(self.entries, held(self.state), self.left_out)


def gather(lines: Iterable[Line], unit: str = "line") -> Source:
    """Bring records of any dialect into ours, leaving out what no registry would follow.

    unit: what the numbers of the lines count.
    """
    read = Archive(_line)
    for number, position, entry in lines:
        read.append(number, position, *entry)
    return _gathered(read, unit)


async def gather_history(history: History) -> Source:
    """Read the whole history of a log."""
    read = Archive(_line)
    async for batch in history.read(0):
        for logged in batch.entries:
            read.append(logged.position, logged.position, logged.key, logged.value, logged.author, logged.timestamp_ms)
    return _gathered(read, "position")


def gather_facts(facts: Iterable[Fact]) -> Source:
    """Bring things that hold now into the order in which they can be registered again."""
    found = _Gathering()
    for record, _, timestamp_ms, author in facts:
        found.take(record, f"{name_of(record.key)} of {owner_of(record.key)}", timestamp_ms, author)
    ordered = Archive(Entry)
    for fact in _whole(ordered_facts(found.state), found.entries):
        ordered.append(*fact.entry())
    return Source(ordered, held(found.state), found.left_out)


def _line(number: int, position: int | None, *entry: Any) -> Line:
    return Line(number, position, Entry(*entry))


def _gathered(read: Archive[Line], unit: str) -> Source:
    lost = lost_races(read)
    found = _Gathering()
    for number, _, (key, value, author, timestamp_ms) in read:
        place = f"{unit} {number}"
        if number in lost:
            found.left_out.append(LeftOut(place, LOST_RACE))
            continue
        try:
            record = read_record(key, value)
        except UnreadableRecordError as reason:
            found.left_out.append(LeftOut(place, f"no dialect explains it ({reason})"))
            continue
        found.take(record, place, timestamp_ms, author)
    return found.source()


def _whole(facts: Iterable[Fact], entries: Archive[Entry]) -> Iterator[Fact]:
    places: dict[str, int] = {}
    for place, entry in enumerate(entries):
        if (text := _text_of(entry)) is not None:
            places.setdefault(fingerprint(text), place)
    for fact in facts:
        value = fact.record.value
        text = _text_of(entries[places[value.schema.text]]) if isinstance(value, SchemaValue) else None
        yield fact if text is None else fact._replace(record=filled_in(fact.record, text))


def _text_of(entry: Entry) -> str | None:
    value = read_record(entry.key, entry.value).value
    return value.schema.text if isinstance(value, SchemaValue) else None


def lost_races(lines: Iterable[Line]) -> frozenset[int]:
    """The numbers of the lines that Redpanda passes over, because another record holds the place they were meant for.

    A key of Redpanda's says at which offset its writer expected it. Only in the topic itself do the two agree; in a
    copy of it, only the first record that expected a place counts as having got it.
    """
    expected = ((line, _expected_offset(line.entry.key)) for line in lines if line.entry.value)
    claims = [(line.number, line.position, seq) for line, seq in expected if seq is not None]
    placed = [(position, seq) for _, position, seq in claims if position is not None]
    won = sum(position == seq for position, seq in placed)
    # A copy loses places to compaction, so its records come too early; nothing ever comes too early in the original.
    original = won * 2 > len(placed) and all(seq <= position for position, seq in placed)
    lost: set[int] = set()
    taken: set[int] = set()
    for number, position, seq in claims:
        if seq in taken or (original and position not in (None, seq)):
            lost.add(number)
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
