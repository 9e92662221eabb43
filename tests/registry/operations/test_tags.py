"""Inline tags: the tag request, and tags that are edited or inherited while registering (extended API, section 2)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from registry.formats.protocol import InlineTags
from registry.model import Metadata, Mode, Rule, RuleSet, Subject
from registry.operations import Policy, TagChange

pytestmark = pytest.mark.anyio

RECORD = '{"type":"record","name":"R","namespace":"n","fields":[{"name":"f","type":"int"},{"name":"g","type":"int"}]}'
R, S = Rule("r", type="CEL"), Rule("s", type="CEL")


def on_field(name: str, *tags: str) -> tuple[InlineTags, ...]:
    return (InlineTags(f"n.R.{name}", "sr_field", tags),)


def numbered(number: int, **properties: str) -> Metadata:
    return Metadata(properties={"confluent:version": str(number), **properties})


async def tag(desk: Any, version: int = -1, subject: str = "s", **change: Any) -> Any:
    return await desk.registry.versions.tag(Subject.of(subject), version, TagChange(**change))


def tags(desk: Any, stored: Any) -> dict[str, tuple[str, ...]]:
    found = desk.registry.schemas.tags(stored.subject, stored.schema, ["*"])
    return {entity.path.removeprefix("n."): entity.tags for entity in found}


async def test_tagging_makes_a_new_version_that_knows_its_number(desk: Any) -> None:
    await desk.put("s", RECORD)
    added = (*on_field("f", "PII", "A"), InlineTags("n.R", "sr_record", ("B",)))
    stored = await tag(desk, tags_to_add=added)
    assert (stored.version, stored.id, stored.schema.metadata) == (2, 2, numbered(2))
    assert tags(desk, stored) == {"R": ("B",), "R.f": ("PII", "A")}


async def test_tags_are_added_and_then_removed(desk: Any) -> None:
    await desk.put("s", RECORD)
    await tag(desk, tags_to_add=on_field("f", "A", "B"))
    stored = await tag(desk, tags_to_add=on_field("f", "C"), tags_to_remove=on_field("f", "A", "C"))
    assert tags(desk, stored) == {"R.f": ("B",)}
    stored = await tag(desk, tags_to_remove=on_field("f", "B"))
    assert (stored.version, tags(desk, stored)) == (4, {})


async def test_an_older_version_may_be_tagged(desk: Any) -> None:
    await desk.put("s", RECORD, metadata=Metadata(properties={"a": "1"}))
    await desk.put("s", '"int"', metadata=Metadata(properties={"b": "2"}))
    stored = await tag(desk, 1, tags_to_add=on_field("f", "A"))
    assert (stored.version, stored.schema.metadata) == (3, numbered(3, a="1"))


async def test_the_new_version_is_a_compare_and_set(desk: Any) -> None:
    await desk.put("s", RECORD)
    wish = tag(desk, new_version=3, tags_to_add=on_field("f", "A"))
    assert await desk.refusal(wish) == (42201, "Version is not one more than previous version")
    assert (await tag(desk, new_version=2, tags_to_add=on_field("f", "A"))).version == 2


async def test_metadata_and_rules_may_be_replaced(desk: Any) -> None:
    await desk.put("s", RECORD, metadata=Metadata(properties={"a": "1"}), rule_set=RuleSet(domain_rules=(R,)))
    stored = await tag(desk, metadata=Metadata(properties={"b": "2"}), rule_set=RuleSet(domain_rules=(S,)))
    assert (stored.schema.metadata, stored.schema.rule_set) == (numbered(2, b="2"), RuleSet(domain_rules=(S,)))
    assert (await tag(desk)).schema.rule_set == RuleSet(domain_rules=(S,))


async def test_rules_are_merged_into_those_of_the_version_before_and_removed_by_name(desk: Any) -> None:
    await desk.put("s", RECORD, rule_set=RuleSet(domain_rules=(R,)))
    merged = await tag(desk, rules_to_merge=RuleSet(domain_rules=(S,)))
    assert merged.schema.rule_set == RuleSet(domain_rules=(R, S))
    newer = replace(R, doc="newer")
    merged = await tag(desk, new_version=3, rules_to_merge=RuleSet(domain_rules=(newer,)), rules_to_remove=("s",))
    assert merged.schema.rule_set == RuleSet(domain_rules=(newer,))
    assert (await tag(desk, rules_to_remove=("r",))).schema.rule_set == RuleSet()


async def test_rules_come_from_live_versions_only(desk: Any) -> None:
    await desk.put("s", RECORD, rule_set=RuleSet(domain_rules=(R,)))
    await desk.put("s", '"int"')
    await desk.delete("s", 2)
    stored = await tag(desk, new_version=3, rules_to_merge=RuleSet(domain_rules=(S,)))
    assert stored.schema.rule_set == RuleSet(domain_rules=(S,))


BAD = RuleSet(domain_rules=(Rule("r"),))
REFUSED: list[tuple[str, int, dict[str, Any], int, str]] = [
    ("__GLOBAL", 1, {}, 42208, "The specified subject '__GLOBAL' is not a valid."),
    ("nobody", 1, {}, 40401, "Subject 'nobody' not found."),
    ("s", 9, {"rule_set": BAD}, 40402, "Version 9 not found."),
    (
        "s",
        1,
        {"rule_set": RuleSet(), "rules_to_merge": RuleSet()},
        42210,
        "ruleSet should be omitted if specifying rulesToMerge or rulesToRemove",
    ),
    (
        "s",
        1,
        {"rule_set": RuleSet(), "rules_to_remove": ("r",)},
        42210,
        "ruleSet should be omitted if specifying rulesToMerge or rulesToRemove",
    ),
    ("s", 1, {"rules_to_merge": BAD}, 42210, "Missing rule type"),
    ("s", 1, {"rule_set": BAD, "tags_to_add": on_field("nothing", "A")}, 42210, "Missing rule type"),
]


@pytest.mark.parametrize(("subject", "version", "change", "code", "message"), REFUSED)
async def test_a_tag_request_that_does_not_hold_is_refused(
    desk: Any, subject: str, version: int, change: dict[str, Any], code: int, message: str
) -> None:
    await desk.put("s", RECORD)
    assert await desk.refusal(tag(desk, version, subject, **change)) == (code, message)


async def test_a_path_that_names_nothing_is_refused(desk: Any) -> None:
    await desk.put("s", RECORD)
    said = "java.lang.IllegalArgumentException: No matching path 'n.R.h' found in the schema"
    assert await desk.refusal(tag(desk, tags_to_add=on_field("h", "A"))) == (42201, said)


async def test_a_bare_subject_that_only_another_context_has_is_tagged_as_a_new_subject(desk: Any) -> None:
    await desk.put(":.c:s", RECORD)
    stored = await tag(desk, 1, tags_to_add=on_field("f", "A"))
    assert (str(stored.subject), stored.version, tags(desk, stored)) == ("s", 1, {"R.f": ("A",)})


async def test_a_soft_deleted_version_is_not_tagged(desk: Any) -> None:
    await desk.put("s", RECORD)
    await desk.put("s", '"int"')
    await desk.delete("s", 1)
    assert (await desk.refusal(tag(desk, 1)))[0] == 40402


async def test_a_read_only_subject_is_not_tagged(desk: Any) -> None:
    await desk.put("s", RECORD)
    await desk.switch("s", Mode.READONLY)
    assert (await desk.refusal(tag(desk, tags_to_add=on_field("f", "A"))))[0] == 42205


async def test_rules_of_a_tag_request_are_dropped_where_the_operator_says_so(open_desk: Any) -> None:
    async with open_desk(replace(Policy(), rule_sets_kept=False)) as desk:
        await desk.put("s", RECORD)
        assert (await tag(desk, rules_to_merge=RuleSet(domain_rules=(R,)))).schema.rule_set is None
        assert (await tag(desk, rule_set=BAD)).schema.rule_set is None


# Tags while registering.


async def test_tags_are_edited_while_registering_and_make_a_new_version(desk: Any) -> None:
    first = await desk.put("s", RECORD, tags_to_add=on_field("f", "A", "B"))
    assert (first.schema.metadata, tags(desk, first)) == (numbered(1), {"R.f": ("A", "B")})
    second = await desk.put("s", first.schema.text, tags_to_remove=on_field("f", "A"))
    assert (second.version, second.schema.metadata, tags(desk, second)) == (2, numbered(2), {"R.f": ("B",)})


async def test_an_edit_that_changes_nothing_makes_a_new_version_too(desk: Any) -> None:
    await desk.put("s", RECORD)
    stored = await desk.put("s", RECORD, tags_to_remove=on_field("f", "A"))
    assert (stored.version, stored.schema.metadata) == (2, numbered(2))


async def test_a_schema_without_a_text_is_tagged_as_the_latest_version(desk: Any) -> None:
    await desk.put("s", RECORD)
    stored = await desk.put("s", None, tags_to_add=on_field("f", "A"))
    assert (stored.version, tags(desk, stored)) == (2, {"R.f": ("A",)})


async def test_tags_are_edited_in_import_mode_too(desk: Any) -> None:
    await desk.switch("s", Mode.IMPORT)
    stored = await desk.put("s", RECORD, id=7, tags_to_add=on_field("f", "A"))
    assert (stored.schema.metadata, tags(desk, stored)) == (None, {"R.f": ("A",)})


async def test_tags_of_the_latest_version_are_taken_over_when_asked_for(desk: Any) -> None:
    await desk.put("s", RECORD.replace('"f","type":"int"', '"f","type":"int","confluent:tags":["A"]'))
    grown = RECORD.replace("]}", ',{"name":"h","type":"int","default":0}]}')
    stored = await desk.put("s", grown, propagate_tags=True)
    assert (stored.version, tags(desk, stored)) == (2, {"R.f": ("A",)})
    again = await desk.put("s", grown, propagate_tags=True)
    assert again.version == 2
    assert tags(desk, await desk.put("s", grown)) == {}


async def test_tags_that_are_removed_while_those_of_the_latest_version_are_taken_over_stay(desk: Any) -> None:
    tagged = await desk.put("s", RECORD, tags_to_add=on_field("f", "A", "B"))
    wish = desk.put("s", tagged.schema.text, tags_to_remove=on_field("f", "A"), propagate_tags=True)
    assert {name: set(found) for name, found in tags(desk, await wish).items()} == {"R.f": {"A", "B"}}


@pytest.mark.parametrize("edit", [{"tags_to_add": on_field("h", "A")}, {"tags_to_remove": on_field("h", "A")}])
async def test_bad_paths_are_refused_before_the_mode_is_looked_at(desk: Any, edit: dict[str, Any]) -> None:
    await desk.switch("s", Mode.READONLY)
    assert (await desk.refusal(desk.put("s", RECORD, **edit)))[0] == 42201


async def test_tags_of_what_is_no_longer_there_cannot_be_taken_over(desk: Any) -> None:
    await desk.put("s", RECORD, tags_to_add=on_field("g", "A"))
    shrunk = RECORD.replace(',{"name":"g","type":"int"}', "")
    code, message = await desk.refusal(desk.put("s", shrunk, propagate_tags=True))
    assert (code, message.endswith("No matching path 'n.R.g' found in the schema")) == (42201, True)


async def test_bad_paths_are_refused_while_registering(desk: Any) -> None:
    assert (await desk.refusal(desk.put("s", RECORD, tags_to_add=on_field("h", "A"))))[0] == 42201
    assert (await desk.refusal(desk.put("s", "{", tags_to_add=on_field("f", "A"))))[0] == 42201


async def test_tags_of_an_unknown_language_are_refused_with_its_name(desk: Any) -> None:
    wish = desk.put("s", RECORD, type="XML", tags_to_add=on_field("f", "A"))
    assert await desk.refusal(wish) == (42201, "Invalid schema type XML")
