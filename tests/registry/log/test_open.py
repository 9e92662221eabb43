"""Opening a store: which engine a URL picks, and the one sentence when it cannot be used."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from registry.errors import StoreUnusable
from registry.log import open_log

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "'' is not a store this registry knows"),
        ("signet.db", "'signet.db' is not a store"),
        ("mysql://user:secret@host/db", "'mysql' is not a store"),
        ("memory:x", "its URL is memory:"),
        ("sqlite:", "is written sqlite:FILE"),
        ("sqlite::memory:", "in memory is memory:"),
        ("sqlite://signet.db", "is written sqlite:FILE"),
        ("sqlite:a\0b", "is written sqlite:FILE"),
        ("sqlite:/nowhere/at/all.db", "The folder /nowhere/at does not exist"),
        ("sqlite:/", "/ is a folder, not an SQLite file"),
    ],
)
async def test_a_url_that_names_no_usable_store_is_refused_with_one_sentence(url: str, sentence: str) -> None:
    with pytest.raises(StoreUnusable) as refused:
        await open_log(url)
    assert sentence in refused.value.message
    assert "secret" not in refused.value.message
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("form", ["sqlite:signet.db", "sqlite:{folder}/signet.db", "sqlite://{folder}/signet.db"])
async def test_a_path_is_relative_or_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.chdir(tmp_path)
    log = await open_log(form.format(folder=tmp_path))
    await log.close()
    assert (tmp_path / "signet.db").is_file()


def test_only_the_engine_in_use_is_imported() -> None:
    code = (
        "import asyncio, sys; from registry.log import open_log; asyncio.run(open_log('memory:'));"
        "print([name for name in ('sqlite3', 'sqlite_utils', 'psycopg') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_engine_whose_driver_is_missing_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys; sys.modules['sqlite_utils'] = None; from registry.log import open_log\n"
        "try: asyncio.run(open_log('sqlite:x.db'))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said == "StoreUnusable A sqlite: store needs the package sqlite_utils: pip install 'signet[server]'\n"


def other_program(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE log (line TEXT)")
    database.close()


def newer_program(path: Path) -> None:
    subprocess.run(
        [
            sys.executable,
            "-c",
            "import asyncio, sys; from registry.log import open_log; asyncio.run(open_log(sys.argv[1]))",
            f"sqlite:{path}",
        ],
        check=True,
    )
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('signet', '99 of tomorrow')")
    database.close()


def other_application(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA application_id = 42")
    database.close()


def half_a_log(path: Path) -> None:
    newer_program(path)
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM _sqlite_migrations")
    database.close()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.write_bytes(b"not a database, " * 100), "is not an SQLite database"),
        (other_program, "is an SQLite database of another program"),
        (other_application, "is an SQLite database of another program"),
        (newer_program, "was written by a newer version of this program (step '99 of tomorrow')"),
        (half_a_log, "cannot be used: "),
        (lambda path: path.mkdir(), "is a folder, not an SQLite file"),
    ],
)
async def test_a_file_that_is_no_log_of_ours_is_refused_and_left_as_it_is(tmp_path: Path, make, sentence) -> None:
    path = tmp_path / "signet.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreUnusable) as refused:
        await open_log(f"sqlite:{path}")
    assert refused.value.message.startswith(f"{path} ")
    assert sentence in refused.value.message
    assert before is None or path.read_bytes() == before
