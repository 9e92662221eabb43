"""What a value or a payload may do to fastavro before fastavro can refuse it: end the process, or keep it for hours.

fastavro recurses on the C stack, which ends somewhere beyond 3,000 records within each other; and it counts through as
many items as a payload announces where nothing in an item would meet the end of the data. Owns the walks that refuse
both; refuses to know whether a value or a payload is right otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from serdes.codec.definitions import BELOW, RECORDS, Definitions, type_word
from serdes.errors import CorruptPayload, EncodeError

DEEPEST = 1000
"""How many records may stand within each other; as a rule Python's own recursion limit lets no more be."""
DEEPEST_VALUE = 2 * DEEPEST
"""How many dictionaries and lists may: between two records there may be a list or a map."""
MOST_EMPTY_ITEMS = 1_000_000
"""How many items that take no bytes a block may have: only the number itself could say that it is damaged."""
_CONTAINERS = (dict, list, tuple, set, frozenset, Mapping)
_LONGEST_NUMBER_BYTES = 9  # no real length or count takes ten

Check = Callable[[Any], None]
Walk = Callable[[bytes, int], None]


def value_check(tree: Any, definitions: Definitions) -> Check | None:
    """A function that raises EncodeError for a value that is nested too deep; None where none of this schema can be."""
    return _check_depth if _recurses(tree, definitions) else None


def payload_walk(tree: Any, definitions: Definitions, *, resolved: bool) -> Walk | None:
    """A function that walks over a payload from a position on; None where no payload of this schema can do harm.

    resolved: whether it is read as another schema, so that parts of it may be skipped.
    The function raises CorruptPayload for nesting or counts that are too much, and for blocks and lengths that cannot
    be; whatever else is wrong with a payload it leaves to fastavro.
    """
    if not _recurses(tree, definitions) and not _counts_blindly(tree, definitions, resolved):
        return None
    root = _Course(definitions).step(tree)

    def walk(payload: bytes, position: int) -> None:
        try:
            _Walk(payload, position).over(root)
        except IndexError:
            return  # it ends early, which fastavro meets as well

    return walk


def _check_depth(value: Any) -> None:
    # Level by level, and every container of a level once, however many others hold it.
    level = {id(value): value} if isinstance(value, _CONTAINERS) else {}
    for _ in range(DEEPEST_VALUE):
        if not level:
            return
        level = {
            id(inner): inner
            for outer in level.values()
            for inner in (outer.values() if isinstance(outer, Mapping) else outer)
            if isinstance(inner, _CONTAINERS)
        }
    raise EncodeError(f"the value is nested deeper than {DEEPEST_VALUE:,} levels")


def _parts(schema: Any) -> list[Any]:
    """What a schema that is no name consists of."""
    if isinstance(schema, list):
        return schema
    word = type_word(schema)
    if word in RECORDS:
        return [field["type"] for field in schema["fields"]]
    return [schema[BELOW[word]]] if word in BELOW else []


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
        found = any(map(recurses, _parts(schema)))
        above.discard(name)
        return found

    return recurses(tree)


def _counts_blindly(tree: Any, definitions: Definitions, resolved: bool) -> bool:
    """Whether fastavro may count through items that are not there.

    It does where they take no bytes, and, since it skips without looking for the end, where they are of fixed size.
    """
    known: set[str] = set()

    def counts(schema: Any) -> bool:
        schema = definitions.resolved(schema)
        word = type_word(schema)
        if word in RECORDS:
            if schema["name"] in known:
                return False
            known.add(schema["name"])
        if word == "array" and (size := definitions.fixed_bytes(schema["items"])) is not None:
            return resolved or size == 0
        return any(map(counts, _parts(schema)))

    return counts(tree)


class _Walk:
    """One walk over one payload: by a list of what is to be passed over yet, so that it recurses itself nowhere."""

    __slots__ = ("_ahead", "_payload", "_position")

    def __init__(self, payload: bytes, position: int) -> None:
        self._payload = payload
        self._position = position
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

    def fixed(self, size_bytes: int, _depth: int) -> None:
        self._position += size_bytes

    def number(self, _detail: None, _depth: int) -> None:
        while self._payload[self._position] & 0x80:
            self._position += 1
        self._position += 1

    def sized(self, _detail: None, _depth: int) -> None:
        """A text or bytes; of a negative length fastavro takes all that is left."""
        length = self._number()
        self._position = len(self._payload) if length < 0 else self._position + length

    def record(self, parts: list[_Step], depth: int) -> None:
        if depth == DEEPEST:
            raise CorruptPayload(f"the payload is nested deeper than {DEEPEST:,} records")
        self._ahead += [(part, depth + 1, 1) for part in reversed(parts)]

    def union(self, branches: list[_Step], depth: int) -> None:
        # A negative index counts from the last branch, in fastavro as in Python.
        self._ahead.append((branches[self._number()], depth, 1))

    def items(self, parts: tuple[int | None, _Step], depth: int) -> None:
        """A block of an array, and those behind it."""
        size_bytes, item = parts
        count = self._block((_Walk.items, parts), depth)
        left_bytes = len(self._payload) - self._position
        if size_bytes == 0:
            if count > MOST_EMPTY_ITEMS:
                raise CorruptPayload(f"the payload announces {count} items without content")
        elif count > left_bytes:
            raise CorruptPayload(f"the payload announces {count} items, but has {left_bytes} bytes left")
        if size_bytes is not None:
            self._position += count * size_bytes
        elif count:
            self._ahead.append((item, depth, count))

    def entries(self, value: _Step, depth: int) -> None:
        """A block of a map, and those behind it."""
        count = self._block((_Walk.entries, value), depth)
        if count:
            self._ahead.append(((_Walk.entry, value), depth, count))

    def entry(self, value: _Step, depth: int) -> None:
        self.sized(None, depth)
        self._ahead.append((value, depth, 1))

    def told_end(self, position: int, _depth: int) -> None:
        # fastavro goes by the size where it skips a block, and by the items where it reads it.
        if position != self._position:
            raise CorruptPayload("the payload has a block that is not of the size it tells")

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
        size_bytes = self._definitions.fixed_bytes(schema)
        if size_bytes is not None:
            return _Walk.fixed, size_bytes
        schema = self._definitions.resolved(schema)
        word = type_word(schema)
        if word in RECORDS:
            return _Walk.record, self._record(schema)
        below = [self.step(part) for part in _parts(schema)]
        match word:
            case "array":
                return _Walk.items, (self._definitions.fixed_bytes(schema["items"]), below[0])
            case "map":
                return _Walk.entries, below[0]
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
            self._records[name] += [self.step(part) for part in _parts(schema)]
        return self._records[name]
