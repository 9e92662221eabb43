"""Routes about the server itself: the root, `/v1/metadata`, and health."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from registry.api.declaration import PlainRoute, Router
from registry.api.replies import Deployment, ErrorReply, Health, ServerIdentity, ServerVersion, answers
from registry.api.route import Json, TheRegistry, new_router

router = new_router("server")
health_router = Router(PlainRoute, tags=["server"])


@router.get("/", responses=answers(dict[str, Any]), summary="Say hello")
async def get_root() -> Response:
    """An empty object: the registry is there."""
    return Json({})


@router.post("/", responses=answers(dict[str, Any], bodied=True), summary="Say hello with a body")
async def post_root(body: dict[str, Any] | None) -> Response:  # noqa: ARG001 - the body is read, and that is all
    """An empty object, whatever object was sent, or none."""
    return Json({})


@router.get("/v1/metadata/id", responses=answers(ServerIdentity), summary="Identify the registry")
async def get_identity(request: Request, registry: TheRegistry) -> Response:
    """Which log this registry serves, and its name, where Confluent's clients look for them."""
    # Clients compare these to tell registries apart; the log's identity is what makes one registry one.
    clusters = {"kafka-cluster": str(registry.uuid), "schema-registry-cluster": request.app.state.cluster}
    return Json({"scope": {"path": [], "clusters": clusters}})


@router.get("/v1/metadata/version", responses=answers(ServerVersion), summary="Tell the release")
async def get_release() -> Response:
    """Which release of Signet this is."""
    return Json({"version": version("signet"), "commitId": ""})


@router.get("/v1/metadata/deployment", responses=answers(Deployment), summary="Tell the deployment")
async def get_deployment() -> Response:
    """Nothing: attributes of a deployment exist in Confluent's cloud only."""
    return Json({"attributes": []})


# Probes send whatever Accept header they like, or none, and are not told that their media type is not served.
@health_router.get("/health/live", response_model=Health, summary="Tell whether the server runs")
async def get_liveness() -> Response:
    """200 as long as the server can answer at all."""
    return JSONResponse({"status": "live"})


@health_router.get(
    "/health/ready",
    response_model=Health,
    responses={503: {"model": Health | ErrorReply, "description": "It is draining, or its store is of no use to it."}},
    summary="Tell whether the server should get requests",
)
async def get_readiness(request: Request, registry: TheRegistry) -> Response:
    """200 while the store answers and the server is not about to stop."""
    await registry.barrier()
    status = "ready"
    # Of a store that is its own a node alone can still tell what it knows; of a shared one others know more.
    if registry.shared and registry.alarm:
        status = "alarmed"
    if request.app.state.closing.is_set():
        status = "draining"
    return JSONResponse({"status": status}, 200 if status == "ready" else 503)
