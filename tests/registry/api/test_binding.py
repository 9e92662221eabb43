"""What a route takes from a request: the same as its documentation says."""

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant

from registry.api.binding import Plan
from registry.api.route import Route
from registry.app import HOT_FIRST

ROUTES = [route for router in HOT_FIRST for route in router.routes if isinstance(route, Route)]


def taken(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Where each argument comes from, what it is called there, and in the function."""
    for place, arguments in (("path", plan.paths), ("query", plan.queries), ("body", plan.bodies)):
        yield from ((place, argument.alias, argument.name) for argument in arguments)
    for _, inner in plan.inner:
        yield from taken(inner)


def documented(read: Dependant) -> Iterator[tuple[str, str, str]]:
    """The same in FastAPI's reading, of which it makes the documentation."""
    for place, fields in (("path", read.path_params), ("query", read.query_params), ("body", read.body_params)):
        yield from ((place, field.alias, field.name) for field in fields)
    assert not [field.name for field in read.query_params if field.field_info.is_required()]
    for inner in read.dependencies:
        yield from documented(inner)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_takes_from_a_request_what_is_documented_and_needs_no_query(route) -> None:
    assert sorted(taken(route.plan)) == sorted(documented(route.documented().dependant))
