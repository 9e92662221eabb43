"""JSON text to values, as Avro Java reads it through Jackson 2.20.

Owns what is accepted (comments between tokens, duplicate keys, at most 1,000 levels) and how numbers are read;
refuses to know schemas. msgspec does the work wherever it provably accepts the same text with the same value; what it
refuses is read again here, which accepts the rest or says why not in Jackson's words.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any, Final

from msgspec.json import Decoder

from registry.errors import UnparsableSchema
from registry.formats.avro.json_scanner import MAX_DEPTH, MAX_NAME_CHARS, MAX_NUMBER_CHARS, Scanner
from registry.formats.avro.types import JsonValue


def _float(text: str) -> float:
    if len(text) > MAX_NUMBER_CHARS:
        raise ValueError
    return float(text)


# Strings are matched to be left alone. Both may run to the end of the text, so that no text is scanned twice.
_COMMENT_OR_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|//[^\r\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_SPACE: Final = " \t\r\n"
_ODD: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DECODER: Final = Decoder(float_hook=_float)
MAX_CONTAINERS: Final = 200_000
"""Objects and arrays in a text: five times what the largest record of a text of 1 MiB has."""
MAX_NUMBERS: Final = 30_000
"""Numbers in a text, each of which may have to be written digit by digit as Java does."""
_NUMBER: Final = re.compile(r"[\[,:]\s*-?[0-9]")
_BLOCK_CHARS: Final = MAX_NUMBER_CHARS // 2


def read_json(text: str) -> tuple[JsonValue, str]:
    """The first value of a text, and what follows it; white space alone is nothing.

    Raises UnparsableSchema in Jackson's words, and when the text has more in it than can be judged in a second.
    """
    _check_amount(text)
    value = _read_fast(text)
    return _read_without_comments(text) if value is None else (value, "")


def _check_amount(text: str) -> None:
    if text.count("{") + text.count("[") > MAX_CONTAINERS:
        raise UnparsableSchema(f"The schema has more than {MAX_CONTAINERS} objects and arrays")
    # With what stands before it a number has two characters at least.
    if len(text) > 2 * MAX_NUMBERS and sum(1 for _ in _NUMBER.finditer(text)) > MAX_NUMBERS:
        raise UnparsableSchema(f"The schema has more than {MAX_NUMBERS} numbers")


def check_depth(text: str) -> None:
    """Raise UnparsableSchema unless the text, known to be JSON otherwise, nests no deeper than can be read."""
    if text.count("{") + text.count("[") > MAX_DEPTH:
        read_json(text)


def _read_fast(text: str) -> JsonValue:
    """The value that a whole text is, or None where msgspec and Jackson could differ."""
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    # Of numbers and words alone Jackson has more to say, about what stands around them.
    settled = isinstance(value, str | list | dict) and _within_limits(text, value)
    return value if settled else None


def _read_without_comments(text: str) -> tuple[JsonValue, str]:
    blank = _COMMENT_OR_STRING.sub(_blanked, text) if "/" in text else text
    value = None if blank == text else _read_fast(blank)
    if value is None:
        return _read_slowly(text)
    # Java shows what follows as it stands, comments included.
    rest = text[len(blank.rstrip(_SPACE)) :]
    return value, rest if rest.strip(_SPACE) else ""


def _blanked(found: re.Match[str]) -> str:
    """Spaces for a comment; strings, and comments that Jackson refuses, stay."""
    piece = found[0]
    return piece if piece[0] == '"' or _ODD.search(piece) else " " * len(piece)


def _within_limits(text: str, value: JsonValue) -> bool:
    """Whether no number, name or level of nesting is beyond what Jackson accepts; cheap for all but large texts."""
    if len(text) > MAX_NUMBER_CHARS and _has_long_integer(text):
        return False
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


def _has_long_integer(text: str) -> bool:
    # msgspec tells nothing of the lengths of integers. One that is too long fills a block, wherever it begins.
    return any(text[at : at + _BLOCK_CHARS].isdigit() for at in range(0, len(text), _BLOCK_CHARS))


def _read_slowly(text: str) -> tuple[JsonValue, str]:
    found = Scanner(text).read()
    if found is None:
        raise UnparsableSchema("Cannot parse <null> schema")
    return found
