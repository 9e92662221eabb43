"""Schemas by id, by GUID and in listings, and their texts in the forms that clients ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from uuid import UUID

from registry.errors import SchemaNotFound
from registry.formats.protocol import InlineTags
from registry.model import DEFAULT_CONTEXT, Schema, Subject
from registry.operations.associations import bound_to
from registry.operations.core import Core, stored
from registry.operations.reading import read_stored
from registry.operations.requests import Bound, BoundFilter, Listed, Page, SchemaFilter, Stored
from registry.rules.subjects import matches_prefix
from registry.state import Row, State

Holder = tuple[Subject, Row]


class Schemas:
    """What can be asked of schemas whatever their subject."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def list(self, wanted: SchemaFilter, page: Page) -> Sequence[Listed]:
        """The versions that a filter lets through, in order of subject and version."""
        state = await self._core.current()
        aliases = _aliases_by_target(state)
        found = (
            Listed(stored(subject, row), tuple(aliases.get(subject, ())) if wanted.aliases else (), bound)
            for subject in sorted(_listed_subjects(state, wanted, aliases), key=str)
            if (bound := _bound(state, subject, wanted)) is not None
            for row in _listed_rows(state.rows(subject), wanted)
        )
        return self._core.policy.schema_limits.slice(tuple(found), page)

    async def by_id(self, number: int, subject: Subject | None = None) -> Stored:
        """What an id means, with a version that holds it: one of the subject where it is given and holds it.

        A context is named by its empty subject. A bare name is looked for in the default context, then in the
        others, and at last stands for any subject of the default one.

        Raises SchemaNotFound.
        """
        holder = _preferred(await self._holders(number, subject))
        if holder is None:
            raise SchemaNotFound(number)
        return stored(*holder)

    async def max_id(self, subject: Subject | None) -> int:
        """The highest id ever given out in the context of a subject (None: the default context)."""
        state = await self._core.current()
        return state.highest_id(subject.context if subject else DEFAULT_CONTEXT)

    async def subjects_of(self, number: int, subject: Subject | None, *, deleted: bool, page: Page) -> Sequence[str]:
        """The subjects with a version that holds an id; empty when all of them are soft-deleted.

        Raises SchemaNotFound.
        """
        names = dict.fromkeys(name for name, _ in await self._latest_holders(number, subject, deleted))
        return self._core.policy.subject_limits.slice(tuple(names), page)

    async def versions_of(
        self, number: int, subject: Subject | None, *, deleted: bool, page: Page
    ) -> Sequence[tuple[str, int]]:
        """For each subject that holds an id, the version that was written last.

        Raises SchemaNotFound.
        """
        return self._core.policy.version_limits.slice(await self._latest_holders(number, subject, deleted), page)

    async def by_guid(self, guid: str) -> Stored:
        """What a GUID means, in the default context or else in any other.

        Raises SchemaNotFound.
        """
        key = _guid_bytes(guid)
        state = await self._core.current()
        for context in state.contexts():
            for number in state.ids_of_guid(context, key):
                holder = _preferred(state.holders(context, number))
                if holder is not None:
                    return stored(*holder)
        raise SchemaNotFound(guid)

    async def ids_of_guid(self, guid: str) -> Sequence[tuple[str, int]]:
        """Every (context, id) that a GUID has, in order; empty when it is unknown."""
        state = await self._core.current()
        try:
            key = _guid_bytes(guid)
        except SchemaNotFound:
            return ()
        return sorted((context, number) for context in state.contexts() for number in state.ids_of_guid(context, key))

    def text(self, subject: Subject, schema: Schema, form: str) -> str:
        """The text of a schema; the form `resolved` writes out the types of other subjects, any other is canonical."""
        if form.lower() != "resolved" or not schema.references:
            return schema.text
        return read_stored(self._core, self._core.state, subject, schema).resolved_text

    def tags(self, subject: Subject, schema: Schema, wanted: Sequence[str]) -> Sequence[InlineTags]:
        """The entities that carry one of the wanted inline tags (`*`: any), each with those of its tags."""
        found = read_stored(self._core, self._core.state, subject, schema).tags()
        if "*" in wanted:
            return found
        chosen = (
            InlineTags(entity.path, entity.kind, tuple(tag for tag in entity.tags if tag in wanted)) for entity in found
        )
        return tuple(entity for entity in chosen if entity.tags)

    async def _holders(self, number: int, subject: Subject | None) -> tuple[Holder, ...]:
        state = await self._core.current()
        if subject is None:
            return tuple(state.holders(DEFAULT_CONTEXT, number))
        if subject.context != DEFAULT_CONTEXT or not subject.name:
            return tuple(_held_by(state, subject, number))
        for context in state.contexts():
            found = tuple(_held_by(state, Subject(context, subject.name), number))
            if found:
                return found
        return tuple(state.holders(DEFAULT_CONTEXT, number))

    async def _latest_holders(self, number: int, subject: Subject | None, deleted: bool) -> Sequence[tuple[str, int]]:
        state = await self._core.current()
        context = await self._context_holding(number, subject)
        holders = sorted(state.holders(context, number), key=lambda holder: (str(holder[0]), holder[1].position))
        if not holders:
            raise SchemaNotFound
        newest = [list(rows)[-1] for _, rows in groupby(holders, key=lambda holder: holder[0])]
        return [(str(name), row.version) for name, row in newest if deleted or not row.deleted]

    async def _context_holding(self, number: int, subject: Subject | None) -> str:
        holders = await self._holders(number, subject)
        return holders[0][0].context if holders else (subject.context if subject else DEFAULT_CONTEXT)


def _held_by(state: State, subject: Subject, number: int) -> Iterator[Holder]:
    holders = state.holders(subject.context, number)
    return holders if not subject.name else (holder for holder in holders if holder[0] == subject)


def _preferred(holders: Iterable[Holder]) -> Holder | None:
    """The first live holder, else the first."""
    known = tuple(holders)
    return next((holder for holder in known if not holder[1].deleted), known[0] if known else None)


def _guid_bytes(guid: str) -> bytes:
    try:
        return UUID(guid).bytes
    except ValueError:
        raise SchemaNotFound(guid) from None


def _aliases_by_target(state: State) -> dict[Subject, list[str]]:
    targets: dict[Subject, list[str]] = defaultdict(list)
    for subject, alias in sorted(state.aliases(), key=lambda pair: str(pair[0])):
        target = Subject.of(alias) if alias.startswith(":.") else Subject(subject.context, alias)
        targets[target].append(str(subject))
    return targets


def _listed_subjects(state: State, wanted: SchemaFilter, aliases: dict[Subject, list[str]]) -> Iterator[Subject]:
    for subject in state.subjects():
        names = aliases.get(subject, ()) if wanted.aliases else ()
        if matches_prefix(subject, wanted.prefix) or any(
            matches_prefix(Subject.of(name), wanted.prefix) for name in names
        ):
            yield subject


def _listed_rows(rows: Sequence[Row], wanted: SchemaFilter) -> Sequence[Row]:
    visible = [row for row in rows if wanted.deleted or not row.deleted]
    if wanted.latest_only:
        visible = visible[-1:]
    if wanted.rule_type is None:
        return visible
    return [row for row in visible if _has_rule_of_type(row.content.schema, wanted.rule_type)]


def _has_rule_of_type(schema: Schema, rule_type: str) -> bool:
    return schema.rule_set is not None and any(rule.type == rule_type for rule in schema.rule_set)


def _bound(state: State, subject: Subject, wanted: SchemaFilter) -> tuple[Bound, ...] | None:
    """What is bound to a subject, as far as the filter asks; None when the filter asks for more than there is."""
    if not (wanted.resource_type or wanted.association_types or wanted.lifecycles):
        return ()
    lifecycles = wanted.lifecycles or (None,)
    found = tuple(
        bound
        for lifecycle in lifecycles
        if lifecycle != "NONE"
        for bound in bound_to(state, BoundFilter(wanted.resource_type, wanted.association_types, lifecycle))
        if bound.association.subject == subject
    )
    if found:
        return found
    return () if "NONE" in lifecycles and not any(a.subject == subject for a, _, _ in state.associations()) else None
