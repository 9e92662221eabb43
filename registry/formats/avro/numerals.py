"""Java's texts of floating-point numbers: `Double.toString` and `Float.toString` of JDK 17, and `Double.parseDouble`.

Before JDK 19 Java did not always print the shortest digits, so Python's repr cannot be used; the digits are generated
as OpenJDK's FloatingDecimal does (Steele and White's free-format algorithm with a symmetric stopping test).
"""

from __future__ import annotations

import math
import re
import struct
from functools import lru_cache
from typing import Final, TypeAlias

_DOUBLE: Final = struct.Struct(">d")
_BITS: Final = struct.Struct(">Q")
_HIDDEN_BIT: Final = 52
_MAX_INTEGER_EXPONENT: Final = 62
_FEW_DIGITS: Final = 4
_SHORT_CHARS: Final = 12
# For all exponents that a double can have; to compute one takes as long as all the rest of a number.
_POWERS_OF_5: Final = tuple(5**power for power in range(400))
_MAX_LONG_POWER_OF_5: Final = 26
_DIGITS_DROPPED: Final = (
    0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10,
    11, 11, 11, 12, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15, 15, 16, 16, 16, 17, 17, 17, 18, 18, 18, 19,
)  # fmt: skip
"""By binary exponent beyond the significant bits: how many decimal digits of an integer carry nothing."""

_DECIMAL: Final = re.compile(r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)", re.ASCII)
_HEXADECIMAL: Final = re.compile(
    r"([+-]?)0[xX](?:([0-9a-fA-F]+)\.?|([0-9a-fA-F]*)\.([0-9a-fA-F]+))[pP]([+-]?\d+)[fFdD]?", re.ASCII
)
_JAVA_SPACE: Final = "".join(map(chr, range(0x21)))


def double_text(value: float) -> str:
    """`Double.toString(value)`; what JSON has no number for is quoted, as Jackson does."""
    if not math.isfinite(value):
        return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'
    (bits,) = _BITS.unpack(_DOUBLE.pack(value))
    return _double_text(bits)


# Keyed by the bits, because 0.0 and -0.0 are equal; texts with very many numbers have few that are short and different.
@lru_cache(maxsize=16_384)
def _double_text(bits: int) -> str:
    (value,) = _DOUBLE.unpack(_BITS.pack(bits))
    return _text(bits >> 63, (bits >> 52) & 0x7FF, bits & (1 << 52) - 1, 52, 1023, _shortest(value))


def _shortest(value: float) -> int:
    """How many digits the shortest text has that means this double and no other; 1 where it has few."""
    text = repr(value)
    return len(text.lstrip("-").partition("e")[0].replace(".", "").strip("0")) if len(text) > _SHORT_CHARS else 1


def float_text(value: float) -> str:
    """`Float.toString` of the nearest float; what JSON has no number for is quoted, as Jackson does."""
    value = nearest_float(value)
    if not math.isfinite(value):
        return double_text(value)
    (bits,) = struct.unpack(">I", struct.pack(">f", value))
    return _text(bits >> 31, (bits >> 23) & 0xFF, bits & (1 << 23) - 1, 23, 127, 1)


def nearest_float(value: float) -> float:
    """The single-precision number that Java's cast gives; too large a number becomes infinite."""
    try:
        return float(struct.unpack(">f", struct.pack(">f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def parse_double(text: str) -> float | None:
    """`Double.parseDouble(text)`, or None where Java raises NumberFormatException."""
    text = text.strip(_JAVA_SPACE)
    if _DECIMAL.fullmatch(text):
        # The suffixes that say float or double in Java's own language are allowed here too.
        return float(text if text.endswith(("NaN", "Infinity")) else text.rstrip("fFdD"))
    hexadecimal = _HEXADECIMAL.fullmatch(text)
    return _from_hexadecimal(*hexadecimal.groups(default="")) if hexadecimal else None


def _from_hexadecimal(sign: str, whole: str, before: str, after: str, exponent: str) -> float:
    try:
        return float.fromhex(f"{sign}0x{whole or before or 0}.{after or 0}p{exponent}")
    except OverflowError:
        return -math.inf if sign == "-" else math.inf


def _text(sign: int, exponent: int, fraction: int, width: int, bias: int, shortest: int) -> str:
    """The text of a finite number from the parts of its binary form; `width` is that of the fraction in bits.

    shortest: how many digits the text has at least.
    """
    minus = "-" if sign else ""
    if exponent == 0:
        if fraction == 0:
            return minus + "0.0"
        significant = fraction.bit_length()
        exponent = significant - width
        fraction <<= width + 1 - significant
    else:
        significant = width + 1
        fraction |= 1 << width
    digits, point = _digits(exponent - bias, fraction << (_HIDDEN_BIT - width), significant, shortest)
    return minus + _placed(digits, point)


def _digits(exponent: int, fraction: int, significant: int, shortest: int) -> tuple[str, int]:
    """The decimal digits and the place of the point, of `fraction` / 2**52 * 2**`exponent`.

    significant: how many bits of the fraction carry meaning; fewer for floats and for the smallest numbers.
    """
    trailing = (fraction & -fraction).bit_length() - 1
    used = _HIDDEN_BIT + 1 - trailing
    below_point = max(0, used - exponent - 1)
    if below_point == 0 and exponent <= _MAX_INTEGER_EXPONENT:
        return _integer_digits(exponent, fraction, significant)
    division, decimal = _division(exponent, fraction >> trailing, used, below_point, significant)
    return _generated(division, decimal, shortest)


def _integer_digits(exponent: int, fraction: int, significant: int) -> tuple[str, int]:
    """The digits of an integer, without those that the significant bits do not carry."""
    beyond = exponent - significant - 1
    dropped = _DIGITS_DROPPED[beyond] if beyond > 1 else 0
    value = fraction << exponent >> _HIDDEN_BIT
    if dropped:
        value, rest = divmod(value, 10**dropped)
        value += rest >= 10**dropped // 2
    digits = str(value)
    return digits.rstrip("0"), len(digits) + dropped


_Division: TypeAlias = tuple[int, int, int, int]
"""A number and half its last place as integers over one scale: value, scale, half of the last place, and width.

The width is that of the integers that Java computes in, in bits, where sums may overflow; 0 stands for its unbounded
ones, with which it also ends on equality.
"""


def _division(exponent: int, fraction: int, used: int, below_point: int, significant: int) -> tuple[_Division, int]:
    """What to divide for the digits of a number with a fraction, and the decimal exponent of the first digit."""
    decimal = _estimated_exponent(fraction, used, exponent)
    value5, scale5 = max(0, -decimal), max(0, decimal)
    # The powers of 2 are kept apart from those of 5, so that what they have in common can be taken out.
    value2, scale2 = value5 + below_point + exponent, scale5 + below_point
    ulp2 = value2 - significant
    value2 -= used - 1
    common = min(value2, scale2)
    value2, scale2, ulp2 = value2 - common, scale2 - common, ulp2 - common
    if used == 1:
        # The neighbour below a power of two is only half as far away.
        ulp2 -= 1
    if ulp2 < 0:
        value2, scale2, ulp2 = value2 - ulp2, scale2 - ulp2, 0
    five_to_value = _POWERS_OF_5[value5]
    bits = max(used + value2 + _bits_of_power_of_5(value5), scale2 + 1 + _bits_of_power_of_5(scale5 + 1))
    width = 32 if bits < 32 else 64 if bits < 64 else 0
    return (fraction * five_to_value << value2, _POWERS_OF_5[scale5] << scale2, five_to_value << ulp2, width), decimal


def _estimated_exponent(fraction: int, used: int, exponent: int) -> int:
    """The decimal exponent, at times one too high; Java's formula, because its errors show."""
    mantissa = fraction / (1 << (used - 1))
    return math.floor((mantissa - 1.5) * 0.289529654 + 0.176091259 + exponent * 0.301029995663981)


def _bits_of_power_of_5(power: int) -> int:
    if power == 0:
        return 0
    return (5**power).bit_length() if power <= _MAX_LONG_POWER_OF_5 else power * 3


def _generated(division: _Division, decimal: int, shortest: int) -> tuple[str, int]:
    """Long division, until the rest is below half a unit in the last place; the end rounded.

    decimal: the exponent of the first digit, at times one too high. shortest: how many digits there are at least.
    """
    value, scale, half_ulp, width = division
    ten_scale = 10 * scale
    limit = ten_scale if width else ten_scale - 1
    digits: list[int] = []
    may_end = -3 <= decimal < 8
    if shortest > _FEW_DIGITS:
        # It cannot end before its digits tell the number from all others, so all but the last of those are had by one
        # division: a text may hold a hundred thousand numbers.
        number, rest = divmod(value * 10 ** (shortest - 2), scale)
        digits = [*map(int, str(number))]
        decimal -= shortest - 1 - len(digits)
        value, half_ulp = 10 * rest, half_ulp * 10 ** (shortest - 1)
        may_end = True
    while True:
        digit, rest = divmod(value, scale)
        value, half_ulp = 10 * rest, 10 * half_ulp
        half_ulp = _overflowing(half_ulp, width)
        total = _overflowing(value + half_ulp, width)
        overflown = half_ulp <= 0
        low = value < half_ulp or overflown
        high = total > limit or overflown
        if digit or digits or high:
            digits.append(digit)
        else:
            # The exponent was estimated one too high.
            decimal -= 1
            may_end = -3 <= decimal < 8
        if may_end and (low or high):
            return _rounded(digits, decimal + 1, 2 * value - ten_scale, low, high)
        # A number in scientific form has at least one digit after the point.
        may_end = True


def _rounded(digits: list[int], point: int, beyond_middle: int, low: bool, high: bool) -> tuple[str, int]:
    """Digits that end here: the last one as it is, or one more where that is nearer."""
    tie_up = beyond_middle == 0 and digits[-1] % 2 == 1
    if high and (not low or beyond_middle > 0 or tie_up):
        return _rounded_up(digits, point)
    return "".join(map(str, digits)), point


def _overflowing(number: int, width: int) -> int:
    """The number as a Java integer of so many bits holds it; 0 stands for one that holds any."""
    if not width:
        return number
    half = 1 << width >> 1
    return (number + half) % (2 * half) - half


def _rounded_up(digits: list[int], point: int) -> tuple[str, int]:
    width = len(digits)
    number = str(int("".join(map(str, digits))) + 1).rjust(width, "0")
    return number[:width], point + (len(number) > width)


def _placed(digits: str, point: int) -> str:
    """Digits with their point: plain from 1.0E-3 up to below 1.0E7, scientific elsewhere."""
    if 0 < point < 8:
        return f"{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    if -3 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    return f"{digits[0]}.{digits[1:] or '0'}E{point - 1}"
