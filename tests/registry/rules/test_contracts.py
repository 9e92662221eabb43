"""Data contracts: which rule sets hold, how metadata and rules are inherited, and the version property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from registry.errors import InvalidRuleSet
from registry.model import Config, Metadata, Rule, RuleMode, RuleSet, RuleStage, Schema
from registry.rules.contracts import (
    check_rule_set,
    contract_version,
    inheriting,
    merged_metadata,
    merged_rules,
    property_of,
    reserved_fields,
    with_contract_version,
    without_contract_version,
    without_rules,
)

CEL = Rule("r", type="CEL")
UP = Rule("up", type="JSONATA", mode=RuleMode.UPGRADE)
LONG_NAME = "n" * 257

REFUSED = [
    (RuleSet(domain_rules=(CEL, CEL)), "Found rule with duplicate name 'r'"),
    (RuleSet(migration_rules=(replace(UP, name="r"),), encoding_rules=(CEL,)), "Found rule with duplicate name 'r'"),
    (RuleSet(domain_rules=(replace(CEL, name=None),)), "Missing rule name"),
    (RuleSet(domain_rules=(replace(CEL, name=""),)), "Empty rule name"),
    (RuleSet(domain_rules=(replace(CEL, name=LONG_NAME),)), "Rule name too long"),
    (RuleSet(domain_rules=(replace(CEL, name="1a"),)), "Illegal initial character in rule name: 1a"),
    (RuleSet(domain_rules=(replace(CEL, name="-a"),)), "Illegal initial character in rule name: -a"),
    (RuleSet(domain_rules=(replace(CEL, name="a b"),)), "Illegal character in rule name: a b"),
    (RuleSet(domain_rules=(replace(CEL, name="a²"),)), "Illegal character in rule name: a²"),
    (RuleSet(domain_rules=(replace(CEL, type=None),)), "Missing rule type"),
    (
        RuleSet(domain_rules=(replace(CEL, mode=RuleMode.READ, on_success="A,B"),)),
        "Multiple actions only valid with WRITEREAD and UPDOWN",
    ),
    (
        RuleSet(migration_rules=(replace(UP, on_failure="A,B"),)),
        "Multiple actions only valid with WRITEREAD and UPDOWN",
    ),
    (RuleSet(migration_rules=(CEL,)), "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN"),
    (RuleSet(domain_rules=(UP,)), "Domain rules can only be WRITE, READ, WRITEREAD"),
    (RuleSet(encoding_rules=(UP,)), "Encoding rules can only be WRITE, READ, WRITEREAD"),
    # The first fault wins: lists in their order, and in a rule name, type, actions, mode.
    (RuleSet(migration_rules=(CEL,), domain_rules=(replace(CEL, name="1"),)), "Migration rules can only be"),
    (RuleSet(domain_rules=(Rule("1", mode=RuleMode.UPGRADE, on_success="A,B"),)), "Illegal initial character"),
    (RuleSet(domain_rules=(Rule("a", mode=RuleMode.UPGRADE, on_success="A,B"),)), "Missing rule type"),
    (RuleSet(domain_rules=(replace(UP, on_success="A,B"),)), "Multiple actions"),
]


@pytest.mark.parametrize(("rules", "reason"), REFUSED)
def test_a_rule_set_that_does_not_hold_is_refused_with_the_first_reason(rules: RuleSet, reason: str) -> None:
    with pytest.raises(InvalidRuleSet) as refusal:
        check_rule_set(rules)
    assert refusal.value.message.startswith(reason)


HOLDING = [
    None,
    RuleSet(),
    RuleSet(migration_rules=(UP,), domain_rules=(CEL,), encoding_rules=(replace(CEL, name="e"),)),
    RuleSet(domain_rules=(replace(CEL, on_success="A,B", on_failure="A,B"),)),
    RuleSet(migration_rules=(replace(UP, mode=RuleMode.UPDOWN, on_success="A,B"),)),
    RuleSet(domain_rules=tuple(replace(CEL, name=name) for name in ("_", "é-1", "ß٣", "n" * 256))),
]


@pytest.mark.parametrize("rules", HOLDING)
def test_a_rule_set_that_holds_passes(rules: RuleSet | None) -> None:
    check_rule_set(rules)


METADATA = [
    (None, None, None),
    (None, Metadata(), Metadata()),
    (Metadata(), None, Metadata()),
    (
        Metadata({"a": ("x", "y"), "b": ("z",)}, {"k": "1", "l": "1"}, ("k",)),
        Metadata({"a": ("w",)}, {"l": "2", "m": "2"}, ("m",)),
        Metadata({"a": ("w",), "b": ("z",)}, {"k": "1", "l": "2", "m": "2"}, ("k", "m")),
    ),
]


@pytest.mark.parametrize(("older", "newer", "merged"), METADATA)
def test_metadata_merges_per_key_and_sensitive_names_add_up(
    older: Metadata | None, newer: Metadata | None, merged: Metadata | None
) -> None:
    assert merged_metadata(older, newer) == merged


A, B, C = (Rule(name, type="CEL") for name in "abc")
NEWER_A = replace(A, doc="newer")
RULES = [
    (None, None, None),
    (None, RuleSet(), RuleSet()),
    (RuleSet(domain_rules=(A,)), None, RuleSet(domain_rules=(A,))),
    (
        RuleSet(domain_rules=(A, B), enable_at=RuleStage.ALL),
        RuleSet(domain_rules=(C, NEWER_A)),
        RuleSet(domain_rules=(B, C, NEWER_A), enable_at=RuleStage.ALL),
    ),
    (
        RuleSet(migration_rules=(A,), encoding_rules=(B,), enable_at=RuleStage.ALL),
        RuleSet(domain_rules=(A,), encoding_rules=(B,), enable_at=RuleStage.NONE),
        RuleSet((A,), (A,), (B,), RuleStage.NONE),
    ),
]


@pytest.mark.parametrize(("older", "newer", "merged"), RULES)
def test_rules_of_one_name_are_replaced_and_the_newer_come_last(
    older: RuleSet | None, newer: RuleSet | None, merged: RuleSet | None
) -> None:
    assert merged_rules(older, newer) == merged


def test_rules_are_taken_out_of_all_lists_by_name() -> None:
    assert without_rules(RuleSet((A, B), (B, C), (C, A), RuleStage.ALL), ["a", "c"]) == RuleSet(
        (B,), (B,), (), RuleStage.ALL
    )
    assert without_rules(None, ["a"]) is None


SENT, BEFORE = Metadata(properties={"sent": "1", "all": "sent"}), Metadata(properties={"before": "1", "all": "before"})
DEFAULT, OVERRIDE = Metadata(properties={"all": "default"}), Metadata(properties={"all": "override"})
INHERITED: list[tuple[Metadata | None, Metadata | None, Config, Metadata | None]] = [
    (None, None, Config(), None),
    (None, BEFORE, Config(), BEFORE),
    (SENT, BEFORE, Config(), SENT),
    (Metadata(), BEFORE, Config(), Metadata()),
    (None, None, Config(default_metadata=DEFAULT), DEFAULT),
    (SENT, None, Config(default_metadata=DEFAULT), SENT),
    (
        None,
        BEFORE,
        Config(default_metadata=DEFAULT, override_metadata=OVERRIDE),
        Metadata(properties={"before": "1", "all": "override"}),
    ),
]


@pytest.mark.parametrize(("sent", "before", "config", "metadata"), INHERITED)
def test_what_is_sent_stands_for_the_predecessors_over_defaults_and_under_overrides(
    sent: Metadata | None, before: Metadata | None, config: Config, metadata: Metadata | None
) -> None:
    inherited = inheriting(Schema("x", metadata=sent), config, Schema("y", metadata=before))
    assert inherited == Schema("x", metadata=metadata)


def test_rules_are_inherited_like_metadata() -> None:
    config = Config(default_rule_set=RuleSet(domain_rules=(A,)), override_rule_set=RuleSet(domain_rules=(C,)))
    before = Schema("y", rule_set=RuleSet(domain_rules=(B,)))
    assert inheriting(Schema("x"), config, before).rule_set == RuleSet(domain_rules=(A, B, C))
    sent = Schema("x", rule_set=RuleSet(domain_rules=(NEWER_A,)))
    assert inheriting(sent, config, before).rule_set == RuleSet(domain_rules=(NEWER_A, C))
    assert inheriting(Schema("x"), config, None).rule_set == RuleSet(domain_rules=(A, C))


NUMBERS = [
    ("1", 1),
    ("+1", 1),
    ("-1", -1),
    ("007", 7),
    ("2147483647", 2147483647),
    ("2147483648", None),
    ("9" * 5000, None),
    ("", None),
    ("1.0", None),
    ("1_0", None),
    (" 1", None),
    ("one", None),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_only_an_integer_is_a_contract_version(text: str, number: int | None) -> None:
    assert contract_version(Metadata(properties={"confluent:version": text})) == number


def test_a_schema_without_the_property_has_no_contract_version() -> None:
    assert contract_version(None) is contract_version(Metadata(properties={"version": "1"})) is None


metadata = st.none() | st.builds(Metadata, properties=st.dictionaries(st.text(max_size=3), st.text(max_size=3)))


@given(metadata, st.integers(0, 9))
def test_the_contract_version_is_set_and_taken_away_and_all_else_stays(given_: Metadata | None, number: int) -> None:
    versioned = with_contract_version(given_, number)
    assert contract_version(versioned) == number
    assert without_contract_version(versioned) == without_contract_version(given_) == (given_ or Metadata())


def test_reserved_fields_are_a_list_with_commas() -> None:
    assert reserved_fields(Metadata(properties={"confluent:reserved": " a,b ,,c"})) == ("a", "b", "c")
    assert reserved_fields(None) == ()


def test_a_property_that_is_not_there_is_none() -> None:
    assert (property_of(None, "a"), property_of(Metadata(properties={"a": "1"}), "a")) == (None, "1")
