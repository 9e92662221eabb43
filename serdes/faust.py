"""faust: a codec for its topics and models.

faust calls codecs with one argument, without topic or headers, so a codec belongs to one topic and field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from faust.serializers.codecs import Codec
except ImportError as error:
    raise ImportError("serdes.faust needs faust: pip install faust-streaming") from error

from serdes import AvroDeserializer, AvroSerializer
from serdes.avro.kinds import check_kind
from serdes.errors import SettingInvalid


class AvroCodec(Codec):
    """Writes and reads values of one topic: `app.topic("orders", value_serializer=codec)`.

    Args:
        serializer: what writes; None for a codec that only reads.
        deserializer: what reads; None for a codec that only writes. Give it `on.error` "return" where one bad record
            must not stop an agent.
        topic: the topic that the codec is used for.
        field: "value" or "key".

    What it was not made for raises SettingInvalid.
    """

    def __init__(
        self,
        serializer: AvroSerializer[Any] | None,
        deserializer: AvroDeserializer[Any] | None,
        topic: str,
        field: str = "value",
        children: tuple[Any, ...] | None = None,
    ) -> None:
        for serde, needed in ((serializer, AvroSerializer), (deserializer, AvroDeserializer)):
            if serde is not None:
                check_kind(serde, needed, "AvroCodec")
        super().__init__(children, serializer=serializer, deserializer=deserializer, topic=topic, field=field)
        self._serializer = serializer
        self._topic = topic
        self._field = field
        self._write: Callable[[Any], bytes | None] | None = None
        self._read = None if deserializer is None else deserializer.for_topic(topic, field)

    def _dumps(self, s: Any) -> Any:
        if self._write is None:
            if self._serializer is None:
                raise SettingInvalid("this codec has no serializer")
            # The registry is asked on first use, not while the application is being put together.
            self._write = self._serializer.for_topic(self._topic, self._field)
        return self._write(s.to_representation() if hasattr(s, "to_representation") else s)

    def _loads(self, s: bytes) -> Any:
        if self._read is None:
            raise SettingInvalid("this codec has no deserializer")
        return self._read(s)
