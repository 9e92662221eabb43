"""Servers as separate processes on this machine, and what they cost.

Owns starting, waiting for and stopping them; refuses to know what is asked of them.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import psutil

START_SECONDS = 20.0
"""How long a server may take to start, unless it is told that it has more to read."""
SCHEDULED: Final = 2
"""In Linux's number of the clock of a process: all the time for which any of its threads was on a processor."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its URL, its process, and the seconds from the process's start to its first answer."""

    url: str
    process: psutil.Process
    start_seconds: float

    def cpu_seconds(self) -> float:
        """The processor time that the process has used so far, user and system.

        Linux tells it to the nanosecond, where the usual figures are whole hundredths of a second.
        """
        if psutil.LINUX:
            return time.clock_gettime(~self.process.pid << 3 | SCHEDULED)
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory_bytes(self) -> int:
        """The memory that the process holds now."""
        return int(self.process.memory_info().rss)


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    *,
    path: str = "/",
    env: Mapping[str, str] | None = None,
    cpu: int | None = None,
    start_seconds: float = START_SECONDS,
    hears_ctrl_c: bool = True,
) -> Iterator[Server]:
    """Run a server until the block ends.

    command: what to start; port: where it will listen on 127.0.0.1; path: answers as soon as it is ready; cpu: the
    processor to keep it on, where the system can do that; start_seconds: how long its first answer may take;
    hears_ctrl_c: whether a signal to the caller's process group reaches it, too.
    """
    began = time.monotonic()
    group = None if hears_ctrl_c else 0
    environment = {**os.environ, **(env or {})}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, process_group=group)
    try:
        if cpu is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(process.pid, {cpu})
        url = f"http://127.0.0.1:{port}"
        _wait_for(url + path, process, began + start_seconds)
        yield Server(url, psutil.Process(process.pid), time.monotonic() - began)
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait_for(url: str, process: subprocess.Popen[bytes], deadline: float) -> None:
    while process.poll() is None and (left_seconds := deadline - time.monotonic()) > 0:
        try:
            httpx.get(url, timeout=left_seconds)
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"the server did not start: {url}")


@contextmanager
def registry(
    store: str = "memory:",
    *,
    port: int | None = None,
    cpu: int | None = None,
    env: Mapping[str, str] | None = None,
    start_seconds: float = START_SECONDS,
    hears_ctrl_c: bool = True,
) -> Iterator[Server]:
    """A Signet registry, on a free port unless one is given; it ends at once when it is told to."""
    port = port or free_port()
    env = {"SIGNET_SHUTDOWN_DRAIN_SECONDS": "0", **(env or {})}
    command = [sys.executable, "-m", "registry", "serve", "--port", str(port), "--store", store]
    started = running(command, port, env=env, cpu=cpu, start_seconds=start_seconds, hears_ctrl_c=hears_ctrl_c)
    with started as server:
        yield server


@contextmanager
def uvicorn(application: str, *, cpu: int | None = None, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """An ASGI application on the same server program and with the same settings as the registry."""
    port = free_port()
    options = [
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--no-server-header",
        "--log-level",
        "warning",
    ]
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port), *options]
    with running(command, port, env=env, cpu=cpu) as server:
        yield server
