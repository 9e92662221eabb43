"""Maps whose changes can be dropped: what lets a draft of the state stand on the live one without touching it.

Owns the overlay; refuses to know what is kept in it. Values are immutable, so a change is a replacement.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


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
        if key in self._gone:
            raise KeyError(key)
        return self._below[key]

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
    """Sets of values by key; a set that becomes empty is gone."""

    __slots__ = ("_members",)

    def __init__(self) -> None:
        # A dict as a set keeps the order of arrival.
        self._members: dict[K, dict[V, None]] = {}

    def add(self, key: K, value: V) -> None:
        """Put a value into the group of a key."""
        self._members.setdefault(key, {})[value] = None

    def discard(self, key: K, value: V) -> None:
        """Take a value out of the group of a key, if it is there."""
        group = self._members.get(key)
        if group is not None:
            group.pop(value, None)
            if not group:
                del self._members[key]

    def of(self, key: K) -> Iterator[V]:
        """The values in the group of a key, in the order they came."""
        yield from self._members.get(key, ())

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
        self._removed.discard((key, value))
        super().add(key, value)

    def discard(self, key: K, value: V) -> None:
        self._removed.add((key, value))
        super().discard(key, value)

    def of(self, key: K) -> Iterator[V]:
        own = self._members.get(key, {})
        for value in self._below.of(key):
            if value not in own and (key, value) not in self._removed:
                yield value
        yield from own
