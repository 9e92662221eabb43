"""Texts made to hurt: each is read or refused in bounded time, whatever they nest, repeat or refer to."""

import json
import time
from typing import Any

import pytest

from registry.errors import UnparsableSchema

# Far above what any of them takes: a bound that only an endless run can miss, also on a busy machine.
PATIENCE_SECONDS = 20


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


def list_default(count: int) -> Any:
    branches = records(3000, lambda _: [{"name": "a", "type": "int"}])
    type_ = {"type": "array", "items": branches}
    return {"type": "record", "name": "Q", "fields": [{"name": "x", "type": type_, "default": [{}] * count}]}


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
}


@pytest.fixture(autouse=True)
def in_bounded_time() -> Any:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < PATIENCE_SECONDS


@pytest.mark.parametrize("schema", READ.values(), ids=READ.keys())
def test_a_large_schema_is_read_and_written_in_every_form(parse: Any, parse_text: Any, schema: Any) -> None:
    parsed = parse(schema)
    assert parse_text(parsed.text).text == parsed.text
    assert parsed.normalized().equivalent(parse_text(parsed.resolved_text).normalized())
    assert parsed.tags() == ()
    assert parsed.parsing_form


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_a_hostile_text_is_refused_in_one_sentence(parse_text: Any, text: str) -> None:
    with pytest.raises(UnparsableSchema):
        parse_text(text)


def test_deep_properties_and_defaults_are_written_in_every_form(parse_text: Any) -> None:
    deep = "[" * 480 + "]" * 480
    type_ = '{"type":"array","items":' * 480 + '"int"' + "}" * 480
    text = f'{{"type":"record","name":"R","fields":[{{"name":"a","type":{type_},"default":{deep}}}],"p":{deep}}}'
    parsed = parse_text(text)
    assert parsed.text == parsed.normalized().text == text
    assert parsed.equivalent(parse_text(text))
    assert parsed.unreadable(parse_text(text.replace('"int"', '"string"')))[0].path.endswith("/items")
