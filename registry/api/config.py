"""Routes of configs: `/config`."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from registry.api.dry_run import outcome
from registry.api.messages import ConfigUpdateRequest
from registry.api.parameters import DryRun, Flag, SubjectPath
from registry.api.replies import WRITING, Config, ConfigUpdated, Outcome, answers
from registry.api.route import Json, TheRegistry, new_router
from registry.errors import (
    InvalidLevel,
    InvalidRuleSet,
    InvalidSubject,
    OperationNotPermitted,
    SubjectConfigNotFound,
    SubjectNotFound,
)
from registry.model import Subject
from registry.operations import Registry
from registry.records import EVERYTHING
from registry.shapes import config_echo_json, config_json

DefaultToGlobal = Annotated[
    Flag, Query(alias="defaultToGlobal", description="Whether to answer what is in force where nothing is set.")
]
REFUSING = (InvalidLevel, InvalidRuleSet, OperationNotPermitted, *WRITING)
router = new_router("config")


@router.get("/config/{subject}", responses=answers(Config, SubjectConfigNotFound), summary="Get a subject's config")
async def get_subject_config(
    registry: TheRegistry, subject: SubjectPath, default_to_global: DefaultToGlobal = False
) -> Response:
    """The config of a subject, or of a context named as `:.context:`."""
    return Json(config_json(await registry.config.get(Subject.of(subject), default_to_global=default_to_global)))


@router.get("/config", responses=answers(Config), summary="Get the global config")
async def get_config(registry: TheRegistry, default_to_global: DefaultToGlobal = False) -> Response:
    """The config of the whole registry."""
    return Json(config_json(await registry.config.get(EVERYTHING, default_to_global=default_to_global)))


@router.put(
    "/config/{subject}",
    responses=answers(ConfigUpdated | Outcome, *REFUSING, InvalidSubject, bodied=True),
    summary="Change a subject's config",
)
async def put_subject_config(
    registry: TheRegistry, subject: SubjectPath, body: ConfigUpdateRequest, dry_run: DryRun = False
) -> Response:
    """Change the config of a subject or context: what is absent stays, null clears."""
    return await _put(registry, Subject.of(subject), body, dry_run)


@router.put(
    "/config", responses=answers(ConfigUpdated | Outcome, *REFUSING, bodied=True), summary="Change the global config"
)
async def put_config(registry: TheRegistry, body: ConfigUpdateRequest, dry_run: DryRun = False) -> Response:
    """Change the config of the whole registry: what is absent stays, null clears."""
    return await _put(registry, EVERYTHING, body, dry_run)


async def _put(registry: Registry, subject: Subject, body: ConfigUpdateRequest, dry_run: bool) -> Response:
    return await outcome(registry.config.put(subject, body.value(), dry_run=dry_run), config_echo_json, dry_run=dry_run)


@router.delete(
    "/config/{subject}",
    responses=answers(Config | Outcome, SubjectNotFound, OperationNotPermitted, *WRITING),
    summary="Remove a subject's config",
)
async def delete_subject_config(registry: TheRegistry, subject: SubjectPath, dry_run: DryRun = False) -> Response:
    """Remove the config of a subject or context; the answer is what it was."""
    return await outcome(registry.config.delete(Subject.of(subject), dry_run=dry_run), config_json, dry_run=dry_run)


@router.delete(
    "/config", responses=answers(Config | Outcome, OperationNotPermitted, *WRITING), summary="Reset the global config"
)
async def delete_config(registry: TheRegistry, dry_run: DryRun = False) -> Response:
    """Put the config of the whole registry back to the defaults; the answer is what it was."""
    return await outcome(registry.config.delete(EVERYTHING, dry_run=dry_run), config_json, dry_run=dry_run)
