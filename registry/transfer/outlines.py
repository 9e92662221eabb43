"""Outlines: records and states in which a fingerprint stands for each schema text.

A state only ever compares texts, so that an outline answers every question that moving and checking a registry asks,
in half the memory or less. Owns what is left out of a record; refuses to know what is done with it.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

from msgspec.structs import replace

from registry.log.protocol import History
from registry.records import Record, SchemaValue, UnreadableRecordError, read_record
from registry.state import State


class Fingerprint(str):
    """The SHA-256 of a text, which stands for it."""

    __slots__ = ()


def fingerprint(text: str) -> Fingerprint:
    """What stands for a text; a fingerprint stands for itself."""
    if isinstance(text, Fingerprint):
        return text
    return Fingerprint(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def outlined(record: Record) -> Record:
    """A record with the fingerprint of its text; the GUID, which cannot be computed any more, goes along."""
    value = record.value
    if not isinstance(value, SchemaValue) or isinstance(value.schema.text, Fingerprint):
        return record
    outline = replace(value.schema, text=fingerprint(value.schema.text))
    return Record(record.key, replace(value, schema=outline, md5=value.md5 or value.schema.digest()))


def filled_in(record: Record, text: str) -> Record:
    """The record whose outline this is and whose schema has this text."""
    value = record.value
    if not isinstance(value, SchemaValue):
        return record
    schema = replace(value.schema, text=text)
    return Record(record.key, replace(value, schema=schema, md5=None if value.md5 == schema.digest() else value.md5))


async def outline(history: History) -> State:
    """The state that the whole history of a log adds up to, in outline; records that cannot be read do not count."""
    state = State()
    async for batch in history.read(0):
        for logged in batch.entries:
            with suppress(UnreadableRecordError):
                state.apply([outlined(read_record(logged.key, logged.value))], logged.author, logged.timestamp_ms)
    return state
