"""Every scenario as a user runs it: Locust in a process of its own, against a real registry."""

import json
import os
import sys
import time
from contextlib import ExitStack

import httpx
import pytest

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


def test_the_subjects_of_a_run_can_be_kept(load, registry_url):
    load("reregistration", registry_url, "--keep-subjects", "--name-prefix", "kept")
    subjects = httpx.get(f"{registry_url}/subjects?subjectPrefix=kept").json()
    assert len(subjects) == 5
    for subject in subjects:
        httpx.delete(f"{registry_url}/subjects/{subject}")
        httpx.delete(f"{registry_url}/subjects/{subject}?permanent=true")


def test_a_password_in_the_url_reaches_neither_the_screen_nor_the_report(load, registry_url, tmp_path):
    ended, _ = load("steady_reads", registry_url.replace("//", "//ann:s3cret@"))
    assert ended.returncode == 0
    assert "s3cret" not in ended.stdout + ended.stderr + (tmp_path / "report.html").read_text()


def test_wrong_answers_are_failures(load, tmp_path):
    answer = tmp_path / "answer"
    body = '{"is_compatible": false}'
    answer.write_text(json.dumps({"headers": [["content-length", str(len(body))]], "body": body}))
    with uvicorn("loadtests.bare:app", env={"SIGNET_BARE_ANSWER": str(answer)}) as server:
        ended, rows = load("evolution", server.url)
    assert ended.returncode == 1
    check = rows["POST /compatibility/subjects/[subject]"]
    assert check["num_failures"] == check["num_requests"] > 0


BAD_INPUT = [
    (["nothing"], "invalid choice: 'nothing'"),
    (["steady_reads", "--url", "http://127.0.0.1:9"], "could not be registered: [Errno 111] Connection refused"),
    (["steady_reads", "--url", "http://127.0.0.1:9", "--subjects", "0"], "must be a whole number of at least 1"),
    (["steady_reads", "--url", "http://127.0.0.1:9", "--think-seconds", "soon"], "must be a number of at least 0"),
]


@pytest.mark.parametrize(("arguments", "sentence"), BAD_INPUT)
def test_bad_input_ends_with_one_sentence(arguments, sentence, command, tmp_path):
    ended = command("loadtests.scenarios", *arguments, "--report", tmp_path / "report.html")
    assert ended.returncode != 0
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


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
