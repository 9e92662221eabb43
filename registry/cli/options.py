"""What several commands share: their options, and how they speak."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Iterable
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from registry.settings import read_settings

Store = Annotated[str | None, Parameter(help="The URL of the store (SIGNET_STORE; sqlite:signet.db).")]
ReservedIds = Annotated[
    int,
    Parameter(
        validator=Number(gte=0),
        help="How many ids of every context are never given out, because others may have given them out meanwhile.",
    ),
]


def store_url(store: str | None) -> str:
    """The store that is meant: the one given, else the one of the environment, else the default.

    Raises SettingInvalid when the environment holds a setting that does not hold.
    """
    return read_settings({"store": store}).store


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    return re.sub(r"([?&]password=)[^&]*", r"\1***", re.sub(r"(://[^/@:]*):[^/]*@", r"\1:***@", url))


def say(lines: Iterable[str]) -> None:
    """Print the lines of a report."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def spare_collections() -> None:
    """Do without the garbage collector until this process ends, for a command that reads a whole registry once.

    What it reads from a store or a file stays, without cycles, and each collection would walk over all of it: half of
    the time. Requests over HTTP leave cycles.
    """
    gc.disable()
