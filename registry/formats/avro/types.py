"""The nodes of a parsed Avro schema.

Owns what each kind of type consists of; refuses to know JSON text, printing and judging. Nodes are never changed once
`parse` has returned them. Every use of an unnamed type is a node of its own, every use of a named type is the same
node, as in Avro Java: the compatibility check tells nodes apart by identity, so they are compared and hashed by it.
They are msgspec's structs because these are made in half the time of a Python class, and because the garbage collector
need not look at one that holds nothing but plain values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import takewhile
from types import MappingProxyType
from typing import ClassVar, Final, Literal, TypeAlias

from msgspec import Struct

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
# What a field has that is not told otherwise; typed here, because a class cannot type what is no member.
NO_DOC: Final[str | None] = None
NO_DEFAULT: Final[JsonValue | Absent] = ABSENT
NO_ALIASES: Final[tuple[str, ...]] = ()
ASCENDING: Final[str] = "ascending"


class Node(Struct, frozen=True, eq=False):
    """A type at one place of a schema."""

    kind: ClassVar[Kind]
    # Without annotation it is no member: types that cannot have properties take no room for them.
    props = NO_PROPS

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


class Primitive(Node, frozen=True, eq=False):
    """A primitive type."""


class Annotated(Primitive, frozen=True, eq=False):
    """A primitive type with properties, such as a logical type."""

    props: Props


def _bare(word: Kind) -> type[Primitive]:
    class Bare(Primitive, frozen=True, eq=False, gc=False):
        kind: ClassVar[Kind] = word

    return Bare


def _annotated(word: Kind) -> type[Annotated]:
    class WithProps(Annotated, frozen=True, eq=False):
        kind: ClassVar[Kind] = word

    return WithProps


_PRIMITIVE_KINDS: Final[tuple[Kind, ...]] = ("NULL", "BOOLEAN", "INT", "LONG", "FLOAT", "DOUBLE", "BYTES", "STRING")
# A class for each instead of a member: such a node takes 16 bytes, the garbage collector need not look at it, and
# nine of ten nodes are of this sort.
PRIMITIVES: Final[Mapping[str, type[Primitive]]] = {kind.lower(): _bare(kind) for kind in _PRIMITIVE_KINDS}
"""The primitive types without properties, by their word in a schema text."""
ANNOTATED: Final[Mapping[str, type[Annotated]]] = {kind.lower(): _annotated(kind) for kind in _PRIMITIVE_KINDS}
"""The same with properties."""


class Array(Node, frozen=True, eq=False):
    """An array type."""

    kind: ClassVar[Kind] = "ARRAY"
    items: Node
    props: Props = NO_PROPS

    @property
    def below(self) -> Sequence[Node]:
        """The type of the items."""
        return (self.items,)


class Map(Node, frozen=True, eq=False):
    """A map type."""

    kind: ClassVar[Kind] = "MAP"
    values: Node
    props: Props = NO_PROPS

    @property
    def below(self) -> Sequence[Node]:
        """The type of the values."""
        return (self.values,)


class Union(Node, frozen=True, eq=False):
    """A union type.

    leading: the kinds of the primitive types that stand in it before any named type. words: those of the branches,
    where all of them are known to be primitive types without properties; otherwise none.
    """

    kind: ClassVar[Kind] = "UNION"
    branches: tuple[Node, ...]
    leading: frozenset[Kind]
    words: tuple[str, ...] = ()

    @property
    def below(self) -> Sequence[Node]:
        """The branches."""
        return self.branches

    @property
    def width(self) -> int:
        """The number of branches."""
        return len(self.branches)


def union_over(branches: tuple[Node, ...]) -> Union:
    """A union of these branches."""
    return Union(branches, leading_kinds(tuple([branch.kind for branch in branches])))


# There are few different answers, which all unions share.
@lru_cache(maxsize=1024)
def leading_kinds(kinds: tuple[Kind, ...]) -> frozenset[Kind]:
    """Of the kinds of a union's branches, those that its `leading` are."""
    unnamed = takewhile(lambda kind: kind not in _NAMED_KINDS, kinds)
    return frozenset(kind for kind in unnamed if kind.lower() in PRIMITIVES)


class Name(Struct, frozen=True, eq=False):
    """The full name of a type, what else it was called (`aliases`, full names), and its doc.

    An alias without namespace of a type that has one starts with a dot.
    """

    simple: str
    namespace: str
    full: str
    doc: str | None
    aliases: tuple[str, ...]


class Named(Node, frozen=True, eq=False):
    """A type with a name: a record, an enum or a fixed."""

    name: Name
    props: Props

    @property
    def label(self) -> str:
        """The full name."""
        return self.name.full


class Fixed(Named, frozen=True, eq=False):
    """A fixed type of `size` bytes."""

    kind: ClassVar[Kind] = "FIXED"
    size: int


class Enum(Named, frozen=True, eq=False):
    """An enum type; `default` is the symbol that a reader takes for one it does not know."""

    kind: ClassVar[Kind] = "ENUM"
    symbols: tuple[str, ...]
    default: str | None


class Field(Struct, frozen=True, eq=False):
    """A field of a record: `order` in lower case, `default` ABSENT when there is none.

    This class alone is a field with nothing but a name and a type, which most fields are.
    """

    name: str
    type: Node
    doc = NO_DOC
    default = NO_DEFAULT
    order = ASCENDING
    aliases = NO_ALIASES
    props = NO_PROPS


class DetailedField(Field, frozen=True, eq=False):
    """A field with more than a name and a type."""

    doc: str | None
    default: JsonValue | Absent
    order: str
    aliases: tuple[str, ...]
    props: Props


class Record(Named, frozen=True, eq=False):
    """A record type, or an `error` type; `fields` by name, in order."""

    kind: ClassVar[Kind] = "RECORD"
    fields: Mapping[str, Field]
    is_error: bool

    @property
    def below(self) -> Sequence[Node]:
        """The types of the fields."""
        return [field.type for field in self.fields.values()]

    @property
    def width(self) -> int:
        """The number of fields."""
        return len(self.fields)


class Unresolved(Record, frozen=True, eq=False):
    """Stands for the type with the full name `sought`, defined later; none is left once a text is parsed.

    As in Java it is a record without fields, which matters for defaults that are checked before the definition is
    read.
    """

    @property
    def sought(self) -> str:
        """The full name that was used."""
        return self.name.full


def unresolved(sought: str) -> Unresolved:
    """What stands for a type that is not defined yet."""
    return Unresolved(Name(sought, "", sought, None, ()), NO_PROPS, {}, is_error=False)
