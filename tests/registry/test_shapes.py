"""The nouns as JSON: names, order, what is left out, and how lenient reading is."""

from __future__ import annotations

from typing import Any

import pytest

from registry.model import Config, Level, Metadata, Reference, Rule, RuleKind, RuleMode, RuleSet, RuleStage, Subject
from registry.shapes import (
    CONFIG_MEMBERS,
    config_echo_json,
    config_json,
    metadata_json,
    present,
    read_association,
    read_config,
    read_metadata,
    read_reference,
    read_rule,
    read_rule_set,
    read_schema,
    reference_json,
    rule_json,
    rule_set_json,
)


def test_null_and_empty_members_are_left_out_and_false_and_zero_stay() -> None:
    assert present(a=None, b="", c=[], d={}, e=(), f=False, g=0, h="x") == {"f": False, "g": 0, "h": "x"}


def test_empty_metadata_and_rule_sets_are_objects_and_none_is_none() -> None:
    assert (metadata_json(Metadata()), metadata_json(None)) == ({}, None)
    assert (rule_set_json(RuleSet()), rule_set_json(None)) == ({}, None)


def test_a_rule_has_confluents_members_in_order() -> None:
    rule = Rule("n", "d", RuleKind.CONDITION, RuleMode.READ, "T", ("t",), {"p": "v"}, "e", "s", "f", disabled=True)
    names = ["name", "doc", "kind", "mode", "type", "tags", "params", "expr", "onSuccess", "onFailure", "disabled"]
    assert list(rule_json(rule)) == names
    assert rule_json(Rule("n")) == {"name": "n", "kind": "TRANSFORM", "mode": "WRITEREAD", "disabled": False}


def test_a_rule_set_has_confluents_members_in_order() -> None:
    rules = (Rule("n"),)
    members = list(rule_set_json(RuleSet(rules, rules, rules, RuleStage.CLIENT)) or ())
    assert members == ["migrationRules", "domainRules", "encodingRules", "enableAt"]


def test_a_config_has_confluents_members_in_order() -> None:
    said, rules = Metadata(), RuleSet()
    config = Config("a", "b", True, True, True, True, Level.FULL, "STRICT", "g", said, said, rules, rules)
    assert list(config_json(config)) == list(CONFIG_MEMBERS)


def test_the_echo_of_a_config_names_the_level_as_a_request_does_and_shows_empty_texts() -> None:
    config = Config(alias="", compatibility_level=Level.NONE)
    assert config_json(config) == {"compatibilityLevel": "NONE"}
    assert config_echo_json(config) == {"alias": "", "compatibility": "NONE"}


@pytest.mark.parametrize("config", [Config(), Config(normalize=False), Config("a", compatibility_level=Level.FORWARD)])
def test_a_config_reads_back_as_it_is_written(config: Config) -> None:
    assert read_config(config_json(config)) == config


REFERENCES: list[tuple[Any, Reference]] = [
    ({"name": "n", "subject": "s", "version": 3}, Reference("n", "s", 3)),
    ({"name": "n", "subject": "s", "version": -1}, Reference("n", "s", -1)),
    ({"name": "n", "other": 1}, Reference("n", None, None)),
    ({"name": 5, "subject": [], "version": "3"}, Reference(None, None, None)),
    ({"version": True}, Reference(None, None, None)),
    ({"version": 2**31}, Reference(None, None, None)),
    (None, Reference(None, None, None)),
    ("n", Reference(None, None, None)),
]


@pytest.mark.parametrize(("value", "reference"), REFERENCES)
def test_parts_of_a_reference_that_do_not_fit_are_missing(value: Any, reference: Reference) -> None:
    assert read_reference(value) == reference


def test_missing_parts_of_a_reference_are_left_out() -> None:
    assert reference_json(Reference("n", None, 0)) == {"name": "n", "version": 0}


@pytest.mark.parametrize("value", [None, 5, "x", []])
def test_what_is_no_object_is_no_metadata_and_no_rule_set(value: Any) -> None:
    assert (read_metadata(value), read_rule_set(value)) == (None, None)


def test_members_of_metadata_that_do_not_fit_are_left_out() -> None:
    value = {"tags": {"p": ["b", 5, "a"], "q": "x"}, "properties": {"a": "1", "b": None}, "sensitive": ["a", 5]}
    assert read_metadata(value) == Metadata({"p": ("a", "b"), "q": ()}, {"a": "1"}, ("a",))


def test_a_rule_of_an_unknown_kind_reads_as_the_default() -> None:
    assert read_rule({"name": "n", "kind": "GUESS", "mode": 5, "tags": 1, "params": []}) == Rule("n")
    assert read_rule(None) == Rule(None)


def test_a_rule_set_of_an_unknown_stage_has_none() -> None:
    assert read_rule_set({"enableAt": "LATER", "domainRules": "x"}) == RuleSet()


def test_a_schema_without_a_type_is_avro() -> None:
    assert read_schema({"schema": "x"}).type == "AVRO"
    assert read_schema({"schema": "x", "schemaType": "JSON"}).type == "JSON"


def test_an_empty_text_reads_as_none_because_none_is_written() -> None:
    assert read_config({"alias": "", "compatibilityGroup": ""}) == Config()
    assert read_rule({"name": "r", "doc": "", "expr": ""}) == Rule("r")
    assert read_reference({"name": "", "subject": "s", "version": 1}) == Reference(None, "s", 1)


def test_an_unknown_level_reads_as_not_set() -> None:
    assert read_config({"compatibilityLevel": "MOSTLY"}) == Config()
    assert read_config({"compatibilityLevel": "full_transitive"}).compatibility_level is Level.FULL_TRANSITIVE


@pytest.mark.parametrize(
    ("members", "frozen"),
    [({"lifecycle": "STRONG"}, True), ({"lifecycle": "WEAK"}, False), ({"lifecycle": "WEAK", "frozen": True}, True)],
)
def test_an_association_is_frozen_as_its_lifecycle_implies_unless_it_says(members: Any, frozen: bool) -> None:
    association = read_association({"subject": ":.c:s", **members})
    assert (association.frozen, association.subject) == (frozen, Subject(".c", "s"))
