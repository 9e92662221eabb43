"""Media types: which one an answer has, and which ones a body may have; and whether an answer may be compressed.

Follows section 0.1 of Confluent's REST API; refuses to know what is in the bodies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from registry.api.visit import RawHeaders
from registry.errors import NotAcceptable, UnsupportedMediaType

DEFAULT: Final = "application/vnd.schemaregistry.v1+json"
OFFERED: Final = (DEFAULT, "application/vnd.schemaregistry+json", "application/json")
"""What answers can be, the preferred one first."""

# Java sends `q=.2`, which RFC 9110 does not allow; what is no quality at all counts as 1.
_QUALITY: Final = re.compile(r"0?\.[0-9]+|0\.?|1(\.0*)?")

READABLE: Final = frozenset({*OFFERED, "application/octet-stream"})
"""What bodies can be; a body of no type, and octets, are read as JSON too."""


@lru_cache(maxsize=1024)
def answer_type(accept: str) -> str:
    """The media type of the answer to a request with this Accept header, "" if it has none.

    Raises NotAcceptable when none of the offered types will do.
    """
    # An empty Accept header asks for nothing in particular, as a missing one does.
    ranges = dict(_ranges(accept)) or {"*/*": 1.0}
    # `max` takes the first of equals, and OFFERED is in order of preference.
    best = max(OFFERED, key=lambda offered: _quality(offered, ranges))
    if _quality(best, ranges) == 0:
        raise NotAcceptable
    return best


@lru_cache(maxsize=1024)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether a client with this Accept-Encoding header takes gzip: it is named, and not with a quality of 0."""
    return dict(_ranges(accept_encoding)).get("gzip", 0.0) > 0


def media_types(headers: RawHeaders) -> tuple[str, str]:
    """What a client accepts, and what its body is; the first of several Content-Type headers counts."""
    accept, content_type = b"", None
    for name, value in headers:
        if name == b"accept":
            accept = accept + b"," + value if accept else value
        elif name == b"content-type" and content_type is None:
            content_type = value
    return accept.decode("latin-1"), (content_type or b"").decode("latin-1")


def failure_type(accept: str) -> str:
    """The media type of a refusal: what `answer_type` says, else the preferred type."""
    try:
        return answer_type(accept)
    except NotAcceptable:
        return DEFAULT


def check_body_type(content_type: str) -> None:
    """Accept a Content-Type header, "" if there is none; its parameters do not matter.

    Raises UnsupportedMediaType for anything that is not read as JSON.
    """
    # The charset does not matter either: JSON says itself which Unicode encoding it is in.
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type and media_type not in READABLE:
        raise UnsupportedMediaType


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Each range with its quality; `*` and `*/anything` are `*/*`; an unreadable quality counts as 1."""
    for item in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        if media_range:
            yield ("*/*" if media_range.startswith("*") else media_range), _weight(parameters)


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q" and _QUALITY.fullmatch(value.strip()):
            return float(value)
    return 1.0


def _quality(offered: str, ranges: dict[str, float]) -> float:
    """The quality given by the most specific range that covers the type, else 0."""
    return next((ranges[covering] for covering in (offered, "application/*", "*/*") if covering in ranges), 0.0)
