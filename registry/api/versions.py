"""Routes of versions: `/subjects/{subject}/versions`, and ours under `/signet/v1/subjects`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from registry.api.dry_run import outcome
from registry.api.messages import RegisterSchemaRequest, TagSchemaRequest
from registry.api.objects import REGISTERED, SCHEMA, Shown, details_object, objection_object, version_object
from registry.api.parameters import (
    Deleted,
    DeletedOnly,
    DryRun,
    FindTags,
    Flag,
    Force,
    Form,
    Normalize,
    Permanent,
    ReferenceFormat,
    SubjectPath,
    ThePage,
    VersionPath,
    visibility,
)
from registry.api.replies import PAGED, WRITING, Outcome, Registered, Schema, SchemaDetails, answers
from registry.api.route import Json, Text, TheRegistry, new_router
from registry.errors import (
    IncompatibleSchema,
    InvalidRuleSet,
    InvalidSchema,
    InvalidSubject,
    InvalidVersion,
    NoActiveVersion,
    OperationNotPermitted,
    ReferenceExists,
    SchemaTooLarge,
    SubjectNotFound,
    VersionNotFound,
    VersionNotSoftDeleted,
    VersionSoftDeleted,
)
from registry.model import Subject
from registry.operations import Candidate, Registry, Stored

MISSING = (SubjectNotFound, VersionNotFound, InvalidVersion)
REFUSING = (
    InvalidSchema,
    InvalidRuleSet,
    InvalidSubject,
    OperationNotPermitted,
    IncompatibleSchema,
    SchemaTooLarge,
    *WRITING,
)
router = new_router("versions")


def text_of(registry: Registry, stored: Stored, form: str) -> str:
    """The text of a version in the form that was asked for."""
    return registry.schemas.text(stored.subject, stored.schema, form)


@router.post(
    "/subjects/{subject}/versions",
    responses=answers(Registered | Outcome, *REFUSING, bodied=True),
    summary="Register a schema",
)
async def register(
    registry: TheRegistry,
    subject: SubjectPath,
    body: RegisterSchemaRequest,
    normalize: Normalize = False,
    force: Force = False,
    form: Form = "",
    dry_run: DryRun = False,
) -> Response:
    """Register a schema under a subject; one that is there already is answered as it is."""
    # The body is read to its values first, so that what is wrong in it is told before anything is looked up.
    place, candidate = Subject.of(subject), body.value()

    # Told for a dry run only, accepted or not: `force` may let a schema in that has findings.
    async def findings() -> dict[str, Any]:
        return {"findings": await _findings(registry, place, candidate, normalize)}

    def shown(stored: Stored) -> dict[str, Any]:
        return version_object(REGISTERED, Shown(stored, text_of(registry, stored, form)))

    wish = registry.versions.register(place, candidate, normalize=normalize, force=force, dry_run=dry_run)
    return await outcome(wish, shown, dry_run=dry_run, facts=findings)


async def _findings(
    registry: Registry, subject: Subject, candidate: Candidate, normalize: bool
) -> list[dict[str, Any]]:
    try:
        verdict = await registry.compatibility.check(subject, None, candidate, normalize=normalize)
    # The plan has said already why the schema cannot be read.
    except InvalidSchema:
        return []
    return [objection_object(objection) for objection in verdict.objections]


@router.get("/subjects/{subject}/versions/{version}", responses=answers(Schema, *MISSING), summary="Get a version")
async def get_version(
    registry: TheRegistry,
    subject: SubjectPath,
    version: VersionPath,
    form: Form = "",
    reference_format: ReferenceFormat = "",
    deleted: Deleted = False,
    find_tags: FindTags = (),
) -> Response:
    """One version of a subject."""
    stored = await registry.versions.get(Subject.of(subject), version, deleted=deleted)
    shown = Shown(
        stored,
        text_of(registry, stored, form),
        tags=registry.schemas.tags(stored.subject, stored.schema, find_tags) if find_tags else (),
        references_qualified=reference_format == "qualified",
    )
    return Json(version_object(SCHEMA, shown), tagged=True)


@router.get(
    "/subjects/{subject}/versions", responses=answers(list[int], SubjectNotFound, PAGED), summary="List versions"
)
async def list_versions(
    registry: TheRegistry,
    subject: SubjectPath,
    page: ThePage,
    deleted: Deleted = False,
    deleted_only: DeletedOnly = False,
    deleted_as_negative: Annotated[
        Flag, Query(alias="deletedAsNegative", description="Whether soft-deleted versions are shown below zero.")
    ] = False,
) -> Response:
    """The versions of a subject."""
    wanted = visibility(deleted=deleted, deleted_only=deleted_only)
    numbers = await registry.versions.list(Subject.of(subject), wanted, page, deleted_as_negative=deleted_as_negative)
    return Json(numbers)


@router.get(
    "/subjects/{subject}/versions/{version}/schema", responses=answers(Any, *MISSING), summary="Get a version's text"
)
async def get_version_text(
    registry: TheRegistry,
    subject: SubjectPath,
    version: VersionPath,
    form: Form = "",
    deleted: Deleted = False,
) -> Response:
    """The schema text of one version, as it is."""
    stored = await registry.versions.get(Subject.of(subject), version, deleted=deleted)
    return Text(text_of(registry, stored, form), tagged=True)


@router.get(
    "/subjects/{subject}/versions/{version}/referencedby",
    responses=answers(list[int], *MISSING, PAGED),
    summary="List what refers to a version",
)
async def list_referrers(
    registry: TheRegistry,
    subject: SubjectPath,
    version: VersionPath,
    page: ThePage,
    deleted: Deleted = False,
) -> Response:
    """The ids of the schemas that refer to a version."""
    ids = await registry.versions.referenced_by(Subject.of(subject), version, deleted=deleted, page=page)
    return Json(ids, tagged=True)


@router.delete(
    "/subjects/{subject}/versions/{version}",
    responses=answers(
        int | Outcome,
        *MISSING,
        VersionSoftDeleted,
        VersionNotSoftDeleted,
        OperationNotPermitted,
        NoActiveVersion,
        ReferenceExists,
        *WRITING,
    ),
    summary="Delete a version",
)
async def delete_version(
    registry: TheRegistry,
    subject: SubjectPath,
    version: VersionPath,
    permanent: Permanent = False,
    dry_run: DryRun = False,
) -> Response:
    """Delete a version softly, or one that is soft-deleted already for good."""
    place = Subject.of(subject)

    async def dependants() -> dict[str, Any]:
        return await dependants_of(registry, place, version, permanent)

    wish = registry.versions.delete(place, version, permanent=permanent, dry_run=dry_run)
    return await outcome(wish, lambda number: number, dry_run=dry_run, facts=dependants)


async def dependants_of(registry: Registry, subject: Subject, version: int | None, permanent: bool) -> dict[str, Any]:
    """What a dry run of a deletion tells besides: which schemas refer to what would go (None: all versions)."""
    found = await registry.versions.dependants(subject, version, permanent=permanent)
    return {"dependants": [{"version": number, "referencedBy": ids} for number, ids in found]}


@router.post(
    "/subjects/{subject}/versions/{version}/tags",
    responses=answers(Registered | Outcome, *MISSING, *REFUSING, bodied=True),
    summary="Tag a version",
)
async def tag_version(
    registry: TheRegistry,
    subject: SubjectPath,
    version: VersionPath,
    body: TagSchemaRequest,
    dry_run: DryRun = False,
) -> Response:
    """Make a new version of an old one with other inline tags, metadata and rules."""

    def shown(stored: Stored) -> dict[str, Any]:
        return version_object(REGISTERED, Shown(stored, stored.schema.text))

    wish = registry.versions.tag(Subject.of(subject), version, body.value(), dry_run=dry_run)
    return await outcome(wish, shown, dry_run=dry_run)


@router.get(
    "/signet/v1/subjects/{subject}/versions/{version}",
    responses=answers(SchemaDetails, *MISSING),
    summary="Get a version with its origin",
)
async def get_details(registry: TheRegistry, subject: SubjectPath, version: VersionPath) -> Response:
    """One version, soft-deleted or not, with who registered it and when (Signet only)."""
    details = await registry.versions.details(Subject.of(subject), version)
    stored = details.stored
    return Json(details_object(details, stored.schema.text), tagged=True)


@router.post(
    "/signet/v1/subjects/{subject}/versions/{version}/undelete",
    responses=answers(Schema | Outcome, *MISSING, OperationNotPermitted, InvalidSchema, IncompatibleSchema, *WRITING),
    summary="Bring a version back",
)
async def undelete(
    registry: TheRegistry, subject: SubjectPath, version: VersionPath, force: Force = False, dry_run: DryRun = False
) -> Response:
    """Bring a soft-deleted version back under its own number and id (Signet only)."""

    def shown(stored: Stored) -> dict[str, Any]:
        return version_object(SCHEMA, Shown(stored, stored.schema.text))

    wish = registry.versions.undelete(Subject.of(subject), version, force=force, dry_run=dry_run)
    return await outcome(wish, shown, dry_run=dry_run)
