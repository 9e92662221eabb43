"""Reading subjects and versions: listing, latest, other contexts, and pages (sections 1.2 and 1.3)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from registry.model import Subject
from registry.operations import Page, PageLimits, Policy, Visibility

pytestmark = pytest.mark.anyio

WHOLE = Page()
LIVE, ALL, DELETED = Visibility.LIVE, Visibility.ALL, Visibility.DELETED


async def list_versions(
    desk: Any, subject: str, visibility: Visibility = LIVE, page: Page = WHOLE, *, negative: bool = False
) -> list[int]:
    place = Subject.of(subject)
    return list(await desk.registry.versions.list(place, visibility, page, deleted_as_negative=negative))


async def list_subjects(desk: Any, prefix: str, visibility: Visibility = LIVE, page: Page = WHOLE) -> list[str]:
    return list(await desk.registry.subjects.list(prefix, visibility, page))


@pytest.fixture
async def aged(desk: Any) -> Any:
    """`s` has versions 1 (soft-deleted), 2 and 3; `gone` has one that is soft-deleted."""
    for text in ('"int"', '"long"', '"string"'):
        await desk.put("s", text)
    await desk.delete("s", 1)
    await desk.put("gone")
    await desk.delete("gone")
    return desk


LISTED: list[tuple[str, Visibility, bool, list[int] | int]] = [
    ("s", LIVE, False, [2, 3]),
    ("s", ALL, False, [1, 2, 3]),
    ("s", DELETED, False, [1]),
    ("s", LIVE, True, [-1, 2, 3]),
    ("s", DELETED, True, [-1, 2, 3]),
    ("gone", LIVE, False, 40401),
    ("gone", LIVE, True, 40401),
    ("gone", ALL, False, [1]),
    ("gone", DELETED, True, [-1]),
    ("nobody", ALL, False, 40401),
]


@pytest.mark.parametrize(("subject", "visibility", "negative", "listed"), LISTED)
async def test_versions_are_listed_as_far_as_they_are_asked_for(
    aged: Any, subject: str, visibility: Visibility, negative: bool, listed: list[int] | int
) -> None:
    wish = list_versions(aged, subject, visibility, negative=negative)
    if isinstance(listed, int):
        assert (await aged.refusal(wish))[0] == listed
    else:
        assert await wish == listed


async def test_a_subject_without_deleted_versions_lists_none_of_them(desk: Any) -> None:
    await desk.put("s")
    assert await list_versions(desk, "s", DELETED) == []


async def test_versions_of_a_bare_name_are_not_listed_from_other_contexts(desk: Any) -> None:
    await desk.put(":.x:s")
    assert (await desk.refusal(list_versions(desk, "s")))[0] == 40401


PAGES = [
    (Page(), [1, 2, 3, 4, 5]),
    (Page(1, 2), [2, 3]),
    (Page(4, 9), [5]),
    (Page(9), []),
    (Page(0, 0), [1, 2, 3, 4, 5]),
    (Page(0, -7), [1, 2, 3, 4, 5]),
]


@pytest.mark.parametrize(("page", "listed"), PAGES)
async def test_a_page_is_a_slice_of_the_list(desk: Any, page: Page, listed: list[int]) -> None:
    for number in range(1, 6):
        await desk.put("s", f'{{"type":"fixed","name":"F","size":{number}}}')
    assert await list_versions(desk, "s", page=page) == listed


@pytest.mark.parametrize(("limit", "effective"), [(-1, 2), (0, 2), (1, 1), (3, 3), (4, 2)])
def test_a_limit_beyond_the_maximum_means_the_default(limit: int, effective: int) -> None:
    assert PageLimits(2, 3).slice(range(9), Page(1, limit)) == list(range(1, 1 + effective))


async def test_each_list_has_limits_of_its_own(open_desk: Any) -> None:
    one = PageLimits(1, 1)
    async with open_desk(replace(Policy(), subject_limits=one)) as desk:
        for name in ("a", "b"):
            await desk.put(name)
        assert await list_subjects(desk, "", page=Page(0, 5)) == ["a"]
        assert await list_versions(desk, "a", page=Page(0, 5)) == [1]


READ: list[tuple[str, int, bool, tuple[int, bool | None] | tuple[int, str]]] = [
    ("s", 2, False, (2, False)),
    ("s", -1, False, (3, False)),
    ("s", 1, True, (1, True)),
    ("s", -1, True, (3, False)),
    ("gone", 1, True, (1, True)),
    ("s", 1, False, (40402, "Version 1 not found.")),
    ("s", 9, False, (40402, "Version 9 not found.")),
    ("s", 9, True, (40402, "Version 9 not found.")),
    ("gone", 1, False, (40401, "Subject 'gone' not found.")),
    ("gone", -1, False, (40401, "Subject 'gone' not found.")),
    ("gone", -1, True, (40402, "Version -1 not found.")),
    ("nobody", -1, True, (40401, "Subject 'nobody' not found.")),
    (":.x:nobody", 1, False, (40401, "Subject ':.x:nobody' not found.")),
    (":.:gone", 1, False, (40401, "Subject 'gone' not found.")),
]


@pytest.mark.parametrize(("subject", "version", "deleted", "answer"), READ)
async def test_a_version_is_read_or_said_to_be_missing(
    aged: Any, subject: str, version: int, deleted: bool, answer: tuple[int, Any]
) -> None:
    wish = aged.get(subject, version, deleted=deleted)
    if isinstance(answer[1], str):
        assert await aged.refusal(wish) == answer
    else:
        found = await wish
        assert (found.version, found.deleted) == answer


async def test_a_version_tells_when_it_was_written_last(desk: Any) -> None:
    await desk.put("s")
    await desk.put("t")
    first = await desk.get("s", 1)
    await desk.delete("s", 1)
    assert (first.timestamp_ms, (await desk.get("s", 1, deleted=True)).timestamp_ms) == (1000, 3000)


async def test_a_bare_name_is_read_from_other_contexts_where_the_default_one_lacks_it(desk: Any) -> None:
    await desk.put(":.b:s", '"int"')
    await desk.put(":.b:s", '"long"')
    await desk.put("s", '"string"')
    assert [str((await desk.get("s", version)).subject) for version in (1, 2, -1)] == ["s", ":.b:s", "s"]
    await desk.delete("s")
    assert [str((await desk.get("s", version)).subject) for version in (1, -1)] == [":.b:s", ":.b:s"]
    assert str((await desk.get("s", 1, deleted=True)).subject) == "s"
    assert (await desk.refusal(desk.get(":.c:s", 1)))[0] == 40401


async def test_the_details_of_a_version_are_those_of_its_registration(desk: Any) -> None:
    await desk.put("s")
    await desk.delete("s", 1)
    details = await desk.registry.versions.details(Subject.of("s"), 1)
    assert (details.registered_ms, details.stored.timestamp_ms, details.stored.deleted) == (1000, 2000, True)
    wish = desk.registry.versions.details(Subject.of("s"), 2)
    assert (await desk.refusal(wish))[0] == 40402


SUBJECTS = [
    (":*:", LIVE, [":.x:a", ":.x:b", "a", "b"]),
    ("", LIVE, ["a", "b"]),
    (":.x:", LIVE, [":.x:a", ":.x:b"]),
    (":*:a", LIVE, [":.x:a", "a"]),
    (":*:", ALL, [":.x:a", ":.x:b", "a", "b", "gone"]),
    (":*:", DELETED, ["gone"]),
]


@pytest.mark.parametrize(("prefix", "visibility", "listed"), SUBJECTS)
async def test_subjects_are_listed_by_prefix_in_the_order_of_their_names(
    desk: Any, prefix: str, visibility: Visibility, listed: list[str]
) -> None:
    for name in ("b", ":.x:b", "a", ":.x:a", "gone"):
        await desk.put(name)
    await desk.delete("gone")
    await desk.put("a", '"long"')
    await desk.delete("a", 1)
    assert await list_subjects(desk, prefix, visibility) == listed


async def test_a_page_of_subjects_is_cut_after_they_were_chosen(desk: Any) -> None:
    for name in ("a1", "b", "a2", "a3"):
        await desk.put(name)
    assert await list_subjects(desk, "a", page=Page(1, 1)) == ["a2"]
