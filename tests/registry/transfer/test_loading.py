"""What an import does to a store that is empty, that holds the same, more, less or something else."""

from __future__ import annotations

import asyncio

import pytest

import registry.replay
from registry.errors import StoreDisagrees
from registry.log import open_log
from registry.log.memory import MemoryLog
from registry.model import GLOBAL_CONTEXT, MAX_INT, Config, Level, Mode, Subject
from registry.records import ConfigKey, IdMarks, ModeKey, NoopKey, Record
from registry.replay import SnapshotFile
from registry.transfer import gather, load, replay
from registry.transfer.lines import Line
from registry.transfer.loading import COMMIT_ENTRIES

pytestmark = pytest.mark.anyio

FULL = Record(ConfigKey(Subject.of("s")), Config(compatibility_level=Level.FULL))
NONE = Record(ConfigKey(Subject.of("s")), Config(compatibility_level=Level.NONE))
READONLY = Record(ModeKey(Subject.of("s")), Mode.READONLY)
MARK = Record(NoopKey(), IdMarks({".": 40}))


def source_of(*records: Record):
    return gather([Line(number, None, record.entry()) for number, record in enumerate(records, 1)])


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog(lambda: 1)


async def keys(log) -> list[bytes]:
    return [entry.key async for batch in log.read(0) for entry in batch.entries]


async def test_an_empty_store_gets_the_history_as_it_was(log, version_of) -> None:
    source = source_of(version_of("s", 1, 1), FULL, NONE, version_of("s", 1, 1, deleted=True))
    loaded = await load(source, log)
    assert (loaded.appended, loaded.store.digest) == (4, loaded.source.digest)
    assert await keys(log) == [entry.key for entry in source.entries]


async def test_the_next_start_finds_a_snapshot_of_what_was_imported(log, version_of, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(registry.replay, "MANY_RECORDS", 0)
    source = source_of(
        version_of("s", 1, 1), version_of("s", 2, 2, '"long"'), FULL, version_of("s", 1, 1, deleted=True)
    )
    await load(source, log, reserve_ids=5, snapshot=SnapshotFile(log, tmp_path / "snapshot"))
    found = await SnapshotFile(log, tmp_path / "snapshot").read(lambda _position: None)
    assert list(found.snapshot()) == list((await replay(log)).snapshot())
    assert found.position == await log.end() == 5


async def test_an_import_that_brings_nothing_new_writes_no_snapshot(log, version_of, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(registry.replay, "MANY_RECORDS", 0)
    source = source_of(version_of("s", 1, 1))
    await load(source, log)
    await load(source, log, snapshot=SnapshotFile(log, tmp_path / "snapshot"))
    assert list(tmp_path.iterdir()) == []


async def test_a_second_import_changes_nothing(store, version_of) -> None:
    source = source_of(version_of("s", 1, 1), FULL, MARK)
    await load(source, store, reserve_ids=5)
    end = await store.end()
    loaded = await load(source, store, reserve_ids=5)
    assert (loaded.appended, await store.end()) == (0, end)
    assert loaded.differences.agrees


async def test_a_topic_that_has_grown_brings_what_is_new(log, version_of) -> None:
    history = [version_of("s", 1, 1), FULL, version_of("s", 1, 1, deleted=True), NONE]
    await load(source_of(*history[:2]), log)
    assert (await load(source_of(*history), log)).appended == 2


async def test_a_store_that_has_gone_on_since_is_left_alone(log, version_of, append) -> None:
    source = source_of(version_of("s", 1, 1), FULL)
    await load(source, log)
    await append(log, [NONE, version_of("s", 2, 2, '"long"')])
    loaded = await load(source, log)
    assert (loaded.appended, loaded.gone_on) == (0, True)


async def test_what_other_data_does_not_contradict_is_added_to_it(log, version_of, append) -> None:
    await append(log, [version_of(":.c:t", 1, 1, '"long"'), version_of("s", 1, 1)])
    source = source_of(FULL, version_of("s", 1, 1), version_of("s", 2, 2, '"string"'), READONLY)
    loaded = await load(source, log)
    assert loaded.appended == 3
    assert loaded.differences.agrees
    assert [difference.about for difference in loaded.differences.extra] == [":.c:", ":.c:t"]


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        (("s", 1, 1, '"long"'), r"s: version 1 \(id 1\) says something else in the store"),
        (("s", 1, 2, '"int"'), "s: version 1 is id 1 in the source and id 2 in the store"),
        (("t", 1, 1, '"long"'), "s: version 1 has id 1, which means another schema in the store"),
    ],
)
@pytest.mark.parametrize("follow", [True, False])
async def test_a_store_that_says_otherwise_is_left_as_it_is(log, version_of, append, held, sentence, follow) -> None:
    await append(log, [version_of(*held)])
    with pytest.raises(StoreDisagrees, match=f"^Nothing was imported, .*: {sentence}$"):
        await load(source_of(FULL, version_of("s", 1, 1)), log, follow=follow)
    assert await log.end() == 1


async def test_a_version_that_was_deleted_in_the_store_is_not_brought_back(log, version_of, append) -> None:
    await append(log, [FULL, version_of("s", 1, 1, deleted=True)])
    with pytest.raises(StoreDisagrees, match=r"s: version 1 is live in the source and deleted in the store"):
        await load(source_of(version_of("s", 1, 1)), log, follow=True)


async def test_only_a_newer_source_replaces_settings_and_deletes(log, version_of, append) -> None:
    await append(log, [version_of("s", 1, 1), FULL])
    newer = source_of(NONE, version_of("s", 1, 1, deleted=True))
    with pytest.raises(StoreDisagrees, match=r"deleted in the source and live in the store; s: its config is .*NONE"):
        await load(newer, log)
    loaded = await load(newer, log, follow=True)
    assert (loaded.appended, loaded.store.digest) == (2, loaded.source.digest)


async def test_a_refusal_names_a_few_contradictions_and_counts_the_rest(log, version_of, append) -> None:
    await append(log, [version_of("s", number, number, '"long"') for number in (1,)])
    await append(log, [version_of("s", number, number, f'"{number}"') for number in range(2, 10)])
    source = source_of(FULL, *(version_of("s", number, number) for number in range(1, 10)))
    with pytest.raises(StoreDisagrees, match=r"version 5 .*; and 4 more$"):
        await load(source, log)


async def test_the_highest_id_is_kept_though_no_version_tells_it(log, version_of, append) -> None:
    await append(log, [version_of("t", 1, 2, '"long"')])
    loaded = await load(source_of(version_of("s", 1, 1), MARK), log)
    assert loaded.store.highest_ids["."] == 40


async def test_reserved_ids_are_given_out_in_no_context(log, version_of) -> None:
    loaded = await load(source_of(version_of("s", 1, 7), version_of(":.c:s", 1, MAX_INT)), log, reserve_ids=100)
    assert loaded.store.highest_ids == {".": 107, ".c": MAX_INT, GLOBAL_CONTEXT: 100}
    state = await replay(log)
    assert [state.highest_id(name) for name in (".", ".c", ".new")] == [107, MAX_INT, 100]


async def test_a_large_import_is_many_commits_of_moderate_size(tmp_path, version_of) -> None:
    log = await open_log(f"sqlite:{tmp_path}/signet.db")
    source = source_of(*(version_of("s", number, number, f'"{number}"') for number in range(1, COMMIT_ENTRIES + 3)))
    await load(source, log)
    assert [len(batch.entries) async for batch in log.read(0)] == [COMMIT_ENTRIES, 2]
    await log.close()


async def test_what_is_added_to_other_data_says_what_it_said(store, version_of, append) -> None:
    await append(store, [version_of("t", 1, 2, '"long"')])
    await load(source_of(version_of("s", 1, 1, '"string"'), FULL), store)
    state = await replay(store)
    assert state.latest(Subject.of("s")).content.schema.text == '"string"'


async def test_who_writes_in_between_ends_the_import_and_the_next_completes_it(log, version_of) -> None:
    records = [version_of("s", number, number, f'"{number}"') for number in range(1, COMMIT_ENTRIES + 3)]
    other = version_of("other", 1, 9_999, '"bytes"').entry()

    async def write_in_between() -> None:
        while await log.end() == 0:  # noqa: ASYNC110 - nothing tells of a commit in a log in memory
            await asyncio.sleep(0)
        async with log.turn(await log.end()) as turn:
            await turn.append([other])

    writing = asyncio.create_task(write_in_between())
    with pytest.raises(StoreDisagrees, match=r"^Somebody else wrote to the store"):
        await load(source_of(*records), log)
    await writing
    loaded = await load(source_of(*records), log)
    assert loaded.differences.agrees
    assert [difference.about for difference in loaded.differences.extra] == ["other"]


async def test_what_was_imported_can_be_read_by_a_registry(store, version_of) -> None:
    await load(source_of(version_of("s", 1, 1), FULL), store)
    state = await replay(store)
    assert state.latest(Subject.of("s")).id == 1
    assert state.config(Subject.of("s")).compatibility_level is Level.FULL
