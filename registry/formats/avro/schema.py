"""The Avro language as the registry sees it: one value per parsed schema, and the format that makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Self

from registry.errors import UnparsableSchema
from registry.formats.avro.canonical import canonical_text
from registry.formats.avro.compatibility import unreadable
from registry.formats.avro.equality import equivalent
from registry.formats.avro.fingerprints import parsing_form
from registry.formats.avro.json_reader import check_depth
from registry.formats.avro.normalize import normal_form
from registry.formats.avro.parse import Parser
from registry.formats.avro.stored_names import check_names
from registry.formats.avro.tags import inline_tags, retagged
from registry.formats.avro.types import Named, Node, Record
from registry.formats.protocol import InlineTags
from registry.model import Finding

MAX_REFERRED_CHARS: Final = 2 * 2**20
"""How much text a schema may refer to: all of it is read with the schema, which then takes about a second."""


class AvroSchema:
    """A parsed Avro schema; immutable."""

    __slots__ = ("_referenced", "_referred_chars", "root", "text")

    def __init__(self, root: Node, referenced: Mapping[str, Named], referred_chars: int = 0) -> None:
        self.root: Final = root
        self._referenced: Final = referenced
        self._referred_chars: Final = referred_chars
        # Computed once: it is what every answer shows and every id is found by.
        self.text: Final = canonical_text(root, referenced)

    @property
    def resolved_text(self) -> str:
        """The canonical text with the types of other subjects written out."""
        return canonical_text(self.root) if self._referenced else self.text

    @property
    def chars(self) -> int:
        """The characters of the canonical text and of all texts that it refers to."""
        return len(self.text) + self._referred_chars

    @property
    def parsing_form(self) -> str:
        """The parsing canonical form of the Avro specification."""
        return parsing_form(self.root)

    def normalized(self) -> Self:
        """The same schema in normal form."""
        return type(self)(normal_form(self.root, self._referenced), self._referenced, self._referred_chars)

    def equivalent(self, other: Self) -> bool:
        """Whether both are one schema, whatever the order of their properties."""
        return equivalent(self.root, other.root)

    def same_resolved(self, other: Self) -> bool:
        """Whether both are one schema once the types of other subjects are written out."""
        return equivalent(self.root, other.root)

    def unreadable(self, writer: Self) -> tuple[Finding, ...]:
        """Why this schema, as reader, cannot read what `writer` wrote, in Avro Java's order; empty when it can."""
        return unreadable(self.root, writer.root)

    def field_names(self) -> frozenset[str]:
        """The names of the top-level fields."""
        return frozenset(self.root.fields) if isinstance(self.root, Record) else frozenset()

    def tags(self) -> tuple[InlineTags, ...]:
        """Every record and field with inline tags, in order of appearance."""
        return tuple(inline_tags(self.root))

    def retagged(self, add: Sequence[InlineTags], remove: Sequence[InlineTags]) -> str:
        """The text after adding, then removing inline tags; raises UnparsableSchema for an unknown path."""
        return retagged(self.text, add, remove)


class AvroFormat:
    """The Avro language."""

    name: str = "AVRO"

    def parse(self, text: str, references: Mapping[str, str], *, strict: bool) -> AvroSchema:
        """Parse a schema after the schemas it refers to; raises UnparsableSchema in Avro Java's words."""
        referred_chars = sum(map(len, references.values()))
        if referred_chars > MAX_REFERRED_CHARS:
            raise UnparsableSchema(f"The schemas referred to have more than {MAX_REFERRED_CHARS} characters together")
        parser = Parser(strict=strict)
        referenced: dict[str, Named] = {}
        # All are read by one parser, so that each may use the types of those before it. Only the outermost type of a
        # reference is written as a name: one nested in it is written out where it is used, as Confluent does.
        for reference in references.values():
            root = parser.parse(reference)
            if isinstance(root, Named):
                referenced[root.name.full] = root
        root = parser.parse(text)
        # What is stored was judged by older rules: namespaces and defaults are let pass, names nearly so.
        if not strict:
            check_names(root)
        schema = AvroSchema(root, referenced, referred_chars)
        _check_writable(schema.text)
        # Written where it is used first, a type may come to stand deeper than in the text that was read; a canonical
        # text that nobody can read again must not be kept.
        if parser.forward or references:
            check_depth(schema.text)
        return schema


def _check_writable(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        # Java accepts it here and fails later, when the text is to be stored.
        raise UnparsableSchema("Half of a surrogate pair stands where a character should be") from None
