"""Configs: merging, clearing, inheritance and refusals (sections 1.7 and 3.10)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from registry.model import Config, Level, Metadata, Rule, RuleSet, Subject
from registry.operations import Policy
from registry.records import EVERYTHING

pytestmark = pytest.mark.anyio

FULL, NONE, BACKWARD = Level.FULL, Level.NONE, Level.BACKWARD
RULES = RuleSet(domain_rules=(Rule("r", type="CEL"),))


@pytest.fixture
async def desk(open_desk: Any) -> Any:
    async with open_desk(Policy()) as desk:
        yield desk


async def config(desk: Any, subject: str, *, default_to_global: bool = False) -> Config:
    found: Config = await desk.registry.config.get(Subject.of(subject), default_to_global=default_to_global)
    return found


async def level(desk: Any, subject: str) -> Level | None:
    """The level in force."""
    return (await config(desk, subject, default_to_global=True)).compatibility_level


async def test_without_any_config_the_server_decides(desk: Any) -> None:
    assert [await config(desk, name) for name in ("", ":.:", ":.__GLOBAL:")] == [
        Config(compatibility_level=BACKWARD)
    ] * 3
    assert [await level(desk, name) for name in ("", "s", ":.x:s", ":.x:")] == [BACKWARD] * 4


async def test_a_config_that_is_not_set_is_missing(desk: Any) -> None:
    missing = "Subject 's' does not have subject-level compatibility configured"
    assert await desk.refusal(config(desk, "s")) == (40408, missing)
    assert (await desk.refusal(config(desk, ":.x:")))[0] == 40408


async def test_a_config_is_set_for_subjects_that_do_not_exist(desk: Any) -> None:
    await desk.configure("nobody", compatibility_level=FULL)
    assert await config(desk, "nobody") == Config(compatibility_level=FULL)


async def test_putting_changes_the_fields_that_are_named_and_answers_all(desk: Any) -> None:
    await desk.configure("s", compatibility_level=FULL, alias="t")
    assert await desk.configure("s", normalize=True, alias=None) == Config(compatibility_level=FULL, normalize=True)
    assert await desk.configure("s", compatibility_level=None) == Config(normalize=True)
    assert await config(desk, "s") == Config(normalize=True, compatibility_level=BACKWARD)


async def test_putting_what_is_set_already_logs_nothing(desk: Any) -> None:
    await desk.configure("s", alias="t")
    await desk.configure("s", alias="t")
    assert desk.position == 1


async def test_an_unknown_policy_is_none(desk: Any) -> None:
    assert (await desk.configure("s", compatibility_policy="STRICT")).compatibility_policy == "STRICT"
    assert (await desk.configure("s", compatibility_policy="MILD")).compatibility_policy is None


async def test_what_was_put_is_there_after_a_restart(open_desk: Any) -> None:
    fields = {
        "alias": "t",
        "normalize": False,
        "compatibility_level": FULL,
        "default_metadata": Metadata(properties={"a": "b"}),
        "override_rule_set": RULES,
    }
    async with open_desk() as first:
        await first.configure(":.x:s", **fields)
    async with open_desk(log=first.log) as second:
        assert await config(second, ":.x:s") == Config(**fields)


SET_AT = [
    ("s", "s", True),
    ("", "s", True),
    (":.__GLOBAL:", "s", True),
    ("", ":.x:s", False),
    ("", ":.x:", False),
    (":.x:", ":.x:s", True),
    (":.x:", "s", False),
    (":.__GLOBAL:", ":.x:s", True),
]


@pytest.mark.parametrize(("place", "subject", "holds"), SET_AT)
async def test_a_level_holds_for_what_lies_below(desk: Any, place: str, subject: str, holds: bool) -> None:
    await desk.configure(place, compatibility_level=FULL)
    assert await level(desk, subject) is (FULL if holds else BACKWARD)


async def test_the_nearest_level_decides(desk: Any) -> None:
    await desk.configure(":.__GLOBAL:", compatibility_level=NONE)
    await desk.configure("", compatibility_level=FULL)
    await desk.configure("s", compatibility_level=Level.FORWARD)
    assert [await level(desk, name) for name in ("s", "t", ":.x:s")] == [Level.FORWARD, FULL, NONE]


async def test_a_subject_with_a_config_without_a_level_has_the_servers(desk: Any) -> None:
    await desk.configure("", compatibility_level=FULL, normalize=True)
    await desk.configure("s", alias="t")
    in_force = await config(desk, "s", default_to_global=True)
    assert (in_force.compatibility_level, in_force.normalize, in_force.alias) == (BACKWARD, True, "t")


async def test_the_global_config_is_asked_with_and_without_all_contexts(desk: Any) -> None:
    await desk.configure(":.__GLOBAL:", compatibility_level=NONE)
    assert ((await config(desk, "")).compatibility_level, await level(desk, "")) == (BACKWARD, NONE)


REFUSED = [
    ("s", {"default_rule_set": RuleSet(domain_rules=(Rule("r"),))}, 42210, "Missing rule type"),
    ("", {"override_rule_set": RuleSet(domain_rules=(Rule(None),))}, 42210, "Missing rule name"),
    ("a\x00", {"alias": "t"}, 42208, "The specified subject 'a\x00' is not a valid."),
    ("__EMPTY", {"override_rule_set": RuleSet(domain_rules=(Rule(None),))}, 42210, "Missing rule name"),
]


@pytest.mark.parametrize(("subject", "fields", "code", "message"), REFUSED)
async def test_a_config_that_does_not_hold_is_refused(
    desk: Any, subject: str, fields: dict[str, Any], code: int, message: str
) -> None:
    assert await desk.refusal(desk.configure(subject, **fields)) == (code, message)
    assert desk.position == 0


async def test_rules_are_dropped_where_the_operator_says_so(open_desk: Any) -> None:
    async with open_desk(replace(Policy(), rule_sets_kept=False)) as desk:
        assert await desk.configure("s", default_rule_set=RULES, alias="t") == Config(alias="t")


async def test_deleting_a_config_answers_what_it_was(desk: Any) -> None:
    await desk.configure("s", compatibility_level=FULL)
    await desk.configure("", compatibility_level=NONE)
    deleted = [await desk.registry.config.delete(Subject.of(name)) for name in ("s", "", "", ":.__GLOBAL:")]
    assert [one.compatibility_level for one in deleted] == [FULL, NONE, BACKWARD, BACKWARD]
    assert await level(desk, "s") is BACKWARD
    assert await desk.refusal(desk.registry.config.delete(Subject.of("s"))) == (40401, "Subject 's' not found.")


async def test_a_plan_of_a_config_writes_nothing(desk: Any) -> None:
    plan = await desk.registry.config.put(EVERYTHING, {"compatibility_level": FULL}, dry_run=True)
    assert plan.answer == Config(compatibility_level=FULL)
    assert plan.records == (('{"keytype":"CONFIG","magic":0}', '{"compatibilityLevel":"FULL"}'),)
    assert (desk.position, await level(desk, "")) == (0, BACKWARD)


ALIASES = [
    ("s", {"alias": "t"}, "s", "t"),
    (":.x:s", {"alias": "t"}, ":.x:s", ":.x:t"),
    (":.x:s", {"alias": ":.y:t"}, ":.x:s", ":.y:t"),
    (":.x:s", {"alias": ":.:t"}, ":.x:s", "t"),
    ("", {"alias": "t"}, "s", None),
    ("", {"alias": "t"}, "", None),
    ("s", {"alias": ""}, "s", None),
    ("s", {"normalize": True}, "s", None),
]


@pytest.mark.parametrize(("place", "fields", "asked", "target"), ALIASES)
async def test_an_alias_is_a_subjects_own_and_stays_in_its_context(
    desk: Any, place: str, fields: dict[str, Any], asked: str, target: str | None
) -> None:
    await desk.configure(place, **fields)
    found = desk.registry.alias_of(Subject.of(asked))
    assert (None if found is None else str(found)) == target
