"""The seven levels, and the lines that Confluent writes when a schema does not fit."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.errors import UnparsableSchema
from registry.formats.avro import AvroFormat, AvroSchema
from registry.formats.foreign import ForeignSchema
from registry.model import Direction, Finding, Level
from registry.rules.compatibility import Verdict, check, finding_line, reserved_faults

SHARED = os.environ.get("SIGNET_SHARED", "")


def avro(schema: Any, *, strict: bool = True) -> AvroSchema:
    return AvroFormat().parse(json.dumps(schema), {}, strict=strict)


def record(*fields: tuple[str, Any] | tuple[str, Any, Any], name: str = "Q") -> Any:
    keys = ("name", "type", "default")
    return {"type": "record", "name": name, "fields": [dict(zip(keys, field, strict=False)) for field in fields]}


A = ("a", "int")
LONG = ("a", "long")
B = ("b", "int")
OPTIONAL_B = ("b", "int", 0)

V1 = record(A)
V1_TEXT = '{"type":"record","name":"Q","fields":[{"name":"a","type":"int"}]}'


def lines(level: str, new: Any, *older: Any) -> list[str]:
    """The lines of a check against older schemas, told oldest first and numbered from 1."""
    numbered = [*enumerate(map(avro, older), start=1)]
    return list(check(Level[level], avro(new), reversed(numbered)).messages)


def missing(field: str, path: str, reader: str, writer: str) -> str:
    return (
        "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field "
        f"'{field}' at path '{path}' in the {reader} schema has no default value and is missing in the {writer} "
        f"schema', additionalInfo:'{field}'}}"
    )


def mismatch(path: str, reader: str, writer: str, info: str) -> str:
    return (
        f"{{errorType:'TYPE_MISMATCH', description:'The type (path '{path}') of a field in the {reader} schema does "
        f"not match with the {writer} schema', additionalInfo:'{info}'}}"
    )


def last(level: str, *, validate_fields: bool = False) -> str:
    return f"{{validateFields: '{str(validate_fields).lower()}', compatibility: '{level}'}}"


INT_LONG = "reader type: INT not compatible with writer type: LONG"
INT_STRING = "reader type: INT not compatible with writer type: STRING"

SENTENCES = [
    (
        "BACKWARD",
        record(A, B),
        [V1],
        [missing("b", "/fields/1", "new", "old"), "{oldSchemaVersion: 1}", f"{{oldSchema: '{V1_TEXT}'}}"],
    ),
    (
        "FORWARD",
        record(B),
        [V1],
        [missing("a", "/fields/0", "old", "new"), "{oldSchemaVersion: 1}", f"{{oldSchema: '{V1_TEXT}'}}"],
    ),
    ("FULL", record(LONG), [V1], [mismatch("/fields/0/type", "old", "new", INT_LONG)]),
    (
        "FULL",
        record(A),
        [record(LONG)],
        [
            mismatch("/fields/0/type", "new", "old", INT_LONG),
            "{oldSchemaVersion: 1}",
            f"{{oldSchema: '{V1_TEXT.replace('int', 'long')}'}}",
        ],
    ),
    (
        "FULL",
        record(B),
        [V1],
        [
            missing("a", "/fields/0", "old", "new"),
            missing("b", "/fields/0", "new", "old"),
            "{oldSchemaVersion: 1}",
            f"{{oldSchema: '{V1_TEXT}'}}",
        ],
    ),
    (
        "BACKWARD",
        "int",
        [["null", "int"]],
        [
            mismatch("/0", "new", "old", "reader type: INT not compatible with writer type: NULL"),
            "{oldSchemaVersion: 1}",
            '{oldSchema: \'["null","int"]\'}',
        ],
    ),
    (
        "BACKWARD_TRANSITIVE",
        "int",
        ["string", "bytes"],
        [
            mismatch("/", "new", "old", "reader type: INT not compatible with writer type: BYTES"),
            "{oldSchemaVersion: 2}",
            "{oldSchema: '\"bytes\"'}",
        ],
    ),
    (
        "FORWARD_TRANSITIVE",
        "string",
        ["int", "bytes"],
        [
            mismatch("/", "old", "new", INT_STRING),
            "{oldSchemaVersion: 1}",
            "{oldSchema: '\"int\"'}",
        ],
    ),
]


@pytest.mark.parametrize(("level", "new", "older", "expected"), SENTENCES)
def test_the_lines_are_confluents(level: str, new: Any, older: list[Any], expected: list[str]) -> None:
    assert lines(level, new, *older) == [*expected, last(level)]


FITS = [
    # level, new, older (oldest first), whether it fits
    ("NONE", "int", ["string"], True),
    ("BACKWARD", record(A, OPTIONAL_B), [V1], True),
    ("BACKWARD", record(), [V1], True),
    ("BACKWARD", record(LONG), [V1], True),
    ("BACKWARD", record(A, B), [record(A, B), V1], False),
    ("BACKWARD", record(A, B), [V1, record(A, B)], True),
    ("BACKWARD_TRANSITIVE", record(A, B), [V1, record(A, B)], False),
    ("BACKWARD_TRANSITIVE", record(A, OPTIONAL_B), [V1, record(A, B)], True),
    ("FORWARD", record(A, B), [V1], True),
    ("FORWARD", record(), [V1], False),
    ("FORWARD", record(LONG), [V1], False),
    ("FORWARD", record(), [record(A), record()], True),
    ("FORWARD_TRANSITIVE", record(), [record(A), record()], False),
    ("FULL", record(A, OPTIONAL_B), [V1], True),
    ("FULL", record(A, B), [V1], False),
    ("FULL", record(LONG), [V1], False),
    ("FULL", record(OPTIONAL_B), [record(A), record(("a", "int", 0))], True),
    ("FULL_TRANSITIVE", record(OPTIONAL_B), [record(A), record(("a", "int", 0))], False),
    ("FULL_TRANSITIVE", record(A, OPTIONAL_B), [V1, record(A, ("c", "string", ""))], True),
]


@pytest.mark.parametrize(("level", "new", "older", "fits"), FITS)
def test_a_level_asks_the_right_versions_in_the_right_directions(
    level: str, new: Any, older: list[Any], *, fits: bool
) -> None:
    assert (lines(level, new, *older) == []) is fits


@pytest.mark.parametrize("level", Level)
def test_without_older_versions_everything_fits(level: Level) -> None:
    assert check(level, avro("int"), []) == Verdict()


@pytest.mark.parametrize("level", [level for level in Level if level is not Level.NONE])
def test_another_language_never_fits(level: Level) -> None:
    verdict = check(level, avro("int"), [(1, ForeignSchema("{}"))])
    assert verdict.messages == ("Incompatible because of different schema type", last(level.name))


def test_at_none_even_another_language_fits() -> None:
    assert check(Level.NONE, avro("int"), [(1, ForeignSchema("{}"))]).compatible


def test_no_more_versions_are_taken_than_are_looked_at() -> None:
    taken: list[int] = []

    def versions() -> Iterator[tuple[int, AvroSchema]]:
        for version, schema in ((3, "int"), (2, "string"), (1, "int")):
            taken.append(version)
            yield version, avro(schema)

    assert check(Level.BACKWARD, avro("int"), versions()).compatible
    assert not check(Level.BACKWARD_TRANSITIVE, avro("int"), versions()).compatible
    assert taken == [3, 3, 2]


def test_a_caller_may_answer_from_memory() -> None:
    asked: list[tuple[str, str]] = []

    def remembered(reader: Any, writer: Any) -> list[Finding]:
        asked.append((reader.text, writer.text))
        return []

    assert check(Level.FULL, avro("int"), [(1, avro("string"))], unreadable=remembered).compatible
    assert asked == [('"string"', '"int"'), ('"int"', '"string"')]


def test_objections_tell_version_direction_and_place() -> None:
    verdict = check(Level.FULL, avro(record(B)), [(7, avro(V1))])
    told = [(each.version, each.direction, each.finding.place) for each in verdict.objections]
    assert told == [(7, Direction.OLD_READS_NEW, "a"), (7, Direction.NEW_READS_OLD, "b")]
    assert verdict.findings == tuple(each.finding for each in verdict.objections)


KINDS = [
    ("NAME_MISMATCH", "expected: n.R", "The name of the schema has changed (path '/x')"),
    (
        "FIXED_SIZE_MISMATCH",
        "expected: 4, found: 3",
        "The size of FIXED type field at path '/x' in the new schema does not match with the old schema",
    ),
    ("MISSING_ENUM_SYMBOLS", "[B]", "The new schema is missing enum symbols '[B]' at path '/x' in the old schema"),
    (
        "MISSING_UNION_BRANCH",
        "reader union lacking writer type: INT",
        "The new schema is missing a type inside a union field at path '/x' in the old schema",
    ),
]


@pytest.mark.parametrize(("kind", "message", "description"), KINDS)
def test_each_kind_of_finding_has_its_sentence(kind: str, message: str, description: str) -> None:
    line = f"{{errorType:'{kind}', description:'{description}', additionalInfo:'{message}'}}"
    assert finding_line(Finding(kind, "/x", message), Direction.NEW_READS_OLD) == line


def test_when_the_comparison_itself_fails_its_text_is_the_only_line() -> None:
    new = {"type": "record", "name": "R", "doc": "100 %s", "fields": [{"name": "a", "type": "int", "aliases": ["a"]}]}
    first, *rest = lines("BACKWARD", new, new)
    assert first == (
        "Unexpected exception during compatibility check: Reader record field a type:INT pos:0 matches multiple "
        f"fields in writer record schema {avro(new).text}"
    )
    assert rest[0] == "{oldSchemaVersion: 1}"


@pytest.mark.parametrize(
    ("doc", "shown"),
    [("x" * 10_000, None), ("x" * 20_000, 10_240), ("😀" * 6000, 5140), ("é" * 10_300, 10_240)],
    ids=["short", "long", "two units each", "one unit each"],
)
def test_a_long_old_schema_is_cut(doc: str, shown: int | None) -> None:
    text = avro({**V1, "doc": doc}).text
    (line,) = [line for line in lines("BACKWARD", "int", {**V1, "doc": doc}) if line.startswith("{oldSchema:")]
    if shown is None:
        assert line == f"{{oldSchema: '{text}'}}"
    else:
        cut = line.removeprefix("{oldSchema: <truncated> '").removesuffix("...'}")
        assert text.startswith(cut)
        assert len(cut.encode("utf-16-le")) // 2 in {10_239, 10_240}


REMOVED = "The new schema has reserved field b removed from its metadata which is present in the old schema's metadata."
TAKEN = "The new schema has field that conflicts with the reserved field a."
RESERVED = [
    (["a"], [], [], []),
    (["a"], ["a"], [], [TAKEN]),
    (["b"], ["a"], ["a"], []),
    (["a"], ["c"], ["b", "c"], [REMOVED]),
    (["a"], ["a"], ["b"], [REMOVED, TAKEN]),
]


@pytest.mark.parametrize(("fields", "reserved", "previous", "faults"), RESERVED)
def test_reserved_fields_are_neither_used_nor_given_up(
    fields: list[str], reserved: list[str], previous: list[str], faults: list[str]
) -> None:
    assert list(reserved_faults(fields, reserved, previous)) == faults


def test_reserved_fields_come_first_and_count_at_every_level() -> None:
    verdict = check(Level.NONE, avro("int"), [], validate_fields=True, reserved=["fault"])
    assert verdict.messages == ("fault", last("NONE", validate_fields=True))


def test_reserved_fields_are_ignored_where_they_are_not_validated() -> None:
    assert check(Level.BACKWARD, avro("int"), [], reserved=["fault"]).compatible


def sequences() -> list[Any]:
    if not SHARED:
        return []
    content = json.loads(Path(SHARED, "vectors/avro-levels.json").read_text())
    return [pytest.param(sequence, id=f"avro-levels.json:{sequence['id']}") for sequence in content["sequences"]]


def read(schema: Any) -> AvroSchema:
    try:
        return avro(schema)
    except UnparsableSchema:
        return avro(schema, strict=False)


@pytest.mark.skipif(not SHARED, reason="SIGNET_SHARED names no folder with the known answers")
@pytest.mark.parametrize("sequence", sequences())
def test_histories_have_the_known_verdicts_and_messages(sequence: dict[str, Any]) -> None:
    numbered = [*enumerate(map(read, sequence["schemas"]), start=1)]
    verdict = check(Level[sequence["level"]], read(sequence["new"]), reversed(numbered))
    assert verdict.compatible is sequence["compatible"]
    assert list(verdict.messages) == sequence.get("messages_verbose", list(verdict.messages))
