"""Media types: which one an answer has, and which ones a body may have; and whether an answer may be compressed.

Follows section 0.1 of Confluent's REST API; refuses to know what is in the bodies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from registry.api.visit import RawHeaders
from registry.errors import BadRequest, NotAcceptable, UnsupportedMediaType

DEFAULT: Final = "application/vnd.schemaregistry.v1+json"
OFFERED: Final = (DEFAULT, "application/vnd.schemaregistry+json", "application/json")
"""What answers can be, the preferred one first."""

# Java sends `q=.2`, which RFC 9110 does not allow; what is no quality at all counts as 1.
_QUALITY: Final = re.compile(r"0?\.[0-9]+|0\.?|1(\.0*)?")
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# A comma or semicolon within quotes ends the parameter, as a backslash does: no client has a use for them.
_PARAMETER: Final = re.compile(rf';\s*({_WORD})=({_WORD}|"[^",;\\]*")')
_MEDIA_TYPE: Final = re.compile(f"{_WORD}/{_WORD}")

READABLE: Final = frozenset({*OFFERED, "application/octet-stream"})
"""What bodies can be; a body of no type, and octets, are read as JSON too."""


class Range(Struct, frozen=True):
    """One of the things that a client accepts, in small letters, and how gladly: 0 to 1.

    echoed: its other parameters, as an answer that it asks for by name repeats them.
    """

    name: str
    quality: float = 1.0
    echoed: str = ""


@lru_cache(maxsize=1024)
def answer_type(accept: str) -> str:
    """The media type of the answer to a request with this Accept header, "" if it has none.

    Raises NotAcceptable when none of the offered types will do.
    """
    # An empty Accept header asks for nothing in particular, as a missing one does.
    ranges = list(_ranges(accept)) or [Range("*/*")]
    qualities = {offered: _quality(offered, ranges) for offered in OFFERED}
    # A quality of 0 is the least for Java, and no refusal; `max` takes the first of equals, in order of preference.
    quality, best = max(
        ((quality, offered) for offered, quality in qualities.items() if quality is not None),
        key=lambda found: found[0],
        default=(0.0, ""),
    )
    if not best:
        raise NotAcceptable
    named = (item.echoed for item in ranges if item.name == best and item.quality == quality)
    return best + next(named, "")


@lru_cache(maxsize=1024)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether a client with this Accept-Encoding header takes gzip: it is named, and not with a quality of 0."""
    return any(item.name == "gzip" and item.quality > 0 for item in _ranges(accept_encoding))


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

    Raises BadRequest for what is no media type at all, UnsupportedMediaType for one that is not read as JSON.
    """
    # The charset does not matter either: JSON says itself which Unicode encoding it is in.
    media_type = content_type.partition(";")[0].strip().lower()
    if not media_type or media_type in READABLE:
        return
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise BadRequest("The Content-Type header names no media type")
    raise UnsupportedMediaType


def _ranges(accept: str) -> Iterator[Range]:
    for item in accept.split(","):
        name = item.partition(";")[0].strip().lower()
        if name:
            parameters = {parameter.lower(): value for parameter, value in _PARAMETER.findall(item)}
            quality = parameters.pop("q", "")
            yield Range(name, float(quality) if _QUALITY.fullmatch(quality) else 1.0, _echo(parameters))


def _echo(parameters: dict[str, str]) -> str:
    charset = parameters.pop("charset", "").strip('"').lower()
    # An answer is in UTF-8 whatever was asked for, and must not say that it is in something else.
    if charset == "utf-8":
        parameters["charset"] = charset
    return "".join(f";{name}={parameters[name]}" for name in sorted(parameters))


def _quality(offered: str, ranges: Sequence[Range]) -> float | None:
    """The quality given by the most specific ranges that cover the type, None when none does."""
    kind, _, subtype = offered.partition("/")
    # Java takes a type without a subtype for all of its subtypes.
    for names in ((offered,), (f"*/{subtype}",), (f"{kind}/*", kind), ("*/*", "*")):
        covering = [item.quality for item in ranges if item.name in names]
        if covering:
            return max(covering)
    return None
