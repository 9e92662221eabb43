"""A node whose database goes away or takes no writes: what still works, what is said, and that it goes on by itself."""

from __future__ import annotations

import time

import httpx
import pytest

SCHEMAS = [{"schema": f'{{"type":"fixed","name":"F","size":{size}}}'} for size in range(1, 9)]


@pytest.fixture(scope="module")
def node(start_nodes) -> httpx.Client:
    (node,) = start_nodes(1)
    with httpx.Client(base_url=node.url, timeout=30) as client:
        assert client.post("/subjects/s/versions", json=SCHEMAS[0]).json()["id"] == 1
        yield client


def assert_come_again(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "postgres" not in answer.text


def statuses(node: httpx.Client, *paths: str) -> list[int]:
    return [node.get(path).status_code for path in paths]


def written_at_last(node: httpx.Client, schema: dict[str, str]) -> int:
    """The id of a schema, which is registered within some seconds, by a node that nobody restarted."""
    give_up = time.monotonic() + 20
    while (answer := node.post("/subjects/s/versions", json=schema)).status_code == 503:
        assert time.monotonic() < give_up
        time.sleep(0.1)
    return answer.json()["id"]


def test_a_database_that_vanishes_stops_what_needs_it_until_it_is_back(node, database) -> None:
    with database.away():
        for _ in range(3):
            assert_come_again(node.post("/subjects/s/versions", json=SCHEMAS[1]))
            assert_come_again(node.get("/subjects/s/versions/latest"))
            assert_come_again(node.get("/schemas/ids/404"))
        assert statuses(node, "/schemas/ids/1", "/health/live", "/health/ready") == [200, 200, 503]
    assert written_at_last(node, SCHEMAS[1]) == 2
    assert statuses(node, "/subjects/s/versions/latest", "/health/ready") == [200, 200]


def test_a_database_that_takes_no_writes_is_read_until_it_does(node, database) -> None:
    database.query("ALTER DATABASE postgres SET default_transaction_read_only = on")
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signet'")
    for _ in range(3):
        assert_come_again(node.post("/subjects/s/versions", json=SCHEMAS[2]))
    assert statuses(node, "/schemas/ids/1", "/subjects/s/versions/latest", "/subjects") == [200, 200, 200]
    database.query("BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT")
    assert written_at_last(node, SCHEMAS[2]) == 3
