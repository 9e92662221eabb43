"""The ingestion measurement, short: real gateways, a real registry that is killed, Locust."""

import json
import os
import signal
import subprocess
import sys
from itertools import islice

import fastavro
import pytest

from loadtests.ingestion import table
from loadtests.ingestion.observation import Run
from loadtests.ingestion.records import SCHEMA, records

SHORT = ["--users", 6, "--rounds", 1, "--slot-seconds", 1, "--outage-seconds", 1.5]


def test_a_run_measures_every_way_and_writes_page_and_picture(command, tmp_path):
    observations, page = tmp_path / "seen.json", tmp_path / "ingestion.md"
    page.write_text(f"{table.BEGIN}\n{table.END}\n")
    ended = command("loadtests.ingestion", *SHORT, "--docs", tmp_path, "--observations", observations)
    assert ended.returncode == 0, ended.stderr
    run = Run.load(observations)
    assert {(slot.encoder, slot.batch) for slot in run.slots} == {
        (encoder, batch) for encoder in ("json", "cached", "asking") for batch in (1, 100)
    }
    assert all(slot.records > 0 and slot.gateway_cpu_seconds > 0 for slot in run.slots)
    assert table.markdown(run) in page.read_text()
    assert table.markdown(run) in ended.stdout
    assert (tmp_path / "ingestion.png").exists()
    _no_registry_is_missed_but_by_who_asks(run)


def _no_registry_is_missed_but_by_who_asks(run):
    outages = {outage.encoder: outage for outage in run.outages}
    for encoder in ("json", "cached"):
        assert outages[encoder].registry_calls == 0
        assert outages[encoder].phases[1].taken > 0
        assert not any(phase.failures for phase in outages[encoder].phases)
    assert outages["asking"].phases[1].failures > 0
    assert outages["asking"].phases[2].taken > 0


def test_ctrl_c_ends_a_measurement_with_one_sentence(tmp_path):
    page = tmp_path / "ingestion.md"
    page.write_text(f"{table.BEGIN}\n{table.END}\n")
    line = [sys.executable, "-m", "loadtests.ingestion", "--docs", tmp_path, "--observations", tmp_path / "seen.json"]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        while "All users spawned" not in process.stderr.readline():
            pass
        os.killpg(process.pid, signal.SIGINT)
        told = process.communicate(timeout=30)[1]
    assert told.endswith("The measurement was interrupted, and nothing was written.\n")
    assert "loadtests/ingestion" not in told  # no traceback of ours
    assert page.read_text() == f"{table.BEGIN}\n{table.END}\n"


@pytest.mark.parametrize(("seen", "words"), [(None, "No such file"), ("{}", "not observations"), ("[", "not obs")])
def test_a_report_needs_observations(seen, words, command, tmp_path):
    file = tmp_path / "seen.json"
    (tmp_path / "ingestion.md").write_text(f"{table.BEGIN}\n{table.END}\n")
    if seen is not None:
        file.write_text(seen)
    ended = command("loadtests.ingestion", "--again", "--observations", file, "--docs", tmp_path)
    assert ended.returncode == 1
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


UNFIT = [
    (["--users", "2"], "argument --users: must be at least 3, one for each gateway, not '2'"),
    (["--users", "many"], "argument --users: must be a whole number of at least 1, not 'many'"),
    ([], "could not be written: [Errno 2] No such file or directory"),
]


@pytest.mark.parametrize(("arguments", "words"), UNFIT)
def test_what_would_fail_in_the_end_fails_before_anything_is_measured(arguments, words, command, tmp_path):
    ended = command("loadtests.ingestion", *arguments, "--docs", tmp_path, "--observations", tmp_path / "seen.json")
    assert (ended.returncode != 0, "locust" in ended.stderr, "Traceback" in ended.stderr) == (True, False, False)
    assert words in ended.stderr


def test_records_fit_their_schema_and_are_the_same_for_the_same_seed():
    schema = fastavro.parse_schema(json.loads(SCHEMA))
    some = list(islice(records(), 500))
    assert all(fastavro.validation.validate(record, schema) for record in some)
    assert some == list(islice(records(), 500))
    assert some != list(islice(records(seed=2), 500))
