"""What only a log in an SQLite file promises: one process, and what is on the disk."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from registry.envelope import Batch, Entry
from registry.errors import Overloaded, SchemaTooLarge, StoreFailed, StoreUnusable
from registry.log import Log, open_log
from registry.log.sqlite_copy import back_up

pytestmark = pytest.mark.anyio

APPENDER = Path(__file__).with_name("append_for_ever.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "signet.db"


@pytest.fixture
async def log(path: Path) -> AsyncIterator[Log]:
    log = await open_log(f"sqlite:{path}")
    yield log
    await log.close()


async def append(log: Log, *entries: Entry) -> Batch:
    async with log.turn(await log.end()) as turn:
        return await turn.append(entries)


async def count(log: Log) -> int:
    return sum([len(batch.entries) async for batch in log.read(0)])


async def append_until_refused(log: Log) -> None:
    while True:
        await append(log, Entry(b"a", b"v" * 9_000), Entry(b"b", b"v" * 9_000))


def bytes_in(file: Path) -> int:
    return file.stat().st_size


def overwrite(file: Path, content: bytes) -> None:
    file.write_bytes(content)


def remove(file: Path) -> None:
    file.unlink()


def contents(file: Path) -> bytes:
    return file.read_bytes()


def start_appender(path: Path, name: str = "a") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, APPENDER, f"sqlite:{path}", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def test_a_second_opening_of_the_file_is_refused_naming_the_process(log: Log, path: Path) -> None:
    with pytest.raises(StoreUnusable, match=rf"^{path} is in use by another process \(process id {os.getpid()}\)$"):
        await open_log(f"sqlite:{path}")
    assert (await append(log, Entry(b"k", b"v"))).end == 1


def by_a_link(path: Path) -> Path:
    link = path.with_name("link.db")
    link.symlink_to(path)
    return link


def by_a_second_name(path: Path) -> Path:
    name = path.with_name("second.db")
    name.hardlink_to(path)
    return name


def past_the_lock_file(path: Path) -> Path:
    remove(path.with_name("signet.db.lock"))
    return path


def refusal_of_a_second(path: Path) -> str:
    second = [sys.executable, APPENDER, f"sqlite:{path}", "b"]
    return subprocess.run(second, capture_output=True, text=True, timeout=20).stderr.splitlines()[-1]


@pytest.mark.parametrize("way", [by_a_link, by_a_second_name, past_the_lock_file])
async def test_a_second_process_is_refused_whatever_way_it_comes_to_the_file(log: Log, path: Path, way) -> None:
    await append(log, Entry(b"a", b"1"))
    assert "is in use by another process" in refusal_of_a_second(way(path))
    assert ((await append(log, Entry(b"b", b"2"))).end, log.alarm) == (2, None)


async def test_a_closed_log_lets_the_next_one_in_and_leaves_one_file_and_its_lock(path: Path) -> None:
    for _ in range(3):
        log = await open_log(f"sqlite:{path}")
        await append(log, Entry(b"k", b"v"))
        await log.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["signet.db", "signet.db.lock"]


async def test_kill_9_loses_no_acknowledged_commit_and_leaves_none_in_halves(path: Path) -> None:
    acknowledged: dict[int, str] = {}
    for name in "abcde":
        process = start_appender(path, name)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        await asyncio.sleep(random.uniform(0.01, 0.3))
        process.send_signal(signal.SIGKILL)
        lines, _ = process.communicate()
        for line in lines.splitlines(keepends=True):
            if line.endswith("\n"):  # the last line may be torn
                end, key = line.split(maxsplit=1)
                acknowledged[int(end)] = key.strip()
    log = await open_log(f"sqlite:{path}")
    entries = [entry async for batch in log.read(0) for entry in batch.entries]
    await log.close()
    assert len(acknowledged) > 5
    assert {end: entries[end - 3].key.decode() for end in acknowledged} == acknowledged
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
    assert len(entries) % 3 == 0
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


async def test_a_commit_is_synced_to_the_disk_before_it_is_answered(log: Log) -> None:
    (level,) = log._writer.execute("PRAGMA synchronous").fetchone()
    (mode,) = log._writer.execute("PRAGMA journal_mode").fetchone()
    assert (level, mode) == (2, "wal")


async def test_the_commit_id_is_stored_once_per_append(log: Log, path: Path) -> None:
    for size in (3, 1):
        await append(log, *[Entry(b"k", b"v")] * size)
    with sqlite3.connect(path) as database:
        commits = database.execute("SELECT position, commit_id FROM log WHERE commit_id IS NOT NULL").fetchall()
    database.close()
    assert [position for position, _ in commits] == [3, 4]
    assert len({commit_id for _, commit_id in commits}) == 2


async def test_the_write_ahead_log_is_moved_into_the_file_when_idle(log: Log, path: Path) -> None:
    size = bytes_in(path)
    await append(log, Entry(b"k", b"v" * 1_000_000))
    assert bytes_in(path) == size
    await asyncio.sleep(0.6)
    assert bytes_in(path) > 1_000_000
    assert bytes_in(path.with_name("signet.db-wal")) == 0


async def test_the_write_ahead_log_is_moved_as_far_as_a_person_who_reads_lets_it(log: Log, path: Path) -> None:
    await append(log, Entry(b"k", b"v" * 1_000_000))
    with sqlite3.connect(path) as person:
        person.execute("BEGIN")
        person.execute("SELECT count(*) FROM log").fetchone()
        await append(log, Entry(b"k", b"v"))
        await log._in(log._writing, log._move_write_ahead_log, is_idle=True)
        assert bytes_in(path) > 1_000_000
        assert (await append(log, Entry(b"k", b"v"))).end == 3
    person.close()


async def test_nothing_is_left_in_the_write_ahead_log_when_a_person_has_read(log: Log, path: Path) -> None:
    await append(log, Entry(b"k", b"v"))
    with sqlite3.connect(path) as person:
        person.execute("BEGIN")
        person.execute("SELECT count(*) FROM log").fetchone()
        await append(log, Entry(b"k", b"v"))
        await asyncio.sleep(0.6)
        assert bytes_in(path.with_name("signet.db-wal")) > 0
        person.rollback()
    person.close()
    await asyncio.sleep(0.6)
    assert bytes_in(path.with_name("signet.db-wal")) == 0


async def test_nothing_is_left_of_the_write_ahead_log_of_a_killed_process(path: Path) -> None:
    process = start_appender(path)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    await asyncio.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert bytes_in(path.with_name("signet.db-wal")) > 0
    log = await open_log(f"sqlite:{path}")
    assert bytes_in(path.with_name("signet.db-wal")) == 0
    await log.close()


async def test_the_write_ahead_log_stays_bounded_under_load(log: Log, path: Path) -> None:
    for _ in range(40):
        await append(log, Entry(b"k", b"v" * 1_000_000))
    assert bytes_in(path.with_name("signet.db-wal")) < 20_000_000


async def test_a_person_who_reads_the_file_is_not_in_the_way(log: Log, path: Path) -> None:
    with sqlite3.connect(path) as person:
        person.execute("BEGIN")
        assert person.execute("SELECT count(*) FROM versions").fetchone() == (0,)
        assert (await append(log, Entry(b"k", b"v"))).end == 1
    person.close()


async def test_a_person_who_locks_the_file_delays_writes_until_they_are_refused(log: Log, path: Path) -> None:
    log._writer.execute("PRAGMA busy_timeout = 20")
    with sqlite3.connect(path) as person:
        person.execute("BEGIN IMMEDIATE")
        with pytest.raises(Overloaded, match="Another program"):
            await append(log, Entry(b"k", b"v"))
        person.rollback()
    person.close()
    assert (await append(log, Entry(b"k", b"v"))).end == 1


async def test_a_value_larger_than_sqlite_takes_is_refused_whole(log: Log) -> None:
    log._writer.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1000)
    with pytest.raises(SchemaTooLarge):
        await append(log, Entry(b"small", b"v"), Entry(b"large", b"v" * 2000))
    assert (await append(log, Entry(b"k", b"v"))).end == 1


class LostAnswer:
    """A connection whose first COMMIT is carried out and then reported as failed, as by a failing disk."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.answers_to_lose = 1

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def execute(self, statement: str, *parameters: object) -> sqlite3.Cursor:
        cursor = self._connection.execute(statement, *parameters)
        if statement == "COMMIT" and self.answers_to_lose:
            self.answers_to_lose -= 1
            raise sqlite3.OperationalError("disk I/O error")
        return cursor


async def test_a_commit_that_came_through_is_a_success_whatever_was_reported(log: Log) -> None:
    log._writer = LostAnswer(log._writer)
    assert (await append(log, Entry(b"k", b"v"))).end == 1
    assert (await append(log, Entry(b"k", b"v"))).end == await count(log) == 2


def move_away(path: Path, replaced: bool) -> Path:
    kept = path.rename(path.with_name("elsewhere.db"))
    if replaced:
        path.write_bytes(kept.read_bytes())
    return kept


@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "gone"])
async def test_a_file_that_is_not_in_its_place_takes_nothing_that_the_next_start_would_not_find(
    log: Log, path: Path, replaced: bool
) -> None:
    await append(log, Entry(b"a", b"1"))
    kept = move_away(path, replaced)
    with pytest.raises(StoreFailed, match="moved, deleted or replaced"):
        await append(log, Entry(b"b", b"2"))
    assert log.alarm is not None
    kept.rename(path)
    assert ((await append(log, Entry(b"c", b"3"))).end, log.alarm, await count(log)) == (2, None, 2)


async def test_what_was_written_goes_with_a_moved_file_and_not_into_the_one_in_its_place(log: Log, path: Path) -> None:
    await append(log, Entry(b"a", b"1"))
    move_away(path, replaced=True)
    with pytest.raises(StoreFailed):
        await append(log, Entry(b"b", b"2"))
    assert bytes_in(path.with_name("signet.db-wal")) == 0
    assert b"a1" in path.with_name("elsewhere.db").read_bytes()


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
async def test_nothing_is_written_to_a_write_ahead_log_that_no_start_would_find(
    log: Log, path: Path, ending: str
) -> None:
    await append(log, Entry(b"a", b"1"))
    remove(path.with_name(f"signet.db{ending}"))
    with pytest.raises(StoreFailed, match="or what lies beside it, was moved, deleted or replaced"):
        await append(log, Entry(b"b", b"2"))
    # What was acknowledged before is where a start looks for it, also after kill -9.
    assert b"a1" in contents(path)


async def another_log(log: Log, path: Path) -> bytes:
    await append(log, Entry(b"b", b"2"))
    other = await open_log(f"sqlite:{path}.other")
    await append(other, *(Entry(b"k", b"theirs") for _ in range(100)))
    await other.close()
    return contents(path.with_name("signet.db.other"))


async def an_older_copy(log: Log, path: Path) -> bytes:
    copy = contents(path)
    await append(log, Entry(b"b", b"2"))
    await log._in(log._writing, log._move_write_ahead_log, is_idle=False)
    return copy


async def a_backup_of_now(log: Log, path: Path) -> bytes:
    await append(log, Entry(b"b", b"2"))
    back_up(f"sqlite:{path}", path.with_name("backup.db"))
    return contents(path.with_name("backup.db"))


async def nothing(log: Log, _path: Path) -> bytes:
    await append(log, Entry(b"b", b"2"))
    return b""


def move_write_ahead_log(path: Path) -> None:
    with sqlite3.connect(path) as person:
        person.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    person.close()


@pytest.mark.parametrize("overwriting", [another_log, an_older_copy, a_backup_of_now, nothing])
async def test_a_file_that_is_overwritten_is_left_as_it_is(log: Log, path: Path, overwriting) -> None:
    await append(log, Entry(b"a", b"1"))
    content = await overwriting(log, path)
    overwrite(path, content)
    with pytest.raises(StoreFailed, match="overwritten while it was in use"):
        await append(log, Entry(b"c", b"3"))
    assert log.alarm is not None
    await log.close()
    # What SQLite had not moved into the file would be taken for a part of what lies there now.
    assert (contents(path), path.with_name("signet.db-wal").exists()) == (content, False)


async def test_a_file_that_was_overwritten_takes_nothing_until_the_next_start_even_when_it_is_back(
    log: Log, path: Path
) -> None:
    await append(log, Entry(b"a", b"1"))
    await log._in(log._writing, log._move_write_ahead_log, is_idle=True)
    content = contents(path)
    await append(log, Entry(b"b", b"2"))
    for lying in (b"", content):
        overwrite(path, lying)
        with pytest.raises(StoreFailed, match="overwritten while it was in use"):
            await append(log, Entry(b"c", b"3"))


async def test_what_a_second_process_wrote_whose_lock_was_deleted_is_left_to_it(log: Log, path: Path) -> None:
    remove(path.with_name("signet.db.lock"))
    second = await open_log(f"sqlite:{path}")
    await append(second, Entry(b"a", b"1"))
    with pytest.raises(StoreFailed):
        await append(log, Entry(b"b", b"2"))
    await second._in(second._writing, second._move_write_ahead_log, is_idle=False)
    with pytest.raises(StoreFailed, match="Another process wrote"):
        await append(log, Entry(b"b", b"2"))
    assert ((await append(second, Entry(b"c", b"3"))).end, await count(second)) == (2, 2)
    await second.close()


async def test_a_file_is_not_taken_for_overwritten_where_a_person_moves_the_write_ahead_log(
    log: Log, path: Path
) -> None:
    for number in range(1, 4):
        await append(log, Entry(b"k", b"v"))
        move_write_ahead_log(path)
        os.utime(path)
        assert (log.alarm, await count(log)) == (None, number)


async def test_a_file_of_an_older_release_is_not_taken_for_overwritten_while_a_person_reads_it(
    log: Log, path: Path
) -> None:
    await append(log, Entry(b"k", b"v"))
    await log.close()
    with sqlite3.connect(path) as person:
        person.execute("PRAGMA user_version = 0")
        person.execute("BEGIN")
        person.execute("SELECT count(*) FROM log").fetchone()
        again = await open_log(f"sqlite:{path}")
        assert [(await append(again, Entry(b"k", b"v"))).end for _ in range(2)] == [2, 3]
    person.close()
    await again.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(ballast: Path) -> None:
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


async def test_a_full_disk_refuses_writes_whole_and_recovers_when_there_is_space(small_disk: Path) -> None:
    log = await open_log(f"sqlite:{small_disk / 'signet.db'}")
    ballast = small_disk / "ballast"
    for cycle in range(3):
        fill(ballast)
        with pytest.raises(StoreFailed, match="The disk of the store is full"):
            await append_until_refused(log)
        full = await log.end()
        assert await count(log) == full, f"cycle {cycle}"
        ballast.unlink()
        assert (await append(log, Entry(b"k", b"v"), Entry(b"k", None))).after == full
    await log.close()


async def test_a_file_of_an_older_release_is_read_where_the_disk_is_nearly_full(small_disk: Path) -> None:
    path = small_disk / "signet.db"
    log = await open_log(f"sqlite:{path}")
    await append(log, Entry(b"k", b"v"))
    await log.close()
    with sqlite3.connect(path) as person:
        person.execute("PRAGMA user_version = 0")
    person.close()
    fill(small_disk / "ballast")
    os.truncate(small_disk / "ballast", bytes_in(small_disk / "ballast") - 36 * 1024)  # for SQLite's shared memory
    again = await open_log(f"sqlite:{path}")
    assert await count(again) == 1
    await again.close()


async def test_a_full_database_refuses_writes_whole_and_recovers(log: Log) -> None:
    log._writer.execute("PRAGMA max_page_count = 60")
    with pytest.raises(StoreFailed, match="The disk of the store is full"):
        await append_until_refused(log)
    assert await count(log) == await log.end() > 0
    log._writer.execute("PRAGMA max_page_count = 1000")
    assert (await append(log, Entry(b"k", b"v"))).entries


OPEN_WITHOUT_RIGHTS = """
import asyncio, os, sys
import registry.log.sqlite
from registry.log import open_log
if os.getuid() == 0:
    os.setuid(65534)  # root may write everywhere
try:
    asyncio.run(open_log(sys.argv[1]))
except registry.log.sqlite.StoreUnusable as error:
    print(error.message)
"""


def open_without_rights(path: Path, folder_mode: int) -> str:
    path.parent.chmod(folder_mode)
    return subprocess.check_output([sys.executable, "-c", OPEN_WITHOUT_RIGHTS, f"sqlite:{path}"], text=True)


@pytest.fixture
def reachable_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own lie in a folder that only its owner may enter
        yield Path(folder)


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "sentence"),
    [
        (0o555, None, ".lock cannot be written: Permission denied"),
        (0o555, 0o444, " is read-only"),
        (0o777, 0o444, " is read-only"),
        (0o777, 0o000, " cannot be opened; check the permissions of the file and its folder"),
    ],
)
async def test_a_read_only_folder_or_file_is_refused(
    reachable_folder: Path, folder_mode: int, file_mode: int | None, sentence: str
) -> None:
    path = reachable_folder / "signet.db"
    if file_mode is not None:
        await (await open_log(f"sqlite:{path}")).close()
        path.chmod(file_mode)
        path.with_name("signet.db.lock").chmod(0o666)
    assert open_without_rights(path, folder_mode) == f"{path}{sentence}\n"
