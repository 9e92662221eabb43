"""What the commands that move and check data say of their work, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from registry.model import GLOBAL_CONTEXT
from registry.state import State
from registry.transfer import Held, Loaded, Source, Verification, held

SHOWN: Final = 50
"""How many findings of a kind are listed one by one."""


def loaded_report(name: str, source: Source, store: str, loaded: Loaded) -> Iterator[str]:
    """What was read, what was written, what both hold now, and where they differ."""
    yield f"Read {len(source.entries):,} records from {name}"
    if source.left_out:
        yield f"Left out {len(source.left_out):,}:"
        yield from _some([f"{place}: {reason}" for place, reason in source.left_out])
    yield f"Appended {loaded.appended:,} to {store}"
    yield ""
    yield f"{'':18}{'source':>12}{'store':>12}"
    for thing, number in loaded.source.counts.items():
        yield f"{thing:18}{number:12,}{loaded.store.counts[thing]:12,}"
    yield f"highest ids       source {_marks(loaded.source)}; store {_marks(loaded.store)}"
    yield f"digest of source  {loaded.source.digest}"
    yield f"digest of store   {loaded.store.digest}"
    yield ""
    yield _verdict(loaded)
    yield from _some([f"{about}: {sentence}" for about, sentence in loaded.differences.listed()])


def _verdict(loaded: Loaded) -> str:
    # The digest is over everything, so that nothing else has to be compared where it agrees.
    if loaded.source.digest == loaded.store.digest:
        return "The store holds exactly what the source holds."
    if loaded.gone_on:
        return "The store held the whole source already and has been changed since."
    if not loaded.differences.agrees:
        return "The store does not hold what the source holds:"
    if loaded.differences.extra:
        return "The store holds all that the source holds, and more:"
    return "The store holds exactly what the source holds, and keeps back more ids."


def verification_report(store: str, found: Verification) -> Iterator[str]:
    """What a store holds, and what is wrong with it."""
    yield f"{store}, log {found.uuid}"
    yield f"{'records':18}{found.records:12,}"
    yield from _held(held(found.state))
    if found.out_of_order:
        yield f"{found.out_of_order:,} versions came after a higher one of their subject, as in an import"
    yield ""
    yield f"Findings: {len(found.findings):,}" if found.findings else "No findings."
    yield from _some(found.findings)


def held_report(done: str, state: State) -> Iterator[str]:
    """What a backup, or a store made of one, holds."""
    yield done
    yield f"{'records':18}{state.position:12,}"
    yield from _held(held(state))


def _held(holding: Held) -> Iterator[str]:
    for thing, number in holding.counts.items():
        yield f"{thing:18}{number:12,}"
    yield f"highest ids       {_marks(holding)}"
    yield f"digest            {holding.digest}"


def _marks(holding: Held) -> str:
    shown = (f"{_context(name)} {mark:,}" for name, mark in sorted(holding.highest_ids.items()))
    return ", ".join(shown) or "none"


def _context(name: str) -> str:
    return "any context" if name == GLOBAL_CONTEXT else name


def _some(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  and {len(lines) - SHOWN:,} more"
