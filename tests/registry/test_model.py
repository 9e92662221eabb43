"""The nouns: how subjects are written, how sets are ordered, what a GUID is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from registry.model import (
    Level,
    Metadata,
    Mode,
    Reference,
    Rule,
    RuleSet,
    RuleStage,
    Schema,
    Subject,
    guid_text,
    ordered_set,
)

WRITTEN = [
    ("orders", Subject(".", "orders")),
    ("", Subject(".", "")),
    (":.:orders", Subject(".", "orders")),
    (":.:", Subject(".", "")),
    (":.prod:orders", Subject(".prod", "orders")),
    (":.prod:a:b", Subject(".prod", "a:b")),
    (":.prod:", Subject(".prod", "")),
    (":.prod", Subject(".prod", "")),
    (":prod:orders", Subject(".", ":prod:orders")),
    ("a/b é😀", Subject(".", "a/b é😀")),
]


@pytest.mark.parametrize(("text", "subject"), WRITTEN)
def test_a_subject_is_read_as_clients_write_it(text: str, subject: Subject) -> None:
    assert Subject.of(text) == subject


names = st.text(max_size=8).filter(lambda name: not name.startswith(":."))
contexts = st.one_of(st.just("."), st.text(st.characters(exclude_characters=":"), min_size=1).map(lambda c: "." + c))


@given(contexts, names)
def test_a_subject_reads_back_as_it_is_written(context: str, name: str) -> None:
    assert Subject.of(str(Subject(context, name))) == Subject(context, name)


@pytest.mark.parametrize(
    ("text", "is_context"), [(":.prod:", True), (":.prod", True), (":.prod:a", False), ("", False), ("a", False)]
)
def test_a_whole_context_is_named_by_its_empty_subject(text: str, is_context: bool) -> None:
    assert Subject.of(text).is_context is is_context


def test_sets_and_maps_are_kept_in_the_order_of_java() -> None:
    # Java compares UTF-16 units: what lies beyond U+FFFF comes before U+E000.
    assert ordered_set(["\ue000", "b", "😀", "a", "b"]) == ("a", "b", "😀", "\ue000")
    metadata = Metadata(
        tags={"b": ("y", "x", "y"), "a": ()}, properties={"\ue000": "2", "😀": "1"}, sensitive=("z", "a")
    )
    assert list(metadata.tags.items()) == [("a", ()), ("b", ("x", "y"))]
    assert list(metadata.properties) == ["😀", "\ue000"]
    assert metadata.sensitive == ("a", "z")


def test_a_rule_keeps_its_tags_and_parameters_in_order() -> None:
    rule = Rule(name="r", tags=("b", "a", "b"), params={"z": "1", "b": "2"})
    assert (rule.tags, list(rule.params)) == (("a", "b"), ["b", "z"])


RULE = Rule(
    name="r1",
    doc="doc",
    type="CEL",
    tags=("PII",),
    params={"z": "1", "b": "2"},
    expr="true",
    on_success="NONE",
    on_failure="ERROR",
)
GUIDS = [
    (Schema('"string"'), "095d71cf-1255-6b9d-5e33-0ad575b3df5d"),
    (Schema('{"a":"é😀</>"}', metadata=Metadata()), "cf9cc385-2163-61a2-b0c3-822aa5741120"),
    (
        Schema(
            '"string"',
            references=(Reference("n", "s2", 3),),
            metadata=Metadata({"**.ssn": ("PII", "A")}, {"owner": "bob", "a": "b"}, ("owner",)),
            rule_set=RuleSet(domain_rules=(RULE,)),
        ),
        "48185ddb-ad8f-182e-4c6c-94b4fc29c177",
    ),
]


@pytest.mark.parametrize(("schema", "guid"), GUIDS)
def test_the_guid_is_the_one_confluent_computes(schema: Schema, guid: str) -> None:
    assert guid_text(schema.digest()) == guid


PLAIN = Schema('"string"')
COUNTED = {
    "the text": replace(PLAIN, text='"int"'),
    "the name of a reference": replace(PLAIN, references=(Reference("n", None, None),)),
    "the version of a reference": replace(PLAIN, references=(Reference(None, None, -1),)),
    "empty metadata": replace(PLAIN, metadata=Metadata()),
    "a sensitive property": replace(PLAIN, metadata=Metadata(sensitive=("a",))),
    "a rule": replace(PLAIN, rule_set=RuleSet(migration_rules=(Rule("a"),))),
    "a rule that is disabled": replace(PLAIN, rule_set=RuleSet(migration_rules=(Rule("a", disabled=True),))),
    "the stage of the rules": replace(PLAIN, rule_set=RuleSet(enable_at=RuleStage.ALL)),
}


def test_everything_that_a_schema_says_counts_for_its_guid() -> None:
    assert len({schema.digest() for schema in (PLAIN, *COUNTED.values())}) == len(COUNTED) + 1


def test_the_type_of_a_schema_does_not_count_for_its_guid() -> None:
    assert replace(PLAIN, type="JSON").digest() == PLAIN.digest()


def test_which_list_holds_a_rule_does_not_count_for_the_guid() -> None:
    rules = (Rule("a"),)
    lists = (RuleSet(migration_rules=rules), RuleSet(domain_rules=rules), RuleSet(encoding_rules=rules))
    assert len({replace(PLAIN, rule_set=rule_set).digest() for rule_set in lists}) == 1


def test_half_a_surrogate_pair_is_hashed_as_a_question_mark() -> None:
    assert Schema("\ud83d").digest() == Schema("?").digest()


def test_every_level_and_mode_is_called_by_its_word() -> None:
    assert all(level.word == level.name for level in Level)
    assert all(mode.word == mode.name for mode in Mode)
