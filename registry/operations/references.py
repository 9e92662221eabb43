"""What a schema refers to: found in the state, and handed to the languages as texts.

Follows Confluent's Schema Registry: depth first, the first occurrence of a name wins, -1 means the latest version.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from registry.errors import InvalidSchema
from registry.model import LATEST, Reference, Subject
from registry.operations.java import printed
from registry.rows import Row
from registry.state import State, referred_subject


def with_numbers(state: State, subject: Subject, references: tuple[Reference, ...]) -> tuple[Reference, ...]:
    """The references with -1 replaced by the number of the latest live version, where there is one."""
    return tuple(_with_number(state, subject, reference) for reference in references) if references else ()


def _with_number(state: State, subject: Subject, reference: Reference) -> Reference:
    if reference.version != LATEST or reference.subject is None:
        return reference
    latest = state.latest(referred_subject(subject, reference.subject))
    return replace(reference, version=latest.version) if latest else reference


def referred_texts(
    state: State, subject: Subject, references: tuple[Reference, ...], *, deleted: bool, strict: bool = False
) -> tuple[tuple[str, str], ...]:
    """The texts of everything that a schema of this subject refers to, by name, each after those it needs itself.

    deleted: whether soft-deleted versions may be referred to; strict: refuse one name at two versions.

    Raises InvalidSchema when a reference is incomplete or names nothing.
    """
    if not references:
        return ()  # as nearly every schema has it
    texts: dict[str, str] = {}
    versions: dict[str, int] = {}
    # An explicit stack of iterators: chains of references may be longer than Python's stack is deep.
    pending = [_resolved(state, subject, references, deleted)]
    waiting: list[tuple[str, Row]] = []
    while pending:
        found = next(pending[-1], None)
        if found is None:
            pending.pop()
            if waiting:
                name, row = waiting.pop()
                texts[name] = row.content.schema.text
            continue
        name, target, row = found
        if name not in versions:
            versions[name] = row.version
            waiting.append((name, row))
            pending.append(_resolved(state, target, row.content.schema.references, deleted))
        elif strict and versions[name] != row.version:
            raise InvalidSchema(
                f'Conflicting reference versions for "{name}": version {versions[name]} and version {row.version}'
            )
    return tuple(texts.items())


def _resolved(
    state: State, subject: Subject, references: tuple[Reference, ...], deleted: bool
) -> Iterator[tuple[str, Subject, Row]]:
    for reference in references:
        # An empty one too: no record holds it, so that it would be missing from the next start on.
        if not reference.name or not reference.subject or reference.version is None:
            raise InvalidSchema(f"Invalid reference: {printed(reference)}")
        target = referred_subject(subject, reference.subject)
        row = state.latest(target) if reference.version == LATEST else state.row(target, reference.version)
        if row is None or (row.deleted and not deleted):
            raise InvalidSchema(f'No schema reference found for subject "{target}" and version {reference.version}')
        yield reference.name, target, row
