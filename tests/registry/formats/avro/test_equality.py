"""When two schemas are one."""

import json
from pathlib import Path
from typing import Any

import pytest

from registry.formats.avro.equality import equal, same_json

CASES = json.loads(Path(__file__).parent.joinpath("cases/equality.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_schemas_are_equal_as_java_has_it(parse: Any, case: dict[str, Any]) -> None:
    one, other = parse(case["one"]), parse(case["other"])
    assert (equal(one.root, other.root), equal(other.root, one.root)) == (case["equal"], case["equal"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_schemas_are_equivalent_as_confluent_has_it(parse: Any, case: dict[str, Any]) -> None:
    one, other = parse(case["one"]), parse(case["other"])
    assert (one.equivalent(other), other.equivalent(one)) == (case["equivalent"], case["equivalent"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_schema_is_equivalent_to_itself(parse: Any, case: dict[str, Any]) -> None:
    assert parse(case["one"]).equivalent(parse(case["one"]))


def test_a_schema_that_has_its_references_written_out_is_the_same_when_resolved(parse: Any) -> None:
    inner = {"type": "record", "name": "S", "fields": []}
    apart = parse({"type": "array", "items": "S"}, inner)
    together = parse({"type": "array", "items": inner})
    assert together.same_resolved(apart)
    assert together.text != apart.text


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ([1, 2], [2, 1], False),
        ([1], [1, 1], False),
        ({"a": 1}, {"a": 1, "b": None}, False),
        (1, 1.0, False),
        (1, True, False),
        (0.0, -0.0, False),
        (float("nan"), float("nan"), True),
        (float("nan"), 0.0, False),
        ("1", 1, False),
        (None, False, False),
    ],
)
def test_json_values_are_the_same_as_jackson_has_it(one: Any, other: Any, *, same: bool) -> None:
    assert same_json(one, other) is same
