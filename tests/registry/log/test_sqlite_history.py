"""Reading and copying an SQLite file beside the process that writes it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from registry.envelope import Entry
from registry.errors import StoreDisagrees, StoreUnusable
from registry.log import Log, open_history, open_log, sqlite_copy

pytestmark = pytest.mark.anyio

APPENDER = Path(__file__).with_name("append_for_ever.py")
LAST = Entry(b"last", None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "signet.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite:{path}"


@pytest.fixture
async def log(url: str) -> AsyncIterator[Log]:
    """A store of three entries, open for writing."""
    log = await open_log(url)
    async with log.turn(0) as turn:
        await turn.append([Entry(b"a", b"1", "me"), Entry(b"b", None), Entry(b"c", b"3")])
    yield log
    await log.close()


@pytest.fixture
def writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that writes to the file until the test is over."""
    command = [sys.executable, APPENDER, f"sqlite:{path}", "w"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(50):
            process.stdout.readline()
        yield process
        process.kill()


async def contents(url: str) -> list[tuple[int, bytes, bytes | None, str | None]]:
    history = await open_history(url)
    entries = [entry async for batch in history.read(0) for entry in batch.entries]
    await history.close()
    return [(entry.position, entry.key, entry.value, entry.author) for entry in entries]


def acknowledged(process: subprocess.Popen[str]) -> int:
    """The position that the writer has just been told of."""
    return int(process.stdout.readline().split()[0])


async def test_what_is_committed_is_read_while_the_log_is_open(log, url) -> None:
    assert await contents(url) == [(1, b"a", b"1", "me"), (2, b"b", None, None), (3, b"c", b"3", None)]
    async with log.turn(3) as turn:
        await turn.append([Entry(b"d", b"4")])
    assert len(await contents(url)) == 4


async def test_a_history_has_the_identity_of_its_log(log, url) -> None:
    history = await open_history(url)
    assert history.uuid == log.uuid
    await history.close()


async def test_a_history_ends_where_it_was_asked_to_begin(log, url) -> None:
    history = await open_history(url)
    assert [batch async for batch in history.read(3)] == []
    await history.close()


def bytes_in(name: str) -> int:
    return Path(name).stat().st_size


async def test_what_a_killed_writer_left_in_the_write_ahead_log_is_read(writer, path, url) -> None:
    told = acknowledged(writer)
    writer.kill()
    writer.wait()
    assert bytes_in(f"{path}-wal") > 0
    assert len(await contents(url)) >= told


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "does not exist$"),
        (lambda path: path.touch(), "is empty: no registry has written to it yet$"),
        (lambda path: path.write_text("no database at all, but long enough " * 50), "is not an SQLite database$"),
        (lambda path: make_foreign(path, 0), "is an SQLite database of another program$"),
        (lambda path: make_foreign(path, 0x5369676E), "holds no whole log: no such table: identity$"),
    ],
)
async def test_what_is_no_store_is_refused_in_one_sentence_and_not_made_one(path, url, make, sentence) -> None:
    make(path)
    before = path.exists() and path.read_bytes()
    with pytest.raises(StoreUnusable, match=sentence):
        await open_history(url)
    assert (path.exists() and path.read_bytes()) == before


def make_foreign(path: Path, application_id: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {application_id}")
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()


async def test_a_backup_holds_all_that_was_acknowledged_before_it(writer, url, tmp_path) -> None:
    for number in range(5):
        told = acknowledged(writer)
        backup = tmp_path / f"{number}.db"
        sqlite_copy.back_up(url, backup)
        positions = [position for position, *_ in await contents(f"sqlite:{backup}")]
        assert positions == list(range(1, len(positions) + 1))
        assert len(positions) >= told
        assert len(positions) % 3 == 0  # whole commits


async def test_a_backup_can_be_served_and_leaves_the_writer_alone(writer, url, tmp_path) -> None:
    sqlite_copy.back_up(url, tmp_path / "backup.db")
    log = await open_log(f"sqlite:{tmp_path}/backup.db")
    assert await log.end() > 0
    await log.close()
    before = acknowledged(writer)
    assert acknowledged(writer) > before
    assert writer.poll() is None


async def test_a_backup_overwrites_nothing_and_leaves_nothing_half_done(log, url, path, tmp_path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_text("mine")
    with pytest.raises(StoreDisagrees, match=f"^{taken} exists already, and nothing is overwritten$"):
        sqlite_copy.back_up(url, taken)
    assert taken.read_text() == "mine"
    with pytest.raises(StoreUnusable, match="cannot be copied to"):
        sqlite_copy.back_up(url, tmp_path / "nowhere" / "backup.db")
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        ["taken.db", *(f"signet.db{ending}" for ending in ("", "-shm", "-wal", ".lock"))]
    )


async def test_what_a_killed_backup_left_is_no_obstacle(log, url, tmp_path) -> None:
    (tmp_path / "backup.db.growing").write_text("half")
    sqlite_copy.back_up(url, tmp_path / "backup.db")
    assert len(await contents(f"sqlite:{tmp_path}/backup.db")) == 3


def back_up_within(kib: int, url: str, target: Path) -> str:
    """What is said by a backup that may write no file larger than that."""
    command = f"ulimit -f {kib}; exec {sys.executable} -m registry backup {target} --store {url}"
    return subprocess.run(["bash", "-c", command], stderr=subprocess.PIPE, text=True, check=False).stderr


async def test_a_backup_for_which_there_is_no_room_leaves_nothing_behind(log, url, tmp_path) -> None:
    async with log.turn(3) as turn:  # more than SQLite keeps in memory, so that it needs a journal
        await turn.append([Entry(b"large", bytes(4 * 2**20))])
    assert back_up_within(1_000, url, tmp_path / "backup.db").endswith("backup.db: disk I/O error\n")
    assert not any(tmp_path.glob("backup.db*"))


async def test_a_damaged_file_is_not_copied(log, url, path, tmp_path) -> None:
    sqlite_copy.back_up(url, tmp_path / "good.db")
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(damage(bytearray((tmp_path / "good.db").read_bytes())))
    with pytest.raises(StoreUnusable, match=r"(is damaged|cannot be copied)"):
        sqlite_copy.back_up(f"sqlite:{damaged}", tmp_path / "backup.db")
    assert not (tmp_path / "backup.db").exists()


def damage(content: bytearray) -> bytearray:
    """The file with the page that holds the entries spoiled."""
    page = content.index(b"a1me") // 4096 * 4096
    content[page : page + 8] = b"\xff" * 8
    return content


async def test_a_restored_log_is_another_log_with_one_more_entry(log, url, tmp_path) -> None:
    sqlite_copy.back_up(url, tmp_path / "backup.db")
    target = f"sqlite:{tmp_path}/new.db"
    sqlite_copy.restore(tmp_path / "backup.db", target, LAST)
    restored = await open_log(target)
    assert restored.uuid != log.uuid
    assert await contents(target) == [*await contents(url), (4, b"last", None, None)]
    async with restored.turn(4) as turn:
        assert (await turn.append([Entry(b"next", None)])).end == 5
    await restored.close()


async def test_the_entry_of_a_restored_log_is_a_commit_of_its_own(log, url, tmp_path) -> None:
    sqlite_copy.back_up(url, tmp_path / "backup.db")
    sqlite_copy.restore(tmp_path / "backup.db", f"sqlite:{tmp_path}/new.db", LAST)
    with sqlite3.connect(tmp_path / "new.db") as connection:
        ends = connection.execute("SELECT position FROM log WHERE commit_id IS NOT NULL").fetchall()
    connection.close()
    assert ends == [(3,), (4,)]


@pytest.mark.parametrize("leftover", ["new.db", "new.db-wal", "new.db-shm", "new.db-journal"])
async def test_nothing_is_restored_over_a_file_or_what_it_left_behind(log, url, tmp_path, leftover) -> None:
    sqlite_copy.back_up(url, tmp_path / "backup.db")
    (tmp_path / leftover).write_bytes(b"")
    with pytest.raises(StoreDisagrees, match=f"{leftover} exists already, and nothing is overwritten$"):
        sqlite_copy.restore(tmp_path / "backup.db", f"sqlite:{tmp_path}/new.db", LAST)


async def test_nothing_is_restored_into_a_place_that_a_registry_holds(log, url, path, tmp_path) -> None:
    sqlite_copy.back_up(url, tmp_path / "backup.db")
    shutil.move(path, tmp_path / "moved.db")
    with pytest.raises(StoreUnusable, match="is in use by another process"):
        sqlite_copy.restore(tmp_path / "backup.db", url, LAST)
