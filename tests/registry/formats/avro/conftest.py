"""What the tests of the Avro language share: a way to parse what a test writes down as Python values."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from registry.formats.avro import AvroFormat, AvroSchema

Parse = Callable[..., AvroSchema]


@pytest.fixture(scope="session")
def parse() -> Parse:
    """Parse a schema given as JSON values, or as a text where `text` says so."""

    def parsed(schema: Any, *references: Any, strict: bool = True) -> AvroSchema:
        texts = {str(place): json.dumps(reference) for place, reference in enumerate(references)}
        return AvroFormat().parse(json.dumps(schema), texts, strict=strict)

    return parsed


@pytest.fixture(scope="session")
def parse_text() -> Parse:
    """Parse a schema text after the texts that it refers to."""

    def parsed(text: str, references: Sequence[str] = (), *, strict: bool = True) -> AvroSchema:
        return AvroFormat().parse(text, {str(place): each for place, each in enumerate(references)}, strict=strict)

    return parsed
