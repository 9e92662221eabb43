"""Where and why a value does not fit a schema: asked only after fastavro has refused it.

Owns paths and sentences; refuses to decide whether a value fits (fastavro has decided).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

from fastavro.write import LOGICAL_WRITERS

from serdes.codec.definitions import BELOW, RECORDS, Definitions, type_word
from serdes.codec.failures import FAILURES
from serdes.codec.options import WriteOptions
from serdes.errors import EncodeError


@dataclass(frozen=True, slots=True)
class Misfit:
    """A place in a value (`lines[3].price`), what was expected there, what stands there.

    final: whether fastavro stops there, and tries no other branch of a union around it.
    """

    path: str
    expected: str
    found: str
    reason: str = ""
    final: bool = False


def encode_error(tree: Any, value: Any, error: Exception, options: WriteOptions) -> EncodeError:
    """The error for a value that fastavro refused with `error`."""
    root = str(tree["name"]).rpartition(".")[2] if isinstance(tree, dict) and "name" in tree else ""
    try:
        misfit = next(_Search(Definitions(tree), options).misfits(tree, value, ""), None)
    except FAILURES:
        misfit = None
    if misfit is None:
        # fastavro's own words may hold the whole value, which is for no log.
        return EncodeError(f"fastavro does not take the value ({type(error).__name__})", root=root)
    reason = misfit.reason or f"expected {misfit.expected}, found {misfit.found}"
    return EncodeError(reason, root=root, path=misfit.path, expected=misfit.expected, value_type=misfit.found)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral)


def _is_number(value: Any) -> bool:
    if isinstance(value, str) or not hasattr(value, "__float__"):
        return False
    try:
        float(value)
    except FAILURES:
        return False
    return True


_FITS: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "int": _is_whole,
    "long": _is_whole,
    "float": _is_number,
    "double": _is_number,
    "string": lambda value: isinstance(value, str),
    "bytes": lambda value: isinstance(value, (bytes, bytearray)),
}
# Inside a union fastavro validates a value, and is stricter there than where it simply writes one.
_FITS_A_BRANCH = _FITS | {
    "int": lambda value: _is_whole(value) and not isinstance(value, bool),
    "long": lambda value: _is_whole(value) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, Real) and not isinstance(value, bool),
    "double": lambda value: isinstance(value, Real) and not isinstance(value, bool),
}


_BITS = {"int": 32, "long": 64}


class _Search:
    """Finds misfits in the order of the schema; `within` says whether a union is around the place."""

    def __init__(self, definitions: Definitions, options: WriteOptions) -> None:
        self._definitions = definitions
        self._options = options

    def misfits(self, schema: Any, value: Any, path: str, within: bool = False) -> Iterator[Misfit]:
        """Every place in a value that does not fit."""
        schema = self._definitions.resolved(schema)
        word = type_word(schema)
        expected, found = word, _kind(value)
        if isinstance(schema, dict) and schema.get("logicalType"):
            expected = f"{schema['logicalType']} ({word})"
            prepare = LOGICAL_WRITERS.get(f"{word}-{schema['logicalType']}")
            try:
                value = prepare(value, schema) if prepare else value
            except FAILURES as error:
                reason = f"expected {expected}, found {found}: {_why(value, error)}"
                yield Misfit(path, expected, found, reason, final=True)
                return
        if word in RECORDS:
            yield from self._record(schema, value, path, within)
        elif word in ("array", "map"):
            yield from self._items(schema, value, path, within)
        elif word in ("union", "error_union"):
            yield from self._union(schema, value, path, within)
        else:
            # What a logical type has made of it is nothing that the caller knows.
            yield from (
                replace(misfit, found=found) for misfit in _leaf_misfits(schema, word, value, path, expected, within)
            )

    def _record(self, schema: Mapping[str, Any], value: Any, path: str, within: bool) -> Iterator[Misfit]:
        expected = f"record {schema['name']}"
        if not isinstance(value, Mapping):
            yield Misfit(path, expected, _kind(value), _of_a_namesake(schema["name"], value))
            return
        if within and value.get("-type", schema["name"]) != schema["name"]:
            yield Misfit(path, expected, _kind(value), f"expected {expected}, found one of -type {value['-type']!r}")
        if self._options.exact:
            known = {field["name"] for field in schema["fields"]}
            for more in [name for name in value if name not in known]:
                yield Misfit(_joined(path, str(more)), "nothing", _kind(value[more]), "the schema has no such field")
        for field in schema["fields"]:
            name, place = field["name"], _joined(path, field["name"])
            if name in value or self._may_be_missing(field):
                yield from self.misfits(field["type"], value.get(name, field.get("default")), place, within)
            else:
                wanted = self._told(field["type"])
                lacks = "" if self._options.strict else ", and it has no default"
                yield Misfit(place, wanted, "nothing", f"expected {wanted}, found no value{lacks}")

    def _may_be_missing(self, field: Mapping[str, Any]) -> bool:
        if self._options.exact:
            return not self._options.strict and "default" in field
        # fastavro takes a missing value for null wherever that fits.
        return "default" in field or "null" in field["type"]

    def _items(self, schema: Mapping[str, Any], value: Any, path: str, within: bool) -> Iterator[Misfit]:
        word = schema["type"]
        if not (_is_array(value, within) if word == "array" else isinstance(value, Mapping)):
            yield Misfit(path, word, _kind(value))
            return
        if word == "map":
            strange = next((key for key in value if not isinstance(key, str)), None)
            if strange is not None:
                yield Misfit(path, word, _kind(value), f"expected a map with texts as keys, found {_kind(strange)}")
        items = value.items() if word == "map" else enumerate(value)
        for place, item in items:
            yield from self.misfits(schema[BELOW[word]], item, f"{path}[{place!r}]", within)

    def _union(self, branches: Sequence[Any], value: Any, path: str, within: bool) -> Iterator[Misfit]:
        expected = " or ".join(self._told(branch) for branch in branches)
        if isinstance(value, tuple):
            yield from self._pair(branches, value, path, expected, within)
            return
        misfits = []
        for branch in branches:
            misfit = next(self.misfits(branch, value, path, within=True), None)
            if misfit is None:
                return
            if misfit.final:
                yield misfit
                return
            misfits.append(misfit)
        # The branch that fits down to a deeper place is the one that was meant.
        deeper = [misfit for misfit in misfits if misfit.path != path]
        if len(deeper) == 1:
            yield deeper[0]
        else:
            reasons = [misfit.reason for misfit in misfits if misfit.reason]
            yield Misfit(path, expected, _kind(value), reasons[0] if len(reasons) == 1 else "")

    def _pair(
        self, branches: Sequence[Any], pair: tuple[Any, ...], path: str, expected: str, within: bool
    ) -> Iterator[Misfit]:
        """In a union a tuple is a pair that names its branch."""
        name, value = pair if len(pair) == 2 else (None, None)
        meant = next((branch for branch in branches if self._definitions.name(branch) == name), None)
        # Where another union is around, fastavro knows a branch that is defined in its place only if it is a record.
        if within and isinstance(meant, dict) and meant["type"] != "record":
            return iter(
                [Misfit(path, expected, _kind(pair), f"within another union {name} takes a value, and no pair")]
            )
        if meant is not None:
            return self.misfits(meant, value, path, within)
        hint = f"expected {expected}, found a tuple, which here must be (name of a branch, value)"
        return iter([Misfit(path, expected, _kind(pair), hint)])

    def _told(self, schema: Any) -> str:
        schema = self._definitions.resolved(schema)
        if isinstance(schema, list):
            return " or ".join(self._told(branch) for branch in schema)
        return (
            str(schema.get("logicalType") or schema.get("name") or schema["type"])
            if isinstance(schema, dict)
            else str(schema)
        )


def _why(value: Any, error: Exception) -> str:
    """Why a logical type does not take a value; of a decimal without digits the error tells another reason."""
    endless = isinstance(value, Decimal) and not value.is_finite()
    return f"{value} cannot be written" if endless else str(error)


def _is_array(value: Any, within: bool) -> bool:
    kinds = (Sequence, array) if within else (Sequence, array, set, frozenset)
    # A text is a sequence too, but nobody means its letters; of list fastavro takes no subclass.
    fits = isinstance(value, kinds) and not isinstance(value, str)
    return fits and (value.__class__ is list or not isinstance(value, list))


def _leaf_misfits(schema: Any, word: str, value: Any, path: str, expected: str, within: bool) -> Iterator[Misfit]:
    if word == "enum":
        fits = isinstance(value, str) and value in schema["symbols"]
    elif word == "fixed":
        fits = isinstance(value, (bytes, bytearray)) and len(value) == schema["size"]
    else:
        fits = (_FITS_A_BRANCH if within else _FITS)[word](value)
    if not fits:
        yield Misfit(path, _leaf(schema, expected), _kind(value))
    elif word in _BITS and not -(1 << _BITS[word] - 1) <= value < 1 << _BITS[word] - 1:
        yield Misfit(
            path, expected, _kind(value), f"expected {expected}, found a number of more than {_BITS[word]} bits"
        )
    elif word == "string" and not _is_unicode(value):
        yield Misfit(path, expected, _kind(value), f"expected {expected}, found half of a surrogate pair in the text")


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _leaf(schema: Any, expected: str) -> str:
    match schema:
        case {"type": "enum", "symbols": symbols}:
            return f"one of {', '.join(symbols)}"
        case {"type": "fixed", "size": size}:
            return f"{expected} of {size} bytes"
    return expected


def _of_a_namesake(record: str, value: Any) -> str:
    """What to say of an object whose class is called as the record is: "expected Order, found Order" says nothing."""
    kind = _kind(value)
    if kind != record.rpartition(".")[2]:
        return ""
    return (
        f"expected a dict for record {record}, found an object of a class {kind}: for_type makes a serializer of those"
    )


def _kind(value: Any) -> str:
    return type(value).__name__


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
