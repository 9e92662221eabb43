"""JSON text to values, as Avro Java reads it through Jackson 2.20.

Owns what is accepted (comments between tokens, duplicate keys, at most 1,000 levels) and how numbers are read;
refuses to know schemas. Python's own reader does the work wherever it provably accepts the same text with the same
value; what it refuses is read again here, which accepts the rest or says why not in Jackson's words.
"""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import Any, Final, NoReturn

from registry.errors import UnparsableSchema
from registry.formats.avro.json_scanner import MAX_DEPTH, MAX_NAME_CHARS, MAX_NUMBER_CHARS, Scanner
from registry.formats.avro.types import JsonValue


def _integer(text: str) -> int:
    return int(_short_enough(text))


def _float(text: str) -> float:
    return float(_short_enough(text))


def _short_enough(text: str) -> str:
    if len(text) > MAX_NUMBER_CHARS:
        raise ValueError
    return text


def _constant(_: str) -> NoReturn:
    # Python knows NaN and Infinity.
    raise ValueError


# Strings are matched to be left alone. Both may run to the end of the text, so that no text is scanned twice.
_COMMENT_OR_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|//[^\r\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_ODD: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DECODER: Final = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant)


def read_json(text: str) -> tuple[JsonValue, str]:
    """The first value of a text, and what follows it.

    Raises UnparsableSchema in Jackson's words.
    """
    try:
        value, end = _DECODER.raw_decode(text, _start(text))
    except (ValueError, RecursionError):
        return _read_without_comments(text)
    if not _settled(text, value, end):
        return _read_slowly(text)
    # Java shows what follows as it stands, comments included.
    return value, text[end:]


def check_depth(text: str) -> None:
    """Raise UnparsableSchema unless the text, known to be JSON otherwise, nests no deeper than can be read."""
    if text.count("{") + text.count("[") > MAX_DEPTH:
        read_json(text)


def _read_without_comments(text: str) -> tuple[JsonValue, str]:
    blank = _COMMENT_OR_STRING.sub(_blanked, text) if "/" in text else text
    if blank == text:
        return _read_slowly(text)
    try:
        value, end = _DECODER.raw_decode(blank, _start(blank))
    except (ValueError, RecursionError):
        return _read_slowly(text)
    return (value, text[end:]) if _settled(text, value, end) else _read_slowly(text)


def _blanked(found: re.Match[str]) -> str:
    """Spaces for a comment; strings, and comments that Jackson refuses, stay."""
    piece = found[0]
    return piece if piece[0] == '"' or _ODD.search(piece) else " " * len(piece)


def _settled(text: str, value: JsonValue, end: int) -> bool:
    """Whether Jackson accepts what Python's reader accepted."""
    # Of a number or a word alone Python takes what it can, and leaves the rest; Jackson asks for a space between.
    whole = isinstance(value, str | list | dict) or end == len(text)
    return whole and _within_limits(text, value)


def _start(text: str) -> int:
    return len(text) - len(text.lstrip(" \t\r\n"))


def _within_limits(text: str, value: JsonValue) -> bool:
    """Whether no level of nesting and no name is beyond what Jackson accepts; cheap for all but large texts."""
    if text.count("{") + text.count("[") <= MAX_DEPTH and len(text) <= MAX_NAME_CHARS:
        return True
    # Level by level, so that the depth of the text is no depth of calls.
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        objects = [inner for inner in level if isinstance(inner, dict)]
        if any(len(key) > MAX_NAME_CHARS for key in chain.from_iterable(objects)):
            return False
        arrays = [inner for inner in level if isinstance(inner, list)]
        level = [*chain.from_iterable(inner.values() for inner in objects), *chain.from_iterable(arrays)]
        if not level:
            return True
    return False


def _read_slowly(text: str) -> tuple[JsonValue, str]:
    found = Scanner(text).read()
    if found is None:
        raise UnparsableSchema("Cannot parse <null> schema")
    return found
