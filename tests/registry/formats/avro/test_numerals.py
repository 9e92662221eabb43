"""Numbers as Java 17 writes and reads them."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.formats.avro.numerals import double_text, float_text, nearest_float, parse_double

DOUBLES = [
    (0.0, "0.0"),
    (-0.0, "-0.0"),
    (1.0, "1.0"),
    (-1.5, "-1.5"),
    (0.1, "0.1"),
    (100.0, "100.0"),
    (1234567.0, "1234567.0"),
    (9999999.0, "9999999.0"),
    (1e7, "1.0E7"),
    (12345678.9, "1.23456789E7"),
    (0.001, "0.001"),
    (0.00099, "9.9E-4"),
    (1e-4, "1.0E-4"),
    (1e21, "1.0E21"),
    (1e22, "1.0E22"),
    (1e23, "9.999999999999999E22"),
    (2e23, "1.9999999999999998E23"),
    (8.41e21, "8.409999999999999E21"),
    (2.0**63, "9.223372036854776E18"),
    (9007199254740993.0, "9.007199254740992E15"),
    (1.7976931348623157e308, "1.7976931348623157E308"),
    (2.2250738585072014e-308, "2.2250738585072014E-308"),
    (2.2e-322, "2.2E-322"),
    (5e-324, "4.9E-324"),
    (math.inf, '"Infinity"'),
    (-math.inf, '"-Infinity"'),
    (math.nan, '"NaN"'),
]
FLOATS = [
    (1.0, "1.0"),
    (0.1, "0.1"),
    (0.1234567890123, "0.12345679"),
    (16777217.0, "1.6777216E7"),
    (1e10, "1.0E10"),
    (3.4028235e38, "3.4028235E38"),
    (1e39, '"Infinity"'),
    (-1e39, '"-Infinity"'),
    (1.4e-45, "1.4E-45"),
    (1e-50, "0.0"),
    (4.940852486690272e25, "4.9408524E25"),
    (0.045836515724658966, "0.045836516"),
    (math.nan, '"NaN"'),
]
READ = [
    ("1", 1.0),
    (" \t1.5\n", 1.5),
    ("+1.e2", 100.0),
    ("-.5", -0.5),
    ("1e400", math.inf),
    ("-1E400", -math.inf),
    ("1f", 1.0),
    ("1.5D", 1.5),
    ("0x1p3", 8.0),
    ("-0X1.8P-1f", -0.75),
    ("0x.8p1", 1.0),
    ("0x1.p1", 2.0),
    ("0x1p9999", math.inf),
    ("-0x1p9999", -math.inf),
    ("Infinity", math.inf),
    ("-Infinity", -math.inf),
    ("+Infinity", math.inf),
    ("", None),
    (" ", None),
    ("abc", None),
    ("inf", None),
    ("nan", None),
    ("1_000", None),
    ("1,5", None),
    ("1e", None),
    ("1 2", None),
    ("1L", None),
    ("0x1", None),
    ("0xp1", None),
    ("٣", None),
    ("1\u00a0", None),
]


@pytest.mark.parametrize(("number", "text"), DOUBLES)
def test_a_double_is_written_as_java_17_does(number: float, text: str) -> None:
    assert double_text(number) == text


@pytest.mark.parametrize(("number", "text"), FLOATS)
def test_a_float_is_written_as_java_17_does(number: float, text: str) -> None:
    assert float_text(number) == text


@pytest.mark.parametrize(("text", "number"), READ)
def test_a_text_is_read_as_java_does_or_not_at_all(text: str, number: float | None) -> None:
    assert parse_double(text) == number


@pytest.mark.parametrize("text", ["NaN", "+NaN", " -NaN "])
def test_no_number_is_read_as_such(text: str) -> None:
    assert math.isnan(parse_double(text) or 0.0)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_survives_its_text(number: float) -> None:
    assert float(double_text(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_float_survives_its_text(number: float) -> None:
    assert nearest_float(float(float_text(number))) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_text_has_a_digit_on_both_sides_of_the_point(number: float) -> None:
    mantissa, _, exponent = double_text(number).lstrip("-").partition("E")
    whole, point, fraction = mantissa.partition(".")
    assert (whole.isdigit(), point, fraction.isdigit(), not exponent or int(exponent) not in range(-3, 7)) == (
        True,
        ".",
        True,
        True,
    )


@given(st.floats(width=32, allow_nan=False))
def test_the_nearest_float_of_a_float_is_itself(number: float) -> None:
    assert struct.pack(">d", nearest_float(number)) == struct.pack(">d", number)
