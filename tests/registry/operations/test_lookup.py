"""Looking a schema up under a subject, and finding one by metadata (sections 1.2 and 3.4)."""

from __future__ import annotations

from typing import Any

import pytest

from registry.model import Metadata, Mode, Reference, Subject

pytestmark = pytest.mark.anyio

OWNED = Metadata(properties={"owner": "bob"})
FIXED = '{"type":"fixed","name":"F","size":4}'
INLINED = '{"type":"record","name":"R","fields":[{"name":"f","type":{"type":"fixed","name":"F","size":4}}]}'
REFERRING = '{"type":"record","name":"R","fields":[{"name":"f","type":"F"}]}'


async def test_a_schema_is_found_as_the_version_it_is(desk: Any) -> None:
    for text in ('"int"', '"long"'):
        await desk.put("s", text)
    found = await desk.find("s", '{"type": "int"}')
    assert (found.version, found.id, str(found.subject)) == (1, 1, "s")


ORDERED = '{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":0},{"name":"f","type":"F"}]}'
BY_NAME = '{"fields":[{"default":0,"name":"a","type":"int"},{"name":"f","type":"F"}],"name":"R","type":"record"}'


@pytest.mark.parametrize("normalize", [False, True])
async def test_what_another_registry_wrote_is_found_and_kept_in_any_order_of_its_members(
    desk: Any, normalize: bool
) -> None:
    reference = (Reference("F", "f", 1),)
    await desk.put("f", FIXED)
    await desk.append_version("s", BY_NAME, reference, 7)
    for ask in (desk.find, desk.put):
        found = await ask("s", ORDERED, references=reference, normalize=normalize)
        assert (found.version, found.id, found.schema.text) == (1, 7, BY_NAME)


NOT_FOUND = [
    ("t", '"int"', False, 40401, "Subject 't' not found."),
    ("s", '"bytes"', False, 40403, "Schema not found"),
    ("s", "", False, 40403, "Schema not found"),
    ("t", None, False, 40401, "Subject 't' not found."),
    ("s", '"string"', False, 40403, "Schema not found"),
    ("gone", '"int"', False, 40401, "Subject 'gone' not found."),
    ("gone", '"bytes"', True, 40403, "Schema not found"),
]


@pytest.mark.parametrize(("subject", "text", "deleted", "code", "message"), NOT_FOUND)
async def test_what_a_subject_does_not_have_is_not_found(
    desk: Any, subject: str, text: str | None, deleted: bool, code: int, message: str
) -> None:
    await desk.put("s", '"int"')
    await desk.put("s", '"string"')
    await desk.delete("s", 2)
    await desk.put("gone")
    await desk.delete("gone")
    assert await desk.refusal(desk.find(subject, text, deleted=deleted)) == (code, message)


async def test_a_soft_deleted_schema_is_found_when_asked_for(desk: Any) -> None:
    await desk.put("s")
    await desk.delete("s")
    found = await desk.find("s", deleted=True)
    assert (found.version, found.timestamp_ms) == (1, None)
    assert (await desk.refusal(desk.find("s")))[0] == 40401


@pytest.mark.parametrize("subject", ["s", "nobody"])
async def test_an_unreadable_schema_is_refused_whether_or_not_the_subject_exists(desk: Any, subject: str) -> None:
    await desk.put("s")
    assert (await desk.refusal(desk.find(subject, '"integer"')))[0] == 42201
    assert await desk.refusal(desk.find(subject, "x", type="XML")) == (42201, "Invalid schema type XML")


async def test_what_would_be_refused_as_a_new_schema_is_found_nevertheless(desk: Any) -> None:
    text = '{"type":"record","name":"R","fields":[{"name":"f","type":"int","default":"x"}]}'
    await desk.configure("s", validate_new_schemas=False)
    await desk.put("s", text)
    await desk.configure("s", validate_new_schemas=True)
    assert (await desk.find("s", text)).version == 1


async def test_the_newest_of_several_versions_is_found(desk: Any) -> None:
    await desk.switch("s", Mode.IMPORT)
    for number in (1, 2, 3):
        await desk.put("s", id=number, version=number)
    await desk.delete("s", 3)
    assert ((await desk.find("s")).version, (await desk.find("s", deleted=True)).version) == (2, 3)


async def test_version_and_id_of_the_request_do_not_constrain_the_match(desk: Any) -> None:
    await desk.put("s")
    assert (await desk.find("s", version=9, id=9)).version == 1


async def test_the_order_of_properties_does_not_matter_and_normalizing_is_not_needed(desk: Any) -> None:
    await desk.put("s", '{"type":"int","p":1,"q":2}')
    assert (await desk.find("s", '{"type":"int","q":2,"p":1}')).version == 1


async def test_a_schema_stored_in_normal_form_is_found_by_normalizing(desk: Any) -> None:
    sent = '{"type":"record","name":"R","doc":"","fields":[]}'
    await desk.put("s", sent, normalize=True)
    assert (await desk.refusal(desk.find("s", sent)))[0] == 40403
    assert (await desk.find("s", sent, normalize=True)).version == 1
    await desk.configure("s", normalize=True)
    assert (await desk.find("s", sent)).version == 1


async def test_nothing_is_normalized_while_importing(desk: Any) -> None:
    sent = '{"type":"record","name":"R","doc":"","fields":[]}'
    await desk.switch("s", Mode.IMPORT)
    await desk.put("s", sent, id=1)
    assert (await desk.find("s", sent, normalize=True)).version == 1


async def test_references_may_be_written_out(desk: Any) -> None:
    await desk.put("f", FIXED)
    await desk.put("s", REFERRING, references=(Reference("F", "f", 1),))
    assert (await desk.find("s", INLINED)).version == 1
    assert (await desk.put("s", INLINED)).version == 1


async def test_references_to_the_latest_version_mean_its_number(desk: Any) -> None:
    await desk.put("f", FIXED)
    await desk.put("s", REFERRING, references=(Reference("F", "f", 1),))
    assert (await desk.find("s", REFERRING, references=(Reference("F", "f", -1),))).version == 1


async def test_references_to_what_was_soft_deleted_are_found(desk: Any) -> None:
    await desk.put("f", FIXED)
    await desk.put("s", REFERRING, references=(Reference("F", "f", 1),))
    await desk.delete("s")
    await desk.delete("f")
    found = await desk.find("s", REFERRING, references=(Reference("F", "f", 1),), deleted=True)
    assert found.version == 1


async def test_metadata_may_be_left_out_where_it_is_inherited(desk: Any) -> None:
    await desk.put("s", '"int"', metadata=OWNED)
    assert (await desk.find("s", '"int"')).version == 1
    assert (await desk.refusal(desk.find("s", '"int"', metadata=Metadata())))[0] == 40403


async def test_metadata_from_the_config_counts_as_sent(desk: Any) -> None:
    await desk.configure("s", override_metadata=OWNED)
    await desk.put("s")
    assert (await desk.find("s")).version == 1


async def test_a_bare_name_is_looked_for_in_the_other_contexts_too(desk: Any) -> None:
    await desk.put(":.b:s", '"long"')
    await desk.put(":.a:s", '"int"')
    await desk.put("t")
    assert str((await desk.find("s", '"long"')).subject) == ":.b:s"
    assert (await desk.refusal(desk.find("s", '"string"')))[0] == 40401
    assert (await desk.refusal(desk.find(":.a:s", '"long"')))[0] == 40403
    assert (await desk.refusal(desk.find(":.:t", '"long"')))[0] == 40403


async def test_a_schema_that_another_context_cannot_read_is_passed_over_there(desk: Any) -> None:
    await desk.put("f", FIXED)
    await desk.put(":.x:s", '"int"')
    references = (Reference("F", "f", 1),)
    assert await desk.refusal(desk.find("s", REFERRING, references=references)) == (40401, "Subject 's' not found.")


async def by_metadata(desk: Any, *pairs: tuple[str, str], deleted: bool = False) -> int:
    found = await desk.registry.subjects.with_metadata(Subject.of("s"), pairs, deleted=deleted)
    return int(found.version)


async def test_the_newest_version_with_all_the_properties_is_found(desk: Any) -> None:
    described: list[dict[str, str] | None] = [{"a": "1"}, {"a": "1", "b": "2"}, {"a": "3"}, None]
    await desk.switch("s", Mode.IMPORT)
    for number, properties in enumerate(described, 1):
        metadata = None if properties is None else Metadata(properties=properties)
        await desk.put("s", id=number, metadata=metadata)
    assert [await by_metadata(desk, *pairs) for pairs in ([("a", "1")], [("b", "2"), ("a", "1")], [])] == [2, 2, 3]
    await desk.delete("s", 2)
    assert (await by_metadata(desk, ("a", "1")), await by_metadata(desk, ("a", "1"), deleted=True)) == (1, 2)
    assert await desk.refusal(by_metadata(desk, ("a", "9"))) == (40403, "Schema not found")


async def test_metadata_of_a_subject_that_is_not_there_is_not_found(desk: Any) -> None:
    assert (await desk.refusal(by_metadata(desk)))[0] == 40401
    await desk.put("s", metadata=OWNED)
    await desk.delete("s")
    assert (await desk.refusal(by_metadata(desk)))[0] == 40401
    assert await by_metadata(desk, deleted=True) == 1
