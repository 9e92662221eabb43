"""What a schema's canonical text, resolved text and parsing canonical form are."""

import json
from pathlib import Path
from typing import Any

import pytest

from registry.formats.avro.fingerprints import crc64, md5, sha256

CASES = json.loads(Path(__file__).parent.joinpath("cases/canonical.json").read_text())["cases"]
FINGERPRINTS = [
    ('"null"', 7195948357588979594, "9b41ef67651c18488a8b08bb67c75699"),
    ('"int"', 8247732601305521295, "ef524ea1b91e73173d938ade36c1db32"),
    ('{"name":"n.E","type":"enum","symbols":["A"]}', -3457535305562574490, "f43865e2e68fa9bbc7bc0f874751ec0e"),
]


def named(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_canonical_text_is_javas(parse_text: Any, case: dict[str, Any]) -> None:
    assert parse_text(case["text"], case.get("references", ())).text == case["canonical"]


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_canonical_text_of_a_canonical_text_is_itself(parse_text: Any, case: dict[str, Any]) -> None:
    assert parse_text(case["canonical"], case.get("references", ())).text == case["canonical"]


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_resolved_text_has_the_types_of_references_in_it(parse_text: Any, case: dict[str, Any]) -> None:
    parsed = parse_text(case["text"], case.get("references", ()))
    assert parsed.resolved_text == case.get("resolved", case["canonical"])


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_parsing_form_is_javas(parse_text: Any, case: dict[str, Any]) -> None:
    parsed = parse_text(case["text"], case.get("references", ()))
    assert parsed.parsing_form == case.get("parsing_form", case["canonical"])


@pytest.mark.parametrize(("form", "crc", "digest"), FINGERPRINTS)
def test_fingerprints_are_those_of_the_specification(form: str, crc: int, digest: str) -> None:
    assert int.from_bytes(crc64(form), "little", signed=True) == crc
    assert md5(form).hex() == digest
    assert len(sha256(form)) == 32


def test_a_resolved_text_stands_without_its_references(parse: Any, parse_text: Any) -> None:
    reference = {"type": "record", "name": "o.S", "fields": [{"name": "b", "type": "int"}]}
    parsed = parse({"type": "record", "name": "R", "fields": [{"name": "a", "type": "o.S"}]}, reference)
    alone = parse_text(parsed.resolved_text)
    assert (alone.text, alone.same_resolved(parsed)) == (parsed.resolved_text, True)
