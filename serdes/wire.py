"""Frames: how a record says which schema it was written with.

Owns the prefix (`00` and a 4-byte id), the header form (`01` and 16 GUID bytes under `__key_schema_id` or
`__value_schema_id`) and the callables that confluent-kafka's configuration names; refuses to know schemas.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from uuid import UUID

from serdes.errors import FramingError, SerializationError
from serdes.subjects import Headers, SerializationContext

MAGIC_ID = 0
MAGIC_GUID = 1
ID_FRAME_BYTES = 5
GUID_FRAME_BYTES = 17
KEY_HEADER = "__key_schema_id"
VALUE_HEADER = "__value_schema_id"


def id_frame(schema_id: int) -> bytes:
    """The prefix that names an id."""
    return b"\x00" + schema_id.to_bytes(4, "big")


def guid_frame(guid: UUID) -> bytes:
    """The prefix or header value that names a GUID."""
    return b"\x01" + guid.bytes


class SchemaId:
    """The identity of a schema as the wire carries it: an id, a GUID, or both."""

    __slots__ = ("guid", "id")

    def __init__(self, schema_id: int | None = None, guid: UUID | str | None = None) -> None:
        self.id = schema_id
        # As a text it comes from the registry, as a UUID out of a frame.
        self.guid = UUID(guid) if isinstance(guid, str) else guid

    def id_to_bytes(self) -> bytes:
        """The prefix that names the id.

        Raises SerializationError when the id is not known.
        """
        if self.id is None:
            raise SerializationError("the schema has no id")
        return id_frame(self.id)

    def guid_to_bytes(self) -> bytes:
        """The frame that names the GUID.

        Raises SerializationError when the registry gave none.
        """
        if self.guid is None:
            raise SerializationError("the registry gave no GUID for the schema, which header ids need")
        return guid_frame(self.guid)

    def from_bytes(self, payload: BytesIO) -> BytesIO:
        """Read the frame at the start of `payload`, which is returned standing behind it.

        Raises FramingError when there is no frame.
        """
        self.id, self.guid, length = split(payload.getvalue()[payload.tell() :])
        payload.seek(length, 1)
        return payload


def split(data: bytes) -> tuple[int | None, UUID | None, int]:
    """The id or the GUID at the start of `data`, and the number of bytes that name it.

    Raises FramingError, saying what stands there instead.
    """
    if data[:1] == b"\x00" and len(data) >= ID_FRAME_BYTES:
        return int.from_bytes(data[1:ID_FRAME_BYTES], "big"), None, ID_FRAME_BYTES
    if data[:1] == b"\x01" and len(data) >= GUID_FRAME_BYTES:
        return None, UUID(bytes=data[1:GUID_FRAME_BYTES]), GUID_FRAME_BYTES
    raise FramingError(_what_stands_there(data))


def _what_stands_there(data: bytes) -> str:
    if not data:
        return "the data is empty: not a frame of a schema registry's wire format"
    if data[0] in (MAGIC_ID, MAGIC_GUID):
        return f"the data has {len(data)} bytes, too few for the schema id that byte {data[0]} announces"
    # The mistake that is made most: a topic that was written without a serializer.
    hint = ", it looks like JSON" if data[0] in b'{["' else ""
    return f"the first byte is {data[0]:#04x}, not 0x00 (id) or 0x01 (GUID){hint}: unknown magic byte"


def header_name(field: str) -> str:
    """The record header that carries the schema of this field."""
    return KEY_HEADER if field == "key" else VALUE_HEADER


def header_frame(headers: Headers | object, field: str) -> bytes | None:
    """The last non-null schema header of this field (as Java reads them), or None.

    Raises FramingError when its value is not bytes.
    """
    name, found = header_name(field), None
    if isinstance(headers, dict):
        found = headers.get(name)
    elif isinstance(headers, (list, tuple)):
        # A record that was sent again may carry headers of both sendings.
        for key, value in reversed(headers):
            if key == name and value is not None:
                found = value
                break
    if found is None or isinstance(found, bytes):
        return found
    if isinstance(found, (bytearray, memoryview)):
        return bytes(found)
    raise FramingError(f"the header {name} must have bytes, not {type(found).__name__}")


def put_header(headers: Headers | object, field: str, frame: bytes) -> None:
    """Put the frame into the record's headers, in place of an older one of the same field.

    Raises SerializationError when the headers are neither a list nor a dict.
    """
    name = header_name(field)
    if isinstance(headers, dict):
        headers[name] = frame
    elif isinstance(headers, list):
        # In place: the caller hands this very list to the producer.
        headers[:] = [item for item in headers if item[0] != name]
        headers.append((name, frame))
    else:
        raise SerializationError("the header schema id serializer needs headers in the context: a list or a dict")


SchemaIdSerializer = Callable[[bytes, SerializationContext | None, SchemaId], bytes]
SchemaIdDeserializer = Callable[[bytes, SerializationContext | None, SchemaId], BytesIO]


def prefix_schema_id_serializer(payload: bytes, _ctx: SerializationContext | None, schema_id: SchemaId) -> bytes:
    """The id in front of the payload."""
    return schema_id.id_to_bytes() + payload


def header_schema_id_serializer(payload: bytes, ctx: SerializationContext | None, schema_id: SchemaId) -> bytes:
    """The GUID in the record's headers, the payload bare.

    Raises SerializationError without a context that has headers, or without a GUID.
    """
    if ctx is None:
        raise SerializationError("the header schema id serializer needs a SerializationContext")
    put_header(ctx.headers, ctx.field, schema_id.guid_to_bytes())
    return payload


def prefix_schema_id_deserializer(payload: bytes, _ctx: SerializationContext | None, schema_id: SchemaId) -> BytesIO:
    """The frame in front of the payload; returns a stream that stands behind it."""
    return schema_id.from_bytes(BytesIO(payload))


def dual_schema_id_deserializer(payload: bytes, ctx: SerializationContext | None, schema_id: SchemaId) -> BytesIO:
    """The record's header when it has one, else the frame in front of the payload."""
    frame = None if ctx is None else header_frame(ctx.headers, ctx.field)
    if frame is None:
        return schema_id.from_bytes(BytesIO(payload))
    schema_id.from_bytes(BytesIO(frame))
    return BytesIO(payload)
