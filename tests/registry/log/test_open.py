"""Opening a store: which engine a URL picks, and the one sentence when it cannot be used."""

from __future__ import annotations

import asyncio
import os
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
    assert (log.file, (tmp_path / "signet.db").is_file()) == (tmp_path / "signet.db", True)


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
    reason = "A sqlite: store needs the package sqlite_utils: install Signet with its extra server"
    assert said == f"StoreUnusable {reason}\n"


def test_a_store_that_has_its_tables_is_opened_without_what_makes_them(tmp_path: Path) -> None:
    code = "import asyncio; from registry.log import open_log; asyncio.run(open_log('sqlite:x.db'))"
    for hidden in ("", "import sys; sys.modules['sqlite_utils'] = None; "):
        subprocess.run([sys.executable, "-c", hidden + code], cwd=tmp_path, check=True)


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


def log_without_identity(path: Path) -> None:
    newer_program(path)
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM _sqlite_migrations WHERE name LIKE '99%'")
        database.execute("DELETE FROM identity")
    database.close()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.write_bytes(b"not a database, " * 100), "is not an SQLite database"),
        (other_program, "is an SQLite database of another program"),
        (other_application, "is an SQLite database of another program"),
        (newer_program, "was written by a newer version of this program (step '99 of tomorrow')"),
        (half_a_log, "cannot be used: "),
        (log_without_identity, "holds no whole log: its identity is missing"),
        (lambda path: path.mkdir(), "is a folder, not an SQLite file"),
        (os.mkfifo, "is a pipe or a device, not an SQLite file"),
        (lambda path: path.symlink_to(path), "cannot be "),
    ],
)
async def test_a_file_that_is_no_log_of_ours_is_refused_and_left_as_it_is(tmp_path: Path, make, sentence) -> None:
    path = tmp_path / "signet.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    for _ in range(2):
        with pytest.raises(StoreUnusable) as refused:
            await open_log(f"sqlite:{path}")
        assert refused.value.message.startswith(f"{path} ")
        assert sentence in refused.value.message
    assert before is None or path.read_bytes() == before


SECRET = "s3cret-of-the-house"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://signet:{SECRET}/more@db/signet",  # / @ : in a password, as people write them
        f"postgresql://signet:{SECRET}@more@db/signet",
        f"postgresql://signet:12/{SECRET}@db/signet",
        f"postgresql://signet@more:{SECRET}@db/signet",
        f"postgresql://signet@db/signet?pasword={SECRET}",
        f"postgresql://signet:%zz{SECRET}@db/signet",
        f"postgresql://signet@db:{SECRET}/signet",
    ],
)
async def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(StoreUnusable, match="The store URL cannot be read") as refused:
        await open_log(url)
    assert SECRET not in refused.value.message


@pytest.fixture(scope="module")
def guarded(postgres) -> str:
    postgres.guard("guarded", SECRET)
    return "guarded"


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("wrong" + SECRET, 'cannot be used: password authentication failed for user "guarded"'),
        (SECRET, "cannot be used: permission denied for database postgres"),
    ],
)
async def test_a_user_without_the_right_is_refused(
    postgres_store, postgres, guarded, password, sentence, caplog
) -> None:
    with pytest.raises(StoreUnusable) as refused:
        await open_log(postgres.url_as(guarded, password))
    assert refused.value.message.endswith(f"/postgres {sentence}")
    assert SECRET not in refused.value.message + caplog.text


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (f"postgresql://u:{SECRET}@127.0.0.1:1/db", "The database 127.0.0.1:1/db cannot be used: Connection refused"),
        (f"postgres://u:{SECRET}@127.0.0.1:1", "The database 127.0.0.1:1/u cannot be used: Connection refused"),
        (f"postgresql://u:{SECRET}@nowhere.invalid/db", "The database nowhere.invalid:5432/db cannot be used: "),
        (f"postgresql://u:{SECRET}@127.0.0.1:1,127.0.0.1:2/db", "The database 127.0.0.1,127.0.0.1:1,2/db cannot be"),
    ],
)
async def test_a_database_out_of_reach_is_refused_with_one_sentence(url: str, sentence: str, caplog) -> None:
    with pytest.raises(StoreUnusable) as refused:
        await open_log(url)
    assert refused.value.message.startswith(sentence)
    assert "\n" not in refused.value.message
    assert SECRET not in refused.value.message + caplog.text


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("CREATE SCHEMA signet; CREATE TABLE signet.log (line text)", "holds tables of another program"),
        ("CREATE SCHEMA signet; CREATE TABLE signet.migrations (name text)", "holds tables of another program"),
        (
            "CREATE SCHEMA signet; CREATE TABLE signet.migrations AS SELECT 99 AS number, 'of tomorrow' AS title",
            "were made by a newer version of this program",
        ),
        ("ALTER DATABASE postgres SET default_transaction_read_only = on", "is read-only"),
    ],
)
async def test_a_database_that_is_not_ours_to_write_is_refused_and_left_as_it_is(
    postgres_store, postgres, sql: str, sentence: str
) -> None:
    postgres.query(sql)
    tables = postgres.query("SELECT count(*) FROM pg_class")
    with pytest.raises(StoreUnusable) as refused:
        await open_log(postgres_store.url)
    assert refused.value.message.endswith(sentence)
    assert postgres.query("SELECT count(*) FROM pg_class") == tables
    postgres.query("BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT")


async def test_an_empty_schema_that_an_administrator_made_is_used(postgres_store, postgres) -> None:
    postgres.query("CREATE SCHEMA signet")
    log = await open_log(postgres_store.url)
    assert await log.end() == 0
    await log.close()


async def test_a_database_without_fsync_is_used_with_a_warning(postgres_store, postgres, caplog) -> None:
    postgres.query("ALTER SYSTEM SET fsync = off")
    postgres.query("SELECT pg_reload_conf()")
    await asyncio.sleep(0.2)
    log = await open_log(postgres_store.url)
    await log.close()
    postgres.query("ALTER SYSTEM RESET fsync")
    postgres.query("SELECT pg_reload_conf()")
    assert "runs without fsync" in caplog.text
