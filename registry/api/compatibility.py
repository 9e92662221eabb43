"""Routes of compatibility: `/compatibility`, and ours under `/signet/v1/compatibility`, which explains itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from registry.api.messages import RegisterSchemaRequest
from registry.api.objects import objection_object
from registry.api.parameters import Flag, Normalize, SubjectPath, VersionPath
from registry.api.replies import CompatibilityVerdict, Explanation, answers
from registry.api.route import Json, TheRegistry, new_router
from registry.errors import InvalidSchema, InvalidVersion, VersionNotFound
from registry.model import Subject
from registry.operations import Candidate, Registry, Verdict

Verbose = Annotated[Flag, Query(description="Whether to say why a schema does not fit, an unreadable one included.")]
router = new_router("compatibility")


@router.post(
    "/compatibility/subjects/{subject}/versions/{version}",
    responses=answers(CompatibilityVerdict, VersionNotFound, InvalidVersion, InvalidSchema, bodied=True),
    summary="Check a schema against a version",
)
async def check_version(
    registry: TheRegistry,
    subject: SubjectPath,
    version: VersionPath,
    body: RegisterSchemaRequest,
    normalize: Normalize = False,
    verbose: Verbose = False,
) -> Response:
    """Whether a schema fits one version of a subject, in the direction of the level in force."""
    return await _verdict(registry, Subject.of(subject), version, body.value(), normalize, verbose)


@router.post(
    "/compatibility/subjects/{subject}/versions",
    responses=answers(CompatibilityVerdict, InvalidSchema, bodied=True),
    summary="Check a schema against a subject",
)
async def check_subject(
    registry: TheRegistry,
    subject: SubjectPath,
    body: RegisterSchemaRequest,
    normalize: Normalize = False,
    verbose: Verbose = False,
) -> Response:
    """Whether a schema fits as many versions of a subject as the level in force asks for."""
    return await _verdict(registry, Subject.of(subject), None, body.value(), normalize, verbose)


async def _verdict(
    registry: Registry, subject: Subject, version: int | None, candidate: Candidate, normalize: bool, verbose: bool
) -> Response:
    try:
        found = await registry.compatibility.check(subject, version, candidate, normalize=normalize)
    except InvalidSchema as error:
        # Who asks for the reasons gets this one as a verdict, not as a refusal.
        if not verbose:
            raise
        found = Verdict(messages=(error.message,))
    verdict = {"is_compatible": found.compatible}
    return Json({**verdict, "messages": found.messages} if verbose else verdict)


@router.post(
    "/signet/v1/compatibility/subjects/{subject}/versions/{version}",
    responses=answers(Explanation, VersionNotFound, InvalidVersion, InvalidSchema, bodied=True),
    summary="Explain a schema against a version",
)
async def explain_version(
    registry: TheRegistry,
    subject: SubjectPath,
    version: VersionPath,
    body: RegisterSchemaRequest,
    normalize: Normalize = False,
) -> Response:
    """What stands between a schema and one version of a subject (Signet only)."""
    verdict = await registry.compatibility.check(Subject.of(subject), version, body.value(), normalize=normalize)
    return _explanation(verdict)


@router.post(
    "/signet/v1/compatibility/subjects/{subject}/versions",
    responses=answers(Explanation, InvalidSchema, bodied=True),
    summary="Explain a schema against a subject",
)
async def explain_subject(
    registry: TheRegistry, subject: SubjectPath, body: RegisterSchemaRequest, normalize: Normalize = False
) -> Response:
    """What stands between a schema and as many versions of a subject as the level in force asks for (Signet only)."""
    verdict = await registry.compatibility.check(Subject.of(subject), None, body.value(), normalize=normalize)
    return _explanation(verdict)


def _explanation(verdict: Verdict) -> Response:
    findings = [objection_object(objection) for objection in verdict.objections]
    return Json({"compatible": verdict.compatible, "findings": findings, "messages": verdict.messages})
