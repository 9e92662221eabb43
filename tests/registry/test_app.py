"""The application as a whole."""

import httpx
import pytest
from starlette.middleware.base import BaseHTTPMiddleware

from registry import replay
from registry.api.edge import Edge
from registry.app import HOT_FIRST, create
from registry.errors import StoreUnusable
from registry.settings import Settings


def test_no_layer_is_a_base_http_middleware() -> None:
    layer = create(Settings(store="memory:")).edge
    assert isinstance(layer, Edge)
    while (layer := getattr(layer, "app", None)) is not None:
        assert not isinstance(layer, BaseHTTPMiddleware)


def test_no_two_routes_answer_the_same_request() -> None:
    routes = [(route.method, route.path) for router in HOT_FIRST for route in router.routes]
    assert len(routes) == len(set(routes))


@pytest.mark.anyio
async def test_a_store_that_cannot_be_opened_is_refused() -> None:
    application = create(Settings(store="nonsense"))
    with pytest.raises(StoreUnusable):
        async with application.running():
            pass


async def answers(store: str) -> list[tuple[int, str, str]]:
    """What a registry answers that was started on a store, registers one more version, and stops."""
    application = create(Settings(store=store))
    asked = ["/subjects", "/subjects/s/versions", "/subjects/s/versions/1", "/schemas/ids/1/versions", "/schemas"]
    async with (
        application.running(),
        httpx.AsyncClient(transport=httpx.ASGITransport(application.edge), base_url="http://registry") as client,
    ):
        told = [await client.get(path) for path in asked]
        await client.post("/subjects/s/versions", json={"schema": '{"type": "fixed", "name": "f", "size": 1}'})
        return [(answer.status_code, answer.text, answer.headers.get("etag", "")) for answer in told]


@pytest.mark.anyio
async def test_a_start_from_a_snapshot_answers_as_a_replay_does(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(replay, "MANY_RECORDS", 0)
    store = f"sqlite:{tmp_path / 'signet.db'}"
    await answers(store)
    by_snapshot = await answers(store)
    (tmp_path / "signet.db.snapshot").unlink()
    assert await answers(store) == by_snapshot
    assert by_snapshot[1][:2] == (200, "[1]")
