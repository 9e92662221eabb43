"""The arguments of an endpoint, taken from a request by a plan that is made once.

FastAPI reads the endpoint's signature and documents it; at each request it would work out the plan again, which costs
more than all the rest of a route. Knows no endpoint; bodies are read as Jackson reads them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from fastapi import Request
from fastapi.dependencies.models import Dependant

from registry.api.failures import of_body, of_parameter
from registry.api.visit import visit_of
from registry.errors import BadRequest


class Plan:
    """Where each argument of an endpoint comes from: path, query, body, or what another function makes of those."""

    def __init__(self, dependant: Dependant) -> None:
        self._call: Callable[..., Any] | None = dependant.call
        self.name = dependant.name or ""
        self._endpoint = getattr(dependant.call, "__name__", "")
        self._request_name = dependant.request_param_name
        self._paths: Sequence[Any] = dependant.path_params
        self._queries = [(field.name, field, _takes_many(field)) for field in dependant.query_params]
        # Read from a field, a default is copied each time; these are frozen.
        self._defaults = {field.name: field.default for field in dependant.query_params}
        self._bodies: Sequence[Any] = dependant.body_params
        self._inner = [Plan(inner) for inner in dependant.dependencies]

    async def arguments(self, request: Request) -> dict[str, Any]:
        """The arguments for a request.

        Raises RequestNotFound for a path or query that cannot be read, BadRequest and MissingBody for a body.
        """
        values = dict(self._defaults)
        if self._request_name is not None:
            values[self._request_name] = request
        for inner in self._inner:
            values[inner.name] = await inner.made(request)
        for field in self._paths:
            values[field.name] = _read(field, request.scope["path_params"][field.alias])
        if request.scope["query_string"]:
            query = request.query_params
            for name, field, many in self._queries:
                given = query.getlist(field.alias)
                if given:
                    values[name] = _read(field, given if many else given[0])
        for field in self._bodies:
            values[field.name] = self._body(field, visit_of(request.scope).body)
        return values

    async def made(self, request: Request) -> object:
        """What the function makes of its arguments."""
        assert self._call is not None
        return await self._call(**await self.arguments(request))

    def _body(self, field: Any, content: bytes) -> object:
        value, faults = field.validate(read_json(content) if content else None, loc=("body",))
        if faults:
            raise of_body(self._endpoint, faults[0])
        return value


def _takes_many(field: Any) -> bool:
    return isinstance(field.default, tuple)


def _read(field: Any, given: object) -> object:
    value, faults = field.validate(given)
    if faults:
        raise of_parameter()
    return value


def read_json(body: bytes) -> Any:
    """Read a body: any Unicode encoding, and NaN and Infinity as numbers.

    Raises BadRequest when it is not JSON, nested too deeply, or not Unicode.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as refusal:
        return _read_leniently(body, refusal)


def _read_leniently(body: bytes, refusal: json.JSONDecodeError) -> Any:
    try:
        value = json.loads(body)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise BadRequest(f"The body is not JSON: {refusal.msg}") from None
    return value
