"""The application as a whole."""

import pytest
from starlette.middleware.base import BaseHTTPMiddleware

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
    routes = [(method, route.path) for router in HOT_FIRST for route in router.routes for method in route.methods]
    assert len(routes) == len(set(routes))


@pytest.mark.anyio
async def test_a_store_that_cannot_be_opened_is_refused() -> None:
    application = create(Settings(store="nonsense"))
    with pytest.raises(StoreUnusable):
        async with application.running():
            pass
