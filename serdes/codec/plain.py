"""Writers and readers that are fastavro behind a closure.

Own the translation of fastavro's many exceptions into ours; every result and every refusal is fastavro's.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from fastavro import schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError as Unresolvable

from serdes.codec.failures import FAILURES
from serdes.codec.misfit import encode_error
from serdes.codec.parsing import AvroSchema
from serdes.errors import CorruptPayload, EncodeError, SchemaResolutionError, TrailingData

Write = Callable[..., "bytes | None"]
Read = Callable[..., Any]


def writer(schema: AvroSchema, frame: bytes, strict: bool, strict_allow_default: bool) -> Write:
    """A function from a value to framed bytes; None stays None (a tombstone). The function raises EncodeError."""
    tree = schema.tree
    if is_bytes(tree):
        return _bytes_writer(frame)

    def write(value: Any, _ctx: object = None) -> bytes | None:
        if value is None:
            return None
        buffer = BytesIO()
        try:
            schemaless_writer(buffer, tree, value, strict=strict, strict_allow_default=strict_allow_default)
        except FAILURES as error:
            raise encode_error(tree, value, error) from error
        return frame + buffer.getvalue()

    return write


def reader(
    schema: AvroSchema, reading: AvroSchema | None, frame_bytes: int, return_record_name: bool, refuse_trailing: bool
) -> Read:
    """A function from framed bytes to a value; None stays None.

    The function raises CorruptPayload, SchemaResolutionError or TrailingData.
    """
    tree, reader_tree = schema.tree, None if reading is None else reading.tree
    if is_bytes(tree):
        return lambda data, _ctx=None: None if data is None else data[frame_bytes:]

    def read(data: bytes | None, _ctx: object = None) -> Any:
        if data is None:
            return None
        buffer = BytesIO(data)
        buffer.seek(frame_bytes)
        try:
            value = schemaless_reader(buffer, tree, reader_tree, return_record_name)
        except Unresolvable as error:
            raise SchemaResolutionError(str(error)) from error
        except FAILURES as error:
            raise CorruptPayload(f"the payload does not fit its schema: {error!r}") from error
        if refuse_trailing and buffer.tell() < len(data):
            raise TrailingData(len(data) - buffer.tell())
        return value

    return read


def is_bytes(tree: Any) -> bool:
    """Whether values are top-level bytes, which travel without their length, as Java's serializer writes them."""
    return tree == "bytes" or (isinstance(tree, dict) and tree.get("type") == "bytes")


def _bytes_writer(frame: bytes) -> Write:
    def write(value: Any, _ctx: object = None) -> bytes | None:
        if value is None:
            return None
        if isinstance(value, str):
            value = value.encode()
        if not isinstance(value, (bytes, bytearray)):
            raise EncodeError("expected bytes", expected="bytes", value_type=type(value).__name__)
        return frame + value

    return write
