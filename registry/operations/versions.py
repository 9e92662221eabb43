"""Versions of a subject: listing, reading, registering, tagging, deleting and bringing one back."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from registry.errors import InvalidRuleSet, RegistryError, SubjectNotFound, VersionNotFound
from registry.model import DEFAULT_CONTEXT, LATEST, RuleSet, Subject
from registry.operations.compatibility import prepare_older
from registry.operations.core import Core, stored
from registry.operations.deletion import DeleteVersion, Undelete
from registry.operations.reading import prepare
from registry.operations.registration import ForeseenVersion, Register, retagged
from registry.operations.requests import Candidate, Details, Page, Plan, Stored, TagChange, Visibility
from registry.operations.sight import seen
from registry.rows import Row
from registry.rules.contracts import check_rule_set, merged_rules, with_contract_version, without_rules
from registry.rules.subjects import check_subject
from registry.state import State
from registry.writer import Decision


class SubjectVersions:
    """What can be asked of the versions of a subject, and what changes them."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def list(
        self, subject: Subject, visibility: Visibility, page: Page, *, deleted_as_negative: bool = False
    ) -> Sequence[int]:
        """The version numbers in ascending order; `deleted_as_negative` shows soft-deleted ones below zero.

        Raises SubjectNotFound when no version counts.
        """
        state = await self._core.current()
        rows = state.rows(subject)
        # A subject without live versions is there only for those who ask for the deleted ones too.
        if not any(visibility is not Visibility.LIVE or not row.deleted for row in rows):
            raise SubjectNotFound(subject)
        if deleted_as_negative:
            numbers = [-row.version if row.deleted else row.version for row in rows]
        else:
            numbers = [row.version for row in rows if _counts(row, visibility)]
        return self._core.policy.version_limits.slice(numbers, page)

    async def get(self, subject: Subject, version: int, *, deleted: bool = False) -> Stored:
        """One version, or LATEST, the highest live one; a bare subject name falls back to the other contexts.

        Raises SubjectNotFound, VersionNotFound.
        """
        return stored(*_found(await self._core.current(), subject, version, deleted))

    async def details(self, subject: Subject, version: int) -> Details:
        """One version, soft-deleted or not, with who registered it and when.

        Raises SubjectNotFound, VersionNotFound.
        """
        state = await self._core.current()
        row = _visible_row(state, subject, version, deleted=True)
        if row is None:
            raise _missing(state, subject, version, deleted=True)
        return Details(stored(subject, row), row.author, row.registered_ms)

    async def register(
        self,
        subject: Subject,
        candidate: Candidate,
        *,
        normalize: bool = False,
        force: bool = False,
        dry_run: bool = False,
    ) -> Stored | Plan:
        """The version of the subject that the schema is, or becomes; `force` skips the compatibility check.

        Raises InvalidRuleSet, InvalidSubject, InvalidSchema, OperationNotPermitted, IncompatibleSchema.
        """
        if not self._core.policy.rule_sets_kept:
            candidate = replace(candidate, rule_set=None)
        # Large texts, the older ones included, are parsed off the loop before anything is decided that needs them.
        await prepare(self._core, subject, candidate)
        if not force:
            await prepare_older(self._core, subject)
        wish = Register(self._core, subject, candidate, normalize, force)
        if dry_run:
            return await self._core.plan(wish)
        # Thought through here, so that the turn, which everybody waits for, has little left to think.
        found = await self._foreseen(wish)
        return await self._core.submit(found) if isinstance(found, ForeseenVersion) else found

    async def _foreseen(self, wish: Register) -> Stored | ForeseenVersion:
        """What becomes of a wish. A new version does not wait for the barrier, because its turn is one; what is
        answered without a turn, refusals too, does.

        Raises as Register does.
        """
        core, refusal = self._core, None
        # Remembered, so that nothing is thought through twice unless the barrier brought something new.
        position = core.whole.position
        try:
            found = wish.foreseen(core.state)
        except RegistryError as error:
            refusal = error
        else:
            if isinstance(found, ForeseenVersion):
                return found
        await core.barrier.wait()
        if core.whole.position != position:
            return wish.foreseen(core.state)
        if refusal is not None:
            raise refusal
        return found

    async def delete(self, subject: Subject, version: int, *, permanent: bool, dry_run: bool = False) -> int | Plan:
        """Delete one version, softly or (one already soft-deleted) for good; the answer is its number.

        Raises SubjectNotFound, VersionNotFound, VersionSoftDeleted, VersionNotSoftDeleted, OperationNotPermitted,
        NoActiveVersion, ReferenceExists.
        """
        return await self._core.carry_out(DeleteVersion(subject, version, permanent), dry_run)

    async def undelete(self, subject: Subject, version: int, *, force: bool, dry_run: bool = False) -> Stored | Plan:
        """Bring a soft-deleted version back; `force` skips the compatibility check.

        Raises SubjectNotFound, VersionNotFound, OperationNotPermitted, InvalidSchema, IncompatibleSchema.
        """
        return await self._core.carry_out(Undelete(self._core, subject, version, force), dry_run)

    async def referenced_by(self, subject: Subject, version: int, *, deleted: bool, page: Page) -> Sequence[int]:
        """The ids of the schemas that refer to a version, in order of context and id.

        Raises SubjectNotFound, VersionNotFound.
        """
        state = await self._core.current()
        place, row = _found(state, subject, version, deleted=True)
        ids = _ids_of_referrers(state, place, row.version, deleted)
        return self._core.policy.schema_limits.slice(ids, page)

    async def dependants(
        self, subject: Subject, version: int | None, *, permanent: bool
    ) -> Sequence[tuple[int, Sequence[int]]]:
        """Of the versions that a deletion would take (None: all of them), those that schemas refer to, with their ids.

        A soft delete takes live versions, and is held back by live referrers; a permanent one by soft-deleted ones too.
        """
        state = await self._core.current()
        if version is None:
            # For good goes what is soft-deleted, but whoever asks too early wants to know about all of it.
            rows = state.rows(subject) if permanent else state.live_rows(subject)
        else:
            row = _visible_row(state, subject, version, deleted=True)
            rows = (row,) if row is not None else ()
        found = ((row.version, _ids_of_referrers(state, subject, row.version, permanent)) for row in rows)
        return [(number, ids) for number, ids in found if ids]

    async def tag(self, subject: Subject, version: int, change: TagChange, *, dry_run: bool = False) -> Stored | Plan:
        """Register the version again with its inline tags, metadata and rules changed.

        Raises InvalidSubject, SubjectNotFound, VersionNotFound, InvalidRuleSet, and what `register` raises.
        """
        check_subject(subject)
        if not self._core.policy.rule_sets_kept:
            change = replace(change, rule_set=None, rules_to_merge=None, rules_to_remove=())
        return await self._core.carry_out(Tag(self._core, subject, version, change), dry_run)


class Tag(Struct, frozen=True):
    """Make a new version of an old one with other tags, metadata and rules; a bare subject name falls back to the other
    contexts for the old one.
    """

    core: Core
    subject: Subject
    version: int
    change: TagChange

    def decide(self, state: State) -> Decision[Stored]:
        """Decide as Register does on the changed schema."""
        change, subject = self.change, self.subject
        # Decided on all that is there it still means what the one who asks sees: else the schema of a hidden subject
        # of this name, in a context that is looked through earlier, would become a version of theirs.
        visible = seen(state, self.core.sight)
        place, row = _found(visible, subject, self.version, deleted=False)
        if change.rule_set is not None and (change.rules_to_merge is not None or change.rules_to_remove):
            raise InvalidRuleSet("ruleSet should be omitted if specifying rulesToMerge or rulesToRemove")
        check_rule_set(change.rules_to_merge)
        check_rule_set(change.rule_set)
        schema = retagged(self.core, visible, place, row.content.schema, change.tags_to_add, change.tags_to_remove)
        metadata = change.metadata if change.metadata is not None else schema.metadata
        candidate = Candidate(
            text=schema.text,
            type=schema.type,
            references=schema.references,
            metadata=with_contract_version(metadata, change.new_version),
            rule_set=self._rules(state),
            version=change.new_version,
        )
        return Register(self.core, subject, candidate).decide(state)

    def _rules(self, state: State) -> RuleSet | None:
        change = self.change
        if change.rules_to_merge is None and not change.rules_to_remove:
            return change.rule_set
        # Rules are merged into those of the version before the new one, which need not be the version that is tagged.
        before = _visible_row(state, self.subject, change.new_version - 1, deleted=False)
        rules = before.content.schema.rule_set if before else None
        return without_rules(merged_rules(rules, change.rules_to_merge), change.rules_to_remove)


def _counts(row: Row, visibility: Visibility) -> bool:
    return visibility is Visibility.ALL or row.deleted == (visibility is Visibility.DELETED)


def _visible_row(state: State, subject: Subject, version: int, deleted: bool) -> Row | None:
    if version == LATEST:
        return state.latest(subject)
    row = state.row(subject, version)
    return row if row is not None and (deleted or not row.deleted) else None


def _found(state: State, subject: Subject, version: int, deleted: bool) -> tuple[Subject, Row]:
    """A version of the subject; of a bare name in another context where the default one does not have it."""
    # A name with a context means just that one.
    for context in state.contexts() if subject.context == DEFAULT_CONTEXT else [subject.context]:
        place = Subject(context, subject.name)
        row = _visible_row(state, place, version, deleted)
        if row is not None:
            return place, row
    raise _missing(state, subject, version, deleted)


def _ids_of_referrers(state: State, subject: Subject, version: int, deleted: bool) -> list[int]:
    """The ids of the schemas that refer to a version, in order of context and id."""
    ids = {
        (referrer.context, other.id)
        for referrer, other in state.referrers(subject, version)
        if deleted or not other.deleted
    }
    return [number for _, number in sorted(ids)]


def _missing(state: State, subject: Subject, version: int, deleted: bool) -> SubjectNotFound | VersionNotFound:
    # To one who does not ask for the deleted, a subject that has nothing else is not there.
    known = state.rows(subject) if deleted else state.latest(subject)
    return VersionNotFound(version) if known else SubjectNotFound(subject)
