"""What can be set on Locust's command line, in the environment and in its web page, beside Locust's own options.

Owns names, defaults and one sentence each; a scenario reads them as `environment.parsed_options.<name>`.
"""

from __future__ import annotations

import logging
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from locust.argument_parser import LocustArgumentParser  # changes sockets and threads of who imports it

# Locust shows every log of level INFO; httpx would write a line for each request around the load.
logging.getLogger("httpx").setLevel(logging.WARNING)


def count(text: str) -> int:
    """A whole number of at least 1. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"must be a whole number of at least 1, not {text!r}")
    return int(text)


def count_or_none(text: str) -> int:
    """A whole number of at least 1, or 0 for none. Raises ArgumentTypeError."""
    return 0 if text == "0" else count(text)


def seconds(text: str) -> float:
    """A number of at least 0. Raises ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not number >= 0:
        raise ArgumentTypeError(f"must be a number of at least 0, not {text!r}")
    return number


def credentials(text: str) -> str:
    """A name and a password with a colon between them, or nothing. Raises ArgumentTypeError."""
    if text and ":" not in text:
        raise ArgumentTypeError("must be user:password")  # without what was typed, which may be a password
    return text


@dataclass(frozen=True, slots=True)
class Option:
    """One option; its environment variable is LOAD_ and the name in capitals."""

    name: str
    default: Any
    meaning: str
    kind: Callable[[str], Any] | None = None
    secret: bool = False

    @property
    def flag(self) -> str:
        """How it is written on the command line."""
        return "--" + self.name.replace("_", "-")

    def offer(self, parser: LocustArgumentParser) -> None:
        """Add the option to Locust's parser."""
        variable = "LOAD_" + self.name.upper()
        how = {"action": "store_true"} if self.default is False else {"type": self.kind or str}
        parser.add_argument(
            self.flag, env_var=variable, default=self.default, help=self.meaning, is_secret=self.secret, **how
        )


OPTIONS = (
    Option("subjects", 100, "Subjects that are registered before the load begins.", count),
    Option("fields", 10, "Fields of each schema.", count),
    Option(
        "think_seconds", 0.0, "Seconds that a user waits between two tasks; 0 sends as fast as answers come.", seconds
    ),
    Option("requests", 0, "Requests that end the run before its time is over; 0 for no limit.", count_or_none),
    Option("producers", 1000, "cold_start: processes that start in all; the run ends with the last one.", count),
    Option("topics_per_producer", 5, "cold_start: topics that each of them writes and reads.", count),
    Option("versions", 50, "evolution: versions of a subject before the next subject is begun.", count),
    Option("schemas", 4000, "two_subjects: schemas that are registered before they are only repeated.", count),
    Option("name_prefix", "load", "How the names of all subjects of a run begin."),
    Option("keep_subjects", False, "Leave the subjects of the run in the registry instead of deleting them."),
    Option("basic_auth", "", "user:password for the registry.", credentials, secret=True),
    Option("insecure", False, "Accept any TLS certificate."),
)


def offer_all(parser: LocustArgumentParser) -> None:
    """Let Locust know the options."""
    for option in OPTIONS:
        option.offer(parser)
