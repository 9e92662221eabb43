"""When two schemas are one.

Owns two questions: Java's `Schema.equals` (docs, aliases, enum defaults and the order of properties do not count) and
Confluent's equivalence for looking a schema up (docs, alias sets and enum defaults count as well).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from registry.formats.avro.types import Absent, Enum, Field, Fixed, JsonValue, Named, Node, Props, Record, Union

_JsonPairs: TypeAlias = "list[tuple[JsonValue, JsonValue]]"


def equal(one: Node, other: Node) -> bool:
    """Java's `Schema.equals`."""
    return _same(one, other, with_docs=False)


def equivalent(one: Node, other: Node) -> bool:
    """Confluent's equivalence: `equal`, and the same docs, alias sets and enum defaults."""
    return _same(one, other, with_docs=True)


def _same(one: Node, other: Node, *, with_docs: bool) -> bool:
    # A pair of records that is met again, be it in a cycle, counts as the same: any difference shows elsewhere.
    seen: set[tuple[int, int]] = set()
    pairs = [(one, other)]
    while pairs:
        one, other = pairs.pop()
        if one is other or (id(one), id(other)) in seen:
            continue
        seen.add((id(one), id(other)))
        if not _same_here(one, other, with_docs=with_docs):
            return False
        pairs.extend(zip(one.below, other.below, strict=True))
    return True


def _same_here(one: Node, other: Node, *, with_docs: bool) -> bool:
    """Whether two nodes agree in all but the types below them."""
    if one.kind != other.kind or not same_props(one.props, other.props):
        return False
    rule = _RULES.get(one.kind)
    return rule is None or rule(one, other, with_docs)


def _same_name(one: Named, other: Named, with_docs: bool) -> bool:
    mine, yours = one.name, other.name
    if mine.full != yours.full:
        return False
    return not with_docs or (mine.doc == yours.doc and set(mine.aliases) == set(yours.aliases))


def _same_unions(one: Union, other: Union, _: bool) -> bool:
    return len(one.branches) == len(other.branches)


def _same_fixed(one: Fixed, other: Fixed, with_docs: bool) -> bool:
    return one.size == other.size and _same_name(one, other, with_docs)


def _same_enums(one: Enum, other: Enum, with_docs: bool) -> bool:
    same_default = not with_docs or one.default == other.default
    return one.symbols == other.symbols and same_default and _same_name(one, other, with_docs)


def _same_records(one: Record, other: Record, with_docs: bool) -> bool:
    # Java does not ask whether one of them is an `error`.
    if len(one.fields) != len(other.fields) or not _same_name(one, other, with_docs):
        return False
    fields = zip(one.fields.values(), other.fields.values(), strict=True)
    return all(_same_field(mine, yours, with_docs) for mine, yours in fields)


_RULES: Final[Mapping[str, Callable[[Any, Any, bool], bool]]] = {
    "UNION": _same_unions,
    "FIXED": _same_fixed,
    "ENUM": _same_enums,
    "RECORD": _same_records,
}
"""What to compare beside kind and properties."""


def _same_field(one: Field, other: Field, with_docs: bool) -> bool:
    if one.name != other.name or one.order != other.order:
        return False
    if not _same_default(one.default, other.default) or not same_props(one.props, other.props):
        return False
    return not with_docs or (one.doc == other.doc and set(one.aliases) == set(other.aliases))


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
    pairs: _JsonPairs = [(one, other)]
    while pairs:
        one, other = pairs.pop()
        # Python finds True and 1, and 1 and 1.0, equal; Jackson has a class for each.
        if type(one) is not type(other):
            return False
        rule = _JSON_RULES.get(type(one))
        if not (rule(one, other, pairs) if rule else one == other):
            return False
    return True


def _same_objects(one: dict[str, JsonValue], other: dict[str, JsonValue], pairs: _JsonPairs) -> bool:
    if one.keys() != other.keys():
        return False
    pairs.extend((value, other[key]) for key, value in one.items())
    return True


def _same_lists(one: list[JsonValue], other: list[JsonValue], pairs: _JsonPairs) -> bool:
    if len(one) != len(other):
        return False
    pairs.extend(zip(one, other, strict=True))
    return True


def _same_doubles(one: float, other: float, _: _JsonPairs) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other and math.copysign(1.0, one) == math.copysign(1.0, other)


_JSON_RULES: Final[Mapping[type, Callable[[Any, Any, _JsonPairs], bool]]] = {
    dict: _same_objects,
    list: _same_lists,
    float: _same_doubles,
}
