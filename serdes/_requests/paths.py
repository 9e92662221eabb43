"""The paths of the registry's nouns, and what can be named in one: anything else is told before it is asked for."""

from __future__ import annotations

import re
from urllib.parse import quote

from serdes.errors import SettingInvalid

# What Python shows of things that are no id, version or GUID looks otherwise.
_ID = re.compile("-?[0-9]+")
_VERSION = re.compile("-?[0-9]+|latest", re.IGNORECASE)
_GUID = re.compile("[0-9a-f-]+", re.IGNORECASE)


def of_subject(subject: object, *rest: str, noun: str = "subjects") -> str:
    """The path of something that belongs to a subject. Raises SettingInvalid for a name that no path can have."""
    if not isinstance(subject, str):
        raise SettingInvalid(f"the name of a subject must be a text, not {subject!r}")
    # Without a name, or with a step in its place, the path is that of the whole registry.
    if subject in ("", ".", ".."):
        raise SettingInvalid(f"a subject cannot be called {subject!r}")
    return "/".join([f"/{noun}", quote(subject, safe=""), *rest])


def of_version(subject: object, version: object, *rest: str) -> str:
    """The path of something that belongs to a version of a subject. Raises SettingInvalid for what is none."""
    word = _word('a version must be a whole number or "latest"', _VERSION, version)
    return of_subject(subject, "versions", word, *rest)


def of_id(schema_id: object, *rest: str) -> str:
    """The path of something that belongs to a schema id. Raises SettingInvalid for what is none."""
    return "/".join(["/schemas/ids", _word("a schema id must be a whole number", _ID, schema_id), *rest])


def of_guid(guid: object) -> str:
    """The path of a GUID. Raises SettingInvalid for what is none."""
    return f"/schemas/guids/{_word('a GUID must be of hexadecimal digits and hyphens', _GUID, guid)}"


def _word(rule: str, form: re.Pattern[str], value: object) -> str:
    if not form.fullmatch(word := str(value)):
        raise SettingInvalid(f"{rule}, not {value!r}")
    return word
