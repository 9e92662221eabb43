"""What is found in a store that somebody has damaged, and that nothing is found in others."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from registry.envelope import Entry
from registry.log import open_history, open_log
from registry.log.memory import MemoryLog
from registry.model import Metadata, Reference, Schema, Subject
from registry.records import Record, SchemaKey, SchemaValue
from registry.transfer import verify

pytestmark = pytest.mark.anyio

MD5 = b"\x01" * 16


def saying(subject: str, version: int, number: int, schema: Schema, md5: bytes | None = None) -> Record:
    return Record(SchemaKey(Subject.of(subject), version), SchemaValue(number, schema, md5=md5))


def referring(*references: Reference) -> Record:
    return saying("s", 1, 9, Schema('"a.B"', references=references))


INT, LONG = Schema('"int"'), Schema('"long"')
SENSITIVE = Schema('"int"', metadata=Metadata(sensitive=("p",)))


@pytest.mark.parametrize(
    ("records", "finding"),
    [
        ([Entry(b"{}", None)], "Position 1 cannot be read: 'keytype' is missing or unknown"),
        (
            [saying("s", 1, 1, INT), saying("t", 1, 1, LONG)],
            "Position 2 binds an id to another schema than the one that it means",
        ),
        (
            [saying("s", 1, 1, INT), saying("s", 1, 2, LONG)],
            "Position 2 replaces version 1 of s, which was id 1, by id 2",
        ),
        (
            [saying("s", 1, 1, INT), saying("s", 1, 1, SENSITIVE)],
            "Position 2 replaces version 1 of s, which was id 1, by id 1",
        ),
        ([referring(Reference("a.B", "t", 3))], "Version 1 of s refers to version 3 of t, which is not there"),
        ([referring(Reference("a.B", "t", None))], "Version 1 of s has a reference without a subject or a version"),
        (
            [saying("s", 1, 1, INT, MD5), saying("t", 1, 2, LONG, MD5)],
            "The GUID 01010101-0101-0101-0101-010101010101 means two schemas, one of them version 1 of t",
        ),
    ],
)
async def test_each_thing_that_should_not_be_is_a_finding(append, records, finding) -> None:
    log = MemoryLog(lambda: 1)
    await append(log, records)
    assert (await verify(log)).findings == [finding]


@pytest.mark.parametrize(
    "records",
    [
        [],
        [saying("s", 1, 1, INT), saying("t", 1, 1, INT), saying(":.c:s", 1, 1, LONG)],
        [saying("s", 1, 1, INT), Record(SchemaKey(Subject.of("s"), 1), None), saying("s", 1, 2, LONG)],
        [saying("s", 1, 1, INT), Record(SchemaKey(Subject.of("s"), 1), SchemaValue(1, INT, deleted=True))],
        [saying("t", 3, 1, INT), referring(Reference("a.B", "t", 3))],
        [saying(":.c:t", 3, 1, INT), saying(":.c:s", 1, 2, Schema("x", references=(Reference("a.B", "t", 3),)))],
        [saying("s", 1, 1, SENSITIVE, MD5), saying("t", 1, 1, SENSITIVE, MD5)],
    ],
)
async def test_nothing_is_found_where_all_is_well(append, records) -> None:
    log = MemoryLog(lambda: 1)
    await append(log, records)
    found = await verify(log)
    assert (found.findings, found.records, found.end) == ([], len(records), len(records))


async def test_versions_that_came_out_of_order_are_counted_and_no_finding(append, version_of) -> None:
    log = MemoryLog(lambda: 1)
    await append(log, [version_of("s", 2, 1), version_of("s", 1, 2, '"long"'), version_of("s", 3, 3, '"x"')])
    found = await verify(log)
    assert (found.findings, found.out_of_order) == ([], 1)


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("DELETE FROM log WHERE position = 2", "Position 3 follows position 1"),
        ("DELETE FROM log WHERE position = 1", "Position 2 follows position 0"),
        ("UPDATE log SET value = '{' WHERE position = 2", "Position 2 cannot be read: unexpected end of data"),
    ],
)
async def test_damage_in_a_file_is_found_beside_the_process_that_has_it_open(
    append, version_of, tmp_path: Path, damage, finding
) -> None:
    url = f"sqlite:{tmp_path}/signet.db"
    log = await open_log(url)
    await append(log, [version_of("s", number, number, f'"{number}"') for number in (1, 2, 3)])
    with sqlite3.connect(f"{tmp_path}/signet.db") as connection:
        connection.execute(damage)
    connection.close()
    history = await open_history(url)
    (found,) = (await verify(history)).findings
    assert found.startswith(finding)
    await history.close()
    await log.close()


async def test_a_damaged_page_is_found_that_holds_no_record(append, version_of, tmp_path: Path) -> None:
    file = tmp_path / "signet.db"
    log = await open_log(f"sqlite:{file}")
    await append(log, [version_of("s", 1, 1)])
    await log.close()
    page_bytes = 4096
    file.write_bytes(file.read_bytes()[:page_bytes] + b"\xa5" * page_bytes + file.read_bytes()[2 * page_bytes :])
    history = await open_history(f"sqlite:{file}")
    (found,) = (await verify(history)).findings
    assert found.startswith("The file is damaged: Page 2: ")
    await history.close()
