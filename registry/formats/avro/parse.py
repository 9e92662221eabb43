"""Schema text to nodes, as Avro Java 1.12.1 reads it.

Owns the order of checks and the words of refusals; refuses to know canonical text (but for messages) and
compatibility. One `Parser` reads the texts of all referred-to types first and then the schema itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter, call
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias

from registry.errors import UnparsableSchema
from registry.formats.avro.defaults import Defaults
from registry.formats.avro.equality import equal
from registry.formats.avro.json_reader import read_json
from registry.formats.avro.json_writer import json_text
from registry.formats.avro.names import MAX_SHARED_CHARS, check_namespace, check_strict, shared_name, shared_strict_name
from registry.formats.avro.numerals import parse_double
from registry.formats.avro.resolve import budgets, resolve, union_of
from registry.formats.avro.trampoline import Task, run
from registry.formats.avro.types import (
    ANNOTATED,
    ASCENDING,
    NO_ALIASES,
    NO_DEFAULT,
    NO_PROPS,
    PRIMITIVES,
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
    leading_kinds,
    unresolved,
)

_JsonObject: TypeAlias = dict[str, JsonValue]
# What Java never keeps as a property, whether the type at hand has a use for it or not.
_RESERVED: Final = frozenset(
    {"doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"}
)
_ENUM_RESERVED: Final = _RESERVED | {"default"}
_FIELD_RESERVED: Final = frozenset({"default", "doc", "name", "order", "type", "aliases"})
MAX_NAMESPACE_CHARS: Final = 4096
"""Every type takes the namespace around it over into its full name, so that a long one takes as much again for each."""
_COLLECTIONS: Final[Mapping[str, tuple[str, Callable[[Node, Props], Node]]]] = {
    "array": ("items", Array),
    "map": ("values", Map),
}
_RECORD_WORDS: Final = frozenset({"record", "error"})
# A name and a type.
_PLAIN_FIELD_KEYS: Final = 2
_FLOATING: Final = frozenset({"FLOAT", "DOUBLE"})
_ORDERS: Final = frozenset({"ASCENDING", "DESCENDING", "IGNORE"})
# The longest array of Java, less what some virtual machines keep for themselves.
_MAX_FIXED_BYTES: Final = 2**31 - 9
# What `String.trim` takes for space.
_JAVA_SPACE: Final = "".join(map(chr, range(0x21)))
_name_of = attrgetter("name")


def _refuse(message: str) -> NoReturn:
    raise UnparsableSchema(message)


class Parser:
    """Reads texts that may use each other's named types.

    strict: apply the rules for new schemas to names, namespaces and defaults. `known` are the named types read so
    far, by full name, in the order in which their definitions ended; `forward` is whether any was used before that.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._short_name = shared_strict_name if strict else shared_name
        self._left = budgets()
        self._defaults = Defaults(self._left.values)
        self.forward = False
        self._names_left = False
        self._namespaces: set[str] = set()
        self.known: dict[str, Named] = {}

    def parse(self, text: str) -> Node:
        """Read one text; raises UnparsableSchema in Avro Java's words."""
        value, rest = read_json(text)
        self._names_left = False
        node = self._plain(value, "") or run(self._deep(value, ""))
        # Types that are complete would only be walked again for the sake of defaults that look into records, whose
        # verdict may change with every text; a scalar stays what it is.
        if self._names_left or (self.forward and self._left.values.touched):
            node = resolve(node, self.known, self._left, check_defaults=self._strict)
        # A text that repeats a definition of another text stands for that one, as all uses of the name do.
        node = self.known[node.name.full] if isinstance(node, Named) else node
        # Java looks at what follows only now, so that any fault of the schema itself is told first.
        rest = rest.strip(_JAVA_SPACE)
        if rest:
            _refuse(f"dangling content after end of schema: {rest}")
        return node

    def _plain(self, value: JsonValue, namespace: str) -> Node | None:
        """A type that needs no other type to be read first, or None."""
        if isinstance(value, str):
            return self._meant(value, namespace)
        if isinstance(value, list):
            return _plain_union(value)
        if not isinstance(value, dict):
            _refuse(f"Schema not yet supported: {json_text(value)}")
        word = value.get("type")
        if not isinstance(word, str):
            _refuse(f"No type: {json_text(value)}")
        if word in PRIMITIVES:
            props = _props(value, _RESERVED)
            return ANNOTATED[word](props) if props else PRIMITIVES[word]()
        if word == "enum":
            return self._enum(value, namespace)
        if word == "fixed":
            return self._fixed(value, namespace)
        if word in _COLLECTIONS:
            key, make = _COLLECTIONS[word]
            below = value.get(key)
            return make(self._meant(below, namespace), _props(value, _RESERVED)) if isinstance(below, str) else None
        return None if word in _RECORD_WORDS else self._find(word, namespace)

    def _meant(self, word: str, namespace: str) -> Node:
        """The type that a word stands for."""
        return PRIMITIVES[word]() if word in PRIMITIVES else self._find(word, namespace)

    def _find(self, name: str, namespace: str) -> Node:
        """The named type that a name stands for, or what stands for it until its definition is read."""
        full = f"{namespace}.{name}" if namespace and "." not in name else name
        # The null namespace is looked at too, but only for what is defined by now: a later definition has to be in the
        # namespace of its use.
        found = self.known.get(full) or self.known.get(name)
        if found is None:
            self.forward = self._names_left = True
            return unresolved(full)
        return found

    def _deep(self, value: JsonValue, namespace: str) -> Task[Node]:
        """A type that others are read for: a union, a collection, or a record."""
        if isinstance(value, list):
            return (yield from self._union(value, namespace))
        assert isinstance(value, dict)
        if value["type"] not in _COLLECTIONS:
            return (yield from self._record(value, namespace))
        key, make = _COLLECTIONS[str(value["type"])]
        if key not in value:
            _refuse(f"{str(value['type']).capitalize()} has no {key} type: {json_text(value)}")
        below = self._plain(value[key], namespace) or (yield self._deep(value[key], namespace))
        return make(below, _props(value, _RESERVED))

    def _union(self, value: list[JsonValue], namespace: str) -> Task[Node]:
        branches: list[Node] = []
        for branch in value:
            type_ = self._plain(branch, namespace) or (yield self._deep(branch, namespace))
            branches.append(type_)
        return union_of(tuple(branches))

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
        return self._define(Fixed(self._finish_name(value, simple, space), props, size))

    def _enum(self, value: _JsonObject, namespace: str) -> Node:
        simple, space = self._name(value, namespace)
        given = value.get("symbols")
        if not isinstance(given, list):
            _refuse(f"Enum has no symbols: {json_text(value)}")
        _refuse_primitive(simple, space)
        symbols: dict[str, None] = {}
        for symbol in given:
            # Java takes anything that is no text for a missing name.
            if not isinstance(symbol, str):
                _refuse("Null name")
            symbol = self._checked(symbol)
            if symbol in symbols:
                _refuse(f"Duplicate enum symbol: {symbol}")
            symbols[symbol] = None
        # A default of another kind than text is ignored, and is no property either.
        default = _text(value, "default")
        if default is not None and default not in symbols:
            _refuse(f"The Enum Default: {default} is not in the enum symbol set: [{', '.join(symbols)}]")
        props = _props(value, _ENUM_RESERVED)
        return self._define(Enum(self._finish_name(value, simple, space), props, tuple(symbols), default))

    def _record(self, value: _JsonObject, namespace: str) -> Task[Node]:
        simple, space = self._name(value, namespace)
        _refuse_primitive(simple, space)
        given = value.get("fields")
        if not isinstance(given, list):
            _refuse(f"Record has no fields: {json_text(value)}")
        full = f"{space}.{simple}" if space else simple
        fields = yield from self._fields(given, space, full)
        props = _props(value, _RESERVED)
        name = self._finish_name(value, simple, space)
        return self._define(Record(name, props, fields, value["type"] == "error"))

    def _fields(self, given: list[Any], namespace: str, record: str) -> Task[dict[str, Field]]:
        """The fields of the record with this full name, by name."""
        fields: list[Field] = []
        short_name = self._short_name
        # This loop decides how long a text takes, so what most fields are is settled here, without a call.
        for entry in given:
            try:
                name, word = entry["name"], entry["type"]
            except (KeyError, TypeError):
                _refuse_field(entry)
            if not isinstance(name, str):
                _refuse_field(entry)
            make = PRIMITIVES.get(word) if isinstance(word, str) else None
            type_ = make() if make else self._plain(word, namespace) or (yield self._deep(word, namespace))
            if len(entry) > _PLAIN_FIELD_KEYS:
                fields.append(self._detailed_field(name, type_, entry))
            else:
                name = short_name(name) if len(name) <= MAX_SHARED_CHARS else self._checked(name)
                fields.append(Field(name, type_))
        by_name = dict(zip(map(_name_of, fields), fields, strict=True))
        # Java looks for names that come twice when it has read all fields, so any other fault is told first.
        if len(by_name) < len(fields):
            _refuse(_twice(fields, record))
        return by_name

    def _detailed_field(self, name: str, type_: Node, value: _JsonObject) -> Field:
        # The keys that are known are counted, which tells faster than a set whether others are left.
        known = _PLAIN_FIELD_KEYS
        doc, order, aliases = None, ASCENDING, NO_ALIASES
        default = NO_DEFAULT
        if "order" in value:
            order = _order(value)
            known += 1
        if "default" in value:
            default = value["default"]
            known += 1
            if isinstance(default, str) and type_.kind in _FLOATING:
                default = _number_in(default)
        name = self._checked(name)
        if self._strict and "default" in value:
            self._defaults.check(name, type_, default)
        if "doc" in value:
            doc = value["doc"] if isinstance(value["doc"], str) else None
            known += 1
        if "aliases" in value:
            aliases = _aliases(value)
            known += 1
        props = _props(value, _FIELD_RESERVED) if len(value) > known else NO_PROPS
        return DetailedField(name, type_, doc, default, order, aliases, props)

    def _name(self, value: _JsonObject, namespace: str) -> tuple[str, str]:
        """The simple name and the namespace of a definition."""
        own = value.get("namespace")
        name = value.get("name")
        if not isinstance(name, str):
            _refuse(f"No name in schema: {json_text(value)}")
        # A dotted name brings its own namespace; an empty one is the null namespace, also within another.
        space, dot, simple = name.rpartition(".")
        if not dot:
            space = own if isinstance(own, str) else namespace
        if len(space) > MAX_NAMESPACE_CHARS:
            _refuse(f"A namespace has more than {MAX_NAMESPACE_CHARS} characters")
        return self._checked(simple), space

    def _checked(self, name: str) -> str:
        """The name of a type, field or symbol, shared where it is short; refused where a new schema may not use it."""
        if len(name) <= MAX_SHARED_CHARS:
            return self._short_name(name)
        if self._strict:
            check_strict(name)
        return name

    def _finish_name(self, value: _JsonObject, simple: str, space: str) -> Name:
        aliases = NO_ALIASES
        if "aliases" in value:
            aliases = tuple(dict.fromkeys(self._full_alias(alias, space) for alias in _aliases(value)))
        full = f"{space}.{simple}" if space else simple
        return Name(simple, space, full, _text(value, "doc"), aliases)

    def _full_alias(self, alias: str, namespace: str) -> str:
        space, dot, simple = alias.rpartition(".")
        if self._strict:
            check_strict(simple)
        if not dot:
            return f"{namespace}.{simple}" if namespace else simple
        # An alias that names the null namespace keeps its dot where that is not the type's own, and matches nothing.
        if not space:
            return f".{simple}" if namespace else simple
        return alias

    def _define(self, node: Named) -> Named:
        full = node.name.full
        namespace = node.name.namespace
        if self._strict and namespace and namespace not in self._namespaces:
            check_namespace(namespace)
            self._namespaces.add(namespace)
        # The same definition may be repeated, with another doc even. Each repetition is a node of its own, which
        # counts where aliases differ.
        known = self.known.setdefault(full, node)
        if known is not node and not equal(known, node):
            _refuse(f"Can't redefine: {full}")
        return node


def _plain_union(value: list[JsonValue]) -> Union | None:
    """A union of bare primitive types, or None."""
    try:
        bare = _bare_union(tuple(value))
    except TypeError:
        # A branch that is an object or a union cannot be looked up.
        return None
    return Union(tuple(map(call, bare.makers)), bare.leading, bare.words) if bare else None


class _BareUnion(NamedTuple):
    """What all unions of the same bare types share: the classes of their branches, and what a union tells of them."""

    makers: tuple[type[Primitive], ...]
    leading: frozenset[Kind]
    words: tuple[str, ...]


@lru_cache(maxsize=1024)
def _bare_union(branches: tuple[JsonValue, ...]) -> _BareUnion | None:
    """What to make a union of, or None if any branch is no word of a primitive type or stands there twice."""
    words = tuple([word for word in branches if isinstance(word, str) and word in PRIMITIVES])
    if not words or len(set(words)) < len(branches):
        return None
    makers = tuple([PRIMITIVES[word] for word in words])
    return _BareUnion(makers, leading_kinds(tuple([make.kind for make in makers])), words)


def _text(value: _JsonObject, key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) else None


def _props(value: _JsonObject, reserved: frozenset[str]) -> Props:
    if reserved.issuperset(value):
        return NO_PROPS
    return {key: inner for key, inner in value.items() if key not in reserved}


def _aliases(value: _JsonObject) -> tuple[str, ...]:
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
        # What Java's virtual machine says of the null that it meets here.
        _refuse(
            'Cannot invoke "String.toUpperCase(java.util.Locale)" because the return value of '
            '"com.fasterxml.jackson.databind.JsonNode.textValue()" is null'
        )
    order = given.upper()
    if order not in _ORDERS:
        _refuse(f"No enum constant org.apache.avro.Schema.Field.Order.{order}")
    return order.lower()


def _number_in(text: str) -> float:
    """The number that Java reads from a text that is the default of a float or double."""
    number = parse_double(text)
    if number is None:
        trimmed = text.strip(_JAVA_SPACE)
        _refuse(f'For input string: "{trimmed}"' if trimmed else "empty String")
    return number


def _refuse_primitive(simple: str, space: str) -> None:
    if not space and simple in PRIMITIVES:
        _refuse(f"Schemas may not be named after primitives: {simple}")


def _refuse_field(entry: JsonValue) -> NoReturn:
    """Refuse what is no field for want of a name or a type."""
    named = isinstance(entry, dict) and isinstance(entry.get("name"), str)
    _refuse(f"No field {'type' if named else 'name'}: {json_text(entry)}")


def _twice(fields: Sequence[Field], record: str) -> str:
    """What is said of the first field that has the name of one before it."""
    places: dict[str, int] = {}
    place = next(here for here, field in enumerate(fields) if places.setdefault(field.name, here) != here)
    name, first = fields[place].name, places[fields[place].name]
    here = f"{name} type:{fields[place].type.kind} pos:{place}"
    there = f"{name} type:{fields[first].type.kind} pos:{first}"
    return f"Duplicate field {name} in record {record}: {here} and {there}."
