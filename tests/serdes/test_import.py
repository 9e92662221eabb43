"""The public door: all its names are there, and what a first import does not need stays unloaded."""

import subprocess
import sys

import pytest

import serdes

BLOCKING = "from serdes import AvroDeserializer, AvroSerializer, SchemaRegistryClient"
# What costs much to import, and when nobody should pay for it.
UNLOADED = {
    "import serdes": {"fastavro", "cachetools", "dataclasses", "inspect", "logging", "httpx", "asyncio"},
    BLOCKING: {
        "asyncio",
        "confluent_kafka",
        "httpx",
        "serdes._cache.disk",
        "serdes._clients.asynchronous",
        "serdes._confluent_rules",
        "serdes._transport",
        "serdes.avro.asynchronous",
        "serdes.codec.generated",
        "serdes.codec.misfit",
        "serdes.codec.readable",
        "serdes.dead_letters",
        "serdes.models",
        "ssl",
    },
}


@pytest.mark.parametrize("statement", UNLOADED)
def test_an_import_does_not_load_what_it_does_not_need(statement):
    source = f"{statement}; import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout.split()
    assert "serdes.errors" in loaded
    assert UNLOADED[statement].isdisjoint(loaded)


@pytest.mark.parametrize(
    ("module", "missing", "said"),
    [
        ("serdes.aiokafka", "aiokafka", "pip install aiokafka"),
        ("serdes.confluent", "confluent_kafka", "pip install 'confluent-kafka[avro,schemaregistry]"),
        ("serdes.confluent", "authlib", "pip install 'confluent-kafka[avro,schemaregistry]"),
        ("serdes.faststream", "faststream", "pip install faststream"),
        ("serdes.faust", "faust", "pip install faust-streaming"),
        ("serdes.kafka_python", "kafka", "pip install 'kafka-python"),
        ("registry.__main__", "click", "click is not installed: install Signet with its extra"),
    ],
)
def test_what_is_not_installed_is_told_with_what_to_install(module, missing, said):
    source = f"import sys; sys.modules[{missing!r}] = None; import {module} as it; it.main()"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert said in done.stderr.splitlines()[-1]


def test_every_public_name_is_there_and_listed():
    assert sorted(serdes.__all__) == serdes.__all__
    assert all(getattr(serdes, name).__module__.startswith("serdes.") for name in serdes.__all__)
    assert set(serdes.__all__) <= set(dir(serdes))


def test_a_name_that_is_not_there_is_refused_as_python_does():
    with pytest.raises(AttributeError, match="module 'serdes' has no attribute 'AvroSerialiser'"):
        _ = serdes.AvroSerialiser
    with pytest.raises(ImportError, match="cannot import name 'AvroSerialiser'"):
        exec("from serdes import AvroSerialiser", {})
