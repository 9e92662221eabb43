"""References: where they are found, in what order their texts come, and what refers to a version (section 3.8)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from registry.errors import InvalidSchema
from registry.model import Reference, Subject
from registry.operations import Page, Policy
from registry.operations.references import referred_texts

pytestmark = pytest.mark.anyio

FIXED = '{"type":"fixed","name":"F","size":4}'


def referring(name: str, *types: str) -> str:
    fields = ",".join(f'{{"name":"f{at}","type":"{type_}"}}' for at, type_ in enumerate(types))
    return f'{{"type":"record","name":"{name}","fields":[{fields}]}}'


def to(name: str, subject: str, version: int = 1) -> Reference:
    return Reference(name, subject, version)


async def put_chain(desk: Any) -> None:
    """`c` refers to `b`, `b` refers to `a`."""
    await desk.put("a", FIXED)
    await desk.put("b", referring("B", "F"), references=(to("F", "a"),))
    await desk.put("c", referring("C", "B"), references=(to("B", "b"),))


async def test_references_reach_through_several_levels(desk: Any) -> None:
    await put_chain(desk)
    stored = await desk.get("c")
    assert stored.schema.references == (to("B", "b"),)
    assert referred_texts(desk.registry.state, stored.subject, stored.schema.references, deleted=False) == (
        ("F", FIXED),
        ("B", referring("B", "F")),
    )


async def test_a_resolved_text_writes_out_what_it_refers_to(desk: Any) -> None:
    await put_chain(desk)
    stored = await desk.get("c")
    text = desk.registry.schemas.text(stored.subject, stored.schema, "RESOLVED")
    assert '{"name":"f0","type":{"type":"fixed","name":"F","size":4}}' in text
    assert desk.registry.schemas.text(stored.subject, stored.schema, "pretty") == stored.schema.text
    assert (await desk.find("c", text)).version == 1


@pytest.mark.parametrize(
    ("referrer", "subject", "found"),
    [
        ("s", "f", "f"),
        (":.x:s", "f", ":.x:f"),
        (":.x:s", ":.y:f", ":.y:f"),
        (":.x:s", ":.:f", "f"),
        ("s", ":.x:f", ":.x:f"),
    ],
)
async def test_a_bare_reference_stays_in_the_context_of_its_referrer(
    desk: Any, referrer: str, subject: str, found: str
) -> None:
    await desk.put(found, FIXED)
    stored = await desk.put(referrer, '"F"', references=(to("F", subject),))
    assert stored.schema.references == (to("F", subject),)
    assert [str(name) for name, _ in desk.registry.state.referrers(Subject.of(found), 1)] == [referrer]


async def test_minus_one_is_the_latest_live_version_and_stored_as_its_number(desk: Any) -> None:
    for size in (1, 2, 3):
        await desk.put("f", f'{{"type":"fixed","name":"F","size":{size}}}')
    await desk.delete("f", 3)
    stored = await desk.put("s", '"F"', references=(to("F", "f", -1),))
    assert stored.schema.references == (to("F", "f", 2),)
    assert (await desk.refusal(desk.put("t", '"F"', references=(to("F", "g", -1),))))[0] == 42201


MISSING = [
    (to("F", "f", 2), 'No schema reference found for subject "f" and version 2'),
    (to("F", "g", 1), 'No schema reference found for subject "g" and version 1'),
    (to("F", ":.x:f", -1), 'No schema reference found for subject ":.x:f" and version -1'),
    (Reference(None, "f", 1), "Invalid reference: {name='null', subject='f', version=1}"),
    (Reference("", "f", 1), "Invalid reference: {name='', subject='f', version=1}"),
    (Reference("F", "", 1), "Invalid reference: {name='F', subject='', version=1}"),
    (Reference("F", None, 1), "Invalid reference: {name='F', subject='null', version=1}"),
    (Reference("F", "f", None), "Invalid reference: {name='F', subject='f', version=null}"),
]


@pytest.mark.parametrize(("reference", "reason"), MISSING)
async def test_a_reference_to_nothing_is_refused(desk: Any, reference: Reference, reason: str) -> None:
    await desk.put("f", FIXED)
    code, message = await desk.refusal(desk.put("s", '"F"', references=(reference,)))
    assert code == 42201
    assert message.endswith(reason)


async def test_a_refusal_shows_the_number_of_the_latest_version_that_was_referred_to(desk: Any) -> None:
    await desk.put("f", FIXED)
    for other, reason in ((to("G", "f"), "Undefined schema: H"), (to("G", "g"), "No schema reference found")):
        _, message = await desk.refusal(desk.put("s", '"H"', references=(to("F", "f", -1), other)))
        assert f"subject='f', version=1}}, {{name='G', subject='{other.subject}', version=1}}]" in message
        assert f"of type AVRO, details: {reason}" in message


async def test_what_is_deleted_is_not_referred_to_anew(desk: Any) -> None:
    await desk.put("f", FIXED)
    await desk.put("s", '"F"', references=(to("F", "f"),))
    await desk.delete("s")
    await desk.delete("f")
    for _ in range(2):
        code, message = await desk.refusal(desk.put("s", '"F"', references=(to("F", "f"),)))
        assert (code, message.endswith('subject "f" and version 1')) == (42201, True)
        await desk.put("f", '{"type":"fixed","name":"F","size":9}')


async def test_what_refers_to_something_deleted_is_still_answered(desk: Any) -> None:
    await desk.put("f", FIXED)
    await desk.put("s", '"F"', references=(to("F", "f"),))
    await desk.put("f", '{"type":"fixed","name":"F","size":9}')
    await desk.delete("s")
    await desk.delete("f", 1)
    await desk.registry.versions.undelete(Subject.of("f"), 1, force=True)
    assert (await desk.find("s", '"F"', references=(to("F", "f"),), deleted=True)).version == 1


async def test_a_schema_that_differs_in_its_references_is_another_one(desk: Any) -> None:
    await desk.put("f", FIXED)
    await desk.put("g", FIXED)
    ids = [(await desk.put("s", '"F"', references=(to("F", name),))).id for name in ("f", "g")]
    assert ids == [2, 3]


async def test_references_are_sorted_and_made_distinct_when_normalizing(desk: Any) -> None:
    await desk.put("b", FIXED)
    await desk.put("a", '{"type":"fixed","name":"G","size":4}')
    references = (to("F", "b"), to("G", "a"), to("F", "b"))
    stored = await desk.put("s", referring("R", "F", "G"), references=references, normalize=True)
    assert stored.schema.references == (to("G", "a"), to("F", "b"))


async def test_the_first_occurrence_of_a_name_wins(desk: Any) -> None:
    await desk.put("a", FIXED)
    await desk.put("a", '{"type":"fixed","name":"F","size":9}')
    await desk.put("b", referring("B", "F"), references=(to("F", "a", 1),))
    references = (to("F", "a", 2), to("B", "b"))
    stored = await desk.put("s", referring("R", "F", "B"), references=references)
    texts = dict(referred_texts(desk.registry.state, stored.subject, references, deleted=False))
    assert texts["F"] == '{"type":"fixed","name":"F","size":9}'


async def test_one_name_at_two_versions_is_refused_where_the_operator_says_so(open_desk: Any) -> None:
    async with open_desk(replace(Policy(), reference_versions_strict=True)) as desk:
        await desk.put("a", FIXED)
        await desk.put("a", '{"type":"fixed","name":"F","size":9}', force=True)
        await desk.put("b", referring("B", "F"), references=(to("F", "a", 1),))
        code, message = await desk.refusal(
            desk.put("s", referring("R", "F", "B"), references=(to("F", "a", 2), to("B", "b")))
        )
        assert code == 42201
        assert message.endswith('Conflicting reference versions for "F": version 2 and version 1')


async def test_a_chain_of_references_may_be_longer_than_pythons_stack(desk: Any) -> None:
    await desk.put("s0", FIXED)
    for number in range(1, 1200):
        key = f"s{number}"
        reference = Reference(f"n{number}", f"s{number - 1}", 1)
        await desk.append_version(key, "{}", (reference,), number + 10)
    texts = referred_texts(desk.registry.state, Subject.of("s"), (Reference("n", "s1199", 1),), deleted=False)
    assert (len(texts), texts[0][1]) == (1200, FIXED)


async def test_references_that_go_round_in_a_circle_are_read_once_each(desk: Any) -> None:
    await desk.append_version("a", "{}", (Reference("b", "b", 1),), 1)
    await desk.append_version("b", "{}", (Reference("a", "a", 1),), 2)
    texts = referred_texts(desk.registry.state, Subject.of("s"), (Reference("a", "a", 1),), deleted=True)
    assert [name for name, _ in texts] == ["b", "a"]


async def test_incomplete_references_of_old_records_are_refused_and_not_followed(desk: Any) -> None:
    await desk.append_version("a", "{}", (Reference("b", None, 1),), 1)
    with pytest.raises(InvalidSchema, match="Invalid reference"):
        referred_texts(desk.registry.state, Subject.of("s"), (Reference("a", "a", 1),), deleted=True)


# What refers to a version.


async def referrers(desk: Any, subject: str, version: int = 1, *, deleted: bool = False, page: Any = None) -> list[int]:
    place = Subject.of(subject)
    return list(await desk.registry.versions.referenced_by(place, version, deleted=deleted, page=page or Page()))


async def test_the_ids_that_refer_to_a_version_come_by_context_and_id(desk: Any) -> None:
    await desk.put("f", FIXED)
    for name in (":.x:s", "t", "s", ":.x:t"):
        await desk.put(name, referring(name[-1].upper(), "F"), references=(to("F", ":.:f"),))
    assert await referrers(desk, "f") == [2, 3, 1, 2]
    assert await referrers(desk, "f", -1, page=Page(1, 2)) == [3, 1]
    await desk.delete("t")
    assert (await referrers(desk, "f"), await referrers(desk, "f", deleted=True)) == ([3, 1, 2], [2, 3, 1, 2])


async def test_one_id_in_several_subjects_refers_once(desk: Any) -> None:
    await desk.put("f", FIXED)
    for name in ("s", "t"):
        await desk.put(name, '"F"', references=(to("F", "f"),))
    assert await referrers(desk, "f") == [2]


async def test_a_version_that_nothing_refers_to_has_no_referrers(desk: Any) -> None:
    await desk.put("f", FIXED)
    await desk.delete("f")
    assert await referrers(desk, "f") == []
    assert (await desk.refusal(referrers(desk, "f", 2)))[0] == 40402
    assert (await desk.refusal(referrers(desk, "g")))[0] == 40401


async def test_referrers_of_a_bare_name_are_found_in_other_contexts_too(desk: Any) -> None:
    await desk.put(":.x:f", FIXED)
    await desk.put(":.x:s", '"F"', references=(to("F", "f"),))
    assert await referrers(desk, "f") == [2]
