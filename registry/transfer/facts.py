"""What a state holds as the fewest records that add up to it again, and the digest by which two states are compared.

Owns their order: contexts, versions, associations, configs, modes, and the highest ids last. A version comes behind
its earlier versions and behind those that it refers to, otherwise where it was written last.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from operator import attrgetter
from typing import Final, NamedTuple

import orjson
from msgspec.structs import replace

from registry.envelope import Entry
from registry.model import DEFAULT_CONTEXT, Association, Subject
from registry.records import (
    AssociationKey,
    ConfigKey,
    ContextKey,
    IdMarks,
    ModeKey,
    NoopKey,
    Present,
    Record,
    SchemaKey,
)
from registry.rows import Row
from registry.state import State
from registry.transfer.outlines import fingerprint

DIGEST: Final = "sha256"


class Fact(NamedTuple):
    """A record that holds now, and what is known of when it was written."""

    record: Record
    position: int | None = None
    timestamp_ms: int | None = None
    author: str | None = None

    def entry(self) -> Entry:
        """The record as bytes, with its time and author."""
        return self.record.entry(self.author)._replace(timestamp_ms=self.timestamp_ms)


def ordered_facts(state: State) -> Iterator[Fact]:
    """Everything that a state holds, in an order in which it can be read and registered again."""
    return _facts(state, _ordered(state))


def facts(state: State) -> Iterator[Fact]:
    """Everything that a state holds, in no particular order."""
    return _facts(state, _rows(state))


def _facts(state: State, rows: Iterable[tuple[SchemaKey, Row]]) -> Iterator[Fact]:
    for context in _contexts(state):
        yield Fact(Record(ContextKey(context), Present()))
    for key, row in rows:
        record = Record(key, row.value(deleted=row.deleted))
        yield Fact(record, row.position, row.timestamp_ms or None, row.author)
    for association, _, changed_ms in state.associations():
        yield Fact(Record(_key_of(association), association), None, changed_ms or None)
    for subject, config in state.configs():
        yield Fact(Record(ConfigKey(subject), config))
    for subject, mode in state.modes():
        yield Fact(Record(ModeKey(subject), mode))
    if marks := state.highest_ids():
        yield Fact(Record(NoopKey(), IdMarks(dict(sorted(marks.items())))))


class Held(NamedTuple):
    """What a state holds, in short: how many things of each kind, the highest id of each context, and its digest."""

    counts: dict[str, int]
    highest_ids: dict[str, int]
    digest: str


def held(state: State) -> Held:
    """What a state holds, in short."""
    return Held(counts(state), state.highest_ids(), digest(state))


def digest(state: State) -> str:
    """A SHA-256 over all that a state holds, in whichever order it came to hold it; times and authors do not count.

    It is taken over a line for each version in order, what it is called and the MD5 of its outline, and over the sorted
    records of everything else.
    """
    # It tells two states apart; nobody is kept from making two that agree.
    hashed = hashlib.new(DIGEST, usedforsecurity=False)
    for subject in sorted(state.subjects()):
        for row in state.rows(subject):
            hashed.update(_version_line(subject, row) + b"\n")
    others = (fact.entry() for fact in _facts(state, ()))
    # These come in the order of a table, which is that of their coming.
    for line in sorted(b"%b\t%b\n" % (entry.key, entry.value or b"") for entry in others):
        hashed.update(line)
    return f"{DIGEST}:{hashed.hexdigest()}"


def _version_line(subject: Subject, row: Row) -> bytes:
    schema, guid = row.content.schema, row.content.guid
    # By the fingerprint of the text, so that a state in outline has the same digest as a whole one.
    said = replace(schema, text=fingerprint(schema.text)).digest()
    return orjson.dumps([str(subject), row.version, row.id, row.deleted, schema.type, guid.hex(), said.hex()])


def counts(state: State) -> dict[str, int]:
    """How many things of each kind a state holds."""
    subjects = list(state.subjects())
    return {
        "contexts": 1 + len(_contexts(state)),
        "subjects": len(subjects),
        "versions": sum(len(state.rows(subject)) for subject in subjects),
        "deleted versions": sum(row.deleted for subject in subjects for row in state.rows(subject)),
        "associations": sum(1 for _ in state.associations()),
        "configs": sum(1 for _ in state.configs()),
        "modes": sum(1 for _ in state.modes()),
    }


def _contexts(state: State) -> list[str]:
    """The contexts beside the default one."""
    # A log may delete a context before the last of its subjects; then the subjects make it known again.
    return sorted({*state.contexts(), *(subject.context for subject in state.subjects())} - {DEFAULT_CONTEXT})


def _key_of(association: Association) -> AssociationKey:
    return AssociationKey(
        association.resource_name,
        association.resource_namespace,
        association.resource_type,
        association.association_type,
        association.subject,
    )


def _rows(state: State) -> Iterator[tuple[SchemaKey, Row]]:
    return ((SchemaKey(subject, row.version), row) for subject in state.subjects() for row in state.rows(subject))


def _ordered(state: State) -> Iterator[tuple[SchemaKey, Row]]:
    rows = dict(_rows(state))
    sorter = TopologicalSorter({key: list(_before(state, key, row)) for key, row in rows.items()})
    try:
        sorter.prepare()
    except CycleError:
        # Only imported schemas can refer to each other in a circle; no order suits them all.
        yield from sorted(rows.items(), key=lambda item: item[1].position)
        return
    ready: list[tuple[int, SchemaKey]] = []
    while sorter.is_active():
        for key in sorter.get_ready():
            # What is referred to and is not there comes first, so that it holds nobody up.
            heappush(ready, (rows[key].position if key in rows else 0, key))
        _, key = heappop(ready)
        sorter.done(key)
        if key in rows:
            yield key, rows[key]


def _before(state: State, key: SchemaKey, row: Row) -> Iterator[SchemaKey]:
    """What must be read before a version: its predecessor, what it refers to, what gave its id a meaning."""
    subject = key.subject
    earlier = bisect_left(state.rows(subject), key.version, key=attrgetter("version"))
    if earlier:
        yield SchemaKey(subject, state.rows(subject)[earlier - 1].version)
    # What it refers to has to be registered before it, or the registration would be refused.
    yield from state.targets(subject, row.content.schema)
    held = state.holding(subject.context, row.id)
    if held is not None and held.content != row.content:
        holders = state.holders(subject.context, row.id)
        yield from (SchemaKey(other, found.version) for other, found in holders if found.content == held.content)
