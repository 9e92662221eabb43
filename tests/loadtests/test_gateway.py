"""The gateway with each encoder, over a real registry and the broker inside librdkafka."""

import asyncio
import re
from contextlib import asynccontextmanager
from itertools import islice

import httpx
import orjson
import pytest
from confluent_kafka import Consumer, Producer

from loadtests.gateway import ENCODERS, IN_PROCESS, TOPIC, Sink, gateway
from loadtests.ingestion.records import records
from serdes import AvroDeserializer, SchemaRegistryClient

RECORDS = list(islice(records(), 8))
ONE, SEVEN = RECORDS[0], RECORDS[1:]


@asynccontextmanager
async def running(encoder, registry_url):
    """A client of a gateway, and its sink."""
    built, sink = ENCODERS[encoder](registry_url), Sink(None)
    transport = httpx.ASGITransport(gateway(built, sink))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client, sink
    await built.close()
    sink.close()


async def ingest(client):
    """One record, then a batch of seven."""
    return [
        (await client.post("/records", content=orjson.dumps(ONE))).status_code,
        (await client.post("/batches", content=orjson.dumps(SEVEN))).status_code,
    ]


def produced(sink, count):
    """The values that arrived at the broker."""
    brokers = ",".join(f"{one.host}:{one.port}" for one in sink._producer.list_topics().brokers.values())
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "test", "auto.offset.reset": "earliest"})
    consumer.subscribe([TOPIC])
    values = [message.value() for message in consumer.consume(count, timeout=20)]
    consumer.close()
    return values


def test_the_page_needs_nothing_from_elsewhere(registry_url):
    async def scenario():
        async with running("json", registry_url) as (client, _):
            page = (await client.get("/docs")).text
            parts = re.findall(r'(?:src|href)="([^"]+)"', page)
            return parts, [(await client.get(part)).status_code for part in parts if part.startswith("/")]

    parts, found = asyncio.run(scenario())
    assert found == [200] * len(parts)
    assert len(parts) >= 2


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_record_arrives_as_it_was_sent(encoder, registry_url):
    async def scenario():
        async with running(encoder, registry_url) as (client, sink):
            assert await ingest(client) == [202, 202]
            return produced(sink, len(RECORDS))

    values = asyncio.run(scenario())
    with SchemaRegistryClient({"url": registry_url}) as client:
        read = orjson.loads if encoder == "json" else AvroDeserializer(client)
        by_id = {record["view_id"]: record for record in map(read, values)}
    assert by_id == {record["view_id"]: record for record in RECORDS}


@pytest.mark.parametrize(("encoder", "calls"), [("json", 0), ("cached", 0), ("asking", len(RECORDS))])
def test_the_registry_is_asked_as_often_as_the_gateway_says(encoder, calls, counted):
    async def scenario():
        async with running(encoder, counted.url) as (client, _):
            started = counted.calls.total()
            await ingest(client)
            return started, (await client.get("/counts")).json()

    started, counts = asyncio.run(scenario())
    assert counted.calls.total() == counts["registry_calls"] == started + calls
    assert counted.calls[f"POST /subjects/{TOPIC}-value/versions"] == (encoder != "json") + calls
    assert (counts["records"], counts["undelivered"]) == (len(RECORDS), 0)


def test_avro_is_less_than_half_of_the_json(registry_url):
    async def scenario(encoder):
        async with running(encoder, registry_url) as (client, _):
            await ingest(client)
            return (await client.get("/counts")).json()["bytes"]

    assert asyncio.run(scenario("cached")) < asyncio.run(scenario("json")) / 2


@pytest.mark.parametrize(
    ("encoder", "statuses"), [("json", [202, 202]), ("cached", [202, 202]), ("asking", [503, 503])]
)
def test_only_a_gateway_that_asks_notices_that_the_registry_is_gone(encoder, statuses, counted):
    async def scenario():
        async with running(encoder, counted.url) as (client, _):
            counted.down()
            return await ingest(client)

    assert asyncio.run(scenario()) == statuses


def test_a_refused_record_may_be_sent_again_in_a_second(counted):
    async def scenario():
        async with running("asking", counted.url) as (client, _):
            counted.down()
            return await client.post("/records", content=orjson.dumps(ONE))

    answer = asyncio.run(scenario())
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["error"]


class FullSink:
    def produce(self, values):
        raise BufferError("Local: Queue full")


def test_records_that_the_producer_has_no_room_for_may_be_sent_again():
    async def scenario():
        transport = httpx.ASGITransport(gateway(ENCODERS["json"](""), FullSink()))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            return await client.post("/records", content=b"{}")

    answer = asyncio.run(scenario())
    assert (answer.status_code, answer.json()["error"]) == (503, "Local: Queue full")
    assert answer.headers["retry-after"] == "1"


BAD_INPUT = [
    ("/records", b"{", 400, "column 2"),
    ("/records", b"", 400, "empty document"),
    ("/records", b"{}", 422, "view_id"),
    ("/records", b"null", 400, "a record, a JSON object"),
    ("/records", b"[]", 400, "a record, a JSON object"),
    ("/records", orjson.dumps(ONE | {"page": "x" * 1_000_000}), 413, "1,000,000 bytes"),
    ("/batches", b"{}", 400, "an array of records"),
    ("/batches", b"[null]", 400, "an array of records"),
    ("/batches", orjson.dumps([ONE, ONE | {"page": "x" * 1_000_000}]), 413, "1,000,000 bytes"),
    ("/batches", b"[" + b",".join([orjson.dumps(ONE)] * 100_001) + b"]", 413, "100,000 records, not 100,001"),
    ("/batches", b"[{}, 1]", 400, "an array of records"),
    ("/batches", b'[{"view_id": 1}]', 422, "view_id"),
]


@pytest.mark.parametrize(("path", "content", "status", "words"), BAD_INPUT)
def test_bad_input_gets_one_sentence_and_nothing_is_produced(path, content, status, words, registry_url):
    async def scenario():
        async with running("cached", registry_url) as (client, sink):
            return await client.post(path, content=content), sink.records

    answer, count = asyncio.run(scenario())
    assert (answer.status_code, count) == (status, 0)
    assert words in answer.json()["error"]


def test_json_that_is_nested_deeper_than_is_written_is_no_record(registry_url):
    async def scenario():
        async with running("json", registry_url) as (client, _):
            return await client.post("/records", content=b'{"a":' + b"[" * 300 + b"]" * 300 + b"}")

    answer = asyncio.run(scenario())
    assert (answer.status_code, answer.json()) == (400, {"error": "a record is nested too deeply"})


@pytest.fixture
def stranded():
    """A sink whose broker is gone."""
    broker = Producer(IN_PROCESS | {"log_level": 0})
    sink = Sink(",".join(f"{one.host}:{one.port}" for one in broker.list_topics().brokers.values()))
    del broker
    yield sink
    sink._producer.purge()
    sink._producer.close()  # or it looks for the broker, and says so, as long as the tests last


def test_a_batch_that_does_not_fit_into_the_queue_is_refused_as_a_whole(stranded):
    stranded.produce([b"{}"] * 99_999)
    with pytest.raises(BufferError, match="wait for the broker"):
        stranded.produce([b"{}"] * 2)
    assert (stranded.records, stranded.bytes) == (99_999, 2 * 99_999)


def test_records_that_were_taken_and_do_not_reach_the_broker_are_said(stranded, caplog):
    stranded.produce([b"{}"] * 3)
    stranded.close(wait_seconds=0.1)
    assert "3 records that were taken did not reach the broker" in caplog.text


NO_START = [
    (["--registry", "http://127.0.0.1:9"], 1, "The gateway cannot start: http://127.0.0.1:9 cannot be reached"),
    (["--encoder", "json", "--port", "99999"], 2, "must be a port from 1 to 65535, not '99999'"),
]


@pytest.mark.parametrize(("arguments", "code", "sentence"), NO_START)
def test_a_gateway_that_cannot_start_says_so_in_one_sentence(arguments, code, sentence, command):
    ended = command("loadtests.gateway", *arguments)
    assert ended.returncode == code
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_page_of_the_gateway_tells_what_it_takes():
    paths = gateway(ENCODERS["json"](""), FullSink()).openapi()["paths"]
    bodies = [paths[path]["post"]["requestBody"]["content"]["application/json"] for path in ("/records", "/batches")]
    assert bodies[0]["example"]["view_id"] == bodies[1]["example"][0]["view_id"] == ONE["view_id"]
