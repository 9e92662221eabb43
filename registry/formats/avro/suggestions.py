"""The smallest change of the reader that would mend an incompatibility, as one sentence.

Owns the sentences; refuses to know where the incompatibility stands and which of the two schemas is the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from registry.formats.avro.types import Enum, Field, Fixed, Node
from registry.model import java_order

_WIDER: Final[Mapping[str, frozenset[str]]] = {
    "INT": frozenset({"LONG", "FLOAT", "DOUBLE"}),
    "LONG": frozenset({"FLOAT", "DOUBLE"}),
    "FLOAT": frozenset({"DOUBLE"}),
}
"""By reader: what cannot be narrowed to it without loss."""


def suggestion(kind: str, reader: Node | Field, writer: Node) -> str:
    """One sentence for an incompatibility of this kind between a reader's type or field and a writer's type."""
    return _SENTENCES[kind](reader, writer)


def _missing_default(field: Field, _: Node) -> str:
    return f"Give the field {field.name} a default, or the field's former name as an alias."


def _type_mismatch(reader: Node, writer: Node) -> str:
    mine, theirs = reader.label, writer.label
    # The reader's type was made narrower: the other way round there would be nothing to mend.
    if writer.kind in _WIDER.get(reader.kind, ()):
        return f"Keep {theirs} here, or anything wider: {mine} cannot hold every {theirs}."
    if writer.kind == "NULL":
        return f'Allow null here: make the type the union of "null" and {mine}.'
    return f"Make the type the union of {theirs} and {mine}, or leave it as it is and add a new field."


def _name_mismatch(_: Node, writer: Node) -> str:
    return f'Add "{writer.label}" to the aliases of the renamed type.'


def _missing_symbols(reader: Enum, writer: Enum) -> str:
    missing = sorted(set(writer.symbols).difference(reader.symbols), key=java_order)
    return f"Keep {', '.join(missing)} among the symbols, or give the enum {reader.label} a default."


def _missing_branch(_: Node, writer: Node) -> str:
    return f"Add {writer.label} to the union, or mend the branch that is meant to read it."


def _fixed_size(_: Fixed, writer: Fixed) -> str:
    return f"Keep the size {writer.size}, or add a new field with a fixed type of another name."


_SENTENCES: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "READER_FIELD_MISSING_DEFAULT_VALUE": _missing_default,
    "TYPE_MISMATCH": _type_mismatch,
    "NAME_MISMATCH": _name_mismatch,
    "MISSING_ENUM_SYMBOLS": _missing_symbols,
    "MISSING_UNION_BRANCH": _missing_branch,
    "FIXED_SIZE_MISMATCH": _fixed_size,
}
