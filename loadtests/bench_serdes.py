"""Serdes against their peers: raw fastavro, confluent-kafka, python-schema-registry-client and Apache's avro.

Every figure is a ratio to raw `fastavro.schemaless_writer` or `schemaless_reader` without framing, measured in turns
in one process: in each round every candidate runs a few milliseconds, and the table shows the median over the rounds.
A registry runs beside it; while the clock runs nobody asks it anything.

Run it with `python -m loadtests.bench_serdes`.
"""

from __future__ import annotations

import argparse
import gc
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import avro.io
import avro.schema
import psutil
from confluent_kafka.schema_registry import SchemaRegistryClient as ConfluentClient
from confluent_kafka.schema_registry.avro import AvroDeserializer as ConfluentDeserializer
from confluent_kafka.schema_registry.avro import AvroSerializer as ConfluentSerializer
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from schema_registry.client import SchemaRegistryClient as PythonClient
from schema_registry.serializers import AvroMessageSerializer  # type: ignore[attr-defined]  # it has no __all__

from loadtests.payloads import PAYLOADS, Payload
from loadtests.servers import registry
from serdes import AvroDeserializer, AvroSerializer, MessageField, SchemaRegistryClient, SerializationContext

Call = Callable[[], Any]

_SLICE_SECONDS = 0.004
_TARGETS = {
    "serialize, bound function": {"key": 0.25, "flat": 0.35, "rich": 0.48, "vector": 0.15},
    "serialize, (obj, ctx)": {"key": 0.5, "flat": 0.5, "rich": 0.5, "vector": 0.5},
    "serialize, codegen off": {"key": 1.15, "flat": 1.15, "rich": 1.15, "vector": 1.15},
    "deserialize, bound function": {"key": 0.35, "flat": 0.75, "rich": 0.70, "vector": 0.20},
    "deserialize, (data, ctx)": {"key": 0.5, "flat": 0.75, "rich": 0.75, "vector": 0.5},
    "deserialize, codegen off": {"key": 1.15, "flat": 1.15, "rich": 1.15, "vector": 1.15},
    "evolved reader, bound function": {"key": 0.75, "flat": 0.75, "rich": 0.75, "vector": 0.75},
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One line of the table: a name, and what to call; `against` names the line that it is a ratio to."""

    name: str
    call: Call
    against: str


class Shape:
    """One payload with all that writes and reads it."""

    def __init__(self, payload: Payload, url: str) -> None:
        self.payload = payload
        self._url = url
        self._ctx = SerializationContext(f"bench-{payload.name}", MessageField.VALUE)
        self._tree = parse_schema(payload.schema)
        self._client = SchemaRegistryClient({"url": url})
        buffer = io.BytesIO()
        schemaless_writer(buffer, self._tree, payload.value)
        self._payload = buffer.getvalue()
        data = AvroSerializer(self._client, payload.text)(payload.value, self._ctx)
        assert data is not None  # only None becomes None
        self._data = data

    def candidates(self) -> list[Candidate]:
        """Everything that is measured for this payload."""
        return [*self._writers(), *self._readers(), *self._evolved(), *self._peers()]

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def _raw_write(self) -> bytes:
        buffer = io.BytesIO()
        schemaless_writer(buffer, self._tree, self.payload.value)
        return buffer.getvalue()

    def _raw_read(self) -> Any:
        return schemaless_reader(io.BytesIO(self._payload), self._tree, None)

    def _writers(self) -> Iterator[Candidate]:
        value, ctx = self.payload.value, self._ctx
        ours = AvroSerializer[Any](self._client, self.payload.text)
        plain = AvroSerializer[Any](self._client, self.payload.text, conf={"codegen": "off"})
        bound, plain_bound = ours.for_topic(ctx.topic), plain.for_topic(ctx.topic)
        yield Candidate("fastavro.schemaless_writer", self._raw_write, "fastavro.schemaless_writer")
        yield Candidate("serialize, bound function", lambda: bound(value), "fastavro.schemaless_writer")
        yield Candidate("serialize, (obj, ctx)", lambda: ours(value, ctx), "fastavro.schemaless_writer")
        yield Candidate("serialize, codegen off", lambda: plain_bound(value), "fastavro.schemaless_writer")

    def _readers(self) -> Iterator[Candidate]:
        data, ctx = self._data, self._ctx
        ours = AvroDeserializer[Any](self._client)
        plain = AvroDeserializer[Any](self._client, conf={"codegen": "off"})
        bound, plain_bound = ours.for_topic(ctx.topic), plain.for_topic(ctx.topic)
        yield Candidate("fastavro.schemaless_reader", self._raw_read, "fastavro.schemaless_reader")
        yield Candidate("deserialize, bound function", lambda: bound(data), "fastavro.schemaless_reader")
        yield Candidate("deserialize, (data, ctx)", lambda: ours(data, ctx), "fastavro.schemaless_reader")
        yield Candidate("deserialize, codegen off", lambda: plain_bound(data), "fastavro.schemaless_reader")

    def _evolved(self) -> Iterator[Candidate]:
        data, ctx, tree = self._data, self._ctx, parse_schema(self.payload.evolved)
        text = replace(self.payload, schema=self.payload.evolved).text
        bound = AvroDeserializer[Any](self._client, text).for_topic(ctx.topic)
        confluent = ConfluentDeserializer(ConfluentClient({"url": self._url}), text)
        raw = lambda: schemaless_reader(io.BytesIO(self._payload), self._tree, tree)  # noqa: E731 - a table of calls
        yield Candidate("evolved reader, bound function", lambda: bound(data), "fastavro.schemaless_reader")
        yield Candidate("evolved reader, raw fastavro", raw, "fastavro.schemaless_reader")
        yield Candidate("evolved reader, confluent-kafka", lambda: confluent(data, ctx), "fastavro.schemaless_reader")

    def _peers(self) -> Iterator[Candidate]:
        value, data, ctx, text = self.payload.value, self._data, self._ctx, self.payload.text
        client = ConfluentClient({"url": self._url})
        writing, reading = ConfluentSerializer(client, text), ConfluentDeserializer(client)
        yield Candidate("serialize, confluent-kafka", lambda: writing(value, ctx), "fastavro.schemaless_writer")
        yield Candidate("deserialize, confluent-kafka", lambda: reading(data, ctx), "fastavro.schemaless_reader")
        python = AvroMessageSerializer(PythonClient({"url": self._url}))
        number = int.from_bytes(data[1:5], "big")
        by_id = lambda: python.encode_record_with_schema_id(number, value)  # noqa: E731 - a table of calls
        yield Candidate("serialize, python-schema-registry-client", by_id, "fastavro.schemaless_writer")
        yield Candidate(
            "deserialize, python-schema-registry-client",
            lambda: python.decode_message(data),
            "fastavro.schemaless_reader",
        )
        schema = avro.schema.parse(text)
        plain = (
            {name: str(field) if isinstance(field, UUID) else field for name, field in value.items()}
            if isinstance(value, dict)
            else value
        )
        yield Candidate("serialize, avro", lambda: _avro_written(schema, plain), "fastavro.schemaless_writer")
        yield Candidate("deserialize, avro", lambda: _avro_read(schema, self._payload), "fastavro.schemaless_reader")


def _avro_written(schema: Any, value: Any) -> bytes:
    buffer = io.BytesIO()
    avro.io.DatumWriter(schema).write(value, avro.io.BinaryEncoder(buffer))
    return buffer.getvalue()


def _avro_read(schema: Any, payload: bytes) -> Any:
    return avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(io.BytesIO(payload)))


def ratios(candidates: list[Candidate], rounds: int) -> dict[str, float]:
    """The median ratio of every candidate; each round takes the floor before and after, so that drift cancels."""
    loops = {candidate.name: _loops(candidate.call) for candidate in candidates}
    floors = {candidate.name: candidate for candidate in candidates if candidate.name == candidate.against}
    found: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
    for _ in range(rounds):
        for candidate in candidates:
            floor = floors[candidate.against]
            before = _seconds(floor.call, loops[floor.name])
            own = _seconds(candidate.call, loops[candidate.name])
            after = _seconds(floor.call, loops[floor.name])
            found[candidate.name].append(own / ((before + after) / 2))
    return {name: statistics.median(values) for name, values in found.items()}


def _loops(call: Call) -> int:
    call()
    once = max(min(_seconds(call, 3) for _ in range(3)), 1e-8)
    return max(1, int(_SLICE_SECONDS / once))


def _seconds(call: Call, loops: int) -> float:
    """Processor seconds of one call, the mean over some: what other programs take of the machine does not count."""
    clock = time.thread_time
    started = clock()
    for _ in range(loops):
        call()
    return (clock() - started) / loops


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def measure(url: str, rounds: int) -> dict[str, dict[str, float]]:
    """The table: line, then payload, then ratio."""
    table: dict[str, dict[str, float]] = {}
    for payload in PAYLOADS:
        shape = Shape(payload, url)
        with _without_garbage_collection():
            for name, ratio in ratios(_working(shape.candidates()), rounds).items():
                table.setdefault(name, {})[payload.name] = ratio
        shape.close()
    return table


def _working(candidates: list[Candidate]) -> list[Candidate]:
    """Those that can do the payload at all; a peer that cannot is left out of its column."""
    found = []
    for candidate in candidates:
        try:
            candidate.call()
        except Exception as error:
            if candidate.name in _TARGETS:
                raise
            print(f"left out: {candidate.name}: {error!r}", file=sys.stderr)
        else:
            found.append(candidate)
    return found


def report(table: dict[str, dict[str, float]]) -> None:
    """Print the table, with a mark where a target is missed."""
    columns = [payload.name for payload in PAYLOADS]
    print(f"{'ratio to raw fastavro, lower is better':46}" + "".join(f"{column:>18}" for column in columns))
    for name in sorted(table):
        cells = []
        for column in columns:
            ratio, target = table[name].get(column), _TARGETS.get(name, {}).get(column)
            shown = "-" if ratio is None else f"{ratio:.2f}"
            if target is not None and ratio is not None:
                shown += f" (<= {target:.2f}{'' if ratio <= target else ' MISSED'})"
            cells.append(f"{shown:>18}")
        print(f"{name:46}" + "".join(cells))


def import_milliseconds(statement: str, runs: int = 9) -> float:
    """The median processor time of a statement in a fresh interpreter with compiled modules, without its own start."""
    with tempfile.TemporaryDirectory() as compiled:
        environment = os.environ | {"PYTHONPYCACHEPREFIX": compiled}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def once(source: str) -> float:
            before = os.times()
            subprocess.run([sys.executable, "-c", source], check=True, env=environment)
            after = os.times()
            return after.children_user + after.children_system - before.children_user - before.children_system

        once(statement)  # compiles
        seconds = [once(statement) - once("pass") for _ in range(runs)]
    return 1000 * statistics.median(seconds)


def cache_megabytes(url: str, schemas: int) -> Iterator[tuple[int, float, int]]:
    """Write and read with many schemas through one client.

    Yields after how many schemas by how many megabytes the process has grown, and the entries in all caches.
    """
    client = SchemaRegistryClient({"url": url})
    deserializer = AvroDeserializer[Any](client)
    fields = [f'{{"name": "f{number}", "type": "{kind}"}}' for number, kind in enumerate(["string", "long"] * 2)]
    value = {f"f{number}": "text" if number % 2 == 0 else number for number in range(4)}
    process = psutil.Process()
    before = process.memory_info().rss
    for number in range(1, schemas + 1):
        ctx = SerializationContext(f"memory-{number}", MessageField.VALUE)
        text = f'{{"type": "record", "name": "R{number}", "fields": [{", ".join(fields)}]}}'
        data = AvroSerializer[Any](client, text)(value, ctx)
        if deserializer(data, ctx) != value:
            raise AssertionError(f"schema {number} did not come back")
        if number in (schemas // 5, schemas):
            gc.collect()
            held = sum(size for name, size in client.stats().items() if name.startswith("cached"))
            yield number, (process.memory_info().rss - before) / 1e6, int(held)
    client.close()


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25, help="rounds of about 4 ms per candidate (default 25)")
    parser.add_argument("--schemas", type=int, default=10_000, help="schemas for the memory figure (default 10000)")
    arguments = parser.parse_args()
    with registry() as server:
        report(measure(server.url, arguments.rounds))
        for statement in (
            "import serdes",
            "from serdes import SchemaRegistryClient, AvroSerializer, AvroDeserializer",
            "import fastavro, cachetools",
            "import confluent_kafka.schema_registry.avro",
        ):
            limit = " (<= 120)" if statement == "import serdes" else ""
            print(f"{statement:76}{import_milliseconds(statement):6.0f} ms{limit}")
        for number, megabytes, entries in cache_megabytes(server.url, arguments.schemas):
            print(f"caches after {number:6,} schemas, cache.capacity 1000: {entries:5} entries, {megabytes:.1f} MB")


if __name__ == "__main__":
    main()
