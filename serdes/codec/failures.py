"""What goes wrong inside of codecs, and is translated before it leaves them."""

from __future__ import annotations

import struct

# What fastavro, struct and the standard library's conversions raise on values and bytes that do not fit.
FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


class Unsupported(Exception):
    """No source can be made for this schema; it is left to fastavro."""
