"""The `signet` command, run as a user runs it."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from registry.cli.options import without_password

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SIGNET_")}


def signet(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "registry", *arguments]
    environment = ENVIRONMENT | {f"SIGNET_{name}": value for name, value in variables.items()}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30, check=False)


def registration(url: str, subject: str = "s") -> httpx.Response:
    return httpx.post(f"{url}/subjects/{subject}/versions", json={"schema": '"string"'})


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        (["--store", "mysql://user:secret@host/x"], {}, "'mysql' is not a store this registry knows"),
        (["--store", "sqlite:/nowhere/signet.db"], {}, "The folder /nowhere does not exist"),
        (
            ["--store", "postgresql://u:secret@127.0.0.1:1/x"],
            {},
            "The database 127.0.0.1:1/x cannot be used: Connection",
        ),
        (["--port", "many"], {}, "Invalid value for '--port': 'many' is not a valid integer."),
        (["--port", "70000"], {}, "The setting SIGNET_PORT does not hold: Input should be less than or equal to 65535"),
        (
            [],
            {"PORT": "tcp://10.0.0.1:8081"},
            "The setting SIGNET_PORT does not hold: Kubernetes sets it for a service of the",
        ),
        (
            [],
            {"COMPATIBILITY_LEVEL": "up"},
            "SIGNET_COMPATIBILITY_LEVEL does not hold: It must be one of NONE, BACKWARD",
        ),
        (
            [],
            {"READ_CONSISTENCY": "weak"},
            "READ_CONSISTENCY does not hold: It must be strong, local or bounded:",
        ),
        ([], {"MAX_BODY_BYTES": "0"}, "The setting SIGNET_MAX_BODY_BYTES does not hold"),
        (["--host", "nowhere.invalid"], {}, "Cannot listen on nowhere.invalid:0: "),
        (["--host", "ä..x"], {}, "Cannot listen on ä..x:0: "),
        (["--host", "postgresql://u:secret@host/x"], {}, "Cannot listen on postgresql://***@host/x:0: "),
        ([], {"USERS_FILE": "postgresql://u:secret@h/x"}, "Cannot read the users file postgresql:/***@h/x: No such"),
        (["--store", "host=h password=secret"], {}, "'host=h password=***' is not a store this registry knows"),
        (["--host", ""], {}, "The setting SIGNET_HOST does not hold: String should have at least 1 character"),
        ([], {"SHUTDOWN_DRAIN_SECONDS": "inf"}, "The setting SIGNET_SHUTDOWN_DRAIN_SECONDS does not hold"),
        (["--prot", "1"], {}, "There is no option '--prot'. Did you mean '--port'?"),
        (["--xyz"], {}, "There is no option '--xyz'. There are --host, --port, --store, --help."),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(arguments, variables, sentence) -> None:
    done = signet("serve", *arguments, **{"PORT": "0", "STORE": "memory:", **variables})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("signet: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("not a registry")
    done = signet("serve", "--port", "0", "--store", f"sqlite:{notes}")
    assert (done.returncode, done.stderr) == (2, f"signet: {notes} is not an SQLite database\n")
    assert notes.read_text() == "not a registry"


def test_a_command_that_does_not_exist_is_said_to() -> None:
    done = signet("srve")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "signet: There is no command 'srve'. Did you mean 'serve'?\n"


def test_without_a_command_it_says_which_there_are() -> None:
    assert signet().stdout == signet("--help").stdout


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["serve", "--help"]], ids=" ".join)
def test_an_output_that_is_full_is_said_in_one_sentence(arguments) -> None:
    command = [sys.executable, "-m", "registry", *arguments]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stderr) == (2, b"signet: No space left on device\n")


def test_what_cannot_be_said_is_told_by_the_exit_code() -> None:
    command = [sys.executable, "-m", "registry", "no-such-command"]
    for closed in ("2>&-", "2>/dev/full"):
        shell = ["sh", "-c", f'"$@" {closed}', "sh", *command]
        done = subprocess.run(shell, capture_output=True, env=ENVIRONMENT, check=False)
        assert (done.returncode, done.stdout) == (2, b"")


def test_a_command_can_be_interrupted_while_it_is_loaded() -> None:
    code = (
        "import sys; from registry.__main__ import main\n"
        "class Loader:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'registry.cli.output': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Loader()); main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert (done.returncode, done.stderr) == (2, "signet: It was interrupted before it was done\n")


@pytest.mark.parametrize("command", ["serve", "verify"])
def test_a_working_folder_that_is_gone_is_said_in_one_sentence(tmp_path: Path, command) -> None:
    shell = ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", sys.executable, "-m", "registry", command]
    done = subprocess.run(shell, capture_output=True, text=True, cwd=tmp_path, env=ENVIRONMENT, check=False)
    sentence = "signet: signet.db cannot be found: No such file or directory\n"
    assert (done.returncode, done.stderr) == (2, sentence)


def test_it_tells_its_release() -> None:
    assert signet("--version").stdout == f"{version('signet')}\n"


def test_a_port_in_use_is_said_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = signet("serve", "--port", str(port), "--store", "memory:")
    assert (done.returncode, done.stderr) == (
        2,
        f"signet: Cannot listen on 127.0.0.1:{port}: Address already in use\n",
    )


def test_a_second_process_on_the_same_file_is_told_of_the_first(start_registry, tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path}/signet.db"
    first = start_registry(store=store)
    done = signet("serve", "--port", "0", "--store", store)
    assert done.returncode == 2
    assert done.stderr.endswith(f"is in use by another process (process id {first.process.pid})\n")
    assert registration(first.url).status_code == 200


@pytest.mark.parametrize("variables", [{"READ_CONSISTENCY": "weak"}, {"SNAPSHOT_FILE": "/nowhere/snapshot"}])
def test_no_store_is_made_for_settings_that_do_not_hold(tmp_path: Path, variables) -> None:
    done = signet("serve", "--port", "0", "--store", f"sqlite:{tmp_path}/signet.db", **variables)
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into every folder")
def test_a_read_only_folder_is_said_in_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = signet("serve", "--port", "0", "--store", f"sqlite:{tmp_path}/signet.db")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_it_serves_also_where_its_line_cannot_be_written() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    command = [sys.executable, "-m", "registry", "serve", "--port", port, "--store", "memory:"]
    with Path("/dev/full").open("wb") as full, subprocess.Popen(command, stdout=full, env=ENVIRONMENT) as process:
        with httpx.Client(transport=httpx.HTTPTransport(retries=6)) as client:
            assert client.get(f"http://127.0.0.1:{port}/health/ready", timeout=30).status_code == 200
        process.kill()


def test_an_unknown_variable_is_reported_with_what_was_meant(start_registry, capfd) -> None:
    start_registry(stroe="memory:", shared="tests")
    assert "SIGNET_STROE is not a setting; did you mean SIGNET_STORE?" in capfd.readouterr().err


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_even_with_a_listener(start_registry, sig) -> None:
    running = start_registry()
    with httpx.stream("GET", f"{running.url}/signet/v1/events", timeout=20) as events:
        running.process.send_signal(sig)
        assert list(events.iter_lines()) == []
    assert running.process.wait(timeout=20) == 0


def test_while_it_drains_it_serves_and_parts_from_its_clients(start_registry) -> None:
    running = start_registry(shutdown_drain_seconds=600)
    with httpx.Client(base_url=running.url, timeout=20) as client:
        ready = client.get("/health/ready")
        assert (ready.json(), "connection" in ready.headers) == ({"status": "ready"}, False)
        running.process.terminate()
        while client.get("/health/ready").status_code == 200:
            time.sleep(0.05)
        time.sleep(1.2)  # uvicorn makes its headers anew each second
        answers = [client.get("/health/ready"), registration(running.url), client.get("/schemas/ids/1")]
        assert [answer.status_code for answer in answers] == [503, 200, 200]
        assert [answer.headers.get_list("connection") for answer in answers] == [["close"]] * 3
    running.process.terminate()


def test_it_ends_by_itself_when_it_has_drained(start_registry) -> None:
    running = start_registry(shutdown_drain_seconds=1)
    began = time.monotonic()
    running.process.terminate()
    assert running.process.wait(timeout=20) == 0
    assert time.monotonic() - began >= 1


@pytest.mark.parametrize(
    "signals", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT), (signal.SIGINT,)]
)
def test_ctrl_c_or_a_second_signal_ends_it_without_draining(start_registry, signals) -> None:
    running = start_registry(shutdown_drain_seconds=600)
    for number in signals:
        running.process.send_signal(number)
        time.sleep(0.3)
    assert running.process.wait(timeout=10) == 0


def test_who_is_not_waited_for_any_longer_is_told_that_the_outcome_is_not_known(
    start_registry, tmp_path: Path, capfd
) -> None:
    store = tmp_path / "signet.db"
    running = start_registry(store=f"sqlite:{store}", shutdown_drain_seconds=0, shutdown_grace_seconds=1)
    with ThreadPoolExecutor(1) as other, closing(sqlite3.connect(store, isolation_level=None)) as person:
        person.execute("BEGIN IMMEDIATE")
        answer = other.submit(registration, running.url)
        time.sleep(0.3)
        running.process.send_signal(signal.SIGTERM)
        given = answer.result(20)
        person.execute("ROLLBACK")
    assert (given.status_code, given.json()["error_code"]) == (500, 50002)
    assert running.process.wait(20) == 0
    assert "Traceback" not in capfd.readouterr().err


def test_a_file_keeps_what_was_registered(start_registry, tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path}/signet.db"
    first = start_registry(store=store)
    registered = registration(first.url).json()
    first.process.terminate()
    assert first.process.wait(timeout=20) == 0
    again = start_registry(store=store)
    assert httpx.get(f"{again.url}/schemas/ids/1").json()["guid"] == registered["guid"]


def test_the_password_of_a_store_is_not_shown() -> None:
    assert without_password("postgresql://me:pass@word@db/x") == "postgresql://me:***@db/x"
    assert (
        without_password("postgresql:///x?user=me&password=a&host=db") == "postgresql:///x?user=me&password=***&host=db"
    )
    assert without_password("sqlite:a@b.db") == "sqlite:a@b.db"
