"""Parsed schemas and verdicts, remembered: the same text is parsed once, the same pair is judged once.

Owns the memory and its bounds; refuses to know how a language parses or judges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from operator import attrgetter

from cachetools import LRUCache
from msgspec import Struct
from msgspec.structs import replace

from registry.errors import InvalidSchema, UnparsableSchema
from registry.formats import FORMATS
from registry.formats.foreign import ForeignSchema
from registry.formats.protocol import Format, Parsed
from registry.model import Finding

PARSED_BYTES_PER_TEXT_BYTE = 12
"""What a parsed schema takes in memory, as a multiple of its text (measured on schemas of 10 to 300 fields)."""
SCHEMA_BYTES = 1024
"""What a remembered schema takes beside that, and a verdict."""
FINDING_BYTES = 512
"""What a finding takes beside its texts."""
THREAD_ABOVE_BYTES = 64 * 1024
"""Texts larger than this, with all that they refer to, are parsed off the event loop."""


class Source(Struct, frozen=True, gc=False):
    """All that decides what a text means: its language, and the texts it refers to."""

    type: str
    text: str
    references: tuple[tuple[str, str], ...] = ()

    @property
    def chars(self) -> int:
        """The characters of all the texts."""
        return len(self.text) + sum(len(text) for _, text in self.references)


class Known(Struct, frozen=True, gc=False):
    """A parsed schema, what its language says against it as a new one, and the bytes that it takes (estimated)."""

    parsed: Parsed
    fault: str | None
    bytes: int


class Unreadable(Struct, frozen=True, gc=False):
    """What its language says against a text as a new and as an old schema, and the bytes that it takes (estimated)."""

    fault: str
    old_fault: str
    bytes: int


class _Judged(Struct, frozen=True, gc=False):
    """A verdict and the bytes that it takes; the two schemas are kept with it, so that their identities are not used
    for others.
    """

    reader: Parsed
    writer: Parsed
    findings: tuple[Finding, ...]
    bytes: int


_bytes_of = attrgetter("bytes")


class Languages:
    """The schema languages behind two caches; used on the event loop only."""

    def __init__(self, formats: Mapping[str, Format] = FORMATS, *, max_bytes: int) -> None:
        """Remember up to `max_bytes` of parsed schemas (estimated), half of them for the sake of verdicts."""
        self._formats = formats
        self._known: LRUCache[Source, Known | Unreadable] = LRUCache(max_bytes // 2, _bytes_of)
        self._verdicts: LRUCache[tuple[int, int], _Judged] = LRUCache(max_bytes // 2, _bytes_of)

    @property
    def names(self) -> tuple[str, ...]:
        """The languages on the wire."""
        return tuple(self._formats)

    def check_type(self, name: str) -> None:
        """Raise InvalidSchema when there is no such language."""
        if name not in self._formats:
            raise InvalidSchema(f"Invalid schema type {name}")

    def parse(self, source: Source, *, strict: bool) -> Parsed:
        """The parsed schema; as `known` does."""
        return self.known(source, strict=strict).parsed

    def known(self, source: Source, *, strict: bool) -> Known:
        """What is known of a schema, from memory where it was parsed before; `strict` applies the rules for new ones.

        Raises UnparsableSchema with the language's own words.
        """
        known = self._known.get(source)
        if known is None:
            known = self._remember(source, self._parse(source))
        if isinstance(known, Unreadable):
            raise UnparsableSchema(known.fault if strict else known.old_fault)
        if strict and known.fault is not None:
            raise UnparsableSchema(known.fault)
        return known

    async def prepare(self, source: Source) -> None:
        """Parse a large text in a thread, so that `parse` finds what there is to say of it."""
        if source.chars > THREAD_ABOVE_BYTES and source not in self._known:
            self._remember(source, await asyncio.to_thread(self._parse, source))

    async def prepare_all(self, sources: Iterable[Source]) -> None:
        """Parse texts that are large together in a thread, one by one, but no more of them than are remembered."""
        unknown = [source for source in sources if source not in self._known]
        if sum(source.chars for source in unknown) <= THREAD_ABOVE_BYTES:
            return
        # More would push out the first of them before they are asked for.
        left = self._known.maxsize
        for source in unknown:
            left -= SCHEMA_BYTES + PARSED_BYTES_PER_TEXT_BYTE * source.chars
            if left < 0:
                break
            self._remember(source, await asyncio.to_thread(self._parse, source))

    def unreadable(self, reader: Parsed, writer: Parsed) -> tuple[Finding, ...]:
        """Why the reader cannot read the writer, from memory where the pair was judged before."""
        pair = (id(reader), id(writer))
        judged = self._verdicts.get(pair)
        if judged is None:
            judged = _judged(reader, writer)
            if judged.bytes <= self._verdicts.maxsize:
                self._verdicts[pair] = judged
        return judged.findings

    def _parse(self, source: Source) -> Known | Unreadable:
        language = self._formats.get(source.type)
        if language is None:
            return _known(ForeignSchema(source.text))
        references = dict(source.references)
        # Most schemas are asked for both ways, and one that holds as new means the same as an old one.
        try:
            return _known(language.parse(source.text, references, strict=True))
        except UnparsableSchema as fault:
            try:
                return _known(language.parse(source.text, references, strict=False), fault.message)
            except UnparsableSchema as old_fault:
                size = SCHEMA_BYTES + source.chars + len(fault.message) + len(old_fault.message)
                return Unreadable(fault.message, old_fault.message, size)

    def _remember(self, source: Source, known: Known | Unreadable) -> Known | Unreadable:
        # One that is larger than the whole memory is parsed each time, instead of emptying it.
        if known.bytes <= self._known.maxsize:
            self._known[source] = known
            # A schema that was sent is soon asked for as stored, by its canonical text.
            if isinstance(known, Known) and known.parsed.text != source.text:
                self._known[replace(source, text=known.parsed.text)] = known
        return known


def _known(parsed: Parsed, fault: str | None = None) -> Known:
    return Known(parsed, fault, _size(parsed))


def _judged(reader: Parsed, writer: Parsed) -> _Judged:
    findings = reader.unreadable(writer)
    told = sum(
        FINDING_BYTES + len(finding.path) + len(finding.message) + len(finding.place) + len(finding.suggestion)
        for finding in findings
    )
    return _Judged(reader, writer, findings, _size(reader) + _size(writer) + told)


def _size(parsed: Parsed) -> int:
    # The types of other subjects are a schema's own once it is parsed, whoever else refers to them.
    return SCHEMA_BYTES + PARSED_BYTES_PER_TEXT_BYTE * parsed.chars
