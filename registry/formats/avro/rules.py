"""The rules by which a reader's type reads a writer's type: one short function for each, one table by pair of kinds.

Owns Avro Java 1.12.1's order, locations and messages; refuses to know how deep types nest and what was compared
before. A rule answers at once with what it found, or yields the pairs that it needs compared and is sent what was
found for each.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

from registry.errors import RegistryError
from registry.formats.avro.canonical import canonical_text
from registry.formats.avro.types import (
    Absent,
    Array,
    Enum,
    Field,
    Fixed,
    Kind,
    Map,
    Named,
    Node,
    Primitive,
    Record,
    Union,
)
from registry.model import java_order

Location: TypeAlias = "tuple[Location, str | int] | None"
"""A place in the reader: the place above and the pointer's next part, where a number stands for that field's type."""

ROOT: Final[Location] = None


class Reason(NamedTuple):
    """One incompatibility, at its first location."""

    kind: str
    location: Location
    message: str
    reader: Node | Field
    writer: Node


class Below(NamedTuple):
    """All that was found below a field."""

    field: str
    found: Found


Found: TypeAlias = "tuple[Reason | Below, ...]"
Request: TypeAlias = "tuple[Node, Node, Location]"
Steps: TypeAlias = "Generator[Request, Found, Found]"
Rule: TypeAlias = "Callable[[Any, Any, Location], Found | Steps]"
Rules: TypeAlias = "Mapping[Kind, Mapping[Kind, Rule]]"

READABLE: Final[Found] = ()


class ComparisonFailed(RegistryError):
    """There is no answer: Java throws, or too much would have to be compared; names the field, and what to do."""

    def __init__(self, message: str, place: str, advice: str) -> None:
        super().__init__(message)
        self.place = place
        self.advice = advice


def readable(_reader: Node, _writer: Node, _location: Location) -> Found:
    """Nothing stands against it."""
    return READABLE


def _mismatch(reader: Node, writer: Node, location: Location) -> Found:
    message = f"reader type: {reader.kind} not compatible with writer type: {writer.kind}"
    return (Reason("TYPE_MISMATCH", location, message, reader, writer),)


def _array(reader: Array, writer: Array, location: Location) -> Steps:
    return (yield reader.items, writer.items, (location, "items"))


def _map(reader: Map, writer: Map, location: Location) -> Steps:
    return (yield reader.values, writer.values, (location, "values"))


def _fixed(reader: Fixed, writer: Fixed, location: Location) -> Found:
    found = _names(reader, writer, location)
    if reader.size == writer.size:
        return found
    message = f"expected: {writer.size}, found: {reader.size}"
    return (*found, Reason("FIXED_SIZE_MISMATCH", (location, "size"), message, reader, writer))


def _enum(reader: Enum, writer: Enum, location: Location) -> Found:
    found = _names(reader, writer, location)
    # The default takes what the reader does not know; the writer's default is of no use to a reader.
    if reader.symbols == writer.symbols or reader.default is not None:
        return found
    missing = set(writer.symbols).difference(reader.symbols)
    if not missing:
        return found
    message = f"[{', '.join(sorted(missing, key=java_order))}]"
    return (*found, Reason("MISSING_ENUM_SYMBOLS", (location, "symbols"), message, reader, writer))


def _names(reader: Named, writer: Named, location: Location) -> Found:
    if _is_called(reader, writer):
        return READABLE
    message = f"expected: {writer.name.full}"
    return (Reason("NAME_MISMATCH", (location, "name"), message, reader, writer),)


def _is_called(reader: Named, writer: Named) -> bool:
    """Whether the reader has the writer's simple name, or its full name as an alias."""
    return reader.name.simple == writer.name.simple or writer.name.full in reader.name.aliases


def _record(reader: Record, writer: Record, location: Location) -> Found | Steps:
    found = _names(reader, writer, location)
    settled = _settled(reader, writer)
    return found if settled == len(reader.fields) else _fields(reader, writer, location, settled, found)


def _settled(reader: Record, writer: Record) -> int:
    """How many fields of the reader, from the first on, have the writer's field at the same place and fit at once."""
    # What is stored changes little from version to version: this loop decides how long a comparison takes.
    settled = 0
    for field, match in zip(reader.fields.values(), writer.fields.values(), strict=False):
        if field.name != match.name or field.aliases or not _readable_at_once(field.type, match.type):
            break
        settled += 1
    return settled


def _fields(reader: Record, writer: Record, location: Location, settled: int, names: Found) -> Steps:
    """What stands against the fields after the settled ones, beside what stands against the names."""
    found = list(names)
    for place, field in enumerate(islice(reader.fields.values(), settled, None), settled):
        match = writer.fields.get(field.name)
        if field.aliases:
            match = _aliased(field, place, match, writer)
        if match is None:
            found.extend((yield from _unmatched(field, place, writer, location)))
        elif not _readable_at_once(field.type, match.type):
            below = yield field.type, match.type, (location, place)
            if below:
                found.append(Below(field.name, below))
    return tuple(found)


def _readable_at_once(reader: Node, writer: Node) -> bool:
    """Whether two types fit without comparing types below them."""
    # Unnamed types cannot be met again, so what is left out here is missed by nobody.
    if writer.kind in _FITTING[reader.kind]:
        return True
    if isinstance(reader, Union):
        return isinstance(writer, Union) and _takes_all(reader, writer)
    if isinstance(reader, Array):
        return isinstance(writer, Array) and writer.items.kind in _FITTING[reader.items.kind]
    return isinstance(reader, Map) and isinstance(writer, Map) and writer.values.kind in _FITTING[reader.values.kind]


def _unmatched(field: Field, place: int, writer: Record, location: Location) -> Steps:
    """What stands against a field that the writer does not have: nothing, where it has a default."""
    if not isinstance(field.default, Absent):
        return READABLE
    if isinstance(field.type, Enum) and field.type.default is not None:
        # Java compares the enum with the whole record here, which never fits; its message is kept.
        return (Below(field.name, (yield field.type, writer, (location, place))),)
    at = (location, f"fields/{place}")
    return (Reason("READER_FIELD_MISSING_DEFAULT_VALUE", at, field.name, field, writer),)


def _aliased(field: Field, place: int, direct: Field | None, writer: Record) -> Field | None:
    """The writer's field for one that has aliases; Java fails when there are several."""
    # An alias that is the field's own name counts as a second match, as it does for Java.
    matches = [writer.fields[alias] for alias in field.aliases if alias in writer.fields]
    if direct is not None:
        matches.append(direct)
    if len(matches) > 1:
        message = f"Reader record field {field.name} type:{field.type.kind} pos:{place} matches multiple fields"
        advice = f"Remove the alias of {field.name} that matches a second field."
        raise ComparisonFailed(f"{message} in writer record schema {canonical_text(writer)}", field.name, advice)
    return matches[0] if matches else None


def _unions(reader: Union, writer: Union, location: Location) -> Found | Steps:
    return READABLE if _takes_all(reader, writer) else _each_branch(reader, writer, location)


def _takes_all(reader: Union, writer: Union) -> bool:
    """Whether the writer has nothing but primitive types that the reader has as well, before any named type.

    Comparing the branches before those leaves no trace: only named types are met again.
    """
    if writer.words and writer.words is reader.words:
        return True
    return len(writer.leading) == len(writer.branches) and writer.leading <= reader.leading


def _each_branch(reader: Union, writer: Union, location: Location) -> Steps:
    found: list[Reason | Below] = []
    # Each branch is looked for in a comparison of its own: what is below is not told, and locations begin anew.
    for place, branch in enumerate(writer.branches):
        if branch.kind not in reader.leading and (yield reader, branch, ROOT):
            found.append(_lacking(reader, branch, (location, str(place))))
    return tuple(found)


def _writer_union(reader: Node, writer: Union, location: Location) -> Steps:
    found: list[Reason | Below] = []
    for place, branch in enumerate(writer.branches):
        found.extend((yield reader, branch, (location, str(place))))
    return tuple(found)


def _reader_union(reader: Union, writer: Node, location: Location) -> Found | Steps:
    return READABLE if writer.kind in reader.leading else _any_branch(reader, writer, location)


def _any_branch(reader: Union, writer: Node, location: Location) -> Steps:
    for branch in reader.branches:
        if not (_never_reads(branch, writer) or (yield branch, writer, ROOT)):
            return READABLE
    return (_lacking(reader, writer, location),)


def _never_reads(branch: Node, writer: Node) -> bool:
    return isinstance(branch, Primitive) and RULES[branch.kind][writer.kind] is _mismatch


class _ByName:
    """The rule for a reader's union where branches of another name are not compared, which Java does without need.

    The answer is the same; only the memo of what was met below those branches is not. Made for one comparison.
    """

    def __init__(self) -> None:
        # The branches of each union by what they are called; all else is under the empty name.
        self._index: dict[int, dict[str, list[Node]]] = {}

    def rule(self, reader: Union, writer: Node, location: Location) -> Steps:
        """As `_reader_union`."""
        for branch in self._candidates(reader, writer):
            if not (_never_reads(branch, writer) or (yield branch, writer, ROOT)):
                return READABLE
        return (_lacking(reader, writer, location),)

    def _candidates(self, reader: Union, writer: Node) -> Iterable[Node]:
        """The branches that may read this type, none twice."""
        index = self._index.get(id(reader))
        if index is None:
            index = self._index[id(reader)] = _called(reader)
        if not isinstance(writer, Named):
            return index.get("", ())
        # No simple name has a dot, so a simple and a full name are only the same where there is no namespace.
        found = [*index.get(writer.name.simple, ()), *index.get(writer.name.full, ())]
        return {id(branch): branch for branch in found if branch.kind == writer.kind}.values()


def _called(union: Union) -> dict[str, list[Node]]:
    """Branches by simple name and aliases; unnamed ones by the empty name."""
    index: dict[str, list[Node]] = {}
    for branch in union.branches:
        names = (branch.name.simple, *branch.name.aliases) if isinstance(branch, Named) else ("",)
        for name in names:
            index.setdefault(name, []).append(branch)
    return index


def _lacking(reader: Union, writer: Node, location: Location) -> Reason:
    return Reason("MISSING_UNION_BRANCH", location, f"reader union lacking writer type: {writer.kind}", reader, writer)


_KINDS: Final[tuple[Kind, ...]] = (
    "NULL", "BOOLEAN", "INT", "LONG", "FLOAT", "DOUBLE", "BYTES", "STRING", "ARRAY", "MAP", "FIXED", "ENUM", "RECORD",
    "UNION",
)  # fmt: skip
_SAME_KIND: Final[Mapping[Kind, Rule]] = {
    "ARRAY": _array,
    "MAP": _map,
    "FIXED": _fixed,
    "ENUM": _enum,
    "RECORD": _record,
    "UNION": _unions,
}
# Nothing else: neither fixed nor enum, whatever logical type is written on them.
_PROMOTED_FROM: Final[Mapping[Kind, frozenset[Kind]]] = {
    "LONG": frozenset({"INT"}),
    "FLOAT": frozenset({"INT", "LONG"}),
    "DOUBLE": frozenset({"INT", "LONG", "FLOAT"}),
    "BYTES": frozenset({"STRING"}),
    "STRING": frozenset({"BYTES"}),
}


def _rule(reader: Kind, writer: Kind) -> Rule:
    if reader == writer:
        return _SAME_KIND.get(reader, readable)
    # A writer's union is taken apart first: a reader that is none has to read each of its branches.
    if writer == "UNION":
        return _writer_union
    if reader == "UNION":
        return _reader_union
    return readable if writer in _PROMOTED_FROM.get(reader, ()) else _mismatch


RULES: Final[Rules] = {reader: {writer: _rule(reader, writer) for writer in _KINDS} for reader in _KINDS}
"""The rule for each pair of kinds, the reader's first."""
_FITTING: Final[Mapping[Kind, frozenset[Kind]]] = {
    reader: frozenset(writer for writer, rule in rules.items() if rule is readable) for reader, rules in RULES.items()
}
"""By the reader's kind: what it always reads."""


def rules_by_name() -> Rules:
    """Rules for one comparison that takes too long otherwise: of unions of very many named types."""
    return {**RULES, "UNION": {**dict.fromkeys(_KINDS, _ByName().rule), "UNION": _unions}}
