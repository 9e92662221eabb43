"""What one user may do: rights on the subjects that a pattern covers.

A pattern is read as a subject is: bare it means the default context, `:.prod:orders-*` the context `.prod`, and
`:*:*` every subject of every context. `*`, `?` and `[...]` never reach from a context into a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from fnmatch import translate
from functools import lru_cache, partial
from typing import Final

from msgspec import Struct

from registry.model import DEFAULT_CONTEXT, GLOBAL_CONTEXT, Subject


class Right(Enum):
    """What may be done to a subject; each right includes reading, and ADMIN all of them."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    ADMIN = "admin"


INCLUDED = {
    Right.READ: frozenset({Right.READ}),
    Right.WRITE: frozenset({Right.READ, Right.WRITE}),
    Right.DELETE: frozenset({Right.READ, Right.DELETE}),
    Right.ADMIN: frozenset(Right),
}
"""What a right lets one do."""


NO_NAME: Final = re.compile(r"(?!)")
MAX_CONTEXTS: Final = 1024
"""For how many contexts it is remembered which names are meant there."""


class Pattern:
    """Which subjects are meant, by context and by name."""

    def __init__(self, text: str) -> None:
        """Read a pattern; raises ValueError when its context does not begin with a dot and is not `*`."""
        context, name = DEFAULT_CONTEXT, text
        if text.startswith(":"):
            context, colon, name = text[1:].partition(":")
            if not colon or (context != "*" and not context.startswith(".")):
                raise ValueError(f"'{text}' is no pattern of subjects: it is NAME, :.CONTEXT:NAME or :*:NAME")
        self.text = text
        self._context = re.compile(translate(context))
        self.names = translate(name)
        """The names that are meant, as a regular expression."""
        self._every_context = context == "*"
        self._every_name = name == "*"

    def reaches(self, context: str) -> bool:
        """Whether any subject of a context may be among those that are meant."""
        # What holds for all contexts is nobody's context, whatever `*` covers.
        return context != GLOBAL_CONTEXT and self._context.match(context) is not None

    def covers_context(self, context: str) -> bool:
        """Whether every subject of a context is."""
        return self._every_name and self.reaches(context)

    @property
    def covers_everything(self) -> bool:
        """Whether every subject of every context is."""
        return self._every_name and self._every_context


class Grant(Struct, frozen=True):
    """Rights on the subjects of some patterns."""

    patterns: tuple[Pattern, ...]
    rights: frozenset[Right]


class Permissions:
    """All that was granted to one user; compared by identity, so that it can stand for itself in a key."""

    def __init__(self, grants: Iterable[Grant]) -> None:
        self._patterns: dict[Right, list[Pattern]] = {right: [] for right in Right}
        for grant in grants:
            for right in frozenset[Right]().union(*(INCLUDED[given] for given in grant.rights)):
                self._patterns[right].extend(grant.patterns)
        # Contexts are few, and lists ask for every subject: what is asked of a name is put together once a context.
        self._names = {right: lru_cache(MAX_CONTEXTS)(partial(self._names_within, right)) for right in Right}
        self._names_to_read = self._names[Right.READ]
        self._everywhere = frozenset(
            right for right, patterns in self._patterns.items() if any(p.covers_everything for p in patterns)
        )

    def allow(self, right: Right, subject: Subject) -> bool:
        """Whether a right is given on one subject."""
        return self._names[right](subject.context).match(subject.name) is not None

    def _names_within(self, right: Right, context: str) -> re.Pattern[str]:
        meant = [pattern.names for pattern in self._patterns[right] if pattern.reaches(context)]
        # Each of them stands for whole names, end included, so that they need no brackets beside each other.
        return re.compile("|".join(meant)) if meant else NO_NAME

    def allow_context(self, right: Right, context: str) -> bool:
        """Whether a right is given on every subject of a context, known or not."""
        return any(pattern.covers_context(context) for pattern in self._patterns[right])

    def allow_everything(self, right: Right) -> bool:
        """Whether a right is given on every subject of every context, and so on the registry itself."""
        return right in self._everywhere

    # What an operation needs to know of the one on whose behalf it looks (see operations/sight.py).

    @property
    def sees_everything(self) -> bool:
        """Whether nothing is hidden."""
        return self.allow_everything(Right.READ)

    def sees(self, subject: Subject) -> bool:
        """Whether a subject may be read."""
        return self.sees_everything or self._names_to_read(subject.context).match(subject.name) is not None

    def sees_context(self, context: str) -> bool:
        """Whether any subject of a context may be read, if there is one."""
        return self.sees_everything or any(pattern.reaches(context) for pattern in self._patterns[Right.READ])


EVERYTHING_ALLOWED = Permissions([Grant((Pattern(":*:*"),), frozenset({Right.ADMIN}))])
"""What everybody may do where nothing is restricted."""
