"""Hostile and unusual data: refused in time, whatever it announces."""

import json
import subprocess
import sys
from io import BytesIO

import pytest
from fastavro import schemaless_reader

from serdes.codec import Codecs, ReadOptions, parse
from serdes.codec.generated.varints import Doubt, count_at, int_bytes, long_bytes, number_at
from serdes.errors import CorruptPayload, EncodeError

WITH_ITEMS = '{"type":"record","name":"R","fields":[%s{"name":"id","type":"long"}]}'
NESTED = parse('{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]}')


def varint(number):
    encoded, rest = b"", number << 1 ^ number >> 63
    while rest > 127:
        encoded, rest = encoded + bytes([rest & 127 | 128]), rest >> 7
    return encoded + bytes([rest])


NUMBERS = [sign * (1 << bits) + delta for bits in range(63) for sign in (1, -1) for delta in (-1, 0, 1)]
NUMBERS = [number for number in NUMBERS if -(1 << 63) <= number < 1 << 63] + [-(1 << 63), (1 << 63) - 1]


def test_numbers_of_every_length_are_written_and_read():
    for number in NUMBERS:
        encoded = varint(number)
        assert long_bytes(number) == encoded
        if len(encoded) < 10:
            assert number_at(b"." + encoded + b"!", 1) == (number, 1 + len(encoded))


@pytest.mark.parametrize("write", [int_bytes, long_bytes])
@pytest.mark.parametrize("value", [1.0, "1", None, 1 << 63, -(1 << 63) - 1])
def test_what_is_no_number_of_the_type_is_not_guessed(write, value):
    with pytest.raises(Doubt):
        write(value)


def test_a_block_may_tell_its_size():
    assert count_at(varint(-3) + varint(12) + b"rest", 0) == (3, 2)
    read = Codecs().reader(parse('{"type":"array","items":"long"}'), None, 0)
    assert read(varint(-2) + varint(2) + b"\x02\x04\x00") == [1, 2]


@pytest.mark.parametrize(
    ("items", "block"),
    [
        ("long", varint(-1) + varint(2) + b"\x02\x00"),  # longer than its one item
        ("string", varint(-5) + varint(3) + b"\xff\xff\xff"),  # no strings at all
        ("null", varint(-(1 << 40)) + varint(0)),  # more items than anybody could count
    ],
)
def test_a_block_that_nobody_wants_is_passed_over_by_the_size_it_tells(items, block):
    written = parse(WITH_ITEMS % f'{{"name":"items","type":{{"type":"array","items":"{items}"}}}},')
    reading = parse(WITH_ITEMS % "")
    data = block + b"\x00" + varint(7)
    assert Codecs().reader(written, reading, 0)(data) == {"id": 7}
    assert schemaless_reader(BytesIO(data), written.tree, reading.tree) == {"id": 7}


def test_a_deeply_nested_payload_does_not_end_the_process():
    with pytest.raises(CorruptPayload, match="nested deeper"):
        Codecs().reader(NESTED, None, 0)(b"\x02" * 100_000 + b"\x00")


def test_a_deeply_nested_value_does_not_end_the_process():
    value = None
    for _ in range(100_000):
        value = {"next": value}
    with pytest.raises(EncodeError, match="nested deeper"):
        Codecs().writer(NESTED, b"")(value)
    while value is not None:  # taken apart here, since freeing it at once would recurse as well
        value = value["next"]


def test_nesting_that_python_can_follow_is_read():
    read, write = Codecs().reader(NESTED, None, 0), Codecs().writer(NESTED, b"")
    data = b"\x02" * 300 + b"\x00"
    assert write(read(data)) == data


HUGE = varint(1 << 60)
BOMBS = [
    ('{"type":"array","items":"long"}', HUGE),
    ('{"type":"array","items":"double"}', HUGE + b"12345678"),
    ('{"type":"array","items":{"type":"fixed","name":"F","size":16}}', HUGE),
    ('{"type":"array","items":"null"}', HUGE),
    ('{"type":"array","items":{"type":"record","name":"E","fields":[]}}', HUGE),
    ('{"type":"map","values":"null"}', HUGE),
    ('{"type":"array","items":"boolean"}', b"\x81" * 11),
]


@pytest.mark.parametrize(("schema", "data"), BOMBS)
def test_a_count_that_the_data_cannot_hold_is_refused_at_once(schema, data):
    with pytest.raises(CorruptPayload):
        Codecs().reader(parse(schema), None, 0)(data)


@pytest.mark.parametrize(("schema", "data"), BOMBS)
def test_such_a_count_is_refused_where_it_is_skipped(schema, data):
    fields = [{"name": "skipped", "type": json.loads(schema)}, {"name": "kept", "type": "int"}]
    written = parse(json.dumps({"type": "record", "name": "R", "fields": fields}))
    reading = parse(json.dumps({"type": "record", "name": "R", "fields": fields[1:]}))
    with pytest.raises(CorruptPayload):
        Codecs().reader(written, reading, 0)(data)


def test_a_count_is_refused_where_the_schemas_do_not_even_match():
    written = parse('{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"array","items":"float"}}]}')
    reading = parse('{"type":"record","name":"R","fields":[{"name":"b","type":"int"}]}')
    with pytest.raises(CorruptPayload):
        Codecs().reader(written, reading, 0)(HUGE)


@pytest.mark.parametrize(
    "name", ['x"]); import os; ("', "a\nb", "é", "class", "'", '"', "\\", "{x}", "__import__('os')", "b"]
)
def test_a_name_in_a_schema_is_never_code(name):
    # fastavro lets any text pass for the name of a field.
    schema = parse(json.dumps({"type": "record", "name": "R", "fields": [{"name": name, "type": "int"}]}))
    value = {name: 1}
    assert Codecs().reader(schema, None, 0)(Codecs().writer(schema, b"")(value)) == value


def test_a_schema_too_deep_for_python_source_is_left_to_fastavro():
    tree = "long"
    for _ in range(60):
        tree = {"type": "array", "items": tree}
    schema, value = parse(json.dumps(tree)), []
    read, write = Codecs().reader(schema, None, 0), Codecs().writer(schema, b"")
    assert read(write(value)) == value


def test_fastavro_alone_would_not_survive(tmp_path):
    """Why the recursion limit is ours: fastavro recurses on the C stack."""
    code = (
        "from io import BytesIO; from fastavro import parse_schema, schemaless_reader;"
        "schemaless_reader(BytesIO(b'\\x02' * 1000000 + b'\\x00'), parse_schema("
        "{'type':'record','name':'N','fields':[{'name':'next','type':['null','N']}]}))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("codegen", [True, False])
@pytest.mark.parametrize("data", [b"", b"\x02", b"\xff" * 20, b"\x01", b"\x0aabc"])
def test_truncated_and_damaged_payloads_are_corrupt(codegen, data):
    schema = parse('{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]}')
    with pytest.raises(CorruptPayload) as failure:
        Codecs().reader(schema, None, 0, ReadOptions(codegen=codegen))(data)
    assert failure.value.__cause__ is not None
