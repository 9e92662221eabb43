"""Whether a reader schema can read what a writer schema wrote, and every reason why not.

Owns the rules by pair of kinds, in Avro Java 1.12.1's order, with its locations and messages and its memo: what was
found for a pair of nodes is reported again, with its first location, wherever the pair is met again, and a pair that
is being compared counts as readable. Refuses to know levels and versions.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

from registry.errors import RegistryError
from registry.formats.avro.canonical import canonical_text
from registry.formats.avro.suggestions import suggestion
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
from registry.model import Finding, java_order

EXCEPTION: Final = "EXCEPTION"
"""The kind of the only finding where the comparison itself fails; its message is Java's text, its path is empty."""

MAX_FINDINGS: Final = 10_000
MAX_FINDING_CHARS: Final = 4_000_000
"""Types that share broken types can have exponentially many findings; what is listed ends at either limit."""

MAX_WORK: Final = 600_000
"""How much is compared before a shorter way is taken: a field counts 1, four branches 1, a pair of types PAIR_WORK."""
PAIR_WORK: Final = 32


class _Location(NamedTuple):
    """A place in the reader: the place above and the JSON pointer from there."""

    above: _Location | None
    token: str


_ROOT: Final = _Location(None, "")


class _Reason(NamedTuple):
    """One incompatibility, at its first location."""

    kind: str
    location: _Location
    message: str
    reader: Node | Field
    writer: Node


class _Below(NamedTuple):
    """All that was found below a field."""

    field: str
    found: _Found


_Found: TypeAlias = "tuple[_Reason | _Below, ...]"
_Request: TypeAlias = "tuple[Node, Node, _Location]"
_Steps: TypeAlias = "Generator[_Request, _Found, _Found]"
_Rules: TypeAlias = "Mapping[Kind, Mapping[Kind, _Rule]]"
_Rule: TypeAlias = "Callable[[Any, Any, _Location], _Found | _Steps]"

READABLE: Final[_Found] = ()


class _Fails(RegistryError):
    """The comparison has no answer: Java throws, or it takes too long even by names."""

    def __init__(self, message: str, place: str, advice: str) -> None:
        super().__init__(message)
        self.place = place
        self.advice = advice


class _Exhausted(_Fails):
    """Too many pairs of types would have to be compared."""

    def __init__(self) -> None:
        message = "too many types would have to be compared with each other"
        super().__init__(message, "", "Use fewer types that share a name or an alias.")


def unreadable(reader: Node, writer: Node) -> tuple[Finding, ...]:
    """Every reason why `reader` cannot read what `writer` wrote, in Java's order.

    Where Java's checker throws, the only finding is of kind `EXCEPTION`, without path, with the exception's text.
    """
    try:
        return _bounded(_findings(_judge(reader, writer)))
    except _Fails as failure:
        return (Finding(EXCEPTION, "", failure.message, failure.place, failure.advice),)


def _judge(reader: Node, writer: Node) -> _Found:
    try:
        return _Comparison(_RULES).run(reader, writer)
    except _Exhausted:
        return _Comparison(_NAMED_RULES).run(reader, writer)


class _Comparison:
    """One comparison: what was found for each pair of nodes so far, and the comparisons that wait for another."""

    def __init__(self, rules: _Rules) -> None:
        self._rules: Final = rules
        self._memo: dict[tuple[int, int], _Found] = {}
        self._waiting: list[tuple[tuple[int, int], _Steps]] = []
        self._work_left = MAX_WORK

    def run(self, reader: Node, writer: Node) -> _Found:
        """All that was found for the two; raises _Exhausted when that takes too long."""
        found = self._begin(reader, writer, _ROOT)
        while self._waiting:
            key, steps = self._waiting[-1]
            try:
                request = next(steps) if found is None else steps.send(found)
            except StopIteration as done:
                found = self._memo[key] = done.value
                self._waiting.pop()
            else:
                found = self._begin(*request)
        assert found is not None
        return found

    def _begin(self, reader: Node, writer: Node, location: _Location) -> _Found | None:
        """What is found for a pair, or None when other pairs must be compared first."""
        key = (id(reader), id(writer))
        found = self._memo.get(key)
        if found is not None:
            return found
        self._work_left -= PAIR_WORK + reader.width
        if self._work_left < 0:
            raise _Exhausted
        # Whoever meets this pair again while it is being compared may take it for readable: that ends recursion.
        self._memo[key] = READABLE
        outcome = self._rules[reader.kind][writer.kind](reader, writer, location)
        if isinstance(outcome, tuple):
            self._memo[key] = outcome
            return outcome
        self._waiting.append((key, outcome))
        return None


def _bounded(findings: Iterator[Finding]) -> tuple[Finding, ...]:
    listed: list[Finding] = []
    chars = 0
    for finding in islice(findings, MAX_FINDINGS):
        listed.append(finding)
        chars += len(finding.path) + len(finding.message) + len(finding.place) + len(finding.suggestion)
        if chars > MAX_FINDING_CHARS:
            break
    return tuple(listed)


def _findings(found: _Found) -> Iterator[Finding]:
    """Findings with the names of the fields that lead to each."""
    place: list[str] = []
    stack = [iter(found)]
    while stack:
        for item in stack[-1]:
            if isinstance(item, _Below):
                place.append(item.field)
                stack.append(iter(item.found))
                break
            yield _finding(item, place)
        else:
            stack.pop()
            if place and stack:
                place.pop()


def _finding(reason: _Reason, place: list[str]) -> Finding:
    own = [reason.reader.name] if isinstance(reason.reader, Field) else []
    return Finding(
        reason.kind,
        _pointer(reason.location),
        reason.message,
        ".".join([*place, *own]),
        suggestion(reason.kind, reason.reader, reason.writer),
    )


def _pointer(location: _Location | None) -> str:
    tokens = []
    while location is not None and location.above is not None:
        tokens.append(location.token)
        location = location.above
    return "/" + "/".join(reversed(tokens))


def _readable(_reader: Node, _writer: Node, _location: _Location) -> _Found:
    return READABLE


def _mismatch(reader: Node, writer: Node, location: _Location) -> _Found:
    message = f"reader type: {reader.kind} not compatible with writer type: {writer.kind}"
    return (_Reason("TYPE_MISMATCH", location, message, reader, writer),)


def _array(reader: Array, writer: Array, location: _Location) -> _Steps:
    return (yield reader.items, writer.items, _Location(location, "items"))


def _map(reader: Map, writer: Map, location: _Location) -> _Steps:
    return (yield reader.values, writer.values, _Location(location, "values"))


def _fixed(reader: Fixed, writer: Fixed, location: _Location) -> _Found:
    found = _names(reader, writer, location)
    if reader.size == writer.size:
        return found
    message = f"expected: {writer.size}, found: {reader.size}"
    return (*found, _Reason("FIXED_SIZE_MISMATCH", _Location(location, "size"), message, reader, writer))


def _enum(reader: Enum, writer: Enum, location: _Location) -> _Found:
    found = _names(reader, writer, location)
    # The default takes what the reader does not know; the writer's default is of no use to a reader.
    if reader.symbols == writer.symbols or reader.default is not None:
        return found
    missing = set(writer.symbols).difference(reader.symbols)
    if not missing:
        return found
    message = f"[{', '.join(sorted(missing, key=java_order))}]"
    return (*found, _Reason("MISSING_ENUM_SYMBOLS", _Location(location, "symbols"), message, reader, writer))


def _names(reader: Named, writer: Named, location: _Location) -> _Found:
    if _is_called(reader, writer):
        return READABLE
    message = f"expected: {writer.name.full}"
    return (_Reason("NAME_MISMATCH", _Location(location, "name"), message, reader, writer),)


def _is_called(reader: Named, writer: Named) -> bool:
    """Whether the reader has the writer's simple name, or its full name as an alias."""
    return reader.name.simple == writer.name.simple or writer.name.full in reader.name.aliases


def _record(reader: Record, writer: Record, location: _Location) -> _Steps:
    found = list(_names(reader, writer, location))
    # Fields mostly stand in the same order on both sides: then no name has to be looked up.
    in_step = iter(writer.fields.values())
    for place, field in enumerate(reader.fields.values()):
        match = next(in_step, None)
        if match is None or match.name != field.name:
            match = writer.fields.get(field.name)
        if field.aliases:
            match = _aliased(field, place, match, writer)
        if match is not None:
            mine, written = field.type, match.type
            # Two primitive types have no name by which they could be met again, so they need no memo.
            if _RULES[mine.kind][written.kind] is _readable:
                continue
            below = yield mine, written, _Location(location, f"fields/{place}/type")
        elif not isinstance(field.default, Absent):
            continue
        elif isinstance(field.type, Enum) and field.type.default is not None:
            # Java compares the enum with the whole record here, which never fits; its message is kept.
            below = yield field.type, writer, _Location(location, f"fields/{place}/type")
        else:
            at = _Location(location, f"fields/{place}")
            found.append(_Reason("READER_FIELD_MISSING_DEFAULT_VALUE", at, field.name, field, writer))
            continue
        if below:
            found.append(_Below(field.name, below))
    return tuple(found)


def _aliased(field: Field, place: int, direct: Field | None, writer: Record) -> Field | None:
    """The writer's field for one that has aliases; Java fails when there are several."""
    # An alias that is the field's own name counts as a second match, as it does for Java.
    matches = [writer.fields[alias] for alias in field.aliases if alias in writer.fields]
    if direct is not None:
        matches.append(direct)
    if len(matches) > 1:
        message = f"Reader record field {field.name} type:{field.type.kind} pos:{place} matches multiple fields"
        advice = f"Remove the alias of {field.name} that matches a second field."
        raise _Fails(f"{message} in writer record schema {canonical_text(writer)}", field.name, advice)
    return matches[0] if matches else None


def _unions(reader: Union, writer: Union, location: _Location) -> _Found | _Steps:
    if all(_takes(reader, branch) for branch in writer.branches):
        return READABLE
    return _each_branch(reader, writer, location)


def _takes(reader: Union, writer: Node) -> bool:
    """Whether the writer is a primitive type that stands in the reader before any named type.

    Comparing the branches before it leaves no trace: only named types are met again.
    """
    if isinstance(writer, Primitive):
        for branch in reader.branches:
            if branch.kind == writer.kind:
                return True
            if isinstance(branch, Named):
                return False
    return False


def _each_branch(reader: Union, writer: Union, location: _Location) -> _Steps:
    found: list[_Reason | _Below] = []
    for place, branch in enumerate(writer.branches):
        if not _takes(reader, branch) and (yield reader, branch, _ROOT):
            found.append(_lacking(reader, branch, _Location(location, str(place))))
    return tuple(found)


def _writer_union(reader: Node, writer: Union, location: _Location) -> _Steps:
    found: list[_Reason | _Below] = []
    for place, branch in enumerate(writer.branches):
        found.extend((yield reader, branch, _Location(location, str(place))))
    return tuple(found)


def _reader_union(reader: Union, writer: Node, location: _Location) -> _Found | _Steps:
    return READABLE if _takes(reader, writer) else _any_branch(reader, writer, location)


def _any_branch(reader: Union, writer: Node, location: _Location) -> _Steps:
    for branch in reader.branches:
        if not (_never_reads(branch, writer) or (yield branch, writer, _ROOT)):
            return READABLE
    return (_lacking(reader, writer, location),)


def _never_reads(branch: Node, writer: Node) -> bool:
    return isinstance(branch, Primitive) and _RULES[branch.kind][writer.kind] is _mismatch


def _reader_union_by_name(reader: Union, writer: Node, location: _Location) -> _Steps:
    """As `_reader_union`, but branches of another name are not compared, which Java does without need.

    The answer is the same; only the memo of what was met below those branches is not.
    """
    for branch in reader.branches:
        other = isinstance(branch, Record) and isinstance(writer, Record) and not _is_called(branch, writer)
        if not (other or _never_reads(branch, writer) or (yield branch, writer, _ROOT)):
            return READABLE
    return (_lacking(reader, writer, location),)


def _lacking(reader: Union, writer: Node, location: _Location) -> _Reason:
    return _Reason("MISSING_UNION_BRANCH", location, f"reader union lacking writer type: {writer.kind}", reader, writer)


_KINDS: Final[tuple[Kind, ...]] = (
    "NULL", "BOOLEAN", "INT", "LONG", "FLOAT", "DOUBLE", "BYTES", "STRING", "ARRAY", "MAP", "FIXED", "ENUM", "RECORD",
    "UNION",
)  # fmt: skip
_SAME_KIND: Final[Mapping[Kind, _Rule]] = {
    "ARRAY": _array,
    "MAP": _map,
    "FIXED": _fixed,
    "ENUM": _enum,
    "RECORD": _record,
    "UNION": _unions,
}
_PROMOTED_FROM: Final[Mapping[Kind, frozenset[Kind]]] = {
    "LONG": frozenset({"INT"}),
    "FLOAT": frozenset({"INT", "LONG"}),
    "DOUBLE": frozenset({"INT", "LONG", "FLOAT"}),
    "BYTES": frozenset({"STRING"}),
    "STRING": frozenset({"BYTES"}),
}


def _rule(reader: Kind, writer: Kind) -> _Rule:
    if reader == writer:
        return _SAME_KIND.get(reader, _readable)
    if writer == "UNION":
        return _writer_union
    if reader == "UNION":
        return _reader_union
    return _readable if writer in _PROMOTED_FROM.get(reader, ()) else _mismatch


_RULES: Final[_Rules] = {reader: {writer: _rule(reader, writer) for writer in _KINDS} for reader in _KINDS}
"""The rule for each pair of kinds, the reader's first."""
_NAMED_RULES: Final[_Rules] = {
    **_RULES,
    "UNION": {**dict.fromkeys(_KINDS, _reader_union_by_name), "UNION": _unions},
}
"""Rules for schemas that take too long otherwise: unions of very many records."""
