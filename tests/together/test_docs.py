"""What the pages say about the serializers: their examples run, their tables are the code's."""

import asyncio
import re
from dataclasses import fields
from pathlib import Path

import pytest
from confluent_kafka import Producer
from kafka import KafkaProducer
from prometheus_client import REGISTRY

from serdes import errors
from serdes.settings import ClientSettings, DeserializerSettings, SerializerSettings

ROOT = Path(__file__).parents[2]
SERDES = ROOT.joinpath("docs/serdes.md").read_text()
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def brokers():
    broker = Producer({"bootstrap.servers": "in.process:9092", "test.mock.num.brokers": 1, "log_level": 2})
    yield ",".join(f"{one.host}:{one.port}" for one in broker.list_topics(timeout=10).brokers.values())
    broker.flush(1)


@pytest.fixture
def world():
    """The names that examples make; what they opened is closed again."""
    names = {"__name__": "example"}
    yield names
    for opened in names.values():
        if hasattr(opened, "close") and not isinstance(opened, type):
            done = opened.close()
            if asyncio.iscoroutine(done):
                asyncio.run(done)
    for metric in names.get("counters", {}).values():
        REGISTRY.unregister(metric)
    names.clear()  # producers end before their broker does


# kafka-python reads the records of its protocol with functions that are going away; faust names its own folder.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("page", ["README.md", "docs/serdes.md"])
def test_the_examples_of_a_page_run_in_their_order(page, registry_url, brokers, world, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(KafkaProducer.DEFAULT_CONFIG, "api_version", (2, 3))  # the newest that this broker answers
    examples = PYTHON.findall(ROOT.joinpath(page).read_text())
    assert examples
    for number, example in enumerate(examples, 1):
        example = example.replace("http://127.0.0.1:8081", registry_url).replace("127.0.0.1:9092", brokers)
        exec(compile(example, f"{page}, example {number}", "exec"), world)
    if "measured" in world:
        world["measured"].get_subjects()
        assert "registry_calls" in world["counters"]


def table(heading):
    """The rows of the table under a heading, as cells."""
    section = SERDES.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def default(field):
    return "" if field.default is None else f"`{getattr(field.default, '__name__', field.default)}`"


SHARED = {field.name for field in fields(SerializerSettings)}


@pytest.mark.parametrize(
    ("heading", "settings", "shared"),
    [
        ("Configuration of the client", ClientSettings, set()),
        ("Configuration of a serializer", SerializerSettings, set()),
        ("Configuration of a deserializer", DeserializerSettings, SHARED),
    ],
)
def test_every_key_stands_in_the_page_with_its_default_and_its_meaning(heading, settings, shared):
    assert table(heading) == [
        [f"`{field.metadata['key']}`", default(field), field.metadata["meaning"]]
        for field in fields(settings)
        if field.name not in shared
    ]


def test_every_error_stands_in_the_page_with_its_retriability():
    found = {}
    for names, _, retriable in table("Errors"):
        found |= dict.fromkeys(re.findall(r"`(\w+)`", names), retriable)
    groups = {"SerdesError", "SerializationError", "DecodeError", "RegistryError", "PoisonStorm"}
    leaves = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.SerdesError) and name not in groups
    }
    assert found.keys() == leaves.keys()
    for name, kind in leaves.items():
        assert (name, found[name]) in {(name, "yes" if kind.retriable else "no"), ("UnknownSchemaId", found[name])}


def test_every_counter_stands_in_the_page():
    source = "\n".join(file.read_text() for file in ROOT.joinpath("serdes").rglob("*.py"))
    counted = set(re.findall(r'count\("(\w+)"', source)) | {"messages", "cached"}
    assert {name.strip("`") for name, *_ in table("What is counted")} >= counted
