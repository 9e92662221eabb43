"""What a name may look like.

Owns the rules for names of types, fields, symbols and namespaces: strict ones for new schemas, and the wider ones of
schemas that are stored already. Follows Avro Java's STRICT_VALIDATOR and UTF_VALIDATOR.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from registry.errors import UnparsableSchema

_LETTERS: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo"})


def strict_fault(name: str) -> str | None:
    """Why a new schema may not use this name: ASCII letters, digits and `_`, no digit first."""
    # Python's identifiers in ASCII are just these names, and the check runs at C speed.
    if name.isascii() and name.isidentifier():
        return None
    return _fault(name, _is_ascii_initial, _is_ascii_part)


def lenient_fault(name: str) -> str | None:
    """Why a stored schema may not use this name: letters and digits of any script below U+10000, and `_`."""
    return strict_fault(name) if name.isascii() else _fault(name, _is_initial, _is_part)


def _fault(name: str, is_initial: Callable[[str], bool], is_part: Callable[[str], bool]) -> str | None:
    if not name:
        return "Empty name"
    if not is_initial(name[0]):
        return f"Illegal initial character: {name}"
    return None if all(map(is_part, name)) else f"Illegal character in: {name}"


def _is_ascii_initial(char: str) -> bool:
    return char.isascii() and (char.isalpha() or char == "_")


def _is_ascii_part(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")


def _is_initial(char: str) -> bool:
    # Java looks at UTF-16 units one by one, so that nothing beyond U+FFFF is a letter.
    return char == "_" or (char <= "\uffff" and unicodedata.category(char) in _LETTERS)


def _is_part(char: str) -> bool:
    return _is_initial(char) or (char <= "\uffff" and unicodedata.category(char) == "Nd")


def check_strict(name: str) -> None:
    """Raise UnparsableSchema unless a new schema may use this name."""
    fault = strict_fault(name)
    if fault:
        raise UnparsableSchema(fault)


def check_lenient(name: str) -> None:
    """Raise UnparsableSchema unless a stored schema may use this name."""
    fault = lenient_fault(name)
    if fault:
        raise UnparsableSchema(fault)


def check_namespace(namespace: str) -> None:
    """Raise UnparsableSchema unless a new schema may use this namespace."""
    for part in namespace.split("."):
        fault = strict_fault(part)
        if fault:
            raise UnparsableSchema(f'Namespace part "{part}" is invalid: {fault}')


MAX_SHARED_NAMES: Final = 4_096
MAX_SHARED_CHARS: Final = 64
"""The longest name that may be asked of the two functions below: what they keep is bounded, as it outlives schemas."""


@lru_cache(maxsize=MAX_SHARED_NAMES)
def shared_name(name: str) -> str:
    """The same name as one object for all schemas that use it.

    Versions of a schema are made of the same names: kept once they take less memory, and one object is found equal
    without reaching for two texts.
    """
    # Not Python's `intern`, because some of its versions keep every name for ever.
    return name


@lru_cache(maxsize=MAX_SHARED_NAMES)
def shared_strict_name(name: str) -> str:
    """As `shared_name`; raises UnparsableSchema unless a new schema may use the name."""
    check_strict(name)
    return shared_name(name)
