"""The commands that move, check and keep data, run as a user runs them."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from registry import transfer
from registry.log import open_log
from registry.replay import SnapshotFile
from registry.snapshot import Part

TOPIC = """\
{"keytype":"NOOP","magic":0}\tnull
{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}\t{"subject":"s","version":1,"id":1,"schema":"\\"int\\""}
{"keytype":"FUTURE","magic":0}\t{}
{"keytype":"SCHEMA","subject":"s","version":2,"magic":1}\t{"subject":"s","version":2,"id":2,"schema":"\\"long\\""}
{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}\t{"subject":"s","version":2}
Processed a total of 5 messages
"""


@pytest.fixture
def topic(tmp_path: Path) -> Path:
    file = tmp_path / "topic.txt"
    file.write_text(TOPIC)
    return file


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path}/signet.db"


@pytest.fixture
def imported(signet, topic, url) -> str:
    """The URL of a store that the topic was imported into."""
    signet("import", str(topic), "--store", url)
    return url


def test_a_command_that_is_interrupted_does_not_claim_to_be_done() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = f"http://127.0.0.1:{silent.getsockname()[1]}"
        command = [sys.executable, "-m", "registry", "import", source, "--store", "memory:"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            asked, _ = silent.accept()
            with asked:
                process.send_signal(signal.SIGINT)
                _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (2, "signet: It was interrupted before it was done\n")


async def told_and_replayed(file: Path) -> tuple[list[Part], list[Part]]:
    """What the snapshot beside a store says, and what it would say after a replay."""
    log = await open_log(f"sqlite:{file}")
    try:
        told = await SnapshotFile(log, file.with_name(f"{file.name}.snapshot")).read(lambda _position: None)
        return list(told.snapshot()), list((await transfer.replay(log)).snapshot())
    finally:
        await log.close()


def test_what_is_imported_or_restored_has_a_snapshot_for_the_first_start(signet, tmp_path) -> None:
    file = tmp_path / "topic.txt"
    with file.open("w") as topic:
        for number in range(1, 10_002):
            topic.write(f'{{"keytype":"SCHEMA","subject":"s{number}","version":1,"magic":1}}\t')
            topic.write(f'{{"subject":"s{number}","version":1,"id":{number},"schema":"\\"int\\""}}\n')
    signet("import", str(file), "--store", f"sqlite:{tmp_path}/signet.db")
    signet("backup", f"{tmp_path}/backup.db", "--store", f"sqlite:{tmp_path}/signet.db")
    signet("restore", f"{tmp_path}/backup.db", "--store", f"sqlite:{tmp_path}/new.db")
    for store, position in (("signet.db", 10_001), ("new.db", 10_002)):
        told, replayed = asyncio.run(told_and_replayed(tmp_path / store))
        assert told == replayed
        assert told[-1].position == position


def digests(said: str) -> set[str]:
    return {word for word in said.split() if word.startswith("sha256:")}


def test_an_import_says_what_it_read_wrote_and_found(signet, topic, url) -> None:
    said = signet("import", str(topic), "--store", url).stdout
    assert f"Read 4 records from {topic}\nLeft out 1:\n" in said
    assert "  line 3: no dialect explains it ('FUTURE' is missing or unknown)\n" in said
    assert f"Appended 4 to {url}\n" in said
    assert "deleted versions             2           2\n" in said
    assert said.endswith("The store holds exactly what the source holds.\n")
    assert len(digests(said)) == 1


def test_a_second_import_appends_nothing(signet, topic, imported) -> None:
    assert f"Appended 0 to {imported}\n" in signet("import", str(topic), "--store", imported).stdout


def test_an_export_holds_the_texts_of_the_topic_in_the_order_of_the_log(signet, imported) -> None:
    lines = [json.loads(line) for line in signet("export", "--store", imported).stdout.splitlines()]
    assert [line["position"] for line in lines] == [1, 2, 3, 4]
    assert lines[0]["key"], lines[0]["value"] == ('{"keytype":"NOOP","magic":0}', None)
    assert lines[3]["value"] == '{"subject":"s","version":2}'


def test_a_compact_export_ends_with_the_highest_ids(signet, imported) -> None:
    *versions, last = map(json.loads, signet("export", "--compact", "--store", imported).stdout.splitlines())
    assert [json.loads(line["value"])["deleted"] for line in versions] == [True, True]
    assert last == {"key": '{"keytype":"NOOP","magic":0}', "value": '{"v":1,"hw":{".":2}}'}


@pytest.mark.parametrize("form", [(), ("--compact",)])
def test_an_export_moves_to_another_store_with_the_same_digest(signet, imported, tmp_path, form) -> None:
    file = tmp_path / "export.jsonl"
    file.write_text(signet("export", *form, "--store", imported).stdout)
    said = signet("import", str(file), "--store", f"sqlite:{tmp_path}/other.db").stdout
    assert digests(said) == digests(signet("verify", "--store", imported).stdout)


def test_a_store_moves_to_another_without_a_file(signet, imported, tmp_path) -> None:
    said = signet("import", imported, "--store", f"sqlite:{tmp_path}/other.db").stdout
    assert said.endswith("The store holds exactly what the source holds.\n")


def test_a_running_registry_moves_into_a_store_and_is_exported(signet, start_registry, imported, tmp_path) -> None:
    running = start_registry(store=imported)
    httpx.put(f"{running.url}/config/s", json={"compatibility": "FULL"})
    said = signet("import", running.url, "--store", f"sqlite:{tmp_path}/other.db").stdout
    assert "The store holds exactly what the source holds.\n" in said
    assert digests(said) == digests(signet("verify", "--store", imported).stdout)
    compact = signet("export", "--compact", "--store", f"sqlite:{tmp_path}/other.db").stdout
    rest = signet("export", running.url).stdout
    assert [json.loads(line)["key"] for line in rest.splitlines()] == [
        json.loads(line)["key"] for line in compact.splitlines()
    ]


def test_a_store_in_use_is_exported_verified_and_backed_up(signet, start_registry, imported, tmp_path) -> None:
    start_registry(store=imported)
    assert signet("export", "--store", imported).stdout.count("\n") == 4
    assert "No findings." in signet("verify", "--store", imported).stdout
    assert "records                      4\n" in signet("backup", f"{tmp_path}/b.db", "--store", imported).stdout
    refused = signet("import", f"{tmp_path}/topic.txt", "--store", imported, exit_code=2)
    assert "is in use by another process" in refused.stderr


def test_what_only_the_store_holds_is_listed(signet, imported, tmp_path) -> None:
    other = tmp_path / "other.jsonl"
    key, value = '{"keytype":"CONFIG","subject":"s","magic":0}', '{"compatibilityLevel":"NONE"}'
    other.write_text(f"{key}\t{value}\n")
    said = signet("import", str(other), "--store", imported).stdout
    assert "The store holds all that the source holds, and more:\n  s: version 1 is in the store only\n" in said


def test_what_cannot_both_be_right_is_refused_and_changes_nothing(signet, imported, tmp_path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(TOPIC.replace('\\"int\\"', '\\"string\\"'))
    before = signet("export", "--store", imported).stdout
    refused = signet("import", str(other), "--store", imported, exit_code=2)
    assert refused.stderr.startswith(
        "signet: Nothing was imported, because the store holds something else: s: version 1"
    )
    assert (refused.stdout, refused.stderr.count("\n")) == ("", 1)
    assert signet("export", "--store", imported).stdout == before


def test_findings_end_with_exit_code_100(signet, tmp_path) -> None:
    dangling = tmp_path / "dangling.txt"
    dangling.write_text(
        '{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}\t'
        '{"subject":"s","version":1,"id":1,"references":[{"name":"B","subject":"b","version":2}],"schema":"x"}\n'
    )
    url = f"sqlite:{tmp_path}/signet.db"
    signet("import", str(dangling), "--store", url)
    said = signet("verify", "--store", url, exit_code=100).stdout
    assert said.endswith("Findings: 1\n  Version 1 of s refers to version 2 of b, which is not there\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["export", "--store", "sqlite:{0}/nothing.db"], "{0}/nothing.db does not exist"),
        (["verify", "--store", "sqlite:{0}/nothing.db"], "{0}/nothing.db does not exist"),
        (["backup", "{0}/b.db", "--store", "sqlite:{0}/nothing.db"], "{0}/nothing.db does not exist"),
        (["restore", "{0}/b.db", "--store", "sqlite:{0}/n.db"], "{0}/b.db does not exist"),
        (
            ["import", "{0}/nothing.txt", "--store", "memory:"],
            "{0}/nothing.txt cannot be read: No such file or directory",
        ),
        (["import", "{0}", "--store", "memory:"], "{0} cannot be read: Is a directory"),
        (
            ["import", "old.example:8081", "--store", "memory:"],
            "old.example:8081 cannot be read: No such file or directory; a running registry is written http://old.exam",
        ),
        (["import", "http://me:secret@127.0.0.1:9", "--store", "memory:"], "http://127.0.0.1:9 cannot be reached: "),
        (["verify", "--store", "postgresql://me:secret@127.0.0.1:9/x"], "The database 127.0.0.1:9/x cannot be used: "),
        (["import", "http://me:secret/x@127.0.0.1:9", "--store", "memory:"], "cannot be read as http://NAME:PASSWORD@"),
        (
            ["import", "http://me:12/secret@127.0.0.1:9", "--store", "memory:"],
            "cannot be read as http://NAME:PASSWORD@",
        ),
        (
            ["import", "http://me:secret@127.0.0.1:99999", "--store", "memory:"],
            "cannot be read as http://NAME:PASSWORD",
        ),
        (["import", "http:/me:secret@host", "--store", "memory:"], "http:/***@host cannot be read: No such file"),
        (
            ["import", "http://127.0.0.1:9?password=secret", "--store", "memory:"],
            "http://127.0.0.1:9 cannot be reached",
        ),
        (["import", "htp://me:secret@host", "--store", "memory:"], "'htp' is no source this program knows"),
        (["export", "sqlite:signet.db"], "What is exported is a store, named with --store URL, or http://HOST:PORT"),
        (["export", "http://127.0.0.1:9", "--store", "sqlite:signet.db"], "http://HOST:PORT, not both"),
        (["verify", "postgresql://me:secret/@127.0.0.1:9/x"], "://***@127.0.0.1:9/x'. A store is named with --store"),
        (["verify", "--store", "mysql://me:secret@host"], "'mysql' is not a store this registry knows"),
        (
            ["import", "{0}/topic.txt", "--reserve-ids", "-1"],
            "Invalid value for '--reserve-ids': -1 is not in the range x>=0.",
        ),
        (["import"], "Missing argument 'SOURCE'."),
        (["restore", "a", "b"], "Nothing is expected at 'b'."),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(signet, tmp_path, topic, arguments, sentence) -> None:
    done = signet(*(argument.format(tmp_path) for argument in arguments), exit_code=2)
    assert done.stderr.startswith("signet: ")
    assert sentence.format(tmp_path) in done.stderr
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert "secret" not in done.stderr
    assert not list(tmp_path.glob("nothing.db*"))


def test_an_sqlite_file_without_its_scheme_is_told_from_a_file_of_lines(signet, tmp_path, topic) -> None:
    signet("import", topic, "--store", f"sqlite:{tmp_path}/s.db")
    done = signet("import", tmp_path / "s.db", "--store", "memory:", exit_code=2)
    assert (
        done.stderr
        == f"signet: {tmp_path}/s.db is an SQLite file, which is written sqlite:{tmp_path}/s.db as a source\n"
    )


def test_every_command_says_what_it_is_for(signet) -> None:
    listed = signet("--help").stdout
    for command in ("serve", "export", "import", "verify", "backup", "restore"):
        summary = signet(command, "--help").stdout.splitlines()[2].strip()
        assert f" {command} " in listed
        assert summary in listed


@pytest.fixture
def long_topic(tmp_path: Path) -> Path:
    """A topic that takes several commits to import."""
    file = tmp_path / "long.txt"
    file.write_text("".join(lines_of_a_long_topic()))
    return file


def lines_of_a_long_topic() -> Iterator[str]:
    for number in range(1, 20_000):
        yield f'{{"keytype":"SCHEMA","subject":"s{number}","version":1,"magic":1}}\t'
        yield f'{{"subject":"s{number}","version":1,"id":{number},"schema":"\\"{number}\\""}}\n'


def start(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "registry", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_who_reads_only_the_first_lines_of_an_export_sees_no_error(signet, long_topic, url) -> None:
    signet("import", str(long_topic), "--store", url)
    with start("export", "--store", url) as process:
        assert process.stdout.readline().startswith(b'{"position":1,')
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize("command", [("export",), ("export", "--compact"), ("verify",)], ids=" ".join)
def test_an_output_that_cannot_be_written_is_said_in_one_sentence(imported, command) -> None:
    arguments = [sys.executable, "-m", "registry", *command, "--store", imported]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "signet: The output cannot be written: No space left on device\n")


def test_an_import_that_was_killed_is_completed_by_the_next(signet, long_topic, url, tmp_path) -> None:
    with start("import", str(long_topic), "--store", url) as process:
        log = tmp_path / "signet.db-wal"
        while not log.exists() or log.stat().st_size < 1_000_000:
            assert process.poll() is None
            time.sleep(0.001)
        process.kill()
    kept = signet("export", "--store", url).stdout.count("\n")
    assert 0 < kept < 19_999
    said = signet("import", str(long_topic), "--store", url).stdout
    assert f"Appended {19_999 - kept:,} to {url}\n" in said
    assert len(digests(said)) == 1
