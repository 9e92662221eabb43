"""The canonical text of a schema: what the registry stores, hashes and returns.

Owns the order of keys and the shortening of names; writes what Avro Java's `Schema.toString(references, false)` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from registry.formats.avro.json_writer import json_text, quoted
from registry.formats.avro.trampoline import Task, run
from registry.formats.avro.types import (
    PRIMITIVE_KINDS,
    Absent,
    Array,
    Enum,
    Field,
    Fixed,
    Kind,
    Map,
    Name,
    Node,
    Primitive,
    Props,
    Record,
    Union,
    Unresolved,
)

_PRIMITIVE_TEXTS: Final[Mapping[Kind, str]] = {kind: f'"{word}"' for word, kind in PRIMITIVE_KINDS.items()}
_TYPE_WORDS: Final = frozenset(PRIMITIVE_KINDS) | {"record", "enum", "array", "map", "union", "fixed"}


def canonical_text(node: Node, known: Iterable[str] = ()) -> str:
    """The canonical text; the types named in `known` are written as names."""
    writer = _Writer(set(known))
    child = writer.write(node, "")
    if child is not None:
        run(child)
    return "".join(writer.out)


class _Writer:
    """Writes one text: `known` are the full names that were written already."""

    def __init__(self, known: set[str]) -> None:
        self.known = known
        self.out: list[str] = []

    def write(self, node: Node, namespace: str) -> Task[None] | None:
        """Write a node without types below it at once, and return the task of writing any other."""
        if isinstance(node, Primitive):
            self.out.append(_primitive(node))
            return None
        if isinstance(node, Array | Map):
            return self._collection(node, namespace)
        if isinstance(node, Union):
            return self._union(node, namespace)
        if isinstance(node, Unresolved):
            self.out.append(quoted(node.sought))
            return None
        if node.name.full in self.known:
            self.out.append(quoted(_short(node.name.full, namespace)))
            return None
        self.known.add(node.name.full)
        if isinstance(node, Record):
            return self._record(node, namespace)
        self.out.append(_enum(node, namespace) if isinstance(node, Enum) else _fixed(node, namespace))
        return None

    def _collection(self, node: Array | Map, namespace: str) -> Task[None]:
        is_array = isinstance(node, Array)
        self.out.append('{"type":"array","items":' if is_array else '{"type":"map","values":')
        child = self.write(node.items if isinstance(node, Array) else node.values, namespace)
        if child is not None:
            yield child
        self.out.append(f"{_props(node.props)}}}")

    def _union(self, node: Union, namespace: str) -> Task[None]:
        self.out.append("[")
        for index, branch in enumerate(node.branches):
            if index:
                self.out.append(",")
            child = self.write(branch, namespace)
            if child is not None:
                yield child
        self.out.append("]")

    def _record(self, node: Record, namespace: str) -> Task[None]:
        out = self.out
        out.append(f'{_head("error" if node.is_error else "record", node.name, namespace)},"fields":[')
        separator = ""
        for field in node.fields.values():
            out.append(f'{separator}{{"name":{quoted(field.name)},"type":')
            child = self.write(field.type, node.name.namespace)
            if child is not None:
                yield child
            out.append(_field_tail(field))
            separator = ","
        out.append(f"]{_tail(node.name, node.props)}")


def _primitive(node: Primitive) -> str:
    text = _PRIMITIVE_TEXTS[node.kind]
    return f'{{"type":{text}{_props(node.props)}}}' if node.props else text


def _head(word: str, name: Name, namespace: str) -> str:
    own = f',"namespace":{quoted(name.namespace)}' if name.namespace != namespace else ""
    doc = f',"doc":{quoted(name.doc)}' if name.doc is not None else ""
    return f'{{"type":"{word}","name":{quoted(name.simple)}{own}{doc}'


def _tail(name: Name, props: Props) -> str:
    if not name.aliases:
        return f"{_props(props)}}}"
    aliases = ",".join(quoted(_short(_bare(alias), name.namespace)) for alias in name.aliases)
    return f'{_props(props)},"aliases":[{aliases}]}}'


def _enum(node: Enum, namespace: str) -> str:
    symbols = ",".join(map(quoted, node.symbols))
    default = f',"default":{quoted(node.default)}' if node.default is not None else ""
    return f'{_head("enum", node.name, namespace)},"symbols":[{symbols}]{default}{_tail(node.name, node.props)}'


def _fixed(node: Fixed, namespace: str) -> str:
    return f'{_head("fixed", node.name, namespace)},"size":{node.size}{_tail(node.name, node.props)}'


def _field_tail(field: Field) -> str:
    doc = f',"doc":{quoted(field.doc)}' if field.doc is not None else ""
    default = "" if isinstance(field.default, Absent) else f',"default":{json_text(field.default)}'
    order = f',"order":"{field.order}"' if field.order != "ascending" else ""
    aliases = f',"aliases":{json_text(list(field.aliases))}' if field.aliases else ""
    return f"{doc}{default}{order}{aliases}{_props(field.props)}}}"


def _props(props: Props) -> str:
    return "".join([f",{quoted(key)}:{json_text(value)}" for key, value in props.items()]) if props else ""


def _bare(alias: str) -> str:
    """An alias as a full name: one that starts with its only dot has no namespace."""
    return alias[1:] if alias.rfind(".") == 0 else alias


def _short(full: str, namespace: str) -> str:
    """A full name as it is written inside a namespace: without the namespace, unless it reads as a kind of type."""
    space, _, simple = full.rpartition(".")
    return simple if space and space == namespace and simple not in _TYPE_WORDS else full
