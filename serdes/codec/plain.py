"""Writers and readers that are fastavro behind a closure.

Own the translation of fastavro's many exceptions into ours; every result is fastavro's, and every refusal but those of
ints which are too wide and of what would harm the process.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import Any, NamedTuple

from fastavro import schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError as Unresolvable

from serdes.codec.definitions import Definitions
from serdes.codec.failures import FAILURES
from serdes.codec.hazards import ValueChecks, check_whole, payload_walk
from serdes.codec.options import ReadOptions, WriteOptions
from serdes.codec.parsing import AvroSchema
from serdes.codec.shapes import NO_SHAPES
from serdes.codec.widths import IntChecks
from serdes.errors import CorruptPayload, EncodeError, SchemaResolutionError, SerdesError, TrailingData

Write = Callable[..., "bytes | None"]
Read = Callable[..., Any]


def _as_it_is(error: SerdesError) -> SerdesError:
    return error


class Place(NamedTuple):
    """Where a codec is used, for its errors; `translate` makes them errors of the host's."""

    topic: str | None = None
    field: str | None = None
    schema_id: int | str | None = None
    translate: Callable[[SerdesError], SerdesError] = _as_it_is

    def error(self, error: SerdesError) -> SerdesError:
        """The error to raise: with its place filled in, and translated."""
        return self.translate(error.at(self.topic, self.field, self.schema_id))


NOWHERE = Place()


def writer(
    schema: AvroSchema, frame: bytes, options: WriteOptions, place: Place = NOWHERE, *, tombstones: bool = True
) -> Write:
    """A function from a value to framed bytes. The function raises EncodeError.

    tombstones: None stays None; otherwise it is a value like others.
    """
    tree, strict, strict_allow_default = schema.tree, options.strict, options.strict_allow_default
    usual, shapes, shaped = not options.exact, options.shapes, options.shapes is not NO_SHAPES
    if is_bytes(tree):
        return _bytes_writer(frame, place, tombstones)
    definitions = Definitions(tree)
    check_ints = IntChecks(definitions).check(tree)
    # What generated code has given up may be anything: for a long, too, fastavro writes out what an exponent says.
    check_value = check_whole if options.codegen else ValueChecks(tree, definitions).check(tree)

    def write(value: Any, _ctx: object = None) -> bytes | None:
        if value is None and tombstones:
            return None
        buffer = BytesIO()
        try:
            if shaped:
                value = shapes.plain(value)
            if check_value is not None:
                check_value(value)
            if usual:  # keywords cost a short value a tenth of its whole time
                schemaless_writer(buffer, tree, value)
            else:
                schemaless_writer(buffer, tree, value, strict=strict, strict_allow_default=strict_allow_default)
            if check_ints is not None:
                check_ints(value)
        except EncodeError as error:
            raise place.error(error) from None
        except FAILURES as error:
            # By name: where a value does not fit is asked only when one does not.
            raise place.error(import_module("serdes.codec.misfit").encode_error(tree, value, error, options)) from error
        return frame + buffer.getvalue()

    return write


def reader(
    schema: AvroSchema, reading: AvroSchema | None, frame_bytes: int, options: ReadOptions, place: Place = NOWHERE
) -> Read:
    """A function from framed bytes, or a buffer of them, to a value.

    The function raises CorruptPayload, SchemaResolutionError or TrailingData.
    """
    tree, reader_tree = schema.tree, None if reading is None else reading.tree
    shapes, shaped, refuse_trailing = options.shapes, options.shapes is not NO_SHAPES, options.refuse_trailing
    names = options.return_record_name or shaped
    if is_bytes(tree):
        return lambda data, _ctx=None: bytes(data[frame_bytes:])
    walk = payload_walk(tree, Definitions(tree), resolved=reader_tree is not None and reader_tree != tree)

    def read(data: bytes, _ctx: object = None) -> Any:
        if walk is not None:
            try:
                walk(bytes(data), frame_bytes)
            except CorruptPayload as error:
                raise place.error(error) from None
        try:
            buffer = BytesIO(data)
            buffer.seek(frame_bytes)  # quicker than to copy what comes after the frame
            value = schemaless_reader(buffer, tree, reader_tree, names)
            if shaped:
                value = shapes.built(tree if reader_tree is None else reader_tree, value)
        except Unresolvable as error:
            raise place.error(SchemaResolutionError(_mismatch(schema, reading, error))) from error
        except FAILURES as error:
            raise place.error(CorruptPayload(_reason(error))) from error
        if refuse_trailing and (left := buffer.read()):
            raise place.error(TrailingData(len(left)))
        return value

    return read


def _mismatch(schema: AvroSchema, reading: AvroSchema | None, error: Unresolvable) -> str:
    """Why a record cannot be read as another schema; fastavro may show both schemas instead."""
    if reading is None or not str(error).startswith("Schema mismatch"):
        return str(error)
    # By name, as in most programs every record can be read.
    reason = import_module("serdes.codec.readable").unreadable(reading, schema)
    return reason or "the value is of a type that the reader's schema does not have"


def _reason(error: Exception) -> str:
    if isinstance(error, (EOFError, struct.error)):
        return "the payload ends before its schema does"
    if isinstance(error, UnicodeDecodeError):  # which shows all of the text, however long that is
        return f"the payload does not fit its schema: byte {error.start} of a text is no UTF-8 ({error.reason})"
    if isinstance(error, CorruptPayload):  # a class that does not take what was written
        return error.message
    return f"the payload does not fit its schema: {error!r}"


def is_bytes(tree: Any) -> bool:
    """Whether values are top-level bytes, which travel without their length, as Java's serializer writes them."""
    return tree == "bytes" or (isinstance(tree, dict) and tree.get("type") == "bytes")


def _bytes_writer(frame: bytes, place: Place, tombstones: bool) -> Write:
    def write(value: Any, _ctx: object = None) -> bytes | None:
        if value is None and tombstones:
            return None
        if isinstance(value, str):
            try:
                value = value.encode()
            except UnicodeEncodeError as error:
                reason = "expected bytes, found half of a surrogate pair in a text"
                raise place.error(EncodeError(reason, expected="bytes", value_type="str")) from error
        if not isinstance(value, (bytes, bytearray)):
            found = type(value).__name__
            raise place.error(EncodeError(f"expected bytes, found {found}", expected="bytes", value_type=found))
        return frame + value

    return write
