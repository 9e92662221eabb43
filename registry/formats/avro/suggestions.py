"""The smallest change of the reader that would mend an incompatibility, as one sentence.

Owns the sentences; refuses to know where the incompatibility stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from registry.formats.avro.types import Enum, Field, Fixed, Node, full_name

_WIDENED: Final[Mapping[tuple[str, str], str]] = {
    ("INT", "LONG"): "long",
    ("INT", "FLOAT"): "float",
    ("INT", "DOUBLE"): "double",
    ("LONG", "FLOAT"): "float",
    ("LONG", "DOUBLE"): "double",
    ("FLOAT", "DOUBLE"): "double",
}
"""By reader and writer: narrowing loses data, so the reader must stay as wide as the writer."""


def suggestion(kind: str, reader: Node | Field, writer: Node) -> str:
    """One sentence for an incompatibility of this kind between these two."""
    return _SENTENCES[kind](reader, writer)


def _word(node: Node | Field) -> str:
    return full_name(node.type if isinstance(node, Field) else node)


def _missing_default(reader: Node | Field, _writer: Node) -> str:
    name = reader.name if isinstance(reader, Field) else ""
    return f"Give the field {name} a default, or an alias that names the field it was before."


def _type_mismatch(reader: Node | Field, writer: Node) -> str:
    mine, theirs = reader.kind if not isinstance(reader, Field) else reader.type.kind, writer.kind
    wide = _WIDENED.get((mine, theirs))
    if wide:
        return f"Keep the wider type {wide}: {_word(reader)} cannot hold every {wide}."
    if theirs == "NULL":
        return f'Allow null as well: make the type a union of "null" and {_word(reader)}.'
    return f"Make the type a union that has both {_word(writer)} and {_word(reader)}, or add a new field instead."


def _name_mismatch(_reader: Node | Field, writer: Node) -> str:
    return f'Add "{full_name(writer)}" to the aliases of the renamed type.'


def _missing_symbols(reader: Node | Field, writer: Node) -> str:
    name = _word(reader)
    missing = (
        sorted(set(writer.symbols).difference(reader.symbols))
        if isinstance(reader, Enum) and isinstance(writer, Enum)
        else []
    )
    return f"Keep the symbols {', '.join(missing)}, or give the enum {name} a default symbol."


def _missing_branch(_reader: Node | Field, writer: Node) -> str:
    return f"Add {_word(writer)} to the union."


def _fixed_size(_reader: Node | Field, writer: Node) -> str:
    size = writer.size if isinstance(writer, Fixed) else 0
    return f"Keep the size {size}, or add a new field with a fixed type of another name."


_SENTENCES: Final[Mapping[str, Callable[[Node | Field, Node], str]]] = {
    "READER_FIELD_MISSING_DEFAULT_VALUE": _missing_default,
    "TYPE_MISMATCH": _type_mismatch,
    "NAME_MISMATCH": _name_mismatch,
    "MISSING_ENUM_SYMBOLS": _missing_symbols,
    "MISSING_UNION_BRANCH": _missing_branch,
    "FIXED_SIZE_MISMATCH": _fixed_size,
}
