"""The stream of events, over a real socket."""

import json
from collections.abc import Iterator
from itertools import islice

import httpx
import pytest

STEPS = [
    ("POST", "/subjects/:.c:s/versions", {"schema": '"string"'}),
    ("PUT", "/config/s", {"compatibility": "FULL"}),
    ("PUT", "/mode/s", {"mode": "READWRITE"}),
    ("DELETE", "/mode/s", None),
    ("DELETE", "/config/s", None),
    ("DELETE", "/subjects/:.c:s/versions/1", None),
    ("POST", "/signet/v1/subjects/:.c:s/versions/1/undelete", None),
    ("DELETE", "/subjects/:.c:s", None),
    ("DELETE", "/subjects/:.c:s?permanent=true", None),
    ("DELETE", "/contexts/.c", None),
]
TYPES = [
    ("context.created", ".c"),
    ("version.registered", ":.c:s"),
    ("config.set", "s"),
    ("mode.set", "s"),
    ("mode.removed", "s"),
    ("config.removed", "s"),
    ("version.softdeleted", ":.c:s"),
    ("version.registered", ":.c:s"),
    ("subject.softdeleted", ":.c:s"),
    ("version.deleted", ":.c:s"),
    ("context.deleted", ".c"),
]


@pytest.fixture(scope="module")
def busy_url(registry_url):
    """The URL of a registry to which every kind of change has happened."""
    for method, path, body in STEPS:
        assert httpx.request(method, registry_url + path, json=body).status_code < 300, path
    return registry_url


def events(url: str, query: str = "", **headers: str) -> Iterator[dict]:
    """The events of a stream, one by one, each checked against its frame."""
    with httpx.stream("GET", f"{url}/signet/v1/events{query}", headers=headers, timeout=10) as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        frame = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                frame[name] = value
                continue
            event = json.loads(frame["data"])
            assert (frame["event"], frame["id"]) == (event["type"], event["id"])
            yield event
            frame = {}


def test_every_change_is_an_event(busy_url) -> None:
    found = list(islice(events(busy_url, "?after=0"), len(TYPES)))
    assert [(event["type"].removeprefix("signet."), event["subject"]) for event in found] == TYPES


def test_an_event_is_a_cloud_event(busy_url) -> None:
    log = httpx.get(f"{busy_url}/v1/metadata/id").json()["scope"]["clusters"]["kafka-cluster"]
    event = next(events(busy_url, "?after=1"))
    assert event.pop("time").endswith("Z")
    assert event.pop("data")["key"] == {"keytype": "SCHEMA", "subject": ":.c:s", "version": 1, "magic": 1}
    assert event == {
        "specversion": "1.0",
        "id": f"{log}:2",
        "source": f"/signet/{log}",
        "type": "signet.version.registered",
        "subject": ":.c:s",
        "datacontenttype": "application/json",
    }


@pytest.mark.parametrize("way", ["position in the query", "id in the query", "id in the header", "header over query"])
def test_a_stream_goes_on_after_what_it_is_given(busy_url, way) -> None:
    first, second = islice(events(busy_url, "?after=0"), 2)
    query, headers = {
        "position in the query": ("?after=1", {}),
        "id in the query": (f"?after={first['id']}", {}),
        "id in the header": ("", {"Last-Event-ID": first["id"]}),
        "header over query": ("?after=0", {"Last-Event-ID": first["id"]}),
    }[way]
    assert next(events(busy_url, query, **headers)) == second


def test_without_a_position_only_what_happens_from_now_on_is_told(busy_url) -> None:
    with httpx.stream("GET", f"{busy_url}/signet/v1/events", timeout=10) as answer:
        httpx.put(f"{busy_url}/mode/later", json={"mode": "READONLY"})
        assert next(answer.iter_lines()) == "event: signet.mode.set"


@pytest.mark.parametrize(
    ("given", "fragment"),
    [
        ("x", "'x' is not an event id"),
        ("-1", "'-1' is not an event id"),
        ("9" * 19, "is not an event id"),
        ("9" * 5000, "is not an event id"),
        ("other:1", "is not of this log"),
    ],
    ids=["a word", "below zero", "of 19 digits", "of 5000 digits", "of another log"],
)
def test_a_position_that_is_none_is_refused(busy_url, given, fragment) -> None:
    answer = httpx.get(f"{busy_url}/signet/v1/events", headers={"Last-Event-ID": given})
    assert (answer.status_code, answer.json()["error_code"]) == (400, 400)
    assert fragment in answer.json()["message"]


def test_the_head_of_a_stream_ends(busy_url) -> None:
    answer = httpx.head(f"{busy_url}/signet/v1/events?after=0", timeout=10)
    assert (answer.status_code, answer.content) == (200, b"")
