"""Subjects in the order of their names, kept in order while some come and go.

To sort what is nearly sorted takes a tenth of the time of sorting it at first, and to put a few where they belong a
tenth of that; the event loop is held meanwhile. Refuses to know what a subject holds.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import Final

from registry.model import Subject

Named = tuple[str, Subject]
"""A subject behind its name as clients write it."""

FEW: Final = 64
"""So many are put in order one by one, more by sorting all."""


class Names:
    """The subjects of a table in order, from when somebody first asks for them."""

    def __init__(self) -> None:
        self._in_order: Sequence[Named] | None = None
        self._came: set[Subject] = set()
        self._went: set[Subject] = set()

    def came(self, subject: Subject) -> None:
        """Note that the table has a subject that it did not have."""
        # It went and came back since the last list, in which it still stands.
        if subject in self._went:
            self._went.discard(subject)
        elif self._in_order is not None:
            self._came.add(subject)

    def went(self, subject: Subject) -> None:
        """Note that it does not have it any more."""
        if subject in self._came:
            self._came.discard(subject)
        elif self._in_order is not None:
            self._went.add(subject)

    def of(self, table: Iterable[Subject]) -> Sequence[Named]:
        """All subjects of the table as of now: what is told stays as it is."""
        if self._in_order is None:
            self._in_order = sorted(map(_named, table))
        elif self._came or self._went:
            self._in_order = _changed(self._in_order, [*map(_named, self._came)], [*map(_named, self._went)])
            self._came.clear()
            self._went.clear()
        return self._in_order


def _named(subject: Subject) -> Named:
    return str(subject), subject


def _changed(in_order: Sequence[Named], came: Sequence[Named], went: Sequence[Named]) -> Sequence[Named]:
    """Another list in order, with some and without others."""
    if len(came) + len(went) > FEW:
        leaving = set(went)
        return sorted([*(named for named in in_order if named not in leaving), *came])
    # A copy: a list that was told before must not change under whoever still reads it.
    changed = [*in_order]
    for named in went:
        del changed[bisect_left(changed, named)]
    for named in came:
        insort(changed, named)
    return changed
