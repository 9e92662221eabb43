"""Which older versions a new schema must get along with, and what is said when it does not.

Owns the levels' meaning and Confluent's message lines; refuses to know schema languages (each says itself what a
reader cannot read) and where versions are kept. The order and the words are part of the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from registry.formats.protocol import Parsed
from registry.model import Direction, Finding, Level

MAX_OLD_SCHEMA_CHARS: Final = 10_240
"""How much of an older schema is shown, in UTF-16 units."""

DIFFERENT_LANGUAGE: Final = "Incompatible because of different schema type"
UNEXPECTED: Final = "Unexpected exception during compatibility check: "
EXCEPTION: Final = "EXCEPTION"
"""The kind of the one finding where a language's own checker fails."""

Unreadable = Callable[[Parsed, Parsed], Sequence[Finding]]
"""What a reader, the first, cannot read of a writer; a caller may remember the answers."""

_DESCRIPTIONS: Final[Mapping[str, str]] = {
    "FIXED_SIZE_MISMATCH": "The size of FIXED type field at path '{path}' in the {reader} schema does not match with "
    "the {writer} schema",
    "TYPE_MISMATCH": "The type (path '{path}') of a field in the {reader} schema does not match with the {writer} "
    "schema",
    "NAME_MISMATCH": "The name of the schema has changed (path '{path}')",
    "MISSING_ENUM_SYMBOLS": "The {reader} schema is missing enum symbols '{message}' at path '{path}' in the {writer} "
    "schema",
    "MISSING_UNION_BRANCH": "The {reader} schema is missing a type inside a union field at path '{path}' in the "
    "{writer} schema",
    "READER_FIELD_MISSING_DEFAULT_VALUE": "The field '{message}' at path '{path}' in the {reader} schema has no "
    "default value and is missing in the {writer} schema",
}
_READER_WRITER: Final[Mapping[Direction, tuple[str, str]]] = {
    Direction.NEW_READS_OLD: ("new", "old"),
    Direction.OLD_READS_NEW: ("old", "new"),
}


class Objection(Struct, frozen=True):
    """One finding, the older version that it concerns, and who could not read whom."""

    version: int
    direction: Direction
    finding: Finding


class Verdict(Struct, frozen=True):
    """What came of a check: the lines as Confluent writes them, none when compatible, and the findings behind them."""

    messages: tuple[str, ...] = ()
    objections: tuple[Objection, ...] = ()

    @property
    def compatible(self) -> bool:
        """Whether there is nothing to object to."""
        return not self.messages

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings alone, in reporting order."""
        return tuple(objection.finding for objection in self.objections)


def check(
    level: Level,
    new: Parsed,
    older: Iterable[tuple[int, Parsed]],
    *,
    validate_fields: bool = False,
    reserved: Sequence[str] = (),
    unreadable: Unreadable = lambda reader, writer: reader.unreadable(writer),
) -> Verdict:
    """Judge a new schema against older versions.

    older: version number and schema, newest first, only those of its compatibility group; no more of them are taken
    than are looked at, so that they can be parsed one by one. validate_fields: whether reserved fields are checked at
    all; reserved: what `reserved_faults` found. A level that is not transitive looks at the first of `older`; a
    transitive one stops at the first version that fails.
    """
    lines = list(reserved) if validate_fields else []
    objections: tuple[Objection, ...] = ()
    # One by one: what is not looked at need not be parsed.
    considered = islice(older, None if level.transitive else 1) if level.directions else ()
    for version, old in considered:
        failed, objections = _against(level, new, version, old, unreadable)
        if failed:
            lines.extend(failed)
            break
    if not lines:
        return Verdict()
    switch = "true" if validate_fields else "false"
    lines.append(f"{{validateFields: '{switch}', compatibility: '{level.word}'}}")
    return Verdict(tuple(lines), objections)


def reserved_faults(fields: Iterable[str], reserved: Sequence[str], previous: Sequence[str]) -> tuple[str, ...]:
    """What is wrong with the reserved fields of a new schema.

    fields: its top-level fields. reserved, previous: the names that its own metadata and that of the newest live
    version reserve.
    """
    removed = [name for name in dict.fromkeys(previous) if name not in reserved]
    taken = [name for name in dict.fromkeys(reserved) if name in set(fields)]
    return (
        *(
            f"The new schema has reserved field {name} removed from its metadata which is present in the old schema's "
            "metadata."
            for name in removed
        ),
        *(f"The new schema has field that conflicts with the reserved field {name}." for name in taken),
    )


def _against(
    level: Level, new: Parsed, version: int, old: Parsed, unreadable: Unreadable
) -> tuple[list[str], tuple[Objection, ...]]:
    """The lines and objections for one older version.

    The old schema is shown once, after what the new one cannot read; at FULL it is not when only the old one fails.
    """
    # There is no common ground on which to say more.
    if type(new) is not type(old):
        return [DIFFERENT_LANGUAGE], ()
    lines: list[str] = []
    objections: list[Objection] = []
    for direction in level.directions:
        reads_old = direction is Direction.NEW_READS_OLD
        findings = unreadable(new, old) if reads_old else unreadable(old, new)
        objections.extend(Objection(version, direction, finding) for finding in findings)
        lines.extend(finding_line(finding, direction) for finding in findings)
        if findings and direction is level.directions[-1]:
            lines.extend(_old_schema(version, old.text))
    return lines, tuple(objections)


def finding_line(finding: Finding, direction: Direction) -> str:
    """One finding as Confluent writes it."""
    # Confluent puts even this text through Java's `String.format`, and fails where it has a per cent sign.
    if finding.kind == EXCEPTION:
        return UNEXPECTED + finding.message
    reader, writer = _READER_WRITER[direction]
    description = _DESCRIPTIONS[finding.kind].format(
        path=finding.path, message=finding.message, reader=reader, writer=writer
    )
    return f"{{errorType:'{finding.kind}', description:'{description}', additionalInfo:'{finding.message}'}}"


def _old_schema(version: int, text: str) -> Iterator[str]:
    yield f"{{oldSchemaVersion: {version}}}"
    # Java counts UTF-16 units; half of a pair at the cut is left out.
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * MAX_OLD_SCHEMA_CHARS:
        yield f"{{oldSchema: '{text}'}}"
    else:
        shown = units[: 2 * MAX_OLD_SCHEMA_CHARS].decode("utf-16-le", "ignore")
        yield f"{{oldSchema: <truncated> '{shown}...'}}"
