"""Inline tags: where they are found, and what adding and removing them does to a text."""

import json
from typing import Any

import pytest

from registry.errors import UnparsableSchema
from registry.formats.protocol import InlineTags

INNER = {
    "type": "record",
    "name": "Address",
    "confluent:tags": ["PLACE"],
    "fields": [{"name": "street", "type": "string", "confluent:tags": ["PII", "PII", 5]}],
}
SCHEMA = {
    "type": "record",
    "name": "com.acme.Order",
    "fields": [
        {"name": "id", "type": "int", "confluent:tags": ["KEY"]},
        {"name": "to", "type": ["null", {"type": "array", "items": INNER}]},
        {"name": "from", "type": {"type": "map", "values": "Address"}, "confluent:tags": []},
        {"name": "note", "type": "string", "confluent:tags": "PII"},
    ],
    "confluent:tags": ["ROOT"],
}


def record(path: str, *tags: str) -> InlineTags:
    return InlineTags(path, "sr_record", tags)


def field(path: str, *tags: str) -> InlineTags:
    return InlineTags(path, "sr_field", tags)


def test_tagged_records_and_fields_are_told_in_order_of_appearance(parse: Any) -> None:
    assert parse(SCHEMA).tags() == (
        record("com.acme.Order", "ROOT"),
        field("com.acme.Order.id", "KEY"),
        record("com.acme.Address", "PLACE"),
        field("com.acme.Address.street", "PII", "5"),
    )


def test_a_recursive_schema_tells_its_tags_once(parse: Any) -> None:
    tree = {"type": "record", "name": "T", "confluent:tags": ["X"], "fields": [{"name": "t", "type": ["null", "T"]}]}
    assert parse(tree).tags() == (record("T", "X"),)


def test_a_schema_without_records_has_no_tags(parse: Any) -> None:
    assert parse({"type": "string", "confluent:tags": ["X"]}).tags() == ()


CHANGES = [
    ([record("com.acme.Order", "NEW")], [], [record("com.acme.Order", "ROOT", "NEW")]),
    ([record("com.acme.Order", "ROOT")], [], [record("com.acme.Order", "ROOT")]),
    ([], [record("com.acme.Order", "ROOT")], []),
    ([], [record("com.acme.Order", "OTHER")], [record("com.acme.Order", "ROOT")]),
    ([record("com.acme.Order", "A")], [record("com.acme.Order", "A")], [record("com.acme.Order", "ROOT")]),
    ([record(".com.acme.Order", "A"), record("com.acme.Order", "B")], [], [record("com.acme.Order", "ROOT", "A", "B")]),
    ([record("Order", "A")], [], [record("com.acme.Order", "ROOT", "A")]),
]


@pytest.mark.parametrize(("add", "remove", "left"), CHANGES)
def test_tags_of_a_record_are_added_then_removed(
    parse: Any, parse_text: Any, add: list[InlineTags], remove: list[InlineTags], left: list[InlineTags]
) -> None:
    changed = parse_text(parse(SCHEMA).retagged(add, remove))
    assert [tags for tags in changed.tags() if tags.path == "com.acme.Order"] == left


@pytest.mark.parametrize("path", ["com.acme.Address.street", "Address.street", "com.acme.Order.note"])
def test_tags_of_a_field_are_found_by_its_path(parse: Any, parse_text: Any, path: str) -> None:
    changed = parse_text(parse(SCHEMA).retagged([field(path, "NEW")], []))
    (found,) = [tags for tags in changed.tags() if "NEW" in tags.tags]
    assert found.path.endswith(path)


def test_the_last_tag_takes_the_property_with_it(parse: Any) -> None:
    text = parse(SCHEMA).retagged([], [field("com.acme.Order.id", "KEY")])
    assert json.loads(text)["fields"][0] == {"name": "id", "type": "int"}


def test_whatever_is_no_tag_stays_as_it_is(parse: Any) -> None:
    assert parse(SCHEMA).retagged([], []) == parse(SCHEMA).text


@pytest.mark.parametrize(
    "entity",
    [
        record("com.acme.Missing", "X"),
        record("other.Order", "X"),
        record("com.acme.Order.id", "X"),
        record("", "X"),
        field("com.acme.Order.missing", "X"),
        field("com.acme.Order", "X"),
        field("street", "X"),
    ],
    ids=lambda entity: entity.path,
)
def test_a_path_that_leads_nowhere_is_refused(parse: Any, entity: InlineTags) -> None:
    with pytest.raises(UnparsableSchema) as refused:
        parse(SCHEMA).retagged([entity], [])
    assert refused.value.message == f"No matching path '{entity.path}' found in the schema"
