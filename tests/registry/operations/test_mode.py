"""Modes: what they let through, how they are inherited, and entering IMPORT (sections 1.8, 2.2 and 3.9)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from registry.model import Config, Level, Metadata, Mode, Reference, Subject
from registry.operations import Candidate, Policy
from registry.records import EVERYTHING, ClearSubjectKey, ModeKey, SchemaKey

pytestmark = pytest.mark.anyio

OWNED = Metadata(properties={"owner": "bob"})
FIXED = '{"type":"fixed","name":"F","size":4}'


async def mode(desk: Any, subject: str, *, default_to_global: bool = False) -> Mode:
    found: Mode = await desk.registry.mode.get(Subject.of(subject), default_to_global=default_to_global)
    return found


async def drop(desk: Any, subject: str, *, recursive: bool = False) -> Mode | None:
    dropped: Mode | None = await desk.registry.mode.delete(Subject.of(subject), recursive=recursive)
    return dropped


# What each mode lets through.


@pytest.mark.parametrize("read_only", [Mode.READONLY, Mode.READONLY_OVERRIDE])
async def test_a_read_only_subject_refuses_every_change(desk: Any, read_only: Mode) -> None:
    await desk.put("s")
    await desk.configure("s", alias="t")
    await desk.delete("s", 1)
    await desk.put("s", '"long"')
    await desk.switch("s", read_only)
    refused = (42205, "Subject s in context  is in read-only mode")
    assert await desk.refusal(desk.put("s", '"string"')) == refused
    assert await desk.refusal(desk.put("s", '"string"', id=9)) == refused
    assert await desk.refusal(desk.delete("s")) == refused
    assert await desk.refusal(desk.delete("s", 2)) == refused
    assert await desk.refusal(desk.delete("s", 1, permanent=True)) == refused
    assert await desk.refusal(desk.configure("s", alias="u")) == refused
    assert await desk.refusal(desk.registry.config.delete(Subject.of("s"))) == refused
    assert await desk.refusal(desk.registry.versions.undelete(Subject.of("s"), 1, force=False)) == refused


async def test_a_read_only_subject_is_read_and_answers_what_is_there(desk: Any) -> None:
    await desk.put("s")
    await desk.switch("s", Mode.READONLY)
    assert (await desk.put("s")).version == (await desk.find("s")).version == (await desk.get("s")).version == 1
    verdict = await desk.registry.compatibility.check(Subject.of("s"), None, Candidate('"long"'))
    assert verdict.compatible


async def test_a_refused_change_of_the_global_config_names_no_subject(desk: Any) -> None:
    await desk.switch("", Mode.READONLY)
    refused = (42205, "Subject null in context  is in read-only mode")
    assert await desk.refusal(desk.configure("", alias="t")) == refused
    assert await desk.refusal(desk.registry.config.delete(EVERYTHING)) == refused


async def test_a_refusal_names_the_context(desk: Any) -> None:
    await desk.switch(":.x:", Mode.READONLY)
    assert await desk.refusal(desk.put(":.x:s")) == (
        42205,
        "Subject :.x:s in context :.x: is in read-only mode",
    )


async def test_an_unreadable_schema_is_refused_before_the_mode_and_existence_before_both(desk: Any) -> None:
    await desk.switch("s", Mode.READONLY)
    assert (await desk.refusal(desk.put("s", "{")))[0] == 42201
    assert (await desk.refusal(desk.delete("s")))[0] == 40401
    await desk.switch("t", Mode.IMPORT)
    assert (await desk.refusal(desk.put("t", "{")))[0] == 42201


async def test_the_mode_is_judged_before_the_compatibility(open_desk: Any) -> None:
    async with open_desk(Policy()) as desk:
        await desk.put("s")
        await desk.switch("s", Mode.READONLY)
        assert (await desk.refusal(desk.put("s", '"string"')))[0] == 42205


async def test_importing_needs_an_id(desk: Any) -> None:
    await desk.switch("s", Mode.IMPORT)
    assert await desk.refusal(desk.put("s")) == (42205, "Subject s in context  is not in read-write mode")
    stored = await desk.put("s", id=0, version=7)
    assert (stored.id, stored.version) == (0, 7)
    assert (await desk.put("s")).id == 0


@pytest.mark.parametrize("importing", [Mode.IMPORT, Mode.FORWARD])
async def test_importing_takes_ids_and_versions_as_they_come(desk: Any, importing: Mode) -> None:
    await desk.switch(":.__GLOBAL:", importing)
    stored = [
        await desk.put("s", '"int"', id=50, version=3),
        await desk.put("s", '"long"', id=20, version=1),
        await desk.put("s", '"string"', id=70),
    ]
    assert [(one.id, one.version) for one in stored] == [(50, 3), (20, 1), (70, 4)]
    assert await desk.versions("s") == [1, 3, 4]
    await desk.switch(":.__GLOBAL:", None)
    assert (await desk.put("s", '"bytes"')).id == 71


async def test_importing_checks_neither_compatibility_nor_the_rules_for_new_schemas(open_desk: Any) -> None:
    async with open_desk(Policy(defaults=Config(compatibility_level=Level.FULL))) as desk:
        await desk.switch("s", Mode.IMPORT)
        await desk.put("s", '"int"', id=1)
        await desk.put("s", '{"type":"record","name":"R","fields":[{"name":"f","type":"int","default":"x"}]}', id=2)
        assert await desk.versions("s") == [1, 2]


async def test_importing_never_normalizes(desk: Any) -> None:
    await desk.configure("", normalize=True)
    await desk.switch("s", Mode.IMPORT)
    text = '{"type":"int","q":2,"p":1}'
    assert (await desk.put("s", text, id=1, normalize=True)).schema.text == text
    assert (await desk.put("s", text, normalize=True)).schema.text == text


async def test_importing_inherits_nothing(desk: Any) -> None:
    await desk.put("s", '"int"', metadata=OWNED)
    await desk.configure("s", override_metadata=Metadata(properties={"a": "b"}))
    await desk.switch("s", Mode.IMPORT, force=True)
    assert (await desk.put("s", '"long"', id=9, version=5)).schema.metadata is None


async def test_one_content_may_be_imported_under_two_ids(desk: Any) -> None:
    await desk.switch("", Mode.IMPORT)
    assert [(await desk.put(name, id=number)).id for name, number in [("a", 100), ("b", 200), ("a", 300)]] == [
        100,
        200,
        300,
    ]
    await desk.switch("", Mode.READWRITE)
    assert ((await desk.put("a")).id, (await desk.put("c")).id) == (300, 300)


async def test_an_id_is_not_imported_for_two_contents(desk: Any) -> None:
    await desk.switch("", Mode.IMPORT)
    await desk.put("a", '"int"', id=1)
    refused = (42205, "Overwrite new schema with id 1 in context  is not permitted.")
    assert await desk.refusal(desk.put("a", '"long"', id=1)) == refused
    assert await desk.refusal(desk.put("b", '"int"', id=1, metadata=OWNED)) == refused
    await desk.delete("a")
    assert await desk.refusal(desk.put("b", '"long"', id=1)) == refused
    assert (await desk.put("b", '"int"', id=1)).id == 1


async def test_an_id_that_nothing_holds_any_more_may_be_imported(desk: Any) -> None:
    await desk.put("a", '"int"')
    await desk.erase("a")
    await desk.switch("", Mode.IMPORT)
    assert (await desk.put("a", '"long"', id=1)).id == 1


async def test_an_import_with_the_id_and_version_that_are_there_is_answered(desk: Any) -> None:
    await desk.switch("s", Mode.IMPORT)
    await desk.put("s", id=5, version=1)
    await desk.put("s", id=5, version=2)
    position = desk.position
    assert [(await desk.put("s", id=5, version=number)).version for number in (1, 2)] == [1, 2]
    assert (await desk.put("s", id=5)).version == 2
    assert desk.position == position


async def test_an_imported_version_replaces_the_one_that_is_there(desk: Any) -> None:
    await desk.switch("s", Mode.IMPORT)
    await desk.put("s", '"int"', id=1, version=1)
    await desk.put("s", '"long"', id=2, version=1)
    assert (await desk.versions("s"), (await desk.get("s", 1)).id) == ([1], 2)


async def test_an_import_may_refer_to_soft_deleted_versions(desk: Any) -> None:
    await desk.put("f", FIXED)
    await desk.delete("f")
    await desk.switch("s", Mode.IMPORT)
    assert (await desk.put("s", '"F"', id=9, references=(Reference("F", "f", 1),))).id == 9


async def test_an_import_replaces_older_soft_deleted_versions_of_its_id_only(desk: Any) -> None:
    await desk.switch("s", Mode.IMPORT)
    for number in (1, 5):
        await desk.put("s", id=7, version=number)
    await desk.delete("s")
    await desk.put("s", id=7, version=3)
    assert await desk.versions("s") == [3, -5]


# Where a mode comes from.

SET_AT = [
    ("s", "s", True),
    ("", "s", True),
    (":.__GLOBAL:", "s", True),
    ("", ":.x:s", False),
    (":.x:", ":.x:s", True),
    (":.x:", "s", False),
    (":.__GLOBAL:", ":.x:s", True),
    (":.x:s", "s", False),
]


@pytest.mark.parametrize(("place", "subject", "holds"), SET_AT)
async def test_a_mode_holds_for_what_lies_below(desk: Any, place: str, subject: str, holds: bool) -> None:
    await desk.switch(place, Mode.READONLY)
    found = await mode(desk, subject, default_to_global=True)
    assert found is (Mode.READONLY if holds else Mode.READWRITE)


async def test_the_nearest_mode_decides(desk: Any) -> None:
    await desk.switch("", Mode.READONLY)
    await desk.switch(":.__GLOBAL:", Mode.IMPORT)
    await desk.switch("s", Mode.READWRITE)
    assert (await desk.put("s")).version == 1
    assert [await mode(desk, name, default_to_global=True) for name in ("", "t", ":.x:s")] == [
        Mode.READONLY,
        Mode.READONLY,
        Mode.IMPORT,
    ]


async def test_a_mode_that_is_not_set_is_missing_except_for_all(desk: Any) -> None:
    assert await desk.refusal(mode(desk, "s")) == (
        40409,
        "Subject 's' does not have subject-level mode configured",
    )
    assert (await desk.refusal(mode(desk, ":.x:")))[0] == 40409
    assert [await mode(desk, name) for name in ("", ":.:", ":.__GLOBAL:")] == [Mode.READWRITE] * 3


async def test_a_mode_is_set_for_subjects_that_do_not_exist(desk: Any) -> None:
    assert await desk.switch("nobody", Mode.IMPORT) is Mode.IMPORT
    assert await mode(desk, "nobody") is Mode.IMPORT


async def test_a_mode_that_is_set_already_is_not_logged_again(desk: Any) -> None:
    await desk.switch("s", Mode.READONLY)
    await desk.switch("s", Mode.READONLY)
    await desk.switch("t", None)
    assert desk.position == 1


async def test_setting_no_mode_clears_it(desk: Any) -> None:
    await desk.switch("s", Mode.READONLY)
    assert await desk.switch("s", None) is None
    assert (await desk.refusal(mode(desk, "s")))[0] == 40409


REFUSED = [
    ("__GLOBAL", Mode.READONLY, 42208, "The specified subject '__GLOBAL' is not a valid."),
    ("s", Mode.FORWARD, 42204, "Forward mode only supported on global level"),
    ("", Mode.FORWARD, 42204, "Forward mode only supported on global level"),
    (":.x:", Mode.FORWARD, 42204, "Forward mode only supported on global level"),
]


@pytest.mark.parametrize(("subject", "wanted", "code", "message"), REFUSED)
async def test_a_mode_that_cannot_be_set_there_is_refused(
    desk: Any, subject: str, wanted: Mode, code: int, message: str
) -> None:
    assert await desk.refusal(desk.switch(subject, wanted)) == (code, message)


async def test_where_modes_are_fixed_none_is_changed(open_desk: Any) -> None:
    async with open_desk(replace(Policy(), mode_mutable=False)) as desk:
        refused = (42205, "Mode changes are not allowed")
        assert await desk.refusal(desk.switch("s", Mode.READONLY)) == refused
        assert await desk.refusal(drop(desk, "")) == refused
        assert await desk.refusal(drop(desk, "s", recursive=True)) == refused
        assert (await desk.refusal(drop(desk, "s")))[0] == 40401


# Entering IMPORT.


@pytest.mark.parametrize(
    ("place", "subject"),
    [("s", "s"), ("", "s"), ("", ":.x:s"), (":.x:", ":.x:s"), (":.__GLOBAL:", "s"), (":.__GLOBAL:", ":.x:s")],
)
async def test_entering_import_wants_no_live_subject_in_its_scope(desk: Any, place: str, subject: str) -> None:
    await desk.put(subject)
    assert await desk.refusal(desk.switch(place, Mode.IMPORT)) == (
        42205,
        "Cannot import since found existing subjects",
    )
    await desk.switch(place, Mode.IMPORT, force=True)
    assert await mode(desk, place) is Mode.IMPORT
    assert await desk.versions(subject) == [1]


@pytest.mark.parametrize(("place", "subject"), [("s", "t"), (":.x:", "s"), ("s", ":.x:s")])
async def test_entering_import_does_not_mind_subjects_elsewhere(desk: Any, place: str, subject: str) -> None:
    await desk.put(subject)
    await desk.switch(place, Mode.IMPORT)


async def test_entering_import_sweeps_what_is_soft_deleted(desk: Any) -> None:
    await desk.put("s", '"int"')
    await desk.put("s", '"long"')
    await desk.delete("s")
    await desk.switch("s", Mode.IMPORT)
    swept = desk.records()[-4:]
    assert [(type(record.key), record.value is None) for record in swept] == [
        (SchemaKey, True),
        (SchemaKey, True),
        (ClearSubjectKey, False),
        (ModeKey, False),
    ]
    assert await desk.versions("s") == []
    assert (await desk.put("s", '"string"', id=1)).version == 1


async def test_what_is_swept_must_not_be_referred_to(desk: Any) -> None:
    await desk.put("f", FIXED)
    await desk.put("s", '"F"', references=(Reference("F", "f", 1),))
    await desk.delete("s")
    await desk.delete("f")
    assert await desk.refusal(desk.switch("f", Mode.IMPORT)) == (
        42206,
        "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=f,version=1}.",
    )
    assert await desk.versions("f") == [-1]


async def test_what_imports_already_enters_import_as_it_is(desk: Any) -> None:
    await desk.switch("", Mode.IMPORT)
    await desk.put("s", id=1)
    await desk.switch("s", Mode.IMPORT)
    assert await desk.versions("s") == [1]


# Deleting modes.


async def test_deleting_a_mode_answers_what_it_was(desk: Any) -> None:
    await desk.switch("s", Mode.IMPORT)
    await desk.switch("", Mode.READONLY)
    assert [await drop(desk, name) for name in ("s", "")] == [Mode.IMPORT, Mode.READONLY]
    assert [await drop(desk, name) for name in ("", ":.__GLOBAL:")] == [Mode.READWRITE, Mode.READWRITE]
    assert await desk.refusal(drop(desk, "s")) == (40401, "Subject 's' not found.")


async def set_modes(desk: Any) -> None:
    for name in ("", "a", "b", ":.x:", ":.x:a", ":.y:a"):
        await desk.switch(name, Mode.READONLY)


def modes(desk: Any) -> list[str]:
    return sorted(str(subject) for subject, _ in desk.registry.state.modes())


RECURSIVE = [
    ("", [":.x:", ":.x:a", ":.y:a"]),
    (":.x:", ["", ":.y:a", "a", "b"]),
    ("a", ["", ":.x:", ":.x:a", ":.y:a", "b"]),
]


@pytest.mark.parametrize(("place", "left"), RECURSIVE)
async def test_deleting_recursively_takes_the_modes_of_the_subjects_along(
    desk: Any, place: str, left: list[str]
) -> None:
    await set_modes(desk)
    assert await drop(desk, place, recursive=True) is Mode.READONLY
    assert modes(desk) == left


@pytest.mark.parametrize("place", ["", ":.x:"])
async def test_deleting_without_recursion_takes_one_mode(desk: Any, place: str) -> None:
    await set_modes(desk)
    await drop(desk, place)
    assert len(modes(desk)) == 5


@pytest.mark.parametrize("place", ["s", ":.z:"])
async def test_deleting_recursively_where_nothing_is_set_answers_nothing(desk: Any, place: str) -> None:
    await set_modes(desk)
    assert await drop(desk, place, recursive=True) is None
    assert len(modes(desk)) == 6


async def test_deleting_recursively_reaches_subjects_of_a_context_without_a_mode(desk: Any) -> None:
    await set_modes(desk)
    assert await drop(desk, ":.y:", recursive=True) is None
    assert ":.y:a" not in modes(desk)
