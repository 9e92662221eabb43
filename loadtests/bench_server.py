"""What the server costs beside the limit: a bare ASGI application on the same uvicorn, in the same run.

Each row is measured in rounds, ours and the limit in turn, on one processor while the client has another; the figure
is processor time per request, because it does not depend on what else the machine does. Medians of the rounds; a ratio
is the median of the rounds' ratios, whose two sides met the same neighbours.

Run it with `make bench-server`, or `python -m loadtests.bench_server --rounds 5 --requests 4000`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from statistics import median

import bcrypt
import httpx

from loadtests.http_load import Result, drive, request
from loadtests.registrations import evolutions, new_subjects, record_schema, registration
from loadtests.servers import Server, registry, uvicorn

SERVER_CPU, CLIENT_CPU = 0, 1
CONNECTIONS = 32
WRITERS = 64
PLAIN = {"plain": "app", "checked": "checked"}
"""The applications of `loadtests.plain`, by what they are called here."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question, asked of us and of the limit: the same request, or a new one for each count and round.

    guarded: whether it is asked of the registry that knows its users and what they may do. before: what is asked first
    and not counted.
    """

    name: str
    ask: Callable[[int, str], Iterator[bytes]]
    goal: float
    limit: str
    connections: int = CONNECTIONS
    share: float = 1.0
    guarded: bool = False
    before: Callable[[int, str], Iterator[bytes]] | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Processor time per request in microseconds, requests per second, and the 99th percentile in milliseconds."""

    cpu_us: float
    per_second: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A row: our figures, the limit's if there is one, and its processor time as a share of ours."""

    ours: Figures
    limit: Figures | None
    ratio: float


def same(content: bytes) -> Callable[[int, str], Iterator[bytes]]:
    """Ask the same each time."""
    return lambda count, _round: repeat(content, count)


def histories(count: int, tag: str) -> Iterator[bytes]:
    """Histories of eight versions each: one that is new, and seven that are checked."""
    return evolutions(count, tag, max(count // 8, 1))


def first_versions(count: int, tag: str) -> Iterator[bytes]:
    """Schemas of 10 fields, each of a subject of its own."""
    return evolutions(count, tag, count)


def second_versions(count: int, tag: str) -> Iterator[bytes]:
    """What adds a field to each of these."""
    return islice(evolutions(2 * count, tag, count), count, None)


def measure(server: Server, requests: Iterator[bytes], connections: int) -> Figures:
    """Drive a server and see what it cost; an answer other than 200 is an error."""
    before = server.cpu_seconds()
    result: Result = asyncio.run(drive(server.url, requests, connections))
    used = server.cpu_seconds() - before
    if set(result.statuses) != {200}:
        raise RuntimeError(f"not every answer was 200: {result.statuses}")
    return Figures(used / result.answers * 1e6, result.per_second, result.quantile_seconds(0.99) * 1e3)


def middle(rounds: list[Figures]) -> Figures:
    """The medians of the rounds."""
    return Figures(
        median(figures.cpu_us for figures in rounds),
        median(figures.per_second for figures in rounds),
        median(figures.p99_ms for figures in rounds),
    )


def rows(small: bytes, large: bytes) -> list[Row]:
    """What is measured, each with its goal: the limit's processor time as a share of ours."""
    get = "/subjects/orders-value/versions"
    known = f"authorization: Basic {b64encode(b'bench:bench').decode()}\r\n"

    def guarded(name: str, method: str, path: str, goal: float, body: bytes = b"") -> Row:
        return Row(f"{name}, with a user", same(request(method, path, body, known)), goal, "bare", guarded=True)

    return [
        Row("GET by id", same(request("GET", "/schemas/ids/1")), 0.90, "bare"),
        Row("GET by subject and version", same(request("GET", f"{get}/1")), 0.90, "bare"),
        Row("GET latest", same(request("GET", f"{get}/latest")), 0.90, "bare"),
        guarded("GET by id", "GET", "/schemas/ids/1", 0.80),
        guarded("GET by version", "GET", f"{get}/1", 0.80),
        guarded("GET latest", "GET", f"{get}/latest", 0.80),
        guarded("re-register", "POST", get, 0.60, small),
        Row("re-register, 10 fields", same(request("POST", get, small)), 0.60, "bare"),
        Row("re-register, 300 fields", same(request("POST", "/subjects/wide-value/versions", large)), 0.45, "bare"),
        Row("lookup, 10 fields", same(request("POST", "/subjects/orders-value", small)), 0.60, "bare"),
        Row("lookup, 300 fields", same(request("POST", "/subjects/wide-value", large)), 0.45, "bare"),
        Row("new schema, durable, 64 clients", new_subjects, 3.0, "plain", WRITERS, 0.5),
        Row("new schema, limit checks too", new_subjects, 3.0, "checked", WRITERS, 0.5),
        Row("evolution of 10 fields", second_versions, 0.0, "checked", WRITERS, 0.5, before=first_versions),
        Row("histories of 10 to 17 fields", histories, 0.0, "checked", WRITERS, 0.5),
    ]


def run(rounds: int, requests: int) -> None:
    """Measure every row and print the table."""
    small, large = registration(record_schema(10)), registration(record_schema(300))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = stack.enter_context(registry(f"sqlite:{folder / 'registry.db'}", cpu=SERVER_CPU))
        guarded = stack.enter_context(registry(cpu=SERVER_CPU, env=_users(folder)))
        for subject, body in (("orders-value", small), ("wide-value", large)):
            for server in (ours, guarded):
                answer = httpx.post(f"{server.url}/subjects/{subject}/versions", content=body, auth=("bench", "bench"))
                answer.raise_for_status()
        answer_file = folder / "answer.json"
        answer_file.write_text(json.dumps(_answer_of(httpx.get(f"{ours.url}/schemas/ids/1"))))
        others = {
            "bare": stack.enter_context(
                uvicorn("loadtests.bare:app", cpu=SERVER_CPU, env={"SIGNET_BARE_ANSWER": str(answer_file)})
            ),
            **{name: stack.enter_context(_plain(app, folder)) for name, app in PLAIN.items()},
        }
        print(f"idle memory of the registry: {ours.memory_bytes() / 2**20:.0f} MiB\n")
        print(f"{'':34}{'us CPU':>9}{'limit':>9}{'ratio':>8}{'goal':>7}{'req/s':>9}{'limit':>9}{'p99 ms':>8}")
        for row in rows(small, large):
            _print(row, _measured(row, guarded if row.guarded else ours, others.get(row.limit), rounds, requests))


def _plain(app: str, folder: Path) -> AbstractContextManager[Server]:
    """A server of the obvious way, with a store of its own."""
    store = {"SIGNET_PLAIN_STORE": str(folder / f"{app}.db")}
    return uvicorn(f"loadtests.plain:{app}", cpu=SERVER_CPU, env=store)


def _users(folder: Path) -> dict[str, str]:
    """The settings of a registry that knows one user among others, and what they may do."""
    users, grants = folder / "users", folder / "grants.toml"
    lines = (f"{name}:{bcrypt.hashpw(name.encode(), bcrypt.gensalt(10)).decode()}\n" for name in ("bench", "other"))
    users.write_text("".join(lines))
    grants.write_text('[[grant]]\nusers = ["bench"]\nsubjects = ["orders-*", "wide-*"]\nrights = ["write"]\n')
    return {"SIGNET_USERS_FILE": str(users), "SIGNET_GRANTS_FILE": str(grants)}


def _answer_of(response: httpx.Response) -> dict[str, object]:
    headers = [(name, value) for name, value in response.headers.items() if name != "date"]  # uvicorn adds its own
    return {"headers": headers, "body": response.text}


def _measured(row: Row, ours: Server, other: Server | None, rounds: int, requests: int) -> Measured:
    count = int(requests * row.share)
    mine: list[Figures] = []
    theirs: list[Figures] = []
    for number in range(rounds + 1):
        # Of the whole name: what one row registered would not be new to another.
        tag = f"{''.join(filter(str.isalnum, row.name))}{number}"
        figures = _figures(row, ours, count, tag)
        limit = _figures(row, other, count, tag) if other else None
        if number:  # the first round warms up
            mine.append(figures)
            theirs.extend([limit] if limit else [])
    if not theirs:
        return Measured(middle(mine), None, 0.0)
    ratio = median(limit.cpu_us / figures.cpu_us for figures, limit in zip(mine, theirs, strict=True))
    return Measured(middle(mine), middle(theirs), ratio)


def _figures(row: Row, server: Server, count: int, tag: str) -> Figures:
    if row.before:
        measure(server, row.before(count, tag), row.connections)
    return measure(server, row.ask(count, tag), row.connections)


def _print(row: Row, measured: Measured) -> None:
    ours, limit = measured.ours, measured.limit
    if limit is None:
        compared, rate = f"{'-':>9}{'-':>8}{'-':>7}", f"{'-':>9}"
    else:
        goal = f"{row.goal:7.2f}" if row.goal else f"{'-':>7}"
        compared = f"{limit.cpu_us:9.1f}{measured.ratio:8.2f}{goal}"
        rate = f"{limit.per_second:9.0f}"
    print(f"{row.name:34}{ours.cpu_us:9.1f}{compared}{ours.per_second:9.0f}{rate}{ours.p99_ms:8.1f}")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds of each row")
    parser.add_argument("--requests", type=int, default=4000, help="requests in a round")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {CLIENT_CPU % (os.cpu_count() or 1)})
    run(options.rounds, options.requests)


if __name__ == "__main__":
    main()
