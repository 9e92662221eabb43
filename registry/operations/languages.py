"""Parsed schemas and verdicts, remembered: the same text is parsed once, the same pair is judged once.

Owns the memory and its bounds; refuses to know how a language parses or judges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from cachetools import LRUCache

from registry.errors import InvalidSchema
from registry.formats import FORMATS
from registry.formats.protocol import Format, Parsed
from registry.model import Finding

PARSED_BYTES_PER_TEXT_BYTE = 12
"""What a parsed schema takes in memory, as a multiple of its text (measured on schemas of 10 to 300 fields)."""
THREAD_ABOVE_BYTES = 64 * 1024
"""Texts larger than this are parsed off the event loop."""


@dataclass(frozen=True, slots=True)
class Source:
    """All that decides what a text means: its language, the texts it refers to, and how strictly it is read."""

    type: str
    text: str
    references: tuple[tuple[str, str], ...] = ()
    strict: bool = False


class Languages:
    """The schema languages behind two caches; used on the event loop only."""

    def __init__(self, formats: Mapping[str, Format] = FORMATS, *, max_bytes: int, max_verdicts: int = 50_000) -> None:
        """Remember up to `max_bytes` of parsed schemas (estimated) and `max_verdicts` verdicts."""
        self._formats = formats
        self._parsed: LRUCache[Source, Parsed] = LRUCache(max_bytes, getsizeof=_size)
        # Pairs are known by identity; the schemas are kept beside the findings, so that no identity is used twice.
        self._verdicts: LRUCache[tuple[int, int], tuple[Parsed, Parsed, tuple[Finding, ...]]] = LRUCache(max_verdicts)

    @property
    def names(self) -> tuple[str, ...]:
        """The languages on the wire."""
        return tuple(self._formats)

    def check_type(self, name: str) -> None:
        """Raise InvalidSchema when there is no such language."""
        if name not in self._formats:
            raise InvalidSchema(f"Invalid schema type {name}")

    def parse(self, source: Source) -> Parsed:
        """The parsed schema, from memory where it is known.

        Raises UnparsableSchema with the language's own words.
        """
        return self._parsed.get(source) or self._remember(source, self._parse(source))

    async def prepare(self, source: Source) -> None:
        """Parse a large text in a thread, so that `parse` finds it; raises as `parse` does."""
        if len(source.text) > THREAD_ABOVE_BYTES and source not in self._parsed:
            self._remember(source, await asyncio.to_thread(self._parse, source))

    def unreadable(self, reader: Parsed, writer: Parsed) -> tuple[Finding, ...]:
        """Why the reader cannot read the writer, from memory where the pair was judged before."""
        pair = (id(reader), id(writer))
        remembered = self._verdicts.get(pair)
        if remembered is None:
            remembered = self._verdicts[pair] = (reader, writer, reader.unreadable(writer))
        return remembered[2]

    def _parse(self, source: Source) -> Parsed:
        return self._formats[source.type].parse(source.text, dict(source.references), strict=source.strict)

    def _remember(self, source: Source, parsed: Parsed) -> Parsed:
        if _size(parsed) <= self._parsed.maxsize:
            self._parsed[source] = parsed
        return parsed


def _size(parsed: Parsed) -> int:
    return 1024 + PARSED_BYTES_PER_TEXT_BYTE * len(parsed.text)
