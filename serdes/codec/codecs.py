"""The codecs of a client: made once for each schema, remembered up to a number, shared by all its serdes.

Owns the choice between generated code and plain fastavro, and the way from the one to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from importlib import import_module
from threading import RLock
from typing import Any

from cachetools import LRUCache

from serdes.codec import plain
from serdes.codec.failures import FAILURES, Unsupported
from serdes.codec.options import USUAL_READING, USUAL_WRITING, ReadOptions, WriteOptions
from serdes.codec.parsing import AvroSchema
from serdes.codec.plain import NOWHERE, Place, Read, Write
from serdes.errors import CorruptPayload, EncodeError

Maker = Callable[..., Any]
_LONGEST_TEXT = 500_000
"""Characters of a schema; to make the code for a longer one would take seconds, and compiling it stops all threads."""


class Codecs:
    """Writers and readers by schema.

    Args:
        capacity: how many schemas' generated code is kept; the least recently used goes first.
        on_fallback: called each time that generated code leaves a message to fastavro.
    """

    def __init__(self, capacity: int = 1000, on_fallback: Callable[[], None] = lambda: None) -> None:
        self._lock = RLock()
        self._makers: LRUCache[Hashable, Maker | None] = LRUCache(capacity)
        self._making: dict[Hashable, RLock] = {}
        self._on_fallback = on_fallback

    def __len__(self) -> int:
        return len(self._makers)

    def reopen(self) -> None:
        """Take a new lock: after a fork the old one may be held by a thread that does not exist here."""
        self._lock = RLock()
        self._making = {}

    def writer(
        self, schema: AvroSchema, frame: bytes, options: WriteOptions = USUAL_WRITING, place: Place = NOWHERE
    ) -> Write:
        """A function from a value to framed bytes; None stays None (a tombstone). It raises EncodeError."""
        slow = plain.writer(schema, frame, options, place)
        if not options.codegen or plain.is_bytes(schema.tree) or len(schema.text) > _LONGEST_TEXT:
            return slow
        made = self._made(
            (schema.text, options),
            lambda: _generated().Writing(schema.tree, options).made(),
        )
        if made is None:
            return slow
        return made(H=frame, redo=self._counted(slow), too_deep=lambda: _value_too_deep(place))  # type: ignore[no-any-return]  # generated

    def reader(
        self,
        schema: AvroSchema,
        reading: AvroSchema | None,
        frame_bytes: int,
        options: ReadOptions = USUAL_READING,
        place: Place = NOWHERE,
    ) -> Read:
        """A function from framed bytes, or a buffer of them, to a value.

        reading: the schema to read as, None for the one it was written with. frame_bytes: how many bytes to skip.
        The function raises CorruptPayload, SchemaResolutionError or TrailingData.
        """
        slow = plain.reader(schema, reading, frame_bytes, options, place)
        longest = max(len(one.text) for one in (schema, reading or schema))
        if not options.codegen or plain.is_bytes(schema.tree) or longest > _LONGEST_TEXT:
            return slow
        # As fastavro does: a reader's schema that is the writer's resolves nothing.
        reader_tree = None if reading is None or reading.tree == schema.tree else reading.tree

        made = self._made(
            (schema.text, reading and reading.text, options),
            lambda: _generated().Reading(schema.tree, reader_tree, options).made(),
        )
        if made is None:
            return slow
        return made(START=frame_bytes, redo=self._counted(slow), too_deep=lambda: _data_too_deep(place))  # type: ignore[no-any-return]  # generated

    def _made(self, key: Hashable, make: Callable[[], Maker]) -> Maker | None:
        with self._lock:
            if key in self._makers:
                return self._makers[key]
            making = self._making.setdefault(key, RLock())
        # To write and compile the code twice would cost more than to wait for it; other schemas need not wait.
        with making:
            with self._lock:
                if key in self._makers:
                    return self._makers[key]
            maker: Maker | None
            try:
                maker = make()
            except (Unsupported, SyntaxError, *FAILURES):
                maker = None  # an unusual schema: fastavro alone judges it
            with self._lock:
                self._makers[key] = maker
                self._making.pop(key, None)
            return maker

    def _counted(self, slow: Callable[..., Any]) -> Callable[..., Any]:
        def redo(message: Any) -> Any:
            self._on_fallback()
            return slow(message)

        return redo


def _generated() -> Any:
    """What writes code. By name: its tables take a good part of the time that importing this package may take."""
    return import_module("serdes.codec.generated")


def _value_too_deep(place: Place) -> bytes:
    raise place.error(EncodeError("the value is nested deeper than Python's recursion limit"))


def _data_too_deep(place: Place) -> Any:
    # fastavro would recurse on the C stack, and a payload of some kilobytes would end the process.
    raise place.error(CorruptPayload("the payload is nested deeper than Python's recursion limit"))
