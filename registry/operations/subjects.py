"""Subjects: which there are, whether one has a schema, and deleting one."""

from __future__ import annotations

from collections.abc import Sequence

from registry.errors import SchemaNotFound, SubjectNotFound
from registry.model import Metadata, Subject
from registry.operations.core import Core, stored
from registry.operations.deletion import DeleteSubject
from registry.operations.listing import at_pace
from registry.operations.lookup import Lookup
from registry.operations.reading import prepare
from registry.operations.requests import Candidate, Page, Plan, Stored, Visibility


class Subjects:
    """What can be asked of subjects, and deleting them."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def list(self, prefix: str, visibility: Visibility, page: Page) -> Sequence[str]:
        """The names of the subjects of a prefix in order; DELETED lists those without any live version."""
        state = await self._core.current()
        lists_lifeless = visibility is Visibility.DELETED
        lifeless = frozenset() if visibility is Visibility.ALL else frozenset(state.marks().lifeless)
        names: list[str] = []
        async for piece in at_pace(state.names(prefix)):
            # Few registries have a subject without live versions; without one no name needs a look.
            if lifeless or lists_lifeless:
                names.extend(name for name, subject in piece if (subject in lifeless) == lists_lifeless)
            else:
                names.extend(name for name, _ in piece)
        return self._core.policy.subject_limits.slice(names, page)

    async def lookup(self, subject: Subject, candidate: Candidate, *, normalize: bool, deleted: bool) -> Stored:
        """The version of a subject that is the schema sent; `deleted` counts soft-deleted versions too.

        Raises InvalidSchema, SubjectNotFound, SchemaNotFound.
        """
        await prepare(self._core, subject, candidate)
        state = await self._core.current()
        return Lookup(self._core, subject, candidate, normalize, deleted).answer(state)

    async def with_metadata(self, subject: Subject, pairs: Sequence[tuple[str, str]], *, deleted: bool) -> Stored:
        """The highest version whose metadata has all these properties; without any, that has metadata at all.

        Raises SubjectNotFound, SchemaNotFound.
        """
        state = await self._core.current()
        rows = [row for row in reversed(state.rows(subject)) if deleted or not row.deleted]
        if not rows:
            raise SubjectNotFound(subject)
        for row in rows:
            if _has_properties(row.content.schema.metadata, pairs):
                return stored(subject, row)
        raise SchemaNotFound

    async def delete(self, subject: Subject, *, permanent: bool, dry_run: bool = False) -> Sequence[int] | Plan:
        """Delete all versions, softly or (those already soft-deleted) for good; the answer is their numbers.

        Raises SubjectNotFound, SubjectSoftDeleted, SubjectNotSoftDeleted, OperationNotPermitted, SubjectAssociated,
        ReferenceExists.
        """
        return await self._core.carry_out(DeleteSubject(subject, permanent), dry_run)


def _has_properties(metadata: Metadata | None, pairs: Sequence[tuple[str, str]]) -> bool:
    return metadata is not None and all(metadata.properties.get(name) == value for name, value in pairs)
