"""Real schemas of public projects: whatever fastavro makes of values for them, generated code makes as well."""

import json
import os
import random
from io import BytesIO
from pathlib import Path

import pytest
from fastavro import schemaless_reader, schemaless_writer
from fastavro.utils import generate_many

from serdes.codec import Codecs, parse
from serdes.errors import SerializationError

SHARED = os.environ.get("SIGNET_SHARED", "")
pytestmark = pytest.mark.skipif(not SHARED, reason="SIGNET_SHARED names no folder with the corpus")
MOST_BYTES = 20_000


def lines(file):
    return [json.loads(line) for line in Path(SHARED, "corpus", file).read_text().splitlines()] if SHARED else []


BY_ID = {schema["id"]: schema for schema in lines("schemas.jsonl")}


def references(schema):
    """Name and text of what a schema needs, each after those that it needs itself."""
    needed = {}
    for name, found in (schema.get("defined_by") or {}).items():
        definition = BY_ID.get(found)
        if definition is not None and definition["id"] != schema["id"]:
            needed |= dict(references(definition)) | {name: definition["text"]}
    return list(needed.items())


def usable():
    """Name and parsed schema of all that fastavro can use; histories too, every version of each."""
    texts = [(schema["id"], schema["text"], references(schema)) for schema in BY_ID.values()]
    for history in lines("histories.jsonl"):
        texts += [(f"{history['id']}-{n}", version["text"], []) for n, version in enumerate(history["versions"])]
    for name, text, referenced in texts:
        if len(text) <= MOST_BYTES:
            try:
                yield name, parse(text, referenced)
            except SerializationError:
                continue  # not JSON, a protocol, or a name from elsewhere


def values(schema):
    """Values that fastavro itself writes, other than None, which is a tombstone here.

    For a few schemas fastavro generates what it then refuses.
    """
    random.seed(schema.text)
    try:
        generated = list(generate_many(schema.tree, 3))
    except (RecursionError, ValueError, KeyError, TypeError):
        return
    for value in generated:
        if value is None:
            continue
        buffer = BytesIO()
        try:
            schemaless_writer(buffer, schema.tree, value)
        except (ValueError, TypeError, OverflowError, RecursionError):
            continue
        yield value, buffer.getvalue()


def test_every_schema_of_the_corpus_writes_and_reads_generated_values_as_fastavro_does():
    codecs, schemas, cases = Codecs(10), 0, 0
    for name, schema in usable():
        write, read = codecs.writer(schema, b""), codecs.reader(schema, None, 0)
        for value, data in values(schema):
            assert write(value) == data, name
            assert repr(read(data)) == repr(schemaless_reader(BytesIO(data), schema.tree, None)), name
            cases += 1
        schemas += 1
    assert (schemas > 500, cases > 1_500) == (True, True), (schemas, cases)
