"""The nodes of a parsed Avro schema.

Owns what each kind of type consists of; refuses to know JSON text, printing and judging. Nodes are never changed once
`parse` has returned them. Every use of an unnamed type is a node of its own, every use of a named type is the same
node, as in Avro Java: the compatibility check tells nodes apart by identity.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
Props: TypeAlias = Mapping[str, JsonValue]
Kind: TypeAlias = Literal[
    "NULL", "BOOLEAN", "INT", "LONG", "FLOAT", "DOUBLE", "BYTES", "STRING", "ARRAY", "MAP", "FIXED", "ENUM", "RECORD",
    "UNION",
]  # fmt: skip

NO_PROPS: Final[Props] = MappingProxyType({})


class Absent:
    """The type of `ABSENT`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
"""Stands where a field has no default; `None` is the default `null`."""


class Primitive:
    """A primitive type at one place of a schema."""

    __slots__ = ()
    kind: Kind
    props: Props = NO_PROPS
    width: Final = 0


class Annotated(Primitive):
    """A primitive type with properties, such as a logical type."""

    __slots__ = ("kind", "props")

    def __init__(self, kind: Kind, props: Props) -> None:
        self.kind = kind
        self.props = props


def _bare(word: Kind) -> type[Primitive]:
    class Bare(Primitive):
        __slots__ = ()
        kind = word

    return Bare


PRIMITIVES: Final[Mapping[str, type[Primitive]]] = {
    "null": _bare("NULL"),
    "boolean": _bare("BOOLEAN"),
    "int": _bare("INT"),
    "long": _bare("LONG"),
    "float": _bare("FLOAT"),
    "double": _bare("DOUBLE"),
    "bytes": _bare("BYTES"),
    "string": _bare("STRING"),
}
"""The primitive types without properties, by their word in a schema text; a class for each keeps the nodes small."""


class Array:
    """An array type."""

    __slots__ = ("items", "props")
    kind: Final = "ARRAY"
    width: Final = 0

    def __init__(self, items: Node, props: Props = NO_PROPS) -> None:
        self.items: Final = items
        self.props: Final = props


class Map:
    """A map type."""

    __slots__ = ("props", "values")
    kind: Final = "MAP"
    width: Final = 0

    def __init__(self, values: Node, props: Props = NO_PROPS) -> None:
        self.values: Final = values
        self.props: Final = props


class Union:
    """A union type."""

    __slots__ = ("branches",)
    kind: Final = "UNION"

    def __init__(self, branches: tuple[Node, ...]) -> None:
        self.branches: Final = branches

    @property
    def width(self) -> int:
        """How much work it is to look at the types directly below; a name is looked at quickly."""
        return len(self.branches) // 4


class Name:
    """The full name of a type, what else it was called (`aliases`, full names), and its doc.

    An alias without namespace of a type that has one starts with a dot.
    """

    __slots__ = ("aliases", "doc", "full", "namespace", "simple")

    def __init__(self, simple: str, namespace: str, doc: str | None, aliases: tuple[str, ...]) -> None:
        self.simple: Final = simple
        self.namespace: Final = namespace
        self.full: Final = f"{namespace}.{simple}" if namespace else simple
        self.doc: Final = doc
        self.aliases: Final = aliases


class Fixed:
    """A fixed type of `size` bytes."""

    __slots__ = ("name", "props", "size")
    kind: Final = "FIXED"
    width: Final = 0

    def __init__(self, name: Name, size: int, props: Props) -> None:
        self.name: Final = name
        self.size: Final = size
        self.props: Final = props


class Enum:
    """An enum type; `default` is the symbol that a reader takes for one it does not know."""

    __slots__ = ("default", "name", "props", "symbols")
    kind: Final = "ENUM"
    width: Final = 0

    def __init__(self, name: Name, symbols: tuple[str, ...], default: str | None, props: Props) -> None:
        self.name: Final = name
        self.symbols: Final = symbols
        self.default: Final = default
        self.props: Final = props


class Field:
    """A field of a record: `order` in lower case, `default` ABSENT when there is none.

    This class alone is a field with nothing but a name and a type, which most fields are.
    """

    __slots__ = ("name", "type")
    doc: str | None = None
    default: JsonValue | Absent = ABSENT
    order: str = "ascending"
    aliases: tuple[str, ...] = ()
    props: Props = NO_PROPS

    def __init__(self, name: str, type_: Node) -> None:
        self.name: Final = name
        self.type: Final = type_


class DetailedField(Field):
    """A field with more than a name and a type."""

    __slots__ = ("aliases", "default", "doc", "order", "props")

    def __init__(
        self,
        name: str,
        type_: Node,
        doc: str | None,
        default: JsonValue | Absent,
        order: str,
        aliases: tuple[str, ...],
        props: Props,
    ) -> None:
        self.name = name  # type: ignore[misc]  # as in Field, without the cost of a second call
        self.type = type_  # type: ignore[misc]  # likewise
        self.doc = doc
        self.default = default
        self.order = order
        self.aliases = aliases
        self.props = props


class Record:
    """A record type, or an `error` type; `fields` by name, in order."""

    __slots__ = ("fields", "is_error", "name", "props")
    kind: Final = "RECORD"

    def __init__(self, name: Name, fields: Mapping[str, Field], is_error: bool, props: Props) -> None:
        self.name: Final = name
        self.fields: Final = fields
        self.is_error: Final = is_error
        self.props: Final = props

    @property
    def width(self) -> int:
        """How much work it is to look at the fields."""
        return len(self.fields)


class Unresolved(Record):
    """Stands for the type with the full name `sought`, defined later; none is left once a text is parsed."""

    __slots__ = ("sought",)

    def __init__(self, sought: str) -> None:
        super().__init__(Name(sought, "", None, ()), {}, is_error=False, props=NO_PROPS)
        self.sought: Final = sought


Named: TypeAlias = Record | Enum | Fixed
Node: TypeAlias = Primitive | Array | Map | Union | Record | Enum | Fixed


def full_name(node: Node) -> str:
    """What tells the branches of a union apart: the full name, or the word for an unnamed type."""
    if isinstance(node, Record | Enum | Fixed):
        return node.name.full
    return node.kind.lower()
