"""The machine misbehaves: its disk is full, or its clock jumps."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.resilience.clients import Client, Mixed, contents_of, listed, load
from tests.resilience.history import Operation, Outcome
from tests.resilience.oracle import judge
from tests.resilience.test_kills import assert_whole

WRITERS = 4
DISK_BYTES = 48 * 2**20
ENOUGH_REFUSALS = 40
RECOVERY_SECONDS = 15.0
LIBFAKETIME = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
HOUR, YEAR = 3600, 365 * 86400
JUMPS_SECONDS = (10 * YEAR, -HOUR, -10 * YEAR, HOUR)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own, small enough to be filled."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("no tmpfs can be mounted here; max_page_count stands in for the full disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(disk: Path) -> None:
    """Take every byte that is left."""
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"\0" * 4096)


class Disk:
    """A disk that can be full: a tmpfs, or a limit on the pages of the file."""

    def __init__(self, folder: Path, *, is_real: bool) -> None:
        self.folder = folder
        self._sign = folder / ("filler" if is_real else "full")
        self._is_real = is_real
        self.seams = {} if is_real else {"full": str(self._sign)}

    def fill(self) -> None:
        if self._is_real:
            fill(self.folder)
        else:
            self._sign.touch()

    def free(self) -> None:
        self._sign.unlink()


@pytest.fixture(params=["tmpfs", "max_page_count"])
def disk(request, tmp_path) -> Iterator[Disk]:
    if request.param == "max_page_count":
        yield Disk(tmp_path, is_real=False)
        return
    with small_disk(tmp_path / "disk") as folder:
        yield Disk(folder, is_real=True)


def refusals(history) -> int:
    return sum(one.outcome is Outcome.UNAVAILABLE for one in history)


def writes_since(history, moment: float) -> bool:
    done = (
        one.operation is Operation.REGISTER and one.outcome is Outcome.DONE for one in history if one.started > moment
    )
    return any(done)


def test_a_full_disk_refuses_writes_and_nothing_else_until_there_is_room(
    disk, request, new_node, history, count, seed, account
):
    kind = "a tmpfs" if disk.seams == {} else "max_page_count"
    told = account(
        "The machine", f"the disk of SQLite full, and free again ({kind}); every fourth time killed meanwhile"
    )
    choose, work, recoveries = random.Random(seed), Mixed(seed), []
    node = new_node("1", f"sqlite:{disk.folder}/signet.db")
    node.start(**disk.seams)
    for number in range(count("disk_full_cycles")):
        work.round = number // 5
        with load(history, [node], WRITERS, work) as running, Client([], node) as reader:
            time.sleep(choose.uniform(0.05, 0.2))
            disk.fill()
            before = refusals(history)
            running.until(lambda before=before: refusals(history) >= before + ENOUGH_REFUSALS)
            assert reader.latest(f"orders-value-{work.round}").outcome in (Outcome.DONE, Outcome.ABSENT)
            if number % 4 == 3:
                node.kill()
            disk.free()
            freed_at = time.monotonic()
            if not node.is_alive():
                node.start(**disk.seams)
            running.until(lambda freed_at=freed_at: writes_since(history[-200:], freed_at))
            recoveries.append(time.monotonic() - freed_at)
    told.did(times_full=count("disk_full_cycles"), writers=WRITERS)
    told.note(f"written again at most {max(recoveries):.2f} s after there was room")
    told.judged(judge(history, contents_of(node)))
    node.stop()
    assert_whole(disk.folder / "signet.db")
    assert max(recoveries) < RECOVERY_SECONDS


class JumpingClock:
    """The clock of one node, set through libfaketime where it is installed, else handed to its log."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.library = next(filter(os.path.exists, LIBFAKETIME), None)
        self.jump(0)

    def jump(self, seconds: int) -> None:
        """Be off by so many seconds from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{seconds:+d}" if self.library else str(seconds))
        new.replace(self._file)

    def start(self, node) -> None:
        if self.library:
            node.with_environment(
                LD_PRELOAD=self.library,
                FAKETIME_TIMESTAMP_FILE=str(self._file),
                FAKETIME_NO_CACHE="1",
                DONT_FAKE_MONOTONIC="1",
                FAKETIME_DONT_FAKE_MONOTONIC="1",
            ).start()
        else:
            node.start(clock=str(self._file))


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_clock_that_jumps_changes_nothing_but_timestamps(
    engine, new_node, request, history, count, seed, account, tmp_path
):
    clock, work = JumpingClock(tmp_path), Mixed(seed)
    how = "libfaketime" if clock.library else "the clock handed to its log"
    told = account("The machine", f"the clock of a node over {engine} jumps by an hour and by ten years ({how})")
    store = (
        request.getfixturevalue(f"{engine}_store") if engine == "sqlite" else request.getfixturevalue("postgres").url
    )
    nodes = [new_node("jumping", store)]
    clock.start(nodes[0])
    if engine == "postgres":
        nodes.append(new_node("steady", store))
        nodes[1].start()
    with load(history, nodes, WRITERS, work) as running:
        for number in range(count("clock_jumps")):
            work.round = number // 5
            clock.jump(JUMPS_SECONDS[number % 4])
            jumped_at = time.monotonic()
            time.sleep(0.3)
            running.until(lambda jumped_at=jumped_at: writes_since(history[-200:], jumped_at))
    years = {time.gmtime(one["ts"] / 1000).tm_year for one in listed(nodes[0])}
    told.did(jumps=count("clock_jumps"), years_in_the_timestamps=", ".join(map(str, sorted(years))))
    told.judged(judge(history, contents_of(nodes[0])))
    assert len(years) > 1
