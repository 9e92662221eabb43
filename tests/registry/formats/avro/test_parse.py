"""Which texts are schemas, and what is said of those that are not."""

import json
from pathlib import Path
from typing import Any

import pytest

from registry.errors import UnparsableSchema

CASES = json.loads(Path(__file__).parent.joinpath("cases/parsing.json").read_text())["cases"]


def refusal(parse_text: Any, text: str, *, strict: bool = True) -> str | None:
    try:
        parse_text(text, strict=strict)
    except UnparsableSchema as refused:
        return refused.message
    return None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_new_schema_is_refused_for_the_reason_that_java_gives(parse_text: Any, case: dict[str, Any]) -> None:
    assert refusal(parse_text, case["text"], strict=True) == case["strict"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_stored_schema_is_read_by_milder_rules(parse_text: Any, case: dict[str, Any]) -> None:
    assert refusal(parse_text, case["text"], strict=False) == case.get("stored", case["strict"])


def test_the_cases_have_names_of_their_own() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("levels", [1, 300, 999, 1000])
def test_a_text_may_nest_a_thousand_levels(parse_text: Any, levels: int) -> None:
    text = '{"type":"array","items":' * levels + '"int"' + "}" * levels
    assert parse_text(text).text == text


@pytest.mark.parametrize("opening", ["[", '{"type":"array","items":', '{"a":'])
@pytest.mark.parametrize("levels", [1001, 10_000])
def test_a_deeper_text_is_refused(parse_text: Any, opening: str, levels: int) -> None:
    assert "Document nesting depth (1001) exceeds the maximum allowed (1000" in str(
        refusal(parse_text, opening * levels)
    )


def test_a_definition_of_another_text_may_be_repeated(parse: Any) -> None:
    fixed = {"type": "fixed", "name": "F", "size": 1}
    assert parse(fixed, fixed).resolved_text == json.dumps(fixed, separators=(",", ":"))


def test_a_definition_of_another_text_may_not_be_changed(parse: Any) -> None:
    with pytest.raises(UnparsableSchema, match="Can't redefine: F"):
        parse({"type": "fixed", "name": "F", "size": 1}, {"type": "fixed", "name": "F", "size": 2})


def test_a_reference_has_to_stand_on_its_own(parse: Any) -> None:
    with pytest.raises(UnparsableSchema, match="Undefined schema: F"):
        parse({"type": "fixed", "name": "F", "size": 1}, {"type": "array", "items": "F"})


def test_references_of_a_new_schema_are_read_by_the_strict_rules_too(parse: Any) -> None:
    reference = {"type": "record", "name": "S", "fields": [{"name": "a", "type": "int", "default": "x"}]}
    with pytest.raises(UnparsableSchema, match="Invalid default for field a"):
        parse("S", reference)
    assert parse("S", reference, strict=False).field_names() == {"a"}


def test_a_default_that_was_taken_can_be_refused_when_another_text_follows(parse: Any) -> None:
    """Java completes all types anew for each text, then in another order."""
    inner = {"type": "record", "name": "B", "fields": [{"name": "a", "type": ["null", "A"], "default": None}]}
    outer = {"type": "record", "name": "A", "fields": [{"name": "b", "type": inner, "default": {}}]}
    assert parse(outer).field_names() == {"b"}
    with pytest.raises(UnparsableSchema, match="Schema fields not set yet"):
        parse({"type": "record", "name": "R", "fields": [{"name": "x", "type": "A"}]}, outer)


def test_integers_beyond_64_bits_stay_as_they_are(parse_text: Any) -> None:
    """Java refuses them as properties of records, arrays and maps, though not of other types."""
    text = '{"type":"record","name":"R","fields":[],"p":123456789012345678901234567890}'
    assert parse_text(text).text == text


def test_half_of_a_surrogate_pair_is_refused(parse_text: Any) -> None:
    """Java takes it here, and fails when it is to store the text."""
    assert refusal(parse_text, '{"type":"int","p":"\\ud83d\\ude00"}') is None
    assert refusal(parse_text, '{"type":"int","p":"\\ud83d"}') == (
        "Half of a surrogate pair stands where a character should be"
    )


def test_a_text_that_could_not_be_read_again_is_refused(parse: Any) -> None:
    """Each type stands where it is used first, so that definitions side by side come to stand inside each other."""
    side_by_side = [
        {"type": "record", "name": f"R{place}", "fields": [{"name": "f", "type": f"R{place + 1}"}]}
        for place in range(400)
    ]
    with pytest.raises(UnparsableSchema, match="Document nesting depth"):
        parse([*side_by_side, {"type": "fixed", "name": "R400", "size": 1}])


def test_field_names_are_those_of_the_outermost_record(parse: Any) -> None:
    inner = {"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}]}
    assert parse({"type": "record", "name": "R", "fields": [{"name": "a", "type": inner}]}).field_names() == {"a"}
    assert parse(["null", inner]).field_names() == frozenset()
