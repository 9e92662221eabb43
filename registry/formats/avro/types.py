"""The nodes of a parsed Avro schema.

Owns what each kind of type consists of; refuses to know JSON text, printing and judging. Nodes are never changed once
`parse` has returned them. Every use of an unnamed type is a node of its own, every use of a named type is the same
node, as in Avro Java: the compatibility check tells nodes apart by identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import takewhile
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
Props: TypeAlias = Mapping[str, JsonValue]
Kind: TypeAlias = Literal[
    "NULL", "BOOLEAN", "INT", "LONG", "FLOAT", "DOUBLE", "BYTES", "STRING", "ARRAY", "MAP", "FIXED", "ENUM", "RECORD",
    "UNION",
]  # fmt: skip
"""The words for types in Java's messages; as keys on hot paths, plain texts are faster than enum members."""

NO_PROPS: Final[Props] = MappingProxyType({})


_NAMED_KINDS: Final = frozenset({"RECORD", "ENUM", "FIXED"})


class Absent:
    """The type of `ABSENT`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
"""Stands where a field has no default; `None` is the default `null`."""


class Node:
    """A type at one place of a schema."""

    __slots__ = ()
    kind: Kind
    props: Props = NO_PROPS

    @property
    def below(self) -> Sequence[Node]:
        """The types that this one is made of, in order."""
        return ()

    @property
    def width(self) -> int:
        """How much work it is to look at what is directly below."""
        return 0

    @property
    def label(self) -> str:
        """What tells the branches of a union apart: the word of an unnamed type, the full name of a named one."""
        return self.kind.lower()


class Primitive(Node):
    """A primitive type."""

    __slots__ = ()


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


# A class for each instead of an attribute: such a node takes 16 bytes, the garbage collector need not look at it, and
# nine of ten nodes are of this sort.
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
"""The primitive types without properties, by their word in a schema text."""


class Array(Node):
    """An array type."""

    __slots__ = ("items", "props")
    kind = "ARRAY"

    def __init__(self, items: Node, props: Props = NO_PROPS) -> None:
        self.items: Final = items
        self.props = props

    @property
    def below(self) -> Sequence[Node]:
        """The type of the items."""
        return (self.items,)


class Map(Node):
    """A map type."""

    __slots__ = ("props", "values")
    kind = "MAP"

    def __init__(self, values: Node, props: Props = NO_PROPS) -> None:
        self.values: Final = values
        self.props = props

    @property
    def below(self) -> Sequence[Node]:
        """The type of the values."""
        return (self.values,)


class Union(Node):
    """A union type; `leading` are the kinds of the primitive types that stand in it before any named type."""

    __slots__ = ("branches", "leading")
    kind = "UNION"

    def __init__(self, branches: tuple[Node, ...], leading: frozenset[Kind] | None = None) -> None:
        self.branches: Final = branches
        self.leading: Final = leading if leading is not None else leading_kinds(tuple(each.kind for each in branches))

    @property
    def below(self) -> Sequence[Node]:
        """The branches."""
        return self.branches

    @property
    def width(self) -> int:
        """The number of branches."""
        return len(self.branches)


# There are few different answers, which all unions share.
@lru_cache(maxsize=1024)
def leading_kinds(kinds: tuple[Kind, ...]) -> frozenset[Kind]:
    """Of the kinds of a union's branches, those that its `leading` are."""
    unnamed = takewhile(lambda kind: kind not in _NAMED_KINDS, kinds)
    return frozenset(kind for kind in unnamed if kind.lower() in PRIMITIVES)


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


class Named(Node):
    """A type with a name: a record, an enum or a fixed."""

    __slots__ = ("name", "props")

    def __init__(self, name: Name, props: Props) -> None:
        self.name: Final = name
        self.props = props

    @property
    def label(self) -> str:
        """The full name."""
        return self.name.full


class Fixed(Named):
    """A fixed type of `size` bytes."""

    __slots__ = ("size",)
    kind = "FIXED"

    def __init__(self, name: Name, size: int, props: Props) -> None:
        super().__init__(name, props)
        self.size: Final = size


class Enum(Named):
    """An enum type; `default` is the symbol that a reader takes for one it does not know."""

    __slots__ = ("default", "symbols")
    kind = "ENUM"

    def __init__(self, name: Name, symbols: tuple[str, ...], default: str | None, props: Props) -> None:
        super().__init__(name, props)
        self.symbols: Final = symbols
        self.default: Final = default


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
        self.name = name
        self.type = type_


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
        # Not through super(): this is the most frequent call of a parse.
        self.name = name
        self.type = type_
        self.doc = doc
        self.default = default
        self.order = order
        self.aliases = aliases
        self.props = props


class Record(Named):
    """A record type, or an `error` type; `fields` by name, in order."""

    __slots__ = ("fields", "is_error")
    kind = "RECORD"

    def __init__(self, name: Name, fields: Mapping[str, Field], is_error: bool, props: Props) -> None:
        super().__init__(name, props)
        self.fields: Final = fields
        self.is_error: Final = is_error

    @property
    def below(self) -> Sequence[Node]:
        """The types of the fields."""
        return [field.type for field in self.fields.values()]

    @property
    def width(self) -> int:
        """The number of fields."""
        return len(self.fields)


class Unresolved(Record):
    """Stands for the type with the full name `sought`, defined later; none is left once a text is parsed.

    As in Java it is a record without fields, which matters for defaults that are checked before the definition is
    read.
    """

    __slots__ = ("sought",)

    def __init__(self, sought: str) -> None:
        super().__init__(Name(sought, "", None, ()), {}, is_error=False, props=NO_PROPS)
        self.sought: Final = sought
