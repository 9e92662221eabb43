"""Maps whose changes can be dropped: what lets a draft of the state stand on the live one without touching it.

Owns the overlay; refuses to know what is kept in it. Values are immutable, so a change is a replacement.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from itertools import chain
from typing import Generic, TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


class Overlay(MutableMapping[K, V]):
    """A map on top of another: reads fall through, writes stay here."""

    __slots__ = ("_below", "_gone", "_own")

    def __init__(self, below: MutableMapping[K, V]) -> None:
        self._below = below
        self._own: dict[K, V] = {}
        self._gone: set[K] = set()

    def __getitem__(self, key: K) -> V:
        if key in self._own:
            return self._own[key]
        # What was deleted here is still there below.
        if key in self._gone:
            raise KeyError(key)
        return self._below[key]

    @overload
    def get(self, key: K, /) -> V | None: ...
    @overload
    def get(self, key: K, /, default: V | D) -> V | D: ...
    def get(self, key: K, /, default: V | D | None = None) -> V | D | None:
        """The value of a key; written out, because most questions of a draft are about what is not there."""
        if key in self._own:
            return self._own[key]
        return default if key in self._gone else self._below.get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._own or (key not in self._gone and key in self._below)

    def __setitem__(self, key: K, value: V) -> None:
        self._own[key] = value
        self._gone.discard(key)

    def __delitem__(self, key: K) -> None:
        if key not in self:
            raise KeyError(key)
        self._own.pop(key, None)
        self._gone.add(key)

    def __iter__(self) -> Iterator[K]:
        yield from (key for key in self._below if key not in self._gone and key not in self._own)
        yield from self._own

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Groups(Generic[K, V]):
    """Sets of values by key, each in the order its values came; a set that becomes empty is gone."""

    __slots__ = ("_first", "_others")

    def __init__(self) -> None:
        # Nearly every set has one value, and there are as many sets as schemas: one value needs no set of its own.
        self._first: dict[K, V] = {}
        self._others: dict[K, dict[V, None]] = {}

    def add(self, key: K, value: V) -> None:
        """Put a value into the group of a key."""
        first = self._first.setdefault(key, value)
        if first is not value and first != value:
            self._others.setdefault(key, {})[value] = None

    def has(self, key: K, value: V) -> bool:
        """Whether a value is in the group of a key."""
        return key in self._first and (self._first[key] == value or value in self._others.get(key, ()))

    def discard(self, key: K, value: V) -> None:
        """Take a value out of the group of a key, if it is there."""
        if key not in self._first:
            return
        others = self._others.get(key, {})
        if self._first[key] != value:
            others.pop(value, None)
        elif others:
            self._first[key] = next(iter(others))
            del others[self._first[key]]
        else:
            del self._first[key]
        if not others:
            self._others.pop(key, None)

    def of(self, key: K) -> Iterator[V]:
        """The values in the group of a key, in the order they came."""
        if key not in self._first:
            return iter(())
        return chain((self._first[key],), self._others.get(key, ()))

    def several(self) -> list[tuple[K, list[V]]]:
        """The groups of more than one value."""
        return [(key, [self._first[key], *others]) for key, others in self._others.items()]

    def overlaid(self) -> Groups[K, V]:
        """The same groups, to be changed without touching these."""
        return _OverlaidGroups(self)


class _OverlaidGroups(Groups[K, V]):
    __slots__ = ("_below", "_removed")

    def __init__(self, below: Groups[K, V]) -> None:
        super().__init__()
        self._below = below
        self._removed: set[tuple[K, V]] = set()

    def add(self, key: K, value: V) -> None:
        if (key, value) in self._removed or not self._below.has(key, value):
            super().add(key, value)

    def has(self, key: K, value: V) -> bool:
        return super().has(key, value) or ((key, value) not in self._removed and self._below.has(key, value))

    def discard(self, key: K, value: V) -> None:
        self._removed.add((key, value))
        super().discard(key, value)

    def of(self, key: K) -> Iterator[V]:
        below = self._below.of(key)
        kept = (value for value in below if (key, value) not in self._removed) if self._removed else below
        return chain(kept, super().of(key))
