"""A value that does not fit: the error names the path, the expected type and the value's type."""

import json
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


@pytest.mark.parametrize("codegen", [True, False])
def test_the_sentence_reads_as_one(codegen):
    write = Codecs().writer(parse(json.dumps(ENVELOPE)), b"", WriteOptions(codegen=codegen))
    with pytest.raises(EncodeError, match=r"^Envelope\.order\.lines\[1\]\.price: expected double, found str$"):
        write(order(lines=[{"price": 1.0}, {"price": "dear"}]))


def test_an_additional_field_is_named_where_it_is_refused():
    write = Codecs().writer(parse(json.dumps(LINE)), b"", WriteOptions(strict=True))
    with pytest.raises(EncodeError, match="more"):
        write({"price": 1.0, "count": 1, "note": None, "code": None, "more": 1})


def test_a_value_at_the_root_has_no_path():
    with pytest.raises(EncodeError, match=r"^expected long, found str$"):
        Codecs().writer(parse('"long"'), b"")("x")


def test_the_cause_is_what_fastavro_said():
    with pytest.raises(EncodeError) as failure:
        Codecs().writer(parse('"string"'), b"")(7)
    assert isinstance(failure.value.__cause__, TypeError)
