"""Which versions a schema is compared with, while registering and when asked (sections 1.6, 3.10 and 3.12)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from registry.formats.avro import AvroFormat, AvroSchema
from registry.model import Config, Level, Metadata, Mode, Schema, Subject
from registry.operations import Candidate, Policy
from registry.operations.languages import THREAD_ABOVE_BYTES
from registry.records import Record, SchemaKey, SchemaValue

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    async with open_desk(Policy()) as desk:
        yield desk


def record_of(*fields: str) -> str:
    """A record of optional (`a`) and required (`a!`) fields."""
    listed = ",".join(
        f'{{"name":"{name.rstrip("!")}","type":"int"{"" if name.endswith("!") else ""","default":0"""}}}'
        for name in fields
    )
    return f'{{"type":"record","name":"R","fields":[{listed}]}}'


async def check(desk: Any, version: int | None, text: str | None, subject: str = "s", **parts: Any) -> Any:
    return await desk.registry.compatibility.check(Subject.of(subject), version, Candidate(text, **parts))


async def fits(desk: Any, version: int | None, *fields: str, **parts: Any) -> bool:
    return bool((await check(desk, version, record_of(*fields), **parts)).compatible)


async def test_an_incompatible_schema_is_refused_with_confluents_lines(desk: Any) -> None:
    await desk.put("s", '"int"')
    assert await desk.refusal(desk.put("s", '"string"')) == (
        40901,
        (
            'Schema being registered is incompatible with an earlier schema for subject "s", details: '
            "[{errorType:'TYPE_MISMATCH', description:'The type (path '/') of a field in the new schema does not match "
            "with the old schema', additionalInfo:'reader type: STRING not compatible with writer type: INT'}, "
            "{oldSchemaVersion: 1}, {oldSchema: '\"int\"'}, {validateFields: 'false', compatibility: 'BACKWARD'}]"
        ),
    )
    assert desk.position == 1


async def test_force_skips_the_check(desk: Any) -> None:
    await desk.put("s", '"int"')
    assert (await desk.put("s", '"string"', force=True)).version == 2


async def test_compatibility_is_judged_before_the_explicit_version(desk: Any) -> None:
    await desk.put("s", '"int"')
    assert (await desk.refusal(desk.put("s", '"string"', version=9)))[0] == 40901


LEVELS = [
    # level; may a required field come; may a required field go; may what only the latest version allows
    (Level.NONE, True, True, True),
    (Level.BACKWARD, False, True, True),
    (Level.BACKWARD_TRANSITIVE, False, True, False),
    (Level.FORWARD, True, False, True),
    (Level.FORWARD_TRANSITIVE, True, False, False),
    (Level.FULL, False, False, True),
    (Level.FULL_TRANSITIVE, False, False, False),
]


@pytest.mark.parametrize(("level", "may_come", "may_go", "latest_is_enough"), LEVELS)
async def test_a_level_says_who_must_read_whom_and_how_far_back(
    desk: Any, level: Level, may_come: bool, may_go: bool, latest_is_enough: bool
) -> None:
    await desk.configure("", compatibility_level=level)
    await desk.put("s", record_of("a!"))
    assert (await fits(desk, None, "a!", "b!"), await fits(desk, None)) == (may_come, may_go)
    await desk.put("t", '"int"')
    await desk.put("t", '"string"', force=True)
    assert bool((await check(desk, None, '{"type":"string","p":1}', "t")).compatible) is latest_is_enough


async def test_one_version_is_compared_whatever_the_reach_of_the_level(desk: Any) -> None:
    await desk.configure("", compatibility_level=Level.BACKWARD_TRANSITIVE)
    await desk.put("s", '"int"')
    await desk.put("s", '"string"', force=True)
    candidates = [(await check(desk, version, '"string"')).compatible for version in (1, 2, -1, None)]
    assert candidates == [False, True, True, False]


async def test_the_latest_version_may_fit_where_the_history_does_not(desk: Any) -> None:
    await desk.configure("s", compatibility_level=Level.FORWARD_TRANSITIVE)
    await desk.put("s", record_of("a!"))
    await desk.put("s", record_of("b!"), force=True)
    assert (await fits(desk, -1, "b!"), await fits(desk, None, "b!")) == (True, False)


async def test_soft_deleted_versions_are_not_compared(desk: Any) -> None:
    await desk.put("s", '"int"')
    await desk.delete("s")
    assert (await desk.put("s", '"string"')).version == 2
    assert await desk.refusal(check(desk, 1, '"string"')) == (40402, "Version 1 not found.")


async def test_against_nothing_everything_fits_but_a_version_must_exist(desk: Any) -> None:
    assert [(await check(desk, version, '"int"', "nobody")).compatible for version in (None, -1)] == [True, True]
    assert await desk.refusal(check(desk, 100, '"int"', "nobody")) == (40402, "Version 100 not found.")


async def test_a_bare_name_is_not_compared_with_other_contexts(desk: Any) -> None:
    await desk.put(":.x:s", '"int"')
    assert (await check(desk, None, '"string"')).compatible
    assert (await desk.refusal(check(desk, 1, '"string"')))[0] == 40402


@pytest.mark.parametrize("text", [None, "", "  "])
async def test_an_empty_schema_is_refused(desk: Any, text: str | None) -> None:
    assert await desk.refusal(check(desk, None, text)) == (42201, "Empty schema")


async def test_a_version_that_is_missing_is_said_before_the_schema_is_read(desk: Any) -> None:
    assert (await desk.refusal(check(desk, 1, "{")))[0] == 40402
    assert (await desk.refusal(check(desk, None, "{")))[0] == 42201


BAD_DEFAULT = '{"type":"record","name":"R","fields":[{"name":"f","type":"int","default":"x"}]}'
BAD_NAMESPACE = '{"type":"record","name":"R","namespace":"a-b","fields":[]}'


@pytest.mark.parametrize("text", [BAD_DEFAULT, BAD_NAMESPACE])
async def test_new_schemas_are_judged_strictly_unless_the_config_says_otherwise(desk: Any, text: str) -> None:
    assert (await desk.refusal(check(desk, None, text)))[0] == 42201
    assert (await desk.refusal(desk.put("s", text)))[0] == 42201
    await desk.configure("", validate_new_schemas=False)
    assert (await check(desk, None, text)).compatible
    assert (await desk.put("s", text)).version == 1


async def test_the_mode_does_not_matter_when_asking(desk: Any) -> None:

    await desk.put("s", '"int"')
    await desk.switch("s", Mode.READONLY)
    assert (await check(desk, None, '"long"')).compatible


# Groups.


def version_of(group: str | None) -> dict[str, Any]:
    return {"metadata": Metadata(properties={} if group is None else {"application.version": group})}


async def test_only_versions_of_the_same_group_are_compared(desk: Any) -> None:
    await desk.configure("s", compatibility_group="application.version")
    await desk.put("s", '"int"', **version_of("1"))
    assert (await desk.put("s", '"string"', **version_of("2"))).version == 2
    assert (await desk.put("s", '"boolean"', **version_of(None))).version == 3
    assert (await desk.refusal(desk.put("s", '"bytes"', **version_of("1"))))[0] == 40901
    assert (await desk.put("s", '"long"', **version_of("1"))).version == 4
    assert (await desk.refusal(desk.put("s", '"int"', **version_of(None))))[0] == 40901


async def test_without_a_group_all_versions_are_compared_again(desk: Any) -> None:
    await desk.configure("s", compatibility_group="application.version")
    await desk.put("s", '"int"', **version_of("1"))
    await desk.configure("s", compatibility_group=None)
    assert (await desk.refusal(desk.put("s", '"string"', **version_of("2"))))[0] == 40901


# Reserved fields.


def reserving(names: str) -> Metadata:
    return Metadata(properties={"confluent:reserved": names})


async def test_reserved_fields_may_not_be_used(desk: Any) -> None:
    await desk.configure("s", validate_fields=True)
    code, message = await desk.refusal(desk.put("s", record_of("a"), metadata=reserving("a,b")))
    assert (code, message.endswith("compatibility: 'BACKWARD'}]")) == (40901, True)
    assert "[The new schema has field that conflicts with the reserved field a., {validateFields: 'true'" in message


async def test_reserved_fields_stay_reserved(desk: Any) -> None:
    await desk.configure("s", validate_fields=True)
    await desk.put("s", record_of("a"), metadata=reserving("b,c"))
    _, message = await desk.refusal(desk.put("s", record_of("a", "d"), metadata=reserving("b")))
    assert "[The new schema has reserved field c removed from its metadata which is present in the old" in message
    assert (await desk.put("s", record_of("a", "d"))).version == 2


async def test_reserved_fields_are_those_of_the_newest_version_whatever_its_group(desk: Any) -> None:
    await desk.configure("s", validate_fields=True, compatibility_group="g")
    await desk.put("s", record_of("a"), metadata=Metadata(properties={"confluent:reserved": "b", "g": "1"}))
    sent = Metadata(properties={"g": "2"})
    assert (await desk.refusal(desk.put("s", record_of("a", "c"), metadata=sent)))[0] == 40901


async def test_reserved_fields_mean_nothing_unless_the_config_says_so(desk: Any) -> None:
    assert (await desk.put("s", record_of("a"), metadata=reserving("a"))).version == 1


# Languages that are not spoken here.


async def test_a_schema_of_another_language_is_never_compatible_except_at_none(desk: Any) -> None:
    foreign = SchemaValue(1, Schema('{"type":"object"}', "JSON"))
    await desk.append(Record(SchemaKey(Subject.of("s"), 1), foreign))
    assert await desk.refusal(desk.put("s", '"int"')) == (
        40901,
        (
            'Schema being registered is incompatible with an earlier schema for subject "s", details: '
            "[Incompatible because of different schema type, {validateFields: 'false', compatibility: 'BACKWARD'}]"
        ),
    )
    await desk.configure("s", compatibility_level=Level.NONE)
    assert (await desk.put("s", '"int"')).version == 2


class ThreadSpy:
    """Avro, and on which thread each of its texts was parsed."""

    name = "AVRO"

    def __init__(self) -> None:
        self.threads: list[int] = []

    def parse(self, text: str, references: Mapping[str, str], *, strict: bool) -> AvroSchema:
        self.threads.append(threading.get_ident())
        return AvroFormat().parse(text, references, strict=strict)


def large(*fields: str) -> str:
    return record_of(*fields).replace('"fields"', f'"doc":"{"x" * THREAD_ABOVE_BYTES}","fields"')


@pytest.mark.parametrize(
    ("level", "parsed"), [(Level.BACKWARD, 2), (Level.BACKWARD_TRANSITIVE, 4), (Level.FULL_TRANSITIVE, 4)]
)
@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda desk: check(desk, None, large("d")), id="asking"),
        pytest.param(lambda desk: desk.put("s", large("d")), id="registering"),
    ],
)
async def test_large_versions_that_nobody_remembers_are_parsed_off_the_event_loop(
    open_desk: Any, ask: Any, level: Level, parsed: int
) -> None:
    async with open_desk(Policy(defaults=Config(compatibility_level=level))) as before:
        for field in "abc":
            await before.put("s", large(field))
    async with open_desk(Policy(defaults=Config(compatibility_level=level)), before.log) as desk:
        spy = ThreadSpy()
        desk.registry.versions._core.languages._formats = {"AVRO": spy}
        await ask(desk)
    assert len(spy.threads) == parsed
    assert threading.get_ident() not in spy.threads
