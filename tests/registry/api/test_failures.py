"""What becomes of a request when the registry itself is at fault."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from registry.errors import Overloaded, SchemaTooLarge, StoreFailed, StoreTimedOut
from registry.log import open_log

SCHEMA = {"schema": '"string"'}


class FragileLog:
    """A log in memory, shared so that reads ask it too, that fails when it is told to."""

    shared = True

    def __init__(self, log) -> None:
        self._log = log
        self.append_failure: Exception | None = None
        self.end_failure: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()

    def __getattr__(self, name: str):
        return getattr(self._log, name)

    async def end(self) -> int:
        if self.end_failure:
            raise self.end_failure
        return await self._log.end()

    @asynccontextmanager
    async def turn(self, after: int) -> AsyncIterator[object]:
        async with self._log.turn(after) as turn:
            await self.open.wait()
            if self.append_failure:
                raise self.append_failure
            yield turn


@pytest.fixture
def fragile(start_client):
    """A client, and the log beneath its registry."""
    logs = []

    async def open_store(url: str) -> FragileLog:
        logs.append(FragileLog(await open_log(url)))
        return logs[0]

    client = start_client(open_store=open_store, max_waiting_writes=1)
    return client, logs[0]


@pytest.mark.parametrize(
    ("failure", "status", "code", "retry_after"),
    [
        (StoreFailed("Register schema operation failed while writing to the store"), 500, 50001, None),
        (StoreTimedOut("Register operation timed out"), 500, 50002, None),
        (SchemaTooLarge(), 422, 42209, None),
        (Overloaded("The store is out of reach", 7), 503, 503, "7"),
        (ZeroDivisionError("a secret"), 500, 50001, None),
    ],
)
def test_a_failed_write_is_told_and_leaves_nothing(fragile, failure, status, code, retry_after) -> None:
    client, log = fragile
    log.append_failure = failure
    answer = client("POST", "/subjects/s/versions", json=SCHEMA)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.headers.get("retry-after") == retry_after
    assert "secret" not in answer.text
    log.append_failure = None
    assert client.get("/subjects") == []
    assert client.register("s") == 1


@pytest.mark.parametrize("path", ["/subjects", "/subjects/s/versions/1", "/config", "/schemas/ids/7", "/health/ready"])
def test_a_read_that_needs_a_store_out_of_reach_says_when_to_try_again(fragile, path) -> None:
    client, log = fragile
    log.end_failure = Overloaded("The store is out of reach", 3)
    answer = client("GET", path)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert answer.json() == {"error_code": 503, "message": "The store is out of reach"}


def test_a_fault_of_ours_is_logged_with_its_request_and_not_shown(fragile, caplog) -> None:
    client, log = fragile
    log.end_failure = ZeroDivisionError("a secret")
    answer = client("GET", "/subjects", headers={"X-Request-ID": "the one", "Accept": "application/json"})
    assert answer.json() == {"error_code": 500, "message": "Internal Server Error"}
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/json")
    assert answer.headers["x-request-id"] == "the one"
    assert "request the one failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_too_many_writes_at_once_are_told_to_come_back(fragile) -> None:
    client, log = fragile
    log.open.clear()
    answers = client.together([("POST", f"/subjects/s{n}/versions", SCHEMA) for n in range(4)], then=log.open.set)
    assert sorted({answer.status_code for answer in answers}) == [200, 503]
    assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 503} == {"1"}
    registered = [answer for answer in answers if answer.status_code == 200]
    assert len(client.get("/subjects")) == len(registered)


# In the default context is `a`, in `.c` is `b`; a bare `b` is found there when it is not found in the default one.
OUT_OF_REACH = [
    ("/schemas/ids/1", 200),
    ("/schemas/ids/1?subject=a", 200),
    ("/schemas/ids/1?subject=:.c:b", 200),
    ("/schemas/ids/1?subject=b", 503),
    ("/schemas/guids/095d71cf-1255-6b9d-5e33-0ad575b3df5d", 200),
    ("/schemas/ids/1/versions", 503),
    ("/subjects/a/versions/1", 503),
]


@pytest.mark.parametrize(("path", "status"), OUT_OF_REACH)
@pytest.mark.parametrize("asked_before", [False, True])
def test_what_other_nodes_may_have_changed_is_never_told_without_asking(
    fragile, path: str, status: int, asked_before: bool
) -> None:
    client, log = fragile
    for subject in ("a", ":.c:b"):
        client("POST", f"/subjects/{subject}/versions", json=SCHEMA)
    if asked_before:
        assert client("GET", path).status_code == 200
    log.end_failure = Overloaded("The store is out of reach")
    assert client("GET", path).status_code == status
