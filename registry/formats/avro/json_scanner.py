"""The slow reader of JSON: accepts what Jackson accepts and refuses the rest in Jackson's words.

Owns positions and messages. Used only for texts that the fast reader does not settle, so clarity comes before speed.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from registry.errors import UnparsableSchema
from registry.formats.avro.types import JsonValue

_SPACE: Final = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING: Final = re.compile(r'"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_UNESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LITERALS: Final[dict[str, JsonValue]] = {"true": True, "false": False, "null": None}
_ANY_VALUE: Final = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_MAX_DEPTH: Final = 1000


class Scanner:
    """Reads one value of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def read(self) -> tuple[JsonValue, str]:
        """The value and the text after it; raises UnparsableSchema."""
        self._skip()
        if self.at == len(self.text):
            self._stop("Cannot parse <null> schema")
        stack: list[tuple[list[JsonValue] | dict[str, JsonValue], str]] = []
        while True:
            value = self._value()
            if isinstance(value, list | dict) and not self._closes(value):
                if len(stack) >= _MAX_DEPTH:
                    self._stop("Document nesting depth (1001) exceeds the maximum allowed (1000)")
                stack.append((value, self._key() if isinstance(value, dict) else ""))
                continue
            while True:
                if not stack:
                    return value, self.text[self.at :]
                container, key = stack.pop()
                if isinstance(container, dict):
                    container[key] = value
                else:
                    container.append(value)
                self._skip()
                if self._take(","):
                    stack.append((container, self._key() if isinstance(container, dict) else ""))
                    break
                if not self._closes(container):
                    self._fail("expected a comma")
                value = container

    def _closes(self, container: list[JsonValue] | dict[str, JsonValue]) -> bool:
        self._skip()
        return self._take("}" if isinstance(container, dict) else "]")

    def _take(self, char: str) -> bool:
        if self.text.startswith(char, self.at):
            self.at += 1
            return True
        return False

    def _key(self) -> str:
        self._skip()
        key = self._string()
        self._skip()
        if not self._take(":"):
            self._fail("was expecting a colon to separate field name and value")
        return key

    def _value(self) -> JsonValue:
        self._skip()
        char = self.text[self.at : self.at + 1]
        if char in {"{", "["} and char:
            self.at += 1
            return {} if char == "{" else []
        if char == '"':
            return self._string()
        number = _NUMBER.match(self.text, self.at)
        if number:
            self.at = number.end()
            return float(number[0]) if number[1] or number[2] else int(number[0])
        for word, value in _LITERALS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        return self._fail(f"expected a valid value {_ANY_VALUE}")

    def _string(self) -> str:
        string = _STRING.match(self.text, self.at)
        if string is None:
            self._fail("was expecting double-quote to start field name")
        self.at = string.end()
        return _ESCAPE.sub(
            lambda found: chr(int(found[1], 16)) if found[1] else _UNESCAPED.get(found[2], found[2]), string[1]
        )

    def _skip(self) -> None:
        space = _SPACE.match(self.text, self.at)
        if space:
            self.at = space.end()

    def _fail(self, expected: str) -> NoReturn:
        char = self.text[self.at : self.at + 1]
        self._stop(f"com.fasterxml.jackson.core.JsonParseException: Unexpected character ('{char}'): {expected}")

    def _stop(self, message: str) -> NoReturn:
        raise UnparsableSchema(message)
