"""How fast the Avro language is, against the Python libraries for it, and how much memory its schemas take.

Run it with `python tests/benchmarks/avro_schemas.py`; each time is the best of several runs in one process, so that
ratios hold on a busy machine too.
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
    return AvroFormat().parse(json.dumps(schema), {}, strict=True)


def best_ms(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    def once() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return 1000 * min(once() for _ in range(rounds))


def check_ms(schema: Any) -> float:
    reader, writer = parsed(schema), parsed(schema)
    return best_ms(lambda: reader.unreadable(writer))


def avro_check_ms(schema: Any) -> float:
    reader, writer = (avro.schema.parse(json.dumps(schema)) for _ in range(2))
    checker = avro.compatibility.ReaderWriterCompatibilityChecker
    return best_ms(lambda: checker().get_compatibility(reader, writer), rounds=3)


def checks() -> Iterator[Row]:
    for shape in (flat, nested):
        ours, other = check_ms(shape(500)), avro_check_ms(shape(500))
        what = f"check of two 500-field records, {shape.__name__}, avro.compatibility"
        yield Row(what, f"{ours:.2f} ms", f"{other:.1f} ms", f"1/{other / ours:.0f}", "1/8")
        larger = check_ms(shape(5000))
        yield Row(
            f"... and of 5,000 fields, {shape.__name__}, ten times that",
            f"{larger:.2f} ms",
            f"{10 * ours:.2f} ms",
            f"{larger / ours / 10:.2f}",
            "1.3",
        )
    once, often = check_ms(shared(1)), check_ms(shared(100))
    yield Row("check of a type used 100 times, once", f"{often:.3f} ms", f"{once:.3f} ms", f"{often / once:.2f}", "-")


def parses() -> Iterator[Row]:
    shapes = {
        "plain": flat(300),
        "nullable with doc": {
            "type": "record",
            "name": "R",
            "fields": [
                {"name": f"field_{place}", "type": ["null", "string"], "default": None, "doc": f"Field {place}."}
                for place in range(300)
            ],
        },
    }
    for name, schema in shapes.items():
        text = json.dumps(schema)
        ours = best_ms(lambda text=text: AvroFormat().parse(text, {}, strict=True).text)
        read = best_ms(lambda text=text: fastavro.parse_schema(json.loads(text)))
        bare = best_ms(lambda schema=schema: fastavro.parse_schema(schema))
        what = f"parse and canonical text of 300 fields, {name}, fastavro.parse_schema"
        yield Row(f"{what} of the text", f"{ours:.2f} ms", f"{read:.2f} ms", f"{ours / read:.1f}", "3")
        yield Row(f"{what} of the values", f"{ours:.2f} ms", f"{bare:.2f} ms", f"{ours / bare:.1f}", "3")


def memory() -> Row:
    gc.collect()
    tracemalloc.start()
    schemas = [parsed(flat(10, f"Record{place}")) for place in range(PARSED_SCHEMAS)]
    megabytes = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    what = f"memory of {len(schemas):,} parsed 10-field schemas"
    return Row(what, f"{megabytes:.0f} MB", "-", "-", "150 MB")


def main() -> None:
    rows = [Row("what", "ours", "other", "ratio", "at most"), *checks(), *parses(), memory()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        sys.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


if __name__ == "__main__":
    main()
