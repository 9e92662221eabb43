"""How fast the Avro language is, against the Python libraries for it, and how much memory its schemas take.

Run it with `python tests/benchmarks/avro_schemas.py`; each time is the least processor time of several runs in one
process, the two sides of a ratio in turn, so that ratios hold on a busy machine too.
"""

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import avro.compatibility
import avro.schema
import fastavro

from registry.formats.avro import AvroFormat, AvroSchema
from registry.model import Schema

ROUNDS = 15
PARSED_SCHEMAS = 20_000
TYPES: list[Any] = [
    "string",
    "int",
    "long",
    "double",
    "boolean",
    ["null", "string"],
    {"type": "long", "logicalType": "timestamp-millis"},
]


class Row(NamedTuple):
    """One line of the table: what was measured, ours, what it is compared with, and what was promised."""

    what: str
    ours: str
    other: str
    ratio: str
    promise: str


def flat(width: int, name: str = "Flat") -> Any:
    fields = [{"name": f"field_{place}", "type": TYPES[place % len(TYPES)]} for place in range(width)]
    return {"type": "record", "name": name, "namespace": "com.acme", "fields": fields}


def nested(width: int) -> Any:
    fields = [{"name": f"field_{place}", "type": flat(2, f"Part{place}")} for place in range(width)]
    return {"type": "record", "name": "Nested", "fields": fields}


def shared(uses: int) -> Any:
    fields = [{"name": f"field_{place}", "type": "com.acme.Flat" if place else flat(500)} for place in range(uses)]
    return {"type": "record", "name": "Shared", "fields": fields}


def parsed(schema: Any) -> AvroSchema:
    return parsed_text(json.dumps(schema))


def parsed_text(text: str) -> AvroSchema:
    return AvroFormat().parse(text, {}, strict=True)


def best_ms(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """The least processor time of each of these, which take turns."""

    def once(work: Callable[[], object]) -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return [1000 * min(times) for times in zip(*([*map(once, works)] for _ in range(rounds)), strict=True)]


def check(schema: Any) -> Callable[[], object]:
    reader, writer = parsed(schema), parsed(schema)
    return lambda: reader.unreadable(writer)


def avro_check(schema: Any) -> Callable[[], object]:
    reader, writer = (avro.schema.parse(json.dumps(schema)) for _ in range(2))
    checker = avro.compatibility.ReaderWriterCompatibilityChecker
    return lambda: checker().get_compatibility(reader, writer)


def touch(schema: Any) -> Callable[[], object]:
    """Looks at all that a check has to look at, and judges nothing: what the processor's caches alone cost."""
    one, other = parsed(schema), parsed(schema)

    def walk() -> None:
        stack = [(one.root, other.root)]
        while stack:
            mine, yours = stack.pop()
            for field, match in zip(mine.fields.values(), yours.fields.values(), strict=True):
                if field.name == match.name and field.type.kind == match.type.kind == "RECORD":
                    stack.append((field.type, match.type))

    return walk


def row(what: str, ours: float, other: float, promise: str, *, times: float = 1) -> Row:
    """A row about two times in milliseconds; the ratio is to `times` the other."""
    return Row(what, f"{ours:.3f} ms", f"{times * other:.3f} ms", f"{ours / other / times:.2f}", promise)


def checks() -> Iterator[Row]:
    for shape in (flat, nested):
        ours, other = best_ms(check(shape(500)), avro_check(shape(500)), rounds=5)
        yield row(f"check of two 500-field records, {shape.__name__}, avro.compatibility", ours, other, "0.125")
        for name, work in (("check", check), ("mere look", touch)):
            # Not in turn: the large one would put the small one out of the processor's caches.
            (small,), (large,) = (best_ms(work(shape(width)), rounds=60) for width in (500, 5000))
            what = f"{name} of 5,000 fields, {shape.__name__}, ten times that of 500"
            yield row(what, large, small, "1.3" if work is check else "-", times=10)
    once, often = best_ms(check(shared(1)), check(shared(100)))
    yield row("check of a type used 100 times, once", often, once, "-")


def nullable(width: int) -> Any:
    fields = [
        {"name": f"field_{place}", "type": ["null", "string"], "default": None, "doc": f"Field {place}."}
        for place in range(width)
    ]
    return {"type": "record", "name": "R", "fields": fields}


def parses() -> Iterator[Row]:
    for width in (10, 300):
        for name, schema in (("plain", flat(width)), ("nullable with doc", nullable(width))):
            text = json.dumps(schema)
            ours, read, bare = best_ms(
                lambda text=text: parsed_text(text),
                lambda text=text: fastavro.parse_schema(json.loads(text)),
                lambda schema=schema: fastavro.parse_schema(schema),
                rounds=200,
            )
            what = f"parse and canonical text of {width} fields, {name}, json.loads and fastavro.parse_schema"
            yield row(what, ours, read, "3" if width == 300 else "-")
            yield row("... fastavro.parse_schema alone, of what is loaded already", ours, bare, "-")


def evolution() -> Row:
    """All that a checked evolution asks of the language: parse, canonical text, GUID and one check."""
    old, text = parsed(flat(10)), json.dumps(flat(11))

    def evolve() -> None:
        new = parsed_text(text)
        Schema(new.text, "AVRO").digest()
        new.unreadable(old)

    whole, checked = best_ms(evolve, check(flat(10)), rounds=300)
    return row("evolution of 10 fields: parse, canonical text, GUID, check; the check alone", whole, checked, "-")


def memory() -> Row:
    gc.collect()
    tracemalloc.start()
    schemas = [parsed(flat(10, f"Record{place}")) for place in range(PARSED_SCHEMAS)]
    megabytes = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    what = f"memory of {len(schemas):,} parsed 10-field schemas"
    return Row(what, f"{megabytes:.0f} MB", "-", "-", "150 MB")


def main() -> None:
    rows = [Row("what", "ours", "other", "ratio", "at most"), *checks(), *parses(), evolution(), memory()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


if __name__ == "__main__":
    main()
