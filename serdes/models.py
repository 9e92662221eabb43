"""Schemas out of classes: dataclasses, pydantic models and msgspec Structs.

Owns the table from Python's types to Avro's; refuses to know codecs and the registry. The libraries are recognised by
what their classes carry, and never imported.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from serdes.codec.shapes import Shapes, field_names, symbol_of
from serdes.errors import SettingInvalid

_TYPES: dict[Any, Any] = {
    bool: "boolean",
    int: "long",
    float: "double",
    str: "string",
    bytes: "bytes",
    type(None): "null",
    datetime: {"type": "long", "logicalType": "timestamp-micros"},
    date: {"type": "int", "logicalType": "date"},
    time: {"type": "long", "logicalType": "time-micros"},
    UUID: {"type": "string", "logicalType": "uuid"},
}
_WORDS: dict[type, str] = {type(None): "null", bool: "boolean", int: "long", float: "double", str: "string"}
_NOTHING = object()
_SYMBOL = re.compile("[A-Za-z_][A-Za-z0-9_]*")


@dataclasses.dataclass(frozen=True)
class Avro:
    """The Avro type of a field, where Python's type does not tell it.

    `price: Annotated[Decimal, Avro({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2})]`
    """

    schema: Any


# Shapes are told apart by identity, so the serializer and the deserializer of a class share codecs only this way.
@functools.lru_cache(maxsize=1000)
def schema_for(model: type, namespace: str = "") -> tuple[str, Shapes]:
    """The schema of a class as JSON, and the classes that stand for its records and enums.

    model: a dataclass, a pydantic model or a msgspec Struct. namespace: of all its named types.

    Raises SettingInvalid when a field's type has no Avro type.
    """
    derivation = _Derivation(namespace)
    if not field_names(model):
        raise SettingInvalid(f"{model!r} is no dataclass, pydantic model or msgspec Struct with fields")
    schema = derivation.of(model, model.__name__)
    return json.dumps(schema), Shapes(derivation.records, derivation.enums, derivation.optional)


class _Derivation:
    """One schema being made; a class that was met before is referred to by its name."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self.records: dict[str, type] = {}
        self.enums: dict[str, type[Enum]] = {}
        self.optional: dict[str, frozenset[str]] = {}

    def of(self, annotation: Any, place: str) -> Any:
        """The Avro type for an annotation; `place` is for the error."""
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            told = next((extra.schema for extra in arguments[1:] if isinstance(extra, Avro)), None)
            return self.of(arguments[0], place) if told is None else told
        # Before anything that has a name: these are classes too.
        if annotation in _TYPES:
            return _TYPES[annotation]
        if origin in (Union, types.UnionType):
            return [self.of(argument, place) for argument in _narrow_first(arguments)]
        return self._container(annotation, place)

    def _container(self, annotation: Any, place: str) -> Any:
        """A list, a map, one of some words, or else something that has a name."""
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin in (list, Sequence):
            return {"type": "array", "items": self.of(arguments[0], place)}
        if origin in (dict, Mapping) and arguments[0] is str:
            return {"type": "map", "values": self.of(arguments[1], place)}
        if origin is Literal and all(isinstance(argument, str) for argument in arguments):
            return "string"
        return self._named(annotation, place)

    def _named(self, kind: Any, place: str) -> Any:
        if not isinstance(kind, type):
            raise SettingInvalid(f"{place}: {kind!r} has no Avro type; say it with Annotated[..., Avro(...)]")
        name = f"{self._namespace}.{kind.__name__}" if self._namespace else kind.__name__
        # Met again, also within itself, a class is a name as in any schema.
        if self.records.get(name) is kind or self.enums.get(name) is kind:
            return name
        # A name in Avro is one thing in the whole schema.
        if name in self.records or name in self.enums:
            raise SettingInvalid(f"{place}: two classes are called {name}")
        if issubclass(kind, Enum):
            self.enums[name] = kind
            return {"type": "enum", "name": name, "symbols": _symbols(kind, place)}
        if field_names(kind):
            return self._record(kind, name)
        hint = ", with precision and scale" if kind is Decimal else ""
        raise SettingInvalid(f"{place}: {kind.__name__} has no Avro type; say it with Annotated[..., Avro(...)]{hint}")

    def _record(self, kind: type, name: str) -> Any:
        # Before its fields, because they may be of the same class.
        self.records[name] = kind
        hints, defaults = _hints(kind), _defaults(kind)
        fields = []
        for attribute in field_names(kind):
            avro = self.of(hints[attribute], f"{kind.__name__}.{attribute}")
            default = defaults.get(attribute, _NOTHING)
            fields.append(_field(attribute, avro, default))
        self.optional[name] = frozenset(defaults)
        return {"type": "record", "name": name, "fields": fields}


def _narrow_first(arguments: tuple[Any, ...]) -> list[Any]:
    """The types of a union; one that takes the values of another too, and loses a part of them, stands behind it."""
    wide = [taker for taker, taken in ((date, datetime), (float, int)) if taken in arguments]
    return sorted(arguments, key=lambda argument: argument in wide)


def _hints(kind: type) -> dict[str, Any]:
    try:
        return get_type_hints(kind, include_extras=True)
    except NameError as error:
        # Annotations that are texts are looked up in the module of the class, and nowhere else.
        raise SettingInvalid(f"{kind.__name__}: {error}: annotations may name what its module defines") from error


def _symbols(kind: type[Enum], place: str) -> list[str]:
    symbols = [symbol_of(member) for member in kind]
    for symbol in symbols:
        if not _SYMBOL.fullmatch(symbol):
            raise SettingInvalid(
                f"{place}: {symbol!r} of {kind.__name__} is no symbol of an Avro enum: those have letters, digits, _"
            )
    return symbols


def _field(name: str, avro: Any, default: Any) -> dict[str, Any]:
    """A field; its default goes into the schema where JSON can say it, first in the union where it is one."""
    field = {"name": name, "type": avro}
    if isinstance(default, Enum):
        default = symbol_of(default)
    # What JSON cannot say stays a default of the class, not of the schema.
    if not _is_json(default):
        return field
    if isinstance(avro, list):
        word = _WORDS.get(type(default))
        # A default has to be of the first branch, and this one is of none.
        if word not in avro:
            return field
        field["type"] = [word, *(branch for branch in avro if branch != word)]
    # In JSON it would have to be written as the type below, which nobody wrote.
    elif default is None or (isinstance(avro, dict) and "logicalType" in avro):
        return field
    return field | {"default": default}


def _is_json(default: Any) -> bool:
    if isinstance(default, float):
        return isfinite(default)
    return default is None or isinstance(default, (bool, int, str)) or default in ([], {})


def _defaults(kind: Any) -> dict[str, Any]:
    """The defaults of a class's fields; of a factory's the one that a schema can tell."""
    if hasattr(kind, "__dataclass_fields__"):
        return dict(_dataclass_defaults(kind))
    if hasattr(kind, "model_fields"):
        return {
            name: one.default if one.default_factory is None else _made(one.default_factory)
            for name, one in kind.model_fields.items()
            if not one.is_required()
        }
    names, defaults = kind.__struct_fields__, kind.__struct_defaults__
    return {
        name: _made(default.factory) if hasattr(default, "factory") else default
        for name, default in zip(names[len(names) - len(defaults) :], defaults, strict=True)
    }


def _dataclass_defaults(kind: Any) -> typing.Iterator[tuple[str, Any]]:
    for one in dataclasses.fields(kind):
        if one.default is not dataclasses.MISSING:
            yield one.name, one.default
        elif one.default_factory is not dataclasses.MISSING:
            yield one.name, _made(one.default_factory)


def _made(factory: Any) -> Any:
    """An empty list or dictionary, where a factory makes one.

    Whatever else it makes may be another each time: a name, a moment. In the schema it would make a new version of
    that at every start of the program.
    """
    try:
        made = factory()
    except TypeError:  # pydantic's may want to see the other fields first
        return _NOTHING
    return made if type(made) in (list, dict) and not made else _NOTHING
