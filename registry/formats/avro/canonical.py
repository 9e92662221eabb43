"""The canonical text of a schema: what the registry stores, hashes and returns.

Owns the order of keys and the shortening of names; writes what Avro Java's `Schema.toString(references, false)` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Final

from registry.formats.avro.json_writer import json_text, quoted
from registry.formats.avro.trampoline import Task, run
from registry.formats.avro.types import (
    PRIMITIVES,
    Absent,
    Annotated,
    Enum,
    Field,
    Fixed,
    Kind,
    Name,
    Named,
    Node,
    Props,
    Record,
    Union,
    Unresolved,
)

_BARE_TEXTS: Final[Mapping[type, str]] = {primitive: f'"{word}"' for word, primitive in PRIMITIVES.items()}
_BELOW: Final[Mapping[Kind, str]] = {"ARRAY": "items", "MAP": "values"}
_TYPE_WORDS: Final = frozenset(PRIMITIVES) | {"record", "enum", "array", "map", "union", "fixed"}


def canonical_text(node: Node, known: Iterable[str] = ()) -> str:
    """The canonical text; the types named in `known` are written as names."""
    writer = _Writer(set(known))
    text = writer.plain(node, "")
    if text is not None:
        return text
    run(writer.deep(node, ""))
    return "".join(writer.out)


class _Writer:
    """Writes one text: `known` are the full names that were written already."""

    def __init__(self, known: set[str]) -> None:
        self.known = known
        self.out: list[str] = []

    def plain(self, node: Node, namespace: str) -> str | None:
        """The text of a node without types below it, or None."""
        text = _BARE_TEXTS.get(type(node))
        if text is not None:
            return text
        if isinstance(node, Union):
            return _union_text(node.words) if node.words else None
        if isinstance(node, Named):
            return self._plain_named(node, namespace)
        if node.kind in _BELOW:
            text = _BARE_TEXTS.get(type(node.below[0]))
            return f"{_begun(node)}{text}{_props(node.props)}}}" if text else None
        return f'{{"type":"{node.label}"{_props(node.props)}}}' if isinstance(node, Annotated) else None

    def _plain_named(self, node: Named, namespace: str) -> str | None:
        if isinstance(node, Unresolved):
            return quoted(node.sought)
        if node.name.full in self.known:
            return quoted(_short(node.name.full, namespace))
        # Written out at its first use, wherever its definition stood, and a name from there on.
        self.known.add(node.name.full)
        if isinstance(node, Enum):
            return _enum(node, namespace)
        return _fixed(node, namespace) if isinstance(node, Fixed) else None

    def deep(self, node: Node, namespace: str) -> Task[None]:
        """Write a node with types below it, for which `plain` answered None."""
        if isinstance(node, Record):
            return self._record(node, namespace)
        return self._union(node, namespace) if isinstance(node, Union) else self._collection(node, namespace)

    def _collection(self, node: Node, namespace: str) -> Task[None]:
        below = node.below[0]
        text = self.plain(below, namespace)
        self.out.append(f"{_begun(node)}{text or ''}")
        if text is None:
            yield self.deep(below, namespace)
        self.out.append(f"{_props(node.props)}}}")

    def _union(self, node: Union, namespace: str) -> Task[None]:
        self.out.append("[")
        for index, branch in enumerate(node.branches):
            text = self.plain(branch, namespace)
            self.out.append(("," if index else "") + (text or ""))
            if text is None:
                yield self.deep(branch, namespace)
        self.out.append("]")

    def _record(self, node: Record, namespace: str) -> Task[None]:
        own, out = node.name.namespace, self.out
        out.append(f'{_head("error" if node.is_error else "record", node.name, namespace)},"fields":[')
        separator = ""
        for field in node.fields.values():
            # Most fields take one string in all: this loop decides how long a text takes.
            text = _BARE_TEXTS.get(type(field.type)) or self.plain(field.type, own)
            tail = "}" if type(field) is Field else _field_tail(field)
            name = encode_basestring(field.name)
            if text is None:
                out.append(f'{separator}{{"name":{name},"type":')
                yield self.deep(field.type, own)
                out.append(tail)
            else:
                out.append(f'{separator}{{"name":{name},"type":{text}{tail}')
            separator = ","
        out.append(f"]{_tail(node.name, node.props)}")


# There are few different unions of bare types, which most nullable fields are of.
@lru_cache(maxsize=1024)
def _union_text(words: tuple[str, ...]) -> str:
    return json_text(list(words))


def _begun(collection: Node) -> str:
    """An array or a map up to the type below it."""
    return f'{{"type":"{collection.label}","{_BELOW[collection.kind]}":'


def _head(word: str, name: Name, namespace: str) -> str:
    # Also the null namespace is written, as "", where a type leaves the one around it.
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
    tail = "" if field.doc is None else f',"doc":{quoted(field.doc)}'
    if field.default is None:
        tail += ',"default":null'
    elif not isinstance(field.default, Absent):
        tail += f',"default":{json_text(field.default)}'
    if field.order != "ascending":
        tail += f',"order":"{field.order}"'
    if field.aliases:
        tail += f',"aliases":{json_text(list(field.aliases))}'
    return f"{tail}{_props(field.props)}}}" if field.props else tail + "}"


def _props(props: Props) -> str:
    return "".join([f",{quoted(key)}:{json_text(value)}" for key, value in props.items()]) if props else ""


def _bare(alias: str) -> str:
    """An alias as a full name: one that starts with its only dot has no namespace."""
    return alias[1:] if alias.rfind(".") == 0 else alias


def _short(full: str, namespace: str) -> str:
    """A full name as it is written inside a namespace: without the namespace, unless it reads as a kind of type."""
    # Java spells out `n.record` within n, though it reads `record` there without trouble.
    space, _, simple = full.rpartition(".")
    return simple if space and space == namespace and simple not in _TYPE_WORDS else full
