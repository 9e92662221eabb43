"""FastStream: a codec for its Kafka brokers.

A codec is told neither the topic nor the headers of what it encodes; its middleware, which goes to the same broker,
tells it the topic of each publication.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any

try:
    from faststream import BaseMiddleware
except ImportError as error:
    raise ImportError("serdes.faststream needs FastStream: pip install faststream") from error

from serdes import AsyncAvroDeserializer, AsyncAvroSerializer, MessageField, SerializationContext
from serdes.avro.kinds import check_kind
from serdes.errors import SubjectUnknown

CONTENT_TYPE = "application/vnd.apache.avro+binary"
_destination: ContextVar[str | None] = ContextVar("serdes_faststream_destination", default=None)


class RegistryMiddleware(BaseMiddleware[Any, Any]):
    """Tells the codec the topic of each publication: `KafkaBroker(codec=codec, middlewares=[RegistryMiddleware])`."""

    async def publish_scope(self, call_next: Callable[[Any], Awaitable[Any]], cmd: Any) -> Any:
        """Publish under the name of the topic."""
        # A context variable, because publications of several tasks run at the same time.
        token = _destination.set(cmd.destination)
        try:
            return await call_next(cmd)
        finally:
            _destination.reset(token)


class RegistryCodec:
    """Encodes and decodes message bodies: `KafkaBroker(codec=RegistryCodec(serializer, deserializer))`.

    Args:
        serializer: what writes bodies; None for a broker that only consumes.
        deserializer: what reads bodies; None for a broker that only publishes.
        topic: the topic of all publications, where the middleware is not used.

    Raises SettingInvalid for serdes that are not asynchronous.
    """

    def __init__(
        self,
        serializer: AsyncAvroSerializer[Any] | None = None,
        deserializer: AsyncAvroDeserializer[Any] | None = None,
        topic: str | None = None,
    ) -> None:
        for serde, needed in ((serializer, AsyncAvroSerializer), (deserializer, AsyncAvroDeserializer)):
            if serde is not None:
                check_kind(serde, needed, "RegistryCodec")
        self._serializer = serializer
        self._deserializer = deserializer
        self._topic = topic

    async def encode(self, msg: Any, serializer: Any = None) -> tuple[bytes, str | None]:  # noqa: ARG002 - FastStream's
        """The framed bytes of a body, and their media type; FastStream's own serializer is not asked."""
        topic = _destination.get() or self._topic
        if self._serializer is None or topic is None:
            raise SubjectUnknown(
                "a RegistryCodec that encodes needs a serializer, and the RegistryMiddleware or a topic to write for"
            )
        data = await self._serializer(msg, SerializationContext(topic, MessageField.VALUE))
        # FastStream takes no None for a body.
        return data or b"", CONTENT_TYPE

    async def encode_batch(
        self,
        msgs: Sequence[Any],
        serializer: Any = None,  # noqa: ARG002 - as above
    ) -> list[tuple[bytes, str | None]]:
        """The same for the bodies of a batch."""
        return [await self.encode(msg) for msg in msgs]

    async def decode(self, msg: Any) -> Any:
        """The value in a message's body; None for a tombstone."""
        return await self._decoded(msg.raw_message, msg.body)

    async def decode_batch(self, msg: Any) -> list[Any]:
        """The same for the messages of a batch."""
        return [await self._decoded(raw, body) for raw, body in zip(msg.raw_message, msg.body, strict=True)]

    async def _decoded(self, raw: Any, body: bytes) -> Any:
        if self._deserializer is None:
            raise SubjectUnknown("a RegistryCodec that decodes needs a deserializer")
        # FastStream makes an empty body of a tombstone and texts of headers, so the client's own record is asked:
        # confluent-kafka's tells by methods, aiokafka's by attributes.
        topic, value, headers = (told() if callable(told) else told for told in (raw.topic, raw.value, raw.headers))
        ctx = SerializationContext(topic, MessageField.VALUE, list(headers or ()))
        return await self._deserializer(None if value is None else body, ctx)
