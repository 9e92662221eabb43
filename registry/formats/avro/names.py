"""What a name may look like.

Owns the rules for names of types, fields, symbols and namespaces: strict ones for new schemas, and the wider ones of
schemas that are stored already. Follows Avro Java's STRICT_VALIDATOR and UTF_VALIDATOR.
"""

from __future__ import annotations

import unicodedata

from registry.errors import UnparsableSchema


def strict_fault(name: str) -> str | None:
    """Why a new schema may not use this name: ASCII letters, digits and `_`, no digit first."""
    if name.isascii() and name.isidentifier():
        return None
    if not name:
        return "Empty name"
    first = name[0]
    if not (first.isascii() and (first.isalpha() or first == "_")):
        return f"Illegal initial character: {name}"
    return f"Illegal character in: {name}"


def lenient_fault(name: str) -> str | None:
    """Why a stored schema may not use this name: letters and digits of any script below U+10000, and `_`."""
    if name.isascii():
        return strict_fault(name)
    if not _letter(name[0]) and name[0] != "_":
        return f"Illegal initial character: {name}"
    if not all(char == "_" or _letter(char) or unicodedata.category(char) == "Nd" for char in name):
        return f"Illegal character in: {name}"
    return None


def _letter(char: str) -> bool:
    """Java looks at UTF-16 units one by one, so that nothing beyond U+FFFF is a letter."""
    return char <= "\uffff" and unicodedata.category(char) in {"Lu", "Ll", "Lt", "Lm", "Lo"}


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
