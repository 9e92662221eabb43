"""Brings a source into a store: all of it or a refusal, and nothing twice.

Owns what is appended to which store; refuses to know where records come from and which engine takes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

from registry.envelope import Entry
from registry.errors import StoreDisagrees
from registry.log.protocol import History, Log
from registry.model import GLOBAL_CONTEXT, MAX_INT
from registry.records import IdMarks, NoopKey, Record
from registry.state import State
from registry.transfer.comparison import Comparison, Difference, compare
from registry.transfer.snapshot import digest
from registry.transfer.sources import Source

COMMIT_ENTRIES: Final = 2_000
COMMIT_BYTES: Final = 4 * 2**20
SHOWN: Final = 5
"""How many contradictions a refusal names."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an import came to.

    appended: how many records were written; store: the state that the store was found to hold afterwards;
    differences: what it says differently from the source; gone_on: whether it held all of the source's history before
    and has been changed since, so that differences are no surprise.
    """

    appended: int
    store: State
    source_digest: str
    store_digest: str
    differences: Comparison
    gone_on: bool


async def replay(history: History) -> State:
    """The state that the whole history of a log adds up to."""
    state = State()
    async for batch in history.read(0):
        state.advance(batch)
    return state


def reserved(marks: Mapping[str, int], ids: int) -> dict[str, int]:
    """The highest ids of all contexts as if so many more had been given out in each, in unknown contexts as well."""
    return {context: min(mark + ids, MAX_INT) for context, mark in ({GLOBAL_CONTEXT: 0} | dict(marks)).items()}


async def load(source: Source, log: Log, *, follow: bool = False, reserve_ids: int = 0) -> Loaded:
    """Append what a store lacks of a source, in commits of moderate size; a second time appends nothing.

    A store whose history is the beginning of the source's gets the rest of it; any other gets records of what it does
    not hold.

    Args:
        source: what to bring in.
        log: the store.
        follow: whether the source is the newer one, so that its deletions, configs and modes replace the store's.
        reserve_ids: how many ids of each context are never given out, beyond the highest that the source knows of.

    Raises StoreDisagrees, and appends nothing, when the store holds something that contradicts the source.
    """
    state, common = await _find_common_beginning(source, log)
    gone_on = common == len(source.entries) < state.position
    if common == min(len(source.entries), state.position):
        # Record by record, so that the history is the same in both; a digest would miss what was undone later.
        entries = list(source.entries[common:])
        outcome = source.state if entries else state
    else:
        entries, outcome = _merge(source, state, follow)
    marks = source.state.highest_ids()
    wanted = reserved(marks, reserve_ids) if reserve_ids else marks
    if raised := {context: mark for context, mark in wanted.items() if mark > outcome.highest_id(context)}:
        entries.append(Record(NoopKey(), IdMarks(raised)).entry())
    if entries:
        # Read again from the store itself: the report is about what it holds, not about what was sent to it.
        await _append(log, state.position, entries)
        state = await replay(log)
    return _report(source, state, len(entries), gone_on=gone_on)


async def _find_common_beginning(source: Source, log: Log) -> tuple[State, int]:
    """The state of the store, and how many of its first records are the source's."""
    state, common = State(), 0
    async for batch in log.read(0):
        if common == state.position:
            theirs = source.entries[common : common + len(batch.entries)]
            pairs = zip(batch.entries, theirs, strict=False)
            same = ((ours.key, ours.value) == (their.key, their.value) for ours, their in pairs)
            common += sum(1 for _ in takewhile(bool, same))
        state.advance(batch)
    return state, common


def _merge(source: Source, state: State, follow: bool) -> tuple[list[Entry], State]:
    found = compare(source.state, state)
    refused = found.contradictions + ([] if follow else [difference for _, difference in found.ahead])
    if refused:
        raise StoreDisagrees(_refusal(refused))
    # The source's own records will not do here: replayed behind what the store holds, a deletion of a subject would
    # reach versions that it never meant.
    facts = found.missing + [fact for fact, _ in found.ahead]
    outcome = state.draft()
    outcome.apply(fact.record for fact in facts)
    return [fact.entry() for fact in facts], outcome


def _refusal(refused: Sequence[Difference]) -> str:
    named = "; ".join(f"{about}: {sentence}" for about, sentence in refused[:SHOWN])
    more = f"; and {len(refused) - SHOWN} more" if len(refused) > SHOWN else ""
    return f"Nothing was imported, because the store holds something else: {named}{more}"


async def _append(log: Log, position: int, entries: Sequence[Entry]) -> None:
    for commit in _commits(entries):
        async with log.turn(position) as turn:
            if turn.missed.entries:
                raise StoreDisagrees("Somebody else wrote to the store during the import; run it again to complete it")
            position = (await turn.append(commit)).end


def _commits(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    commit: list[Entry] = []
    size = 0
    for entry in entries:
        commit.append(entry)
        size += len(entry.key) + len(entry.value or b"")
        if len(commit) == COMMIT_ENTRIES or size >= COMMIT_BYTES:
            yield commit
            commit, size = [], 0
    if commit:
        yield commit


def _report(source: Source, store: State, appended: int, *, gone_on: bool) -> Loaded:
    digests = digest(source.state), digest(store)
    differences = Comparison() if digests[0] == digests[1] else compare(source.state, store)
    return Loaded(appended, store, *digests, differences, gone_on)
