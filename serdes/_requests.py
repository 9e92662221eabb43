"""Each call to the registry as a value: method, path, query, body, and how to read the answer.

Owns Confluent's REST API as far as a client needs it; refuses to know sockets, retries and caches.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from serdes.errors import AnswerMalformed, RegistryError, RegistryFailed, RegistryRedirected, refusal
from serdes.schema import Association, RegisteredSchema, Schema

R = TypeVar("R")

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
RETRIABLE = frozenset({408, 429, 500, 502, 503, 504})
_ACCEPT = f"{MEDIA_TYPE}, application/vnd.schemaregistry+json, application/json"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Request(Generic[R]):
    """One call. `read` turns the JSON of a good answer into what the caller wants."""

    method: str
    path: str
    read: Callable[[Any], R]
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None
    operation: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What the registry needs to know about the body, and the media types that are understood."""
        return {"Accept": _ACCEPT} | ({} if self.body is None else {"Content-Type": MEDIA_TYPE})

    @property
    def content(self) -> bytes | None:
        """The body as bytes."""
        return None if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers by lower-case name, body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def retriable(self) -> bool:
        """Whether the registry says that trying again may help."""
        return self.status in RETRIABLE


def read_answer(request: Request[R], answer: Answer) -> R:
    """What the answer means for this request.

    Raises RegistryError: the leaf says what kind of refusal, failure or nonsense it is.
    """
    if answer.status in _REDIRECTS:
        raise RegistryRedirected(answer.status, answer.headers.get("location", ""))
    if not 200 <= answer.status < 300:
        raise _refused(answer)
    if answer.status == 204 or not answer.body:
        return request.read(None)
    try:
        return request.read(json.loads(answer.body))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        kind = answer.headers.get("content-type", "no media type")
        raise AnswerMalformed(
            answer.status, f"{request.method} {request.path} got an answer of {kind} that cannot be read: {error!r}"
        ) from error


def _refused(answer: Answer) -> RegistryError:
    code, message = -1, answer.body[:200].decode("utf-8", "replace").strip() or "no message"
    try:
        told = json.loads(answer.body)
        code, message = int(told["error_code"]), str(told.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # a proxy's page: its first words are the best message there is
    if answer.retriable:
        return RegistryFailed(f"the registry failed: {message}", answer.status, code)
    return refusal(answer.status, code, message)


def _subject_path(subject: str, *rest: object) -> str:
    return "/".join(["/subjects", quote(subject, safe=""), *map(str, rest)])


def _query(**options: object) -> tuple[tuple[str, str], ...]:
    """Query options in order; absent and false ones are left out, lists are repeated."""
    return tuple(
        (name, "true" if value is True else str(value))
        for name, option in options.items()
        for value in (option if isinstance(option, (list, tuple)) else [option])
        if value is not None and value is not False
    )


def register(subject: str, schema: Schema, normalize: bool) -> Request[RegisteredSchema]:
    """Register a schema; the answer tells at least its id."""
    read = partial(_read_registered, sent=schema, subject=subject)
    return Request("POST", _subject_path(subject, "versions"), read, _query(normalize=normalize), _registration(schema))


def lookup(
    subject: str, schema: Schema, normalize: bool, deleted: bool, fmt: str | None = None
) -> Request[RegisteredSchema]:
    """The version of a subject that a schema has."""
    read = partial(_read_registered, sent=schema, subject=subject)
    query = _query(normalize=normalize, deleted=deleted, format=fmt)
    return Request("POST", _subject_path(subject), read, query, _registration(schema))


def schema_by_id(
    schema_id: int, subject: str | None, fmt: str | None = None, reference_format: str | None = None
) -> Request[RegisteredSchema]:
    """What an id means; `subject` tells the context."""
    query = _query(subject=subject, format=fmt, referenceFormat=reference_format)
    return Request("GET", f"/schemas/ids/{schema_id}", partial(_read_identified, schema_id=schema_id), query)


def schema_by_guid(guid: str, fmt: str | None = None) -> Request[RegisteredSchema]:
    """What a GUID means."""
    return Request("GET", f"/schemas/guids/{quote(guid, safe='')}", RegisteredSchema.from_dict, _query(format=fmt))


def version(subject: str, number: int | str, deleted: bool, fmt: str | None = None) -> Request[RegisteredSchema]:
    """A version of a subject; `number` may be "latest"."""
    query = _query(deleted=deleted, format=fmt)
    return Request("GET", _subject_path(subject, "versions", number), RegisteredSchema.from_dict, query)


def latest_with_metadata(
    subject: str, metadata: Mapping[str, str], deleted: bool, fmt: str | None = None
) -> Request[RegisteredSchema]:
    """The latest version whose metadata properties contain all these pairs."""
    query = _query(key=list(metadata), value=list(metadata.values()), deleted=deleted, format=fmt)
    return Request("GET", _subject_path(subject, "metadata"), RegisteredSchema.from_dict, query)


def associations(
    name: str,
    namespace: str,
    resource_type: str | None,
    association_types: Sequence[str] | None,
    lifecycle: str | None,
    offset: int,
    limit: int,
) -> Request[list[Association]]:
    """The subjects that a Kafka resource is bound to."""
    query = _query(
        resourceType=resource_type,
        associationType=list(association_types or ()),
        lifecycle=lifecycle,
        offset=offset,
        limit=limit,
    )
    path = f"/associations/resources/{quote(namespace, safe='')}/{quote(name, safe='')}"
    return Request("GET", path, _read_associations, query)


def _registration(schema: Schema) -> Mapping[str, Any]:
    return schema.to_dict()


def _read_registered(told: Any, *, sent: Schema, subject: str) -> RegisteredSchema:
    """A registration's answer, completed by what was asked."""
    found = RegisteredSchema.from_dict(told, sent)
    return RegisteredSchema(found.subject or subject, found.version, int(told["id"]), found.guid, found.schema)


def _read_identified(told: Any, *, schema_id: int) -> RegisteredSchema:
    found = RegisteredSchema.from_dict(told)
    return RegisteredSchema(found.subject, found.version, schema_id, found.guid, found.schema)


def _read_associations(told: Any) -> list[Association]:
    return [Association.from_dict(item) for item in told]
