"""Long lists, made a piece at a time: whoever asks for one, or for many at once, must not keep everybody else waiting.

What they are made of is read while others change the registry: it must not walk over anything that changes.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import AsyncIterator, Iterable, MutableMapping, Sequence
from itertools import islice, zip_longest
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from registry.pace import Pace

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
Entry = tuple[str, int]

ITEMS_BETWEEN_LOOKS: Final = 32
"""How many items are made between two looks at the clock, which costs as much as a small one."""
SORTED_AT_ONCE: Final = 512
"""How many items are sorted at a time."""
_PACES: Final[MutableMapping[AbstractEventLoop, Pace]] = WeakKeyDictionary()
"""The pace of all lists that are made in a loop: together they hold a pass of it no longer than one does alone."""


async def at_pace(items: Iterable[T], between_looks: int = 1) -> AsyncIterator[T]:
    """All items; others may have the loop in between, whenever so many have been made and they took long enough."""
    pace = _PACES.setdefault(get_running_loop(), Pace())
    await pace.rest()
    for number, item in enumerate(items, 1):
        yield item
        if number % between_looks == 0:
            await pace.rest()


async def unhurried(items: Iterable[T]) -> list[T]:
    """All items, each of which takes little time."""
    return [item async for item in at_pace(items, ITEMS_BETWEEN_LOOKS)]


async def ordered(entries: Iterable[Entry]) -> list[Entry]:
    """All entries in order."""
    unsorted = iter(entries)
    pieces = iter(lambda: sorted(islice(unsorted, SORTED_AT_ONCE)), [])
    runs = [run async for run in at_pace(pieces)]
    while len(runs) > 1:
        # To sort two runs, one behind the other, is to merge them.
        pairs: Iterable[tuple[list[Entry], ...]] = zip_longest(runs[::2], runs[1::2], fillvalue=[])
        runs = [run async for run in at_pace(sorted(first + second) for first, second in pairs)]
    return runs[0] if runs else []


async def page_of(pieces: Iterable[Iterable[tuple[K, Sequence[V]]]], offset: int, limit: int) -> list[tuple[K, V]]:
    """A page of what is in all groups of all pieces, one after the other, each with the key of its group.

    offset: how many of the first to leave out; limit: how many to take at most.
    """
    page: list[tuple[K, V]] = []
    async for piece in at_pace(pieces):
        for key, values in piece:
            if offset >= len(values):
                offset -= len(values)
            else:
                page.extend((key, value) for value in values[offset : offset + limit - len(page)])
                offset = 0
        if len(page) == limit:
            break
    return page
