"""What the normal form of a schema is, and what it never loses."""

import json
from pathlib import Path
from typing import Any

import pytest

CASES = json.loads(Path(__file__).parent.joinpath("cases/canonical.json").read_text())["cases"]
OURS = [case for case in CASES if "java" in case]
KEPT_DEFAULTS = [
    (["null", "double"], 1.5),
    (["null", "string"], "x"),
    (["int", "string"], "x"),
    (["null", {"type": "array", "items": "int"}], [1, 2]),
    (["null", {"type": "map", "values": "int"}], {"a": 1}),
    ("double", 2**70),
    ("bytes", "\u0100"),
    ({"type": "array", "items": ["null", "int"]}, [1, None]),
    ({"type": "array", "items": "float"}, [1e300]),
]


def named(case: dict[str, Any]) -> str:
    return str(case["name"])


def record(type_: Any, default: Any) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [{"name": "a", "type": type_, "default": default}]}


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_normal_form_is_confluents_but_for_what_that_would_lose(parse_text: Any, case: dict[str, Any]) -> None:
    parsed = parse_text(case["text"], case.get("references", ()))
    assert parsed.normalized().text == case.get("normalized", case["canonical"])


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_normal_form_of_a_normal_form_is_itself(parse_text: Any, case: dict[str, Any]) -> None:
    normal = parse_text(case["text"], case.get("references", ())).normalized()
    assert normal.normalized().text == normal.text


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_normal_form_means_what_the_schema_means(parse_text: Any, case: dict[str, Any]) -> None:
    parsed = parse_text(case["text"], case.get("references", ()))
    assert parsed.normalized().parsing_form == parsed.parsing_form


@pytest.mark.parametrize("case", OURS, ids=named)
def test_the_cases_that_differ_from_confluent_differ_still(case: dict[str, Any]) -> None:
    assert case["java"] != case["normalized"]


@pytest.mark.parametrize(("type_", "default"), KEPT_DEFAULTS)
def test_a_default_is_never_lost(parse: Any, type_: Any, default: Any) -> None:
    normal = json.loads(parse(record(type_, default)).normalized().text)
    assert normal["fields"][0]["default"] == default


def test_a_default_of_the_wrong_type_in_a_stored_schema_is_not_lost_either(parse: Any) -> None:
    assert '"default":"x"' in parse(record("int", "x"), strict=False).normalized().text


def test_keys_of_a_record_default_that_no_field_has_stay(parse: Any) -> None:
    inner = {"type": "record", "name": "I", "fields": [{"name": "x", "type": "double"}]}
    assert '"default":{"extra":{"a":1,"b":2},"x":1.0}' in (
        parse(record(inner, {"x": 1, "extra": {"b": 2, "a": 1}})).normalized().text
    )


@pytest.mark.parametrize(
    ("type_", "default", "written"),
    [
        ("double", 1, "1.0"),
        ("double", 10000000, "1.0E7"),
        ("float", 0.1234567890123, "0.12345679"),
        ("float", 16777217, "1.6777216E7"),
        ("float", 1e39, '"Infinity"'),
        ("long", 1, "1"),
        (["double", "null"], 1, "1.0"),
        ({"type": "map", "values": ["float", "null"]}, {"b": 1, "a": 0.1}, '{"a":0.1,"b":1.0}'),
    ],
)
def test_number_defaults_are_written_through_their_type(parse: Any, type_: Any, default: Any, written: str) -> None:
    assert f'"default":{written}' in parse(record(type_, default)).normalized().text


def test_a_recursive_schema_has_a_normal_form(parse: Any) -> None:
    tree = {
        "type": "record",
        "name": "Tree",
        "z": 1,
        "a": 2,
        "fields": [{"name": "children", "type": {"type": "array", "items": "Tree"}}],
    }
    normal = parse(tree).normalized()
    assert normal.text.endswith('"a":2,"z":1}')
    assert normal.unreadable(parse(tree)) == ()


def test_types_of_other_subjects_stay_as_they_are(parse: Any) -> None:
    reference = {"type": "record", "name": "S", "fields": [], "z": 1, "a": 2}
    normal = parse(record("S", {}), reference).normalized()
    assert normal.resolved_text.count('"z":1,"a":2') == 1
