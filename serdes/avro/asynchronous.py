"""AsyncAvroSerializer and AsyncAvroDeserializer: tables and bindings of the blocking ones, with an awaited registry.

Apart from the blocking ones, so that a program without an event loop needs not load them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, Self, TypeVar

from serdes import _binding
from serdes.avro.deserializer import Deserializing, Frame, SchemaInfo, as_bytes, contexts, frame_of
from serdes.avro.leases import leased, renewed_in_background
from serdes.avro.serializer import Serializing, T, place_of, serde_for
from serdes.codec import Read, Write
from serdes.errors import NotCached, SerdesError
from serdes.settings import Conf
from serdes.subjects import NO_CONTEXT, SerializationContext, field_named, names, place_told

M = TypeVar("M")


class AsyncAvroSerializer(Serializing[T]):
    """Writes values of one schema; awaits the registry on the first record of a topic and field."""

    _awaited = True

    @classmethod
    def for_type(
        cls, model: type[M], client: Any, *, namespace: str = "", conf: Conf | None = None
    ) -> AsyncAvroSerializer[M]:
        """A serializer for objects of a class, with a schema made out of the class.

        Args:
            model: a dataclass, a pydantic model or a msgspec Struct.
            client: the client to ask for ids.
            namespace: of the records and enums.
            conf: the keys of SerializerSettings.

        Raises:
            SettingInvalid: a field's type has no Avro type, or a setting cannot be used.
        """
        made: AsyncAvroSerializer[M] = serde_for(cls, model, client, namespace, conf)
        return made

    def __await__(self) -> Generator[Any, None, Self]:
        """confluent-kafka's async serdes are awaited when they are made; so these may be, too."""
        yield from ()
        return self

    async def __call__(self, obj: T | None, ctx: SerializationContext | None = None) -> bytes | None:
        """The framed bytes of a value; None stays None. Raises as the blocking serializer does."""
        if obj is None:
            return None
        if ctx is None:
            return (await self._bind(None))(obj, None)
        try:
            write = self._table(ctx.field).get(ctx.topic)
        except NO_CONTEXT:
            write = None
        if write is None:
            write = await self._bind(ctx)
        return write(obj, ctx)

    def try_sync(self, obj: T | None, ctx: SerializationContext) -> bytes | None:
        """The same without awaiting.

        Raises:
            NotCached: the registry has to be asked first.
        """
        if obj is None:
            return None
        try:
            write = self._table(ctx.field).get(ctx.topic)
        except NO_CONTEXT:
            write = None
        if write is None:
            raise NotCached(f"nothing is known yet about writing the {ctx.field} of topic {ctx.topic}")
        return write(obj, ctx)

    async def for_topic(self, topic: str, field: str = "value") -> Callable[[T | None], bytes | None]:
        """A function of the value alone, which never awaits, with everything resolved."""
        ctx = SerializationContext(topic, field_named(field))
        write = await self._bind(ctx)
        return write if self._to_dict is None else lambda obj: write(obj, ctx)

    async def serialize_many(self, objects: Iterable[T | None], ctx: SerializationContext) -> list[bytes | None]:
        """The framed bytes of many values of one topic and field."""
        return [await self(obj, ctx) for obj in objects]

    async def prepare(self, topics: Iterable[str], fields: Iterable[str] = ("value",)) -> None:
        """Ask the registry now, for these topics and fields, so that what is wrong shows at the start."""
        for topic in names("topics", topics):
            for field in names("fields", fields):
                await self._bind(SerializationContext(topic, field_named(field)))

    async def _bind(self, ctx: SerializationContext | None) -> Write:
        write, may_change = await self._looked_up(ctx)
        if ctx is None:
            return write
        if may_change:
            placed, table = SerializationContext(ctx.topic, ctx.field), self._table(str(ctx.field))
            renew = renewed_in_background(lambda: self._renewed(placed), lambda: table.pop(placed.topic, None))
            write = leased(write, renew, self._registry.clock)
        return self._place(ctx.topic, str(ctx.field), write)

    async def _renewed(self, ctx: SerializationContext) -> Write:
        write, may_change = await self._looked_up(ctx)
        return write if may_change else self._place(ctx.topic, str(ctx.field), write)

    async def _looked_up(self, ctx: SerializationContext | None) -> tuple[Write, bool]:
        try:
            return await self._registry.answer_async(self._look_up(ctx))
        except SerdesError as error:
            raise self._as_raised(place_of(ctx).error(error)) from error.__cause__


class AsyncAvroDeserializer(Deserializing[T]):
    """Reads values, whatever schema each was written with; awaits the registry when it meets a new one."""

    _awaited = True

    @classmethod
    def for_type(
        cls, model: type[M], client: Any, *, namespace: str = "", conf: Conf | None = None
    ) -> AsyncAvroDeserializer[M]:
        """A deserializer that makes objects of a class, whatever version of its schema was written.

        Args:
            model: a dataclass, a pydantic model or a msgspec Struct.
            client: the client to ask what an id means.
            namespace: of the records and enums.
            conf: the keys of DeserializerSettings.

        Raises:
            SettingInvalid: a field's type has no Avro type, or a setting cannot be used.
        """
        made: AsyncAvroDeserializer[M] = serde_for(cls, model, client, namespace, conf)
        return made

    def __await__(self) -> Generator[Any, None, Self]:
        """confluent-kafka's async serdes are awaited when they are made; so these may be, too."""
        yield from ()
        return self

    async def __call__(self, data: bytes | None, ctx: SerializationContext | None = None) -> T | None:
        """The value in framed bytes; None stays None. Raises as the blocking deserializer does."""
        if data is None:
            return None
        try:
            data = as_bytes(data)
            table, frame = self._table(ctx), self._frame(data, ctx)
            read = table.get(frame.key) or await self._bind(frame, ctx)
            return read(data, ctx)  # type: ignore[no-any-return]  # the schema tells the type
        except SerdesError as error:
            return self._failed(error, data, ctx)  # type: ignore[no-any-return]  # a Poison, where that is wanted

    def try_sync(self, data: bytes | None, ctx: SerializationContext | None = None) -> T | None:
        """The same without awaiting.

        Raises:
            NotCached: the registry has to be asked first what the id means.
        """
        if data is None:
            return None
        try:
            data = as_bytes(data)
            table, frame = self._table(ctx), self._frame(data, ctx)
            read = table.get(frame.key)
            if read is None:
                raise NotCached(f"nothing is known yet about schema {frame.identity}")
            return read(data, ctx)  # type: ignore[no-any-return]  # the schema tells the type
        except SerdesError as error:
            return self._failed(error, data, ctx)  # type: ignore[no-any-return]  # a Poison, where that is wanted

    async def deserialize_many(self, datas: Iterable[bytes | None], ctx: SerializationContext) -> list[T | None]:
        """The values in many framed bytes of one topic and field."""
        return [await self(data, ctx) for data in datas]

    async def decode_with_schema(
        self, data: bytes, ctx: SerializationContext | None = None
    ) -> tuple[T | None, SchemaInfo]:
        """The value, and the schema that it was written with. Raises as the blocking deserializer does."""
        with self._raising(ctx):
            frame = self._frame(as_bytes(data), ctx)
            info = await self._registry.answer_async(self._info(frame, ctx))
        return await self(data, ctx), info

    async def prepare(
        self,
        ids: Iterable[int] = (),
        topics: Iterable[str] = (),
        field: str = "value",
        *,
        subjects: Iterable[str] = (),
    ) -> None:
        """Ask the registry now what will be needed; as the blocking deserializer does."""
        places = contexts(topics, field)
        for frame in map(frame_of, names("ids", ids)):
            for place in places:
                with self._raising(place):
                    await self._bind(frame, place)
        for subject in names("subjects", subjects):
            place = place_told(subject)
            with self._raising(place):
                for schema_id in await self._registry.answer_async(_binding.ids_of(subject)):
                    await self._bind(frame_of(schema_id), place)

    async def _bind(self, frame: Frame, ctx: SerializationContext | None) -> Read:
        placed = None if ctx is None else SerializationContext(ctx.topic, ctx.field)
        read, may_change = await self._registry.answer_async(self._look_up(frame, placed))
        table = self._table(ctx)
        if may_change:
            renew = renewed_in_background(lambda: self._renewed(frame, placed), lambda: table.pop(frame.key, None))
            read = leased(read, renew, self._registry.clock)
        return self._store(table, frame, self._watch.counted(read))

    async def _renewed(self, frame: Frame, ctx: SerializationContext | None) -> Read:
        read, may_change = await self._registry.answer_async(self._look_up(frame, ctx))
        return read if may_change else self._store(self._table(ctx), frame, self._watch.counted(read))
