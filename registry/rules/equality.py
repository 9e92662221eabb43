"""When a schema that a client sends is one that the subject already has.

Follows Confluent's Schema Registry: lookup under a subject, with its leniency for references and `confluent:version`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from registry.formats.protocol import Parsed
from registry.model import Schema
from registry.rules.contracts import contract_version, without_contract_version

SHORTEST_ERROR: Final = '{"type":"error","name":"E","fields":[]}'


def same_schema(
    stored: Schema, version: int, sent: Schema, parsed: Parsed, parse_stored: Callable[[], Parsed | None]
) -> bool:
    """Whether `sent` is the stored schema of this version, whatever the order of its properties.

    parsed: `sent`, parsed; parse_stored: parses the stored schema, asked only when everything else agrees, and
    answers None for a text that its language refuses today.
    """
    if not may_be_same(stored, sent):
        return False
    if stored.type != sent.type or stored.rule_set != sent.rule_set or not _same_metadata(stored, version, sent):
        return False
    if stored.references != sent.references:
        return _agree(parse_stored, parsed.same_resolved)
    return stored.text == sent.text or _agree(parse_stored, parsed.equivalent)


def may_be_same(stored: Schema, sent: Schema) -> bool:
    """Whether `same_schema` is worth asking: a cheap test for long histories that never keeps the right one back."""
    if stored.references != sent.references:
        # A client may have written out the types that the stored schema refers to.
        return bool(stored.references) and not sent.references
    return _may_be_equivalent(stored.text, sent.text)


def _agree(parse_stored: Callable[[], Parsed | None], compare: Callable[[Parsed], bool]) -> bool:
    stored = parse_stored()
    return stored is not None and compare(stored)


def _may_be_equivalent(stored: str, sent: str) -> bool:
    # Equivalent canonical texts differ in the order of members only, so they are made of the same characters. But an
    # `error` type equals a record whose text is one character longer.
    difference = abs(len(stored) - len(sent))
    if difference == 0:
        return stored == sent or _characters(stored) == _characters(sent)
    if difference > max(len(stored), len(sent)) // len(SHORTEST_ERROR):
        return False
    return '"error"' in stored or '"error"' in sent


@lru_cache(maxsize=100_000)
def _characters(text: str) -> int:
    return hash("".join(sorted(text)))


def _same_metadata(stored: Schema, version: int, sent: Schema) -> bool:
    if stored.metadata == sent.metadata:
        return True
    stored_number, sent_number = contract_version(stored.metadata), contract_version(sent.metadata)
    if stored_number is not None and sent_number is None:
        return without_contract_version(stored.metadata) == without_contract_version(sent.metadata)
    if stored_number is None and sent_number is not None:
        same_row = sent_number == version
        return same_row and without_contract_version(sent.metadata) == without_contract_version(stored.metadata)
    return False
