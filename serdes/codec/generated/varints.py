"""Avro's zigzag numbers of variable length, as tables and as functions for what is beyond them.

Used by generated code at run time. Every function raises, rather than guess, for what it does not cover; the message
is then done by fastavro.
"""

from __future__ import annotations

from serdes.errors import CorruptPayload


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
# Half of what the lower seven bits of a first byte mean.
_HALF = [(n & _SEVEN_BITS) >> 1 for n in range(256)]
# The number that a single byte means.
ZIGZAG: list[int] = [n >> 1 ^ -(n & 1) for n in range(128)]


def int_bytes(number: int) -> bytes:
    """A number of up to 32 bits. Raises Doubt for anything else."""
    if number.__class__ is not int or not -(1 << 31) <= number < 1 << 31:
        raise Doubt
    return long_bytes(number)


def long_bytes(number: int) -> bytes:
    """A number of up to 64 bits. Raises Doubt for anything else."""
    if number.__class__ is not int:
        raise Doubt
    rest = number << 1 ^ number >> 63
    if rest < 1 << 28:
        return _MORE[rest & 0x3FFF] + _LAST[rest >> 14] if rest >> 14 else _LAST[rest]
    if rest < 1 << 42:
        return _MORE[rest & 0x3FFF] + _MORE[rest >> 14 & 0x3FFF] + _LAST[rest >> 28]
    if rest < 1 << 56:
        return _MORE[rest & 0x3FFF] + _MORE[rest >> 14 & 0x3FFF] + _MORE[rest >> 28 & 0x3FFF] + _LAST[rest >> 42]
    if not -(1 << 63) <= number < 1 << 63:
        raise Doubt
    return _slowly(rest)


def long_at(data: bytes, position: int) -> tuple[int, int]:
    """The number at a position, and the position behind it; for numbers of two bytes or more.

    Half of the number is summed up, since its lowest bit is the sign; what is subtracted are the marks of the bytes
    before the last. Products are quicker than shifts here.
    Raises IndexError at the end of the data, Doubt for more than nine bytes (fastavro lets those overflow).
    """
    first, second = data[position], data[position + 1]
    if second < 128:
        number = _HALF[first] + second * 64
        return (~number if first & 1 else number), position + 2
    third = data[position + 2]
    if third < 128:
        number = _HALF[first] + second * 64 + third * 8192 - 8192
        return (~number if first & 1 else number), position + 3
    fourth = data[position + 3]
    number = _HALF[first] + second * 64 + third * 8192 + fourth * 1048576 - 1056768
    if fourth < 128:
        return (~number if first & 1 else number), position + 4
    high, position = _high_bits_at(data, position + 4)
    number += high * 134217728 - 134217728
    return (~number if first & 1 else number), position


def _high_bits_at(data: bytes, position: int) -> tuple[int, int]:
    """What the fifth to the ninth byte of a number tell, and the position behind them."""
    fifth = data[position]
    if fifth < 128:
        return fifth, position + 1
    sixth = data[position + 1]
    if sixth < 128:
        return fifth + sixth * 128 - 128, position + 2
    seventh = data[position + 2]
    if seventh < 128:
        return fifth + sixth * 128 + seventh * 16384 - 16512, position + 3
    eighth = data[position + 3]
    high = fifth + sixth * 128 + seventh * 16384 + eighth * 2097152 - 2113664
    if eighth < 128:
        return high, position + 4
    ninth = data[position + 4]
    if ninth < 128:
        return high + ninth * 268435456 - 268435456, position + 5
    raise Doubt


def length_at(data: bytes, position: int) -> tuple[int, int]:
    """The length at a position, and the position behind it. Raises Doubt when it is negative."""
    length, position = number_at(data, position)
    if length < 0:
        raise Doubt
    return length, position


def count_at(data: bytes, position: int) -> tuple[int, int]:
    """The count of a block of items, and the position of the first item; a block may tell its size in bytes too.

    Raises CorruptPayload for a number of more than nine bytes, which no real count takes.
    """
    try:
        count, position = number_at(data, position)
        if count < 0:
            _, position = number_at(data, position)
    except Doubt:
        raise CorruptPayload("the payload counts its items with a number that is too long") from None
    return abs(count), position


def skipped_count_at(data: bytes, position: int) -> tuple[int, int, bool]:
    """The count of a block that is skipped, the position behind it, and whether that is the end of the block already.

    Raises CorruptPayload as `count_at` does, Doubt for a negative size.
    """
    count, behind = count_at(data, position)
    if data[position] & 1 == 0:
        return count, behind, False
    size, behind = length_at(data, number_at(data, position)[1])
    return count, behind + size, True


def check_count(count: int, left_bytes: int) -> None:
    """Refuse a block of more items than there are bytes left, each of which takes at least one.

    fastavro would refuse it as well, but where it skips such items it first counts through them all.
    Raises CorruptPayload.
    """
    if count > left_bytes:
        raise CorruptPayload(f"the payload announces {count} items, but has {left_bytes} bytes left")


def number_at(data: bytes, position: int) -> tuple[int, int]:
    """The number at a position, of one byte or more, and the position behind it."""
    first = data[position]
    return (ZIGZAG[first], position + 1) if first < 128 else long_at(data, position)
