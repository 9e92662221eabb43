"""Classes in the place of dictionaries: which class stands for which record or enum of a schema.

Owns the way between objects and plain values, for whatever generated code leaves to fastavro.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any

from serdes.codec.definitions import RECORDS, Definitions, type_word
from serdes.errors import CorruptPayload


@dataclass(frozen=True, eq=False)
class Shapes:
    """Classes by the full name of their record or enum. Two are the same only if they are one object.

    optional: for each record, the fields that its class has defaults for.
    """

    records: Mapping[str, type] = field(default_factory=dict)
    enums: Mapping[str, type[Enum]] = field(default_factory=dict)
    optional: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def kind(self, schema: Any) -> type | None:
        """The class that stands for a record or an enum."""
        name = schema.get("name") if isinstance(schema, dict) else None
        return self.records.get(name) or self.enums.get(name) if isinstance(name, str) else None

    def kinds(self) -> tuple[type, ...]:
        """All classes."""
        return (*self.records.values(), *self.enums.values())

    def members(self, name: str) -> dict[str, Enum]:
        """The members of an enum class, by symbol."""
        return {symbol_of(member): member for member in self.enums[name]}

    def plain(self, value: Any) -> Any:
        """A value in which every object is a dictionary, every member a symbol; a record says its name to unions."""
        if isinstance(value, Enum):
            return symbol_of(value)
        if isinstance(value, dict):
            return {key: self.plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(item) for item in value]
        for name, kind in self.records.items():
            if isinstance(value, kind):
                plain = {attribute: self.plain(getattr(value, attribute)) for attribute in field_names(kind)}
                return plain | {"-type": name}
        return value

    def built(self, tree: Any, value: Any) -> Any:
        """An object for every record and a member for every symbol; `value` has (name, record) in its unions."""
        return _Builder(self, Definitions(tree)).built(tree, value)


NO_SHAPES = Shapes()


def symbol_of(member: Enum) -> str:
    """A member's value where that is a text, else its name."""
    return member.value if isinstance(member.value, str) else member.name


def field_names(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass, a pydantic model or a msgspec Struct."""
    if is_dataclass(kind):
        return tuple(one.name for one in fields(kind))
    for attribute in ("model_fields", "__struct_fields__"):
        if hasattr(kind, attribute):
            return tuple(getattr(kind, attribute))
    return ()


def keywords(kind: type) -> dict[str, str]:
    """Under which name the class's constructor takes each field; a field that it fills itself is missing."""
    if is_dataclass(kind):
        return {one.name: one.name for one in fields(kind) if one.init}
    if hasattr(kind, "model_fields"):
        return {name: _alias(kind, one) or name for name, one in kind.model_fields.items()}
    return {name: name for name in field_names(kind)}


def _alias(model: Any, one: Any) -> str | None:
    """The name that a pydantic model takes in the place of a field's own."""
    by_alias = model.model_config.get("validate_by_alias", True)
    return one.validation_alias if by_alias and isinstance(one.validation_alias, str) else None


def _arguments(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    return {keyword: values[name] for name, keyword in keywords(kind).items() if name in values}


def _object(kind: type, values: Mapping[str, Any]) -> Any:
    try:
        return kind(**_arguments(kind, values))
    except (TypeError, ValueError) as error:
        # pydantic's own text has several lines, and the values.
        told = error.errors() if hasattr(error, "errors") else ()
        why = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in told) or str(error)
        raise CorruptPayload(f"{kind.__name__} does not take what was written: {why}") from error


_PLAIN_TYPES: dict[type, str] = {list: "array", dict: "map", str: "enum"}


class _Builder:
    def __init__(self, shapes: Shapes, definitions: Definitions) -> None:
        self._shapes = shapes
        self._definitions = definitions

    def built(self, schema: Any, value: Any) -> Any:
        schema = self._definitions.resolved(schema)
        word = type_word(schema)
        if word == "union":
            return self._branch(schema, value)
        if word in RECORDS:
            types = {one["name"]: one["type"] for one in schema["fields"]}
            built = {name: self.built(types[name], item) for name, item in value.items()}
            kind = self._shapes.records.get(schema["name"])
            return built if kind is None else _object(kind, built)
        if word == "array":
            return [self.built(schema["items"], item) for item in value]
        if word == "map":
            return {key: self.built(schema["values"], item) for key, item in value.items()}
        if word == "enum" and schema["name"] in self._shapes.enums:
            return self._shapes.members(schema["name"])[value]
        return value

    def _branch(self, union: list[Any], value: Any) -> Any:
        named = {
            one["name"]: one
            for one in map(self._definitions.resolved, union)
            if isinstance(one, dict) and "name" in one
        }
        if isinstance(value, tuple) and value[0] in named:
            return self.built(named[value[0]], value[1])
        fitting = _PLAIN_TYPES.get(type(value))
        for branch in map(self._definitions.resolved, union):
            if fitting is not None and type_word(branch) == fitting and "string" not in union:
                return self.built(branch, value)
        return value
