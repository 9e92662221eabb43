"""JSON values as text, as Jackson writes them in Java 17.

Owns escapes and the writing of numbers; refuses to know schemas.
"""

from __future__ import annotations

from collections.abc import Iterator
from json.encoder import encode_basestring
from typing import Any, Final, TypeAlias

from registry.formats.avro.numerals import double_text
from registry.formats.avro.types import JsonValue

_Container: TypeAlias = "list[JsonValue] | dict[str, JsonValue]"
_CONTAINERS: Final = (list, dict)

_ESCAPES: Final = {
    **{code: f"\\u{code:04X}" for code in range(0x20)},
    **{ord(char): "\\" + letter for char, letter in zip('\b\t\n\f\r"\\', 'btnfr"\\', strict=True)},
}


def quoted(text: str) -> str:
    """A JSON string: only quotes, backslashes and controls are escaped, hexadecimal digits in upper case."""
    # Python's encoder does the same at C speed, but for the hexadecimal digits, which it writes in lower case.
    escaped = encode_basestring(text)
    if "\\u" in escaped:
        return f'"{text.translate(_ESCAPES)}"'
    return escaped


def json_text(value: JsonValue) -> str:
    """The text of a JSON value, without spaces."""
    return _container_text(value) if value and isinstance(value, _CONTAINERS) else _leaf_text(value)


def _leaf_text(value: JsonValue) -> str:
    """The text of a value with nothing in it."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    # An integer, or an empty list or object, which Python writes as JSON does.
    return "null" if value is None else str(value)


def _container_text(value: _Container) -> str:
    """The text of a list or an object that has something in it."""
    # One loop for all levels, without a call for any: a text may have half a million of them.
    out: list[str] = []
    around: list[tuple[Iterator[Any], bool]] = []
    entries, keyed = _opened(value, "", out)
    separator = ""
    while True:
        for entry in entries:
            head, inner = (f"{separator}{quoted(entry[0])}:", entry[1]) if keyed else (separator, entry)
            if inner and isinstance(inner, _CONTAINERS):
                around.append((entries, keyed))
                entries, keyed = _opened(inner, head, out)
                separator = ""
                break
            out.append(head + _leaf_text(inner))
            separator = ","
        else:
            out.append("}" if keyed else "]")
            if not around:
                return "".join(out)
            entries, keyed = around.pop()
            separator = ","


def _opened(value: _Container, head: str, out: list[str]) -> tuple[Iterator[Any], bool]:
    """Begin a container: what is in it, and whether that has keys."""
    if isinstance(value, dict):
        out.append(head + "{")
        return iter(value.items()), True
    out.append(head + "[")
    return iter(value), False
