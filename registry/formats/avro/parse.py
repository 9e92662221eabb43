"""Schema text to nodes, as Avro Java 1.12.1 reads it.

Owns the order of checks and the words of refusals; refuses to know canonical text (but for messages) and
compatibility. One `Parser` reads the texts of all referred-to types first and then the schema itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NoReturn

from registry.errors import UnparsableSchema
from registry.formats.avro.defaults import Defaults
from registry.formats.avro.equality import equal
from registry.formats.avro.json_reader import read_json
from registry.formats.avro.json_writer import json_text
from registry.formats.avro.names import check_namespace, check_strict
from registry.formats.avro.numerals import parse_double
from registry.formats.avro.resolve import resolve, union_of
from registry.formats.avro.trampoline import Task, run
from registry.formats.avro.types import (
    ABSENT,
    NO_PROPS,
    PRIMITIVE_KINDS,
    Absent,
    Array,
    Enum,
    Field,
    Fixed,
    JsonValue,
    Map,
    Name,
    Named,
    Node,
    Primitive,
    Props,
    Record,
    Unresolved,
)

_JsonObject = dict[str, JsonValue]
_RESERVED: Final = frozenset(
    {"doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"}
)
_ENUM_RESERVED: Final = _RESERVED | {"default"}
_FIELD_RESERVED: Final = frozenset({"default", "doc", "name", "order", "type", "aliases"})
_ORDERS: Final = frozenset({"ASCENDING", "DESCENDING", "IGNORE"})
_MAX_FIXED_BYTES: Final = 2**31 - 9
_JAVA_SPACE: Final = "".join(map(chr, range(0x21)))


def _refuse(message: str) -> NoReturn:
    raise UnparsableSchema(message)


class Parser:
    """Reads texts that may use each other's named types.

    strict: apply the rules for new schemas to names, namespaces and defaults. `known` are the named types read so
    far, by full name, in the order in which their definitions ended.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._defaults = Defaults()
        self._forward = False
        self.known: dict[str, Named] = {}

    def parse(self, text: str) -> Node:
        """Read one text; raises UnparsableSchema in Avro Java's words."""
        value, rest = read_json(text)
        started = self._start(value, "")
        node = started if isinstance(started, Node) else run(started)
        if self._forward:
            node = resolve(node, self.known, check_defaults=self._strict)
        node = self.known[node.name.full] if isinstance(node, Named) else node
        rest = rest.strip(_JAVA_SPACE)
        if rest:
            _refuse(f"dangling content after end of schema: {rest}")
        return node

    def _start(self, value: JsonValue, namespace: str) -> Node | Task[Node]:
        """A type without types below it, or the task of reading any other."""
        if isinstance(value, str):
            return self._find(value, namespace)
        if isinstance(value, list):
            return self._union(value, namespace)
        if not isinstance(value, dict):
            _refuse(f"Schema not yet supported: {json_text(value)}")
        word = value.get("type")
        if not isinstance(word, str):
            _refuse(f"No type: {json_text(value)}")
        kind = PRIMITIVE_KINDS.get(word)
        if kind:
            return Primitive(kind, _props(value, _RESERVED))
        reader = self._READERS.get(word)
        return reader(self, value, namespace) if reader else self._find(word, namespace)

    def _find(self, name: str, namespace: str) -> Node:
        kind = PRIMITIVE_KINDS.get(name)
        if kind:
            return Primitive(kind)
        full = f"{namespace}.{name}" if namespace and "." not in name else name
        found = self.known.get(full) or self.known.get(name)
        if found is None:
            self._forward = True
            return Unresolved(full)
        return found

    def _union(self, value: list[JsonValue], namespace: str) -> Task[Node]:
        branches: list[Node] = []
        for branch in value:
            started = self._start(branch, namespace)
            branches.append(started if isinstance(started, Node) else (yield started))
        return union_of(tuple(branches))

    def _array(self, value: _JsonObject, namespace: str) -> Task[Node]:
        if "items" not in value:
            _refuse(f"Array has no items type: {json_text(value)}")
        started = self._start(value["items"], namespace)
        items = started if isinstance(started, Node) else (yield started)
        return Array(items, _props(value, _RESERVED))

    def _map(self, value: _JsonObject, namespace: str) -> Task[Node]:
        if "values" not in value:
            _refuse(f"Map has no values type: {json_text(value)}")
        started = self._start(value["values"], namespace)
        values = started if isinstance(started, Node) else (yield started)
        return Map(values, _props(value, _RESERVED))

    def _fixed(self, value: _JsonObject, namespace: str) -> Node:
        simple, space = self._name(value, namespace)
        size = value.get("size")
        if type(size) is not int or not -(2**31) <= size < 2**31:
            _refuse(f"Invalid or no size: {json_text(value)}")
        _refuse_primitive(simple, space)
        if size < 0:
            _refuse(f"Malformed data. Length is negative: {size}")
        if size > _MAX_FIXED_BYTES:
            _refuse(f"Cannot read arrays longer than {_MAX_FIXED_BYTES} bytes in Java library")
        props = _props(value, _RESERVED)
        return self._define(Fixed(self._finish_name(value, simple, space), size, props))

    def _enum(self, value: _JsonObject, namespace: str) -> Node:
        simple, space = self._name(value, namespace)
        given = value.get("symbols")
        if not isinstance(given, list):
            _refuse(f"Enum has no symbols: {json_text(value)}")
        _refuse_primitive(simple, space)
        symbols: dict[str, None] = {}
        for symbol in given:
            if not isinstance(symbol, str):
                _refuse("Null name")
            if self._strict:
                check_strict(symbol)
            if symbol in symbols:
                _refuse(f"Duplicate enum symbol: {symbol}")
            symbols[symbol] = None
        default = _text(value, "default")
        if default is not None and default not in symbols:
            _refuse(f"The Enum Default: {default} is not in the enum symbol set: [{', '.join(symbols)}]")
        props = _props(value, _ENUM_RESERVED)
        return self._define(Enum(self._finish_name(value, simple, space), tuple(symbols), default, props))

    def _record(self, value: _JsonObject, namespace: str) -> Task[Node]:
        simple, space = self._name(value, namespace)
        _refuse_primitive(simple, space)
        given = value.get("fields")
        if not isinstance(given, list):
            _refuse(f"Record has no fields: {json_text(value)}")
        fields: list[Field] = []
        for entry in given:
            if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
                _refuse(f"No field name: {json_text(entry)}")
            if "type" not in entry:
                _refuse(f"No field type: {json_text(entry)}")
            started = self._start(entry["type"], space)
            fields.append(self._field(entry, started if isinstance(started, Node) else (yield started)))
        by_name = {field.name: field for field in fields}
        if len(by_name) < len(fields):
            _refuse_duplicate(fields, f"{space}.{simple}" if space else simple)
        props = _props(value, _RESERVED)
        name = self._finish_name(value, simple, space)
        return self._define(Record(name, by_name, value["type"] == "error", props))

    def _field(self, value: _JsonObject, type_: Node) -> Field:
        name = str(value["name"])
        order = _order(value) if "order" in value else "ascending"
        default = _default(value["default"], type_) if "default" in value else ABSENT
        if self._strict:
            check_strict(name)
            if not isinstance(default, Absent):
                self._defaults.check(name, type_, default)
        props = _props(value, _FIELD_RESERVED)
        return Field(name, type_, _text(value, "doc"), default, order, _aliases(value), props)

    def _name(self, value: _JsonObject, namespace: str) -> tuple[str, str]:
        """The simple name and the namespace of a definition."""
        own = _text(value, "namespace")
        name = _text(value, "name")
        if name is None:
            _refuse(f"No name in schema: {json_text(value)}")
        space, dot, simple = name.rpartition(".")
        if not dot:
            space = namespace if own is None else own
        if self._strict:
            check_strict(simple)
        return simple, space

    def _finish_name(self, value: _JsonObject, simple: str, space: str) -> Name:
        aliases = tuple(dict.fromkeys(self._full_alias(alias, space) for alias in _aliases(value)))
        return Name(simple, space, _text(value, "doc"), aliases)

    def _full_alias(self, alias: str, namespace: str) -> str:
        space, dot, simple = alias.rpartition(".")
        if self._strict:
            check_strict(simple)
        if not dot:
            return f"{namespace}.{simple}" if namespace else simple
        if not space:
            return f".{simple}" if namespace else simple
        return alias

    def _define(self, node: Named) -> Named:
        full = node.name.full
        if self._strict and node.name.namespace:
            check_namespace(full)
        known = self.known.setdefault(full, node)
        if known is not node and not equal(known, node):
            _refuse(f"Can't redefine: {full}")
        return node

    _READERS: ClassVar[Mapping[str, Callable[[Any, Any, str], Node | Task[Node]]]] = {
        "record": _record,
        "error": _record,
        "enum": _enum,
        "fixed": _fixed,
        "array": _array,
        "map": _map,
    }


def _text(value: _JsonObject, key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) else None


def _props(value: _JsonObject, reserved: frozenset[str]) -> Props:
    if value.keys() <= reserved:
        return NO_PROPS
    return {key: inner for key, inner in value.items() if key not in reserved}


def _aliases(value: _JsonObject) -> tuple[str, ...]:
    if "aliases" not in value:
        return ()
    given = value["aliases"]
    if not isinstance(given, list):
        _refuse(f"aliases not an array: {json_text(value)}")
    aliases: dict[str, None] = {}
    for alias in given:
        if not isinstance(alias, str):
            _refuse(f"alias not a string: {json_text(alias)}")
        aliases[alias] = None
    return tuple(aliases)


def _order(value: _JsonObject) -> str:
    given = value["order"]
    if not isinstance(given, str):
        _refuse(
            'Cannot invoke "String.toUpperCase(java.util.Locale)" because the return value of '
            '"com.fasterxml.jackson.databind.JsonNode.textValue()" is null'
        )
    order = given.upper()
    if order not in _ORDERS:
        _refuse(f"No enum constant org.apache.avro.Schema.Field.Order.{order}")
    return order.lower()


def _default(value: JsonValue, type_: Node) -> JsonValue:
    """The default as Java keeps it: a text for a float or double is read as a number."""
    if type_.kind not in {"FLOAT", "DOUBLE"} or not isinstance(value, str):
        return value
    number = parse_double(value)
    if number is None:
        _refuse(f'For input string: "{value}"' if value.strip(_JAVA_SPACE) else "empty String")
    return number


def _refuse_primitive(simple: str, space: str) -> None:
    if not space and simple in PRIMITIVE_KINDS:
        _refuse(f"Schemas may not be named after primitives: {simple}")


def _refuse_duplicate(fields: list[Field], record: str) -> NoReturn:
    places: dict[str, int] = {}
    for place, field in enumerate(fields):
        first = places.setdefault(field.name, place)
        if first != place:
            again, before = (f"{field.name} type:{fields[at].type.kind} pos:{at}" for at in (place, first))
            _refuse(f"Duplicate field {field.name} in record {record}: {again} and {before}.")
    raise AssertionError("no field is twice there")
