"""Every scenario as a user runs it: Locust in a process of its own, against a real registry."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread

import httpx
import pytest

from loadtests.registrations import record_schema, registration
from loadtests.servers import free_port, running, uvicorn

SCENARIOS = {
    "cold_start": {"START producer", "GET /schemas/ids/[id]", "POST /subjects/[subject]/versions"},
    "evolution": {"POST /compatibility/subjects/[subject]", "POST /subjects/[subject]/versions (incompatible)"},
    "listing": {"GET /subjects", "GET /schemas/ids/[id]/versions"},
    "mixed_day": {"GET /schemas/ids/[id]", "POST /subjects/[subject]/versions"},
    "reregistration": {"POST /subjects/[subject]", "POST /subjects/[subject]/versions"},
    "steady_reads": {"GET /schemas/ids/[id]"},
    "two_subjects": {"POST versions, new", "POST versions, existing", "POST lookup"},
}
SMALL = ["--subjects", 5, "--requests", 300, "--producers", 12, "--schemas", 20, "--versions", 8]


@pytest.fixture
def load(command, tmp_path):
    """Run a scenario for some requests; the ended process and the rows of its table by name."""

    def run(scenario, url, *arguments):
        figures = tmp_path / "figures"
        report = ["--report", tmp_path / "report.html", "--json-file", figures]
        size = ["--users", 20 if scenario == "mixed_day" else 6, "--run-time", "60s"]
        ended = command("loadtests.scenarios", scenario, "--url", url, *size, *report, *SMALL, *arguments)
        file = figures.with_suffix(".json")
        rows = json.loads(file.read_text()) if file.exists() else []
        return ended, {f"{row['method']} {row['name']}": row for row in rows}

    return run


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_runs_without_a_failure_and_leaves_nothing_behind(scenario, load, registry_url, tmp_path):
    ended, rows = load(scenario, registry_url)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert SCENARIOS[scenario] <= set(rows)
    assert not any(row["num_failures"] for row in rows.values())
    assert httpx.get(f"{registry_url}/subjects?deleted=true").json() == []
    assert "<html" in (tmp_path / "report.html").read_text()


def test_a_cold_start_ends_with_the_last_producer(load, registry_url):
    _, rows = load("cold_start", registry_url)
    assert rows["START producer"]["num_requests"] == 12
    assert rows["POST /subjects/[subject]/versions"]["num_requests"] == 12 * 5


def test_two_subjects_get_as_many_schemas_as_were_asked_for_however_many_users_there_are(load, registry_url):
    _, rows = load("two_subjects", registry_url, "--users", 30)
    assert rows["POST versions, new"]["num_requests"] == 20


def delete(registry_url, prefix):
    """Delete the subjects whose names begin so; how many there were."""
    subjects = httpx.get(f"{registry_url}/subjects?subjectPrefix={prefix}").json()
    for subject in subjects:
        httpx.delete(f"{registry_url}/subjects/{subject}")
        httpx.delete(f"{registry_url}/subjects/{subject}?permanent=true")
    return len(subjects)


def test_the_subjects_of_a_run_can_be_kept(load, registry_url):
    load("reregistration", registry_url, "--keep-subjects", "--name-prefix", "kept")
    assert delete(registry_url, "kept") == 5


def test_a_password_in_the_url_reaches_neither_the_screen_nor_the_report(load, registry_url, tmp_path):
    ended, _ = load("steady_reads", registry_url.replace("//", "//ann:s3cret@"))
    assert ended.returncode == 0
    assert "s3cret" not in ended.stdout + ended.stderr + (tmp_path / "report.html").read_text()


@pytest.fixture
def answering(tmp_path):
    """The URL of a server that answers everything with one body."""
    with ExitStack() as stack:

        def serve(body):
            answer = tmp_path / "answer"
            answer.write_text(json.dumps({"headers": [["content-length", str(len(body))]], "body": body}))
            return stack.enter_context(uvicorn("loadtests.bare:app", env={"SIGNET_BARE_ANSWER": str(answer)})).url

        yield serve


def test_wrong_answers_are_failures(load, answering):
    ended, rows = load("evolution", answering('{"id": 1, "is_compatible": false}'))
    assert ended.returncode == 1
    check = rows["POST /compatibility/subjects/[subject]"]
    assert check["num_failures"] == check["num_requests"] > 0


ONE_SUBJECT = ["--subjects", 1, "--requests", 0, "--run-time", "4s"]


def test_a_schema_that_others_register_and_delete_too_keeps_its_meaning(load, start_registry):
    url = start_registry().url
    body, media = registration(record_schema(10, name="Order0")), {"Content-Type": "application/json"}
    httpx.post(f"{url}/subjects/elsewhere/versions", content=body, headers=media).raise_for_status()

    def delete_when_it_was_read():
        wait_until(lambda: 'route="/schemas/ids/{id}"' in httpx.get(f"{url}/metrics").text)
        return delete(url, "elsewhere")

    with ThreadPoolExecutor(1) as aside:
        deleted = aside.submit(delete_when_it_was_read)
        ended, _ = load("steady_reads", url, *ONE_SUBJECT)
    assert deleted.result() == 1
    assert ended.returncode == 0, ended.stdout + ended.stderr


class Fickle(BaseHTTPRequestHandler):
    """Answers as a registry whose only id means another schema each time."""

    protocol_version = "HTTP/1.1"
    schemas = count()

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.dumps({"id": 1, "schema": str(next(self.schemas))}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that HTTPServer calls

    def log_message(self, *_):
        pass


def test_an_id_that_comes_to_mean_another_schema_is_a_failure(load):
    with ThreadingHTTPServer(("127.0.0.1", 0), Fickle) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        ended, rows = load("steady_reads", f"http://127.0.0.1:{server.server_port}", "--subjects", 1)
        server.shutdown()
    assert ended.returncode == 1
    read = rows["GET /schemas/ids/[id]"]
    assert read["num_failures"] == read["num_requests"] - 1


@pytest.mark.parametrize("scenario", ["steady_reads", "evolution"])
def test_what_is_no_registry_ends_the_run_with_one_sentence(scenario, load, answering):
    ended, rows = load(scenario, answering("<html>It works!</html>"))
    assert (ended.returncode, rows) == (1, {})
    assert "a schema registry answers with an id, not with '<html>It works!</html>'" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "stay in the registry" not in ended.stderr


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_the_page_of_another_server_is_told_in_one_line(load):
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        ended, _ = load("steady_reads", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    [told] = [line for line in ended.stderr.splitlines() if "could not be registered" in line]
    assert "501 <!DOCTYPE HTML>" in told
    assert "Error code: 501" in told


def test_without_a_scenario_it_is_a_mixed_day_whatever_else_is_said(command, registry_url, tmp_path):
    size = ["--users", 2, "--run-time", "60s", "--report", tmp_path / "report.html", "--subjects", 3, "--requests", 20]
    ended = command("loadtests.scenarios", "--url", registry_url, *size)
    assert ended.returncode == 0, ended.stderr
    assert "mixed_day: " in ended.stdout


def test_a_url_may_end_with_a_slash(load, registry_url):
    ended, rows = load("steady_reads", f"{registry_url}/")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert rows["GET /schemas/ids/[id]"]["num_requests"] >= 300


def test_a_run_stays_in_the_context_of_its_url(load, registry_url):
    ended, rows = load("listing", f"{registry_url}/contexts/.load")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert {"GET /config", "GET /mode"} <= set(rows)
    assert httpx.get(f"{registry_url}/subjects?subjectPrefix=:*:&deleted=true").json() == []


def test_several_processes_share_what_is_to_be_done_and_all_are_counted(load, registry_url):
    ended, rows = load("cold_start", registry_url, "--processes", "2")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert rows["START producer"]["num_requests"] == 12
    assert rows["POST /subjects/[subject]/versions"]["num_requests"] == 12 * 5
    assert httpx.get(f"{registry_url}/subjects?deleted=true").json() == []


def test_a_cold_start_that_was_cut_short_is_said(load, registry_url):
    ended, rows = load("cold_start", registry_url, "--requests", "100", "--producers", "1000")
    started = rows["START producer"]["num_requests"]
    assert f"Only {started} of 1000 producers had started" in ended.stderr


def test_subjects_that_cannot_be_deleted_are_named(load, counted, registry_url):
    ended, _ = load("reregistration", counted.url, "--name-prefix", "left", "--requests", 20)
    assert "Subjects whose names begin with left-" in ended.stderr
    assert "stay in the registry, which could not delete them: 501" in ended.stderr
    assert delete(registry_url, "left") == 5


@pytest.fixture
def interrupted(tmp_path):
    """A run that gets Ctrl-C as a terminal sends it, to the whole group of processes: exit code, what it printed."""

    def run(wait, *arguments):
        line = [sys.executable, "-m", "loadtests.scenarios", *arguments, "--report", str(tmp_path / "report.html")]
        with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
            before = wait(process)
            os.killpg(process.pid, signal.SIGINT)
            return process.wait(60), before + process.stderr.read()

    return run


def said(words):
    """Wait until a process says this; what it said until then."""

    def wait(process):
        told = ""
        while words not in told:
            told += process.stderr.readline()
        return told

    return wait


def test_ctrl_c_ends_a_run_as_its_time_does(interrupted, registry_url, tmp_path):
    def every_team_has_begun(_):
        wait_until(lambda: len(httpx.get(f"{registry_url}/subjects").json()) > 5)
        return ""

    code, told = interrupted(every_team_has_begun, "evolution", "--url", registry_url, "--users", "5")
    assert (code, "Traceback" in told, "Shutting down (exit code 0)" in told) == (0, False, True)
    assert httpx.get(f"{registry_url}/subjects?deleted=true").json() == []
    assert "<html" in (tmp_path / "report.html").read_text()


def test_ctrl_c_before_the_first_request_is_no_success_and_leaves_nothing(interrupted, registry_url):
    subjects = ["--subjects", "100000"]
    code, told = interrupted(said("Run time limit"), "steady_reads", "--url", registry_url, *subjects)
    assert (code, "Traceback" in told, "over before its first request" in told) == (1, False, True)
    assert httpx.get(f"{registry_url}/subjects?deleted=true").json() == []


def test_a_registry_of_our_own_outlives_ctrl_c_until_the_run_has_ended(interrupted):
    _, told = interrupted(said("All users spawned"), "steady_reads", "--users", "5")
    assert ("Traceback" in told, "stay in the registry" in told, "Shutting down" in told) == (False, False, True)


BAD_INPUT = [
    (["--url", "http://127.0.0.1:9", "--basic-auth", "s3cret"], "argument --basic-auth: must be user:password\n"),
    (["nothing"], "invalid choice: 'nothing'"),
    (["steady_reads", "--url", "http://127.0.0.1:9"], "could not be registered: [Errno 111] Connection refused"),
    (["evolution", "--url", "http://127.0.0.1:9"], "could not be registered: [Errno 111] Connection refused"),
    (["--url", "localhost:8081"], "must be like http://host:8081, not 'localhost:8081'"),
    (["--url", "http://"], "must be like http://host:8081"),
    (["--url", "http://localhost:99999"], "must be like http://host:8081"),
    (["--users", "0"], "argument --users: must be a whole number of at least 1, not '0'"),
    (["--users", "-1"], "argument --users: must be a whole number of at least 1"),
    (["steady_reads", "--url", "http://127.0.0.1:9", "--subjects", "0"], "must be a whole number of at least 1"),
    (["steady_reads", "--url", "http://127.0.0.1:9", "--think-seconds", "soon"], "must be a number of at least 0"),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD_INPUT)
def test_bad_input_ends_with_one_sentence(arguments, sentence, command, tmp_path):
    ended = command("loadtests.scenarios", *arguments, "--report", tmp_path / "report.html")
    assert ended.returncode != 0
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_report_that_cannot_be_written_is_told_before_the_run(command, tmp_path):
    ended = command("loadtests.scenarios", "--url", "http://127.0.0.1:9", "--report", tmp_path)
    told = f"The report cannot be written to {tmp_path}: Is a directory\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", told)


def test_without_a_url_a_registry_of_our_own_is_started(command, tmp_path):
    environment = os.environ | {"LOAD_SUBJECTS": "3", "LOAD_REQUESTS": "20"}
    size = ["--users", 2, "--run-time", "60s", "--report", tmp_path / "report.html"]
    ended = command("loadtests.scenarios", "steady_reads", *size, env=environment)
    assert ended.returncode == 0, ended.stderr
    assert "GET" in ended.stdout + ended.stderr


@pytest.fixture
def page(registry_url):
    """Locust's page for a scenario, as a client of it."""
    with ExitStack() as stack:

        def open_page(scenario):
            port = free_port()
            command = [sys.executable, "-m", "loadtests.scenarios", scenario, "--url", registry_url, *map(str, SMALL)]
            server = stack.enter_context(running([*command, "--ui", "--web-port", str(port)], port))
            return stack.enter_context(httpx.Client(base_url=server.url))

        yield open_page


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert condition()


def runs_with_requests(client, count):
    told = client.get("/stats/requests").json()
    return told["state"] == "running" and told["stats"][-1]["num_requests"] > count


@pytest.mark.parametrize("scenario", ["steady_reads", "two_subjects"])
def test_runs_can_be_started_again_and_again_from_the_page(scenario, page, registry_url):
    client = page(scenario)
    for _ in range(2):
        client.post("/swarm", data={"user_count": 2, "spawn_rate": 2, "host": registry_url, "requests": 0})
        wait_until(lambda: runs_with_requests(client, 50))
        assert client.post("/stop").json()["success"]
        assert client.get("/stats/requests").json()["errors"] == []
        assert httpx.get(f"{registry_url}/subjects?deleted=true").json() == []


def test_a_page_outlives_a_registry_that_does_not_answer(page, registry_url):
    client = page("steady_reads")
    start = {"user_count": 2, "spawn_rate": 2, "requests": 0}
    client.post("/swarm", data=start | {"host": "http://127.0.0.1:9"})
    wait_until(lambda: "could not be registered" in str(client.get("/logs").json()))
    client.post("/stop")
    client.post("/swarm", data=start | {"host": registry_url})
    wait_until(lambda: runs_with_requests(client, 50))
    client.post("/stop")
