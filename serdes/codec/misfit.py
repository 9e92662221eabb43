"""Where and why a value does not fit a schema: asked only after fastavro has refused it.

Owns paths and sentences; refuses to decide whether a value fits (fastavro has decided).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from fastavro.write import LOGICAL_WRITERS

from serdes.codec.definitions import RECORDS, Definitions, type_word
from serdes.codec.failures import FAILURES
from serdes.errors import EncodeError


@dataclass(frozen=True, slots=True)
class Misfit:
    """A place in a value (`lines[3].price`), what was expected there, what stands there."""

    path: str
    expected: str
    found: str
    reason: str = ""


def encode_error(tree: Any, value: Any, error: Exception) -> EncodeError:
    """The error for a value that fastavro refused with `error`."""
    root = str(tree["name"]).rpartition(".")[2] if isinstance(tree, dict) and "name" in tree else ""
    try:
        misfit = next(_Search(Definitions(tree)).misfits(tree, value, ""), None)
    except FAILURES:
        misfit = None
    if misfit is None:
        return EncodeError(str(error) or type(error).__name__, root=root)
    reason = misfit.reason or f"expected {misfit.expected}, found {misfit.found}"
    return EncodeError(reason, root=root, path=misfit.path, expected=misfit.expected, value_type=misfit.found)


def _is_long(value: Any) -> bool:
    return isinstance(value, Integral) and -(1 << 63) <= value < 1 << 63  # type: ignore[operator]  # every Integral compares


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) or hasattr(value, "__float__")


_FITS: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "int": _is_long,
    "long": _is_long,
    "float": _is_number,
    "double": _is_number,
    "string": lambda value: isinstance(value, str),
    "bytes": lambda value: isinstance(value, (bytes, bytearray)),
}


class _Search:
    """Finds misfits in the order of the schema."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def misfits(self, schema: Any, value: Any, path: str) -> Iterator[Misfit]:
        """Every place in a value that does not fit."""
        schema = self._definitions.resolved(schema)
        word = type_word(schema)
        expected = word
        if isinstance(schema, dict) and schema.get("logicalType"):
            expected = f"{schema['logicalType']} ({word})"
            prepare = LOGICAL_WRITERS.get(f"{word}-{schema['logicalType']}")
            try:
                value = prepare(value, schema) if prepare else value
            except FAILURES as error:
                yield Misfit(path, expected, _kind(value), f"expected {expected}, found {_kind(value)}: {error}")
                return
        if word in RECORDS:
            yield from self._record(schema, value, path)
        elif word in ("array", "map"):
            yield from self._items(schema, value, path)
        elif word in ("union", "error_union"):
            yield from self._union(schema, value, path)
        elif not _leaf_fits(schema, word, value):
            yield Misfit(path, _leaf(schema, expected), _kind(value))

    def _record(self, schema: Mapping[str, Any], value: Any, path: str) -> Iterator[Misfit]:
        if not isinstance(value, Mapping):
            yield Misfit(path, f"record {schema['name']}", _kind(value))
            return
        for field in schema["fields"]:
            name, place = field["name"], _joined(path, field["name"])
            # fastavro takes a missing value for null wherever that fits.
            if name in value or "default" in field or "null" in field["type"]:
                yield from self.misfits(field["type"], value.get(name, field.get("default")), place)
            else:
                wanted = self._told(field["type"])
                yield Misfit(place, wanted, "nothing", f"expected {wanted}, found no value, and it has no default")

    def _items(self, schema: Mapping[str, Any], value: Any, path: str) -> Iterator[Misfit]:
        if schema["type"] == "array":
            # A text is a sequence too, but nobody means its letters.
            fits = isinstance(value, (Sequence, set, frozenset)) and not isinstance(value, str)
            places = ((f"{path}[{number}]", item) for number, item in enumerate(value)) if fits else ()
        else:
            fits = isinstance(value, Mapping)
            places = ((f"{path}[{key!r}]", item) for key, item in value.items()) if fits else ()
        if not fits:
            yield Misfit(path, schema["type"], _kind(value))
        for place, item in places:
            yield from self.misfits(schema["items" if schema["type"] == "array" else "values"], item, place)

    def _union(self, branches: Sequence[Any], value: Any, path: str) -> Iterator[Misfit]:
        branches, value = self._meant(branches, value)
        tried = [(branch, next(self.misfits(branch, value, path), None)) for branch in branches]
        if any(misfit is None for _, misfit in tried):
            return
        # The branch that fits down to a deeper place is the one that was meant.
        deeper = [misfit for _, misfit in tried if misfit is not None and misfit.path != path]
        expected = " or ".join(self._told(branch) for branch in branches)
        yield deeper[0] if len(deeper) == 1 else Misfit(path, expected, _kind(value))

    def _meant(self, branches: Sequence[Any], value: Any) -> tuple[Sequence[Any], Any]:
        """The branches that a value may be of, and the value: a pair may name its branch."""
        if isinstance(value, tuple) and len(value) == 2:
            named = [branch for branch in branches if self._name(branch) == value[0]]
            if named:
                return named, value[1]
        return branches, value

    def _name(self, branch: Any) -> str:
        branch = self._definitions.resolved(branch)
        return str(branch["name"]) if isinstance(branch, dict) and "name" in branch else type_word(branch)

    def _told(self, schema: Any) -> str:
        schema = self._definitions.resolved(schema)
        if isinstance(schema, list):
            return " or ".join(self._told(branch) for branch in schema)
        return (
            str(schema.get("logicalType") or schema.get("name") or schema["type"])
            if isinstance(schema, dict)
            else str(schema)
        )


def _leaf_fits(schema: Any, word: str, value: Any) -> bool:
    if word == "enum":
        return value in schema["symbols"]
    if word == "fixed":
        return isinstance(value, (bytes, bytearray)) and len(value) == schema["size"]
    return _FITS[word](value)


def _leaf(schema: Any, expected: str) -> str:
    match schema:
        case {"type": "enum", "symbols": symbols}:
            return f"one of {', '.join(symbols)}"
        case {"type": "fixed", "size": size}:
            return f"{expected} of {size} bytes"
    return expected


def _kind(value: Any) -> str:
    return type(value).__name__


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
