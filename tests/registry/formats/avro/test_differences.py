"""What is done otherwise than by Confluent and Avro Java, on purpose: the table in docs/compatibility.md, by line."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from registry.errors import UnparsableSchema
from registry.formats.avro import AvroFormat, AvroSchema
from registry.formats.avro.compatibility import MAX_FINDING_CHARS, MAX_FINDINGS
from registry.model import Direction
from registry.rules.compatibility import finding_line

PAGE: Final = Path(__file__).parents[4] / "docs" / "compatibility.md"
BEYOND: Final = 2**64 + 1


def parsed(schema: Any) -> AvroSchema:
    return AvroFormat().parse(schema if isinstance(schema, str) else json.dumps(schema), {}, strict=True)


def refusal(schema: Any) -> str:
    with pytest.raises(UnparsableSchema) as refused:
        parsed(schema)
    return refused.value.message


def record(name: str, *fields: tuple[Any, ...]) -> dict[str, Any]:
    keys = ("name", "type", "default")
    return {"type": "record", "name": name, "fields": [dict(zip(keys, field, strict=False)) for field in fields]}


def records(count: int, *fields: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [record(f"R{place}", *fields) for place in range(count)]


def normal_default(type_: Any, default: Any) -> Any:
    return json.loads(parsed(record("R", ("a", type_, default))).normalized().text)["fields"][0]["default"]


def doubling(depth: int, size: int) -> Any:
    """A record with two fields of one type that has two fields of one type..."""
    type_: Any = {"type": "fixed", "name": "T0", "size": size}
    for level in range(1, depth):
        type_ = record(f"T{level}", ("a", type_), ("b", f"T{level - 1}"))
    return type_


def crossing() -> list[Any]:
    """Records in a long chain that all refer back to one with very many fields."""
    wide = [(f"p{place}", ["null", "int"]) for place in range(3000)]
    links = [record(f"C{place}", ("a", f"C{place + 1}"), ("b", "C0")) for place in range(1, 3000)]
    return [record("C0", *wide, ("n", "C1")), *links, record("C3000")]


def in_namespaces(count: int) -> list[Any]:
    return [{**record("R", (f"f{place}", "int")), "namespace": f"n{place}"} for place in range(count)]


def a_later_branch() -> None:
    assert normal_default(["null", "double"], 1.5) == 1.5


def bytes_beyond_latin_1() -> None:
    assert normal_default("bytes", "\u0100") == "\u0100"


def of_the_wrong_type() -> None:
    text = json.dumps(record("R", ("a", "int", "x")))
    assert '"default":"x"' in AvroFormat().parse(text, {}, strict=False).normalized().text


def keys_that_no_field_has() -> None:
    assert normal_default(record("I"), {"b": 1, "a": 2}) == {"a": 2, "b": 1}


def beyond_the_range_of_a_float() -> None:
    assert normal_default({"type": "array", "items": "float"}, [1e300]) == [1e300]


def a_type_without_namespace() -> None:
    schema = record("n.R", ("a", {"type": "fixed", "name": "F", "namespace": "", "size": 1}))
    assert '"name":"F","namespace":""' in parsed(schema).normalized().text


def quotes_in_the_name_of_a_property() -> None:
    assert json.loads(parsed({"type": "string", 'a"b': 1}).normalized().text) == {"type": "string", 'a"b': 1}


def integers_beyond_64_bits() -> None:
    schema = {**record("R", ("a", "double", BEYOND)), "p": BEYOND}
    assert json.loads(parsed(schema).normalized().text)["p"] == BEYOND
    assert str(BEYOND) in parsed(schema).text


def a_type_that_is_defined_nowhere() -> None:
    assert refusal("X" and '"X"') == refusal({"type": "X"}) == "Undefined schema: X"


def definitions_side_by_side() -> None:
    forward = [record(f"R{place}", ("f", f"R{place + 1}")) for place in range(400)]
    assert "Document nesting depth" in refusal([*forward, record("R400")])


def half_of_a_surrogate_pair() -> None:
    assert refusal('{"type":"int","p":"\\ud83d"}').startswith("Half of a surrogate pair")


def too_many_steps() -> None:
    assert "in more ways than can be followed in 300000 steps" in refusal(crossing())


def too_many_defaults() -> None:
    branches = [*records(3000, ("a", "int")), record("Last")]
    assert "more than 100000 values" in refusal(record("Q", ("x", {"type": "array", "items": branches}, [{}] * 200)))


def too_much_in_a_text() -> None:
    assert refusal({"type": "int", "p": [[]] * 200_000}) == "The schema has more than 200000 objects and arrays"
    assert parsed({"type": "int", "p": [[]] * 199_998}).text
    assert refusal({"type": "int", "p": [1.5e300, -1] * 15_001}) == "The schema has more than 30000 numbers"
    assert parsed({"type": "int", "p": [1.5e300, -1] * 15_000, "q": ["1.5e3, "] * 50_000}).text


def a_long_namespace() -> None:
    space = ".".join(["n"] * 2049)
    assert refusal({**record("R"), "namespace": space}) == "A namespace has more than 4096 characters"
    assert parsed({**record("R"), "namespace": space[2:]}).text


def too_much_is_referred_to() -> None:
    reference = json.dumps({**record("R"), "doc": "x" * 2**20})
    with pytest.raises(UnparsableSchema, match="more than 2097152 characters together"):
        AvroFormat().parse('"int"', {"a": reference, "b": reference}, strict=True)


def unions_of_very_many_records() -> None:
    events = records(400, *((f"f{place}", "int") for place in range(40)))
    assert parsed(events).unreadable(parsed(events)) == ()


def too_much_to_compare() -> None:
    (finding,) = parsed(in_namespaces(3000)).unreadable(parsed(in_namespaces(3000)[::-1]))
    assert finding.message == "too many types would have to be compared with each other"


def too_many_findings() -> None:
    findings = parsed(doubling(60, 1)).unreadable(parsed(doubling(60, 2)))
    chars = sum(len(finding.path) for finding in findings)
    assert 1000 < len(findings) <= MAX_FINDINGS
    assert chars <= MAX_FINDING_CHARS + len(findings[-1].path)


def a_per_cent_sign() -> None:
    new = {"type": "record", "name": "R", "doc": "%s", "fields": [{"name": "a", "type": "int", "aliases": ["a"]}]}
    (finding,) = parsed(new).unreadable(parsed({**record("R", ("a", "int")), "doc": "%s"}))
    assert '"doc":"%s"' in finding_line(finding, Direction.NEW_READS_OLD)


DIFFERENCES: Final[dict[str, Callable[[], None]]] = {
    "Normal form: the default of a later branch of a union": a_later_branch,
    "Normal form: a default of bytes beyond Latin-1": bytes_beyond_latin_1,
    "Normal form: a default of the wrong type, in a lookup or without `validateNewSchemas`": of_the_wrong_type,
    "Normal form: keys of a record's default that no field has": keys_that_no_field_has,
    "Normal form: a number in a default list beyond the range of its float": beyond_the_range_of_a_float,
    "Normal form: a type without namespace within a namespace": a_type_without_namespace,
    "Normal form: quotes in the name of a property": quotes_in_the_name_of_a_property,
    "Integers beyond 64 bits": integers_beyond_64_bits,
    "A type that is defined nowhere": a_type_that_is_defined_nowhere,
    "Definitions side by side that refer to each other over more than 1,000 levels": definitions_side_by_side,
    "Half of a surrogate pair": half_of_a_surrogate_pair,
    "Types that refer to each other in more than 300,000 steps": too_many_steps,
    "Defaults of more than 100,000 values": too_many_defaults,
    "A text with more than 200,000 objects and arrays, or 30,000 numbers": too_much_in_a_text,
    "A namespace of more than 4,096 characters": a_long_namespace,
    "References to more than 2,097,152 characters of schemas in all": too_much_is_referred_to,
    "Unions of very many records": unions_of_very_many_records,
    "Types that would take more than about a second to compare": too_much_to_compare,
    "More than 10,000 findings, or 4,000,000 characters of them": too_many_findings,
    "A per cent sign in the text of a schema whose field matches twice": a_per_cent_sign,
}


@pytest.mark.parametrize("holds", DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_a_difference_is_as_the_page_says(holds: Callable[[], None]) -> None:
    holds()


def test_the_page_lists_these_differences_and_no_others() -> None:
    section = PAGE.read_text().split("## Schemas\n")[1].split("\n## ")[0]
    listed = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    assert listed[2:] == list(DIFFERENCES)
