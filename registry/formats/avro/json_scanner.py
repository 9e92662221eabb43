"""The slow reader of JSON: accepts what Jackson accepts and refuses the rest in Jackson's words, with line and column.

Owns positions and messages. Used only for texts that the fast reader does not settle, so clarity comes before speed.
Follows Jackson 2.20's parser of characters, with comments allowed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final, NoReturn, TypeAlias

from registry.errors import UnparsableSchema
from registry.formats.avro.types import JsonValue

MAX_DEPTH: Final = 1000
MAX_NUMBER_CHARS: Final = 1000
MAX_NAME_CHARS: Final = 50_000
_MAX_TOKEN_CHARS: Final = 256

_BODY: Final = re.compile(r'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
_ESCAPE: Final = re.compile(r"\\(?:u(....)|(.))", re.DOTALL)
_SIMPLE: Final = re.compile(r'(?:"([^"\\\x00-\x1f]*)"|(-?(?:0|[1-9][0-9]{0,17}))|(true|false|null))(?=[ \t\r\n,\]}])')
"""Most values, read at once; what is not among them is looked at character by character."""
_SIMPLE_KEY: Final = re.compile(r'"([^"\\\x00-\x1f]{0,1000})"[ \t\r\n]*:[ \t\r\n]*(?=[^ \t\r\n/\x00-\x1f])')
_COMMA: Final = re.compile(r"[ \t\r\n]*,[ \t\r\n]*(?=[^ \t\r\n/\x00-\x1f])")
_LITERAL: Final = re.compile(r"(?:true|false|null)(?=[\x00-/\]}]|\Z)")
"""These words with what may follow: Jackson asks for no more after any character below the digits."""
_HEX: Final = re.compile(r"[0-9a-fA-F]{0,4}")
_DIGITS: Final = re.compile(r"[0-9]*")
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NO_SPACE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LINE_END: Final = re.compile(r"\r\n?|\n")
_COMMENT_ENDS: Final = {"/": re.compile(r"(?=[\r\n])|\Z"), "*": re.compile(r"\*/")}
_SPACES: Final = frozenset(" \t\r\n")
_NO_NUMBERS: Final = frozenset({"NaN", "Infinity", "-Infinity", "-INF", "+Infinity", "+INF"})
_NO_DIGIT_AFTER_MINUS: Final = "expected digit (0-9) to follow minus sign, for valid numeric value"
_ESCAPES: Final[Mapping[str, str]] = {
    '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip
_LITERALS: Final[Mapping[str, JsonValue]] = {"true": True, "false": False, "null": None}
_VALUES: Final = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_SOURCE: Final = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled);"
_PACKAGE: Final = "com.fasterxml.jackson.core."
_INITIAL_CATEGORIES: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Sc", "Pc"})
# Control characters that Java skips in names.
_IGNORABLE: Final = frozenset(map(chr, [*range(9), *range(0x0E, 0x1C), *range(0x7F, 0xA0)]))
_WORD_CATEGORIES: Final = _INITIAL_CATEGORIES | {"Nd", "Mn", "Mc", "Cf"}

_Container: TypeAlias = list[JsonValue] | dict[str, JsonValue]


class Scanner:
    """Reads one value of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[tuple[_Container, int]] = []
        """The containers around the place of reading, and where each began."""

    def read(self) -> tuple[JsonValue, str] | None:
        """The value and the text after it, or None when there is none; raises UnparsableSchema."""
        if not self._next():
            return None
        # A container is put into the one around it when it opens, so nothing is left to do when it closes.
        root = self._value()
        while self._open:
            container = self._open[-1][0]
            comma = _COMMA.match(self._text, self._at) if container else None
            if comma:
                self._at = comma.end()
            elif self._closed():
                self._open.pop()
                continue
            elif container:
                self._comma()
            if isinstance(container, dict):
                key = self._key()
                container[key] = self._value()
            else:
                container.append(self._value())
        return root, self._text[self._at :]

    # Between values.

    @property
    def _here(self) -> str:
        """The character at the place of reading; empty at the end."""
        return self._text[self._at : self._at + 1]

    def _take(self, char: str) -> bool:
        taken = self._here == char
        self._at += taken
        return taken

    def _next(self) -> str:
        """Skip spaces and comments: the next character, not yet taken; empty at the end."""
        self._at += len(_matched(_SPACE, self._text, self._at))
        while self._here == "/":
            self._comment()
            self._at += len(_matched(_SPACE, self._text, self._at))
        if self._here < " ":
            self._refuse_odd_space(self._at, self._at + 1)
        return self._here

    def _comment(self) -> None:
        # Jackson takes comments wherever it takes space, but no control characters within them.
        self._at += 1
        style = self._here
        if style not in _COMMENT_ENDS:
            self._unexpected("was expecting either '*' or '/' for a comment", unended=" in a comment")
        end = _COMMENT_ENDS[style].search(self._text, self._at + 1)
        self._refuse_odd_space(self._at, end.start() if end else len(self._text))
        self._at = end.end() if end else len(self._text)
        if end is None:
            self._ended(" in a comment")

    def _closed(self) -> bool:
        """Take the end of the innermost container, if it is here."""
        container, began = self._open[-1]
        end, word = ("}", "Object") if isinstance(container, dict) else ("]", "Array")
        if self._text.startswith(end, self._at):
            self._at += 1
            return True
        char = self._next()
        if not char:
            self._ended(f": expected close marker for {word} (start marker at {self._place(began)})")
        if char not in "}]":
            return False
        if char != end:
            self._fail(
                f"Unexpected close marker '{char}': expected '{end}' (for {word} starting at {self._place(began)})"
            )
        self._at += 1
        return True

    def _comma(self) -> None:
        word = "Object" if isinstance(self._open[-1][0], dict) else "Array"
        if not self._take(","):
            self._unexpected(f"was expecting comma to separate {word} entries")
        if not self._next():
            self._fail(f"Unexpected end-of-input within/between {word} entries")

    def _key(self) -> str:
        simple = _SIMPLE_KEY.match(self._text, self._at)
        if simple:
            self._at = simple.end()
            return simple[1]
        if self._here != '"':
            self._unexpected("was expecting double-quote to start field name")
        key = self._string("name", " in field name")
        if len(key) > MAX_NAME_CHARS:
            self._limit(f"Name length ({len(key)})", MAX_NAME_CHARS, "getMaxNameLength")
        between = " within/between Object entries"
        if self._next() != ":":
            self._unexpected("was expecting a colon to separate field name and value", unended=between)
        self._at += 1
        if not self._next():
            self._ended(between)
        return key

    # Values.

    def _value(self) -> JsonValue:
        char = self._here
        if char in "{[":
            return self._opened({} if char == "{" else [])
        simple = _SIMPLE.match(self._text, self._at) if self._open else None
        if simple:
            self._at = simple.end()
            string, number, literal = simple.groups()
            return string if string is not None else int(number) if number else _LITERALS[literal]
        if char == '"':
            return self._string("string value", ": was expecting closing quote for a string value")
        return self._bare()

    def _bare(self) -> JsonValue:
        """A literal or a number; whatever else stands here is refused as one that was begun."""
        literal = _LITERAL.match(self._text, self._at)
        word = literal[0] if literal else self._word()
        if word in _LITERALS:
            self._at += len(word)
            return _LITERALS[word]
        if word.startswith(("+", "-I")) and word not in _NO_NUMBERS:
            self._refuse_sign(word)
        if self._here in "-0123456789" and word not in _NO_NUMBERS:
            return self._number()
        return self._refuse_word(word)

    def _opened(self, container: _Container) -> _Container:
        if len(self._open) >= MAX_DEPTH:
            self._limit(f"Document nesting depth ({MAX_DEPTH + 1})", MAX_DEPTH, "getMaxNestingDepth")
        self._open.append((container, self._at))
        self._at += 1
        return container

    def _string(self, what: str, unended: str) -> str:
        """The string that begins here; an escaped surrogate pair becomes the character that it stands for."""
        body = _matched(_BODY, self._text, self._at + 1)
        self._at += 1 + len(body)
        if self._take("\\"):
            self._refuse_escape()
        if not self._take('"'):
            self._refuse_unquoted(what, unended)
        # Two escaped halves of a surrogate pair are one character in Python.
        text = _ESCAPE.sub(_unescaped, body)
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")

    def _number(self) -> JsonValue:
        began = self._at
        self._take("-")
        digits = self._whole()
        fraction = exponent = ""
        # Jackson tells the end of the whole part as the place; after a lone zero it tells where it stands, unless the
        # text ends there.
        fault_at = self._at if digits != "0" or self._at + 1 == len(self._text) else None
        if self._take("."):
            fraction = self._digits("Decimal point not followed by a digit", fault_at=fault_at)
        if self._take("e") or self._take("E"):
            self._at += self._here in {"+", "-"}
            exponent = self._digits(
                "Exponent indicator not followed by a digit", "expected a digit for number exponent", fault_at=fault_at
            )
        if not self._open and self._here and self._here not in _SPACES:
            self._unexpected("Expected space separating root-level values")
        # Jackson counts the digits, and neither signs nor the point.
        length = len(digits) + len(fraction) + len(exponent)
        if length > MAX_NUMBER_CHARS:
            self._limit(f"Number value length ({length})", MAX_NUMBER_CHARS, "getMaxNumberLength")
        text = self._text[began : self._at]
        return float(text) if fraction or exponent else int(text)

    def _whole(self) -> str:
        if self._here == ".":
            self._unexpected(f"expected a valid value {_VALUES}")
        began = self._at
        digits = self._digits(_NO_DIGIT_AFTER_MINUS, "No digit following sign")
        if digits[0] == "0" and len(digits) > 1:
            self._at = began + 1
            self._fail("Invalid numeric value: Leading zeroes not allowed")
        return digits

    def _digits(self, otherwise: str, unended: str = "", *, fault_at: int | None = None) -> str:
        """The digits that must stand here; the refusal tells the place `fault_at`, where it is not this one."""
        digits = _matched(_DIGITS, self._text, self._at)
        if not digits:
            if not self._here and unended:
                self._ended(unended)
            char = self._here or "."
            self._at = self._at if fault_at is None else fault_at
            self._refuse_digit(char, otherwise)
        self._at += len(digits)
        return digits

    def _word(self) -> str:
        """What would be a name in Java from here on, after a sign; not taken."""
        end = self._at + (self._here in {"-", "+"})
        while _in_word(self._text[end : end + 1]):
            end += 1
        return self._text[self._at : end]

    # Refusals.

    def _refuse_word(self, word: str) -> NoReturn:
        if self._here in {"}", "]"} and not self._open:
            opener = "Object" if self._here == "}" else "Array"
            self._fail(f"Unexpected close marker '{self._here}': no open {opener} to close")
        if self._here == "}" and isinstance(self._open[-1][0], list):
            self._unexpected("expected a value")
        if not word or (word[0] not in "+-" and unicodedata.category(word[0]) not in _INITIAL_CATEGORIES):
            self._unexpected(f"expected a valid value {_VALUES}")
        self._at += min(len(word), _MAX_TOKEN_CHARS)
        if word in _NO_NUMBERS:
            self._fail(f"Non-standard token '{word}': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow")
        shown = word if len(word) < _MAX_TOKEN_CHARS else f"{word[:_MAX_TOKEN_CHARS]}..."
        self._fail(f"Unrecognized token '{shown}': was expecting {_VALUES}")

    def _refuse_sign(self, word: str) -> NoReturn:
        """Refuse a plus, or a minus before what begins as an infinity."""
        sign = self._here
        # By the third character Jackson knows whether it looks for an infinity.
        if word[1:2] == "I" and word[2:3] in {"n", "N"}:
            self._refuse_word(word)
        self._at += 1
        self._at += self._here == "I"
        if not self._here:
            self._ended(" in a Number value")
        if sign == "+":
            setting = "enable `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow"
            self._refuse_digit(sign, f"JSON spec does not allow numbers to have plus signs: {setting}")
        self._refuse_digit(self._here, _NO_DIGIT_AFTER_MINUS)

    def _refuse_digit(self, char: str, why: str) -> NoReturn:
        self._fail(f"Unexpected character ({_shown(char)}) in numeric value: {why}")

    def _refuse_odd_space(self, began: int, end: int) -> None:
        odd = _NO_SPACE.search(self._text, began, end)
        if odd:
            self._at = odd.end()
            allowed = "only regular white space (\\r, \\n, \\t) is allowed between tokens"
            self._fail(f"Illegal character ({_shown(odd[0])}): {allowed}")

    def _refuse_unquoted(self, what: str, unended: str) -> NoReturn:
        if not self._here:
            self._ended(unended)
        why = f"has to be escaped using backslash to be included in {what}"
        self._fail(f"Illegal unquoted character ({_shown(self._here)}): {why}")

    def _refuse_escape(self) -> NoReturn:
        sequence = " in character escape sequence"
        if not self._here:
            self._ended(sequence)
        if not self._take("u"):
            self._fail(f"Unrecognized character escape {_shown(self._here)}")
        self._at += len(_matched(_HEX, self._text, self._at))
        self._unexpected("expected a hex-digit for character escape sequence", unended=sequence)

    def _unexpected(self, why: str, unended: str = "") -> NoReturn:
        if not self._here:
            self._ended(unended)
        self._fail(f"Unexpected character ({_shown(self._here)}): {why}")

    def _ended(self, where: str) -> NoReturn:
        self._fail(f"Unexpected end-of-input{where}", error="io.JsonEOFException")

    def _limit(self, what: str, limit: int, setting: str) -> NoReturn:
        raise UnparsableSchema(
            f"{_PACKAGE}exc.StreamConstraintsException: {what} exceeds the maximum allowed ({limit}, from "
            f"`StreamReadConstraints.{setting}()`)"
        )

    def _fail(self, message: str, error: str = "JsonParseException") -> NoReturn:
        raise UnparsableSchema(f"{_PACKAGE}{error}: {message}\n at {self._place(self._at)}")

    def _place(self, at: int) -> str:
        """Line and column, both from 1, the column in UTF-16 units."""
        lines = _LINE_END.split(self._text[:at])
        column = len(lines[-1].encode("utf-16-le", "surrogatepass")) // 2 + 1
        return f"{_SOURCE} line: {len(lines)}, column: {column}]"


def _matched(pattern: re.Pattern[str], text: str, at: int) -> str:
    found = pattern.match(text, at)
    return found[0] if found else ""


def _unescaped(escape: re.Match[str]) -> str:
    digits, letter = escape.groups()
    return chr(int(digits, 16)) if digits else _ESCAPES[letter]


def _shown(char: str) -> str:
    """A character as Jackson names it: the UTF-16 unit, with its code."""
    code = ord(char)
    # Java meets the first half of the pair first, and stops there.
    if code > 0xFFFF:
        code = 0xD800 + ((code - 0x10000) >> 10)
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"(CTRL-CHAR, code {code})"
    return f"'{chr(code)}' (code {code}{f' / 0x{code:x}' if code > 0xFF else ''})"


def _in_word(char: str) -> bool:
    """Whether Java takes the character for part of a name in its own language."""
    if not char or char > "\uffff":
        return False
    return unicodedata.category(char) in _WORD_CATEGORIES or char in _IGNORABLE
