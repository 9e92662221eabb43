"""Ints of more than 32 bits outside of unions: fastavro writes them, and no reader in another language gets them back.

Java's makes another number of most of them. Owns the walk to the ints of a value that fastavro has taken already;
refuses to know what else may be wrong with one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any

from fastavro.write import LOGICAL_WRITERS

from serdes.codec.definitions import BELOW, RECORDS, Definitions, type_word

Check = Callable[[Any], None]


# What fastavro's own functions make of these has less than 32 bits.
_SMALL = (date, time)
_STOCK = {key: LOGICAL_WRITERS.get(key) for key in ("int-date", "int-time-millis")}


class IntChecks:
    """The checks of one schema and its parts, each record's made once; a place without ints below it has none."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._records: dict[str, Check | None] = {}
        self._under_way: set[str] = set()

    def check(self, schema: Any) -> Check | None:
        """A function that raises OverflowError for a value with an int that is too wide; None where none can be.

        The value must be one that fastavro writes with this schema.
        """
        schema = self._definitions.resolved(schema)
        word = type_word(schema)
        if word == "int":
            return _int(schema)
        if word in RECORDS:
            return self._record(schema)
        if word in BELOW:
            below = self.check(schema[BELOW[word]])
            return below and _each(below, word)
        return self._union(schema) if isinstance(schema, list) else None

    def _record(self, schema: Mapping[str, Any]) -> Check | None:
        name = schema["name"]
        if name in self._under_way:
            # Within itself, before it is known whether there is anything to check.
            return lambda value: (check := self._records[name]) and check(value)
        if name in self._records:
            return self._records[name]
        self._under_way.add(name)
        fields = [(field["name"], self.check(field["type"])) for field in schema["fields"]]
        checks = [(field, check) for field, check in fields if check is not None]

        def record(value: Any) -> None:
            for field, check in checks:
                if field in value:
                    check(value[field])

        self._under_way.discard(name)
        self._records[name] = record if checks else None
        return self._records[name]

    def _union(self, branches: list[Any]) -> Check | None:
        checks = {self._definitions.name(branch): self.check(branch) for branch in branches}
        if not any(checks.values()):
            return None

        def union(value: Any) -> None:
            # Of a pair that names its branch fastavro believes the name; anything else it has looked at more closely.
            if isinstance(value, tuple) and (check := checks[value[0]]) is not None:
                check(value[1])

        return union


def _int(schema: Any) -> Check:
    key = f"int-{schema['logicalType']}" if isinstance(schema, dict) and schema.get("logicalType") else ""
    prepare = LOGICAL_WRITERS.get(key)
    small = _SMALL if prepare is not None and prepare is _STOCK.get(key) else ()

    def check(value: Any) -> None:
        if value.__class__ in small:
            return
        # What fastavro takes for an int need not be one.
        if not -2147483648 <= int(value if prepare is None else prepare(value, schema)) < 2147483648:
            raise OverflowError("an int of more than 32 bits")

    return check


def _each(check: Check, word: str) -> Check:
    def items(value: Any) -> None:
        for item in value:
            check(item)

    def values(value: Any) -> None:
        # For an empty map fastavro takes whatever is empty.
        if len(value):
            items(value.values())

    return values if word == "map" else items
