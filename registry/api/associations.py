"""Routes of associations: reading them, as new Java clients do before their first message; nothing changes them here.

Follows Confluent's associations API; its mutations answer 405.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Response

from registry.api.messages import TOPIC, AssociationBatchGetRequest, AssociationGetRequest, Lifecycle
from registry.api.objects import SCHEMA, Shown, bound_object, version_object
from registry.api.parameters import Flag, SubjectPath, ThePage
from registry.api.replies import PAGED, Association, AssociationBatch, answers
from registry.api.route import Json, TheRegistry, new_router
from registry.errors import InvalidAssociation, MethodNotAllowed, NotFound, RegistryError
from registry.model import LATEST, Subject
from registry.operations import Bound, BoundFilter, Page, Registry
from registry.shapes import Json as Members
from registry.shapes import present

router = new_router("associations")


async def _wanted(
    resource_type: Annotated[
        str, Query(alias="resourceType", description="The type of the resource; absent means topic.")
    ] = "",
    association_type: Annotated[
        tuple[str, ...], Query(alias="associationType", description="Which types: key, value; absent means all.")
    ] = (),
    lifecycle: Annotated[Lifecycle | Literal[""], Query(description="Which lifecycle; absent means both.")] = "",
) -> BoundFilter:
    return BoundFilter(resource_type or TOPIC, association_type, lifecycle or None)


Wanted = Annotated[BoundFilter, Depends(_wanted)]
ResourcePath = Annotated[str, Path(description="The id of the resource.")]
NamespacePath = Annotated[str, Path(description="The namespace; `-` with name `-` is any.")]
NamePath = Annotated[str, Path(description="The name of the resource; `-` is any.")]


@router.get("/associations/subjects/{subject}", responses=answers(list[Association], PAGED), summary="List by subject")
async def list_of_subject(registry: TheRegistry, subject: SubjectPath, wanted: Wanted, page: ThePage) -> Response:
    """The associations of a subject."""
    return _bounds(await registry.associations.of_subject(Subject.of(subject), wanted, page))


@router.get(
    "/associations/resources/{resource}", responses=answers(list[Association], PAGED), summary="List by resource id"
)
async def list_of_resource_id(registry: TheRegistry, resource: ResourcePath, wanted: Wanted, page: ThePage) -> Response:
    """The associations of the resource with this id."""
    return _bounds(await registry.associations.of_resource_id(resource, wanted, page))


@router.get(
    "/associations/resources/{namespace}/{name}",
    responses=answers(list[Association], PAGED),
    summary="List by resource",
)
async def list_of_resource(
    registry: TheRegistry, namespace: NamespacePath, name: NamePath, wanted: Wanted, page: ThePage
) -> Response:
    """The associations of a resource."""
    return _bounds(await registry.associations.of_resource(namespace, name, wanted, page))


def _bounds(found: Sequence[Bound]) -> Response:
    return Json([bound_object(bound) for bound in found])


@router.post(
    "/associations:batchGet",
    status_code=207,
    responses=answers(AssociationBatch, InvalidAssociation, status=207, bodied=True),
    summary="Get the associations of many resources",
)
async def get_batch(
    registry: TheRegistry,
    body: AssociationBatchGetRequest,
    include_schemas: Annotated[
        Flag, Query(alias="includeSchemas", description="Whether to add the latest version of each subject.")
    ] = False,
) -> Response:
    """The associations of many resources, each answered for itself."""
    if not body.requests:
        raise InvalidAssociation("requests", "cannot be null or empty")
    results = [await _result(registry, request, include_schemas) for request in body.requests]
    return Json({"results": results}, 207)


async def _result(registry: Registry, request: AssociationGetRequest, include_schemas: bool) -> Members:
    try:
        return {"result": await _associations_of(registry, request, include_schemas)}
    except RegistryError as error:
        # One bad question spoils no other, but a store out of reach answers none of them.
        if error.status >= 500:
            raise
        message = f"Error while getting associations: {error.message}"
        return {"error": {"error_code": RegistryError.code, "message": message}}


async def _associations_of(registry: Registry, request: AssociationGetRequest, include_schemas: bool) -> Members:
    found = await _found(registry, request)
    # What the question left open is filled in from what was found; there may be nothing.
    first = found[0].association if found else None
    shown = [await _of_resource(registry, bound, include_schemas) for bound in found]
    return present(
        resourceName=request.resource_name or (first and first.resource_name),
        resourceNamespace=request.resource_namespace or (first and first.resource_namespace),
        resourceId=request.resource_id or (first and first.resource_id),
        resourceType=request.resource_type or TOPIC,
        associations=shown,
    )


async def _found(registry: Registry, request: AssociationGetRequest) -> Sequence[Bound]:
    if request.resource_id:
        return await registry.associations.of_resource_id(request.resource_id, request.value(), Page())
    if not request.resource_name:
        raise InvalidAssociation("resourceId", "either resourceId or resourceName must be specified")
    if not request.resource_namespace:
        raise InvalidAssociation("resourceNamespace", "resourceNamespace is required when resourceName is specified")
    return await registry.associations.of_resource(
        request.resource_namespace, request.resource_name, request.value(), Page()
    )


async def _of_resource(registry: Registry, bound: Bound, include_schemas: bool) -> Members:
    members = bound_object(bound)
    shown: Members = {
        name: members[name] for name in ("subject", "associationType", "lifecycle", "frozen") if name in members
    }
    if include_schemas:
        # An association may outlive the versions of its subject.
        with suppress(NotFound):
            stored = await registry.versions.get(bound.association.subject, LATEST)
            shown["schema"] = version_object(SCHEMA, Shown(stored, stored.schema.text))
    return shown


async def _refuse() -> Response:
    raise MethodNotAllowed(["OPTIONS"])


# Nothing else is at these two paths, so that without a route they would not be known at all: 404 instead of 405.
for path in ("/associations", "/associations:batchMutate"):
    router.post(path, include_in_schema=False)(_refuse)
