"""Registries for tests: real processes of `signet serve` on free ports."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import hypothesis
import pytest

# How long an example takes tells what else the machine is doing; how fast Signet is, benchmarks tell.
hypothesis.settings.register_profile("signet", deadline=None)
hypothesis.settings.load_profile("signet")

# A shell that starts the tests in the background may have them ignore Ctrl-C, and so would all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class RunningRegistry:
    """A registry in its own process; its standard error is kept in a file."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def running_registry(store: str = "memory:", **settings: Any) -> Iterator[RunningRegistry]:
    """Run `signet serve` on a free port until the context ends; settings become SIGNET_* variables.

    It does not drain unless told to: nothing would come any more, and every test would wait for that.
    """
    settings = {"shutdown_drain_seconds": 0} | settings
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIGNET_")}
    environment = clean | {f"SIGNET_{name.upper()}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", "registry", "serve", "--port", "0", "--store", store]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert " serves http://" in line, f"the registry did not start: {line!r}"
            yield RunningRegistry(line.split(" serves ")[1].split(" from ")[0], process)
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def registry_url() -> Iterator[str]:
    """The URL of a fresh registry in memory, shared by the tests of a module."""
    with running_registry() as running:
        yield running.url


@pytest.fixture
def start_registry() -> Iterator[Callable[..., RunningRegistry]]:
    """Start registries that end with the test: `start_registry(store="sqlite:...", max_body_bytes=10)`."""
    with ExitStack() as stack:
        yield lambda store="memory:", **settings: stack.enter_context(running_registry(store, **settings))
