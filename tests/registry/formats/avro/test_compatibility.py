"""What a reader cannot read of a writer: every rule, in Java's order and words, and what a person needs beside them."""

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from registry.formats.avro import rules
from registry.formats.avro.compatibility import MAX_FINDINGS

CASES = json.loads(Path(__file__).parent.joinpath("cases/compatibility.json").read_text())["cases"]
KINDS = {
    "TYPE_MISMATCH",
    "NAME_MISMATCH",
    "FIXED_SIZE_MISMATCH",
    "MISSING_ENUM_SYMBOLS",
    "MISSING_UNION_BRANCH",
    "READER_FIELD_MISSING_DEFAULT_VALUE",
    "EXCEPTION",
}


def record(name: str, *fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": field, "type": type_} for field, type_ in fields]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_findings_are_javas_in_its_order(parse: Any, case: dict[str, Any]) -> None:
    findings = parse(case["reader"]).unreadable(parse(case["writer"]))
    assert [[finding.kind, finding.path, finding.message] for finding in findings] == case["findings"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_finding_comes_with_one_line_of_advice(parse: Any, case: dict[str, Any]) -> None:
    advice = [finding.suggestion for finding in parse(case["reader"]).unreadable(parse(case["writer"]))]
    assert all(line.endswith(".") and "\n" not in line for line in advice)


def test_the_cases_show_every_kind_of_finding() -> None:
    assert {finding[0] for case in CASES for finding in case["findings"]} == KINDS


PLACES = [
    (record("R", ("a", "int")), record("R", ("a", "string")), ["a"]),
    (record("R", ("a", "int")), record("R"), ["a"]),
    ("int", "string", [""]),
    (
        record("R", ("order", record("O", ("customer", record("C", ("address", "int")))))),
        record("R", ("order", record("O", ("customer", record("C", ("address", "string")))))),
        ["order.customer.address"],
    ),
    (
        record("R", ("lines", {"type": "array", "items": record("L", ("price", "int"))})),
        record("R", ("lines", {"type": "array", "items": record("L", ("price", "long"))})),
        ["lines.price"],
    ),
    (
        record("R", ("a", {"type": "enum", "name": "E", "symbols": ["A"]}), ("b", "E")),
        record("R", ("a", {"type": "enum", "name": "E", "symbols": ["A", "B"]}), ("b", "E")),
        ["a", "b"],
    ),
    (
        record("R", ("s", record("S", ("x", "int"))), ("t", "S")),
        record("R", ("s", record("S", ("x", "string"))), ("t", "S")),
        ["s.x", "t.x"],
    ),
]


@pytest.mark.parametrize(("reader", "writer", "places"), PLACES)
def test_a_finding_names_the_fields_that_lead_to_it(parse: Any, reader: Any, writer: Any, places: list[str]) -> None:
    assert [finding.place for finding in parse(reader).unreadable(parse(writer))] == places


def enum(symbols: str, name: str = "E") -> dict[str, Any]:
    return {"type": "enum", "name": name, "symbols": symbols.split()}


ADVICE = [
    (record("R", ("a", "int")), record("R"), "Give the field a a default, or the field's former name as an alias."),
    ("int", "long", "Keep long here, or anything wider: int cannot hold every long."),
    ("float", "double", "Keep double here, or anything wider: float cannot hold every double."),
    ("int", ["null"], 'Allow null here: make the type the union of "null" and int.'),
    ("int", "string", "Make the type the union of string and int, or leave it as it is and add a new field."),
    (record("A"), record("n.B"), 'Add "n.B" to the aliases of the renamed type.'),
    (enum("A"), enum("C A B"), "Keep B, C among the symbols, or give the enum E a default."),
    (["null"], ["int"], "Add int to the union, or mend the branch that is meant to read it."),
    (
        {"type": "fixed", "name": "F", "size": 1},
        {"type": "fixed", "name": "F", "size": 2},
        "Keep the size 2, or add a new field with a fixed type of another name.",
    ),
    (
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int", "aliases": ["a"]}]},
        record("R", ("a", "int")),
        "Remove the alias of a that matches a second field.",
    ),
]


@pytest.mark.parametrize(("reader", "writer", "advice"), ADVICE)
def test_the_advice_is_the_smallest_change_that_helps(parse: Any, reader: Any, writer: Any, advice: str) -> None:
    assert [finding.suggestion for finding in parse(reader).unreadable(parse(writer))] == [advice]


def chain(length: int, last: Any) -> list[Any]:
    """Records that each have the next one in a field, told backwards, the first of all at the end."""
    links = [record(f"R{place}", ("f", f"R{place + 1}")) for place in reversed(range(length))]
    return [{**last, "name": f"R{length}"}, *links]


def test_types_may_follow_each_other_more_deeply_than_pythons_stack(parse: Any) -> None:
    def top(size: int) -> Any:
        names = chain(5000, {"type": "fixed", "size": size})
        return record("Top", ("names", {"type": "map", "values": names}), ("first", "R0"))

    reader, writer = parse(record("Top", ("first", "R0")), *_split(top(1))), parse(top(2))
    (finding,) = reader.unreadable(writer)
    assert (finding.kind, finding.path.count("/"), finding.place.count(".")) == (
        "FIXED_SIZE_MISMATCH",
        3 * 5001 + 1,
        5000,
    )


def _split(top: Any) -> list[Any]:
    return list(top["fields"][0]["type"]["values"])


def doubling(depth: int, size: int) -> Any:
    """A record with two fields of one type that has two fields of one type..."""
    type_: Any = {"type": "fixed", "name": "T0", "size": size}
    for level in range(1, depth):
        type_ = record(f"T{level}", ("a", type_), ("b", f"T{level - 1}"))
    return type_


def test_what_is_found_again_and_again_is_listed_up_to_a_limit(parse: Any) -> None:
    findings = parse(doubling(60, 1)).unreadable(parse(doubling(60, 2)))
    assert 1000 < len(findings) <= MAX_FINDINGS
    assert len(parse(doubling(5, 1)).unreadable(parse(doubling(5, 2)))) == 16


def walks(work: Callable[[], object]) -> Counter[tuple[int, int]]:
    """How often the fields of each pair of records, and the symbols of each pair of enums, were really gone through."""
    codes = {rule.__code__ for rule in (rules._settled, rules._enum, rules._fixed)}
    counted: Counter[tuple[int, int]] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in codes:
            counted[id(frame.f_locals["reader"]), id(frame.f_locals["writer"])] += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted


def used(times: int, kind: str) -> Any:
    """A record that uses one named type so many times."""
    named = {
        "record": record("S", ("x", "int"), ("y", "string")),
        "enum": {"type": "enum", "name": "S", "symbols": ["A"]},
        "fixed": {"type": "fixed", "name": "S", "size": 1},
    }
    return record("R", *((f"f{place}", "S" if place else named[kind]) for place in range(times)))


def rings(count: int) -> Any:
    """Records that all have all of them in their fields."""
    fields = [(f"f{place}", f"R{place}") for place in range(count)]
    ring = record(f"R{count - 1}", *fields)
    for place in reversed(range(count - 1)):
        ring = record(f"R{place}", ("below", ring), *fields)
    return ring


def changed(schema: Any, before: str, after: str) -> Any:
    return json.loads(json.dumps(schema).replace(before, after))


UNCHANGED = [
    pytest.param(used(100, "record"), 2, id="a record used 100 times"),
    pytest.param(used(100, "enum"), 2, id="an enum used 100 times"),
    pytest.param(used(100, "fixed"), 2, id="a fixed used 100 times"),
    pytest.param(record("U", ("a", [used(2, "record"), "null"]), ("b", ["S", "null"])), 3, id="a record in unions"),
    pytest.param(doubling(60, 1), 60, id="a graph with 2^59 ways through it"),
    pytest.param(rings(30), 30, id="records that all refer to each other"),
]


@pytest.mark.parametrize(("schema", "types"), UNCHANGED)
def test_an_unchanged_type_is_gone_through_once(parse: Any, schema: Any, types: int) -> None:
    reader, writer = parse(schema), parse(schema)
    counted = walks(lambda: reader.unreadable(writer))
    assert (len(counted), max(counted.values())) == (types, 1)


@pytest.mark.parametrize("schema", [used(100, "record"), doubling(60, 1)], ids=["used 100 times", "doubling"])
def test_a_changed_type_is_gone_through_once_too(parse: Any, schema: Any) -> None:
    reader, writer = parse(schema), parse(changed(changed(schema, '"size": 1', '"size": 2'), '"int"', '"string"'))
    counted = walks(lambda: reader.unreadable(writer))
    assert reader.unreadable(writer)
    assert max(counted.values()) == 1


def test_a_type_met_with_several_others_is_gone_through_once_with_each(parse: Any) -> None:
    def both(size: int) -> Any:
        s, t = ({"type": "fixed", "name": "F", "namespace": space, "size": size} for space in "st")
        return record("R", ("a", s), ("b", ["null", t]), ("c", ["null", "s.F"]), ("d", "t.F"), ("e", "s.F"))

    reader, writer = parse(both(1)), parse(both(2))
    counted = walks(lambda: reader.unreadable(writer))
    assert max(counted.values()) == 1
    assert [finding.path for finding in reader.unreadable(writer)][-1] == "/fields/0/type/size"


def test_names_that_schemas_share_are_kept_once(parse: Any) -> None:
    one, other = (parse(record("Order", ("customer_name", "int"), ("x" * 65, "int"))).root for _ in range(2))
    (short, long), (again, _) = one.fields.values(), other.fields.values()
    assert one.name.simple is other.name.simple
    assert short.name is again.name
    assert long.name == "x" * 65


def test_unions_of_many_records_are_compared_by_name(parse: Any) -> None:
    events = [record(f"Event{place}", *((f"f{place}_{n}", "int") for n in range(40))) for place in range(400)]
    changed = [*events[:-1], record("Event399", ("g", "int"))]
    assert parse(events).unreadable(parse(events)) == ()
    (finding,) = parse(changed).unreadable(parse(events))
    assert (finding.kind, finding.path) == ("MISSING_UNION_BRANCH", "/399")


def test_what_would_take_too_long_is_no_answer_and_no_hang(parse: Any) -> None:
    branches = [
        {"type": "record", "name": "R", "namespace": f"n{place}", "fields": [{"name": f"f{place}", "type": "int"}]}
        for place in range(3000)
    ]
    (finding,) = parse(branches).unreadable(parse(list(reversed(branches))))
    assert (finding.kind, finding.message) == (
        "EXCEPTION",
        "too many types would have to be compared with each other",
    )


def test_comparing_changes_nothing(parse: Any) -> None:
    reader, writer = parse(record("R", ("a", "long"))), parse(record("R", ("a", "int")))
    before = reader.text, writer.text
    assert reader.unreadable(writer) == reader.unreadable(writer) == ()
    assert (reader.root.fields["a"].type.kind, before) == ("LONG", (reader.text, writer.text))
