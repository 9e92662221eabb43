"""Starts nodes quickly: imports Signet once, and forks for each node or command that is ordered on standard input.

A node is what `signet serve` is, in a process of its own, and can be killed; only its store may be opened by way of a
seam, which is where fail points and clocks come in. Usage: python -m tests.resilience.launcher, then one JSON object a
line; the answer to each is the process id.
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import os
import signal
import sys
from typing import Any

from registry import replay
from registry.app import Application
from registry.cli import main as command_line
from registry.cli import moving  # noqa: F401 - imported once, before the forks
from registry.cli.serve import run
from registry.errors import RegistryError
from registry.log import postgres, sqlite  # noqa: F401 - imported once, before the forks
from registry.settings import read_settings
from tests.resilience.seams import opener

PR_SET_PDEATHSIG = 1


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    gc.freeze()
    if len(sys.argv) > 1:  # for a node that needs an environment of its own
        carry_out(json.loads(sys.argv[1]))
        return
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            if sys.platform == "linux":
                ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # no node outlives the suite
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                carry_out(json.loads(line))
            finally:
                sys.stdout.flush()
                os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def carry_out(order: dict[str, Any]) -> None:
    redirect(order["out"], 1)
    redirect(order["err"], 2)
    if "command" in order:
        sys.argv = ["signet", *order["command"]]
        command_line()
        return
    signal.signal(signal.SIGUSR1, tell_blocks)
    settings, seams = read_settings(order["settings"]), order.get("seams", {})
    if "many_records" in seams:
        # Snapshots are for large stores; here they are written all the time.
        replay.MANY_RECORDS, replay.CHECK_SECONDS = seams["many_records"], 0.01
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        run(settings, Application(settings, open_store=opener(seams)))
    except RegistryError as error:
        sys.stderr.write(f"signet: {error}\n")
        sys.stderr.flush()


def tell_blocks(*_: object) -> None:
    """Say how many blocks of memory are in use: unlike the size of the process, nothing but what is held counts."""
    gc.collect()
    os.write(1, f"{sys.getallocatedblocks()} blocks in use\n".encode())


def redirect(file: str, descriptor: int) -> None:
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(opened, descriptor)
    os.close(opened)


if __name__ == "__main__":
    main()
