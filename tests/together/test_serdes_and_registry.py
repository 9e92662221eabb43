"""Our serdes and our registry, as two programs: pushed news, a disk cache filled ahead, and how often one asks."""

import subprocess
import sys
import time

import pytest
from confluent_kafka import schema_registry as theirs

from serdes import (
    AvroDeserializer,
    AvroSerializer,
    MessageField,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SerializationContext,
)
from serdes.errors import UnknownSchemaId

ORDER = '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}'
NEWER = ORDER.replace("]}", ',{"name":"paid","type":"boolean","default":false}]}')
LATEST = {"use.latest.version": True, "auto.register.schemas": False}


@pytest.fixture
def value(topic):
    return SerializationContext(topic, MessageField.VALUE)


@pytest.mark.parametrize("context", ["", ":.sales:"])
def test_a_new_version_is_written_with_as_soon_as_the_registry_tells_of_it(registry_url, topic, context):
    ctx = SerializationContext(f"{context}{topic}", MessageField.VALUE)
    conf = {"url": registry_url, "cache.latest.ttl.sec": None}
    with SchemaRegistryClient({**conf, "cache.push": True}) as listening, SchemaRegistryClient(conf) as other:
        first = other.register_schema(f"{ctx.topic}-value", Schema(ORDER))
        serializer = AvroSerializer(listening, conf=LATEST)
        written = [serializer({"id": 1, "paid": True}, ctx)]
        deadline = time.monotonic() + 20
        while not listening.stats().get("pushed") and time.monotonic() < deadline:  # until the stream is open
            time.sleep(0.01)
        second = other.register_schema(f"{ctx.topic}-value", Schema(NEWER))
        while written[-1][:5] == written[0][:5] and time.monotonic() < deadline:
            time.sleep(0.01)
            written.append(serializer({"id": 1, "paid": True}, ctx))
    assert [int.from_bytes(data[1:5], "big") for data in (written[0], written[-1])] == [first, second]


@pytest.mark.parametrize("schema_id", [0, (1 << 31) - 1, 1 << 31, (1 << 32) - 1])
@pytest.mark.parametrize("open_client", [SchemaRegistryClient, theirs.SchemaRegistryClient])
def test_bytes_that_name_an_id_which_no_registry_gives_out_are_poison(registry_url, value, open_client, schema_id):
    data = b"\0" + schema_id.to_bytes(4, "big") + b"\2"
    with open_client({"url": registry_url}) as client:
        deserialize = AvroDeserializer(client, conf={"on.error": "return", "unknown.id.grace.sec": 0})
        assert isinstance(deserialize(data, value).error, UnknownSchemaId)


def fetch(url, folder, *patterns):
    subjects = [part for pattern in patterns for part in ("--subject", pattern)]
    command = [sys.executable, "-m", "serdes", "fetch", "--url", url, *subjects, "--out", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_program_starts_from_what_was_fetched_with_no_registry_there(start_registry, tmp_path):
    running = start_registry()
    line = '{"type":"record","name":"Line","fields":[{"name":"sku","type":"string"}]}'
    basket = ORDER.replace("]}", ',{"name":"lines","type":{"type":"array","items":"Line"}}]}')
    basket = Schema(basket, references=(SchemaReference("Line", "line", 1),))
    with SchemaRegistryClient({"url": running.url}) as client:
        client.register_schema("line", Schema(line))
        client.register_schema("orders-value", Schema(ORDER))
        client.register_schema("baskets-value", basket)
    done = fetch(running.url, tmp_path, "orders-*", "baskets-*")
    assert (done.returncode, done.stdout) == (0, f"2 versions of 2 subjects are in {tmp_path}\n")
    running.process.kill()
    running.process.wait(20)
    with SchemaRegistryClient({"url": running.url, "cache.disk.dir": tmp_path, "max.retries": 0}) as client:
        for topic, schema, content in (("orders", ORDER, {"id": 1}), ("baskets", basket, {"id": 1, "lines": []})):
            ctx = SerializationContext(topic, MessageField.VALUE)
            data = AvroSerializer(client, schema)(content, ctx)
            assert AvroDeserializer(client)(data, ctx) == content


@pytest.mark.parametrize(("url", "said"), [("http://127.0.0.1:1", "cannot be reached"), ("ftp://x", "must start with")])
def test_a_fetch_that_cannot_be_done_is_one_sentence_and_an_exit_code(tmp_path, url, said):
    done = fetch(url, tmp_path, "*")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
