"""Whether a reader schema can read what a writer schema wrote, and every reason why not.

Owns Avro Java's memo (what was found for a pair of nodes is reported again, with its first location, wherever the pair
is met again) and the bounds of the work; refuses to know the rules, levels and versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from registry.formats.avro.rules import (
    READABLE,
    ROOT,
    RULES,
    Below,
    ComparisonFailed,
    Found,
    Location,
    Reason,
    Rules,
    Steps,
    rules_by_name,
)
from registry.formats.avro.suggestions import suggestion
from registry.formats.avro.types import Field, Node
from registry.model import Finding

EXCEPTION: Final = "EXCEPTION"
"""The kind of the only finding where the comparison itself fails; its message is Java's text, its path is empty."""

MAX_FINDINGS: Final = 10_000
MAX_FINDING_CHARS: Final = 4_000_000
"""Types that share broken types can have exponentially many findings; what is listed ends at either limit."""

MAX_EXACT_WORK: Final = 500_000
MAX_WORK: Final = 2_000_000
"""How much is compared before unions are compared by name, and then at all; both together take less than a second.

A field or a branch of a union counts 1, a pair of types PAIR_WORK, and AGAIN_WORK where it is met again.
"""
PAIR_WORK: Final = 32
AGAIN_WORK: Final = 4


class _Exhausted(ComparisonFailed):
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
    except ComparisonFailed as failure:
        return (Finding(EXCEPTION, "", failure.message, failure.place, failure.advice),)


def _judge(reader: Node, writer: Node) -> Found:
    try:
        return _Comparison(RULES, MAX_EXACT_WORK, scans_unions=True).run(reader, writer)
    except _Exhausted:
        return _Comparison(rules_by_name(), MAX_WORK).run(reader, writer)


class _Comparison:
    """One comparison: what was found for each pair of nodes so far, and the comparisons that wait for another."""

    def __init__(self, rules: Rules, max_work: int, *, scans_unions: bool = False) -> None:
        self._rules: Final = rules
        # Nearly all types are met with one other and read it. For these the other alone is kept: a key for each pair
        # would take more memory than the types do, and reaching for memory is what large schemas cost.
        self._read: dict[Node, Node] = {}
        self._memo: dict[tuple[Node, Node], Found] = {}
        self._waiting: list[tuple[tuple[Node, Node], Steps]] = []
        self._work_left = max_work
        self._scans_unions: Final = scans_unions

    def run(self, reader: Node, writer: Node) -> Found:
        """All that was found for the two; raises _Exhausted when that takes too long."""
        # Without recursion, because types nest more deeply than Python's stack goes.
        found = self._begin(reader, writer, ROOT)
        while self._waiting:
            pair, steps = self._waiting[-1]
            try:
                request = next(steps) if found is None else steps.send(found)
            except StopIteration as done:
                found = self._remember(*pair, done.value)
                self._waiting.pop()
            else:
                found = self._begin(*request)
        assert found is not None
        return found

    def _begin(self, reader: Node, writer: Node, location: Location) -> Found | None:
        """What is found for a pair, or None when other pairs must be compared first."""
        met_first = self._read.get(reader)
        found = READABLE if met_first is writer else self._memo.get((reader, writer))
        if found is not None:
            self._spend(AGAIN_WORK)
            return found
        self._spend(PAIR_WORK + (reader.width if self._scans_unions or reader.kind != "UNION" else 0))
        # Whoever meets this pair again while it is being compared may take it for readable: that ends recursion.
        if met_first is None:
            self._read[reader] = writer
        else:
            self._memo[reader, writer] = READABLE
        outcome = self._rules[reader.kind][writer.kind](reader, writer, location)
        if isinstance(outcome, tuple):
            return self._remember(reader, writer, outcome)
        self._waiting.append(((reader, writer), outcome))
        return None

    def _remember(self, reader: Node, writer: Node, found: Found) -> Found:
        """Keep what was found, where it is more than what was assumed."""
        if found:
            self._memo[reader, writer] = found
            if self._read.get(reader) is writer:
                del self._read[reader]
        return found

    def _spend(self, work: int) -> None:
        self._work_left -= work
        if self._work_left < 0:
            raise _Exhausted


def _bounded(findings: Iterator[Finding]) -> tuple[Finding, ...]:
    listed: list[Finding] = []
    chars = 0
    for finding in islice(findings, MAX_FINDINGS):
        listed.append(finding)
        chars += len(finding.path) + len(finding.message) + len(finding.place) + len(finding.suggestion)
        if chars > MAX_FINDING_CHARS:
            break
    return tuple(listed)


def _findings(found: Found) -> Iterator[Finding]:
    """Findings with the names of the fields that lead to each."""
    place: list[str] = []
    stack = [iter(found)]
    while stack:
        for item in stack[-1]:
            if isinstance(item, Below):
                place.append(item.field)
                stack.append(iter(item.found))
                break
            yield _finding(item, place)
        else:
            stack.pop()
            if place and stack:
                place.pop()


def _finding(reason: Reason, place: list[str]) -> Finding:
    own = [reason.reader.name] if isinstance(reason.reader, Field) else []
    return Finding(
        reason.kind,
        _pointer(reason.location),
        reason.message,
        ".".join([*place, *own]),
        suggestion(reason.kind, reason.reader, reason.writer),
    )


def _pointer(location: Location) -> str:
    tokens = []
    while location is not None:
        location, token = location
        tokens.append(token if isinstance(token, str) else f"fields/{token}/type")
    return "/" + "/".join(reversed(tokens))
