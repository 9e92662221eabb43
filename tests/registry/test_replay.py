"""A start has its state back from a snapshot as far as that is of use, and from the log where it is not."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

from registry import replay as module
from registry.envelope import Batch
from registry.errors import StoreFailed
from registry.log.memory import MemoryLog
from registry.model import Schema, Subject
from registry.records import Record, SchemaKey, SchemaValue
from registry.replay import SnapshotFile, keeping, replay
from registry.snapshot import Head, frames
from registry.state import State

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def three_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY_RECORDS", 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "snapshot"


class WatchedLog(MemoryLog):
    """A log in memory that tells from where it was read, and that may be out of reach."""

    def __init__(self) -> None:
        super().__init__(lambda: 1000)
        self.read_after: list[int] = []
        self.is_away = False

    def read(self, after: int) -> AsyncIterator[Batch]:
        if self.is_away:
            raise StoreFailed("The store cannot be read")
        self.read_after.append(after)
        return super().read(after)


async def append(log: MemoryLog, *versions: int) -> None:
    for version in versions:
        async with log.turn(await log.end()) as turn:
            said = Record(SchemaKey(Subject.of("s"), version), SchemaValue(version, Schema(f"{version}")))
            await turn.append([said.entry()])


async def log_of(*versions: int) -> WatchedLog:
    log = WatchedLog()
    await append(log, *versions)
    return log


async def run(log: WatchedLog, path: Path | None, *more: int) -> State:
    """Start, take in more versions, and stop."""
    snapshot = SnapshotFile(log, path)
    state = await replay(log, snapshot)
    async with keeping(snapshot, state):
        await append(log, *more)
        async for batch in log.read(state.position):
            state.advance(batch)
    return state


async def in_snapshot(log: WatchedLog, path: Path) -> State:
    """The state of the snapshot alone."""
    return await SnapshotFile(log, path).read(lambda _position: None)


def files(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def content_of(file: Path) -> bytes:
    return file.read_bytes()


def mode_of(file: Path) -> int:
    return file.stat().st_mode & 0o777


def kind_of(file: Path) -> int:
    return stat.S_IFMT(file.stat().st_mode)


def versions(state: State) -> list[int]:
    return [row.version for row in state.rows(Subject.of("s"))]


async def test_a_start_reads_the_snapshot_and_what_was_logged_since(path: Path) -> None:
    log = await log_of(1, 2, 3, 4)
    await run(log, path, 5)
    log.read_after.clear()
    assert versions(await replay(log, SnapshotFile(log, path))) == [1, 2, 3, 4, 5]
    assert log.read_after == [3, 4]  # the entry that the snapshot ends with is looked at


@pytest.mark.parametrize(
    ("before", "while_running", "snapshot_up_to"),
    [((1, 2, 3), (), None), ((1, 2, 3, 4), (), 4), ((1,), (2, 3), None), ((1,), (2, 3, 4), 4)],
)
async def test_a_snapshot_is_written_where_many_records_are_new(
    path: Path, before: tuple[int, ...], while_running: tuple[int, ...], snapshot_up_to: int | None
) -> None:
    log = await log_of(*before)
    await run(log, path, *while_running)
    assert files(path.parent) == ([path.name] if snapshot_up_to else [])
    assert (await in_snapshot(log, path)).position == (snapshot_up_to or 0)


async def test_a_snapshot_is_written_anew_when_many_records_came_since(path: Path) -> None:
    log = await log_of(1, 2, 3, 4)
    assert [(await run(log, path, *more)).position for more in [(5, 6, 7), (8,), (9,)]] == [7, 8, 9]
    assert (await in_snapshot(log, path)).position == 8


async def test_a_snapshot_is_written_while_a_registry_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.001)
    log = await log_of(1)
    snapshot = SnapshotFile(log, path)
    state = await replay(log, snapshot)
    async with keeping(snapshot, state):
        await append(log, 2, 3, 4)
        async for batch in log.read(state.position):
            state.advance(batch)
        while not files(path.parent):  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.001)
    assert (await in_snapshot(log, path)).position == 4


async def test_the_more_there_are_the_more_new_ones_make_a_snapshot_due(path: Path) -> None:
    log = await log_of(*range(1, 41))
    assert [(await run(log, path, *more)).position for more in [(), range(41, 46), (46,)]] == [40, 45, 46]
    assert (await in_snapshot(log, path)).position == 46


async def test_the_progress_of_a_start_is_told_while_a_snapshot_is_read(path: Path) -> None:
    log = await log_of(1, 2, 3, 4)
    await run(log, path, 5)
    told: list[tuple[int, int]] = []
    await replay(log, SnapshotFile(log, path), lambda position, end: told.append((position, end)))
    assert told == sorted(told)
    assert (len(told) > 2, told[-2:]) == (True, [(4, 5), (5, 5)])


async def test_a_snapshot_is_for_the_user_of_the_process_alone(path: Path) -> None:
    await run(await log_of(1, 2, 3, 4), path)
    assert mode_of(path) == 0o600


async def test_what_cannot_be_written_is_not_tried_again_until_more_is_new(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = await log_of(1, 2, 3, 4)
    snapshot = SnapshotFile(log, tmp_path / "gone" / "snapshot")
    state = await replay(log, snapshot)
    for _ in range(3):
        await snapshot.write_if_due(state)
    assert len(caplog.records) == 1


async def test_nothing_is_written_where_there_is_no_place(tmp_path: Path) -> None:
    assert versions(await run(await log_of(1, 2, 3, 4), None)) == [1, 2, 3, 4]
    assert files(tmp_path) == []


def belongs_to_another_log(log: WatchedLog, _path: Path) -> None:
    log.uuid = uuid4()  # type: ignore[misc]  # as after a restore


def ends_earlier(log: WatchedLog, _path: Path) -> None:
    del log._entries[3:], log._ends[3:]


def ends_otherwise(log: WatchedLog, _path: Path) -> None:
    log._entries[3] = replace(log._entries[3], timestamp_ms=1)


def breaks_off(_log: WatchedLog, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def is_damaged(_log: WatchedLog, path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"AVRO", b"avro"))


def is_empty(_log: WatchedLog, path: Path) -> None:
    path.write_bytes(b"")


def is_somebody_elses(_log: WatchedLog, path: Path) -> None:
    path.write_bytes(b"ana:secret")


def is_a_folder(_log: WatchedLog, path: Path) -> None:
    path.unlink()
    path.mkdir()


def is_a_pipe(_log: WatchedLog, path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize(
    "spoil",
    [belongs_to_another_log, ends_earlier, ends_otherwise, breaks_off, is_damaged, is_empty, is_a_folder, is_a_pipe],
)
async def test_a_snapshot_of_no_use_is_passed_over_and_reported(
    path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[WatchedLog, Path], None]
) -> None:
    log = await log_of(1, 2, 3, 4)
    await run(log, path)
    spoil(log, path)
    expected = await replay(log, SnapshotFile(log, None))
    assert versions(await replay(log, SnapshotFile(log, path))) == versions(expected)
    assert [record.getMessage() for record in caplog.records if str(path) in record.getMessage()]


def is_all_zeros(_log: WatchedLog, path: Path) -> None:
    path.write_bytes(bytes(1000))


def is_of_another_release(_log: WatchedLog, path: Path) -> None:
    path.write_bytes(b"".join(frames(Head("signet 9.9 snapshot 7", uuid4(), 9, b""), ())))


@pytest.mark.parametrize("spoil", [is_empty, is_all_zeros, is_of_another_release])
async def test_a_snapshot_of_no_use_is_replaced(path: Path, spoil: Callable[[WatchedLog, Path], None]) -> None:
    log = await log_of(1, 2, 3, 4)
    spoil(log, path)
    await run(log, path)
    assert (await in_snapshot(log, path)).position == 4


async def test_a_file_that_is_no_snapshot_is_not_replaced(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = await log_of(1, 2, 3, 4)
    is_somebody_elses(log, path)
    await run(log, path)
    assert (content_of(path), files(path.parent)) == (b"ana:secret", [path.name])
    assert caplog.messages[-1].endswith("what lies there is no snapshot")


async def test_what_is_no_file_is_not_replaced(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = await log_of(1, 2, 3, 4)
    is_a_pipe(log, path)
    await run(log, path)
    assert (files(path.parent), kind_of(path)) == ([path.name], stat.S_IFIFO)
    assert "could be written" in caplog.messages[-1]


async def test_no_snapshot_is_written_of_what_the_log_does_not_hold_any_more(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = await log_of(1, 2, 3, 4)
    snapshot = SnapshotFile(log, path)
    state = await replay(log, snapshot)
    ends_earlier(log, path)
    await snapshot.write_if_due(state)
    assert versions(await replay(log, SnapshotFile(log, path))) == [1, 2, 3]
    assert caplog.messages[-1].endswith("the store has no entry at position 4")


async def test_a_snapshot_is_not_written_where_somebody_elses_link_leads(path: Path) -> None:
    (path.parent / "precious").write_text("kept")
    path.with_name("snapshot.new").symlink_to("precious")
    await run(await log_of(1, 2, 3, 4), path)
    assert ((path.parent / "precious").read_text(), mode_of(path)) == ("kept", 0o600)


async def test_what_a_killed_process_left_half_written_is_in_nobodys_way(path: Path) -> None:
    log = await log_of(1, 2, 3, 4)
    is_empty(log, path.with_name("snapshot.new"))
    await run(log, path)
    assert files(path.parent) == [path.name]


async def test_a_registry_goes_on_where_no_snapshot_can_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert versions(await run(await log_of(1, 2, 3), tmp_path / "gone" / "snapshot", 4)) == [1, 2, 3, 4]
    assert ["No such file" in record.getMessage() for record in caplog.records] == [True]


async def test_a_registry_ends_where_the_log_is_out_of_reach(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = await log_of(1, 2, 3, 4)
    snapshot = SnapshotFile(log, path)
    state = await replay(log, snapshot)
    log.is_away = True
    async with keeping(snapshot, state):
        pass
    assert (files(path.parent), {record.levelname for record in caplog.records}) == ([], {"WARNING"})
