"""Texts made to hurt: each is read or refused in bounded time, whatever they nest, repeat or refer to."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from registry.errors import UnparsableSchema

# Of processor time, for one step: each takes less than one second, and a busy machine may take a few times as long.
PATIENCE_SECONDS = 4

T = TypeVar("T")


def bounded(step: Callable[[], T]) -> T:
    """What a step gives, unless it takes too long."""
    began = time.process_time()
    try:
        return step()
    finally:
        assert time.process_time() - began < PATIENCE_SECONDS


def records(count: int, fields: Any) -> list[dict[str, Any]]:
    return [{"type": "record", "name": f"R{place}", "fields": fields(place)} for place in range(count)]


def doubling_defaults(depth: int) -> Any:
    type_: Any = {"type": "record", "name": "D0", "fields": []}
    for level in range(1, depth):
        fields = [
            {"name": "a", "type": type_, "default": {}},
            {"name": "b", "type": f"D{level - 1}", "default": {}},
        ]
        type_ = {"type": "record", "name": f"D{level}", "fields": fields}
    return type_


def crossing(count: int) -> list[Any]:
    """Records in a long chain that all refer back to one with very many fields."""
    wide = [{"name": f"p{place}", "type": ["null", "int"]} for place in range(3000)]
    first = {"type": "record", "name": "C0", "fields": [*wide, {"name": "n", "type": "C1"}]}
    chain = [
        {
            "type": "record",
            "name": f"C{place}",
            "fields": [{"name": "a", "type": f"C{place + 1}"}, {"name": "b", "type": "C0"}],
        }
        for place in range(1, count)
    ]
    return [first, *chain, {"type": "record", "name": f"C{count}", "fields": []}]


def nested_lists(depth: int) -> Any:
    lists: Any = []
    for _ in range(depth):
        lists = [lists]
    return lists


def list_default(count: int) -> Any:
    branches = records(3000, lambda _: [{"name": "a", "type": "int"}])
    type_ = {"type": "array", "items": branches}
    return {"type": "record", "name": "Q", "fields": [{"name": "x", "type": type_, "default": [{}] * count}]}


def filled_defaults(count: int, width: int) -> Any:
    inner = [{"name": f"x{place}", "type": "int", "default": 0} for place in range(width)]
    first = {"name": "a", "type": {"type": "record", "name": "I", "fields": inner}, "default": {}}
    others = [{"name": f"f{place}", "type": "I", "default": {}} for place in range(count)]
    return {"type": "record", "name": "R", "fields": [first, *others]}


READ = {
    "20,000 records in a union": records(20_000, lambda _: []),
    "a chain of forward references": records(300, lambda place: [{"name": "f", "type": f"R{(place + 1) % 300}"}]),
    "a chain of backward references": records(
        5_000, lambda place: [{"name": "f", "type": f"R{place - 1}" if place else "int"}]
    ),
    "defaults that need defaults that need defaults": doubling_defaults(80),
    "100,000 symbols": {"type": "enum", "name": "E", "symbols": [f"S{place}" for place in range(100_000)]},
    "50,000 aliases": {
        "type": "record",
        "name": "R",
        "aliases": [f"A{place}" for place in range(50_000)],
        "fields": [],
    },
    "20,000 fields": {
        "type": "record",
        "name": "R",
        "fields": [{"name": f"f{place}", "type": "int"} for place in range(20_000)],
    },
    "records that all refer to all before them": records(
        250, lambda place: [{"name": f"f{other}", "type": f"R{other}"} for other in range(place)]
    ),
    "a type twice in each of 5,000 that follow each other": records(
        5_000, lambda place: [{"name": name, "type": f"R{place - 1}" if place else "int"} for name in "ab"]
    ),
    "1,200 records that only differ in their names": records(1_200, lambda _: [{"name": "a", "type": "int"}]),
    "a default of 25,000 numbers": {
        "type": "record",
        "name": "R",
        "fields": [{"name": "a", "type": {"type": "array", "items": ["null", "int"]}, "default": [1] * 25_000}],
    },
    "lists and objects deep in each other": {
        "type": "int",
        "deep": [nested_lists(480) for _ in range(160)],
        "shallow": [[1]] * 25_000,
        "objects": [{"a": {"b": []}}] * 20_000,
    },
    "190,000 lists and 30,000 numbers in properties": {
        "type": "int",
        "lists": [[]] * 190_000,
        "numbers": [1.5e300] * 30_000,
    },
    "one definition 10,000 times": {
        "type": "record",
        "name": "R",
        "fields": [
            {
                "name": f"f{place}",
                "type": {"type": "record", "name": "S", "fields": [{"name": "a", "type": "int"}]},
            }
            for place in range(10_000)
        ],
    },
}
REFUSED = {
    "a million opening brackets": "[" * 1_000_000,
    "a list with an error at its end": "[" + "[]," * 200_000 + "x]",
    "numbers with an error at their end": "[" + "1," * 300_000 + "x]",
    "comments that never end": "/*" * 500_000,
    "escapes that never end": '"' + '\\"' * 500_000,
    "a number of a million digits": '{"type":"int","p":' + "9" * 1_000_000 + "}",
    "a word of a million letters": "a" * 1_000_000,
    "a chain of forward references that no text could be written of": json.dumps(
        records(5_000, lambda place: [{"name": "f", "type": f"R{(place + 1) % 5_000}"}])
    ),
    "types that refer to each other in too many ways": json.dumps(crossing(3_000)),
    "a default that every branch refuses": json.dumps(list_default(50_000)),
    "240,000 lists deep in each other": json.dumps({"type": "int", "deep": [nested_lists(480) for _ in range(500)]}),
    "200,000 lists and 100,000 numbers": json.dumps({"type": "int", "a": [[]] * 200_000, "b": [1.5e300] * 100_000}),
    "a default of 50,000 numbers": json.dumps(
        {
            "type": "record",
            "name": "R",
            "fields": [{"name": "a", "type": {"type": "array", "items": ["null", "int"]}, "default": [1] * 50_000}],
        }
    ),
    "20,000 defaults of which each takes 200 more": json.dumps(filled_defaults(20_000, 200)),
}


@pytest.mark.parametrize("schema", READ.values(), ids=READ.keys())
def test_a_large_schema_is_read_compared_and_written_in_every_form(parse: Any, parse_text: Any, schema: Any) -> None:
    parsed = bounded(lambda: parse(schema))
    again = bounded(lambda: parse_text(parsed.text))
    assert again.text == parsed.text
    assert bounded(parsed.normalized).equivalent(parse_text(parsed.resolved_text).normalized())
    assert bounded(lambda: parsed.equivalent(again))
    assert bounded(lambda: parsed.unreadable(again)) == ()
    assert bounded(parsed.tags) == ()
    assert bounded(lambda: parsed.parsing_form)


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_a_hostile_text_is_refused_in_one_sentence(parse_text: Any, text: str) -> None:
    with pytest.raises(UnparsableSchema):
        bounded(lambda: parse_text(text))


@pytest.mark.parametrize("count", [1_000, 4_000])
def test_a_name_used_before_its_definition_does_not_make_long_references_slow(parse: Any, count: int) -> None:
    below = {"type": "record", "name": "B", "fields": []}
    fields = [{"name": "x", "type": "B"}, {"name": "y", "type": below}]
    chain = records(count, lambda place: [{"name": "a", "type": f"R{place - 1}" if place else "A"}])
    parsed = bounded(lambda: parse(f"R{count - 1}", {"type": "record", "name": "A", "fields": fields}, *chain))
    assert parsed.parsing_form.count('"record"') == count + 2


def test_names_used_early_in_very_many_references_are_refused(parse: Any) -> None:
    early = [
        {
            "type": "record",
            "name": f"A{place}",
            "fields": [{"name": "x", "type": f"B{place}"}, {"name": "y", "type": b}],
        }
        for place in range(1_000)
        for b in [{"type": "record", "name": f"B{place}", "fields": []}]
    ]
    with pytest.raises(UnparsableSchema, match="in more ways than can be followed in 300000 steps"):
        bounded(lambda: parse("int", *early))


def test_deep_properties_and_defaults_are_written_in_every_form(parse_text: Any) -> None:
    deep = "[" * 480 + "]" * 480
    type_ = '{"type":"array","items":' * 480 + '"int"' + "}" * 480
    text = f'{{"type":"record","name":"R","fields":[{{"name":"a","type":{type_},"default":{deep}}}],"p":{deep}}}'
    parsed = parse_text(text)
    assert parsed.text == parsed.normalized().text == text
    assert parsed.equivalent(parse_text(text))
    assert parsed.unreadable(parse_text(text.replace('"int"', '"string"')))[0].path.endswith("/items")
