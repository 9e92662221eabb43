"""The arguments of an endpoint, taken from a request by a plan that is made once of the endpoint's signature.

FastAPI reads the same signature for the documentation; for an answer it would work out at each request where everything
comes from, which costs more than all the rest of a route, and load pydantic's first version. Knows no endpoint; bodies
are read as Jackson reads them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from typing import Annotated, Any, Final, get_args, get_origin

import orjson
from fastapi import Request
from fastapi.params import Depends, Path, Query
from msgspec import Struct
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from registry.api.failures import of_body, of_parameter
from registry.api.visit import visit_of
from registry.errors import BadRequest

AS_WRITTEN: Final = "as_written"
"""The fault of a number that is due as a text, and was read without it."""


class Argument(Struct, frozen=True):
    """An argument that is read: its name in the endpoint and in the request, and what makes a value of it."""

    name: str
    alias: str
    adapter: TypeAdapter[Any]

    @classmethod
    def of(cls, name: str, kind: Any, marks: Sequence[Any]) -> Argument:
        """An argument of a type that is annotated with marks; what FastAPI's say besides is for the documentation."""
        fields = [mark for mark in marks if isinstance(mark, FieldInfo)]
        rules = [rule for mark in marks for rule in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]
        alias = next((field.alias for field in fields if field.alias), name)
        return cls(name, alias, TypeAdapter(Annotated[kind, *rules] if rules else kind))

    def read(self, given: object) -> object:
        """The value of a path or a query."""
        try:
            return self.adapter.validate_python(given)
        except ValidationError:
            raise of_parameter() from None


class Plan:
    """Where each argument of an endpoint comes from: path, query, body, or what another function makes of those.

    What stands in a path or a query is marked as such, the latter with a default; a request is a `Request`; anything
    else is the body.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self._request_names: list[str] = []
        self.inner: list[tuple[str, Plan]] = []
        self.paths: list[Argument] = []
        self.queries: list[Argument] = []
        self.bodies: list[Argument] = []
        self._defaults: dict[str, Any] = {}
        for parameter in signature(call, eval_str=True).parameters.values():
            self._place(parameter)

    def _place(self, parameter: Parameter) -> None:
        name, annotation = parameter.name, parameter.annotation
        kind, *marks = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
        mark = next((mark for mark in marks if isinstance(mark, (Depends, Path, Query))), None)
        if isinstance(mark, Depends):
            assert mark.dependency is not None
            self.inner.append((name, Plan(mark.dependency)))
        elif isinstance(mark, Path):
            self.paths.append(Argument.of(name, kind, marks))
        elif isinstance(mark, Query):
            self.queries.append(Argument.of(name, kind, marks))
            self._defaults[name] = parameter.default
        elif kind is Request:
            self._request_names.append(name)
        else:
            self.bodies.append(Argument.of(name, kind, marks))

    async def arguments(self, request: Request) -> dict[str, Any]:
        """The arguments for a request.

        Raises RequestNotFound for a path or query that cannot be read, BadRequest and MissingBody for a body.
        """
        # Read in this order: of several faults the path is told first, then the query, then the body.
        values = dict(self._defaults)
        for name in self._request_names:
            values[name] = request
        for name, inner in self.inner:
            values[name] = await inner.made(request)
        for argument in self.paths:
            values[argument.name] = argument.read(request.scope["path_params"][argument.alias])
        if request.scope["query_string"]:
            query = request.query_params
            for argument in self.queries:
                given = query.getlist(argument.alias)
                if given:
                    # Of a parameter that is there several times the first counts, as for Jersey.
                    takes_many = isinstance(self._defaults[argument.name], tuple)
                    values[argument.name] = argument.read(given if takes_many else given[0])
        for argument in self.bodies:
            values[argument.name] = self._body(argument, visit_of(request.scope).body)
        return values

    async def made(self, request: Request) -> object:
        """What the function makes of its arguments."""
        return await self._call(**await self.arguments(request))

    def _body(self, argument: Argument, content: bytes) -> object:
        try:
            return argument.adapter.validate_python(read_json(content) if content.strip() else None)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
        # Only now, because reading numbers with their text takes ten times as long, and hardly a body needs it.
        if fault["type"] == AS_WRITTEN:
            try:
                return argument.adapter.validate_python(_read_as_written(content))
            except ValidationError as error:
                fault = error.errors(include_url=False)[0]
        raise of_body(fault)


class Written(float):
    """A number of a body, and how it is written there."""

    def __new__(cls, text: str) -> Written:
        """Read a number."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def read_json(body: bytes) -> Any:
    """Read a body: any Unicode encoding, and NaN and Infinity as numbers.

    Raises BadRequest when it is not JSON, nested too deeply, or not Unicode.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as refusal:
        return _read_leniently(body, refusal)


def _read_as_written(body: bytes) -> Any:
    try:
        return json.loads(body, parse_float=Written, parse_constant=Written)
    except RecursionError:
        raise BadRequest("The body is not JSON: too many levels") from None


def _read_leniently(body: bytes, refusal: json.JSONDecodeError) -> Any:
    try:
        value = json.loads(body)
        # Half of a surrogate pair can be escaped in JSON, but nobody could write it down again.
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise BadRequest("The body is not text in UTF-8, UTF-16 or UTF-32") from None
    except (ValueError, RecursionError):
        place = f"line {refusal.lineno}, column {refusal.colno}"
        raise BadRequest(f"The body is not JSON: {refusal.msg} ({place})") from None
    return value
