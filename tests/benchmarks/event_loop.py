"""How long the event loop is held at most while clients register all the time, and what readers notice of it.

The server runs in a process of its own with a heart that beats every millisecond. Between two beats it looks at the
processor time of the loop's thread, so that what neighbours do on the machine does not count. Run it with
`make bench-loop`, or `python tests/benchmarks/event_loop.py --seconds 10`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import uvicorn

from loadtests.bench_server import CLIENT_CPU, SERVER_CPU
from loadtests.http_load import Result, drive, request
from loadtests.registrations import evolutions, record_schema, registration
from loadtests.servers import free_port, running
from registry.app import create
from registry.cli.connection import Connection
from registry.cli.serve import GC_THRESHOLDS
from registry.settings import read_settings

WRITERS, READERS = 4, 8
BEAT_SECONDS = 0.001


async def beat(beats_ms: list[float]) -> None:
    """Note, every millisecond, how much processor time the loop took since the last time."""
    last = time.thread_time()
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        now = time.thread_time()
        beats_ms.append((now - last) * 1e3)
        last = now


async def serve(port: int, store: str, report: Path) -> None:
    """Serve until SIGTERM; SIGUSR1 has the heart forget what it noted, SIGUSR2 has it write that down."""
    gc.set_threshold(*GC_THRESHOLDS)
    beats_ms: list[float] = []
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, beats_ms.clear)
    loop.add_signal_handler(signal.SIGUSR2, lambda: report.write_text(json.dumps(beats_ms)))
    application = create(read_settings({"store": store}))
    config = uvicorn.Config(application.edge, http=Connection, port=port, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    async with application.running():
        heart = asyncio.create_task(beat(beats_ms))
        await server.serve()
        heart.cancel()


def until(deadline: float, requests: Iterator[bytes]) -> Iterator[bytes]:
    """The requests, as long as there is time."""
    for content in requests:
        if time.monotonic() > deadline:
            return
        yield content


def reads() -> Iterator[bytes]:
    """Requests for the latest version of a subject that nobody changes."""
    return (request("GET", "/subjects/quiet/versions/latest") for _ in count())


async def loaded(url: str, seconds: float) -> tuple[Result, Result]:
    """Register and read at the same time; what the writers saw, and what the readers saw."""
    deadline = time.monotonic() + seconds
    writing = drive(url, until(deadline, evolutions(10**6, "busy", 2000)), WRITERS)
    return await asyncio.gather(writing, drive(url, until(deadline, reads()), READERS))


def run(seconds: float) -> None:
    """Start the server, load it, and print."""
    with tempfile.TemporaryDirectory() as name:
        store, report, port = f"sqlite:{name}/registry.db", Path(name) / "beats", free_port()
        command = [sys.executable, __file__, "--serve", str(port), store, str(report)]
        with running(command, port, cpu=SERVER_CPU) as server:
            body = registration(record_schema(10))
            httpx.post(f"{server.url}/subjects/quiet/versions", content=body).raise_for_status()
            alone = asyncio.run(drive(server.url, until(time.monotonic() + seconds / 4, reads()), READERS))
            server.process.send_signal(signal.SIGUSR1)
            written, read = asyncio.run(loaded(server.url, seconds))
            server.process.send_signal(signal.SIGUSR2)
            while not report.exists() or not report.read_text():
                time.sleep(0.01)
            beats_ms = sorted(json.loads(report.read_text()))
    say(f"{written.answers:,} registrations by {WRITERS} clients, {read.answers:,} reads of another subject meanwhile")
    for share in (0.5, 0.99, 0.999):
        held_ms = beats_ms[int(len(beats_ms) * share)]
        say(f"held for at most {held_ms:6.2f} ms in {share:.1%} of {len(beats_ms):,} beats")
    say(f"longest          {beats_ms[-1]:6.2f} ms")
    for when, seen in (("meanwhile", read), ("before", alone)):
        say(f"p99 of a read    {seen.quantile_seconds(0.99) * 1e3:6.2f} ms {when}")


def say(line: str) -> None:
    """Print a line of the result."""
    sys.stdout.write(line + "\n")


def main() -> None:
    """Read the command line; serve, or measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to register and read")
    parser.add_argument("--serve", nargs=3, metavar=("PORT", "STORE", "REPORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        port, store, report = options.serve
        asyncio.run(serve(int(port), store, Path(report)))
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {CLIENT_CPU % (os.cpu_count() or 1)})
    run(options.seconds)


if __name__ == "__main__":
    main()
