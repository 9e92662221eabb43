"""What a value or a payload may do to fastavro before fastavro can refuse it: end the process, or keep it for hours.

fastavro recurses on the C stack, which ends somewhere beyond 3,000 records within each other; and it counts through as
many items as a payload announces where nothing in an item would meet the end of the data. A payload of many parts that
take no bytes fills the memory, and Python needs minutes to make a decimal of a megabyte. Owns the walks that refuse
both; refuses to know whether a value or a payload is right otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from serdes.codec.definitions import RECORDS, Constant, Definitions, parts, type_word
from serdes.errors import CorruptPayload, EncodeError

DEEPEST = 2000
"""How many records, lists and maps may stand within each other; generated code has Python's own recursion limit."""
MOST_EMPTY = 1_000_000
"""How many parts that take no bytes a payload may have: only their number could say that it is damaged."""
MOST_PER_BYTE = 16
"""And how many more for each of its bytes: where there may be more in a record, they are counted."""
LONGEST_DECIMAL_BYTES = 10_000
"""How long the number of a decimal may be, which has 24,000 digits then; the time it takes grows with the square."""
MOST_DIGITS = 24_000
"""How many digits a decimal may have before its point: fastavro writes out those that its exponent stands for."""
_CONTAINERS = (dict, list, tuple, set, frozenset, Mapping)
_MAPPINGS = (dict, Mapping)
_LONGEST_NUMBER_BYTES = 9  # no real length or count takes ten

Check = Callable[[Any], None]
Walk = Callable[[bytes, int], None]


def is_too_long(value: Any) -> bool:
    """Whether a decimal has more digits than anybody could write down, most of them in its exponent."""
    return isinstance(value, Decimal) and value.is_finite() and value.adjusted() > MOST_DIGITS


class ValueChecks:
    """What has to be looked at in a value before fastavro writes it, for a schema and each of its parts."""

    def __init__(self, tree: Any, definitions: Definitions) -> None:
        self._definitions = definitions
        self._recurses = _recurses(tree, definitions)
        self._records: dict[str, Check | None] = {}

    def check(self, schema: Any) -> Check | None:
        """A function that raises EncodeError for a value that is nested too deep, or has a decimal that is too long.

        None where no value of this part can be like that.
        """
        # Values of a type within itself are looked at whole, since the functions below would recurse as deep as they.
        return check_whole if self._recurses else self._decimals(schema)

    def _decimals(self, schema: Any) -> Check | None:
        """The same for decimals alone, which are looked for where the schema has them; a value need not fit."""
        schema = self._definitions.resolved(schema)
        word = type_word(schema)
        if word in RECORDS:
            if schema["name"] not in self._records:
                fields = [(field["name"], self._decimals(field["type"])) for field in schema["fields"]]
                self._records[schema["name"]] = _in_fields([(name, check) for name, check in fields if check])
            return self._records[schema["name"]]
        if _is_decimal(schema, "bytes", "fixed"):
            return _check_decimal
        checks = [check for check in map(self._decimals, parts(schema)) if check]
        if not checks:
            return None
        return _in_branches(checks) if word == "union" else _in_items(checks[0])


def _check_decimal(value: Any) -> None:
    if is_too_long(value):
        raise EncodeError(f"a decimal has more than {MOST_DIGITS:,} digits")


def _in_fields(checks: list[tuple[str, Check]]) -> Check | None:
    def check_fields(value: Any) -> None:
        if isinstance(value, _MAPPINGS):
            for name, check in checks:
                if name in value:
                    check(value[name])

    return check_fields if checks else None


def _in_items(check: Check) -> Check:
    def check_items(value: Any) -> None:
        if isinstance(value, _CONTAINERS):
            for item in value.values() if isinstance(value, _MAPPINGS) else value:
                check(item)

    return check_items


def _in_branches(checks: list[Check]) -> Check:
    def check_branches(value: Any) -> None:
        # A tuple is a pair that names its branch.
        value = value[-1] if isinstance(value, tuple) and value else value
        for check in checks:
            check(value)

    return check_branches


def payload_walk(tree: Any, definitions: Definitions, *, resolved: bool) -> Walk | None:
    """A function that walks over a payload from a position on; None where no payload of this schema can do harm.

    resolved: whether it is read as another schema, so that parts of it may be skipped.
    The function raises CorruptPayload for nesting or counts that are too much, and for blocks and lengths that cannot
    be; whatever else is wrong with a payload it leaves to fastavro.
    """
    harmful = _recurses(tree, definitions) or _counts_blindly(tree, definitions, resolved)
    harmful = harmful or swells(tree, definitions)
    if not harmful and not _has_decimals(tree, definitions, "bytes"):
        return None
    shortest_bytes = 0 if harmful else LONGEST_DECIMAL_BYTES
    root = _Course(definitions).step(tree)

    def walk(payload: bytes, position: int) -> None:
        if len(payload) < shortest_bytes:
            return
        try:
            _Walk(payload, position).over(root)
        except IndexError:
            return  # it ends early, which fastavro meets as well

    return walk


def check_whole(value: Any) -> None:
    """Raises EncodeError for a value of any schema that is nested too deep, or has a decimal that is too long."""
    # Level by level, and every container of a level once, however many others hold it.
    level: dict[int, Any] = {0: [value]}
    for _ in range(DEEPEST + 1):
        if not level:
            return
        below: dict[int, Any] = {}
        for outer in level.values():
            for inner in outer.values() if isinstance(outer, _MAPPINGS) else outer:
                if isinstance(inner, _CONTAINERS):
                    below[id(inner)] = inner
                else:
                    _check_decimal(inner)
        level = below
    raise EncodeError(f"the value is nested deeper than {DEEPEST:,} levels")


def swells(tree: Any, definitions: Definitions) -> bool:
    """Whether a record has so many parts without bytes that a small payload makes a large value."""

    def is_swelling(schema: Any) -> bool:
        if type_word(schema) not in RECORDS:
            return False
        constants = [constant for part in parts(schema) if (constant := definitions.constant(part)) is not None]
        return sum(map(_surplus, constants)) > MOST_PER_BYTE

    return _has(tree, definitions, is_swelling)


def _has(tree: Any, definitions: Definitions, wanted: Callable[[Any], bool]) -> bool:
    """Whether a schema has a type that is wanted, itself or below it; each record is looked through once."""
    known: set[str] = set()

    def found(schema: Any) -> bool:
        schema = definitions.resolved(schema)
        if type_word(schema) in RECORDS:
            if schema["name"] in known:
                return False
            known.add(schema["name"])
        return wanted(schema) or any(map(found, parts(schema)))

    return found(tree)


def _surplus(constant: Constant) -> int:
    return constant.parts - constant.size_bytes


def _recurses(tree: Any, definitions: Definitions) -> bool:
    """Whether a record may stand within itself."""
    above: set[str] = set()
    known: set[str] = set()

    def recurses(schema: Any) -> bool:
        schema = definitions.resolved(schema)
        name = schema["name"] if type_word(schema) in RECORDS else None
        if name in known:
            return name in above
        if name is not None:
            known.add(name)
            above.add(name)
        found = any(map(recurses, parts(schema)))
        above.discard(name)
        return found

    return recurses(tree)


def _counts_blindly(tree: Any, definitions: Definitions, resolved: bool) -> bool:
    """Whether fastavro may count through items that are not there.

    It does where they take no bytes, and, since it skips without looking for the end, where they are of fixed size.
    """

    def is_counted(schema: Any) -> bool:
        if type_word(schema) != "array":
            return False
        constant = definitions.constant(schema["items"])
        return constant is not None and (resolved or constant.size_bytes == 0)

    return _has(tree, definitions, is_counted)


def _is_decimal(schema: Any, *words: str) -> bool:
    return isinstance(schema, dict) and schema["type"] in words and schema.get("logicalType") == "decimal"


def _has_decimals(tree: Any, definitions: Definitions, *words: str) -> bool:
    """Whether there are decimals that are made of one of these types."""
    return _has(tree, definitions, lambda schema: _is_decimal(schema, *words))


class _Walk:
    """One walk over one payload: by a list of what is to be passed over yet, so that it recurses itself nowhere."""

    __slots__ = ("_ahead", "_payload", "_position", "_surplus")

    def __init__(self, payload: bytes, position: int) -> None:
        self._payload = payload
        self._position = position
        self._surplus = MOST_EMPTY + MOST_PER_BYTE * len(payload)
        self._ahead: list[tuple[_Step, int, int]] = []

    def over(self, root: _Step) -> None:
        """Pass over a value; raises CorruptPayload, and IndexError at the end of the payload."""
        ahead = self._ahead
        ahead.append((root, 0, 1))
        while ahead:
            step, depth, times = ahead.pop()
            if times > 1:
                ahead.append((step, depth, times - 1))
            move, detail = step
            move(self, detail, depth)

    def constant(self, constant: Constant, _depth: int, times: int = 1) -> None:
        """So many values of a constant type."""
        self._position += times * constant.size_bytes
        self._surplus -= times * max(_surplus(constant), 0)
        if self._surplus < 0:
            raise CorruptPayload("the payload announces too many parts without content")

    def number(self, _detail: None, _depth: int) -> None:
        while self._payload[self._position] & 0x80:
            self._position += 1
        self._position += 1

    def sized(self, _detail: None, _depth: int) -> None:
        """A text or bytes; of a negative length fastavro takes all that is left."""
        length = self._number()
        self._position = len(self._payload) if length < 0 else self._position + length

    def decimal(self, _detail: None, depth: int) -> None:
        start = self._position
        self.sized(None, depth)
        if self._position - start > LONGEST_DECIMAL_BYTES:
            raise CorruptPayload(f"the payload announces a decimal of more than {LONGEST_DECIMAL_BYTES:,} bytes")

    def record(self, fields: list[_Step], depth: int) -> None:
        inner = self._within(depth)
        self._ahead += [(field, inner, 1) for field in reversed(fields)]

    def union(self, branches: list[_Step], depth: int) -> None:
        # A negative index counts from the last branch, in fastavro as in Python.
        self._ahead.append((branches[self._number()], depth, 1))

    def items(self, array: tuple[Constant | None, _Step], depth: int) -> None:
        """A block of an array, and those behind it."""
        constant, item = array
        count = self._block((_Walk.items, array), depth)
        left_bytes = len(self._payload) - self._position
        if count > left_bytes and (constant is None or constant.size_bytes):
            raise CorruptPayload(f"the payload announces {count} items, but has {left_bytes} bytes left")
        if constant is not None:
            self.constant(constant, depth, count)
        elif count:
            self._ahead.append((item, self._within(depth), count))

    def entries(self, value: _Step, depth: int) -> None:
        """A block of a map, and those behind it."""
        count = self._block((_Walk.entries, value), depth)
        if count:
            self._ahead.append(((_Walk.entry, value), self._within(depth), count))

    def entry(self, value: _Step, depth: int) -> None:
        self.sized(None, depth)
        self._ahead.append((value, depth, 1))

    def told_end(self, position: int, _depth: int) -> None:
        # fastavro goes by the size where it skips a block, and by the items where it reads it.
        if position != self._position:
            raise CorruptPayload("the payload has a block that is not of the size it tells")

    def _within(self, depth: int) -> int:
        if depth == DEEPEST:
            raise CorruptPayload(f"the payload is nested deeper than {DEEPEST:,} levels")
        return depth + 1

    def _block(self, again: _Step, depth: int) -> int:
        """The count of a block; what is to come behind its items is noted."""
        count = self._number()
        if count:
            self._ahead.append((again, depth, 1))
        if count < 0:
            size_bytes = self._number()
            self._ahead.append(((_Walk.told_end, self._position + size_bytes), depth, 1))
        return abs(count)

    def _number(self) -> int:
        start = self._position
        self.number(None, 0)
        if self._position - start > _LONGEST_NUMBER_BYTES:
            raise CorruptPayload("the payload has a length or a count that is too long")
        number = 0
        for byte in reversed(self._payload[start : self._position]):
            number = number << 7 | byte & 0x7F
        return number >> 1 ^ -(number & 1)


_Step = tuple[Callable[[_Walk, Any, int], None], Any]


class _Course:
    """What a walk has to pass over for a schema."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._records: dict[str, list[_Step]] = {}

    def step(self, schema: Any) -> _Step:
        """The step over a value."""
        constant = self._definitions.constant(schema)
        if constant is not None:
            return _Walk.constant, constant
        schema = self._definitions.resolved(schema)
        word = type_word(schema)
        if word in RECORDS:
            return _Walk.record, self._record(schema)
        below = [self.step(part) for part in parts(schema)]
        match word:
            case "array":
                return _Walk.items, (self._definitions.constant(schema["items"]), below[0])
            case "map":
                return _Walk.entries, below[0]
            case "bytes" if _is_decimal(schema, "bytes"):
                return _Walk.decimal, None
            case "string" | "bytes":
                return _Walk.sized, None
            case "int" | "long" | "enum":
                return _Walk.number, None
        return _Walk.union, below

    def _record(self, schema: Any) -> list[_Step]:
        name = schema["name"]
        if name not in self._records:
            # Known before its fields are, among which it may be.
            self._records[name] = []
            self._records[name] += [self.step(part) for part in parts(schema)]
        return self._records[name]
