"""Metrics: `GET /metrics` in Prometheus' text format; what is counted where, see `exposition`.

Counting costs a request a few additions; names and labels are made when somebody asks.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Final

from fastapi import Depends, Request, Response
from msgspec import Struct

from registry.api.answers import Answers
from registry.api.declaration import PlainRoute, Router
from registry.api.route import checked
from registry.api.visit import RequestTallies
from registry.operations import Registry

EXPOSITION: Final = "registry.api.exposition"
# Scrapers send whatever Accept header they like, so that this is none of the routes that judge it.
router = Router(PlainRoute, tags=["server"], dependencies=[Depends(checked)])


class Counted(Struct, frozen=True):
    """Everything that counts something; `registry` is the whole one."""

    requests: RequestTallies
    answers: Answers
    registry: Registry


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "The metrics."}},
    summary="Tell the metrics",
)
async def get_metrics(request: Request) -> Response:
    """What happened since the start, and how much there is, in Prometheus' text format."""
    # Loaded when it is first asked for: Prometheus' client takes longer to load than a request may take, and most of a
    # hundred milliseconds of every start.
    exposition = await asyncio.to_thread(import_module, EXPOSITION)
    state = request.app.state
    content = exposition.render(Counted(state.tallies, state.answers, state.registry))
    return Response(content, media_type=exposition.MEDIA_TYPE)
