"""Puts the parts together: settings in, finished ASGI application out.

Around FastAPI stand plain ASGI layers only: the edge with the finished answers, then the table of routes. Hot routes
come first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib.metadata import version
from itertools import chain
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline
from starlette.types import Receive, Scope, Send

from registry.api import (
    associations,
    compatibility,
    config,
    contexts,
    events,
    failures,
    metrics,
    mode,
    schemas,
    server,
    subjects,
    versions,
)
from registry.api.answers import Answers
from registry.api.declaration import Declared
from registry.api.dispatch import Dispatch
from registry.api.edge import Edge
from registry.api.paths import AliasOf
from registry.api.visit import RequestTallies
from registry.auth import Caller, Guard, PasswordGuard, Unguarded
from registry.errors import SettingInvalid
from registry.log import Log, open_log
from registry.operations import Consistency, OnReplay, Registry, opened
from registry.settings import Settings, read_settings

# FastAPI's router tries them in this order for whatever `Dispatch` does not find in its table.
HOT_FIRST: Final = (
    schemas.router,
    versions.router,
    subjects.router,
    config.router,
    mode.router,
    compatibility.router,
    associations.router,
    contexts.router,
    server.router,
    server.health_router,
    metrics.router,
    events.router,
)
OpenStore = Callable[[str], Awaitable[Log]]


class Application:
    """The ASGI application of one registry; servers may run its lifespan, or the caller enters `running`."""

    def __init__(self, settings: Settings, on_replay: OnReplay | None = None, open_store: OpenStore = open_log) -> None:
        """Put the parts together.

        on_replay: is told how far the replay of a large store has come; open_store: opens the log of a store's URL.

        Raises SettingInvalid when the users file or the grants file does not hold, or the snapshot has no folder.
        """
        # Before the store is opened, which makes one that is not there yet.
        settings.check_folders()
        answers, tallies, guard = Answers(settings.max_answer_bytes), RequestTallies(), _guard(settings)
        self._surface = _surface(settings, answers, guard, on_replay, open_store)
        state = self._surface.state
        state.answers, state.tallies, state.guard = answers, tallies, guard
        dispatch = Dispatch(self._surface, self._aliases_for, self._current)
        self.edge = Edge(dispatch, guard, answers, tallies, settings.max_body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        await self.edge(scope, receive, send)

    def running(self) -> AbstractAsyncContextManager[object]:
        """Open the store, replay it and serve writes while the context is open.

        Raises StoreUnusable when the store cannot be opened.
        """
        return self._surface.router.lifespan_context(self._surface)

    def close(self) -> None:
        """Get ready to stop: no longer ready, streams of events end; everything else is served on."""
        self._surface.state.closing.set()

    async def _current(self) -> None:
        registry: Registry = self._surface.state.registry
        if registry.shared:
            await registry.barrier()

    def _aliases_for(self, caller: Caller) -> AliasOf | None:
        registry: Registry = self._surface.state.registry
        if not registry.has_aliases:
            return None
        return lambda subject: registry.alias_of(subject) if caller.permissions.sees(subject) else None


def create(settings: Settings | None = None, on_replay: OnReplay | None = None) -> Application:
    """The application for some settings, or for those of the environment (`uvicorn --factory registry.app:create`)."""
    return Application(settings or read_settings({}), on_replay)


def _guard(settings: Settings) -> Guard:
    if settings.users_file is not None:
        return PasswordGuard(settings.users_file, settings.grants_file)
    # Refused, because who writes grants means them to hold.
    if settings.grants_file is not None:
        raise SettingInvalid(
            "The setting SIGNET_GRANTS_FILE needs SIGNET_USERS_FILE: without users nothing can be granted"
        )
    return Unguarded()


def _surface(
    settings: Settings, answers: Answers, guard: Guard, on_replay: OnReplay | None, open_store: OpenStore
) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        log = await open_store(settings.store)
        async with (
            guard.watching(),
            opened(
                log,
                settings.policy(),
                consistency=Consistency.of(settings.read_consistency),
                max_parsed_bytes=settings.max_parsed_bytes,
                max_waiting=settings.max_waiting_writes,
                snapshot_path=settings.snapshot_path(log.file),
                on_replay=on_replay,
            ) as registry,
        ):
            app.state.registry = answers.registry = registry
            yield

    # Routes go in as they are: `include_router` would look for every one of them twice.
    # FastAPIOffline, because a registry often stands where no CDN is in reach, and its documentation stands with it.
    surface = FastAPIOffline(
        title="Signet",
        summary="A schema registry that speaks Confluent's REST API.",
        version=version("signet"),
        routes=list(chain.from_iterable(router.routes for router in HOT_FIRST)),
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
    )
    surface.state.cluster = settings.cluster
    surface.state.old_clients = settings.old_clients
    surface.state.closing = asyncio.Event()
    surface.openapi = partial(_documentation, surface)  # type: ignore[method-assign]  # FastAPI's way of having its own
    failures.install(surface)
    return surface


def _documentation(surface: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made when it is first asked for."""
    if not surface.openapi_schema:
        routes = [route.documented() if isinstance(route, Declared) else route for route in surface.routes]
        surface.openapi_schema = get_openapi(
            title=surface.title, summary=surface.summary, version=surface.version, routes=routes
        )
    return surface.openapi_schema
