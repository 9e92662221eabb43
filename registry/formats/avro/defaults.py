"""Whether a field's default is a value of its type.

Owns the rule for each kind as Avro Java states it (a union's default may be of any branch, strings are not looked
into); refuses to know where the default stands. The same question is never answered twice, so that defaults of
defaults cannot take exponential time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from registry.errors import UnparsableSchema
from registry.formats.avro.budget import Budget
from registry.formats.avro.canonical import canonical_text
from registry.formats.avro.json_writer import json_text
from registry.formats.avro.trampoline import Task, run
from registry.formats.avro.types import Absent, Array, JsonValue, Kind, Map, Node, Record, Union


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str)


def _is_int(value: JsonValue) -> bool:
    return type(value) is int and -(2**31) <= value < 2**31


def _is_long(value: JsonValue) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_boolean(value: JsonValue) -> bool:
    return isinstance(value, bool)


def _is_null(value: JsonValue) -> bool:
    return value is None


_PLAIN: Final[Mapping[Kind, Callable[[JsonValue], bool]]] = {
    "STRING": _is_text,
    "BYTES": _is_text,
    "ENUM": _is_text,
    "FIXED": _is_text,
    "INT": _is_int,
    "LONG": _is_long,
    "FLOAT": _is_number,
    "DOUBLE": _is_number,
    "BOOLEAN": _is_boolean,
    "NULL": _is_null,
}
"""The kinds whose rule looks at the value alone."""


MAX_VALUES: Final = 100_000
"""How many pairs of a type and a value are looked at for one schema: checking them takes less than a second."""


_TOO_MANY_VALUES: Final = f"Defaults have more than {MAX_VALUES} values to be checked against their types"


def defaults_budget() -> Budget:
    """What one schema may spend on the check of its defaults."""
    return Budget(MAX_VALUES, _TOO_MANY_VALUES)


class Defaults:
    """Judges the defaults of one text.

    budget: what is left for all texts of the schema. has_fields:
    whether a record's fields are known by now; a default that needs them earlier is refused.
    """

    def __init__(self, budget: Budget, has_fields: Callable[[Record], bool] = lambda _: True) -> None:
        self._budget: Final = budget
        self._has_fields = has_fields
        self._known: dict[tuple[int, int], tuple[bool, Node, JsonValue]] = {}

    def check(self, name: str, type_: Node, default: JsonValue | Absent) -> None:
        """Refuse the default of the field `name`, if there is one, unless it is a value of this type.

        Raises UnparsableSchema, also when a record that has to be looked into is not complete yet.
        """
        if isinstance(default, Absent):
            return
        # Most defaults are null, and most others need no walk: a scalar of the type, or of a plain branch of the union.
        if default is None and isinstance(type_, Union) and "NULL" in type_.leading:
            return
        for branch in type_.branches if isinstance(type_, Union) else (type_,):
            plain = _PLAIN.get(branch.kind)
            if plain and plain(default):
                return
        if not run(self._valid(type_, default)):
            message = f"Invalid default for field {name}: {json_text(default)} not a {canonical_text(type_)}"
            raise UnparsableSchema(message)

    def _valid(self, type_: Node, value: JsonValue) -> Task[bool]:
        rule = self._RULES.get(type_.kind)
        if rule is None:
            return _is_plain(type_, value)
        key = (id(type_), id(value))
        known = self._known.get(key)
        if known is None:
            self._budget.spend()
            # Both are kept, so that their ids stay theirs.
            known = self._known[key] = ((yield rule(self, type_, value)), type_, value)
        return known[0]

    def _valid_union(self, type_: Union, value: JsonValue) -> Task[bool]:
        for branch in type_.branches:
            if (yield self._valid(branch, value)):
                return True
        return False

    def _valid_array(self, type_: Array, value: JsonValue) -> Task[bool]:
        return isinstance(value, list) and (yield from self._all_valid(type_.items, value))

    def _valid_map(self, type_: Map, value: JsonValue) -> Task[bool]:
        return isinstance(value, dict) and (yield from self._all_valid(type_.values, value.values()))

    def _all_valid(self, type_: Node, values: Iterable[JsonValue]) -> Task[bool]:
        plain = _PLAIN.get(type_.kind)
        if plain:
            return all(map(plain, values))
        for value in values:
            if not (yield self._valid(type_, value)):
                return False
        return True

    def _valid_record(self, record: Record, value: JsonValue) -> Task[bool]:
        if not isinstance(value, dict):
            return False
        if not self._has_fields(record):
            raise UnparsableSchema("Schema fields not set yet")
        # A field of a plain type takes no walk, and a quarter of the time of one that does.
        self._budget.spend(len(record.fields) // 4)
        for field in record.fields.values():
            # A field that the value lacks is filled by its own default, which has to be valid here too.
            own = value.get(field.name, field.default)
            if isinstance(own, Absent) or not (yield self._valid(field.type, own)):
                return False
        return True

    _RULES: ClassVar[Mapping[Kind, Callable[[Any, Any, JsonValue], Task[bool]]]] = {
        "UNION": _valid_union,
        "ARRAY": _valid_array,
        "MAP": _valid_map,
        "RECORD": _valid_record,
    }


def _is_plain(type_: Node, value: JsonValue) -> bool:
    plain = _PLAIN.get(type_.kind)
    return plain is not None and plain(value)
