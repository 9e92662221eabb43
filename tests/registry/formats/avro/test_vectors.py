"""The known answers: pairs, texts and schemas with what Avro Java 1.12.1 and Confluent make of them."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from registry.errors import UnparsableSchema
from registry.formats.avro import AvroSchema
from registry.formats.avro.equality import equal
from registry.formats.avro.fingerprints import crc64, md5, sha256
from registry.model import Reference, Schema, guid_text

SHARED = os.environ.get("SIGNET_SHARED", "")
pytestmark = pytest.mark.skipif(not SHARED, reason="SIGNET_SHARED names no folder with the known answers")

NORMAL_FORMS_OF_OURS = {
    "conf-050": "a type without namespace keeps its full name within a namespace",
    "conf-078": "an integer beyond 64 bits stays",
    "conf-112": "a default beyond 64 bits is not lost",
    "conf-123": "an integer beyond 64 bits stays",
}
NAME_FAULTS = ("Illegal", "Empty name", "Null name")


def vectors(file: str, *lists: str) -> list[Any]:
    if not SHARED:
        return []
    content = json.loads(Path(SHARED, "vectors", file).read_text())
    return [
        pytest.param(each, id=f"{file}:{each.get('id', each.get('name'))}") for name in lists for each in content[name]
    ]


@pytest.fixture(scope="session")
def read(parse_text: Any) -> Any:
    """Parse a vector's schema, strictly where that is possible."""

    def parsed(schema: Any, references: list[str] | None = None) -> AvroSchema:
        text = schema if isinstance(schema, str) else json.dumps(schema)
        try:
            return parse_text(text, references or [])
        except UnparsableSchema:
            return parse_text(text, references or [], strict=False)

    return parsed


@pytest.mark.parametrize("vector", vectors("avro-compatibility.json", "vectors"))
def test_pairs_have_the_known_findings(read: Any, vector: dict[str, Any]) -> None:
    findings = read(json.dumps(vector["reader"])).unreadable(read(json.dumps(vector["writer"])))
    if "java_exception" in vector:
        (only,) = findings
        assert (only.kind, only.message in vector["java_exception"]) == ("EXCEPTION", True)
    else:
        found = [{"type": each.kind, "path": each.path, "message": each.message} for each in findings]
        assert found == vector["incompatibilities"]


def readable(vector: Any) -> bool:
    return "java_error" not in vector.values[0]


CANONICAL = [*filter(readable, vectors("avro-canonical.json", "canonical"))]
FORMS = [*vectors("avro-canonical.json", "parsing_canonical_form"), *CANONICAL]
UNREADABLE = [vector for vector in vectors("avro-canonical.json", "canonical") if not readable(vector)]


def references_of(vector: dict[str, Any]) -> list[str]:
    return [reference["schema"] for reference in vector.get("references", [])]


@pytest.mark.parametrize("vector", UNREADABLE)
def test_texts_that_are_no_schemas_are_refused(read: Any, vector: dict[str, Any]) -> None:
    with pytest.raises(UnparsableSchema) as refused:
        read(vector["input"])
    assert vector["java_error"].endswith(refused.value.message)


@pytest.mark.parametrize("vector", FORMS)
def test_texts_have_the_known_fingerprints(read: Any, vector: dict[str, Any]) -> None:
    form = read(vector["input"], references_of(vector)).parsing_form
    assert form == vector.get("parsing_canonical_form", vector.get("canonical"))
    assert crc64(form).hex() == vector["crc64_avro_le_hex"]
    assert (md5(form).hex(), sha256(form).hex()) == (vector["md5"], vector["sha256"])


@pytest.mark.parametrize("vector", CANONICAL)
def test_texts_have_the_known_canonical_text_and_guid(read: Any, vector: dict[str, Any]) -> None:
    text = read(vector["input"], references_of(vector)).text
    references = [Reference(each["name"], each["subject"], each["version"]) for each in vector.get("references", [])]
    assert text == vector["canonicalString"]
    assert guid_text(Schema(text, "AVRO", tuple(references)).digest()) == vector["guid"]


@pytest.mark.parametrize("vector", CANONICAL)
def test_texts_have_the_known_normal_form_but_for_ours(read: Any, record_property: Any, vector: dict[str, Any]) -> None:
    normal = read(vector["input"], references_of(vector)).normalized().text
    if vector["id"] in NORMAL_FORMS_OF_OURS:
        record_property("difference", NORMAL_FORMS_OF_OURS[vector["id"]])
    assert (normal == vector["normalized"]) is (vector["id"] not in NORMAL_FORMS_OF_OURS)


@pytest.mark.parametrize("vector", vectors("avro-canonical.json", "dedupe_pairs"))
def test_pairs_are_the_same_or_not_as_known(read: Any, vector: dict[str, Any]) -> None:
    one, other = (read(vector[side], vector.get("reference_schemas")) for side in "ab")
    assert (one.text == other.text) is vector["same_canonicalString"]
    assert (one.normalized().text == other.normalized().text) is vector["same_normalized"]
    assert vector["java_schema_equals"] in {None, equal(one.root, other.root)}


def refusal(parse_text: Any, text: str, *, strict: bool) -> str | None:
    try:
        parse_text(text, strict=strict)
    except UnparsableSchema as refused:
        return refused.message
    return None


def known_refusal(outcome: str) -> str | None:
    """The words of an outcome without the class; for types that are not defined, those of the specification."""
    if outcome == "ok":
        return None
    words = outcome.split(": ", 1)[1]
    words = re.sub(r'\{"type":"record","name":"UnresolvedSchema_.*"idl.unresolved.name":("\w+")\}', r"\1", words)
    return re.sub(r"Unknown schema: compiler.UnresolvedSchema_\d+", "Undefined schema: ", words)


def words_of(message: str | None) -> str:
    return str(message).replace("\n", " ").replace("com.fasterxml.jackson.core.", "")


# The file leaves out the middle of the longest texts.
TEXTS = [vector for vector in vectors("avro-parsing.json", "cases") if not vector.values[0]["text"].endswith("chars)")]


@pytest.mark.parametrize("vector", TEXTS)
def test_new_schemas_are_refused_as_known(parse_text: Any, vector: dict[str, Any]) -> None:
    known, ours = known_refusal(vector["java_strict"]), refusal(parse_text, vector["text"], strict=True)
    assert (known is None) is (ours is None)
    assert known is None or " ".join(words_of(ours).split()).startswith(" ".join(known.split()))


@pytest.mark.parametrize("vector", TEXTS)
def test_stored_schemas_are_refused_as_known_and_for_their_names(parse_text: Any, vector: dict[str, Any]) -> None:
    known, ours = known_refusal(vector["java_no_validation"]), refusal(parse_text, vector["text"], strict=False)
    assert (known is None) is (ours is None or ours.startswith(NAME_FAULTS))
