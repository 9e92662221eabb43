"""A registry in this process, and a client that speaks to it without a socket."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from registry.app import Application, OpenStore
from registry.log import open_log
from registry.settings import Settings


class Client:
    """Sends requests into an ASGI application, one after the other."""

    def __init__(self, runner: asyncio.Runner, client: httpx.AsyncClient) -> None:
        self._runner = runner
        self._client = client

    def __call__(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """Send a request; `path` is sent as it is written."""
        return self._runner.run(self._client.request(method, path, **parts))

    def together(self, requests: list[tuple[str, str, Any]], then: Callable[[], None]) -> list[httpx.Response]:
        """Send requests at once, and do something when all of them are under way."""

        async def send_all() -> list[httpx.Response]:
            calls = [
                asyncio.create_task(self._client.request(method, path, json=body)) for method, path, body in requests
            ]
            await asyncio.sleep(0.1)
            then()
            return await asyncio.gather(*calls)

        return self._runner.run(send_all())

    def get(self, path: str, **parts: Any) -> Any:
        return self("GET", path, **parts).json()

    def register(self, subject: str, schema: str = '"string"', **members: Any) -> int:
        """Register a schema and answer its id."""
        answer = self("POST", f"/subjects/{subject}/versions", json={"schema": schema, **members})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])


@contextmanager
def running_client(open_store: OpenStore = open_log, **settings: Any) -> Iterator[Client]:
    application = Application(Settings(_env_file=None, **{"store": "memory:", **settings}), open_store=open_store)
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
