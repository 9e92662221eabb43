"""When a schema that a client sends is one that the subject already has.

Follows Confluent's Schema Registry: lookup under a subject, with its leniency for references and `confluent:version`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Final

from registry.formats.protocol import Parsed
from registry.model import Schema
from registry.rules.contracts import contract_version, without_contract_version

KNOWN: Final = 2**15
"""How many texts are remembered; a longer history is sorted again wherever two of its texts fall into one place."""
_KNOWN_TEXTS, _KNOWN_CHARACTERS = (array("q", bytes(8 * KNOWN)) for _ in range(2))
SHORTEST_ERROR: Final = '{"type":"error","name":"E","fields":[]}'


def same_schema(
    stored: Schema, version: int, sent: Schema, parsed: Parsed, parse_stored: Callable[[], Parsed | None]
) -> bool:
    """Whether `sent` is the stored schema of this version, whatever the order of its properties.

    parsed: `sent`, parsed; parse_stored: parses the stored schema, asked only when everything else agrees, and
    answers None for a text that its language refuses today.
    """
    if not likeness(sent)(stored):
        return False
    if stored.type != sent.type or stored.rule_set != sent.rule_set or not _same_metadata(stored, version, sent):
        return False
    if stored.references != sent.references:
        return _agree(parse_stored, parsed.same_resolved)
    return stored.text == sent.text or _agree(parse_stored, parsed.equivalent)


def likeness(sent: Schema) -> Callable[[Schema], bool]:
    """Tells of a stored schema whether `same_schema` is worth asking: cheap, and it never keeps the right one back.

    Made once for what was sent, because a history may be long.
    """
    # Equivalent canonical texts differ in the order of members only, so they are made of the same characters. But an
    # `error` type equals a record whose text is one character longer.
    text, length, references = sent.text, len(sent.text), sent.references
    # So many `error` types fit into a text that is longer by a character for each.
    errors = length // (len(SHORTEST_ERROR) - 1)
    shortest, longest, has_errors = length - errors, length + errors, '"error"' in text

    def is_like(stored: Schema) -> bool:
        if stored.references != references:
            # A client may have written out the types that the stored schema refers to.
            return bool(stored.references) and not references
        if not shortest <= len(stored.text) <= longest:
            return False
        if len(stored.text) == length:
            return stored.text == text or _characters(stored.text) == _characters(text)
        return has_errors or '"error"' in stored.text

    return is_like


def _agree(parse_stored: Callable[[], Parsed | None], compare: Callable[[Parsed], bool]) -> bool:
    stored = parse_stored()
    return stored is not None and compare(stored)


def _characters(text: str) -> int:
    """A number for the characters of a text, in whatever order; what was sorted last is remembered by its hash.

    Not by the text: that would keep alive what was deleted long ago, however large it was. And in places that are there
    from the start, so that memory does not grow while texts come and go.
    """
    number = hash(text)
    place = number % KNOWN
    if _KNOWN_TEXTS[place] != number:
        _KNOWN_TEXTS[place], _KNOWN_CHARACTERS[place] = number, hash("".join(sorted(text)))
    return _KNOWN_CHARACTERS[place]


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
