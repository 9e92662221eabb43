"""Which annotations Avro Java 1.12.1 takes for a logical type; all others it keeps as plain properties.

Owns the table of logical types and the underlying types they may annotate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from registry.formats.avro.types import Fixed, JsonValue, Kind, Primitive


def is_logical(node: Primitive | Fixed) -> bool:
    """Whether the node's `logicalType` is one that Avro knows and that may annotate this type."""
    word = node.props.get("logicalType")
    rule = _RULES.get(word) if isinstance(word, str) else None
    return rule is not None and rule(node)


def _over(*kinds: Kind) -> Callable[[Primitive | Fixed], bool]:
    return lambda node: node.kind in kinds


def _uuid(node: Primitive | Fixed) -> bool:
    return node.size == 16 if isinstance(node, Fixed) else node.kind == "STRING"


def _duration(node: Primitive | Fixed) -> bool:
    return isinstance(node, Fixed) and node.size == 12


def _decimal(node: Primitive | Fixed) -> bool:
    precision, scale = node.props.get("precision"), node.props.get("scale", 0)
    if not (isinstance(node, Fixed) or node.kind == "BYTES") or not (_is_int(precision) and _is_int(scale)):
        return False
    assert isinstance(precision, int)
    assert isinstance(scale, int)
    # A decimal that its bytes cannot hold, or with a scale beyond its precision, is a plain annotation.
    return 0 < precision <= _max_precision(node) and 0 <= scale <= precision


def _is_int(value: JsonValue) -> bool:
    return type(value) is int and -(2**31) <= value < 2**31


def _max_precision(node: Primitive | Fixed) -> int:
    """How many decimal digits fit; Java computes 8 * size in 32 bits, so that huge sizes wrap."""
    if not isinstance(node, Fixed):
        return 2**31 - 1
    bits = (8 * node.size + 2**31) % 2**32 - 2**31 - 1
    return math.floor(math.log10(2) * bits)


_RULES: Final[Mapping[str, Callable[[Primitive | Fixed], bool]]] = {
    "decimal": _decimal,
    "big-decimal": _over("BYTES"),
    "uuid": _uuid,
    "duration": _duration,
    "date": _over("INT"),
    "time-millis": _over("INT"),
    "time-micros": _over("LONG"),
    "timestamp-millis": _over("LONG"),
    "timestamp-micros": _over("LONG"),
    "timestamp-nanos": _over("LONG"),
    "local-timestamp-millis": _over("LONG"),
    "local-timestamp-micros": _over("LONG"),
    "local-timestamp-nanos": _over("LONG"),
}
