"""JSON values as text, as Jackson writes them in Java 17.

Owns escapes and the writing of numbers; refuses to know schemas.
"""

from __future__ import annotations

from collections.abc import Iterable
from json.encoder import encode_basestring
from typing import Final

from registry.formats.avro.numerals import double_text
from registry.formats.avro.trampoline import Task, run
from registry.formats.avro.types import JsonValue

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
    if value is None:
        return "null"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list | dict):
        pieces: list[str] = []
        run(_write(value, pieces))
        return "".join(pieces)
    return _scalar(value)


def _scalar(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return double_text(value) if isinstance(value, float) else str(value)


def _write(value: JsonValue, out: list[str]) -> Task[None]:
    if isinstance(value, dict):
        yield from _write_entries("{", ((f"{quoted(key)}:", inner) for key, inner in value.items()), "}", out)
    elif isinstance(value, list):
        yield from _write_entries("[", (("", inner) for inner in value), "]", out)
    else:
        out.append(json_text(value))


def _write_entries(begin: str, entries: Iterable[tuple[str, JsonValue]], end: str, out: list[str]) -> Task[None]:
    separator = ""
    out.append(begin)
    for head, inner in entries:
        out.append(separator + head)
        # Long lists are of scalars, for which a task each would take most of the time.
        if isinstance(inner, list | dict):
            if inner:
                yield _write(inner, out)
            else:
                out.append("[]" if isinstance(inner, list) else "{}")
        else:
            out.append(json_text(inner))
        separator = ","
    out.append(end)
