"""Java's texts of floating-point numbers: `Double.toString` and `Float.toString` of JDK 17, and `Double.parseDouble`.

Before JDK 19 Java did not always print the shortest digits, so Python's repr cannot be used; the digits are generated
as OpenJDK's FloatingDecimal does (Steele and White's free-format algorithm with a symmetric stopping test).
"""

from __future__ import annotations

import math
import re
import struct
from functools import lru_cache
from typing import Final

_DOUBLE: Final = struct.Struct(">d")
_BITS: Final = struct.Struct(">Q")
_HIDDEN_BIT: Final = 52
_MAX_INTEGER_EXPONENT: Final = 62
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
    return _text(bits >> 63, (bits >> 52) & 0x7FF, bits & (1 << 52) - 1, 52, 1023)


def float_text(value: float) -> str:
    """`Float.toString` of the nearest float; what JSON has no number for is quoted, as Jackson does."""
    value = nearest_float(value)
    if not math.isfinite(value):
        return double_text(value)
    (bits,) = struct.unpack(">I", struct.pack(">f", value))
    return _text(bits >> 31, (bits >> 23) & 0xFF, bits & (1 << 23) - 1, 23, 127)


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


def _text(sign: int, exponent: int, fraction: int, width: int, bias: int) -> str:
    """The text of a finite number from the parts of its binary form; `width` is that of the fraction in bits."""
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
    digits, point = _digits(exponent - bias, fraction << (_HIDDEN_BIT - width), significant)
    return minus + _placed(digits, point)


def _digits(exponent: int, fraction: int, significant: int) -> tuple[str, int]:
    """The decimal digits and the place of the point, of `fraction` / 2**52 * 2**`exponent`.

    significant: how many bits of the fraction carry meaning; fewer for floats and for the smallest numbers.
    """
    trailing = (fraction & -fraction).bit_length() - 1
    used = _HIDDEN_BIT + 1 - trailing
    below_point = max(0, used - exponent - 1)
    if below_point == 0 and exponent <= _MAX_INTEGER_EXPONENT:
        return _integer_digits(exponent, fraction, significant)
    return _fraction_digits(exponent, fraction >> trailing, used, below_point, significant)


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


def _fraction_digits(exponent: int, fraction: int, used: int, below_point: int, significant: int) -> tuple[str, int]:
    """The digits of any other number: it, its scale and half its last place as integers, divided digit by digit."""
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
    bits = max(used + value2 + _bits_of_power_of_5(value5), scale2 + 1 + _bits_of_power_of_5(scale5 + 1))
    width = 32 if bits < 32 else 64 if bits < 64 else 0
    return _generated(fraction * 5**value5 << value2, 5**scale5 << scale2, 5**value5 << ulp2, width, decimal)


def _estimated_exponent(fraction: int, used: int, exponent: int) -> int:
    """The decimal exponent, at times one too high; Java's formula, because its errors show."""
    mantissa = fraction / (1 << (used - 1))
    return math.floor((mantissa - 1.5) * 0.289529654 + 0.176091259 + exponent * 0.301029995663981)


def _bits_of_power_of_5(power: int) -> int:
    if power == 0:
        return 0
    return (5**power).bit_length() if power <= _MAX_LONG_POWER_OF_5 else power * 3


def _generated(value: int, scale: int, half_ulp: int, width: int, decimal: int) -> tuple[str, int]:
    """Long division of `value` by `scale`, until the rest is below half a unit in the last place; the end rounded.

    width: the bits of the integers that Java computes in, where sums may overflow; 0 stands for its unbounded ones,
    with which it also stops on equality.
    """
    # One loop without calls or objects for each digit: a text may hold a hundred thousand numbers.
    ten_scale = 10 * scale
    digits: list[int] = []
    first = True
    while True:
        digit, value = divmod(value, scale)
        value, half_ulp = 10 * value, 10 * half_ulp
        total = value + half_ulp
        if width:
            half_ulp = _overflowing(half_ulp, width)
            total = _overflowing(value + half_ulp, width)
        overflown = half_ulp <= 0
        low = value < half_ulp or overflown
        high = total > ten_scale or overflown or (total == ten_scale and not width)
        if first:
            first = False
            if digit == 0 and not high:
                # The exponent was estimated one too high.
                decimal -= 1
            else:
                digits.append(digit)
            if not -3 <= decimal < 8:
                # A number in scientific form has at least one digit after the point.
                continue
        else:
            digits.append(digit)
        if low or high:
            break
    beyond_middle = 2 * value - ten_scale
    tie_up = beyond_middle == 0 and digits[-1] % 2 == 1
    if high and (not low or beyond_middle > 0 or tie_up):
        return _rounded_up(digits, decimal + 1)
    return "".join(map(str, digits)), decimal + 1


def _overflowing(number: int, width: int) -> int:
    """The number as a Java integer of so many bits holds it; 0 bits hold any."""
    half = 1 << width >> 1
    return (number + half) % (2 * half) - half if width else number


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
