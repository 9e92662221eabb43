"""Gives names that were used before their definition their types.

Owns the order in which Avro Java completes records while it does so, which decides whether a default that needs the
fields of a record of its own cycle is accepted or refused. Follows Avro Java's ResolvingVisitor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias, TypeVar

from registry.errors import UnparsableSchema
from registry.formats.avro.canonical import canonical_text
from registry.formats.avro.defaults import Defaults
from registry.formats.avro.trampoline import Task, run
from registry.formats.avro.types import (
    Array,
    Map,
    Named,
    Node,
    Record,
    Union,
    Unresolved,
    full_name,
)

_Deep: TypeAlias = Record | Union | Array | Map
N = TypeVar("N", bound=Node)


def union_of(branches: tuple[Node, ...]) -> Union:
    """A union of these branches; raises UnparsableSchema when two are alike or one is a union itself."""
    union = Union(branches)
    seen = set()
    for branch in branches:
        if isinstance(branch, Unresolved):
            continue
        if isinstance(branch, Union):
            raise UnparsableSchema(f"Nested union: {canonical_text(union)}")
        name = full_name(branch)
        if name in seen:
            raise UnparsableSchema(f"Duplicate in union:{name}")
        seen.add(name)
    return union


def resolve(node: Node, known: Mapping[str, Named], *, check_defaults: bool) -> Node:
    """Put the defined types in the place of their names, below all `known` types and `node`.

    Raises UnparsableSchema for a name without definition, a union that has a type twice, and a default that is none.
    """
    resolution = _Resolution(known, check_defaults=check_defaults)
    for definition in list(known.values()):
        run(resolution.visit(definition))
    run(resolution.visit(node))
    return resolution.target(node)


class _Resolution:
    """One walk over all types; `_begun` records have their place, `_complete` ones their fields too."""

    def __init__(self, known: Mapping[str, Named], *, check_defaults: bool) -> None:
        self._known: Final = known
        self._begun: set[int] = set()
        self._complete: set[int] = set()
        self._defaults = Defaults(lambda record: id(record) in self._complete) if check_defaults else None

    def target(self, node: N) -> N | Named:
        """The type that a node stands for."""
        return self._known[node.sought] if isinstance(node, Unresolved) else node

    def visit(self, start: Node) -> Task[None]:
        """Walk depth first in Java's order; a name that is met before its definition sends the walk there first."""
        visited: set[int] = set()
        stack: list[tuple[Node, bool]] = [(start, False)]
        while stack:
            node, below_done = stack.pop()
            if below_done:
                self._finish(node)
            elif isinstance(node, _Deep) and id(node) not in visited:
                if isinstance(node, Unresolved):
                    yield from self._follow(node)
                visited.add(id(node))
                self._begun.add(id(node))
                stack.append((node, True))
                stack.extend((child, False) for child in _children(node))

    def _follow(self, name: Unresolved) -> Task[None]:
        definition = self._known.get(name.sought)
        if definition is None:
            raise UnparsableSchema(f"Undefined schema: {name.sought}")
        if id(definition) not in self._begun:
            yield self.visit(definition)

    def _finish(self, node: Node) -> None:
        """All below a node is done: bind it to the defined types and check it again."""
        if isinstance(node, Union):
            _bind(node, "branches", union_of(tuple(map(self.target, node.branches))).branches)
        elif isinstance(node, Array):
            _bind(node, "items", self.target(node.items))
        elif isinstance(node, Map):
            _bind(node, "values", self.target(node.values))
        elif isinstance(node, Record) and id(node) not in self._complete and not isinstance(node, Unresolved):
            for field in node.fields.values():
                _bind(field, "type", self.target(field.type))
                if self._defaults:
                    self._defaults.check(field.name, field.type, field.default)
            self._complete.add(id(node))


def _children(node: _Deep) -> list[Node]:
    """The types below a node, the one to be visited first last."""
    if isinstance(node, Record):
        return [field.type for field in reversed(list(node.fields.values()))]
    if isinstance(node, Union):
        return list(node.branches)
    return [node.items if isinstance(node, Array) else node.values]


def _bind(owner: object, attribute: str, value: object) -> None:
    """Set what cannot be known when a node is made; nothing changes after parsing."""
    object.__setattr__(owner, attribute, value)
