"""Avro's zigzag numbers of variable length, as tables and as functions for what is beyond them.

Used by generated code at run time. Every function raises, rather than guess, for what it does not cover; the message
is then done by fastavro.
"""

from __future__ import annotations


class Doubt(Exception):
    """Generated code is not certain to do what fastavro does."""


_SEVEN_BITS = 0x7F
_TABLE_SIZE = 1 << 14


def _slowly(number: int) -> bytes:
    """An unsigned number, 7 bits a byte, lowest first."""
    encoded = bytearray()
    while number > _SEVEN_BITS:
        encoded.append(number & _SEVEN_BITS | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


# Indexed by the number itself, which may be negative in Python: 0 ... 8191 from the front, -1 ... -8192 from the end.
SMALL: list[bytes] = [_slowly(n << 1 if n < 8192 else 2 * (_TABLE_SIZE - n) - 1) for n in range(_TABLE_SIZE)]
# The unsigned value of 14 bits as the last bytes of a number, and as two bytes that announce more.
_LAST = [_slowly(n) for n in range(_TABLE_SIZE)]
_MORE = [bytes((n & _SEVEN_BITS | 0x80, n >> 7 | 0x80)) for n in range(_TABLE_SIZE)]
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
    """The number at a position, and the position behind it.

    Raises IndexError at the end of the data, Doubt for more than nine bytes (fastavro lets those overflow).
    """
    number = shift = 0
    byte = 0x80
    while byte >= 0x80:
        byte = data[position]
        position += 1
        number |= (byte & _SEVEN_BITS) << shift
        shift += 7
    if shift > 63:
        raise Doubt
    return number >> 1 ^ -(number & 1), position


def length_at(data: bytes, position: int) -> tuple[int, int]:
    """The length or count at a position, and the position behind it.

    Raises Doubt when it is negative: a block with its size in bytes, or damage.
    """
    length, position = long_at(data, position)
    if length < 0:
        raise Doubt
    return length, position
