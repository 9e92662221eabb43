"""What a schema language must offer to the registry.

Owns the seam between the registry and the languages; refuses to know subjects, ids and storage.
A language parses a text once into a `Parsed`, valid by construction; everything else is asked of that value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

from msgspec import Struct

from registry.model import Finding


class InlineTags(Struct, frozen=True):
    """Tags written inside a schema text: the entity's path, its kind (`sr_record` or `sr_field`), its tags in order."""

    path: str
    kind: str
    tags: tuple[str, ...]


class Parsed(Protocol):
    """A schema of one language: immutable, and valid by construction."""

    @property
    def text(self) -> str:
        """The canonical text: what the registry stores, hashes and returns."""
        ...

    @property
    def resolved_text(self) -> str:
        """The canonical text with the types of other subjects written out (`format=resolved`)."""
        ...

    @property
    def chars(self) -> int:
        """The characters of the canonical text and of all texts that it refers to: what a schema takes in memory."""
        ...

    def normalized(self) -> Self:
        """The same schema in normal form (`normalize=true`)."""
        ...

    def equivalent(self, other: Self) -> bool:
        """Whether both are one schema when looked up in a subject, whatever the order of their properties."""
        ...

    def same_resolved(self, other: Self) -> bool:
        """Whether both are one schema once the types of other subjects are written out."""
        ...

    def unreadable(self, writer: Self) -> tuple[Finding, ...]:
        """Why this schema, as reader, cannot read what `writer` wrote, in reporting order; empty when it can."""
        ...

    def field_names(self) -> frozenset[str]:
        """The names of the top-level fields (`confluent:reserved` is checked against them)."""
        ...

    def tags(self) -> tuple[InlineTags, ...]:
        """Every entity with inline tags, in order of appearance."""
        ...

    def retagged(self, add: Sequence[InlineTags], remove: Sequence[InlineTags]) -> str:
        """The text after adding, then removing inline tags.

        Raises UnparsableSchema when a path names no record or field.
        """
        ...


class Format(Protocol):
    """A schema language."""

    name: str
    """The name on the wire: `AVRO`."""

    def parse(self, text: str, references: Mapping[str, str], *, strict: bool) -> Parsed:
        """Parse a schema.

        text: the schema as sent. references: the texts of all schemas it refers to, directly or not, by reference
        name, each after those it needs itself. strict: apply the rules for new schemas (names, namespaces,
        defaults); False reads what is already stored.

        Raises UnparsableSchema with the language's own words.
        """
        ...
