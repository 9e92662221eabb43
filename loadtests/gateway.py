"""A gateway that takes JSON records over HTTP and produces them to Kafka: `python -m loadtests.gateway --help`.

Three encoders stand side by side, so that one run can tell what a schema registry costs. Owns HTTP and the producer;
refuses to know who measures it.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import httpx
import orjson
import uvicorn
from confluent_kafka import KafkaException, Producer
from fastapi import FastAPI, Request, Response
from fastapi_offline import FastAPIOffline

from loadtests.ingestion.records import SCHEMA, records
from serdes import AvroSerializer, SchemaRegistryClient, SerdesError

IN_PROCESS = {"bootstrap.servers": "in.process:9092", "test.mock.num.brokers": 1}
TOPIC = "page_views"
QUEUE_RECORDS = 100_000
"""Records that wait for the broker; the most that a request may bring."""
MESSAGE_BYTES = 1_000_000

logger = logging.getLogger(__name__)


class NotRecords(ValueError):
    """The body is not what the path takes."""


class TooMuch(ValueError):
    """More than the producer would ever take."""


class Encoder(Protocol):
    """How records become the values of Kafka messages."""

    @property
    def registry_calls(self) -> int:
        """How often the registry was asked so far."""
        ...

    async def encode(self, records: Sequence[Any]) -> list[bytes]:
        """The values, in order.

        Raises SerdesError when a record does not fit its schema, httpx.HTTPError when the registry fails.
        """
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...


class Plain:
    """No registry: JSON goes through."""

    registry_calls = 0

    async def encode(self, records: Sequence[Any]) -> list[bytes]:
        """JSON without spaces; NotRecords where it would be nested deeper than is written."""
        try:
            return [orjson.dumps(record) for record in records]
        except orjson.JSONEncodeError:
            raise NotRecords("a record is nested too deeply") from None

    async def close(self) -> None:
        """Nothing is open."""


class Cached:
    """Avro through `serdes`: the registry is asked when the gateway starts, and then no more."""

    def __init__(self, registry_url: str) -> None:
        self._client = SchemaRegistryClient({"url": registry_url})
        serializer: AvroSerializer[Any] = AvroSerializer(self._client, SCHEMA)
        self._write: Callable[[Any], Any] = serializer.for_topic(TOPIC)

    @property
    def registry_calls(self) -> int:
        """How often the registry was asked so far."""
        return int(sum(count for name, count in self._client.stats().items() if name.startswith("registry_calls")))

    async def encode(self, records: Sequence[Any]) -> list[bytes]:
        """Framed Avro; nothing here waits."""
        write = self._write
        return [write(record) for record in records]

    async def close(self) -> None:
        """Close the connection to the registry."""
        self._client.close()


class Asking(Cached):
    """The same Avro, but the registry is asked for the schema's id before each record: what code without a cache does.

    Its calls go through a pool of connections of the usual asynchronous client.
    """

    def __init__(self, registry_url: str) -> None:
        super().__init__(registry_url)
        self._http = httpx.AsyncClient(base_url=registry_url, headers={"content-type": "application/json"})
        self._body = orjson.dumps({"schema": SCHEMA})
        self._asked = 0

    @property
    def registry_calls(self) -> int:
        """How often the registry was asked so far, answered or not."""
        return super().registry_calls + self._asked

    async def encode(self, records: Sequence[Any]) -> list[bytes]:
        """Framed Avro, one call to the registry after another."""
        return [await self._encode_one(record) for record in records]

    async def _encode_one(self, record: Any) -> bytes:
        self._asked += 1
        try:
            answer = await self._http.post(f"/subjects/{TOPIC}-value/versions", content=self._body)
        except AttributeError as error:  # what anyio makes of a connection that is closed while it opens
            raise httpx.ConnectError("the registry closed the connection") from error
        answer.raise_for_status()
        return bytes(self._write(record))

    async def close(self) -> None:
        """Close the connections to the registry."""
        await super().close()
        await self._http.aclose()


ENCODERS: dict[str, Callable[[str], Encoder]] = {"json": lambda _url: Plain(), "cached": Cached, "asking": Asking}


class Sink:
    """The topic that records go to.

    bootstrap_servers: the brokers; without them librdkafka brings one of its own, in this process.
    Raises KafkaException when no broker answers within ten seconds.
    """

    def __init__(self, bootstrap_servers: str | None) -> None:
        brokers = {"bootstrap.servers": bootstrap_servers} if bootstrap_servers else IN_PROCESS
        # Only failures are reported to us, so that a delivered record costs no call into Python.
        reports = {"delivery.report.only.error": True, "on_delivery": self._not_delivered, "log_level": 4}
        bounds = {"queue.buffering.max.messages": QUEUE_RECORDS, "message.max.bytes": MESSAGE_BYTES}
        self._producer = Producer({**brokers, **reports, **bounds})
        self._producer.list_topics(TOPIC, timeout=10)
        self.records = self.bytes = self.undelivered = 0

    def produce(self, values: Sequence[bytes]) -> None:
        """Hand all values to the producer, or none.

        Raises BufferError when they find no room in its queue, TooMuch when they never will.
        """
        if len(values) > QUEUE_RECORDS:
            raise TooMuch(f"a batch may have {QUEUE_RECORDS:,} records, not {len(values):,}")
        if max(map(len, values), default=0) > MESSAGE_BYTES:
            raise TooMuch(f"a record may have {MESSAGE_BYTES:,} bytes as it is written to Kafka")
        if len(self._producer) + len(values) > QUEUE_RECORDS:
            self._producer.poll(0)
            raise BufferError("too many records wait for the broker")
        for value in values:
            self._producer.produce(TOPIC, value)
        self.records += len(values)
        self.bytes += sum(map(len, values))
        self._producer.poll(0)

    def _not_delivered(self, *_: object) -> None:
        self.undelivered += 1

    def close(self, wait_seconds: float = 10.0) -> None:
        """Wait until everything is delivered, but no longer than this, and log what is not."""
        lost = self._producer.flush(wait_seconds) + self.undelivered
        if lost:
            logger.error("%d records that were taken did not reach the broker.", lost)


def _takes(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    """What /docs says of a body."""
    content = {"application/json": {"schema": schema, "example": example}}
    return {"openapi_extra": {"requestBody": {"required": True, "content": content}}}


def gateway(encoder: Encoder, sink: Sink) -> FastAPI:
    """The application; 202 means that the producer has the records, not yet that the broker has them."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await encoder.close()
        sink.close()

    # FastAPI's own page is empty where no CDN is in reach.
    app = FastAPIOffline(title="Ingestion gateway", lifespan=lifespan)

    example = next(records())

    @app.post("/records", status_code=202, **_takes({"type": "object"}, example))
    async def take_record(request: Request) -> Response:
        """Take one record."""
        record = orjson.loads(await request.body())
        if not isinstance(record, dict):
            raise NotRecords("the body must be a record, a JSON object")
        sink.produce(await encoder.encode((record,)))
        return Response(status_code=202)

    @app.post("/batches", status_code=202, **_takes({"type": "array", "items": {"type": "object"}}, [example]))
    async def take_batch(request: Request) -> Response:
        """Take an array of records, or none of them."""
        batch = orjson.loads(await request.body())
        if not isinstance(batch, list) or not all(isinstance(record, dict) for record in batch):
            raise NotRecords("the body must be an array of records, JSON objects")
        sink.produce(await encoder.encode(batch))
        return Response(status_code=202)

    @app.get("/counts")
    async def show_counts() -> dict[str, int]:
        """What this gateway did so far."""
        return {
            "records": sink.records,
            "bytes": sink.bytes,
            "undelivered": sink.undelivered,
            "registry_calls": encoder.registry_calls,
        }

    for kind, status in FAILURES.items():
        app.add_exception_handler(kind, _failure(status))
    return app


FAILURES: dict[type[Exception], int] = {
    orjson.JSONDecodeError: 400,
    NotRecords: 400,
    TooMuch: 413,
    SerdesError: 422,
    httpx.HTTPError: 503,
    BufferError: 503,
}


def _failure(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(_: Request, error: Exception) -> Response:
        sentence = str(error).split("\n")[0]  # httpx goes on with an address to read about the status
        content = orjson.dumps({"error": sentence or type(error).__name__})
        headers = {"retry-after": "1"} if status == 503 else {}
        return Response(content, status, headers, "application/json")

    return answer


def port(text: str) -> int:
    """A TCP port. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"must be a port from 1 to 65535, not {text!r}")
    return int(text)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.gateway", description=__doc__)
    parser.add_argument("--encoder", choices=ENCODERS, default="cached", help="how records are written (cached)")
    parser.add_argument(
        "--registry", default="http://127.0.0.1:8081", help="the schema registry's URL (http://127.0.0.1:8081)"
    )
    parser.add_argument("--bootstrap-servers", help="Kafka's brokers; without them one in this process")
    parser.add_argument("--port", type=port, default=8080, help="where to listen on 127.0.0.1 (8080)")
    options = parser.parse_args()
    try:
        app = gateway(ENCODERS[options.encoder](options.registry), Sink(options.bootstrap_servers))
    except SerdesError as error:
        sys.exit(f"The gateway cannot start: {error}")
    except KafkaException as error:
        sys.exit(f"The gateway cannot start: {error.args[0].str()}")
    print(f"The gateway listens on http://127.0.0.1:{options.port}; /docs shows what it takes", flush=True)
    uvicorn.run(
        app,
        port=options.port,
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http="httptools",
        # uvicorn closes a connection after 5 idle seconds, just when a sender that pauses may use it again.
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    main()
