"""Nodes as processes of their own, which can be killed, frozen and started again, and commands of `signet`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Any, Self

import psutil

from tests.resilience.seams import FailPoint

START_SECONDS = 60.0
ROOT = Path(__file__).parents[2]
QUIET = {"compatibility_level": "NONE", "shutdown_drain_seconds": 0}
"""What every node is told unless a test says otherwise: histories here grow by thousands of unlike schemas, and no load
balancer has to notice that a node stops."""


class Launcher:
    """One process that imported Signet, and forks for each order."""

    def __init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SIGNET_")}
        self.environment = environment | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.resilience.launcher"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=ROOT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def launch(self, order: Mapping[str, Any]) -> int:
        """Have an order carried out; answers with the process id."""
        with self._lock:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def command(self, folder: Path, *words: str) -> bytes:
        """Run a command of `signet` and answer with what it printed; it must print nothing on its standard error."""
        out, err = folder / "command.out", folder / "command.err"
        for file in (out, err):
            file.write_bytes(b"")
        wait_for_end(self.launch({"command": words, "out": str(out), "err": str(err)}), seconds=600)
        assert err.read_text() == "", err.read_text()
        return out.read_bytes()


class Node:
    """A node that may be up or down; its address changes with each start."""

    def __init__(self, launcher: Launcher, folder: Path, name: str, store: str, **settings: Any) -> None:
        self.name = name
        self.starts = 0
        self.pid = 0
        self.port = 0
        self._launcher = launcher
        self._folder = folder
        self._settings = QUIET | settings | {"store": store, "host": "127.0.0.1", "port": 0}
        self._environment: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, or listened."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def errors(self) -> str:
        """What it said on its standard error, over all starts."""
        file = self._folder / f"{self.name}.err"
        return file.read_text() if file.exists() else ""

    def with_environment(self, **variables: str) -> Node:
        """The same node, started as a program of its own with these environment variables."""
        self._environment = variables
        return self

    def start(self, fail_point: FailPoint | None = None, skip: int = 0, **seams: Any) -> None:
        """Start it and wait until it serves; a fail point kills it at the occurrence after `skip` others."""
        self.begin_start(fail_point, skip, **seams)
        self.wait_until_serving()

    def begin_start(self, fail_point: FailPoint | None = None, skip: int = 0, **seams: Any) -> None:
        """Start it without waiting."""
        self.starts += 1
        self._out = self._folder / f"{self.name}.{self.starts}.out"
        if fail_point is not None:
            seams |= {"fail_point": astuple(fail_point), "skip": skip}
        errors = str(self._folder / f"{self.name}.err")
        order = {"settings": self._settings, "seams": seams, "out": str(self._out), "err": errors}
        if self._environment:
            command = [sys.executable, "-m", "tests.resilience.launcher", json.dumps(order)]
            environment = self._launcher.environment | self._environment
            self._process = subprocess.Popen(command, env=environment, cwd=ROOT)
            self.pid = self._process.pid
        else:
            self.pid = self._launcher.launch(order)

    def wait_until_serving(self) -> None:
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up:
            said = self._out.read_text() if self._out.exists() else ""
            if found := re.search(r"serves http://127\.0\.0\.1:(\d+) ", said):
                self.port = int(found[1])
                return
            assert self.is_alive(), f"node {self.name} did not start: {self.errors[-2000:]}"
            time.sleep(0.005)
        raise AssertionError(f"node {self.name} does not serve {START_SECONDS} seconds after its start")

    def is_alive(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return is_running(self.pid)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait_for_death()

    def stop(self) -> None:
        """End it as an operator does."""
        self.signal(signal.SIGTERM)
        self.wait_for_death()

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        if self.pid and self.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait_for_death(self, seconds: float = 60.0) -> None:
        if self._process is not None:
            self._process.wait(seconds)
        elif self.pid:
            wait_for_end(self.pid, seconds)

    def resident_bytes(self) -> int:
        """How much memory it takes."""
        return psutil.Process(self.pid).memory_info().rss

    def blocks_in_use(self) -> int:
        """How many blocks of memory hold something, once garbage is collected."""
        told = len(self._blocks_told())
        self.signal(signal.SIGUSR1)
        give_up = time.monotonic() + START_SECONDS
        while len(found := self._blocks_told()) == told:
            assert time.monotonic() < give_up, f"node {self.name} does not tell its blocks"
            time.sleep(0.01)
        return int(found[-1])

    def _blocks_told(self) -> list[str]:
        return re.findall(r"(\d+) blocks in use", self._out.read_text())

    def faults(self) -> list[str]:
        """What it said that no node may ever say."""
        return [line for line in self.errors.splitlines() if "Traceback" in line or "nothing foresaw" in line]


def start_all(nodes: Sequence[Node]) -> None:
    """Start nodes beside each other, and wait until all serve."""
    for node in nodes:
        node.begin_start()
    for node in nodes:
        node.wait_until_serving()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_end(pid: int, seconds: float) -> None:
    give_up = time.monotonic() + seconds
    while is_running(pid):
        assert time.monotonic() < give_up, f"process {pid} is there after {seconds} seconds"
        time.sleep(0.002)


def exports_of(launcher: Launcher, folder: Path, nodes: Sequence[Node]) -> dict[str, bytes]:
    """What `signet export` reads from each node."""
    return {node.name: launcher.command(folder, "export", node.url) for node in nodes}
