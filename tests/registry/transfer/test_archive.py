"""Rows on disk: what went in comes out, also while more goes in, and a full disk is said to be."""

from __future__ import annotations

import errno
import os
import tempfile
from functools import partial
from pathlib import Path

import pytest

from registry.envelope import Entry
from registry.errors import SourceUnreadable
from registry.transfer.archive import BUFFER_BYTES, Archive

ROWS = [Entry(b"k", None), Entry(b"", b"\0" * BUFFER_BYTES, "Zoë", 2**40), Entry(b"\xff", b"v", "\ud800", -1)]


@pytest.fixture
def archive() -> Archive[Entry]:
    archive = Archive(Entry)
    for row in ROWS:
        archive.append(*row)
    return archive


def test_rows_come_out_as_they_went_in(archive) -> None:
    assert (list(archive), archive[1], len(archive)) == (ROWS, ROWS[1], 3)


@pytest.mark.parametrize(("first", "end"), [(0, 0), (1, 2), (1, 9), (5, 9)])
def test_a_part_is_read_as_of_a_list(archive, first: int, end: int) -> None:
    assert list(archive.between(first, end)) == ROWS[first:end]


def test_rows_can_be_added_while_others_are_read(archive) -> None:
    reading = iter(archive)
    first = next(reading)
    archive.append(*ROWS[0])
    assert [first, *reading, archive[3]] == [*ROWS, ROWS[0]]


def test_nothing_stays_on_the_disk_or_open() -> None:
    archive = Archive(Entry)
    number = archive._file.fileno()
    assert os.fstat(number).st_nlink == 0
    del archive
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(number)


@pytest.fixture
def full_disk(monkeypatch) -> None:
    """Every temporary file stands on a device that is always full."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no device that is always full")
    monkeypatch.setattr(tempfile, "TemporaryFile", partial(full.open, "w+b"))


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_said_in_one_sentence() -> None:
    archive = Archive(Entry)
    archive.append(b"key", b"value", None, None)
    with pytest.raises(SourceUnreadable, match=r"^What is read cannot be set aside in .* \(TMPDIR\): No space left"):
        list(archive)
