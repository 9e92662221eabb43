"""The check of all names in a schema that is stored already.

Owns the order in which they are looked at; what a name may look like is said in `names`.
"""

from __future__ import annotations

from collections.abc import Iterator

from registry.formats.avro.names import check_lenient
from registry.formats.avro.types import Enum, Named, Node, Record


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
            stack.extend(reversed([*_parts(item)]))


def _parts(node: Node) -> Iterator[Node | str]:
    """The names of a node and the types below it, in the order in which Confluent checks them."""
    if isinstance(node, Named):
        yield node.name.simple
    if isinstance(node, Enum):
        yield from node.symbols
    if isinstance(node, Record):
        for field in node.fields.values():
            yield field.name
            yield field.type
    else:
        yield from node.below
