"""The grants file: who may do what to which subjects, in TOML.

[[grant]]
users = ["ana", "ci"]                 # names, or "*" for every user
subjects = ["orders-*", ":.prod:*"]   # see permissions.py
rights = ["read", "write"]            # read, write, delete, admin
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from registry.auth.permissions import Grant, Pattern, Permissions, Right
from registry.auth.users import read_text
from registry.errors import SettingInvalid

EVERY_USER: Final = "*"
MEMBERS: Final = ("users", "subjects", "rights")


class Grants(Struct, frozen=True):
    """Every grant of a file, each with the names of those who have it."""

    given: tuple[tuple[frozenset[str], Grant], ...]

    def permissions(self, users: Iterable[str]) -> dict[str, Permissions]:
        """The permissions of each user; users with the same grants share theirs."""
        # Permissions are part of the key of a kept answer: the fewer there are, the more users share their answers.
        by_grants: dict[tuple[int, ...], Permissions] = {}
        found = {}
        for user in users:
            indices = tuple(i for i, (names, _) in enumerate(self.given) if user in names or EVERY_USER in names)
            if indices not in by_grants:
                by_grants[indices] = Permissions(self.given[i][1] for i in indices)
            found[user] = by_grants[indices]
        return found

    def unknown(self, users: Iterable[str]) -> list[str]:
        """The names that are granted something and are no users."""
        named = frozenset[str]().union(*(names for names, _ in self.given))
        return sorted(named - {EVERY_USER} - set(users))


def read_grants(path: Path) -> Grants:
    """Read a grants file.

    Raises SettingInvalid with the first thing that is wrong.
    """
    try:
        document = tomllib.loads(read_text(path, "grants"))
    except tomllib.TOMLDecodeError as error:
        raise SettingInvalid(f"The grants file {path} is not TOML: {error}") from None
    except RecursionError:
        raise SettingInvalid(f"The grants file {path} is nested too deeply") from None
    except ValueError:
        # Python's own, which tomllib lets through.
        raise SettingInvalid(f"The grants file {path} holds a number that is too long") from None
    tables = document.pop("grant", [])
    if document or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SettingInvalid(f"The grants file {path} may hold nothing but tables [[grant]]")
    return Grants(tuple(_read_grant(table, f"Grant {i} of {path}") for i, table in enumerate(tables, 1)))


def _read_grant(table: Mapping[str, Any], place: str) -> tuple[frozenset[str], Grant]:
    # No member has a default, because one that was forgotten would grant too much or nothing.
    if set(table) != set(MEMBERS):
        raise SettingInvalid(f"{place} must have exactly the members {', '.join(MEMBERS)}")
    for member in MEMBERS:
        values = table[member]
        if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
            raise SettingInvalid(f"{place}: {member} must be a list of texts")
    try:
        patterns = tuple(map(Pattern, table["subjects"]))
    except ValueError as error:
        raise SettingInvalid(f"{place}: {error}") from None
    known = {right.value: right for right in Right}
    for word in table["rights"]:
        if word not in known:
            raise SettingInvalid(f"{place}: '{word}' is no right; rights are {', '.join(known)}")
    return frozenset(table["users"]), Grant(patterns, frozenset(known[word] for word in table["rights"]))
