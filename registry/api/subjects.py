"""Routes of subjects: `/subjects`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from registry.api.dry_run import outcome
from registry.api.messages import RegisterSchemaRequest
from registry.api.objects import SCHEMA, Shown, version_object
from registry.api.parameters import (
    Deleted,
    DeletedOnly,
    DryRun,
    Form,
    Normalize,
    Permanent,
    SubjectPath,
    ThePage,
    visibility,
)
from registry.api.replies import PAGED, WRITING, Outcome, Schema, answers
from registry.api.route import Json, TheRegistry, new_router
from registry.api.versions import dependants_of, text_of
from registry.errors import (
    InvalidSchema,
    OperationNotPermitted,
    ReferenceExists,
    SchemaNotFound,
    SubjectAssociated,
    SubjectNotFound,
    SubjectNotSoftDeleted,
    SubjectSoftDeleted,
)
from registry.model import Subject
from registry.rules.subjects import EVERY_CONTEXT

router = new_router("subjects")


@router.post(
    "/subjects/{subject}",
    responses=answers(Schema, InvalidSchema, SubjectNotFound, SchemaNotFound, bodied=True),
    summary="Look a schema up",
)
async def look_up(
    registry: TheRegistry,
    subject: SubjectPath,
    body: RegisterSchemaRequest,
    normalize: Normalize = False,
    deleted: Deleted = False,
    form: Form = "",
) -> Response:
    """The version of a subject that a schema is."""
    stored = await registry.subjects.lookup(Subject.of(subject), body.value(), normalize=normalize, deleted=deleted)
    return Json(version_object(SCHEMA, Shown(stored, text_of(registry, stored, form))))


@router.get("/subjects", responses=answers(list[str], PAGED), summary="List subjects")
async def list_subjects(
    registry: TheRegistry,
    page: ThePage,
    subject_prefix: Annotated[
        str,
        Query(
            alias="subjectPrefix",
            description="What the names begin with: `:*:` is every context, `:.context:` one, nothing the default one.",
        ),
    ] = EVERY_CONTEXT,
    deleted: Deleted = False,
    deleted_only: DeletedOnly = False,
) -> Response:
    """The names of the subjects."""
    # Of both at once only the deleted are meant, as Confluent has it.
    wanted = visibility(deleted=deleted, deleted_only=deleted_only)
    return Json(await registry.subjects.list(subject_prefix, wanted, page))


@router.get(
    "/subjects/{subject}/metadata",
    responses=answers(Schema, SubjectNotFound, SchemaNotFound),
    summary="Find a version by metadata",
)
async def find_by_metadata(
    registry: TheRegistry,
    subject: SubjectPath,
    key: Annotated[tuple[str, ...], Query(description="The names of the properties.")] = (),
    value: Annotated[tuple[str, ...], Query(description="Their values, in the same order.")] = (),
    deleted: Deleted = False,
    form: Form = "",
) -> Response:
    """The highest version whose metadata has all of the properties."""
    # What is left over on either side does not count.
    pairs = list(zip(key, value, strict=False))
    stored = await registry.subjects.with_metadata(Subject.of(subject), pairs, deleted=deleted)
    return Json(version_object(SCHEMA, Shown(stored, text_of(registry, stored, form))))


@router.delete(
    "/subjects/{subject}",
    responses=answers(
        list[int] | Outcome,
        SubjectNotFound,
        SubjectSoftDeleted,
        SubjectNotSoftDeleted,
        OperationNotPermitted,
        SubjectAssociated,
        ReferenceExists,
        *WRITING,
    ),
    summary="Delete a subject",
)
async def delete_subject(
    registry: TheRegistry, subject: SubjectPath, permanent: Permanent = False, dry_run: DryRun = False
) -> Response:
    """Delete all versions of a subject softly, or, if they are soft-deleted already, for good."""
    place = Subject.of(subject)

    async def dependants() -> dict[str, Any]:
        return await dependants_of(registry, place, None, permanent)

    wish = registry.subjects.delete(place, permanent=permanent, dry_run=dry_run)
    return await outcome(wish, list, dry_run=dry_run, facts=dependants)
