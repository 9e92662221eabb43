"""What stands in paths and queries, as types that FastAPI reads and documents.

Numbers and booleans are read as Java reads them (section 0.2 of Confluent's REST API); a number that is none makes
the request one for a route that does not exist. Knows no endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Final

from fastapi import Depends, Path, Query
from pydantic import BeforeValidator

from registry.errors import Invalid, InvalidVersion
from registry.model import LATEST, Subject
from registry.operations import Page, Visibility

MAX_INT: Final = 2**31 - 1
# Java takes the digits of any script, as \d does; the length keeps int() from its limit of 4300 digits.
_INT: Final = re.compile(r"[+-]?\d{1,4000}")


def java_int(text: str) -> int:
    """Read a 32-bit int as Java's parseInt does: `+1` and `01` are numbers, `1_0` and ` 1` are not.

    Raises ValueError when the text is no such number.
    """
    number = int(text) if _INT.fullmatch(text) else None
    if number is None or not -MAX_INT - 1 <= number <= MAX_INT:
        raise ValueError("not a 32-bit number")
    return number


def java_boolean(text: str) -> bool:
    """`true` in any case is true, everything else is false."""
    # So `?deleted=1` and `?deleted` are false, which is why a mistyped flag is never refused.
    return text.lower() == "true"


def read_dry_run(text: str) -> bool:
    """`true` or `false` in any case.

    Raises Invalid for anything else: whoever mistypes this one must not find the change made.
    """
    if text.lower() not in ("true", "false"):
        raise Invalid("dryRun must be true or false")
    return java_boolean(text)


def read_version(text: str) -> int:
    """Read a version as it stands in a path: a positive number, or -1 for `-1` and `latest`.

    Raises InvalidVersion for anything else.
    """
    word = text.strip()
    if word.lower() == "latest":
        return LATEST
    try:
        version = java_int(word)
    except ValueError:
        raise InvalidVersion(text) from None
    # Java shows a number as it was read (`00` as 0) and anything else as it was sent.
    if version <= 0 and version != LATEST:
        raise InvalidVersion(str(version))
    return version


def visibility(*, deleted: bool, deleted_only: bool = False) -> Visibility:
    """What the two query parameters mean together: `deletedOnly` wins."""
    if deleted_only:
        return Visibility.DELETED
    return Visibility.ALL if deleted else Visibility.LIVE


def optional_subject(text: str) -> Subject | None:
    """A subject of a query, where empty means any."""
    return Subject.of(text) if text else None


def _number(default: int, text: str) -> int:
    # `?limit=` is what a form sends for an empty field.
    return java_int(text) if text.strip() else default


def _offset(text: str) -> int:
    offset = _number(0, text)
    # Confluent's registry breaks here with a 500.
    if offset < 0:
        raise Invalid("The offset must not be negative")
    return offset


def _read(read: Callable[[str], object], shown_as: type) -> BeforeValidator:
    """A validator that reads the text of a parameter and leaves a default alone; `shown_as` is for OpenAPI."""
    return BeforeValidator(
        lambda given: read(given) if isinstance(given, str) else given, json_schema_input_type=shown_as
    )


# What stands in a path was decoded before it was routed (see `paths`).
SubjectPath = Annotated[
    str,
    Path(
        description="The subject; outside the default context with its context, as `:.context:name`.",
        examples=["orders-value"],
    ),
]
VersionPath = Annotated[
    int,
    _read(read_version, str),
    Path(
        description="A version number, or `latest` (also `-1`) for the highest live version.",
        examples=["1", "latest"],
    ),
]
IdPath = Annotated[int, _read(java_int, int), Path(alias="id", description="The schema id.", examples=[1])]

Flag = Annotated[bool, _read(java_boolean, bool)]
Deleted = Annotated[Flag, Query(description="Whether soft-deleted versions count too.")]
DeletedOnly = Annotated[Flag, Query(alias="deletedOnly", description="Whether only soft-deleted versions count.")]
Normalize = Annotated[Flag, Query(description="Whether to bring the schema into normal form first.")]
Force = Annotated[Flag, Query(description="Whether to do it whatever the check says.")]
Form = Annotated[
    str, Query(alias="format", description="The form of the schema text: `resolved` writes references out.")
]
ReferenceFormat = Annotated[
    str, Query(alias="referenceFormat", description="`qualified` writes the subjects of references with their context.")
]
FindTags = Annotated[
    tuple[str, ...], Query(alias="findTags", description="Inline tags to look for in the schema; `*` finds all.")
]
DryRun = Annotated[
    bool,
    _read(read_dry_run, bool),
    Query(alias="dryRun", description="Whether to answer what would happen instead of doing it (Signet only)."),
]
Permanent = Annotated[Flag, Query(description="Whether to remove what is soft-deleted already, for good.")]


async def _page(
    offset: Annotated[int, _read(_offset, int), Query(description="How many to skip.")] = 0,
    limit: Annotated[
        int,
        _read(lambda text: _number(-1, text), int),
        Query(description="How many to answer with at most; 0, less, or more than the maximum means the default."),
    ] = -1,
) -> Page:
    return Page(offset, limit)


ThePage = Annotated[Page, Depends(_page)]
"""The slice of a list that the query asks for."""
