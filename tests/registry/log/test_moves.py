"""A registry moved from a file into a store of each engine and back again."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.log import open_history, open_log
from registry.model import Config, Level, Mode, Schema, Subject
from registry.records import (
    ConfigKey,
    ContextKey,
    DeletedUpTo,
    DeleteSubjectKey,
    ModeKey,
    Present,
    Record,
    SchemaKey,
    SchemaValue,
)
from registry.transfer import gather, gather_history, load, verify
from registry.transfer.lines import Line
from registry.transfer.loading import COMMIT_ENTRIES

pytestmark = pytest.mark.anyio


def version(subject: str, number: int) -> Record:
    return Record(SchemaKey(Subject.of(subject), number), SchemaValue(number, Schema(f'"é\U0001f600{number}"')))


RECORDS = [
    *(version("s", number) for number in range(1, COMMIT_ENTRIES + 2)),
    Record(ContextKey(".c"), Present()),
    version(":.c:s", 1),
    Record(SchemaKey(Subject.of("s"), 3), None),
    Record(DeleteSubjectKey(Subject.of("s")), DeletedUpTo(7)),
    Record(ConfigKey(Subject.of("s")), Config(compatibility_level=Level.FULL)),
    Record(ModeKey(Subject.of(":.c:")), Mode.READONLY),
]


def with_times(records: list[Record]) -> list[Line]:
    """The records, each with an author and a time of its own."""
    entries = (record.entry("Zoë")._replace(timestamp_ms=10**12 + at) for at, record in enumerate(records))
    return [Line(at, at, entry) for at, entry in enumerate(entries, 1)]


async def test_a_move_into_any_engine_and_back_keeps_every_record_with_its_time(store, tmp_path: Path) -> None:
    source = gather(with_times(RECORDS))
    there = await open_log(store.url)
    assert (await load(source, there)).store == (await load(source, there)).source
    assert (await verify(there)).findings == []
    back = await open_log(f"sqlite:{tmp_path}/back.db")
    loaded = await load(await gather_history(there), back)
    assert loaded.store == loaded.source
    assert list((await gather_history(back)).entries) == list(source.entries)
    await there.close()
    await back.close()


async def test_a_store_is_read_beside_its_writer(store) -> None:
    if not store.lasting:
        pytest.skip("a store in memory belongs to its process")
    there = await open_log(store.url)
    await load(gather(with_times(RECORDS)), there)
    history = await open_history(store.url)
    assert history.uuid == there.uuid
    assert len((await gather_history(history)).entries) == len(RECORDS)
    await history.close()
    await there.close()
