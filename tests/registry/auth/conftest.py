"""A guarded registry in this process, and clients that speak to it as its users."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest

from registry.app import Application
from registry.settings import Settings

GRANTS = {
    "root": ([":*:*"], ["admin"]),
    "ana": (["orders-*", ":.prod:orders-*"], ["write"]),
    "ben": (["orders-*"], ["read"]),
    "del": (["orders-*"], ["delete"]),
    "ops": ([":.prod:*"], ["admin"]),
    "all": (["*"], ["admin"]),
    "non": (["nothing"], ["read"]),
}


class House:
    """A registry with users, whose passwords are their names."""

    def __init__(self, runner: asyncio.Runner, client: httpx.AsyncClient) -> None:
        self._runner = runner
        self._client = client

    def __call__(self, user: str | None, method: str, path: str, body: Any = None, **parts: Any) -> httpx.Response:
        """Send a request as a user; `path` is sent as it is written."""
        parts = {"json": body, **parts} if body is not None else parts
        return self._runner.run(self._client.request(method, path, auth=user and (user, user), **parts))

    def wait(self, seconds: float) -> None:
        """Let the registry run for a while."""
        self._runner.run(asyncio.sleep(seconds))

    def register(self, subject: str, schema: str, user: str = "root", **members: Any) -> int:
        """Register a schema and answer its id."""
        answer = self(user, "POST", f"/subjects/{subject}/versions", {"schema": schema, **members})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])


def write_users(file: Path, *names: str) -> None:
    file.write_text("".join(f"{name}:{bcrypt.hashpw(name.encode(), bcrypt.gensalt(4)).decode()}\n" for name in names))


def write_grants(file: Path) -> None:
    file.write_text("".join(f"[[grant]]\nusers={[u]}\nsubjects={s}\nrights={r}\n" for u, (s, r) in GRANTS.items()))


def opened_house(**settings: Any) -> Iterator[House]:
    application = Application(Settings(_env_file=None, store="memory:", **settings))
    with asyncio.Runner() as runner:
        running = application.running()
        runner.run(running.__aenter__())
        try:
            transport = httpx.ASGITransport(application, raise_app_exceptions=False)
            yield House(runner, httpx.AsyncClient(transport=transport, base_url="http://registry"))
        finally:
            runner.run(running.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The settings that name a users file and a grants file."""
    folder = tmp_path_factory.mktemp("house")
    write_users(folder / "users", *GRANTS)
    write_grants(folder / "grants.toml")
    return {"users_file": folder / "users", "grants_file": folder / "grants.toml"}


@pytest.fixture(scope="module")
def module_house(files: dict[str, Path]) -> Iterator[House]:
    """A guarded registry that the tests of a module share."""
    yield from opened_house(**files)


@pytest.fixture
def house(files: dict[str, Path]) -> Iterator[House]:
    """A guarded registry without schemas."""
    yield from opened_house(**files)


@pytest.fixture
def start_house() -> Iterator[Callable[..., House]]:
    """Start registries with settings of their own, until the test ends."""
    houses: list[Iterator[House]] = []

    def start(**settings: Any) -> House:
        houses.append(opened_house(**settings))
        return next(houses[-1])

    yield start
    for opened in houses:
        next(opened, None)
