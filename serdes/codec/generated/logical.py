"""Logical types in generated code: fastavro's own functions, and shorter ways for the frequent ones.

A shorter way is taken only while fastavro's table holds its stock function for the type, so that a function which a
user puts there is honoured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Any
from uuid import UUID, SafeUUID

from fastavro.read import LOGICAL_READERS
from fastavro.write import LOGICAL_WRITERS

from serdes.codec.generated.varints import Doubt
from serdes.codec.hazards import is_too_long

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # local timestamps have no zone
_DAYS_TO_EPOCH = _EPOCH.toordinal()


@dataclass(frozen=True, slots=True)
class ShortWrite:
    """An expression for a value {x} that fastavro's function would turn into the same, under a condition."""

    condition: str
    expression: str


def _since_midnight(per_second: int) -> str:
    seconds = f"(({{x}}.hour * 60 + {{x}}.minute) * 60 + {{x}}.second) * {per_second}"
    return f"{seconds} + {{x}}.microsecond // {1_000_000 // per_second}"


_AWARE = "{x}.__class__ is datetime and {x}.tzinfo is not None"
_NAIVE = "{x}.__class__ is datetime and {x}.tzinfo is None"

_SHORT_WRITES = {
    "long-timestamp-millis": ShortWrite(_AWARE, "({x} - EPOCH) // MILLISECOND"),
    "long-timestamp-micros": ShortWrite(_AWARE, "({x} - EPOCH) // MICROSECOND"),
    "long-local-timestamp-millis": ShortWrite(_NAIVE, "({x} - NAIVE_EPOCH) // MILLISECOND"),
    "long-local-timestamp-micros": ShortWrite(_NAIVE, "({x} - NAIVE_EPOCH) // MICROSECOND"),
    "int-date": ShortWrite("{x}.__class__ is date", f"{{x}}.toordinal() - {_DAYS_TO_EPOCH}"),
    "int-time-millis": ShortWrite("{x}.__class__ is time", _since_midnight(1000)),
    "long-time-micros": ShortWrite("{x}.__class__ is time", _since_midnight(1_000_000)),
    "string-uuid": ShortWrite("{x}.__class__ is UUID", "text_of({x})"),
}
_SHORT_READS = {
    # To multiply a timedelta is quicker than to make one, and as exact.
    "long-timestamp-millis": "EPOCH + MILLISECOND * {x}",
    "long-timestamp-micros": "EPOCH + MICROSECOND * {x}",
    "long-local-timestamp-millis": "NAIVE_EPOCH + MILLISECOND * {x}",
    "long-local-timestamp-micros": "NAIVE_EPOCH + MICROSECOND * {x}",
    "int-date": f"fromordinal({{x}} + {_DAYS_TO_EPOCH})",
    "string-uuid": "uuid_of({x})",
}
_STOCK_DECIMALS = {key: LOGICAL_WRITERS.get(key) for key in ("bytes-decimal", "fixed-decimal")}
_STOCK_WRITERS = {key: LOGICAL_WRITERS.get(key) for key in _SHORT_WRITES}
_STOCK_DECIMAL_READERS = {key: LOGICAL_READERS.get(key) for key in _STOCK_DECIMALS}
# Far from the exponents at which a decimal would be rounded once more.
_MOST_DECIMALS = 10_000
_STOCK_READERS = {key: LOGICAL_READERS.get(key) for key in _SHORT_READS}


def text_of(uuid: UUID) -> str:
    """str(uuid), in fewer steps."""
    digits = uuid.int.to_bytes(16, "big").hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def uuid_of(text: str) -> UUID:
    """UUID(text), without the detours of its constructor. Raises ValueError for what is not 32 hexadecimal digits."""
    digits = text.replace("-", "")
    if len(digits) != 32:
        raise ValueError
    made = object.__new__(UUID)
    _SET_INT(made, int(digits, 16))
    _SET_SAFE(made, _SAFETY)
    return made


_SET_INT = UUID.__dict__["int"].__set__
_SET_SAFE = UUID.__dict__["is_safe"].__set__
# Up to Python 3.11 an enum's member is found through a descriptor, which takes longer than all the rest of a UUID.
_SAFETY = SafeUUID.unknown

CONSTANTS: dict[str, Any] = {
    "EPOCH": _EPOCH,
    "MICROSECOND": timedelta(microseconds=1),
    "MILLISECOND": timedelta(milliseconds=1),
    "NAIVE_EPOCH": _NAIVE_EPOCH,
    "UUID": UUID,
    "date": date,
    "datetime": datetime,
    "from_bytes": int.from_bytes,
    "fromordinal": date.fromordinal,
    "text_of": text_of,
    "time": time,
    "uuid_of": uuid_of,
}


def logical_key(schema: Any) -> str:
    """The name under which fastavro's tables hold a logical type, empty for none."""
    if isinstance(schema, dict) and schema.get("logicalType"):
        return f"{schema['type']}-{schema['logicalType']}"
    return ""


def preparation(schema: Any) -> Callable[[Any, Any], Any] | None:
    """The function of (value, schema) that fastavro applies to a value before it writes it, or None."""
    function = LOGICAL_WRITERS.get(logical_key(schema))
    if function is not None and function is _STOCK_DECIMALS.get(logical_key(schema)):
        return _decimal_preparation(schema, function)
    return function


def _decimal_preparation(schema: Any, stock: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Fast for a decimal that has the schema's scale; all others, and what does not fit, go to fastavro."""
    # Any number is a precision, also one to which no power of ten can be computed.
    scale, limit, size = schema.get("scale", 0), 10 ** min(schema["precision"], _MOST_DECIMALS), schema.get("size")
    quantum, context = Decimal(1).scaleb(-scale), Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)

    def prepare(value: Any, same: Any) -> Any:
        if value.__class__ is Decimal and value.same_quantum(quantum):
            unscaled = int(value.scaleb(scale, context))
            if -limit < unscaled < limit:
                return unscaled.to_bytes(size or (unscaled.bit_length() + 8) // 8, "big", signed=True)
        if is_too_long(value):
            raise Doubt
        return stock(value, same)

    return prepare


def short_write(schema: Any) -> ShortWrite | None:
    """The shorter way to prepare a value, or None."""
    key = logical_key(schema)
    stock = _STOCK_WRITERS.get(key)
    return _SHORT_WRITES[key] if stock is not None and LOGICAL_WRITERS.get(key) is stock else None


def conversion(schema: Any) -> Callable[..., Any] | None:
    """The function of (value, writer's schema, reader's schema) that fastavro applies after it has read a value."""
    return LOGICAL_READERS.get(logical_key(schema))


def decimal_read(schema: Any) -> tuple[Callable[[int, Decimal], Decimal], Decimal] | None:
    """For a decimal: the function of (unscaled number, unit) that gives what fastavro reads, and the unit; or None.

    fastavro does the same in more steps, with a context that all schemas share and that is set anew for every value.
    """
    stock = _STOCK_DECIMAL_READERS.get(logical_key(schema))
    if stock is None or conversion(schema) is not stock or schema.get("scale", 0) > _MOST_DECIMALS:
        return None
    return Context(prec=schema["precision"]).multiply, Decimal(1).scaleb(-schema.get("scale", 0))


def short_read(schema: Any) -> str | None:
    """The shorter way to convert what was read, an expression of {x}, or None."""
    key = logical_key(schema)
    stock = _STOCK_READERS.get(key)
    return _SHORT_READS[key] if stock is not None and LOGICAL_READERS.get(key) is stock else None
