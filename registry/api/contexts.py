"""Routes of contexts: `/contexts`; what stands under a context is rewritten before routing (see `paths`)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response

from registry.api.dry_run import outcome
from registry.api.parameters import DryRun, ThePage
from registry.api.replies import PAGED, WRITING, Outcome, answers
from registry.api.route import Json, TheRegistry, new_router
from registry.errors import ContextNotEmpty
from registry.model import Subject

router = new_router("contexts")


@router.get("/contexts", responses=answers(list[str], PAGED), summary="List contexts")
async def list_contexts(
    registry: TheRegistry,
    page: ThePage,
    context_prefix: Annotated[
        str, Query(alias="contextPrefix", description="What the names begin with, such as `.prod`.")
    ] = "",
) -> Response:
    """The names of the contexts, the default one (`.`) first."""
    return Json(await registry.contexts.list(context_prefix, page))


@router.delete(
    "/contexts/{context}",
    status_code=204,
    responses=answers(None, status=204) | answers(Outcome, ContextNotEmpty, *WRITING),
    summary="Delete a context",
)
async def delete_context(
    registry: TheRegistry,
    context: Annotated[str, Path(description="The context, such as `.prod` or `:.prod:`.")],
    dry_run: DryRun = False,
) -> Response:
    """Forget a context without subjects; its config and mode stay."""
    # It arrives as `:.prod:` whatever was sent: the address was rewritten like any other below `/contexts/`.
    wish = registry.contexts.delete(Subject.of(context).context, dry_run=dry_run)
    told = await outcome(wish, lambda answer: answer, dry_run=dry_run)
    return told if dry_run else Response(status_code=204)
