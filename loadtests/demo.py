"""Signet from end to end: a registry, a broker, real schemas, and how often the registry is asked.

Registers histories of schemas, produces and consumes records over Kafka with confluent-kafka's SerializingProducer and
DeserializingConsumer and our serializers, and evolves every schema in the middle. Ends with exit code 0 only if every
record came back equal.

Run it with `make demo`, or `python -m loadtests.demo --records 200000`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import httpx
from confluent_kafka import DeserializingConsumer, Producer, SerializingProducer
from fastavro.utils import generate_many

from loadtests.servers import registry
from serdes import AvroDeserializer, AvroSerializer, SchemaRegistryClient

MAX_TOPICS = 10
MAX_SCHEMA_BYTES = 8_000
DISTINCT_RECORDS = 200
CHUNK = 2_000
"""Records in flight: the broker inside librdkafka keeps only a few megabytes of a partition."""
READ_SECONDS = 60.0
BY_TOPIC = {"subject.name.strategy.type": "TOPIC"}
"""Subjects by topic; the default asks the registry once per topic whether another subject is associated with it."""
QUIET = {"log_level": 2}
"""librdkafka's own lines about connections would stand among the figures; what goes wrong with a record is raised."""


@dataclass(frozen=True, slots=True)
class History:
    """The versions of one schema, oldest first."""

    name: str
    texts: tuple[str, ...]


def histories() -> list[History]:
    """Real schema histories where `SIGNET_SHARED` names a folder with them, else the few in examples/."""
    shared = os.environ.get("SIGNET_SHARED")
    corpus = Path(shared, "corpus", "histories.jsonl") if shared else None
    found = list(_from_corpus(corpus) if corpus and corpus.exists() else _from_examples())
    return found[:MAX_TOPICS]


def _from_corpus(file: Path) -> Iterator[History]:
    with file.open() as lines:
        for line in lines:
            history = json.loads(line)
            texts = tuple(version["text"] for version in history["versions"])
            usable = not history.get("needs") and not history.get("test_fixture") and len(texts) > 1
            if usable and max(map(len, texts)) <= MAX_SCHEMA_BYTES and _is_record(texts):
                yield History(history["id"].removeprefix("h-"), texts)


def _from_examples() -> Iterator[History]:
    for folder in sorted(Path(__file__).parents[1].joinpath("examples").iterdir()):
        texts = tuple(file.read_text() for file in sorted(folder.glob("*.avsc")))
        if len(texts) > 1:
            yield History(folder.name, texts)


def _is_record(texts: tuple[str, ...]) -> bool:
    try:
        return all(_parsed(text)["type"] == "record" for text in texts)
    except (ValueError, TypeError, fastavro.schema.SchemaParseException, fastavro.schema.UnknownType):
        return False


def _parsed(text: str) -> Any:
    return fastavro.parse_schema(json.loads(text))


class Stage:
    """A topic at one version of its schema: what is written, and what must come back."""

    def __init__(self, topic: str, text: str) -> None:
        self.topic = topic
        self.text = text
        schema = _parsed(text)
        # What a reader gets of a generated value is what fastavro makes of it: bytes for text, floats cut to 32 bits.
        self.records = [_round_trip(schema, value) for value in generate_many(schema, DISTINCT_RECORDS)]


def _round_trip(schema: Any, value: Any) -> Any:
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, schema, value)
    buffer.seek(0)
    return fastavro.schemaless_reader(buffer, schema, None)


def register(url: str, history: History) -> list[str]:
    """Register a history in order, and answer the texts that the registry took; a refused one is left out."""
    taken = []
    for text in history.texts:
        body = {"schema": text}
        answer = httpx.post(f"{url}/subjects/{history.name}-value/versions", json=body)
        if answer.status_code == httpx.codes.OK:
            taken.append(text)
        elif answer.status_code != httpx.codes.CONFLICT:
            answer.raise_for_status()
    return taken


class Progress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, total: int) -> None:
        self._total = total

    def show(self, done: int) -> None:
        """Draw the bar."""
        if sys.stderr.isatty():
            filled = 40 * done // self._total
            end = "\n" if done >= self._total else ""
            print(f"\r[{'#' * filled}{'.' * (40 - filled)}] {done:,} of {self._total:,}", end=end, file=sys.stderr)


class Pipeline:
    """A producer and a consumer with serializers of their own, as two services would have them."""

    def __init__(self, url: str, brokers: str) -> None:
        self._brokers = brokers
        self.writing = SchemaRegistryClient({"url": url})
        self.reading = SchemaRegistryClient({"url": url})
        self.bytes = 0
        self._keys: AvroSerializer[Any] = AvroSerializer(self.writing, '"long"', conf=BY_TOPIC)
        self._consumer = DeserializingConsumer(
            {
                "bootstrap.servers": brokers,
                **QUIET,
                "group.id": "demo",
                "auto.offset.reset": "earliest",
                "key.deserializer": AvroDeserializer(self.reading, conf=BY_TOPIC),
                "value.deserializer": AvroDeserializer(self.reading, conf=BY_TOPIC),
            }
        )

    def subscribe(self, topics: list[str]) -> None:
        """Read from these topics."""
        self._consumer.subscribe(topics)

    def run(self, stages: list[Stage], records: int, done: int, progress: Progress) -> int:
        """Write records in turn over the stages and read them back; answers how many came back equal."""
        producers = [(stage, self._producer(stage)) for stage in stages]
        equal = 0
        for start in range(0, records, CHUNK):
            count = min(CHUNK, records - start)
            for index in range(start, start + count):
                stage, producer = producers[index % len(producers)]
                value = stage.records[index // len(producers) % DISTINCT_RECORDS]
                producer.produce(stage.topic, key=index, value=value, on_delivery=self._delivered)
            for _, producer in producers:
                producer.flush()
            equal += self._read_back(stages, count)
            progress.show(done + start + count)
        return equal

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _producer(self, stage: Stage) -> SerializingProducer:
        return SerializingProducer(
            {
                "bootstrap.servers": self._brokers,
                **QUIET,
                "linger.ms": 5,
                "key.serializer": self._keys,
                "value.serializer": AvroSerializer(self.writing, stage.text, conf=BY_TOPIC),
            }
        )

    def _delivered(self, error: Any, message: Any) -> None:
        if error is not None:
            raise RuntimeError(f"a record was not delivered: {error}")
        self.bytes += len(message.key() or b"") + len(message.value() or b"")

    def _read_back(self, stages: list[Stage], count: int) -> int:
        by_topic = {stage.topic: stage for stage in stages}
        equal = read = 0
        deadline = time.monotonic() + READ_SECONDS
        while read < count and time.monotonic() < deadline:
            # Deserialized keys and values are of any type, which the stubs of confluent-kafka do not say.
            message: Any = self._consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                raise RuntimeError(f"a record could not be read: {message.error()}")
            read += 1
            expected = by_topic[message.topic()].records[message.key() // len(stages) % DISTINCT_RECORDS]
            equal += message.value() == expected
        return equal


def run(records: int) -> bool:
    """Run the demonstration; answers whether every record came back equal."""
    with tempfile.TemporaryDirectory() as folder, registry(f"sqlite:{Path(folder, 'demo.db')}") as server:
        print(f"registry  {server.url}, a temporary SQLite store")
        broker = Producer({"bootstrap.servers": "in.process:9092", "test.mock.num.brokers": 1, **QUIET})
        brokers = ",".join(f"{one.host}:{one.port}" for one in broker.list_topics().brokers.values())
        print(f"broker    {brokers}, the one inside librdkafka")
        taken = {history.name: register(server.url, history) for history in histories()}
        taken = {name: texts for name, texts in taken.items() if len(texts) > 1}
        print(f"schemas   {sum(map(len, taken.values()))} versions registered in {len(taken)} subjects")
        before = [Stage(name, texts[-2]) for name, texts in taken.items()]
        after = [Stage(name, texts[-1]) for name, texts in taken.items()]
        for name in taken:
            broker.list_topics(name)  # the broker makes a topic when it is asked about it
        pipeline = Pipeline(server.url, brokers)
        pipeline.subscribe(list(taken))
        progress = Progress(records)
        half = records // 2
        started = time.perf_counter()
        equal = pipeline.run(before, half, 0, progress)
        print(f"evolving  all {len(taken)} schemas after {half:,} records")
        equal += pipeline.run(after, records - half, half, progress)
        seconds = time.perf_counter() - started
        pipeline.close()
        _report(pipeline, records, equal, seconds, len(taken))
    return equal == records


def _report(pipeline: Pipeline, records: int, equal: int, seconds: float, topics: int) -> None:
    writing, reading = registry_calls(pipeline.writing), registry_calls(pipeline.reading)
    print(f"records   {equal:,} of {records:,} came back equal, written and read in {seconds:.1f} s")
    print(f"speed     {records / seconds:,.0f} messages/s, {pipeline.bytes / seconds / 1e6:.1f} MB/s, keys included")
    print(f"bytes     {pipeline.bytes:,} in all, {pipeline.bytes / records:.0f} a message")
    schemas = 2 * topics
    print(f"calls     {writing + reading} registry calls: {writing} writing, {reading} reading")
    print(f"          for {schemas} value schemas and the keys' ({topics} subjects), whatever the number of messages")
    print(f"          {(writing + reading) / records * 1e6:,.0f} calls per million messages in a run of this length")


def registry_calls(client: SchemaRegistryClient) -> int:
    """How often a client has asked the registry, whatever for and whatever came of it."""
    return int(sum(count for name, count in client.stats().items() if name.startswith("registry_calls{")))


def main() -> None:
    """Read the command line, run, and end with 0 only if every record came back equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000, help="how many records to write and read")
    sys.exit(0 if run(parser.parse_args().records) else 1)


if __name__ == "__main__":
    main()
