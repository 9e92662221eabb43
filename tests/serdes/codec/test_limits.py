"""Hostile and unusual data: refused in time, whatever it announces."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from cProfile import Profile
from decimal import Decimal
from io import BytesIO
from threading import Event

import pytest
from fastavro import schemaless_reader

from serdes.codec import Codecs, ReadOptions, WriteOptions, parse
from serdes.codec.generated.varints import Doubt, count_at, int_bytes, long_bytes, number_at
from serdes.errors import CorruptPayload, EncodeError, SerializationError

WITH_ITEMS = '{"type":"record","name":"R","fields":[%s{"name":"id","type":"long"}]}'
MAP = '{"type":"map","values":"int"}'
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


LOWEST = varint(-(1 << 63))  # ten bytes, which generated code leaves to fastavro
WIDE = [{"type": "enum", "name": f"E{number}", "symbols": ["A"]} for number in range(80)]  # for which no code is made
EMPTY = {"type": "record", "name": "Empty", "fields": [{"name": "none", "type": "null"}]}
POINT = {"type": "record", "name": "Point", "fields": [{"name": axis, "type": "double"} for axis in "xy"]}
DEEP_IN_LISTS = {"type": "array", "items": "Harm"}
NULLS = [{"name": f"null{number}", "type": "null"} for number in range(500)]
SWELLING = {"type": "record", "name": "Swelling", "fields": [{"name": "one", "type": "boolean"}, *NULLS]}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 9}


def in_lists(schema, levels):
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


HARMS = [
    ("no content", {"type": "array", "items": "null"}, HUGE, "without content"),
    ("no content, with a size", {"type": "array", "items": EMPTY}, varint(-(1 << 60)) + varint(0), "without content"),
    ("no content, in lists", {"type": "array", "items": {"type": "array", "items": "null"}}, b"\x02" + HUGE, "without"),
    (
        "no content, in a block with a size",
        {"type": "array", "items": {"type": "array", "items": "null"}},
        varint(-1) + varint(len(HUGE)) + HUGE,
        "without content",
    ),
    ("no content, in many blocks", {"type": "array", "items": "null"}, varint(900_000) * 5_000, "without content"),
    ("hardly any content", in_lists(SWELLING, 1), varint(50_000) + b"\x00" * 50_000, "without content"),
    ("a decimal that takes minutes", DECIMAL, varint(1_000_000) + b"\x11" * 1_000_000, "decimal of more than 10,000"),
    ("nested in lists of lists", in_lists(["null", "Harm"], 100), (b"\x02" * 101 + LOWEST) * 900, "nested deeper"),
    ("nested", ["null", "Harm"], (b"\x02" + LOWEST) * 50_000, "nested deeper"),
    ("nested in lists", DEEP_IN_LISTS, (b"\x02" + LOWEST) * 50_000, "nested deeper"),
    ("nested in maps", {"type": "map", "values": "Harm"}, (b"\x02\x02k" + LOWEST) * 50_000, "nested deeper"),
]


@pytest.mark.parametrize("first", ["long", "wide", "off"])
@pytest.mark.parametrize(("schema", "data", "message"), [pytest.param(*case[1:], id=case[0]) for case in HARMS])
def test_what_is_left_to_fastavro_can_neither_end_the_process_nor_keep_it(first, schema, data, message):
    fields = [{"name": "first", "type": "long"}, {"name": "harm", "type": schema}]
    if first == "wide":
        fields.append({"name": "wide", "type": WIDE})
    written = parse(json.dumps({"type": "record", "name": "Harm", "fields": fields}))
    read = Codecs().reader(written, None, 1, ReadOptions(codegen=first != "off"))
    with pytest.raises(CorruptPayload, match=message):
        read(b"." + LOWEST + data)


def side_by_side(levels, fields, innermost):
    """Records next to each other, each made of so many of the one before."""
    types = [{"type": "record", "name": "R0", "fields": [{"name": "a", "type": innermost}]}]
    for level in range(1, levels):
        inner = [{"name": f"f{number}", "type": f"R{level - 1}"} for number in range(fields)]
        types.append({"type": "record", "name": f"R{level}", "fields": inner})
    named = [{"name": f"r{number}", "type": schema} for number, schema in enumerate(types)]
    return {"type": "record", "name": "All", "fields": named}


def with_defaults(schema):
    """A record whose field has a default, which leaves out what has a default itself."""
    return {"type": "record", "name": "R", "fields": [{"name": "a", "type": schema, "default": {}}]}


def doubled_defaults(levels):
    schema = {"type": "record", "name": "R0", "fields": [{"name": "a", "type": "int", "default": 1}]}
    for level in range(1, levels):
        fields = [{"name": "a", "type": schema, "default": {}}, {"name": "b", "type": f"R{level - 1}", "default": {}}]
        schema = {"type": "record", "name": f"R{level}", "fields": fields}
    return schema


def with_name(schema):
    return {"type": "record", "name": "R", "fields": [{"name": "a", "type": schema}]}


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (side_by_side(20_000, 1, "null"), "more than 250 types stand within each other"),
        (in_lists(side_by_side(200, 1, ["null", "int"]), 60), "more than 250 types stand within each other"),
        (in_lists("int", 400), "more than 250 types|nested too deeply"),
        (side_by_side(60, 2, "null"), "each value of R20 would have more than 1,000,000 parts"),
        (side_by_side(60, 2, "boolean"), "each value of R20 would have more than 1,000,000 parts"),
        (with_name(["null", ["null", "R"]]), "a union stands within a union"),
        (with_defaults("R"), "defaults stand within each other without end"),
        (with_defaults(["R", "null"]), "defaults stand within each other without end"),
        (doubled_defaults(30), "defaults stand within each other without end"),
        (with_name("int") | {"aliases": 5}, "the aliases of R are no list"),
        (with_name("int") | {"fields": [{"name": ["a"], "type": "int"}]}, "'a'. in R is no name"),
        (with_name({"type": "fixed", "name": "F", "size": -1}), "the size of F is no number of bytes"),
        (with_name({"type": "fixed", "name": "int", "size": "16"}), "the size of int is no number of bytes"),
        (
            with_name(DECIMAL | {"type": "fixed", "name": "F", "size": 1 << 40}),
            "the decimal F has more than 10,000 bytes",
        ),
    ],
)
def test_a_schema_without_bounds_is_refused_before_anything_is_made_of_it(schema, message):
    with pytest.raises(SerializationError, match=message):
        parse(json.dumps(schema))


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (side_by_side(100, 1, "null"), None),
        (side_by_side(10, 2, "long"), None),
        (with_name({"type": "array", "items": ["null", "R"]}), {"a": [None, {"a": []}]}),
        (doubled_defaults(8), None),
        (with_defaults({"type": "map", "values": "R"}), {"a": {"k": {"a": {}}}}),
        (with_name(DECIMAL | {"precision": 2_000_000_000}), {"a": Decimal(7)}),
        (
            with_name({"type": "record", "name": "string", "fields": [{"name": "of", "type": "string"}]}),
            {"a": {"of": "é"}},
        ),
    ],
)
@pytest.mark.parametrize("codegen", [True, False])
def test_a_schema_within_bounds_is_written_and_read(schema, value, codegen):
    parsed = parse(json.dumps(schema))
    write = Codecs().writer(parsed, b".", WriteOptions(codegen=codegen))
    read = Codecs().reader(parsed, None, 1, ReadOptions(codegen=codegen))
    if value is None:
        value = read(bytes(100_000))
    assert read(write(value)) == value


def test_of_a_schema_of_half_a_megabyte_no_code_is_made():
    fields = [{"name": f"f{number}", "type": "int", "doc": "x" * 1000} for number in range(500)]
    schema = parse(json.dumps({"type": "record", "name": "R", "fields": fields}))
    short = parse(json.dumps({"type": "record", "name": "R", "fields": fields[:1]}))
    codecs, value = Codecs(), {field["name"]: 1 for field in fields}
    assert codecs.reader(schema, None, 0)(codecs.writer(schema, b"")(value)) == value
    assert codecs.reader(schema, short, 0)(codecs.writer(schema, b"")(value)) == {"f0": 1}
    assert len(codecs) == 0


@pytest.mark.parametrize("inner", [["null", "R", "string"], ["null", {"type": "array", "items": "R"}]])
def test_code_for_twice_as_many_unions_is_twice_the_work(inner):
    def calls(unions):
        fields = [{"name": f"f{number}", "type": inner} for number in range(unions)]
        schema = parse(json.dumps({"type": "record", "name": "R", "fields": fields}))
        Codecs().writer(schema, b"")  # so that nothing has to be imported
        with Profile() as profile:
            Codecs().writer(schema, b"")
        return sum(entry.callcount for entry in profile.getstats())

    assert calls(80) < 2.5 * calls(40)


@pytest.mark.parametrize("codegen", [True, False])
@pytest.mark.parametrize("count", [HUGE, varint(-(1 << 60)) + varint(2)])
@pytest.mark.parametrize("items", ["double", "boolean", {"type": "fixed", "name": "F", "size": 16}, POINT])
def test_a_count_of_items_that_another_schema_skips_is_refused_at_once(items, count, codegen):
    fields = [{"name": "first", "type": "long"}, {"name": "points", "type": {"type": "array", "items": items}}]
    written = parse(json.dumps({"type": "record", "name": "R", "fields": fields}))
    reading = parse(json.dumps({"type": "record", "name": "R", "fields": fields[:1]}))
    with pytest.raises(CorruptPayload, match="announces"):
        Codecs().reader(written, reading, 0, ReadOptions(codegen=codegen))(LOWEST + count + b"12345678")


@pytest.mark.parametrize("codegen", [True, False])
def test_payloads_that_could_do_harm_and_do_not_are_read(codegen):
    fields = [
        {"name": "first", "type": "long"},
        {"name": "empty", "type": {"type": "array", "items": EMPTY}},
        {"name": "below", "type": {"type": "map", "values": {"type": "array", "items": ["null", "string", "R"]}}},
        {"name": "points", "type": {"type": "array", "items": POINT}},
        {"name": "kind", "type": {"type": "enum", "name": "K", "symbols": ["A", "B"]}},
        {"name": "lines", "type": {"type": "array", "items": "bytes"}},
        {"name": "wide", "type": WIDE},
    ]
    schema = parse(json.dumps({"type": "record", "name": "R", "fields": fields}))
    value = {
        "first": -(1 << 63),
        "empty": [{"none": None}] * 3,
        "below": {},
        "points": [{"x": 1.5, "y": 2.5}] * 200,
        "kind": "B",
        "lines": [b"", b"x" * 300],
        "wide": "A",
    }
    for _ in range(3):
        value = value | {"below": {"a": [None, "text" * 50, value], "é": []}}
    written = Codecs().writer(schema, b".", WriteOptions(codegen=codegen))(value)
    assert Codecs().reader(schema, None, 1, ReadOptions(codegen=codegen))(written) == value


def test_blocks_that_tell_their_size_are_walked_over():
    blocks = varint(-2) + varint(4) + b"\x02a\x02b" + varint(1) + b"\x02c" + b"\x00"
    fields = [
        {"name": "first", "type": "long"},
        {"name": "texts", "type": {"type": "array", "items": "string"}},
        {"name": "none", "type": {"type": "array", "items": "null"}},
    ]
    read = Codecs().reader(parse(json.dumps({"type": "record", "name": "R", "fields": fields})), None, 0)
    assert read(LOWEST + blocks + varint(-2) + varint(0) + b"\x00")["texts"] == ["a", "b", "c"]
    with pytest.raises(CorruptPayload, match="not of the size it tells"):
        read(LOWEST + varint(-2) + varint(3) + b"\x02a\x02b\x00\x00")
    with pytest.raises(CorruptPayload, match="too long"):
        read(LOWEST + b"\x81" * 12 + b"\x00")


@pytest.mark.parametrize("codegen", [True, False])
@pytest.mark.parametrize("nest", [lambda value: value, lambda value: [value], lambda value: {"k": value}])
def test_a_deep_value_that_is_left_to_fastavro_does_not_end_the_process(nest, codegen):
    inner = ["null", "R", {"type": "array", "items": "R"}, {"type": "map", "values": "R"}]
    fields = [{"name": "first", "type": "long"}, {"name": "inner", "type": inner}]
    schema = parse(json.dumps({"type": "record", "name": "R", "fields": fields}))
    levels = [{"first": 1, "inner": None}]
    for _ in range(50_000):
        levels.append({"first": 1, "inner": nest(levels[-1])})
    levels[-1]["first"] = True  # for which generated code is not certain
    with pytest.raises(EncodeError, match="nested deeper"):
        Codecs().writer(schema, b"", WriteOptions(codegen=codegen))(levels[-1])
    while levels:  # taken apart here, since freeing it at once would recurse as well
        levels.pop().clear()


@pytest.mark.parametrize("codegen", [True, False])
@pytest.mark.parametrize("schema", [DECIMAL, DECIMAL | {"type": "fixed", "name": "F", "size": 8}])
@pytest.mark.parametrize(
    "nest", [lambda schema: schema, lambda schema: ["null", schema], lambda schema: [schema, "string"]]
)
def test_a_decimal_whose_exponent_stands_for_millions_of_digits_is_refused_at_once(nest, schema, codegen):
    write = Codecs().writer(parse(json.dumps(with_name(nest(schema)))), b"", WriteOptions(codegen=codegen))
    assert write({"a": Decimal("1E+6")})
    for harmful in ("1E+300000000", "-1E+300000000"):
        with pytest.raises(EncodeError, match="a decimal has more than 24,000 digits"):
            write({"a": Decimal(harmful)})


@pytest.mark.parametrize("kind", ["int", "long", {"type": "int", "logicalType": "date"}])
def test_generated_code_leaves_no_such_decimal_to_fastavro_where_another_number_is_due(kind):
    write = Codecs().writer(parse(json.dumps(with_name(kind))), b"")
    assert write({"a": Decimal(7)}) == b"\x0e"
    with pytest.raises(EncodeError, match="a decimal has more than 24,000 digits"):
        write({"a": Decimal("1E+300000000")})


def test_decimals_are_found_wherever_a_schema_has_them():
    money = {"type": "record", "name": "Money", "fields": [{"name": "amount", "type": DECIMAL}]}
    fields = [
        {"name": "lines", "type": {"type": "array", "items": money}},
        {"name": "rates", "type": {"type": "map", "values": DECIMAL}},
        {"name": "gift", "type": ["null", "string", "Money"]},
    ]
    schema = parse(json.dumps({"type": "record", "name": "R", "fields": fields}))
    write = Codecs().writer(schema, b"", WriteOptions(codegen=False))
    fine, harmful = {"amount": Decimal(1)}, {"amount": Decimal("1E+300000000")}
    value = {"lines": [fine], "rates": {"a": Decimal(2)}, "gift": fine}
    assert write(value) == write(value | {"gift": ("Money", fine)})
    for part in (
        {"lines": (fine, harmful)},
        {"rates": {"b": harmful["amount"]}},
        {"gift": harmful},
        {"gift": ("Money", harmful)},
    ):
        with pytest.raises(EncodeError, match="a decimal has more than 24,000 digits"):
            write(value | part)
    for misfit in ({"lines": 5}, {"rates": [1]}, {"gift": 5}, {"gift": ()}):
        with pytest.raises(EncodeError, match=r"^R\.(lines|rates|gift): expected"):
            write(value | misfit)


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


def test_no_schema_waits_for_the_code_of_another_but_for_its_own_it_does():
    codecs, begun, held, made = Codecs(), Event(), Event(), []

    def make(key):
        made.append(key)
        if key == "long":
            begun.set()
            assert held.wait(20)
        return lambda: key

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(codecs._made, "long", lambda: make("long"))
        assert begun.wait(20)
        again = threads.submit(codecs._made, "long", lambda: make("long"))
        try:
            assert threads.submit(codecs._made, "short", lambda: make("short")).result(5)() == "short"
        finally:
            held.set()
        assert first.result(20) is again.result(20)
    assert made == ["long", "short"]


@pytest.mark.parametrize("codegen", [True, False])
@pytest.mark.parametrize(
    ("schema", "before", "behind"),
    [('"string"', b"", b""), (WITH_ITEMS % '{"name":"s","type":"string"},', b"", b"\0"), (MAP, b"\2", b"\0\0")],
)
def test_a_text_that_is_no_utf_8_is_told_without_showing_it(schema, before, behind, codegen):
    data = before + varint(300_000) + b"\xc3" * 300_000 + behind
    with pytest.raises(CorruptPayload) as refusal:
        Codecs().reader(parse(schema), None, 0, ReadOptions(codegen=codegen))(data)
    said = "byte 0 of a text is no UTF-8 (invalid continuation byte)"
    assert refusal.value.message == f"the payload does not fit its schema: {said}"
