"""Which branch of a union fastavro takes for a value, as far as the value's exact type tells.

Owns the table of what each Avro type accepts of each Python type; whatever it does not decide is left to fastavro.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastavro.write import LOGICAL_WRITERS

from serdes.codec.definitions import Definitions, type_word
from serdes.codec.generated.logical import logical_key
from serdes.codec.shapes import NO_SHAPES, Shapes

_NONE = type(None)
KNOWN_TYPES = (_NONE, bool, int, float, str, bytes, list, dict, datetime, date, time, UUID, Decimal)

# Python types whose values a type accepts always, and those of which it accepts some.
_ALWAYS: dict[str, tuple[type, ...]] = {
    "null": (_NONE,),
    "boolean": (bool,),
    "float": (int, float),
    "double": (int, float),
    "string": (str,),
    "bytes": (bytes,),
}
_SOMETIMES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "long": (int,),
    "fixed": (bytes,),
    "enum": (str,),
    "array": (list, bytes),
    "map": (dict,),
    "record": (dict,),
    "error": (dict,),
}
# What fastavro's stock functions turn into something that the type below accepts; what they refuse by raising.
_PREPARED: dict[str, tuple[type, ...]] = {
    "long-timestamp-millis": (datetime,),
    "long-timestamp-micros": (datetime,),
    "long-local-timestamp-millis": (datetime,),
    "long-local-timestamp-micros": (datetime,),
    "int-date": (date, datetime, str),
    "int-time-millis": (time,),
    "long-time-micros": (time,),
    "bytes-decimal": (Decimal,),
    "fixed-decimal": (Decimal,),
    "string-uuid": (UUID,),
}
_STOCK = {key: LOGICAL_WRITERS.get(key) for key in _PREPARED}


@dataclass(frozen=True, slots=True)
class Choice:
    """The branch that a Python type leads to; `narrow` first, when the value is one of those that it accepts."""

    branch: int
    narrow: int | None = None


def choices(union: list[Any], definitions: Definitions, shapes: Shapes = NO_SHAPES) -> dict[type, Choice]:
    """The branch for each exact type that decides it; a type that is missing is left to fastavro."""
    branches = [definitions.resolved(branch) for branch in union]
    found = {kind: _choice(branches, kind, shapes) for kind in (*KNOWN_TYPES, *shapes.kinds())}
    return {kind: choice for kind, choice in found.items() if choice is not None}


def _choice(branches: list[Any], kind: type, shapes: Shapes) -> Choice | None:
    candidates: list[int] = []
    for index, branch in enumerate(branches):
        accepts = _accepts(branch, kind, shapes)
        if accepts is None:
            return None
        if accepts:
            candidates.append(index)
        if accepts == "always":
            break
    return _decided(branches, candidates)


def _decided(branches: list[Any], candidates: list[int]) -> Choice | None:
    words = [type_word(branches[index]) for index in candidates]
    match words:
        case ["float"]:
            # fastavro prefers double to float, wherever it stands.
            doubles = [index for index, branch in enumerate(branches) if type_word(branch) == "double"]
            return Choice(doubles[0] if doubles else candidates[0])
        case [_]:
            return Choice(candidates[0])
        case ["int", "long"] | ["int" | "long", "double"] | ["enum", "string"]:
            return Choice(candidates[1], narrow=candidates[0])
    return None


def _accepts(branch: Any, kind: type, shapes: Shapes) -> str | None:
    """How a branch takes values of a type: "always", "sometimes", "" for never; None when only fastavro knows."""
    shape = shapes.kind(branch)
    if shape is not None or kind in shapes.kinds():
        return "always" if shape is kind else ""
    key = logical_key(branch)
    if key in LOGICAL_WRITERS:
        if _STOCK.get(key) is not LOGICAL_WRITERS[key]:
            return None
        if kind in _PREPARED[key]:
            return None if kind is str else "sometimes"
    word = type_word(branch)
    if kind in _ALWAYS.get(word, ()):
        return "always"
    if kind in _SOMETIMES.get(word, ()):
        return "sometimes"
    return "" if word in _ALWAYS or word in _SOMETIMES else None
