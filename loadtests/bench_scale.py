"""How a registry carries a large store: start, memory, lists, and reads beside a small store, in one run.

Makes the records of a large registry, imports them, and asks the server that serves them. Run it with
`make bench-scale`, or `python -m loadtests.bench_scale --schemas 1000000 --subjects 200000`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import median

import httpx

from loadtests.bench_server import CLIENT_CPU, CONNECTIONS, SERVER_CPU
from loadtests.http_load import drive, request
from loadtests.registrations import record_schema, registration
from loadtests.servers import Server, registry

LISTS = (
    "/subjects",
    "/subjects?subjectPrefix=team-1",
    "/subjects?deleted=true",
    "/schemas?subjectPrefix=team-1&latestOnly=true&limit=100",
    "/schemas?subjectPrefix=team-1&offset=1000&limit=100",
    "/contexts",
    "/schemas/ids/1/versions",
)
"""What a page of a user interface asks; each is asked after a change, so that no finished answer helps."""


def text(number: int) -> str:
    """A canonical schema text of some 850 characters, different for each number."""
    fields = ",".join(f'{{"name":"measured_value_{index}","type":"long","default":0}}' for index in range(12))
    own = f'{{"name":"value_{number}","type":["null","string"],"default":null}}'
    return f'{{"type":"record","name":"Measurement","namespace":"plant.line_{number}","fields":[{own},{fields}]}}'


def lines(schemas: int, subjects: int) -> Iterator[str]:
    """The records of so many schemas, spread evenly over so many subjects, as lines for `import`."""
    for number in range(schemas):
        subject, version = f"team-{number % subjects}-value", number // subjects + 1
        key = {"keytype": "SCHEMA", "subject": subject, "version": version, "magic": 1}
        value = {"subject": subject, "version": version, "id": number + 1, "schema": text(number), "deleted": False}
        yield json.dumps({"key": json.dumps(key), "value": json.dumps(value)}) + "\n"


def imported(folder: Path, schemas: int, subjects: int) -> str:
    """The URL of a store that holds so many schemas."""
    file, store = folder / "records.jsonl", f"sqlite:{folder / f'{schemas}.db'}"
    with file.open("w") as out:
        out.writelines(lines(schemas, subjects))
    command = [sys.executable, "-m", "registry", "import", str(file), "--store", store]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return store


def list_times_ms(server: Server, repeats: int) -> Iterator[tuple[str, float, float]]:
    """Each list with its median time and its processor time, in milliseconds, each asked right after a change."""
    numbers = count()
    with httpx.Client(base_url=server.url) as client:
        for path in LISTS:
            times, used = [], server.cpu_seconds()
            for _ in range(repeats):
                body = registration(record_schema(3, name=f"Change{next(numbers)}"))
                client.post("/subjects/changing/versions?force=true", content=body).raise_for_status()
                began = time.perf_counter()
                client.get(path).raise_for_status()
                times.append((time.perf_counter() - began) * 1e3)
            yield path, median(times), (server.cpu_seconds() - used) / repeats * 1e3


def p99_ms(server: Server, ids: int, requests: int) -> float:
    """The 99th percentile of reading ids that are all different."""
    asked = (request("GET", f"/schemas/ids/{1 + index * 7919 % ids}") for index in range(requests))
    return asyncio.run(drive(server.url, asked, CONNECTIONS)).quantile_seconds(0.99) * 1e3


def run(schemas: int, subjects: int, requests: int) -> None:
    """Make the store, start on it, measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        store = imported(Path(folder), schemas, subjects)
        # As many as are read in a round, so that both answer as many different requests.
        few = imported(Path(folder), requests, requests)
        began = time.monotonic()
        print(f"{schemas:,} schemas of {len(text(schemas))} characters in {subjects:,} subjects")
        with registry(store, cpu=SERVER_CPU, env={"SIGNET_SNAPSHOT_FILE": "off"}, start_seconds=600) as slow:
            print(f"first answer without a snapshot, by a replay {slow.start_seconds:8.2f} s")
        with registry(store, cpu=SERVER_CPU, start_seconds=600) as large, registry(few, cpu=SERVER_CPU) as small:
            print(f"first answer after an import                 {large.start_seconds:8.2f} s")
            print(f"processor time until then                    {large.cpu_seconds():8.2f} s")
            print(f"memory after it                              {large.memory_bytes() / 2**20:8.0f} MiB")
            print(f"{'':58} {'ms':>7} {'ms CPU':>7}")
            for path, waited_ms, used_ms in list_times_ms(large, 20):
                print(f"{path:58} {waited_ms:7.1f} {used_ms:7.1f}")
            pairs = [(p99_ms(large, schemas, requests), p99_ms(small, requests, requests)) for _ in range(9)]
            print(
                f"GET by id, p99: {median(pair[0] for pair in pairs):.1f} ms, "
                f"beside a store of {requests:,} schemas {median(pair[1] for pair in pairs):.1f} ms"
            )
            print(f"memory at the end                            {large.memory_bytes() / 2**20:8.0f} MiB")
        print(f"{time.monotonic() - began:.0f} s in all", file=sys.stderr)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schemas", type=int, default=100_000, help="schemas in the store")
    parser.add_argument("--subjects", type=int, default=20_000, help="subjects that they are spread over")
    parser.add_argument("--requests", type=int, default=4000, help="reads in each of nine rounds, all different")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {CLIENT_CPU % (os.cpu_count() or 1)})
    run(options.schemas, options.subjects, options.requests)


if __name__ == "__main__":
    main()
