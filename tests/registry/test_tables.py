"""Maps whose changes can be dropped: they behave as copies, and the map below never notices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tables import Groups, Overlay

keys = st.integers(0, 5)
maps = st.dictionaries(keys, st.integers())
map_changes = st.lists(st.tuples(st.sampled_from(["set", "delete", "pop", "setdefault"]), keys, st.integers()))


def change_map(table: Overlay[int, int] | dict[int, int], kind: str, key: int, value: int) -> object:
    if kind == "set":
        table[key] = value
    elif kind == "pop":
        return table.pop(key, None)
    elif kind == "setdefault":
        return table.setdefault(key, value)
    elif key in table:
        del table[key]
    return None


@given(maps, map_changes)
def test_an_overlay_behaves_as_a_copy_and_leaves_the_map_below(
    below: dict[int, int], changes: list[tuple[str, int, int]]
) -> None:
    before, copy, overlay = dict(below), dict(below), Overlay(below)
    for kind, key, value in changes:
        assert change_map(overlay, kind, key, value) == change_map(copy, kind, key, value)
        assert (overlay.get(key), overlay.get(key, "none"), key in overlay) == (
            copy.get(key),
            copy.get(key, "none"),
            key in copy,
        )
    assert dict(overlay) == copy
    assert (len(overlay), bool(overlay), overlay == copy) == (len(copy), bool(copy), True)
    assert below == before


@given(maps, map_changes, map_changes)
def test_an_overlay_may_stand_on_an_overlay(
    below: dict[int, int], first: list[tuple[str, int, int]], second: list[tuple[str, int, int]]
) -> None:
    copy, lower = dict(below), Overlay(below)
    for change in first:
        change_map(lower, *change)
        change_map(copy, *change)
    upper, seen = Overlay(lower), dict(lower)
    for change in second:
        change_map(upper, *change)
        change_map(copy, *change)
    assert dict(upper) == copy
    assert dict(lower) == seen


@pytest.mark.parametrize("changes", [(), (("set", 1, 1), ("delete", 1, 0))])
def test_what_is_not_there_cannot_be_taken_or_deleted(changes: tuple[tuple[str, int, int], ...]) -> None:
    overlay: Overlay[int, int] = Overlay({})
    for change in changes:
        change_map(overlay, *change)
    with pytest.raises(KeyError):
        overlay[1]
    with pytest.raises(KeyError):
        del overlay[1]


group_changes = st.lists(st.tuples(st.sampled_from(["add", "discard"]), st.integers(0, 2), st.integers(0, 4)))


class PlainGroups:
    """Lists of distinct values, in order of arrival."""

    def __init__(self) -> None:
        self.members: dict[int, list[int]] = {}

    def add(self, key: int, value: int) -> None:
        members = self.members.setdefault(key, [])
        if value not in members:
            members.append(value)

    def discard(self, key: int, value: int) -> None:
        if value in self.members.get(key, []):
            self.members[key].remove(value)


def content(groups: Groups[int, int]) -> list[list[int]]:
    return [list(groups.of(key)) for key in range(3)]


def plain_content(groups: PlainGroups) -> list[list[int]]:
    return [groups.members.get(key, []) for key in range(3)]


@given(group_changes, group_changes)
def test_groups_and_groups_on_top_of_them_keep_the_order_of_arrival(
    first: list[tuple[str, int, int]], second: list[tuple[str, int, int]]
) -> None:
    groups: Groups[int, int] = Groups()
    plain = PlainGroups()
    for kind, key, value in first:
        getattr(groups, kind)(key, value)
        getattr(plain, kind)(key, value)
    assert content(groups) == plain_content(plain)
    before, overlaid = content(groups), groups.overlaid()
    for kind, key, value in second:
        getattr(overlaid, kind)(key, value)
        getattr(plain, kind)(key, value)
        assert overlaid.has(key, value) is (kind == "add")
    assert content(overlaid) == plain_content(plain)
    assert content(groups) == before


def test_a_group_that_becomes_empty_takes_no_room() -> None:
    groups: Groups[str, int] = Groups()
    for value in (1, 2, 3):
        groups.add("a", value)
    for value in (1, 2, 3):
        groups.discard("a", value)
    assert (groups._first, groups._others) == ({}, {})
