"""Request addresses: raw paths, and the two rewritings that come before routing (contexts, then aliases).

Routing is done on segments that were decoded one by one, so that `%2F` is data and `+` stays `+`.
Follows sections 0.3 and 0.4 of Confluent's REST API; knows no endpoint beyond the words that stand before a subject.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode

from msgspec import Struct
from msgspec.structs import replace

from registry.errors import BadRequest
from registry.model import DEFAULT_CONTEXT, Subject

AliasOf = Callable[[Subject], Subject | None]
"""The subject that a subject stands for, or None when it is no alias."""

SUBJECT_FOLLOWS: Final = frozenset({"subjects", "deks"})
CONFIGURES: Final = frozenset({"config", "mode"})
BY_ID: Final = ("schemas", "ids")
LISTED_BY_PREFIX: Final = frozenset({("schemas",), ("subjects",)})
WRITES: Final = frozenset({"POST", "PUT", "PATCH"})

_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# What RFC 3986 allows in a segment as it is; the colon must stay, or `/associations:batchGet` would match no route.
_SAFE: Final = "!$&'()*+,;=:@"
_PLAIN: Final = re.compile("[A-Za-z0-9_./-]*")
"""What most paths are made of: nothing to decode or encode, and told in a tenth of the time that either takes."""


class Address(Struct, frozen=True, gc=False):
    """Where a request goes: the decoded segments of its path, and its query string as sent."""

    segments: tuple[str, ...]
    query: str = ""

    @property
    def path(self) -> str:
        """The path as FastAPI's router takes it: every segment percent-encoded, no slash at the end."""
        path = "/" + "/".join(self.segments)
        # A slash within a segment is data.
        if path.count("/") == len(self.segments) and _PLAIN.fullmatch(path):
            return path
        return "/" + "/".join(quote(segment, safe=_SAFE) for segment in self.segments)

    def parameters(self, name: str) -> list[str]:
        """The values of a query parameter, in order."""
        return [value for key, value in self._pairs() if key == name]

    def with_parameter(self, name: str, values: Iterable[str]) -> Address:
        """The same address with all values of a query parameter replaced."""
        others = [(key, value) for key, value in self._pairs() if key != name]
        return replace(self, query=urlencode([*others, *((name, value) for value in values)]))

    def _pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query, keep_blank_values=True)


def _decoded(segment: bytes) -> str:
    if _BAD_ESCAPE.search(segment):
        raise BadRequest("The path holds a percent sign that is not followed by two hexadecimal digits")
    try:
        return unquote_to_bytes(segment).decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("The path is not UTF-8") from None


def read(raw_path: bytes, query: bytes = b"") -> Address:
    """Read an address as it came in; slashes at either end do not count.

    Raises BadRequest when the path cannot be decoded, and when a segment in between is empty.
    """
    bare = raw_path.strip(b"/")
    # Without it the next segment would be read in its place: the subject of `/subjects//versions` as "versions".
    if b"//" in bare:
        raise BadRequest("The path holds an empty segment")
    # Nearly every path is read at once; a path with escapes is split before decoding, never after: a slash that was
    # sent as %2F belongs to its segment.
    path = bare.decode("latin-1")
    if not path:
        segments: tuple[str, ...] = ()
    elif _PLAIN.fullmatch(path):
        segments = tuple(path.split("/"))
    else:
        segments = tuple(map(_decoded, bare.split(b"/")))
    return Address(segments, query.decode("latin-1"))


def context_prefix(name: str) -> str:
    """A context as it stands before a subject: `:.name:`, or nothing for the default context.

    Raises BadRequest when the name holds a colon beyond one at each end.
    """
    bare = name.removeprefix(":").removesuffix(":")
    if ":" in bare:
        raise BadRequest(f"Context name '{bare}' cannot contain a colon")
    dotted = bare if bare.startswith(".") else f".{bare}"
    return "" if dotted == DEFAULT_CONTEXT else f":{dotted}:"


def is_qualified(subject: str) -> bool:
    """Whether a subject or prefix names its context, or all of them, itself."""
    return subject.startswith((":.", ":*:"))


def in_context(address: Address, method: str) -> Address:
    """Rewrite `/contexts/{context}/...` to the address without it: the context goes into subjects and parameters.

    Raises BadRequest for a context name with a colon inside.
    """
    if len(address.segments) < 2 or address.segments[0] != "contexts":
        return address
    prefix = context_prefix(address.segments[1])
    rest = replace(address, segments=address.segments[2:])
    # Contexts do not nest: under one, the list of contexts is the list of all, and a second one replaces the first.
    if rest.segments == ("contexts",):
        return rest
    if rest.segments[:1] == ("contexts",):
        return in_context(rest, method)
    return _with_context_parameter(replace(rest, segments=_within(prefix, rest.segments)), prefix, method)


def _within(prefix: str, segments: tuple[str, ...]) -> tuple[str, ...]:
    if not segments:
        return ("contexts", prefix) if prefix else ("contexts",)
    # Without a subject it is the config of the context itself; of the default context, that of the whole registry.
    if len(segments) == 1 and segments[0] in CONFIGURES:
        return (*segments, prefix) if prefix else segments
    return _with_subjects(segments, lambda subject: subject if is_qualified(subject) else prefix + subject, CONFIGURES)


def _with_subjects(
    segments: tuple[str, ...], rename: Callable[[str], str], first_words: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Rename the segment after each `subjects` or `deks`, and after a first segment out of `first_words`."""
    written: list[str] = []
    subject_is_next = False
    for segment in segments:
        subject_is_next, is_subject = False, subject_is_next
        # A subject may itself be named `subjects` or `config`: what follows it is no subject for that.
        if is_subject:
            written.append(rename(segment))
            continue
        subject_is_next = segment in SUBJECT_FOLLOWS or (not written and segment in first_words)
        written.append(segment)
    return tuple(written)


def _with_context_parameter(address: Address, prefix: str, method: str) -> Address:
    if address.segments[:2] == BY_ID:
        subject = next(iter(address.parameters("subject")), "")
        return address if is_qualified(subject) else address.with_parameter("subject", [prefix + subject])
    if address.segments in LISTED_BY_PREFIX or address.segments[:1] == ("keks",):
        # Absent, the prefix would mean every context; within one it means that one.
        prefixes = address.parameters("subjectPrefix") or [""]
        return address.with_parameter(
            "subjectPrefix", [given if is_qualified(given) else prefix + given for given in prefixes]
        )
    if method in WRITES and address.segments and address.segments[0].startswith("associations"):
        return address.with_parameter("context", [prefix])
    return address


def may_name_subject(address: Address) -> bool:
    """Whether an address may name a subject that `unaliased` would replace."""
    return is_of_subject(address) or address.segments[:2] == BY_ID


def is_of_subject(address: Address) -> bool:
    """Whether an address is about the subject that it names, and not about an id that is looked for there first."""
    return not SUBJECT_FOLLOWS.isdisjoint(address.segments)


def registers(address: Address, method: str) -> bool:
    """Whether a request is to make a version of a subject."""
    return method == "POST" and len(address.segments) == 3 and address.segments[2] == "versions"


def unaliased(address: Address, alias_of: AliasOf) -> Address:
    """Replace the subject after `subjects` or `deks`, or the `subject` asked for with an id, by what it stands for."""

    def target(subject: str) -> str:
        return str(alias_of(Subject.of(subject)) or subject)

    # One hop only: an alias of an alias is not followed, so that two of them cannot form a ring.
    if address.segments[:2] == BY_ID:
        subjects = address.parameters("subject")
        meant = [target(subject) for subject in subjects]
        return address if meant == subjects else address.with_parameter("subject", meant)
    segments = _with_subjects(address.segments, target)
    return address if segments == address.segments else replace(address, segments=segments)
