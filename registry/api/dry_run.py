"""Changes and dry runs of changes: a wish is carried out, or told what would become of it (Signet only)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Response

from registry.api.objects import records_of
from registry.api.route import Json
from registry.errors import RegistryError
from registry.operations import Plan
from registry.shapes import Json as Members

Answer = TypeVar("Answer")
Facts = Callable[[], Awaitable[Members]]


async def outcome(
    wish: Awaitable[Answer | Plan], shown: Callable[[Answer], Any], *, dry_run: bool, facts: Facts | None = None
) -> Response:
    """Answer a change, or say what would happen.

    shown: how the change's answer looks as JSON; facts: what a dry run tells besides.

    Raises what the wish raises; of a dry run only what is the registry's own fault.
    """
    try:
        answer = await wish
    except RegistryError as error:
        # A refusal is what a dry run is for; a store out of reach says nothing about the wish.
        if not dry_run or error.status >= 500:
            raise
        told: Members = {"accepted": False, "refusal": {"error_code": error.code, "message": error.message}}
    else:
        if not isinstance(answer, Plan):
            return Json(shown(answer))
        told = {"accepted": True, "answer": shown(answer.answer), "records": records_of(answer)}
    return Json(told | (await facts() if facts else {}))
