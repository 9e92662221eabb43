"""Finished answers are the routes' answers, byte for byte, whatever is asked in whatever state."""

import asyncio
import json
import tracemalloc
from collections.abc import Awaitable, Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.api.answers import OK, Answers
from registry.api.edge import Edge
from registry.app import Application, create
from registry.settings import Settings

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
Ask = Callable[..., Awaitable[Answer]]

SUBJECTS = ("a", "b", ":.ctx:a")
SCHEMAS = tuple(
    json.dumps({"type": "record", "name": name, "fields": [{"name": "f", "type": "long", "default": default}]})
    for name in ("R", "S")
    for default in (0, 1)
)


def kept(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return sorted(header for header in headers if header[0] != b"x-request-id")


def asker(edge: Edge) -> Ask:
    """Ask as a server does that looks for finished answers first; answer without what every answer has of its own."""

    async def ask(
        method: str, target: str, body: object = None, headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> Answer:
        path, _, query = target.partition("?")
        content = b"" if body is None else json.dumps(body).encode()
        unread = [{"type": "http.request", "body": content, "more_body": False}]
        sent: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            return unread.pop() if unread else {"type": "http.disconnect"}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "scheme": "http",
            "root_path": "",
            "http_version": "1.1",
            "asgi": {"version": "3.0"},
        }
        if (finished := edge.at_once(scope, content)) is not None:
            lines, answer = finished
            return OK, kept(tuple(line.split(b": ", 1)) for line in lines.splitlines()), answer
        await edge(scope, receive, send)
        start, *bodies = sent
        return start["status"], kept(start["headers"]), b"".join(message.get("body", b"") for message in bodies)

    return ask


def both(application: Application) -> tuple[Ask, Ask]:
    """The application as it is, and with nothing kept."""
    edge = application.edge
    return asker(edge), asker(Edge(edge.app, edge.guard, Answers(0), edge.tallies, edge.max_body_bytes))


subjects = st.sampled_from(SUBJECTS)
bodies = st.builds(lambda text: {"schema": text}, st.sampled_from(SCHEMAS))
changes = st.one_of(
    st.tuples(st.just("POST"), subjects.map("/subjects/{}/versions".format), bodies),
    st.tuples(st.just("DELETE"), subjects.map("/subjects/{}".format), st.none()),
    st.tuples(st.just("DELETE"), subjects.map("/subjects/{}?permanent=true".format), st.none()),
    st.tuples(st.just("DELETE"), subjects.map("/subjects/{}/versions/1".format), st.none()),
    st.tuples(st.just("PUT"), st.just("/config/a"), st.sampled_from([{"compatibility": "NONE"}, {"alias": "b"}])),
    st.tuples(st.just("DELETE"), st.just("/config/a"), st.none()),
    st.tuples(st.just("PUT"), st.just("/mode"), st.sampled_from([{"mode": "READONLY"}, {"mode": "READWRITE"}])),
)
reads = st.one_of(
    st.tuples(st.just("GET"), st.sampled_from([1, 2, 3]).map("/schemas/ids/{}".format), st.none()),
    st.tuples(st.just("GET"), subjects.map("/schemas/ids/1?subject={}".format), st.none()),
    st.tuples(st.just("GET"), st.sampled_from([1, 2]).map("/schemas/ids/{}/subjects".format), st.none()),
    st.tuples(st.just("GET"), subjects.map("/subjects/{}/versions/latest".format), st.none()),
    st.tuples(st.just("GET"), subjects.map("/subjects/{}/versions/1?deleted=true".format), st.none()),
    st.tuples(st.just("GET"), subjects.map("/subjects/{}/versions".format), st.none()),
    st.tuples(st.just("GET"), st.sampled_from(["/subjects", "/schemas", "/contexts", "/mode", "/config"]), st.none()),
    st.tuples(st.just("GET"), subjects.map("/config/{}?defaultToGlobal=true".format), st.none()),
    st.tuples(st.just("POST"), subjects.map("/subjects/{}".format), bodies),
    st.tuples(st.just("POST"), subjects.map("/compatibility/subjects/{}/versions?verbose=true".format), bodies),
)


@settings(max_examples=60)
@given(st.lists(st.one_of(changes, reads, reads), max_size=40))
def test_a_finished_answer_is_what_the_route_would_answer_now(steps: list[tuple[str, str, object]]) -> None:
    async def run() -> None:
        application = create(Settings(store="memory:"))
        async with application.running():
            finished, routed = both(application)
            for method, target, body in steps:
                answer = await finished(method, target, body)
                if method == "GET" or "/versions" not in target:
                    again = await finished(method, target, body)
                    assert again == await routed(method, target, body)
                    assert answer == again or method != "GET"

    asyncio.run(run())


CHANGES = [
    ("the same subject", "POST", "/subjects/a/versions", {"schema": SCHEMAS[1]}, False),
    ("another subject", "POST", "/subjects/b/versions", {"schema": SCHEMAS[2]}, True),
    ("a config", "PUT", "/config/b", {"compatibility": "FULL"}, False),
]


@pytest.mark.parametrize(("_what", "method", "target", "body", "kept"), CHANGES)
def test_a_change_drops_the_answers_that_it_touches_and_no_others(
    _what: str, method: str, target: str, body: object, kept: bool
) -> None:
    async def run() -> None:
        application = create(Settings(store="memory:"))
        async with application.running():
            ask, _ = both(application)
            await ask("POST", "/subjects/a/versions", {"schema": SCHEMAS[0]})
            await ask("GET", "/subjects/a/versions/1")
            (key,) = [key for key in application.edge.answers.requests() if key[1] == "GET"]
            await ask(method, target, body)
            assert (await application.edge.answers.find(key) is not None) == kept

    asyncio.run(run())


LONG = "x" * 20_000
REQUESTS_OF_ONE_ANSWER = [
    ("a parameter that nobody reads", "/subjects?{}"),
    ("a name that is not there", "/config/{}?defaultToGlobal=true"),
    ("a name that is looked for", "/schemas/ids/1?subject={}"),
]


@pytest.mark.parametrize(("_what", "target"), REQUESTS_OF_ONE_ANSWER)
def test_finished_answers_take_no_more_memory_than_they_may_whatever_is_asked(_what: str, target: str) -> None:
    async def run() -> None:
        limit = 2**20
        application = create(Settings(store="memory:", max_answer_bytes=limit))
        async with application.running():
            ask, _ = both(application)
            await ask("POST", "/subjects/a/versions", {"schema": SCHEMAS[0]})
            tracemalloc.start()
            try:
                for number in range(400):
                    assert (await ask("GET", target.format(f"{number}{LONG}")))[0] == OK
                taken, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert taken < 1.5 * limit

    asyncio.run(run())
