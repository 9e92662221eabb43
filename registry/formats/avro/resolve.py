"""Gives names that were used before their definition their types.

Owns the order in which Avro Java completes records while it does so, which decides whether a default that needs the
fields of a record of its own cycle is accepted or refused. Follows Avro Java's ResolvingVisitor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from msgspec.structs import force_setattr

from registry.errors import UnparsableSchema
from registry.formats.avro.budget import Budget
from registry.formats.avro.canonical import canonical_text
from registry.formats.avro.defaults import Defaults, defaults_budget
from registry.formats.avro.trampoline import Task, run
from registry.formats.avro.types import (
    Array,
    Map,
    Named,
    Node,
    Record,
    Union,
    Unresolved,
    union_over,
)

MAX_STEPS: Final = 300_000
"""How far references are followed: far more than any schema made by people needs, and less than a second."""

_TOO_MANY_STEPS: Final = f"Types refer to each other in more ways than can be followed in {MAX_STEPS} steps"


class Budgets(NamedTuple):
    """What is left for one schema, over all its texts: steps of resolution, and values of defaults."""

    steps: Budget
    values: Budget


def budgets() -> Budgets:
    """What one schema may spend."""
    return Budgets(Budget(MAX_STEPS, _TOO_MANY_STEPS), defaults_budget())


_DEEP: Final = (Record, Union, Array, Map)


def union_of(branches: tuple[Node, ...]) -> Union:
    """A union of these branches; raises UnparsableSchema when two are alike or one is a union itself."""
    union = union_over(branches)
    seen = set()
    for branch in branches:
        # What it will be is not known yet; the union is checked again when it is.
        if isinstance(branch, Unresolved):
            continue
        if isinstance(branch, Union):
            raise UnparsableSchema(f"Nested union: {canonical_text(union)}")
        name = branch.label
        if name in seen:
            raise UnparsableSchema(f"Duplicate in union:{name}")
        seen.add(name)
    return union


def resolve(node: Node, known: Mapping[str, Named], left: Budgets, *, check_defaults: bool) -> Node:
    """Put the defined types in the place of their names, below all `known` types and `node`.

    left: what the schema may still spend. Raises UnparsableSchema when that is not enough, for a name without
    definition, a union that has a type twice, and a default that is none.
    """
    # Java completes all types again whenever a text is added to those read before, and may then refuse a default
    # that it took at first; this is why all `known` types are walked, not only those of the last text.
    resolution = _Resolution(known, left, check_defaults=check_defaults)
    for start in (*known.values(), node):
        run(resolution.visit(start))
        resolution.close()
    return resolution.target(node)


class _Resolution:
    """One walk over all types.

    `_begun` records have their place, `_complete` ones their fields too, and below `_closed` ones all are complete,
    so that walking there again would change nothing. `_below` keeps the types as they were before they were bound:
    Java walks the old types and builds new ones.
    """

    def __init__(self, known: Mapping[str, Named], left: Budgets, *, check_defaults: bool) -> None:
        self._known: Final = known
        self._begun: set[int] = set()
        self._complete: set[int] = set()
        self._completed: list[int] = []
        self._closed: set[int] = set()
        self._below: dict[int, Sequence[Node]] = {}
        self._steps: Final = left.steps
        self._defaults = Defaults(left.values, lambda record: id(record) in self._complete) if check_defaults else None

    def close(self) -> None:
        """A walk has ended: what it completed is closed."""
        self._closed.update(self._completed)
        self._completed.clear()

    def target(self, node: Node) -> Node:
        """The type that a node stands for."""
        return self._known[node.sought] if isinstance(node, Unresolved) else node

    def visit(self, start: Node) -> Task[None]:
        """Walk depth first in Java's order; a name that is met before its definition sends the walk there first."""
        visited: set[int] = set()
        stack = [(start, False)]
        # Each text begins a walk at every type known by then, be there anything left to do or not.
        self._steps.spend()
        while stack:
            node, below_done = stack.pop()
            if below_done:
                self._finish(node)
            elif id(node) not in visited and id(node) not in self._closed:
                if isinstance(node, Unresolved):
                    yield from self._follow(node)
                visited.add(id(node))
                self._begun.add(id(node))
                stack.append((node, True))
                stack.extend((child, False) for child in self._in_turn(node))

    def _follow(self, name: Unresolved) -> Task[None]:
        definition = self._known.get(name.sought)
        if definition is None:
            raise UnparsableSchema(f"Undefined schema: {name.sought}")
        if id(definition) not in self._begun:
            yield self.visit(definition)

    def _in_turn(self, node: Node) -> Sequence[Node]:
        """The types below a node that have types below them, the one to be visited first last."""
        turn = self._below.get(id(node))
        if turn is None:
            deep = [child for child in node.below if isinstance(child, _DEEP)]
            # Java takes the fields of a record from the first to the last and the branches of a union the other way.
            turn = self._below[id(node)] = deep if isinstance(node, Union) else deep[::-1]
        self._steps.spend(1 + len(turn))
        return turn

    def _finish(self, node: Node) -> None:
        """All below a node is done: bind it to the defined types and check it again."""
        # What stands for a name can only be replaced in place, as types may contain themselves; nobody else has seen
        # the nodes yet.
        if isinstance(node, Union):
            force_setattr(node, "branches", union_of(tuple(map(self.target, node.branches))).branches)
        elif isinstance(node, Array):
            force_setattr(node, "items", self.target(node.items))
        elif isinstance(node, Map):
            force_setattr(node, "values", self.target(node.values))
        elif isinstance(node, Record) and id(node) not in self._complete:
            self._finish_record(node)

    def _finish_record(self, node: Record) -> None:
        for field in node.fields.values():
            force_setattr(field, "type", self.target(field.type))
            if self._defaults:
                self._defaults.check(field.name, field.type, field.default)
        self._complete.add(id(node))
        self._completed.append(id(node))
