"""A registry in this process, and a client that speaks to it without a socket."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from registry.app import create
from registry.settings import Settings


class Client:
    """Sends requests into an ASGI application, one after the other."""

    def __init__(self, runner: asyncio.Runner, client: httpx.AsyncClient) -> None:
        self._runner = runner
        self._client = client

    def __call__(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """Send a request; `path` is sent as it is written."""
        return self._runner.run(self._client.request(method, path, **parts))

    def get(self, path: str, **parts: Any) -> Any:
        return self("GET", path, **parts).json()

    def register(self, subject: str, schema: str = '"string"', **members: Any) -> int:
        """Register a schema and answer its id."""
        answer = self("POST", f"/subjects/{subject}/versions", json={"schema": schema, **members})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])


@contextmanager
def running_client(**settings: Any) -> Iterator[Client]:
    application = create(Settings(_env_file=None, **{"store": "memory:", **settings}))
    with asyncio.Runner() as runner:
        running = application.running()
        runner.run(running.__aenter__())
        try:
            transport = httpx.ASGITransport(application, raise_app_exceptions=False)
            yield Client(runner, httpx.AsyncClient(transport=transport, base_url="http://registry"))
        finally:
            runner.run(running.__aexit__(None, None, None))


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of a fresh registry in memory."""
    with running_client() as client:
        yield client


@pytest.fixture(scope="module")
def shared_client() -> Iterator[Client]:
    """A client of a registry in memory that the tests of a module share; for tests that change nothing."""
    with running_client() as client:
        yield client


@pytest.fixture
def start_client() -> Iterator[Callable[..., Client]]:
    """Start registries with settings of their own: `start_client(max_body_bytes=10)`."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(running_client(**settings))
