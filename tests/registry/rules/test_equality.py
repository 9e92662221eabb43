"""When a schema that a client sends is one that the subject already has."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from registry.formats.avro import AvroFormat
from registry.formats.protocol import Parsed
from registry.model import Metadata, Reference, Rule, RuleSet, Schema
from registry.rules.equality import likeness, same_schema

RECORD = '{"type":"record","name":"R","fields":[{"name":"f","type":"int","a":1,"b":2}]}'
REORDERED = '{"type":"record","name":"R","fields":[{"name":"f","type":"int","b":2,"a":1}]}'
OTHER = '{"type":"record","name":"R","fields":[{"name":"f","type":"int","a":1,"b":3}]}'
REFERRING = '{"type":"record","name":"R","fields":[{"name":"f","type":"F"}]}'
INLINED = '{"type":"record","name":"R","fields":[{"name":"f","type":{"type":"fixed","name":"F","size":4}}]}'
FIXED = '{"type":"fixed","name":"F","size":4}'
ERROR = '{"type":"error","name":"R","fields":[{"name":"f","type":"int","a":1,"b":2}]}'
TO_FIXED = (Reference("F", "fixed", 1),)


def parsed(schema: Schema) -> Parsed:
    references = {"F": FIXED} if schema.references else {}
    return AvroFormat().parse(schema.text, references, strict=False)


def same(stored: Schema, sent: Schema, version: int = 1) -> bool:
    return same_schema(stored, version, sent, parsed(sent), lambda: parsed(stored))


def versioned(number: object, **properties: str) -> Metadata:
    return Metadata(properties={"confluent:version": str(number), **properties})


PLAIN = Schema(RECORD)
NAMED = Metadata(properties={"owner": "bob"})
RULES = RuleSet(domain_rules=(Rule("r", type="CEL"),))
CASES: list[tuple[str, Schema, Schema, bool]] = [
    ("equal", PLAIN, PLAIN, True),
    ("properties in another order", PLAIN, Schema(REORDERED), True),
    ("another property", PLAIN, Schema(OTHER), False),
    ("another type of schema", PLAIN, replace(PLAIN, type="JSON"), False),
    ("an error as a record", Schema(ERROR), PLAIN, True),
    ("metadata where there is none", PLAIN, replace(PLAIN, metadata=Metadata()), False),
    ("none where there is metadata", replace(PLAIN, metadata=NAMED), PLAIN, False),
    ("equal metadata", replace(PLAIN, metadata=NAMED), replace(PLAIN, metadata=NAMED), True),
    ("rules where there are none", PLAIN, replace(PLAIN, rule_set=RULES), False),
    ("equal rules", replace(PLAIN, rule_set=RULES), replace(PLAIN, rule_set=RULES), True),
    ("equal references", Schema(REFERRING, references=TO_FIXED), Schema(REFERRING, references=TO_FIXED), True),
    ("references written out", Schema(REFERRING, references=TO_FIXED), Schema(INLINED), True),
    ("something else written out", Schema(REFERRING, references=TO_FIXED), PLAIN, False),
    ("references where there are none", Schema(INLINED), Schema(REFERRING, references=TO_FIXED), False),
    (
        "another version referred to",
        Schema(REFERRING, references=TO_FIXED),
        Schema(REFERRING, references=(Reference("F", "fixed", 2),)),
        False,
    ),
    ("no number where one is stored", replace(PLAIN, metadata=versioned(7)), PLAIN, True),
    (
        "no number where one is stored, other properties",
        replace(PLAIN, metadata=versioned(7, owner="bob")),
        PLAIN,
        False,
    ),
    ("the number of the version itself", PLAIN, replace(PLAIN, metadata=versioned(1)), True),
    ("the number of another version", PLAIN, replace(PLAIN, metadata=versioned(2)), False),
    (
        "the number of the version itself, other properties",
        replace(PLAIN, metadata=NAMED),
        replace(PLAIN, metadata=versioned(1, owner="bob")),
        True,
    ),
    ("the stored number", replace(PLAIN, metadata=versioned(7)), replace(PLAIN, metadata=versioned(7)), True),
    ("another number", replace(PLAIN, metadata=versioned(7)), replace(PLAIN, metadata=versioned(8)), False),
    ("a version that is no number", replace(PLAIN, metadata=versioned("x")), PLAIN, False),
]


@pytest.mark.parametrize(("stored", "sent", "is_same"), [pytest.param(*row, id=name) for name, *row in CASES])
def test_a_schema_is_the_stored_one(stored: Schema, sent: Schema, is_same: bool) -> None:
    assert same(stored, sent) is is_same


def test_errors_within_a_schema_equal_records() -> None:
    def nested(kind: str) -> Schema:
        inner = ",".join(f'{{"name":"f{n}","type":{{"type":"{kind}","name":"E{n}","fields":[]}}}}' for n in range(9))
        return Schema(f'{{"type":"record","name":"R","fields":[{inner}]}}')

    assert same(nested("error"), nested("record"))
    assert same(nested("record"), nested("error"))


def test_a_stored_text_that_cannot_be_read_today_is_no_other_schema() -> None:
    sent = Schema(REORDERED)
    assert not same_schema(PLAIN, 1, sent, parsed(sent), lambda: None)
    assert same_schema(PLAIN, 1, PLAIN, parsed(PLAIN), lambda: None)


def test_a_long_history_is_told_apart_without_parsing_it() -> None:
    def refuse() -> Parsed:
        raise AssertionError("parsed")

    texts = [f'{{"type":"record","name":"R{number}","fields":[]}}' for number in range(100)]
    assert not any(same_schema(Schema(text), 1, PLAIN, parsed(PLAIN), refuse) for text in texts)


def shuffled(value: Any, choose: st.DataObject) -> Any:
    if isinstance(value, dict):
        names = choose.draw(st.permutations(list(value)))
        return {name: shuffled(value[name], choose) for name in names}
    return value


attributes = st.recursive(
    st.integers() | st.text(max_size=3) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["p", "q", "r"]), attributes), st.data())
def test_the_order_of_properties_makes_no_other_schema(properties: dict[str, Any], choose: st.DataObject) -> None:
    field = {"name": "f", "type": "int", **properties}
    one, other = (
        Schema(parsed(Schema(json.dumps({"type": "record", "name": "R", "fields": [value]}))).text)
        for value in (field, shuffled(field, choose))
    )
    assert same(one, other)


def test_texts_that_were_compared_are_not_held_on_to() -> None:
    is_like = likeness(Schema("x" * 20_000))
    tracemalloc.start()
    assert not any(is_like(Schema(f"{number:020000}")) for number in range(200))
    held_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held_bytes < 400_000
