"""Real schemas of public projects and their histories: each is read, or refused for a reason that is right."""

import json
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from registry.errors import UnparsableSchema
from registry.formats.avro import AvroFormat, AvroSchema

SHARED = os.environ.get("SIGNET_SHARED", "")
pytestmark = pytest.mark.skipif(not SHARED, reason="SIGNET_SHARED names no folder with the corpus")

REASONS = (
    "Undefined schema: ",
    "Invalid default for field ",
    "No type: ",
    "com.fasterxml.jackson.core.",
    "Illegal ",
    "Namespace part ",
    "Duplicate in union:",
    "The Enum Default: ",
    "dangling content after end of schema: ",
)


UNCHECKED_BY_FASTAVRO = ("Invalid default for ", "Illegal ", "Namespace part ", "Duplicate in union:", "Undefined ")


def lines(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(SHARED, "corpus", file).read_text().splitlines()] if SHARED else []


SCHEMAS = lines("schemas.jsonl")
HISTORIES = lines("histories.jsonl")
BY_ID = {schema["id"]: schema for schema in SCHEMAS}


def references(schema: dict[str, Any]) -> dict[str, str]:
    """The texts that a schema needs, each after those that it needs itself."""
    needed: dict[str, str] = {}
    for name in schema.get("defined_by") or {}:
        definition = BY_ID.get(schema["defined_by"][name])
        if definition is not None and definition["id"] != schema["id"]:
            needed |= references(definition) | {definition["id"]: definition["text"]}
    return needed


def read(schema: dict[str, Any], *, strict: bool) -> AvroSchema | str:
    try:
        return AvroFormat().parse(schema["text"], references(schema), strict=strict)
    except UnparsableSchema as refused:
        return refused.message


@pytest.mark.parametrize("strict", [True, False], ids=["new", "stored"])
@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema["id"])
def test_a_schema_has_one_canonical_text_or_a_reason(schema: dict[str, Any], *, strict: bool) -> None:
    parsed = read(schema, strict=strict)
    if isinstance(parsed, str):
        assert parsed.startswith(REASONS)
        return
    again = AvroFormat().parse(parsed.text, references(schema), strict=strict)
    assert (again.text, again.equivalent(parsed)) == (parsed.text, True)
    normal = parsed.normalized()
    assert (normal.normalized().text, normal.parsing_form) == (normal.text, parsed.parsing_form)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema["id"])
def test_a_schema_that_fastavro_reads_is_refused_only_for_what_fastavro_does_not_check(schema: dict[str, Any]) -> None:
    parsed = read(schema, strict=True)
    if schema["fastavro"] == "ok" and isinstance(parsed, str):
        assert parsed.startswith(UNCHECKED_BY_FASTAVRO)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema["id"])
def test_a_schema_reads_itself(schema: dict[str, Any]) -> None:
    parsed = read(schema, strict=False)
    assert isinstance(parsed, str) or parsed.unreadable(parsed) == ()


def steps(history: dict[str, Any]) -> Iterator[tuple[str, AvroSchema, AvroSchema]]:
    """The verdict that is known for each step, and its two schemas, the newer first; both have to be schemas."""
    versions = [read(version, strict=False) for version in history["versions"]]
    for known, (older, newer) in zip(history["backward_steps"], pairwise(versions), strict=True):
        if known in {"compatible", "incompatible"} and not isinstance(older, str) and not isinstance(newer, str):
            yield known, newer, older


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history["id"])
def test_a_history_has_the_verdicts_that_the_rules_demand(history: dict[str, Any]) -> None:
    for known, newer, older in steps(history):
        assert (not newer.unreadable(older)) is (known == "compatible")
