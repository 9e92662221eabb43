"""Long lists, made a piece at a time: whoever asks for one must not keep everybody else waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, TypeVar

from registry.pace import Pace

T = TypeVar("T")

ITEMS_BETWEEN_LOOKS: Final = 32
"""How many items are made between two looks at the clock, which costs as much as a small one."""
PIECE_ITEMS: Final = 256
"""How many items that are only looked at make a piece."""


async def in_pieces(items: Sequence[T]) -> AsyncIterator[Sequence[T]]:
    """All items, a piece at a time; others may have the loop in between."""
    pace = Pace()
    for start in range(0, len(items), PIECE_ITEMS):
        await pace.rest()
        yield items[start : start + PIECE_ITEMS]


async def unhurried(found: Iterable[T | None], *, offset: int = 0, limit: int | None = None) -> list[T]:
    """What is found, in order; None stands for what was looked at and left out.

    offset: how many of the first to leave out; limit: how many to take at most. `found` is read while others change
    the registry: it must not walk over anything that changes.
    """
    end = None if limit is None else offset + limit
    pace, kept, counted = Pace(), list[T](), 0
    for number, item in enumerate(found):
        if number % ITEMS_BETWEEN_LOOKS == 0:
            await pace.rest()
        if item is None:
            continue
        if end is not None and counted >= end:
            break
        counted += 1
        if counted > offset:
            kept.append(item)
    return kept
