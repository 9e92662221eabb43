"""The normal form of a schema (`normalize=true`): what does not change its meaning is put in one order.

Owns the order of properties, aliases and logical types, and the writing of defaults through their type, as Confluent's
normalisation does; where that loses a default or changes a full name, the default or the name stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias, TypeGuard

from msgspec.structs import replace

from registry.formats.avro.logical_types import is_logical
from registry.formats.avro.numerals import float_text
from registry.formats.avro.trampoline import Task, in_order, run
from registry.formats.avro.types import (
    NO_PROPS,
    Absent,
    Annotated,
    Array,
    DetailedField,
    Enum,
    Field,
    Fixed,
    JsonValue,
    Kind,
    Map,
    Name,
    Named,
    Node,
    Primitive,
    Props,
    Record,
    Union,
    union_over,
)
from registry.model import java_order

_Container: TypeAlias = "list[JsonValue] | dict[str, JsonValue]"
_LOGICAL: Final = ("logicalType", "precision", "scale")


def normal_form(node: Node, kept: Mapping[str, Named]) -> Node:
    """The schema in normal form; the types of `kept` (by full name: those of other subjects) stay as they are."""
    return run(_Normalizer(kept).node(node))


class _Normalizer:
    """Makes each named type once."""

    def __init__(self, kept: Mapping[str, Named]) -> None:
        self._made: dict[str, Node] = dict(kept)

    def node(self, node: Node) -> Task[Node]:
        """The normal form of one node."""
        if isinstance(node, Named):
            made = self._made.get(node.name.full)
            if made is not None:
                return made
            return (yield from self._named(node))
        if isinstance(node, Annotated):
            return type(node)(_typed_props(node))
        below = yield from in_order(map(self.node, node.below))
        rebuild = _REBUILD.get(node.kind)
        # A bare primitive type has nothing to put in order.
        return rebuild(below, _sorted_props(node.props)) if rebuild else node

    def _named(self, node: Named) -> Task[Node]:
        name = replace(node.name, doc=node.name.doc or None, aliases=_sorted(node.name.aliases))
        if isinstance(node, Record):
            return (yield from self._record(node, name))
        if isinstance(node, Enum):
            return self._keep(Enum(name, _sorted_props(node.props), node.symbols, node.default))
        assert isinstance(node, Fixed)
        return self._keep(Fixed(name, _typed_props(node), node.size))

    def _record(self, node: Record, name: Name) -> Task[Node]:
        # The record is known before its fields are, because they may refer to it; nobody else sees it yet.
        fields: dict[str, Field] = {}
        record = self._keep(Record(name, _sorted_props(node.props), fields, is_error=False))
        for field in node.fields.values():
            type_ = yield self.node(field.type)
            default, aliases = _default(field), _sorted(field.aliases)
            props = _sorted_props(field.props)
            fields[field.name] = DetailedField(field.name, type_, field.doc, default, field.order, aliases, props)
        return record

    def _keep(self, node: Named) -> Node:
        self._made[node.name.full] = node
        return node


_REBUILD: Final[Mapping[Kind, Callable[[list[Node], Props], Node]]] = {
    "ARRAY": lambda below, props: Array(below[0], props),
    "MAP": lambda below, props: Map(below[0], props),
    "UNION": lambda below, _: union_over(tuple(below)),
}


def _sorted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(names, key=java_order))


def _sorted_props(props: Props) -> Props:
    return {key: _sorted_json(props[key]) for key in sorted(props, key=java_order)} if props else NO_PROPS


def _typed_props(node: Primitive | Fixed) -> Props:
    """Properties in order, those of a logical type first."""
    props = _sorted_props(node.props)
    if not is_logical(node):
        return props
    # Confluent writes the scale of a decimal first only where it is not 0; elsewhere it keeps its place by name.
    decimal = props["logicalType"] == "decimal"
    first = [key for key in _LOGICAL if key in props and (key == "logicalType" or (decimal and props[key] != 0))]
    return {key: props[key] for key in dict.fromkeys([*first, *props])}


def _sorted_json(value: JsonValue) -> JsonValue:
    """The value with all objects in it in the order of their keys."""
    # Level by level in place of calls: copies are made of what stands in a copy, the first of which is this list.
    whole: list[JsonValue] = [value]
    copies: list[_Container] = [whole]
    while copies:
        copy = copies.pop()
        for key, inner in copy.items() if isinstance(copy, dict) else enumerate(copy):
            if inner and isinstance(inner, list | dict):
                sorted_copy = _sorted_copy(inner)
                copy[key] = sorted_copy  # type: ignore[index]  # each kind of container has keys of its own
                copies.append(sorted_copy)
    return whole[0]


def _sorted_copy(value: _Container) -> _Container:
    return {key: value[key] for key in sorted(value, key=java_order)} if isinstance(value, dict) else [*value]


def _default(field: Field) -> JsonValue | Absent:
    """The default as its type writes it; a float's default beyond its range is infinite, as it is when read."""
    if isinstance(field.default, Absent):
        return field.default
    if field.type.kind == "FLOAT" and _is_number(field.default):
        return _single(field.default)
    return run(_written_through(field.default, field.type))


def _written_through(value: JsonValue, type_: Node) -> Task[JsonValue]:
    """A default as its type writes it: numbers of a float or double in that type's form, objects sorted by key.

    A union writes through its first branch; what does not fit the type stays as written.
    """
    type_ = _first_branch(type_)
    if isinstance(value, list):
        return (yield from _list_through(value, type_))
    if isinstance(value, dict):
        return (yield from _object_through(value, type_))
    return _number_through(value, type_) if _is_number(value) else value


def _first_branch(type_: Node) -> Node:
    """The first branch of a union; any other type itself."""
    # Confluent drops a default that is of another branch than the first; here it stays.
    while isinstance(type_, Union) and type_.branches:
        type_ = type_.branches[0]
    return type_


def _is_number(value: JsonValue) -> TypeGuard[int | float]:
    """Whether this is a number that Java's normalisation can handle: no integer beyond 64 bits."""
    if type(value) is int:
        return -(2**63) <= value < 2**63
    return isinstance(value, float)


def _number_through(value: int | float, type_: Node) -> JsonValue:
    if type_.kind == "DOUBLE":
        return float(value)
    if type_.kind != "FLOAT":
        return value
    single = _single(value)
    # Inside of lists and objects an infinite number could not be read back: there it is no valid default.
    return single if math.isfinite(single) else value


def _single(value: int | float) -> float:
    """The number as Java prints it after a cast to float."""
    return float(float_text(float(value)).strip('"'))


def _list_through(value: list[JsonValue], type_: Node) -> Task[JsonValue]:
    if not isinstance(type_, Array):
        return _sorted_json(value)
    items = _first_branch(type_.items)
    made: list[JsonValue] = []
    for inner in value:
        if isinstance(inner, list | dict):
            made.append((yield _written_through(inner, items)))
        else:
            made.append(_number_through(inner, items) if _is_number(inner) else inner)
    return made


def _object_through(value: dict[str, JsonValue], type_: Node) -> Task[JsonValue]:
    ordered: dict[str, JsonValue] = {}
    for key in sorted(value, key=java_order):
        inner: Node | None = None
        if isinstance(type_, Map):
            inner = type_.values
        elif isinstance(type_, Record) and key in type_.fields:
            inner = type_.fields[key].type
        below = value[key]
        ordered[key] = _sorted_json(below) if inner is None else (yield _written_through(below, inner))
    return ordered
