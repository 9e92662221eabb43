"""Routes of modes: `/mode`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from registry import model
from registry.api.config import DefaultToGlobal
from registry.api.dry_run import outcome
from registry.api.messages import ModeUpdateRequest
from registry.api.parameters import DryRun, Flag, Force, SubjectPath
from registry.api.replies import WRITING, Mode, ModeUpdated, Outcome, answers
from registry.api.route import Json, TheRegistry, new_router
from registry.errors import (
    InvalidMode,
    InvalidSubject,
    OperationNotPermitted,
    ReferenceExists,
    SubjectModeNotFound,
    SubjectNotFound,
)
from registry.model import Subject
from registry.operations import Registry
from registry.records import EVERYTHING
from registry.shapes import Json as Members

Recursive = Annotated[Flag, Query(description="Whether to remove the modes of all subjects in it too.")]
REFUSING = (InvalidMode, OperationNotPermitted, ReferenceExists, *WRITING)
router = new_router("mode")


@router.get("/mode/{subject}", responses=answers(Mode, SubjectModeNotFound), summary="Get a subject's mode")
async def get_subject_mode(
    registry: TheRegistry, subject: SubjectPath, default_to_global: DefaultToGlobal = False
) -> Response:
    """The mode of a subject, or of a context named as `:.context:`."""
    return Json(_mode_object(await registry.mode.get(Subject.of(subject), default_to_global=default_to_global)))


@router.get("/mode", responses=answers(Mode), summary="Get the global mode")
async def get_mode(registry: TheRegistry, default_to_global: DefaultToGlobal = False) -> Response:
    """The mode of the whole registry."""
    return Json(_mode_object(await registry.mode.get(EVERYTHING, default_to_global=default_to_global)))


@router.put(
    "/mode/{subject}",
    responses=answers(ModeUpdated | Outcome, *REFUSING, InvalidSubject, bodied=True),
    summary="Set a subject's mode",
)
async def put_subject_mode(
    registry: TheRegistry,
    subject: SubjectPath,
    body: ModeUpdateRequest,
    force: Force = False,
    dry_run: DryRun = False,
) -> Response:
    """Set the mode of a subject or context; null clears it."""
    return await _put(registry, Subject.of(subject), body, force, dry_run)


@router.put("/mode", responses=answers(ModeUpdated | Outcome, *REFUSING, bodied=True), summary="Set the global mode")
async def put_mode(
    registry: TheRegistry, body: ModeUpdateRequest, force: Force = False, dry_run: DryRun = False
) -> Response:
    """Set the mode of the whole registry; null clears it."""
    return await _put(registry, EVERYTHING, body, force, dry_run)


async def _put(registry: Registry, subject: Subject, body: ModeUpdateRequest, force: bool, dry_run: bool) -> Response:
    wish = registry.mode.put(subject, body.value(), force=force, dry_run=dry_run)
    # The answer is the request's own word, `readOnly` for READONLY, as Confluent's registry gives it.
    return await outcome(wish, lambda _: {"mode": body.mode}, dry_run=dry_run)


@router.delete(
    "/mode/{subject}",
    responses=answers(Mode | Outcome, SubjectNotFound, OperationNotPermitted, *WRITING),
    summary="Remove a subject's mode",
)
async def delete_subject_mode(
    registry: TheRegistry, subject: SubjectPath, recursive: Recursive = False, dry_run: DryRun = False
) -> Response:
    """Remove the mode of a subject or context; the answer is what it was."""
    return await _delete(registry, Subject.of(subject), recursive, dry_run)


@router.delete(
    "/mode", responses=answers(Mode | Outcome, OperationNotPermitted, *WRITING), summary="Reset the global mode"
)
async def delete_mode(registry: TheRegistry, recursive: Recursive = False, dry_run: DryRun = False) -> Response:
    """Put the mode of the whole registry back to READWRITE; the answer is what it was."""
    return await _delete(registry, EVERYTHING, recursive, dry_run)


async def _delete(registry: Registry, subject: Subject, recursive: bool, dry_run: bool) -> Response:
    wish = registry.mode.delete(subject, recursive=recursive, dry_run=dry_run)
    return await outcome(wish, _mode_object, dry_run=dry_run)


def _mode_object(mode: model.Mode | None) -> Members:
    return {} if mode is None else {"mode": mode.word}
