"""Schemas of a language that this registry does not speak, as an older or another registry may have stored them.

Owns nothing but the text: what was stored is returned as it is, equal only to itself, and judged by nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from registry.errors import UnparsableSchema
from registry.formats.protocol import InlineTags
from registry.model import Finding


class ForeignSchema(Struct, frozen=True):
    """A schema of a language that is not spoken here."""

    text: str

    @property
    def resolved_text(self) -> str:
        """The text as it is."""
        return self.text

    @property
    def chars(self) -> int:
        """The length of the text."""
        return len(self.text)

    def normalized(self) -> ForeignSchema:
        """The same schema."""
        return self

    def equivalent(self, other: ForeignSchema) -> bool:
        """Whether both have one text."""
        return self.text == other.text

    def same_resolved(self, other: ForeignSchema) -> bool:
        """Whether both have one text."""
        return self.text == other.text

    def unreadable(self, writer: ForeignSchema) -> tuple[Finding, ...]:  # noqa: ARG002 (the protocol's)
        """Nothing: nobody here can judge."""
        return ()

    def field_names(self) -> frozenset[str]:
        """None that are known."""
        return frozenset()

    def tags(self) -> tuple[InlineTags, ...]:
        """None that are known."""
        return ()

    def retagged(self, add: Sequence[InlineTags], remove: Sequence[InlineTags]) -> str:
        """The text, when nothing is to be changed; raises UnparsableSchema otherwise."""
        if add or remove:
            raise UnparsableSchema("This registry does not speak the language of the schema")
        return self.text
