"""A value that does not fit: the error names the path, the expected type and the value's type."""

import json
from dataclasses import dataclass
from decimal import Decimal

import pytest

from serdes.codec import Codecs, WriteOptions, parse
from serdes.errors import EncodeError

LINE = {
    "type": "record",
    "name": "Line",
    "fields": [
        {"name": "price", "type": "double"},
        {"name": "count", "type": "int", "default": 1},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "code", "type": ["null", {"type": "fixed", "name": "Code", "size": 2}], "default": None},
    ],
}
ENVELOPE = {
    "type": "record",
    "name": "Envelope",
    "namespace": "com.acme",
    "fields": [
        {
            "name": "order",
            "type": {
                "type": "record",
                "name": "Order",
                "fields": [
                    {"name": "lines", "type": {"type": "array", "items": LINE}},
                    {"name": "labels", "type": {"type": "map", "values": "long"}, "default": {}},
                    {
                        "name": "status",
                        "type": {"type": "enum", "name": "S", "symbols": ["NEW", "PAID"]},
                        "default": "NEW",
                    },
                    {"name": "day", "type": {"type": "int", "logicalType": "date"}, "default": 0},
                    {
                        "name": "total",
                        "type": {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
                        "default": "",
                    },
                    {"name": "gift", "type": ["null", "Line"], "default": None},
                ],
            },
        }
    ],
}


def order(**fields):
    return {"order": {"lines": [{"price": 1.0}] * 3, "total": b"", **fields}}


@pytest.mark.parametrize(
    ("value", "path", "expected", "found"),
    [
        (order(lines=[{"price": 1.0}] * 3 + [{"price": "x"}]), "order.lines[3].price", "double", "str"),
        (order(lines=[{"price": None}]), "order.lines[0].price", "double", "NoneType"),
        (order(lines=[{"price": 1.0, "count": "1"}]), "order.lines[0].count", "int", "str"),
        (order(lines=[{"price": 1.0, "count": 1 << 63}]), "order.lines[0].count", "int", "int"),
        (order(lines=[{"price": 1.0, "note": 5}]), "order.lines[0].note", "null or string", "int"),
        (order(lines=[{"price": 1.0, "code": b"abc"}]), "order.lines[0].code", "null or com.acme.Code", "bytes"),
        (order(lines=[{}]), "order.lines[0].price", "double", "nothing"),
        (order(lines=[7]), "order.lines[0]", "record com.acme.Line", "int"),
        (order(lines=5), "order.lines", "array", "int"),
        (order(labels={"a": "b"}), "order.labels['a']", "long", "str"),
        (order(labels=[1]), "order.labels", "map", "list"),
        (order(status="GONE"), "order.status", "one of NEW, PAID", "str"),
        (order(day="yesterday"), "order.day", "date (int)", "str"),
        (order(total=Decimal("123.456")), "order.total", "decimal (bytes)", "Decimal"),
        (order(gift={"price": "x"}), "order.gift.price", "double", "str"),
        ({}, "order", "com.acme.Order", "nothing"),
        (7, "", "record com.acme.Envelope", "int"),
    ],
)
def test_the_place_and_both_types_are_named(value, path, expected, found):
    write = Codecs().writer(parse(json.dumps(ENVELOPE)), b"")
    with pytest.raises(EncodeError) as failure:
        write(value)
    error = failure.value
    assert (error.path, error.expected, error.value_type) == (path, expected, found)
    assert str(error).startswith(f"Envelope.{path}: expected" if path else "Envelope: expected")


class Rows(list):
    pass


NUMBERS = {"type": "array", "items": "int"}
NAMED = [{"type": "record", "name": name, "fields": [{"name": "a", "type": "int"}]} for name in ("X", "Y")]


# fastavro is stricter inside a union than outside of one, and its own message names no place there.
@pytest.mark.parametrize(
    ("kind", "value", "path", "expected", "found"),
    [
        (["null", "int"], True, "rows[0].v", "null or int", "bool"),
        (["null", "int"], 1 << 31, "rows[0].v", "null or int", "int"),
        (["null", "long"], 1 << 63, "rows[0].v", "null or long", "int"),
        (["null", "double"], Decimal("1.5"), "rows[0].v", "null or double", "Decimal"),
        (["null", "double"], False, "rows[0].v", "null or double", "bool"),
        (["null", NUMBERS], {1}, "rows[0].v", "null or array", "set"),
        (["null", NUMBERS], [1, True], "rows[0].v[1]", "int", "bool"),
        (["null", NUMBERS], (1, 2, 3), "rows[0].v", "null or array", "tuple"),
        (["null", "int"], ("string", "x"), "rows[0].v", "null or int", "tuple"),
        (NAMED, ("Y", {"a": "x"}), "rows[0].v.a", "int", "str"),
        (NAMED, {"-type": "Z", "a": 1}, "rows[0].v", "X or Y", "dict"),
        (
            ["null", {"type": "map", "values": ["null", NUMBERS]}],
            {"a": ("array", [1])},
            "rows[0].v['a']",
            "null or array",
            "tuple",
        ),
        (NUMBERS, Rows([1]), "rows[0].v", "array", "Rows"),
        ({"type": "map", "values": "int"}, {1: 1}, "rows[0].v", "map", "dict"),
        ("string", "\ud800", "rows[0].v", "string", "str"),
        ("double", 10**400, "rows[0].v", "double", "int"),
    ],
)
def test_the_place_is_named_wherever_fastavro_refuses(kind, value, path, expected, found):
    row = {"type": "record", "name": "Row", "fields": [{"name": "v", "type": kind}]}
    rows = {"type": "record", "name": "Rows", "fields": [{"name": "rows", "type": {"type": "array", "items": row}}]}
    with pytest.raises(EncodeError) as failure:
        Codecs().writer(parse(json.dumps(rows)), b"")({"rows": [{"v": value}]})
    error = failure.value
    assert (error.path, error.expected, error.value_type) == (path, expected, found)


@pytest.mark.parametrize(
    ("options", "value", "path", "expected", "found"),
    [
        (WriteOptions(strict=True), order(more=1), "order.more", "nothing", "int"),
        (WriteOptions(strict=True), order(lines=[{"price": 1.0}]), "order.lines[0].count", "int", "nothing"),
        (WriteOptions(strict_allow_default=True), order(lines=[{}]), "order.lines[0].price", "double", "nothing"),
    ],
)
def test_the_place_is_named_where_records_must_be_exact(options, value, path, expected, found):
    with pytest.raises(EncodeError) as failure:
        Codecs().writer(parse(json.dumps(ENVELOPE)), b"", options)(value)
    error = failure.value
    assert (error.path, error.expected, error.value_type) == (path, expected, found)


DATE = {"type": "int", "logicalType": "date"}
CENTS = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
TWO_BYTES = CENTS | {"type": "fixed", "name": "F", "size": 2}


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("int", 1 << 31, "R.v: expected int, found a number of more than 32 bits"),
        ("int", -(1 << 31) - 1, "R.v: expected int, found a number of more than 32 bits"),
        ("long", 1 << 63, "R.v: expected long, found a number of more than 64 bits"),
        (["null", "int"], 1 << 31, "R.v: expected int, found a number of more than 32 bits"),
        (["null", "int"], ("int", 1 << 31), "R.v: expected int, found a number of more than 32 bits"),
        (["null", NUMBERS], ("array", [1 << 31]), "R.v[0]: expected int, found a number of more than 32 bits"),
        (NUMBERS, (1, 1 << 31), "R.v[1]: expected int, found a number of more than 32 bits"),
        ({"type": "map", "values": "int"}, {"a": 1 << 31}, "R.v['a']: expected int, found a number of more than 32"),
        (DATE, 1 << 31, "R.v: expected date (int), found a number of more than 32 bits"),
        ("int", 4e9, "R.v: expected int, found float"),
        (CENTS, Decimal("NaN"), "R.v: expected decimal (bytes), found Decimal: NaN cannot be written"),
        (TWO_BYTES, Decimal("999.9"), "R.v: expected decimal (fixed) of 2 bytes, found Decimal"),
        (["null", DATE, "string"], "soon", "R.v: expected date (int), found str: Invalid isoformat string: 'soon'"),
        (["null", CENTS], Decimal("1.555"), "R.v: expected decimal (bytes), found Decimal: Scale provided"),
    ],
)
@pytest.mark.parametrize("codegen", [True, False])
def test_what_is_wrong_with_a_value_of_the_right_type_is_said(codegen, kind, value, said):
    schema = parse(json.dumps({"type": "record", "name": "R", "fields": [{"name": "v", "type": kind}]}))
    with pytest.raises(EncodeError) as failure:
        Codecs().writer(schema, b"", WriteOptions(codegen=codegen))({"v": value})
    assert str(failure.value).startswith(said)


@pytest.mark.parametrize("codegen", [True, False])
def test_the_widest_ints_are_written_also_in_records_within_themselves(codegen):
    fields = [{"name": "number", "type": "int"}, {"name": "next", "type": ["null", "N"]}]
    schema = parse(json.dumps({"type": "record", "name": "N", "fields": fields}))
    write, read = Codecs().writer(schema, b"", WriteOptions(codegen=codegen)), Codecs().reader(schema, None, 0)
    value = {"number": (1 << 31) - 1, "next": {"number": -(1 << 31), "next": None}}
    assert read(write(value)) == value
    for next_one in ({"number": 1 << 31}, ("N", {"number": 1 << 31, "next": None})):
        with pytest.raises(EncodeError, match=r"N[.]next[.]number: expected int"):
            write({"number": 1, "next": next_one})


@pytest.mark.parametrize("codegen", [True, False])
def test_the_sentence_reads_as_one(codegen):
    write = Codecs().writer(parse(json.dumps(ENVELOPE)), b"", WriteOptions(codegen=codegen))
    with pytest.raises(EncodeError, match=r"^Envelope\.order\.lines\[1\]\.price: expected double, found str$"):
        write(order(lines=[{"price": 1.0}, {"price": "dear"}]))


@dataclass
class Line:
    price: float


@pytest.mark.parametrize("type_of_line", ["com.acme.Line", ["null", "com.acme.Line"]])
def test_an_object_of_a_class_called_as_the_record_is_told_from_it(type_of_line):
    fields = [{"name": "first", "type": LINE | {"namespace": "com.acme"}}, {"name": "line", "type": type_of_line}]
    write = Codecs().writer(parse(json.dumps({"type": "record", "name": "Page", "fields": fields})), b"")
    with pytest.raises(
        EncodeError, match=r"^Page\.line: expected a dict for record com\.acme\.Line, found an object of"
    ):
        write({"first": {"price": 1.0}, "line": Line(1.0)})


def test_a_value_at_the_root_has_no_path():
    with pytest.raises(EncodeError, match=r"^expected long, found str$"):
        Codecs().writer(parse('"long"'), b"")("x")


def test_a_text_that_no_bytes_can_be_made_of_is_refused_by_name():
    with pytest.raises(EncodeError, match=r"^expected bytes, found half of a surrogate pair in a text$"):
        Codecs().writer(parse('"bytes"'), b"")("\ud800")


def test_the_cause_is_what_fastavro_said():
    with pytest.raises(EncodeError) as failure:
        Codecs().writer(parse('"string"'), b"")(7)
    assert isinstance(failure.value.__cause__, TypeError)
