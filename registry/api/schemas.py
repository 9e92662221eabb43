"""Routes of schemas, whatever their subject: `/schemas`, by id, by GUID, and the types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response

from registry.api.objects import SCHEMA, SCHEMA_OF_GUID, SCHEMA_STRING, Shown, bound_object, version_object
from registry.api.parameters import (
    Deleted,
    FindTags,
    Flag,
    Form,
    IdPath,
    ReferenceFormat,
    ThePage,
    optional_subject,
)
from registry.api.replies import PAGED, ContextId, ListedSchema, SchemaString, SubjectVersion, answers
from registry.api.route import Json, Text, TheRegistry, new_router
from registry.api.versions import text_of
from registry.errors import SchemaNotFound
from registry.operations import Listed, Page, Registry, SchemaFilter, Stored, unhurried
from registry.shapes import Json as Members

SubjectQuery = Annotated[
    str, Query(description="A subject that should hold the id; `:.context:` is any subject of that context.")
]
GuidPath = Annotated[str, Path(description="The GUID, with or without dashes.")]
router = new_router("schemas")


# First of all routes, because it is what every consumer in every language asks for first.
@router.get("/schemas/ids/{id}", responses=answers(SchemaString, SchemaNotFound), summary="Get a schema by id")
async def get_by_id(
    registry: TheRegistry,
    number: IdPath,
    subject: SubjectQuery = "",
    form: Form = "",
    reference_format: ReferenceFormat = "",
    find_tags: FindTags = (),
    fetch_max_id: Annotated[
        Flag, Query(alias="fetchMaxId", description="Whether to tell the highest id of the context.")
    ] = False,
    include_subjects: Annotated[
        Flag, Query(alias="includeSubjects", description="Whether to tell the subjects that hold the id.")
    ] = False,
) -> Response:
    """What an id means, and a version that holds it."""
    stored = await registry.schemas.by_id(number, optional_subject(subject))
    shown = Shown(
        stored,
        text_of(registry, stored, form),
        tags=registry.schemas.tags(stored.subject, stored.schema, find_tags) if find_tags else (),
        max_id=await registry.schemas.max_id(stored.subject) if fetch_max_id else None,
        subjects=await _live_subjects(registry, number, stored) if include_subjects else None,
        references_qualified=reference_format == "qualified",
    )
    return Json(version_object(SCHEMA_STRING, shown), tagged=True)


async def _live_subjects(registry: Registry, number: int, stored: Stored) -> Sequence[str]:
    # Of the context in which the id was found: the same number is another schema elsewhere.
    return await registry.schemas.subjects_of(number, stored.subject, deleted=False, page=Page())


@router.get("/schemas/ids/{id}/schema", responses=answers(Any, SchemaNotFound), summary="Get a text by id")
async def get_text_by_id(
    registry: TheRegistry, number: IdPath, subject: SubjectQuery = "", form: Form = ""
) -> Response:
    """The schema text that an id means, as it is."""
    stored = await registry.schemas.by_id(number, optional_subject(subject))
    return Text(text_of(registry, stored, form), tagged=True)


@router.get(
    "/schemas/ids/{id}/subjects",
    responses=answers(list[str], SchemaNotFound, PAGED),
    summary="List the subjects of an id",
)
async def list_subjects_of_id(
    registry: TheRegistry,
    number: IdPath,
    page: ThePage,
    subject: SubjectQuery = "",
    deleted: Deleted = False,
) -> Response:
    """The subjects with a version that holds an id."""
    names = await registry.schemas.subjects_of(number, optional_subject(subject), deleted=deleted, page=page)
    return Json(names, tagged=True)


@router.get(
    "/schemas/ids/{id}/versions",
    responses=answers(list[SubjectVersion], SchemaNotFound, PAGED),
    summary="List the versions of an id",
)
async def list_versions_of_id(
    registry: TheRegistry,
    number: IdPath,
    page: ThePage,
    subject: SubjectQuery = "",
    deleted: Deleted = False,
) -> Response:
    """For each subject that holds an id, the version that was written last."""
    found = await registry.schemas.versions_of(number, optional_subject(subject), deleted=deleted, page=page)
    versions = [{"subject": name, "version": version} for name, version in found]
    return Json(versions, tagged=True)


@router.get("/schemas/guids/{guid}", responses=answers(SchemaString, SchemaNotFound), summary="Get a schema by GUID")
async def get_by_guid(
    registry: TheRegistry,
    guid: GuidPath,
    form: Form = "",
) -> Response:
    """What a GUID means, in the default context or else in any other."""
    stored = await registry.schemas.by_guid(guid)
    return Json(version_object(SCHEMA_OF_GUID, Shown(stored, text_of(registry, stored, form))), tagged=True)


@router.get("/schemas/guids/{guid}/ids", responses=answers(list[ContextId]), summary="List the ids of a GUID")
async def list_ids_of_guid(registry: TheRegistry, guid: GuidPath) -> Response:
    """Every id that a GUID has, with its context; none when it is unknown."""
    ids = [{"context": context, "id": number} for context, number in await registry.schemas.ids_of_guid(guid)]
    return Json(ids, tagged=True)


@router.get("/schemas/types", responses=answers(list[str]), summary="List schema languages")
async def list_types(registry: TheRegistry) -> Response:
    """The schema languages that this registry knows."""
    return Json(registry.languages.names)


@router.get("/schemas", responses=answers(list[ListedSchema], PAGED), summary="List schemas")
async def list_schemas(
    registry: TheRegistry,
    page: ThePage,
    subject_prefix: Annotated[
        str,
        Query(
            alias="subjectPrefix",
            description="What the subjects begin with: nothing is the default context, `:*:` every context.",
        ),
    ] = "",
    aliases: Annotated[Flag, Query(description="Whether subjects are found by their aliases too.")] = False,
    deleted: Deleted = False,
    latest_only: Annotated[
        Flag, Query(alias="latestOnly", description="Whether only the last version of each subject counts.")
    ] = False,
    rule_type: Annotated[str, Query(alias="ruleType", description="The type of a rule that they must have.")] = "",
    resource_type: Annotated[
        str, Query(alias="resourceType", description="The type of a resource bound to the subject.")
    ] = "",
    association_type: Annotated[
        tuple[str, ...], Query(alias="associationType", description="The types of association with that resource.")
    ] = (),
    lifecycle: Annotated[
        tuple[Literal["STRONG", "WEAK", "NONE"], ...],
        Query(description="The lifecycles of that association; NONE is no association."),
    ] = (),
) -> Response:
    """The versions of all subjects, in order of subject and version."""
    wanted = SchemaFilter(
        prefix=subject_prefix,
        aliases=aliases,
        deleted=deleted,
        latest_only=latest_only,
        rule_type=rule_type or None,
        resource_type=resource_type or None,
        association_types=association_type,
        lifecycles=lifecycle,
    )
    return Json(await unhurried(map(_listed_object, await registry.schemas.list(wanted, page))))


def _listed_object(listed: Listed) -> Members:
    found = version_object(SCHEMA, Shown(listed.stored, listed.stored.schema.text))
    if listed.aliases:
        found["aliases"] = list(listed.aliases)
    if listed.associations:
        found["associations"] = [bound_object(bound) for bound in listed.associations]
    return found
