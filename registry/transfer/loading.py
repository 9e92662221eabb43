"""Brings a source into a store: all of it or a refusal, and nothing twice.

Owns what is appended to which store; refuses to know where records come from and which engine takes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, takewhile
from typing import Final, NamedTuple

from registry.envelope import Entry
from registry.errors import StoreDisagrees
from registry.log.protocol import History, Log
from registry.model import GLOBAL_CONTEXT, MAX_INT
from registry.records import IdMarks, NoopKey, Record
from registry.replay import SnapshotFile
from registry.state import State
from registry.transfer.comparison import Comparison, Difference, compare
from registry.transfer.facts import Fact, Held, held
from registry.transfer.outlines import Texts, outline, whole
from registry.transfer.sources import Source

COMMIT_ENTRIES: Final = 2_000
COMMIT_BYTES: Final = 4 * 2**20
SHOWN: Final = 5
"""How many contradictions a refusal names."""


class Loaded(NamedTuple):
    """What an import came to.

    appended: how many records were written; source: what it held; store: what the store was found to hold afterwards;
    differences: what it says differently from the source; gone_on: whether it held all of the source's history before
    and has been changed since, so that differences are no surprise.
    """

    appended: int
    source: Held
    store: Held
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


async def load(
    source: Source, log: Log, *, follow: bool = False, reserve_ids: int = 0, snapshot: SnapshotFile | None = None
) -> Loaded:
    """Append what a store lacks of a source, in commits of moderate size; a second time appends nothing.

    A store whose history is the beginning of the source's gets the rest of it; any other gets records of what it does
    not hold.

    Args:
        source: what to bring in.
        log: the store.
        follow: whether the source is the newer one, so that its deletions, configs and modes replace the store's.
        reserve_ids: how many ids of each context are never given out, beyond the highest that the source knows of.
        snapshot: where the next start looks for what the store adds up to, if anywhere.

    Raises StoreDisagrees, and appends nothing, when the store holds something that contradicts the source.
    """
    common, end = await _common_beginning(source, log)
    gone_on = common == len(source.entries) < end
    entries: Iterable[Entry]
    theirs = None
    if common == min(len(source.entries), end):
        # Record by record, so that the history is the same in both; a digest would miss what was undone later.
        marks = source.held.highest_ids if common == end else (await outline(log)).highest_ids()
        appended, entries = len(source.entries) - common, source.entries.between(common, len(source.entries))
    else:
        theirs = source.outline()
        facts, marks = await _merge(theirs, log, follow)
        appended, entries = len(facts), (fact.entry() for fact in source.whole(facts))
    if raised := _raised(source, marks, reserve_ids):
        appended, entries = appended + 1, chain(entries, [Record(NoopKey(), IdMarks(raised)).entry()])
    await _append(log, end, entries)
    # Read again from the store itself: the report is about what it holds, not about what was sent to it.
    texts = Texts() if appended and snapshot and snapshot.wanted else None
    state = await outline(log, texts)
    if snapshot and texts:
        await snapshot.write_if_due(state, lambda parts: whole(parts, texts))
    store = held(state)
    differs = store.digest != source.held.digest
    differences = compare(theirs or source.outline(), state) if differs else Comparison()
    return Loaded(appended, source.held, store, differences, gone_on)


async def _common_beginning(source: Source, log: Log) -> tuple[int, int]:
    """How many of the first records of the store are the source's, and where the store ends."""
    common = end = 0
    async for batch in log.read(0):
        if common == end:
            theirs = source.entries.between(common, common + len(batch.entries))
            pairs = zip(batch.entries, theirs, strict=False)
            same = ((ours.key, ours.value) == (their.key, their.value) for ours, their in pairs)
            common += sum(1 for _ in takewhile(bool, same))
        end = batch.end
    return common, end


async def _merge(theirs: State, log: Log, follow: bool) -> tuple[list[Fact], dict[str, int]]:
    """What the store lacks, in outline, and the highest ids that it will know of with it."""
    state = await outline(log)
    found = compare(theirs, state)
    refused = found.contradictions + ([] if follow else [difference for _, difference in found.ahead])
    if refused:
        raise StoreDisagrees(_refusal(refused))
    # The source's own records will not do here: replayed behind what the store holds, a deletion of a subject would
    # reach versions that it never meant.
    facts = found.missing + [fact for fact, _ in found.ahead]
    state.apply(fact.record for fact in facts)
    return facts, state.highest_ids()


def _raised(source: Source, marks: Mapping[str, int], reserve_ids: int) -> dict[str, int]:
    """The highest ids that a store with these marks has yet to be told of."""
    wanted = source.held.highest_ids
    if reserve_ids:
        wanted = reserved(wanted, reserve_ids)
    everywhere = marks.get(GLOBAL_CONTEXT, 0)
    return {context: mark for context, mark in wanted.items() if mark > max(marks.get(context, 0), everywhere)}


def _refusal(refused: Sequence[Difference]) -> str:
    named = "; ".join(f"{about}: {sentence}" for about, sentence in refused[:SHOWN])
    more = f"; and {len(refused) - SHOWN} more" if len(refused) > SHOWN else ""
    return f"Nothing was imported, because the store holds something else: {named}{more}"


async def _append(log: Log, position: int, entries: Iterable[Entry]) -> None:
    for commit in _commits(entries):
        async with log.turn(position) as turn:
            if turn.missed.entries:
                raise StoreDisagrees("Somebody else wrote to the store during the import; run it again to complete it")
            position = (await turn.append(commit)).end


def _commits(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
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
