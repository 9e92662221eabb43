"""Avro's zigzag numbers of variable length, as tables and as functions for what is beyond them.

Used by generated code at run time. Every function raises, rather than guess, for what it does not cover; the message
is then done by fastavro.
"""

from __future__ import annotations


class Doubt(Exception):
    """Generated code is not certain to do what fastavro does."""


_SEVEN_BITS = 0x7F


def _slowly(number: int) -> bytes:
    """An unsigned number, 7 bits a byte, lowest first."""
    encoded = bytearray()
    while number > _SEVEN_BITS:
        encoded.append(number & _SEVEN_BITS | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


# The last byte of a number, and a byte that announces more. The tables are made of pairs of these: 16,384 calls of a
# function would be a good part of the time that importing this package takes.
_ENDING = [bytes((n,)) for n in range(128)]
_ANNOUNCING = [bytes((n | 0x80,)) for n in range(128)]
# The unsigned value of 14 bits as the last bytes of a number, and as two bytes that announce more.
_LAST = _ENDING + [low + high for high in _ENDING[1:] for low in _ANNOUNCING]
_MORE = [low + high for high in _ANNOUNCING for low in _ANNOUNCING]
# Indexed by the number itself, which may be negative in Python: 0 ... 8191 from the front, -1 ... -8192 from the end.
SMALL: list[bytes] = _LAST[::2] + _LAST[::-2]
# What a single byte means as a number, as a length, as the items of a block; None where it takes more than that byte
# (or, for lengths and items, is negative). Looking a byte up is quicker than computing with it.
_NUMBERS: list[int] = [n >> 1 ^ -(n & 1) for n in range(128)]
_MORE_BYTES: list[None] = [None] * 128
ZIGZAG: list[int | None] = [*_NUMBERS, *_MORE_BYTES]
# One more than the length, since the byte itself has to be passed as well.
SPANS: list[int | None] = [None if n & 129 else (n >> 1) + 1 for n in range(256)]
# As many Nones as there are items: to walk over a tuple is quicker than to make an iterator.
TIMES: list[tuple[None, ...] | None] = [None if n & 129 else (None,) * (n >> 1) for n in range(256)]
# What the bytes of a number are worth without their marks: the first four in halves of the number (the lowest bit is
# the sign), the others in units of 2**28, so that most sums stay small enough for Python's quick addition.
_ODD = [n & 1 == 1 for n in range(256)]
_FIRST, _SECOND, _THIRD, _FOURTH = ([(n & _SEVEN_BITS) << 7 * place >> 1 for n in range(256)] for place in range(4))
_FIFTH, _SIXTH, _SEVENTH, _EIGHTH, _NINTH = ([(n & _SEVEN_BITS) << 7 * place for n in range(256)] for place in range(5))


def int_bytes(number: int) -> bytes:
    """A number of up to 32 bits. Raises Doubt for anything else."""
    if number.__class__ is not int or not -(1 << 31) <= number < 1 << 31:
        raise Doubt
    return long_bytes(number)


def long_bytes(number: int) -> bytes:
    """A number of up to 64 bits. Raises Doubt for anything else."""
    if number.__class__ is not int:
        raise Doubt
    rest = number + number if number >= 0 else -1 - number - number
    if rest < 1 << 28:
        return _MORE[rest & 0x3FFF] + _LAST[rest >> 14] if rest >> 14 else _LAST[rest]
    # In halves of 28 bits, which Python computes with quickly; beyond 30 bits it takes longer.
    low, high = rest & 0xFFFFFFF, rest >> 28
    lowest = _MORE[low & 0x3FFF] + _MORE[low >> 14]
    if high < 1 << 14:
        return lowest + _LAST[high]
    if high < 1 << 28:
        return lowest + _MORE[high & 0x3FFF] + _LAST[high >> 14]
    if not -(1 << 63) <= number < 1 << 63:
        raise Doubt
    return _slowly(rest)


def number_at(data: bytes, position: int) -> tuple[int, int]:
    """The number at a position, and the position behind it.

    Byte after byte as far as the number goes, and no loop: timestamps take six or eight of them.
    Raises IndexError at the end of the data, Doubt for more than nine bytes (fastavro lets those overflow).
    """
    first = data[position]
    if first < 128:
        return _NUMBERS[first], position + 1
    byte = data[position + 1]
    half = _FIRST[first] + _SECOND[byte]
    position += 2
    if byte > 127:
        byte = data[position]
        half += _THIRD[byte]
        position += 1
        if byte > 127:
            byte = data[position]
            half += _FOURTH[byte]
            position += 1
            if byte > 127:
                high, position = _high_bits_at(data, position)
                half += high * 134217728
    return (~half if _ODD[first] else half), position


def _high_bits_at(data: bytes, position: int) -> tuple[int, int]:
    """What the fifth to the ninth byte of a number tell, and the position behind them."""
    byte = data[position]
    high = _FIFTH[byte]
    position += 1
    if byte > 127:
        byte = data[position]
        high += _SIXTH[byte]
        position += 1
        if byte > 127:
            byte = data[position]
            high += _SEVENTH[byte]
            position += 1
            if byte > 127:
                byte = data[position]
                high += _EIGHTH[byte]
                position += 1
                if byte > 127:
                    byte = data[position]
                    high += _NINTH[byte]
                    position += 1
                    if byte > 127:
                        raise Doubt
    return high, position


def span_at(data: bytes, position: int) -> tuple[int, int]:
    """One more than the length at a position, and the position of its last byte. Raises Doubt when it is negative."""
    length, position = number_at(data, position)
    if length < 0:
        raise Doubt
    return length + 1, position - 1


def count_at(data: bytes, position: int) -> tuple[int, int]:
    """The count of a block of items, and the position of the first item; a block may tell its size in bytes too."""
    count, position = number_at(data, position)
    if count < 0:
        _, position = number_at(data, position)
    return abs(count), position


def skipped_count_at(data: bytes, position: int) -> tuple[int, int, bool]:
    """The count of a block that is skipped, the position behind it, and whether that is the end of the block already.

    Raises Doubt for a negative size.
    """
    count, behind = count_at(data, position)
    if data[position] & 1 == 0:
        return count, behind, False
    span, last = span_at(data, number_at(data, position)[1])
    return count, last + span, True
