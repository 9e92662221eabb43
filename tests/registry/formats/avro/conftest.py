"""What the tests of the Avro language share: a way to parse what a test writes down as Python values."""

import json
import re
from collections import Counter
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many of the known answers of each file came out right, where any were tried."""
    outcomes = Counter(
        (found[1], outcome)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if (found := re.search(r"test_vectors\.py::.*\[(.*\.json):", report.nodeid))
    )
    for file in sorted({file for file, _ in outcomes}):
        passed, failed = outcomes[file, "passed"], outcomes[file, "failed"]
        terminalreporter.write_line(f"{file}: {passed} of {passed + failed} answers as known")
