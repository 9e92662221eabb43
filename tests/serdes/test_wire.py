from io import BytesIO
from uuid import UUID

import pytest

from serdes import wire
from serdes.errors import FramingError, SerializationError
from serdes.subjects import MessageField, SerializationContext

GUID = UUID("095d71cf-1255-6b9d-5e33-0ad575b3df5d")
FRAMES = [
    (b"\x00\x00\x00\x00\x01", 1, None, 5),
    (b"\x00\xff\xff\xff\xffpayload", 0xFFFFFFFF, None, 5),
    (b"\x01" + GUID.bytes, None, GUID, 17),
    (b"\x01" + GUID.bytes + b"payload", None, GUID, 17),
]


@pytest.mark.parametrize(("data", "schema_id", "guid", "length"), FRAMES)
def test_a_frame_names_an_id_or_a_guid(data, schema_id, guid, length):
    assert wire.split(data) == (schema_id, guid, length)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\x00", "too few"),
        (b"\x00\x00\x00\x01", "too few"),
        (b"\x01" + GUID.bytes[:15], "too few"),
        (b"\x02\x00\x00\x00\x01", "0x02"),
        (b'{"id": 1}', "looks like JSON"),
        (b'"text"', "looks like JSON"),
    ],
)
def test_what_is_no_frame_is_told_apart(data, said):
    with pytest.raises(FramingError, match=said):
        wire.split(data)


def test_an_id_is_written_big_endian():
    assert wire.id_frame(258) == b"\x00\x00\x00\x01\x02"


@pytest.mark.parametrize(("field", "name"), [("key", "__key_schema_id"), ("value", "__value_schema_id")])
@pytest.mark.parametrize("headers", [[("other", b"1")], {"other": b"1"}], ids=["list", "dict"])
def test_a_header_is_put_and_found(field, name, headers):
    wire.put_header(headers, field, b"frame")
    assert dict(headers)[name] == b"frame"
    assert wire.header_frame(headers, field) == b"frame"


def test_a_header_takes_the_place_of_an_older_one():
    headers = [("__value_schema_id", b"old"), ("other", b"1")]
    wire.put_header(headers, "value", b"new")
    assert headers == [("other", b"1"), ("__value_schema_id", b"new")]


def test_the_last_header_that_is_not_null_counts():
    assert (
        wire.header_frame([("__key_schema_id", b"a"), ("__key_schema_id", b"b"), ("__key_schema_id", None)], "key")
        == b"b"
    )


@pytest.mark.parametrize("headers", [None, [], {}, (), "text"])
def test_without_headers_there_is_no_frame(headers):
    assert wire.header_frame(headers, "value") is None


@pytest.mark.parametrize("value", [bytearray(b"frame"), memoryview(b"frame")])
def test_a_header_may_be_a_buffer(value):
    assert wire.header_frame({"__key_schema_id": value}, "key") == b"frame"


@pytest.mark.parametrize("value", ["frame", 5, [1]])
def test_a_header_that_is_no_bytes_is_no_frame(value):
    with pytest.raises(FramingError, match=f"__key_schema_id must have bytes, not {type(value).__name__}"):
        wire.header_frame([("__key_schema_id", value)], "key")


def test_header_ids_need_headers():
    with pytest.raises(SerializationError, match="headers"):
        wire.header_schema_id_serializer(b"", SerializationContext("t", MessageField.VALUE), wire.SchemaId(1, GUID))
    with pytest.raises(SerializationError, match="GUID"):
        wire.header_schema_id_serializer(b"", SerializationContext("t", MessageField.VALUE, []), wire.SchemaId(1))


def test_the_callables_of_the_configuration_read_what_they_write():
    ctx = SerializationContext("t", MessageField.KEY, [])
    for write, read in [
        (wire.prefix_schema_id_serializer, wire.prefix_schema_id_deserializer),
        (wire.header_schema_id_serializer, wire.dual_schema_id_deserializer),
    ]:
        found = wire.SchemaId()
        assert read(write(b"payload", ctx, wire.SchemaId(7, GUID)), ctx, found).read() == b"payload"
        assert (found.id or found.guid) in (7, GUID)


def test_a_frame_is_read_from_where_the_stream_stands():
    stream = BytesIO(b"..\x00\x00\x00\x00\x09payload")
    stream.read(2)
    found = wire.SchemaId()
    assert found.from_bytes(stream).read() == b"payload"
    assert found.id == 9
