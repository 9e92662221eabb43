"""Schemas by id, by GUID and in listings (section 1.5)."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from registry.errors import Overloaded
from registry.log.memory import MemoryLog
from registry.model import Association, Metadata, Mode, Reference, Rule, RuleMode, RuleSet, Schema, Subject
from registry.operations import Page, SchemaFilter
from registry.records import AssociationKey, Record, SchemaKey, SchemaValue

pytestmark = pytest.mark.anyio

UNKNOWN_GUID = "00000000-0000-0000-0000-000000000000"
STRING_GUID = "095d71cf-1255-6b9d-5e33-0ad575b3df5d"


async def by_id(desk: Any, number: int, subject: str | None = None) -> tuple[str, int, bool]:
    found = await desk.registry.schemas.by_id(number, None if subject is None else Subject.of(subject))
    return str(found.subject), found.version, found.deleted


class FarLog(MemoryLog):
    """A log that other nodes write to, and that may be out of reach."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.shared = self.reachable = True

    async def end(self) -> int:
        if not self.reachable:
            raise Overloaded("The store is out of reach")
        return await super().end()


async def subjects_of(desk: Any, number: int, subject: str | None = None, *, deleted: bool = False) -> list[str]:
    place = None if subject is None else Subject.of(subject)
    return list(await desk.registry.schemas.subjects_of(number, place, deleted=deleted, page=Page()))


async def versions_of(
    desk: Any, number: int, subject: str | None = None, *, deleted: bool = False
) -> list[tuple[str, int]]:
    place = None if subject is None else Subject.of(subject)
    return list(await desk.registry.schemas.versions_of(number, place, deleted=deleted, page=Page()))


@pytest.fixture
async def spread(desk: Any) -> Any:
    """Id 1 in `a` and `b`; another id 1 in `:.x:` under `b` and `c`."""
    for name in ("a", "b"):
        await desk.put(name, '"int"')
    for name in (":.x:b", ":.x:c"):
        await desk.put(name, '"long"')
    return desk


RESOLVED = [
    (None, "a"),
    ("", "a"),
    ("a", "a"),
    ("b", "b"),
    (":.:b", "b"),
    ("c", ":.x:c"),
    ("nobody", "a"),
    (":.x:", ":.x:b"),
    (":.x:c", ":.x:c"),
    (":.x:a", None),
    (":.y:", None),
]


@pytest.mark.parametrize(("asked", "found"), RESOLVED)
async def test_an_id_is_resolved_with_the_help_of_a_subject(spread: Any, asked: str | None, found: str | None) -> None:
    if found is None:
        assert await spread.refusal(by_id(spread, 1, asked)) == (40403, "Schema 1 not found")
        assert await spread.refusal(subjects_of(spread, 1, asked)) == (40403, "Schema not found")
        assert await spread.refusal(versions_of(spread, 1, asked)) == (40403, "Schema not found")
    else:
        assert await by_id(spread, 1, asked) == (found, 1, False)


async def test_an_unknown_id_is_not_found(desk: Any) -> None:
    assert await desk.refusal(by_id(desk, 1)) == (40403, "Schema 1 not found")
    assert await desk.refusal(subjects_of(desk, 1)) == (40403, "Schema not found")


async def test_an_id_is_shown_by_a_live_version_where_there_is_one(desk: Any) -> None:
    for name in ("a", "b"):
        await desk.put(name)
    await desk.delete("a")
    assert (await by_id(desk, 1), await by_id(desk, 1, "a")) == (("b", 1, False), ("a", 1, True))
    await desk.delete("b")
    assert (await by_id(desk, 1))[2] is True


async def test_of_a_subject_that_holds_an_id_twice_the_newest_live_version_is_shown(desk: Any) -> None:
    await desk.switch("s", Mode.IMPORT)
    for number in (1, 2, 3):
        await desk.put("s", id=9, version=number)
    await desk.delete("s", 3)
    assert (await by_id(desk, 9, "s"))[1] == 2


async def test_an_id_is_listed_with_all_who_hold_it_in_its_context(spread: Any) -> None:
    assert (await subjects_of(spread, 1), await subjects_of(spread, 1, "c")) == (["a", "b"], [":.x:b", ":.x:c"])
    assert await versions_of(spread, 1, ":.x:b") == [(":.x:b", 1), (":.x:c", 1)]


async def test_soft_deleted_holders_are_listed_when_asked_for(desk: Any) -> None:
    for name in ("a", "b"):
        await desk.put(name)
    await desk.delete("a")
    assert (await subjects_of(desk, 1), await subjects_of(desk, 1, deleted=True)) == (["b"], ["a", "b"])
    await desk.delete("b")
    assert (await subjects_of(desk, 1), await versions_of(desk, 1)) == ([], [])
    await desk.delete("a", permanent=True)
    await desk.delete("b", permanent=True)
    assert (await desk.refusal(subjects_of(desk, 1)))[0] == 40403


async def test_of_each_subject_the_version_written_last_is_listed(desk: Any) -> None:
    await desk.switch("s", Mode.IMPORT)
    for number in (2, 1):
        await desk.put("s", id=9, version=number)
    assert await versions_of(desk, 9) == [("s", 1)]
    await desk.delete("s")
    assert await versions_of(desk, 9, deleted=True) == [("s", 2)]


async def test_who_holds_an_id_is_listed_page_by_page(desk: Any) -> None:
    for name in "abcd":
        await desk.put(name)
    assert await desk.registry.schemas.subjects_of(1, None, deleted=False, page=Page(1, 2)) == ["b", "c"]
    assert await desk.registry.schemas.versions_of(1, None, deleted=False, page=Page(3, 2)) == [("d", 1)]


async def test_the_highest_id_is_that_of_a_context(spread: Any) -> None:
    await spread.put("a", '"string"')
    asked = [None, Subject.of("a"), Subject.of(":.x:"), Subject.of(":.y:s")]
    assert [await spread.registry.schemas.max_id(subject) for subject in asked] == [2, 2, 1, 0]


# By GUID.


@pytest.mark.parametrize("guid", [STRING_GUID, STRING_GUID.replace("-", ""), STRING_GUID.upper()])
async def test_a_guid_is_found_with_and_without_dashes(desk: Any, guid: str) -> None:
    await desk.put("s", '"string"')
    assert (await desk.registry.schemas.by_guid(guid)).schema.text == '"string"'
    assert await desk.registry.schemas.ids_of_guid(guid) == [(".", 1)]


@pytest.mark.parametrize("guid", ["", "x", STRING_GUID, STRING_GUID[:-1]])
async def test_an_unknown_guid_is_not_found_and_has_no_ids(desk: Any, guid: str) -> None:
    assert await desk.refusal(desk.registry.schemas.by_guid(guid)) == (40403, f"Schema {guid} not found")
    assert list(await desk.registry.schemas.ids_of_guid(guid)) == []


async def test_a_guid_is_looked_for_in_the_default_context_and_then_in_the_others(desk: Any) -> None:
    await desk.put(":.b:s", '"int"')
    await desk.put(":.b:s", '"string"')
    await desk.put(":.a:s", '"string"')
    assert str((await desk.registry.schemas.by_guid(STRING_GUID)).subject) == ":.a:s"
    await desk.put("s", '"string"')
    assert str((await desk.registry.schemas.by_guid(STRING_GUID)).subject) == "s"
    assert await desk.registry.schemas.ids_of_guid(STRING_GUID) == [(".", 1), (".a", 1), (".b", 2)]


async def test_a_guid_means_something_until_its_last_version_is_gone(desk: Any) -> None:
    await desk.put("s", '"string"')
    await desk.delete("s")
    assert (await desk.registry.schemas.by_guid(STRING_GUID)).deleted is True
    await desk.delete("s", permanent=True)
    assert (await desk.refusal(desk.registry.schemas.by_guid(STRING_GUID)))[0] == 40403
    assert list(await desk.registry.schemas.ids_of_guid(STRING_GUID)) == []


async def test_a_guid_with_two_ids_has_both(desk: Any) -> None:
    await desk.switch("", Mode.IMPORT)
    await desk.put("a", '"string"', id=7)
    await desk.put("b", '"string"', id=3)
    assert await desk.registry.schemas.ids_of_guid(STRING_GUID) == [(".", 3), (".", 7)]


async def test_a_guid_is_never_answered_with_other_metadata(desk: Any) -> None:
    described = Schema('"string"', metadata=Metadata(properties={"a": "b"}))
    for subject, schema in (("s", Schema('"string"')), ("t", described)):
        await desk.append(Record(SchemaKey(Subject.of(subject), 1), SchemaValue(1, schema)))
    assert (await desk.registry.schemas.by_guid(STRING_GUID)).schema.metadata is None
    assert (await desk.registry.schemas.by_guid(described.digest().hex())).schema.metadata == described.metadata
    await desk.append(Record(SchemaKey(Subject.of("s"), 1), None))
    assert (await desk.refusal(desk.registry.schemas.by_guid(STRING_GUID)))[0] == 40403


# Listings.


async def listed(desk: Any, page: Page | None = None, **wanted: Any) -> list[tuple[str, int]]:
    found = await desk.registry.schemas.list(SchemaFilter(**wanted), page or Page())
    return [(str(one.stored.subject), one.stored.version) for one in found]


@pytest.fixture
async def catalogue(desk: Any) -> Any:
    rules = RuleSet(migration_rules=(Rule("r", type="JSONATA", mode=RuleMode.UPGRADE),))
    await desk.put("b", '"int"')
    await desk.put("a", '"int"')
    await desk.put("a", '"long"', rule_set=rules)
    await desk.put("a", '"string"', rule_set=RuleSet())
    await desk.put(":.x:a", '"int"')
    await desk.put("gone")
    await desk.delete("gone")
    await desk.delete("a", 1)
    return desk


LISTED: list[tuple[dict[str, Any], list[tuple[str, int]]]] = [
    ({}, [("a", 2), ("a", 3), ("b", 1)]),
    ({"prefix": "a"}, [("a", 2), ("a", 3)]),
    ({"prefix": ":*:"}, [(":.x:a", 1), ("a", 2), ("a", 3), ("b", 1)]),
    ({"prefix": ":.x:"}, [(":.x:a", 1)]),
    ({"deleted": True}, [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("gone", 1)]),
    ({"latest_only": True}, [("a", 3), ("b", 1)]),
    ({"latest_only": True, "deleted": True}, [("a", 3), ("b", 1), ("gone", 1)]),
    ({"rule_type": "JSONATA"}, [("a", 2)]),
    ({"rule_type": "JSONATA", "latest_only": True}, []),
    ({"rule_type": "CEL"}, []),
]


@pytest.mark.parametrize(("wanted", "found"), LISTED)
async def test_schemas_are_listed_by_subject_and_version(
    catalogue: Any, wanted: dict[str, Any], found: list[tuple[str, int]]
) -> None:
    assert await listed(catalogue, **wanted) == found


async def test_a_listing_is_cut_after_it_was_chosen_and_holds_a_thousand_at_most(catalogue: Any) -> None:
    assert await listed(catalogue, Page(1, 1)) == [("a", 3)]
    for number in range(1000):
        await catalogue.append_version(f"s{number:04}", '"int"', (), 1)
    assert [len(await listed(catalogue, Page(0, limit))) for limit in (-1, 2000, 999)] == [1000, 1000, 999]


async def test_a_listed_version_tells_when_it_was_written_and_whether_it_is_deleted(catalogue: Any) -> None:
    found = await catalogue.registry.schemas.list(SchemaFilter(prefix="a", deleted=True), Page())
    assert [(one.stored.deleted, one.stored.timestamp_ms is None) for one in found] == [
        (True, False),
        (False, False),
        (False, False),
    ]


async def test_subjects_are_listed_under_their_aliases(catalogue: Any) -> None:
    for alias in ("old-a", "older-a"):
        await catalogue.configure(alias, alias="a")
    await catalogue.configure(":.x:old", alias="a")
    found = await catalogue.registry.schemas.list(SchemaFilter(prefix="old-", aliases=True), Page())
    assert [(str(one.stored.subject), one.stored.version, one.aliases) for one in found] == [
        ("a", 2, ("old-a",)),
        ("a", 3, ("old-a",)),
    ]
    assert await listed(catalogue, prefix="old-") == []
    found = await catalogue.registry.schemas.list(SchemaFilter(prefix=":*:", aliases=True, latest_only=True), Page())
    assert [(str(one.stored.subject), one.aliases) for one in found] == [
        (":.x:a", (":.x:old",)),
        ("a", ("old-a", "older-a")),
        ("b", ()),
    ]


def bound(subject: str, lifecycle: str, kind: str = "value") -> Record:
    place = Subject.of(subject)
    association = Association("g", subject, "ns", "id", "topic", kind, place, lifecycle, False)
    return Record(AssociationKey(subject, "ns", "topic", kind, place), association)


BOUND: list[tuple[dict[str, Any], list[tuple[str, int]]]] = [
    ({}, [("free", 0), ("key", 0), ("strong", 0), ("weak", 0)]),
    ({"resource_type": "topic"}, [("key", 1), ("strong", 1), ("weak", 2)]),
    ({"resource_type": "table"}, []),
    ({"association_types": ("key",)}, [("key", 1), ("weak", 1)]),
    ({"lifecycles": ("STRONG",)}, [("strong", 1)]),
    ({"lifecycles": ("WEAK", "STRONG")}, [("key", 1), ("strong", 1), ("weak", 2)]),
    ({"lifecycles": ("NONE",)}, [("free", 0)]),
    ({"lifecycles": ("NONE", "STRONG")}, [("free", 0), ("strong", 1)]),
    ({"lifecycles": ("NONE",), "association_types": ("key",)}, [("free", 0), ("strong", 0)]),
    ({"lifecycles": ("STRONG",), "association_types": ("key",)}, []),
]


@pytest.mark.parametrize(("wanted", "found"), BOUND)
async def test_schemas_are_chosen_by_what_is_bound_to_their_subject(
    desk: Any, wanted: dict[str, Any], found: list[tuple[str, int]]
) -> None:
    for name in ("strong", "weak", "key", "free"):
        await desk.put(name)
    await desk.append(
        bound("strong", "STRONG"), bound("weak", "WEAK"), bound("weak", "WEAK", "key"), bound("key", "WEAK", "key")
    )
    chosen = await desk.registry.schemas.list(SchemaFilter(**wanted), Page())
    assert [(str(one.stored.subject), len(one.associations)) for one in chosen] == found


# Texts and tags.

TAGGED = (
    '{"type":"record","name":"R","confluent:tags":["A","B"],"fields":['
    '{"name":"f","type":"int","confluent:tags":["B"]},{"name":"g","type":"int"}]}'
)
TAGS = [
    (("*",), [("R", ("A", "B")), ("R.f", ("B",))]),
    (("A",), [("R", ("A", "B"))]),
    (("B", "C"), [("R", ("A", "B")), ("R.f", ("B",))]),
    (("C",), []),
    ((), []),
]


@pytest.mark.parametrize(("wanted", "found"), TAGS)
async def test_entities_are_found_by_their_tags_and_shown_with_all_of_them(
    desk: Any, wanted: tuple[str, ...], found: list[tuple[str, tuple[str, ...]]]
) -> None:
    stored = await desk.put("s", TAGGED)
    tags = desk.registry.schemas.tags(stored.subject, stored.schema, wanted)
    assert [(entity.path, entity.tags) for entity in tags] == found


async def test_a_schema_of_a_language_that_is_not_spoken_is_shown_as_it_is(desk: Any) -> None:
    schema = Schema('{"type": "object"}', "JSON", references=(Reference("n", "t", 1),))
    await desk.append_version("t", "{}", (), 1)
    await desk.append(Record(SchemaKey(Subject.of("s"), 1), SchemaValue(2, schema)))
    subject = Subject.of("s")
    assert desk.registry.schemas.text(subject, schema, "resolved") == schema.text
    assert desk.registry.schemas.tags(subject, schema, ["*"]) == []
    assert (await desk.refusal(desk.put("u", "{}", type="JSON"))) == (42201, "Invalid schema type JSON")


@pytest.fixture
async def cut_off(open_desk) -> Any:
    """A node that knows id 1 in two contexts, and cannot ask whether there is news."""
    log = FarLog(count(1000, 1000).__next__)
    async with open_desk(log=log) as desk:
        await desk.put("s", '"string"')
        await desk.put(":.a:t", '"int"')
        log.reachable = False
        yield desk


@pytest.mark.parametrize(("asked", "found"), [(None, "s"), ("s", "s"), (":.a:t", ":.a:t"), (":.a:", ":.a:t")])
async def test_what_a_known_id_means_is_told_without_asking_for_news(cut_off: Any, asked: str, found: str) -> None:
    assert (await by_id(cut_off, 1, asked))[0] == found


async def test_what_a_known_guid_means_is_told_without_asking_for_news(cut_off: Any) -> None:
    assert (await cut_off.registry.schemas.by_guid(STRING_GUID)).schema.text == '"string"'


@pytest.mark.parametrize("asked", ["t", "unknown"])
async def test_an_id_that_is_found_only_elsewhere_waits_for_news(cut_off: Any, asked: str) -> None:
    assert (await cut_off.refusal(by_id(cut_off, 1, asked)))[0] == 503


async def test_an_id_or_guid_that_is_unknown_waits_for_news(cut_off: Any) -> None:
    assert (await cut_off.refusal(by_id(cut_off, 9)))[0] == 503
    assert (await cut_off.refusal(cut_off.registry.schemas.by_guid(UNKNOWN_GUID)))[0] == 503
