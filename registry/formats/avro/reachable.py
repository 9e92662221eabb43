"""Walks all types of a schema.

Owns the check of names in schemas that are stored already: letters and digits of any script.
"""

from __future__ import annotations

from collections.abc import Iterator

from registry.formats.avro.names import check_lenient
from registry.formats.avro.types import Array, Enum, Map, Node, Primitive, Record, Union


def check_names(root: Node) -> None:
    """Raise UnparsableSchema unless the simple names of all types, fields and symbols are well-formed."""
    seen: set[int] = set()
    stack: list[Node | str] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            check_lenient(item)
        elif id(item) not in seen:
            seen.add(id(item))
            stack.extend(reversed(list(_parts(item))))


def _parts(node: Node) -> Iterator[Node | str]:
    """The names of a node and the types below it, in order."""
    if isinstance(node, Primitive):
        return
    if isinstance(node, Array | Map):
        yield node.items if isinstance(node, Array) else node.values
    elif isinstance(node, Union):
        yield from node.branches
    else:
        yield node.name.simple
        if isinstance(node, Enum):
            yield from node.symbols
        elif isinstance(node, Record):
            for field in node.fields.values():
                yield field.name
                yield field.type
