"""Deleting subjects and versions, softly and for good, and taking a soft delete back (sections 1.2, 1.3, 3.7)."""

from __future__ import annotations

from typing import Any

import pytest

from registry.model import Association, Config, Level, Mode, Reference, Schema, Subject
from registry.operations import Policy
from registry.records import (
    EVERYTHING,
    AssociationKey,
    ConfigKey,
    DeletedUpTo,
    DeleteSubjectKey,
    ModeKey,
    Record,
    SchemaKey,
    SchemaValue,
)

pytestmark = pytest.mark.anyio

S = Subject.of("s")
FIXED = '{"type":"fixed","name":"F","size":4}'
TO_F = (Reference("F", "f", 1),)
REFERRED = (42206, "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=f,version=1}.")


async def put_versions(desk: Any, subject: str = "s") -> None:
    for text in ('"int"', '"long"', '"string"'):
        await desk.put(subject, text)


async def undelete(desk: Any, subject: str, version: int, *, force: bool = False) -> Any:
    return await desk.registry.versions.undelete(Subject.of(subject), version, force=force)


async def test_a_soft_delete_answers_the_versions_that_were_live(desk: Any) -> None:
    await put_versions(desk)
    assert await desk.delete("s", 2) == 2
    assert await desk.delete("s") == [1, 3]
    assert desk.records()[-1] == Record(DeleteSubjectKey(S), DeletedUpTo(3))
    assert await desk.versions("s") == [-1, -2, -3]


async def test_a_permanent_delete_answers_all_versions_and_removes_the_highest_first(desk: Any) -> None:
    await put_versions(desk)
    await desk.delete("s")
    assert await desk.delete("s", permanent=True) == [1, 2, 3]
    assert desk.records()[-3:] == [Record(SchemaKey(S, number), None) for number in (3, 2, 1)]
    assert (await desk.refusal(desk.get("s", 1, deleted=True)))[0] == 40401


async def test_the_latest_version_is_deleted_under_its_number(desk: Any) -> None:
    await put_versions(desk)
    assert [await desk.delete("s", -1) for _ in range(3)] == [3, 2, 1]
    assert await desk.refusal(desk.delete("s", -1)) == (40402, "Version -1 not found.")


REFUSED: list[tuple[str, int | None, bool, int, str]] = [
    ("nobody", None, False, 40401, "Subject 'nobody' not found."),
    ("nobody", None, True, 40401, "Subject 'nobody' not found."),
    ("nobody", 1, False, 40401, "Subject 'nobody' not found."),
    ("s", 9, False, 40402, "Version 9 not found."),
    ("s", 9, True, 40402, "Version 9 not found."),
    ("gone", None, False, 40404, "Subject 'gone' was soft deleted.Set permanent=true to delete permanently"),
    ("s", None, True, 40405, "Subject 's' was not deleted first before being permanently deleted"),
    ("s", 1, False, 40406, "Subject 's' Version 1 was soft deleted.Set permanent=true to delete permanently"),
    ("s", 2, True, 40407, "Subject 's' Version 2 was not deleted first before being permanently deleted"),
    ("s", -1, True, 40407, "Subject 's' Version 3 was not deleted first before being permanently deleted"),
]


@pytest.mark.parametrize(("subject", "version", "permanent", "code", "message"), REFUSED)
async def test_a_delete_out_of_order_is_refused(
    desk: Any, subject: str, version: int | None, permanent: bool, code: int, message: str
) -> None:
    await put_versions(desk)
    await desk.delete("s", 1)
    await desk.put("gone")
    await desk.delete("gone")
    position = desk.position
    assert await desk.refusal(desk.delete(subject, version, permanent=permanent)) == (code, message)
    assert desk.position == position


async def test_a_soft_deleted_version_keeps_its_id(desk: Any) -> None:
    await desk.put("s")
    await desk.delete("s")
    assert (await desk.registry.schemas.by_id(1)).deleted is True
    assert (await desk.put("t")).id == 1


# References.


async def refer(desk: Any, subject: str = "s") -> None:
    await desk.put("f", FIXED)
    await desk.put(subject, '"F"', references=TO_F)


async def test_what_is_referred_to_is_deleted_neither_softly_nor_for_good(desk: Any) -> None:
    await refer(desk)
    assert await desk.refusal(desk.delete("f")) == REFERRED
    assert await desk.refusal(desk.delete("f", 1)) == REFERRED
    assert await desk.refusal(desk.delete("f", permanent=True)) == REFERRED
    assert await desk.refusal(desk.delete("f", 1, permanent=True)) == REFERRED


async def test_a_soft_deleted_referrer_blocks_permanent_deletes_only(desk: Any) -> None:
    await refer(desk)
    await desk.delete("s")
    assert await desk.delete("f", 1) == 1
    assert await desk.refusal(desk.delete("f", permanent=True)) == REFERRED
    assert await desk.refusal(desk.delete("f", 1, permanent=True)) == REFERRED
    await desk.delete("s", permanent=True)
    assert await desk.delete("f", permanent=True) == [1]


async def test_a_referrer_in_another_context_counts(desk: Any) -> None:
    await desk.put("f", FIXED)
    await desk.put(":.x:s", '"F"', references=(Reference("F", ":.:f", 1),))
    assert await desk.refusal(desk.delete("f")) == REFERRED


async def test_a_subject_that_refers_to_itself_is_deleted_at_once(desk: Any) -> None:
    await refer(desk, "f")
    assert await desk.refusal(desk.delete("f", 1)) == REFERRED
    assert await desk.delete("f") == [1, 2]
    assert await desk.refusal(desk.delete("f", 1, permanent=True)) == REFERRED
    assert await desk.delete("f", permanent=True) == [1, 2]


# Settings go with the last version.


async def test_the_settings_of_a_subject_go_with_its_last_version_and_not_before(desk: Any) -> None:
    for name in ("s", "t"):
        await put_versions(desk, name)
        await desk.configure(name, alias="u")
        await desk.switch(name, Mode.READWRITE)
    await desk.erase("s")
    await desk.erase("t", 1)
    assert [str(subject) for subject, _ in desk.registry.state.configs()] == ["t"]
    assert desk.records()[-7:-2] == [
        *(Record(SchemaKey(S, number), None) for number in (3, 2, 1)),
        Record(ModeKey(S), None),
        Record(ConfigKey(S), None),
    ]
    for number in (2, 3):
        await desk.erase("t", number)
    assert (list(desk.registry.state.configs()), list(desk.registry.state.modes())) == ([], [])


async def test_a_soft_delete_leaves_the_settings(desk: Any) -> None:
    await desk.put("s")
    await desk.configure("s", alias="u")
    await desk.delete("s")
    assert (await desk.registry.config.get(S)).alias == "u"


async def test_deleting_the_empty_subject_leaves_the_global_settings(desk: Any) -> None:
    await desk.put("")
    await desk.configure("", normalize=True)
    await desk.switch("", Mode.READWRITE)
    await desk.erase("")
    assert desk.registry.state.config(EVERYTHING) == Config(normalize=True)
    assert desk.registry.state.mode(EVERYTHING) is Mode.READWRITE


async def test_the_empty_subject_is_still_deleted_after_a_restart(open_desk: Any) -> None:
    async with open_desk() as first:
        await first.put("")
        await first.delete("")
    async with open_desk(log=first.log) as second:
        assert await second.versions("") == [-1]
        assert second.registry.state.unreadable_records == 0


async def test_a_guid_that_cannot_be_computed_outlives_a_soft_delete(desk: Any) -> None:
    await desk.append(Record(SchemaKey(S, 1), SchemaValue(1, Schema('"int"'), md5=b"m" * 16)))
    await desk.delete("s", 1)
    (row,) = desk.registry.state.rows(S)
    assert (row.deleted, row.content.guid) == (True, b"m" * 16)


# Associations.


def bound(subject: Subject, lifecycle: str = "WEAK") -> Record:
    key = AssociationKey("t", "ns", "topic", "value", subject)
    return Record(key, Association("g", "t", "ns", "id", "topic", "value", subject, lifecycle, False))


async def test_an_associated_subject_is_not_deleted(desk: Any) -> None:
    await put_versions(desk)
    await desk.append(bound(S))
    assert await desk.refusal(desk.delete("s")) == (40904, "An association already exists for subject 's'")
    await desk.delete("s", 1)
    await desk.delete("s", 2)
    assert await desk.refusal(desk.delete("s", 3)) == (
        40907,
        "No active (non-deleted) version exists for subject 's'",
    )
    assert await desk.delete("s", 2, permanent=True) == 2


# Plans.


async def test_plans_of_deletes_write_nothing(desk: Any) -> None:
    await put_versions(desk)
    subject = await desk.registry.subjects.delete(S, permanent=False, dry_run=True)
    version = await desk.registry.versions.delete(S, 2, permanent=False, dry_run=True)
    assert (subject.answer, version.answer, await desk.versions("s")) == ([1, 2, 3], 2, [1, 2, 3])
    assert subject.records == (('{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}', '{"subject":"s","version":3}'),)
    wish = desk.registry.subjects.delete(S, permanent=True, dry_run=True)
    assert (await desk.refusal(wish))[0] == 40405


# Undelete.


async def test_an_undeleted_version_is_back_under_its_number_and_id(desk: Any) -> None:
    await put_versions(desk)
    await desk.delete("s", 2)
    back = await undelete(desk, "s", 2)
    assert (back.version, back.id, back.deleted) == (2, 2, False)
    assert (await desk.versions("s"), (await desk.find("s", '"long"')).version) == ([1, 2, 3], 2)


async def test_versions_of_a_deleted_subject_come_back_one_by_one(desk: Any) -> None:
    await put_versions(desk)
    await desk.delete("s")
    await undelete(desk, "s", 3)
    assert await desk.versions("s") == [-1, -2, 3]


async def test_a_plan_of_an_undelete_writes_nothing(desk: Any) -> None:
    await desk.put("s")
    await desk.delete("s")
    plan = await desk.registry.versions.undelete(S, 1, force=False, dry_run=True)
    assert (plan.answer.deleted, await desk.versions("s")) == (False, [-1])


async def test_only_what_is_soft_deleted_is_undeleted(desk: Any) -> None:
    await desk.put("s")
    assert await desk.refusal(undelete(desk, "s", 1)) == (42205, "Subject 's' Version 1 is not soft deleted")
    assert (await desk.refusal(undelete(desk, "s", 2)))[0] == 40402
    assert (await desk.refusal(undelete(desk, "t", 1)))[0] == 40401


async def test_an_undeleted_version_must_not_refer_to_what_is_deleted(desk: Any) -> None:
    await refer(desk)
    await desk.delete("s")
    await desk.delete("f")
    assert (await desk.refusal(undelete(desk, "s", 1)))[0] == 42201
    await undelete(desk, "f", 1)
    assert (await undelete(desk, "s", 1)).version == 1


@pytest.mark.parametrize(("deleted", "against"), [(1, "a later one"), (2, "an earlier one")])
async def test_an_undeleted_version_must_be_compatible_unless_forced(
    open_desk: Any, deleted: int, against: str
) -> None:
    async with open_desk(Policy(defaults=Config(compatibility_level=Level.BACKWARD))) as desk:
        await desk.put("s", '"int"')
        await desk.put("s", '"string"', force=True)
        await desk.delete("s", deleted)
        assert (await desk.refusal(undelete(desk, "s", deleted)))[0] == 40901, against
        assert (await undelete(desk, "s", deleted, force=True)).version == deleted
