"""When two schemas are one.

Owns two questions: Java's `Schema.equals` (docs, aliases, enum defaults and the order of properties do not count) and
Confluent's equivalence for looking a schema up (docs, alias sets and enum defaults count as well).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeAlias

from registry.formats.avro.types import (
    Absent,
    Array,
    Enum,
    Field,
    Fixed,
    JsonValue,
    Map,
    Node,
    Primitive,
    Props,
    Record,
    Union,
)

_Pair: TypeAlias = tuple[Node, Node]


def equal(one: Node, other: Node) -> bool:
    """Java's `Schema.equals`."""
    return _same(one, other, with_docs=False)


def equivalent(one: Node, other: Node) -> bool:
    """Confluent's equivalence: `equal`, and the same docs, alias sets and enum defaults."""
    return _same(one, other, with_docs=True)


def _same(one: Node, other: Node, *, with_docs: bool) -> bool:
    seen: set[tuple[int, int]] = set()
    pairs: list[_Pair] = [(one, other)]
    while pairs:
        one, other = pairs.pop()
        if one is other or (id(one), id(other)) in seen:
            continue
        if isinstance(one, Record):
            seen.add((id(one), id(other)))
        if not _same_here(one, other, with_docs=with_docs):
            return False
        pairs.extend(_children(one, other))
    return True


def _same_here(one: Node, other: Node, *, with_docs: bool) -> bool:
    """Whether two nodes agree in all but the types below them."""
    if one.kind != other.kind:
        return False
    if isinstance(one, Union) and isinstance(other, Union):
        return len(one.branches) == len(other.branches)
    if isinstance(one, Union) or isinstance(other, Union) or not same_props(one.props, other.props):
        return False
    if isinstance(one, Primitive | Array | Map) or isinstance(other, Primitive | Array | Map):
        return True
    if one.name.full != other.name.full or (with_docs and not _same_docs(one, other)):
        return False
    return _same_named(one, other, with_docs=with_docs)


def _same_named(one: Record | Enum | Fixed, other: Record | Enum | Fixed, *, with_docs: bool) -> bool:
    if isinstance(one, Fixed) and isinstance(other, Fixed):
        return one.size == other.size
    if isinstance(one, Enum) and isinstance(other, Enum):
        return one.symbols == other.symbols and (not with_docs or one.default == other.default)
    return (
        isinstance(one, Record)
        and isinstance(other, Record)
        and len(one.fields) == len(other.fields)
        and all(
            _same_field(mine, yours, with_docs=with_docs)
            for mine, yours in zip(one.fields.values(), other.fields.values(), strict=True)
        )
    )


def _same_docs(one: Record | Enum | Fixed, other: Record | Enum | Fixed) -> bool:
    return one.name.doc == other.name.doc and set(one.name.aliases) == set(other.name.aliases)


def _same_field(one: Field, other: Field, *, with_docs: bool) -> bool:
    return (
        one.name == other.name
        and one.order == other.order
        and _same_default(one.default, other.default)
        and same_props(one.props, other.props)
        and (not with_docs or (one.doc == other.doc and set(one.aliases) == set(other.aliases)))
    )


def _same_default(one: JsonValue | Absent, other: JsonValue | Absent) -> bool:
    if isinstance(one, Absent) or isinstance(other, Absent):
        return one is other
    return same_json(one, other)


def same_props(one: Props, other: Props) -> bool:
    """Whether two sets of properties are the same, in whatever order."""
    if not one and not other:
        return True
    return same_json(dict(one), dict(other))


def same_json(one: JsonValue, other: JsonValue) -> bool:
    """Jackson's equality of JSON values: 1 is not 1.0, 0.0 is not -0.0, the order of an object does not count."""
    pairs: list[tuple[JsonValue, JsonValue]] = [(one, other)]
    while pairs:
        one, other = pairs.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            pairs.extend((value, other[key]) for key, value in one.items())
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            pairs.extend(zip(one, other, strict=True))
        elif isinstance(one, float) and isinstance(other, float):
            if not _same_double(one, other):
                return False
        elif one != other:
            return False
    return True


def _same_double(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other and math.copysign(1.0, one) == math.copysign(1.0, other)


def _children(one: Node, other: Node) -> Iterator[_Pair]:
    if isinstance(one, Array) and isinstance(other, Array):
        yield one.items, other.items
    elif isinstance(one, Map) and isinstance(other, Map):
        yield one.values, other.values
    elif isinstance(one, Union) and isinstance(other, Union):
        yield from zip(one.branches, other.branches, strict=True)
    elif isinstance(one, Record) and isinstance(other, Record):
        for mine, yours in zip(one.fields.values(), other.fields.values(), strict=True):
            yield mine.type, yours.type
