"""Schemas by id, by GUID and in listings, and their texts in the forms that clients ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from uuid import UUID

from msgspec import Struct

from registry.errors import SchemaNotFound
from registry.formats.protocol import InlineTags
from registry.model import DEFAULT_CONTEXT, Schema, Subject
from registry.operations.associations import bound_to
from registry.operations.core import Core, stored
from registry.operations.listing import at_pace, ordered, page_of, unhurried
from registry.operations.reading import read_stored
from registry.operations.requests import Bound, BoundFilter, Listed, Page, SchemaFilter, Stored
from registry.rows import Row
from registry.rules.subjects import EVERY_CONTEXT, of_prefix
from registry.state import State, referred_subject

Holder = tuple[Subject, Row]


class Schemas:
    """What can be asked of schemas whatever their subject."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def list(self, wanted: SchemaFilter, page: Page) -> Sequence[Listed]:
        """The versions that a filter lets through, in order of subject and version."""
        state = await self._core.current()
        aliases = _aliases_by_target(state, wanted.prefix) if wanted.aliases else {}
        bound = _bound_by_subject(state, wanted)
        found = _found(state, wanted, aliases, bound)
        limit = self._core.policy.schema_limits.limit(page)
        return await unhurried(
            Listed(stored(subject, row), tuple(aliases.get(subject, ())), _bound(bound.get(subject, ()), wanted) or ())
            for subject, row in await page_of(found, page.offset, limit)
        )

    async def by_id(self, number: int, subject: Subject | None = None) -> Stored:
        """What an id means, with a version that holds it: one of the subject where it is given and holds it.

        A context is named by its empty subject. A bare name is looked for in the default context, then in the
        others, and at last stands for any subject of the default one. Found where it is looked for first, it needs
        no barrier: what it means there does not change.

        Raises SchemaNotFound.
        """
        holder = _preferred(_first_holders(self._core.state, number, subject))
        if holder is None:
            holder = _preferred(_holders(await self._core.current(), number, subject))
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
        names = (name for name, _ in await _last_written(await self._core.current(), number, subject, deleted))
        return self._core.policy.subject_limits.slice(names, page)

    async def versions_of(
        self, number: int, subject: Subject | None, *, deleted: bool, page: Page
    ) -> Sequence[tuple[str, int]]:
        """For each subject that holds an id, the version that was written last.

        Raises SchemaNotFound.
        """
        found = await _last_written(await self._core.current(), number, subject, deleted)
        return self._core.policy.version_limits.slice(found, page)

    async def by_guid(self, guid: str) -> Stored:
        """What a GUID means, in the default context or else in any other; found, it needs no barrier.

        Raises SchemaNotFound.
        """
        key = _guid_bytes(guid)
        holder = _holder_of_guid(self._core.state, key) or _holder_of_guid(await self._core.current(), key)
        if holder is None:
            raise SchemaNotFound(guid)
        return stored(*holder)

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
        """The entities that carry one of the wanted inline tags (`*`: any), each with all of its tags."""
        found = read_stored(self._core, self._core.state, subject, schema).tags()
        return [entity for entity in found if "*" in wanted or not set(wanted).isdisjoint(entity.tags)]


def _first_holders(state: State, number: int, subject: Subject | None) -> Iterator[Holder]:
    return state.holders(DEFAULT_CONTEXT, number) if subject is None else _held_by(state, subject, number)


def _holders(state: State, number: int, subject: Subject | None) -> Iterator[Holder]:
    if subject is None:
        return state.holders(DEFAULT_CONTEXT, number)
    if subject.context != DEFAULT_CONTEXT or not subject.name:
        return _held_by(state, subject, number)
    for context in state.contexts():
        holders = _held_by(state, Subject(context, subject.name), number)
        first = next(holders, None)
        if first is not None:
            return chain((first,), holders)
    return state.holders(DEFAULT_CONTEXT, number)


def _held_by(state: State, subject: Subject, number: int) -> Iterator[Holder]:
    if not subject.name:
        return state.holders(subject.context, number)
    # The newest first: of versions that share an id it is the one that is meant.
    return ((subject, row) for row in reversed(state.rows(subject)) if row.id == number)


def _preferred(holders: Iterable[Holder]) -> Holder | None:
    """The first live holder, else the first."""
    first = None
    for holder in holders:
        if not holder[1].deleted:
            return holder
        first = first or holder
    return first


def _holder_of_guid(state: State, key: bytes) -> Holder | None:
    for context in state.contexts():
        for number in state.ids_of_guid(context, key):
            # Versions of one id may differ in metadata after an import, and then in their GUIDs.
            holder = _preferred(holder for holder in state.holders(context, number) if holder[1].content.guid == key)
            if holder is not None:
                return holder
    return None


async def _last_written(state: State, number: int, subject: Subject | None, deleted: bool) -> list[tuple[str, int]]:
    """In the context where an id is found: each subject that holds it, with its version that was written last."""
    found = next(_holders(state, number, subject), None)
    if found is None:
        raise SchemaNotFound
    newest: dict[Subject, Row] = {}
    async for piece in at_pace(state.all_holders(found[0].context, number)):
        for name, row in piece:
            before = newest.setdefault(name, row)
            # One record can delete several versions, whose positions are the same then.
            if before is not row and (row.position, row.version) > (before.position, before.version):
                newest[name] = row
    return await ordered((str(name), row.version) for name, row in newest.items() if deleted or not row.deleted)


def _guid_bytes(guid: str) -> bytes:
    try:
        return UUID(guid).bytes
    except ValueError:
        # A text that can be no GUID is one that nobody has.
        raise SchemaNotFound(guid) from None


def _found(
    state: State,
    wanted: SchemaFilter,
    aliases: Mapping[Subject, Sequence[str]],
    bound: Mapping[Subject, Sequence[Bound]],
) -> Iterator[Sequence[tuple[Subject, Sequence[Row]]]]:
    """The subjects that the filter lets through, in order, each with those of its versions that it lets through, a
    piece at a time.
    """
    choice = _Choice(
        # Without aliases the names come by their prefix already.
        of_prefix(wanted.prefix) if aliases else None,
        aliases,
        None if wanted.rule_type is None else state.marks().ruled,
        wanted if _asks_for_associations(wanted) else None,
        bound,
    )
    thinned = frozenset() if wanted.deleted else state.marks().thinned
    for piece in state.names(EVERY_CONTEXT if aliases else wanted.prefix):
        yield [
            (subject, _listed_rows([row for row in rows if not row.deleted] if subject in thinned else rows, wanted))
            for subject, rows in state.rows_of(choice.of(piece))
        ]


class _Choice(Struct, frozen=True):
    """Which subjects a filter lets through, by what is known without their versions; None lets all through.

    is_wanted: by name, but for those that an alias stands for. ruled: those with rules. associated: what their
    associations, which are `bound`, have to be like.
    """

    is_wanted: Callable[[str], bool] | None
    aliases: Mapping[Subject, Sequence[str]]
    ruled: Container[Subject] | None
    associated: SchemaFilter | None
    bound: Mapping[Subject, Sequence[Bound]]

    def of(self, named: Iterable[tuple[str, Subject]]) -> list[Subject]:
        """Those of the subjects that are let through."""
        return [
            subject
            for name, subject in named
            if (self.is_wanted is None or self.is_wanted(name) or subject in self.aliases)
            and (self.ruled is None or subject in self.ruled)
            and (self.associated is None or _bound(self.bound.get(subject, ()), self.associated) is not None)
        ]


def _aliases_by_target(state: State, prefix: str) -> dict[Subject, list[str]]:
    targets: dict[Subject, list[str]] = defaultdict(list)
    is_wanted = of_prefix(prefix)
    for subject, alias in sorted(state.aliases(), key=lambda pair: str(pair[0])):
        if is_wanted(str(subject)):
            targets[referred_subject(subject, alias)].append(str(subject))
    return targets


def _listed_rows(visible: Sequence[Row], wanted: SchemaFilter) -> Sequence[Row]:
    if wanted.latest_only:
        visible = visible[-1:]
    if wanted.rule_type is not None:
        visible = [row for row in visible if _has_rule_of_type(row.content.schema, wanted.rule_type)]
    return visible


def _has_rule_of_type(schema: Schema, rule_type: str) -> bool:
    return schema.rule_set is not None and any(rule.type == rule_type for rule in schema.rule_set)


def _asks_for_associations(wanted: SchemaFilter) -> bool:
    return wanted.resource_type is not None or bool(wanted.association_types or wanted.lifecycles)


def _bound_by_subject(state: State, wanted: SchemaFilter) -> dict[Subject, list[Bound]]:
    subjects: dict[Subject, list[Bound]] = defaultdict(list)
    if _asks_for_associations(wanted):
        for bound in bound_to(state, BoundFilter(wanted.resource_type, wanted.association_types)):
            subjects[bound.association.subject].append(bound)
    return subjects


def _bound(found: Sequence[Bound], wanted: SchemaFilter) -> tuple[Bound, ...] | None:
    """What to show of a subject's associations; None when the filter keeps the subject out."""
    if not found:
        return () if "NONE" in wanted.lifecycles or not _asks_for_associations(wanted) else None
    chosen = [bound for bound in found if not wanted.lifecycles or bound.association.lifecycle in wanted.lifecycles]
    return tuple(chosen) or None
