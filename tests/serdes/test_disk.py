"""The disk cache: starting without a registry, and not trusting what it tells for ever."""

import hashlib
import json
import logging
import os
import signal
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from serdes import (
    AsyncAvroSerializer,
    AsyncSchemaRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    MessageField,
    SchemaRegistryClient,
    SerializationContext,
)
from serdes.__main__ import main
from serdes._cache.disk import Disk
from serdes._cache.memory import Key
from serdes.errors import RegistryUnavailable
from serdes.schema import RegisteredSchema, Schema

ORDER = json.dumps({"type": "record", "name": "Order", "namespace": "a", "fields": [{"name": "id", "type": "long"}]})
OTHER = json.dumps({"type": "record", "name": "Other", "fields": [{"name": "id", "type": "long"}]})
VALUE = SerializationContext("orders", MessageField.VALUE)


@pytest.fixture
def open_client(url, tmp_path):
    opened = []

    def make(**conf):
        client = SchemaRegistryClient({"url": url, "max.retries": 0, "cache.disk.dir": tmp_path / "cache", **conf})
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def filled(open_client):
    """A disk cache that has seen one record written and read."""
    client = open_client()
    data = AvroSerializer(client, ORDER)({"id": 1}, VALUE)
    client.clear_caches()
    AvroDeserializer(client)(data, VALUE)
    return data


def eventually(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


@pytest.mark.parametrize("mode", ["fallback", "first"])
def test_a_producer_and_a_consumer_start_while_the_registry_is_down(registry, open_client, filled, mode):
    registry.stop()
    client = open_client(**{"cache.disk.mode": mode})
    assert AvroSerializer(client, ORDER)({"id": 1}, VALUE) == filled
    assert AvroDeserializer(client)(filled, VALUE) == {"id": 1}


def test_the_layout_of_the_own_text_does_not_matter(registry, open_client, filled):
    registry.stop()
    text = json.dumps(json.loads(ORDER) | {"fields": [{"type": {"type": "long"}, "name": "id"}]}, indent=2)
    assert AvroSerializer(open_client(), text)({"id": 1}, VALUE) == filled


@pytest.mark.anyio
async def test_async_clients_start_from_disk_too(registry, url, tmp_path, filled):
    registry.stop()
    conf = {"url": url, "max.retries": 0, "cache.disk.dir": str(tmp_path / "cache")}
    async with AsyncSchemaRegistryClient(conf) as client:
        assert await AsyncAvroSerializer(client, ORDER)({"id": 1}, VALUE) == filled


def test_first_means_no_call_before_the_first_record(registry, open_client, filled):
    client = open_client(**{"cache.disk.mode": "first"})
    registry.calls.clear()
    with registry.holding() as somebody_asks:
        assert AvroSerializer(client, ORDER)({"id": 1}, VALUE) == filled
        somebody_asks()
    eventually(lambda: "POST /subjects/orders-value/versions" in registry.calls)


def test_off_means_neither_reading_nor_writing(registry, open_client, filled, tmp_path):
    registry.stop()
    with pytest.raises(RegistryUnavailable):
        AvroSerializer(open_client(**{"cache.disk.mode": "off"}), ORDER)({"id": 1}, VALUE)


def test_what_the_disk_told_is_confirmed_when_the_registry_is_back(registry, open_client, filled):
    registry.stop()
    client = open_client()
    write = AvroSerializer(client, ORDER).for_topic("orders")
    write({"id": 1})
    assert client.unverified
    registry.start()

    def confirmed():
        assert write({"id": 1}) == filled
        return not client.unverified

    eventually(confirmed, 10)


def test_a_wiped_registry_is_noticed_and_not_trusted(registry, open_client, filled, caplog):
    registry.stop()
    client = open_client()
    write = AvroSerializer(client, ORDER).for_topic("orders")
    assert write({"id": 1})[:5] == b"\0\0\0\0\1"
    registry.wipe()
    registry.schemas[1] = {"schema": OTHER}
    registry.start()
    with caplog.at_level(logging.ERROR):
        eventually(lambda: write({"id": 1})[:5] == b"\0\0\0\0\2", 10)
    assert "the disk cache told" in caplog.text
    assert client.stats()["disk_mismatch"] >= 1


def test_an_id_that_means_something_else_now_is_dropped_from_the_disk(registry, open_client, filled):
    registry.wipe()
    registry.schemas[1] = {"schema": OTHER.replace("id", "number")}
    client = open_client(**{"cache.disk.mode": "first"})
    read = AvroDeserializer(client).for_topic("orders")
    assert read(filled) == {"id": 1}
    eventually(lambda: read(filled) == {"number": 1})


def whole(entry):
    return json.dumps({"entry": entry, "sha256": hashlib.sha256(json.dumps(entry).encode()).hexdigest()}).encode()


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[" * 100_000, b'{"entry": 1, "sha256": "x"}', b"[]", whole({}), whole([]), whole("later")]
)
def test_a_damaged_file_is_as_good_as_none(registry, open_client, filled, tmp_path, damage):
    for file in (tmp_path / "cache").rglob("*.json"):
        file.write_bytes(damage)
    registry.stop()
    with pytest.raises(RegistryUnavailable):
        AvroSerializer(open_client(), ORDER)({"id": 1}, VALUE)


def test_a_changed_file_is_as_good_as_none(registry, open_client, filled, tmp_path):
    for file in (tmp_path / "cache").rglob("*.json"):
        file.write_text(file.read_text().replace('"id": 1', '"id": 2'))
    registry.stop()
    with pytest.raises(RegistryUnavailable):
        AvroSerializer(open_client(), ORDER)({"id": 1}, VALUE)


def test_many_that_share_a_folder_never_meet_half_an_answer_or_another_one(tmp_path, caplog):
    text = json.dumps({"type": "string", "doc": "x" * 5000})
    answers = {
        Key("guid", None, (str(number), None)): RegisteredSchema(None, None, number, None, Schema(text))
        for number in range(3)
    }

    def use(_):
        disk = Disk(tmp_path, "http://registry", 60.0)  # each as another process has it
        for question, answer in [*answers.items()] * 20:
            disk.save(question, answer)
            assert disk.load(question) in (answer, None)
            disk.forget(question)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(use, range(8)))
    assert not caplog.records
    assert not list(tmp_path.rglob("*.*"))


def test_an_answer_that_the_disk_has_no_room_for_leaves_the_old_one(tmp_path):
    resource = pytest.importorskip("resource")  # POSIX alone can limit the size of files
    disk, question = Disk(tmp_path, "http://registry", 60.0), Key("guid", None, ("a", None))
    old, new = (RegisteredSchema(None, None, 1, None, Schema(text)) for text in ('"int"', f'"{"x" * 5000}"'))
    disk.save(question, old)

    def fill():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        disk.save(question, new)

    process = get_context("fork").Process(target=fill)
    process.start()
    process.join()
    assert disk.load(question) == old
    assert len(list(tmp_path.rglob("*.*"))) == 1


def test_what_is_too_old_does_not_serve(registry, open_client, filled):
    registry.stop()
    with pytest.raises(RegistryUnavailable):
        AvroSerializer(open_client(**{"cache.disk.max.age.sec": 0}), ORDER)({"id": 1}, VALUE)


def test_two_registries_never_share_an_answer(registry, open_client, filled):
    registry.stop()
    client = open_client(url="http://127.0.0.1:9")
    with pytest.raises(RegistryUnavailable):
        AvroSerializer(client, ORDER)({"id": 1}, VALUE)


def test_the_folder_is_for_its_owner_and_tells_no_credentials(url, tmp_path):
    conf = {"url": url.replace("//", "//me:secret@"), "cache.disk.dir": tmp_path / "cache"}
    with SchemaRegistryClient(conf) as client:
        AvroSerializer(client, ORDER)({"id": 1}, VALUE)
    files = list((tmp_path / "cache").rglob("*.json"))
    assert files
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert all(stat.S_IMODE(file.parent.stat().st_mode) == 0o700 for file in files)
    assert not any("secret" in file.read_text() for file in files)


@pytest.mark.skipif(
    os.name == "nt", reason="a folder is made unwritable by a file in its place, which is tested on POSIX"
)
def test_a_disk_that_cannot_be_written_is_no_reason_to_fail(open_client, tmp_path, caplog):
    (tmp_path / "cache").write_text("a file stands where the folder should be")
    assert AvroSerializer(open_client(), ORDER)({"id": 1}, VALUE)
    assert "the disk cache cannot be written" in caplog.text


def test_what_cannot_be_dropped_from_the_disk_is_no_reason_to_fail(tmp_path, caplog):
    disk, question = Disk(tmp_path, "http://registry", 60.0), Key("guid", None, ("a", None))
    disk._path(question).mkdir(parents=True)  # a folder where the file should be cannot be removed like one
    disk.forget(question)
    assert "the disk cache cannot be written" in caplog.text


def test_an_image_is_filled_at_build_time(registry, url, tmp_path, capsys):
    with SchemaRegistryClient({"url": url}) as client:
        data = AvroSerializer(client, ORDER)({"id": 1}, VALUE)
        AvroSerializer(client, OTHER)({"id": 1}, SerializationContext("unrelated", MessageField.VALUE))
    assert main(["fetch", "--url", url, "--subject", "orders-*", "--out", str(tmp_path / "image")]) == 0
    assert "1 versions of 1 subjects" in capsys.readouterr().out
    registry.stop()
    conf = {"url": url, "max.retries": 0, "cache.disk.dir": tmp_path / "image"}
    latest = {"use.latest.version": True, "auto.register.schemas": False}
    with SchemaRegistryClient(conf) as client:
        assert AvroSerializer(client, ORDER)({"id": 1}, VALUE) == data
        assert AvroSerializer(client, conf=latest)({"id": 1}, VALUE) == data
        assert AvroDeserializer(client)(data, VALUE) == {"id": 1}
        assert AvroDeserializer(client)(data) == {"id": 1}
        with pytest.raises(RegistryUnavailable):
            AvroSerializer(client, OTHER)({"id": 1}, SerializationContext("unrelated", MessageField.VALUE))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--url", "http://127.0.0.1:1"], "cannot be reached"),
        (["--url", "nowhere"], "http://"),
        ([], "no subject matches"),
    ],
)
def test_a_fetch_that_fails_says_why_in_one_sentence(url, tmp_path, capsys, arguments, said):
    arguments = arguments or ["--url", url]
    assert main(["fetch", *arguments, "--subject", "x", "--out", str(tmp_path / "o"), "--deadline", "0.5"]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
