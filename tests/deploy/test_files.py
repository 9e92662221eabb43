"""The files under deploy/ hold what they say: settings that exist, files that are there, and time enough to stop."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from registry.settings import Settings
from tests.deploy.conftest import CONFIGURATION, program

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = sorted(file for file in DEPLOY.rglob("*") if file.is_file())
COMPOSE = sorted(DEPLOY.rglob("compose.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_variable_that_a_file_sets_is_a_setting(file: Path) -> None:
    named = set(re.findall(r"SIGNET_([A-Z_]+)", file.read_text()))
    assert named <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.parent.name)
def test_what_a_compose_file_builds_and_mounts_is_there(file: Path) -> None:
    for service in yaml.safe_load(file.read_text())["services"].values():
        if build := service.get("build"):
            assert (file.parent / build["context"] / build["dockerfile"]).is_file()
        mounted = (volume.split(":")[0] for volume in service.get("volumes", ()))
        assert all((file.parent / place).is_file() for place in mounted if place.startswith("."))


def test_haproxy_reads_its_configuration_without_a_warning() -> None:
    done = subprocess.run([program("haproxy"), "-c", "-f", CONFIGURATION], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_image_is_healthy_when_the_registry_is_ready_whatever_its_port(start_registry) -> None:
    words = re.search(r"HEALTHCHECK.*\n\s+CMD (\[.*])", (DEPLOY / "Dockerfile").read_text())[1]
    check = [sys.executable, *json.loads(words)[1:]]
    port = start_registry().url.rpartition(":")[2]
    assert subprocess.run(check, env={**os.environ, "SIGNET_PORT": port}, check=False).returncode == 0
    assert subprocess.run(
        check, env={**os.environ, "SIGNET_PORT": "1"}, stderr=subprocess.DEVNULL, check=False
    ).returncode


def test_the_units_give_a_node_the_time_that_it_takes_to_stop() -> None:
    takes = sum(Settings.model_fields[f"shutdown_{part}_seconds"].default for part in ("drain", "grace"))
    for unit in DEPLOY.glob("systemd/*.service"):
        assert float(re.search(r"TimeoutStopSec=(\d+)", unit.read_text())[1]) > takes
    for file in COMPOSE:
        assert float(re.search(r"stop_grace_period: (\d+)s", file.read_text())[1]) > takes
