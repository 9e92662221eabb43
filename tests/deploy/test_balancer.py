"""Three nodes behind HAProxy, as deploy/ ships it: clients do not notice what happens to nodes."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import httpx
import pytest

CLIENTS = 6


def schema(name: str) -> dict[str, str]:
    return {"schema": json.dumps({"type": "record", "name": name, "fields": [{"name": "id", "type": "long"}]})}


class Load:
    """What clients saw that registered and read without a pause."""

    def __init__(self, url: str) -> None:
        self.statuses: Counter[int | str] = Counter()
        self._url = url
        self._stopped = threading.Event()

    def run(self, client: int) -> None:
        with httpx.Client(base_url=self._url, timeout=30) as connection:
            subject = f"/subjects/orders{client}-value/versions"
            for number in count():
                if self._stopped.is_set():
                    return
                registered = self._ask(connection, "POST", subject, schema(f"R{client}N{number}"))
                self._ask(connection, "GET", f"/schemas/ids/{registered['id']}" if registered else "/subjects")
                self._ask(connection, "GET", f"{subject}/latest")

    def stop(self) -> None:
        self._stopped.set()

    def _ask(self, connection: httpx.Client, method: str, path: str, body: object = None) -> dict[str, int]:
        try:
            answer = connection.request(method, path, json=body)
        except httpx.TransportError as error:
            self.statuses[type(error).__name__] += 1
            return {}
        self.statuses[answer.status_code] += 1
        return answer.json() if answer.status_code == 200 and method == "POST" else {}


@contextmanager
def load(url: str) -> Iterator[Load]:
    told = Load(url)
    threads = [threading.Thread(target=told.run, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        told.stop()
        for thread in threads:
            thread.join(60)


@pytest.fixture(scope="module")
def nodes(start_nodes):
    return start_nodes(3)


@pytest.fixture(scope="module")
def balancer(start_balancer, nodes) -> str:
    return start_balancer(nodes)


def test_a_rolling_restart_fails_no_request(balancer, nodes, capsys) -> None:
    with load(balancer) as told:
        for node in nodes:
            node.stop()
            node.start()
    assert set(told.statuses) == {200}, told.statuses
    assert told.statuses.total() > 300
    with capsys.disabled():
        sys.stdout.write(f"\n3 nodes restarted one by one: {told.statuses.total()} requests, 0 failed\n")


def test_a_node_that_is_killed_fails_no_read_and_no_registration(balancer, nodes, capsys) -> None:
    with load(balancer) as told:
        time.sleep(1)
        nodes[0].server.process.kill()
        time.sleep(3)
    nodes[0].stop()
    nodes[0].start()
    assert set(told.statuses) == {200}, told.statuses
    assert told.statuses.total() > 30
    with capsys.disabled():
        sys.stdout.write(f"\nkill -9 of 1 of 3 nodes: {told.statuses.total()} requests, 0 failed\n")


def test_what_ids_mean_is_told_while_the_database_is_away(balancer, nodes, database) -> None:
    versions = f"{balancer}/subjects/clicks-value/versions"
    known = httpx.post(versions, json=schema("Click")).json()["id"]
    assert {httpx.get(f"{node.url}/schemas/ids/{known}").status_code for node in nodes} == {200}
    with database.away():
        for _ in range(12):
            assert httpx.get(f"{balancer}/schemas/ids/{known}").status_code == 200
            time.sleep(0.3)
        refused = httpx.post(versions, json=schema("Later"))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert httpx.get(f"{versions}/latest").status_code == 503
    assert httpx.post(versions, json=schema("Later")).json()["id"] == known + 1
