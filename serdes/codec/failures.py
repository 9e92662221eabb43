"""What fastavro, struct and the standard library's conversions raise on values and bytes that do not fit."""

from __future__ import annotations

import struct

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
