"""A running registry read over REST: Signet itself, and answers as other registries give them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from registry.app import create
from registry.errors import SourceUnreadable
from registry.log import open_history
from registry.log.memory import MemoryLog
from registry.model import Level, Mode, Subject
from registry.records import EVERYTHING
from registry.settings import read_settings
from registry.transfer import digest, load, read_registry, replay
from registry.transfer.lines import read_lines, write_line

pytestmark = pytest.mark.anyio

ORDER = '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}'
BASKET = '{"type":"record","name":"Basket","fields":[{"name":"first","type":"Order"}]}'
ORDER_REFERENCE = [{"name": "Order", "subject": "order", "version": 1}]


@pytest.fixture
def old_store(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path}/old.db"


@pytest.fixture
async def old(old_store) -> AsyncIterator[httpx.AsyncClient]:
    """A running registry, as a client sees it."""
    application = create(read_settings({"store": old_store}))
    async with (
        application.running(),
        httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://old:8081") as client,
    ):
        yield client


async def send(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    answer = await client.request(method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def fill(client: httpx.AsyncClient) -> None:
    """Two contexts, references, every kind of deletion, configs and modes."""
    await send(client, "PUT", "/config", {"compatibility": "NONE"})
    await send(client, "PUT", "/config/:.test:", {"compatibility": "NONE"})
    await send(client, "POST", "/subjects/order/versions", {"schema": ORDER})
    await send(client, "POST", "/subjects/basket/versions", {"schema": BASKET, "references": ORDER_REFERENCE})
    for text in ('"int"', '"long"', '"string"'):
        await send(client, "POST", "/subjects/a%2Fb%20%C3%A9/versions", {"schema": text})
        await send(client, "POST", "/contexts/.test/subjects/order/versions", {"schema": text})
        await send(client, "POST", "/subjects/gone/versions", {"schema": text})
    for path in ("/subjects/a%2Fb%20%C3%A9/versions/2", "/subjects/:.test:order/versions/3", "/subjects/gone"):
        await send(client, "DELETE", path)
    await send(client, "DELETE", "/subjects/:.test:order/versions/3?permanent=true")
    await send(client, "POST", "/subjects/:.:./versions", {"schema": '"bytes"'})
    await send(client, "PUT", "/config/basket", {"compatibility": "FULL", "normalize": True, "alias": "order"})
    await send(client, "PUT", "/config/:.test:", {"compatibility": "FORWARD"})
    await send(client, "PUT", "/mode/order", {"mode": "READONLY"})
    await send(client, "PUT", "/config/:.__GLOBAL:", {"compatibility": "FULL_TRANSITIVE"})


def transport_of(client: httpx.AsyncClient) -> httpx.AsyncBaseTransport:
    return client._transport


async def read(client: httpx.AsyncClient):
    return await read_registry("http://old:8081", transport_of(client))


async def test_a_copy_holds_exactly_what_the_registry_holds(old, old_store) -> None:
    await fill(old)
    loaded = await load(await read(old), MemoryLog(lambda: 1), follow=True)
    history = await open_history(old_store)
    assert loaded.store.digest == loaded.source.digest == digest(await replay(history))
    await history.close()


async def test_a_copy_keeps_ids_that_were_deleted_for_good_and_the_times_of_versions(old) -> None:
    await fill(old)
    state = (await read(old)).outline()
    assert state.highest_id(".test") == 3
    assert state.row(Subject.of(":.test:order"), 3) is None
    there = (await old.get("/subjects/order/versions/1")).json()
    assert state.row(Subject.of("order"), 1).timestamp_ms == there["ts"]


async def test_references_come_before_what_refers_to_them(old) -> None:
    await fill(old)
    lines = [write_line(entry) for entry in (await read(old)).entries]
    keys = [line.entry.key for line in read_lines(lines, "file")]
    order, basket = (next(at for at, key in enumerate(keys) if name in key) for name in (b'"order"', b'"basket"'))
    assert order < basket


async def test_a_second_copy_brings_what_has_changed_since(old) -> None:
    await fill(old)
    log = MemoryLog(lambda: 1)
    await load(await read(old), log, follow=True)
    assert (await load(await read(old), log, follow=True)).appended == 0
    await send(old, "PUT", "/config/basket", {"compatibility": "NONE"})
    await send(old, "DELETE", "/subjects/:.test:order/versions/1")
    await send(old, "POST", "/subjects/new/versions", {"schema": '"float"'})
    loaded = await load(await read(old), log, follow=True)
    assert loaded.appended == 3
    assert loaded.store.digest == loaded.source.digest


async def test_an_empty_registry_is_copied_as_such(old) -> None:
    assert list((await read(old)).entries) == []


# Registries as others write them: what each path answers; everything else is 404.

VERSION = {"subject": "s", "version": 1, "id": 3, "schema": '"int"'}
DELETED = {"subject": "s", "version": 2, "id": 4, "schema": '"long"'}
Answers = dict[str, Any]


def registry_that_answers(answers: Answers) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        plain, _, query = path.partition("?")
        told = answers.get(path, answers.get(f"{plain}?deleted" if "deleted=true" in query else plain))
        if isinstance(told, list) and "offset" in request.url.params and "paged" in answers:
            told = told[int(request.url.params["offset"]) :][: answers["paged"]]
        if isinstance(told, int):
            return httpx.Response(told, text="no")
        return httpx.Response(404, json={"error_code": 404}) if told is None else httpx.Response(200, json=told)

    return httpx.MockTransport(answer)


KARAPACE: Answers = {
    "/schemas?deleted": [VERSION, DELETED],
    "/schemas": [VERSION],
    "/config": {"compatibilityLevel": "BACKWARD"},
    "/config/s": {"compatibilityLevel": "FULL"},
    "/mode": {"mode": "READWRITE"},
    "/mode/s": {"mode": "READWRITE"},
}
REDPANDA: Answers = {
    "/subjects?deleted": ["s"],
    "/subjects/s/versions": [1],
    "/subjects/s/versions?deleted": [1, 2],
    "/subjects/s/versions/1?deleted": VERSION,
    "/subjects/s/versions/2?deleted": DELETED,
    "/config": {"compatibilityLevel": "BACKWARD"},
    "/config/s": {"compatibilityLevel": "FULL"},
    "/mode": {"mode": "READWRITE"},
}
CONFLUENT_7: Answers = KARAPACE | {"/contexts": ["."], "paged": 1}
CONFLUENT_8: Answers = {
    "/contexts": ["."],
    "/schemas?deleted": [
        VERSION | {"guid": "095d71cf-1255-6b9d-5e33-0ad575b3df5d", "ts": 17, "deleted": False},
        DELETED | {"deleted": True},
    ],
    "/config": {"compatibilityLevel": "BACKWARD"},
    "/config/s": {"compatibilityLevel": "FULL"},
    "/mode": {"mode": "READWRITE"},
}


async def state_of(answers: Answers):
    return (await read_registry("http://old:8081", registry_that_answers(answers))).outline()


@pytest.mark.parametrize("answers", [KARAPACE, REDPANDA, CONFLUENT_7, CONFLUENT_8])
async def test_versions_ids_deletions_and_configs_come_over_from_anywhere(answers) -> None:
    state = await state_of(answers)
    rows = state.rows(Subject.of("s"))
    assert [(row.version, row.id, row.deleted) for row in rows] == [(1, 3, False), (2, 4, True)]
    assert state.config(Subject.of("s")).compatibility_level is Level.FULL


@pytest.mark.parametrize("answers", [KARAPACE, REDPANDA, CONFLUENT_8])
async def test_what_a_registry_answers_by_default_is_not_copied(answers) -> None:
    state = await state_of(answers)
    assert (state.config(EVERYTHING), list(state.modes())) == (None, [])


async def test_a_mode_that_is_set_is_copied_also_where_it_is_the_default() -> None:
    assert dict((await state_of(CONFLUENT_7)).modes()) == {Subject.of("s"): Mode.READWRITE}


async def test_a_level_of_the_whole_registry_is_copied_where_it_is_not_the_default() -> None:
    state = await state_of(CONFLUENT_8 | {"/config": {"compatibilityLevel": "NONE"}, "/mode": {"mode": "READONLY"}})
    assert state.config(EVERYTHING).compatibility_level is Level.NONE
    assert state.mode(EVERYTHING) is Mode.READONLY


async def test_the_guid_and_time_that_a_registry_tells_are_kept() -> None:
    row = (await state_of(CONFLUENT_8)).row(Subject.of("s"), 1)
    assert (row.content.guid.hex(), row.timestamp_ms) == ("095d71cf12556b9d5e330ad575b3df5d", 17)


async def test_one_id_with_two_meanings_is_left_out_and_told() -> None:
    double = [VERSION | {"deleted": False}, VERSION | {"subject": "t", "schema": '"long"', "deleted": False}]
    transport = registry_that_answers(CONFLUENT_8 | {"/schemas?deleted": double})
    source = await read_registry("http://old:8081", transport)
    assert [left.place for left in source.left_out] == ["version 1 of t"]


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (
            {"/contexts": 401},
            r"^http://old:8081 answers 401 Unauthorized; the name or the password in the URL is wrong$",
        ),
        ({"/contexts": 403}, r"^http://old:8081 answers 403 Forbidden; the user must be one who may read everything$"),
        ({"/contexts": 500}, r"^http://old:8081 answers 500 to GET /contexts: no$"),
        ({}, r"^http://old:8081 is no schema registry: it has no /subjects$"),
        ({"/contexts": ["."], "/schemas?deleted": ["s"]}, r"^http://old:8081 answers in a way that no schema registry"),
        (CONFLUENT_8 | {"/schemas?deleted": [VERSION | {"id": "x"}]}, "answers in a way that no schema registry does"),
        (CONFLUENT_8 | {"/schemas?deleted": [VERSION | {"version": 0}]}, "in a way that no schema registry does"),
        (CONFLUENT_8 | {"/mode": {"mode": "ODD"}}, "answers in a way that no schema registry does"),
    ],
)
async def test_what_cannot_be_read_is_said_in_one_sentence_without_the_password(answers, sentence) -> None:
    with pytest.raises(SourceUnreadable, match=sentence) as refusal:
        await read_registry("http://me:secret@old:8081", registry_that_answers(answers))
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("status", [401, 403])
async def test_who_is_refused_without_a_name_is_told_where_it_goes(status) -> None:
    with pytest.raises(SourceUnreadable, match=r"; a name and a password go into the URL: http://NAME:PASSWORD@HOST"):
        await read_registry("http://old:8081", registry_that_answers({"/contexts": status}))


@pytest.mark.parametrize("url", ["http://", "http://old:port", "http://[::1", "http://:8081"])
async def test_a_url_that_is_none_is_said_to_be(url) -> None:
    with pytest.raises(SourceUnreadable, match=r"^The URL of the registry "):
        await read_registry(url)


async def test_certificates_that_cannot_be_read_are_said_to_be(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
    with pytest.raises(SourceUnreadable, match="SSL_CERT_FILE or SSL_CERT_DIR names cannot be read: No such file"):
        await read_registry("https://old:8081")


async def test_a_page_that_is_not_json_is_no_registry() -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, text="<html>"))
    with pytest.raises(SourceUnreadable, match=r"is no schema registry: what GET /contexts answers is not JSON$"):
        await read_registry("http://old:8081", transport)


def failing(first: Callable[[], httpx.Response]) -> httpx.MockTransport:
    """A registry that fails the first request and answers the others."""
    healthy = registry_that_answers(CONFLUENT_8)
    failures = [first]

    def answer(request: httpx.Request) -> httpx.Response:
        return failures.pop()() if failures else healthy.handle_request(request)

    return httpx.MockTransport(answer)


def broken_connection() -> httpx.Response:
    raise httpx.ConnectError("connection refused")


@pytest.mark.parametrize("first", [lambda: httpx.Response(503), lambda: httpx.Response(429), broken_connection])
async def test_a_registry_that_is_busy_for_a_moment_is_asked_again(first) -> None:
    assert (await read_registry("http://old:8081", failing(first))).held.counts["versions"] == 2


async def test_the_name_and_password_of_the_url_are_sent() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(401)

    with pytest.raises(SourceUnreadable):
        await read_registry("https://me:se%40cret@old:8081/base", httpx.MockTransport(answer))
    assert seen == [httpx.BasicAuth("me", "se@cret")._auth_header]
