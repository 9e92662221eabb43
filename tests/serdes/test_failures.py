"""A registry that is slow, absent, confused or hostile: each its own error, and never a hang."""

import asyncio
import gzip
import json
import socket
import time
import traceback
from contextlib import contextmanager
from threading import Thread

import pytest

from serdes import (
    AsyncSchemaRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    MessageField,
    Schema,
    SchemaRegistryClient,
    SerializationContext,
)
from serdes._flows.calls import Breaker
from serdes._requests import retry_after_seconds
from serdes.errors import (
    AnswerMalformed,
    AuthError,
    InvalidSchema,
    RegistryError,
    RegistryFailed,
    RegistryRedirected,
    RegistryTimedOut,
    RegistryUnavailable,
    SchemaUnusable,
    SettingInvalid,
)

SCHEMA = Schema('{"type":"record","name":"R","fields":[]}')
HTML = b"<html><body>Please log in</body></html>"


@contextmanager
def listening(serve):
    """A TCP server whose connections are given to a function."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                Thread(target=serve, args=(connection,), daemon=True).start()

        Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.close()


def says_nothing(connection):
    with connection:
        while connection.recv(4096):
            pass


def dribbles(connection):
    with connection:
        connection.recv(4096)
        try:
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b" " * 1000000:
                connection.sendall(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            pass


def hangs_up(connection):
    connection.recv(4096)
    connection.close()


def speaks_no_tls(connection):
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def talks_nonsense(connection):
    with connection:
        connection.recv(4096)
        connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


@pytest.mark.parametrize("serve", [says_nothing, dribbles], ids=lambda serve: serve.__name__)
@pytest.mark.parametrize(("timeout", "deadline", "said"), [(0.2, 5, "0.2 s"), (None, 0.4, "0.4 s"), (5, 0.4, "0.4 s")])
def test_a_hung_registry_is_an_error_within_the_deadline(serve, timeout, deadline, said):
    conf = {"timeout": timeout, "deadline": deadline, "max.retries": 0}
    now = [0.0]  # a clock that stands still, so that the deadline is the same however slow the machine is
    with listening(serve) as url, SchemaRegistryClient({"url": url, **conf}, clock=lambda: now[0]) as client:
        # Neither registry ever comes to an end, so that there is an error at all shows that nobody waits for it.
        with pytest.raises(RegistryTimedOut, match=f"no whole answer within {said}") as failure:
            client.register_schema("s", SCHEMA)
        assert failure.value.retriable


def test_a_hung_registry_is_an_error_within_the_deadline_for_async_clients():
    async def ask(url):
        async with AsyncSchemaRegistryClient({"url": url, "deadline": 0.3, "max.retries": 0}) as client:
            await client.register_schema("s", SCHEMA)

    with listening(dribbles) as url, pytest.raises(RegistryTimedOut):
        asyncio.run(ask(url))


def test_retries_end_with_the_deadline(registry, url):
    now = [0.0]

    def fail(_):
        now[0] += 1.0
        return 503, "text/plain", b"", {}

    registry.answer_with = fail
    conf = {"url": url, "timeout": 60, "deadline": 4.5, "max.retries": 100, "retries.wait.ms": 0}
    with SchemaRegistryClient(conf, clock=lambda: now[0]) as client, pytest.raises(RegistryFailed):
        client.register_schema("s", SCHEMA)
    assert registry.total() == 5


def ask_blocking(conf, ask):
    with SchemaRegistryClient(conf) as client:
        ask(client)


def ask_awaited(conf, ask):
    async def asked():
        async with AsyncSchemaRegistryClient(conf) as client:
            await ask(client)

    asyncio.run(asked())


TOKEN = {"bearer.auth.credentials.source": "STATIC_TOKEN", "bearer.auth.logical.cluster": "lsrc-1"}


@pytest.mark.parametrize("run", [ask_blocking, ask_awaited])
@pytest.mark.parametrize(
    ("conf", "ask", "error"),
    [
        ({}, lambda client: client.set_config("s", {"alias": {1}}), TypeError),
        (TOKEN | {"bearer.auth.token": "Schl\u00fcssel"}, lambda client: client.get_subjects(), SettingInvalid),
        (TOKEN | {"bearer.auth.token": "secret\n"}, lambda client: client.get_subjects(), SettingInvalid),
        ({"url": "http://registry..local"}, lambda client: client.get_subjects(), RegistryUnavailable),
    ],
)
def test_what_cannot_be_sent_is_told_at_once_and_not_at_the_deadline(run, conf, ask, error):
    # Were it found out in the thread of the exchange, the caller would wait for that thread until the deadline.
    with pytest.raises(error):
        run({"url": "http://127.0.0.1:9", "deadline": 5, "max.retries": 0, **conf}, ask)


@pytest.mark.parametrize("run", [ask_blocking, ask_awaited])
@pytest.mark.parametrize("token", ["Schl\u00fcssel", "Schluessel\n", "Schluessel "])
def test_a_token_that_cannot_be_sent_is_not_shown(url, run, token):
    with pytest.raises(SettingInvalid, match="Authorization") as failure:
        run({"url": url, **TOKEN, "bearer.auth.token": token}, lambda client: client.get_subjects())
    told = "".join(traceback.format_exception(failure.value))
    assert "Schl" not in told


@pytest.mark.parametrize("serve", [hangs_up, talks_nonsense], ids=lambda serve: serve.__name__)
def test_what_is_no_http_is_an_unreachable_registry(serve):
    unreachable = pytest.raises(RegistryUnavailable, match="cannot be reached")
    with listening(serve) as url, SchemaRegistryClient({"url": url, "max.retries": 0}) as client, unreachable:
        client.register_schema("s", SCHEMA)


def speaks_tls(connection):
    with connection:
        connection.recv(4096)
        connection.sendall(b"\x15\x03\x01\x00\x02\x02\x46")  # the alert that its greeting was none


@pytest.mark.parametrize(
    ("serve", "scheme", "other"), [(speaks_no_tls, "https", "http"), (speaks_tls, "http", "https")]
)
def test_the_other_scheme_is_asked_about_where_it_is_spoken(serve, scheme, other):
    asked_about = pytest.raises(RegistryUnavailable, match=f"is it {other}:// that is spoken there")
    with listening(serve) as url, asked_about:
        ask_blocking({"url": url.replace("http", scheme), "max.retries": 0}, lambda client: client.get_subjects())


def answering(status, media_type, body, **headers):
    return lambda _: (status, media_type, body, headers)


@pytest.mark.parametrize(
    ("answer", "kind", "retriable", "said"),
    [
        (answering(200, "text/html", HTML), AnswerMalformed, False, "text/html"),
        (answering(200, "application/json", b'{"id": '), AnswerMalformed, False, "cannot be read"),
        (answering(200, "application/json", b"[]"), AnswerMalformed, False, "cannot be read"),
        (answering(200, "application/json", b'{"id": "seven"}'), AnswerMalformed, False, "cannot be read"),
        (answering(200, "application/json", b'{"id": -1}'), AnswerMalformed, False, "-1 is no schema id"),
        (answering(200, "application/json", b'{"id": 4294967296}'), AnswerMalformed, False, "is no schema id"),
        (answering(200, "application/json", b""), AnswerMalformed, False, "cannot be read"),
        (answering(204, "application/json", b""), AnswerMalformed, False, "cannot be read"),
        (answering(200, "application/json", b"\xff\xfe"), AnswerMalformed, False, "cannot be read"),
        (answering(200, "application/json", b"[" * 100_000), AnswerMalformed, False, "cannot be read"),
        (answering(302, "text/html", b"", Location="https://login"), RegistryRedirected, False, "https://login"),
        (answering(302, "text/html", b"", Location="//u:p@x/y?z=1"), RegistryRedirected, False, "to //x/y: is"),
        (answering(302, "text/html", b"", Location="//[x"), RegistryRedirected, False, "cannot be read"),
        (answering(500, "text/html", HTML), RegistryFailed, True, "Please log in"),
        (answering(503, "application/json", b'{"error_code": 50302, "message": "busy"}'), RegistryFailed, True, "busy"),
        (answering(429, "text/plain", b"slow down"), RegistryFailed, True, "slow down"),
        (answering(401, "application/json", b'{"error_code": 401, "message": "who?"}'), AuthError, False, "who?"),
        (answering(403, "text/html", HTML), AuthError, False, "Please log in"),
        (
            answering(404, "application/json", b'{"error_code": 404, "message": "?"}'),
            RegistryError,
            False,
            "`url` right",
        ),
        (answering(404, "text/html", HTML), RegistryError, False, "Please log in.*: is `url` right"),
        (answering(422, "application/json", b'{"error_code": 42201, "message": "bad"}'), InvalidSchema, False, "bad"),
        (answering(418, "text/plain", b""), RegistryError, False, "no message"),
        (answering(418, "text/plain", b'{"error_code": 418, "message": null}'), RegistryError, False, "no message"),
        (answering(418, "text/plain", b'{"error_code": 1e999}'), RegistryError, False, "1e999"),
    ],
)
def test_each_kind_of_answer_has_its_own_error(registry, url, answer, kind, retriable, said):
    registry.answer_with = answer
    with SchemaRegistryClient({"url": url, "max.retries": 0}) as client, pytest.raises(kind, match=said) as failure:
        client.register_schema("s", SCHEMA)
    assert (type(failure.value), failure.value.retriable) == (kind, retriable)


@pytest.fixture(scope="module")
def bomb():
    return gzip.compress(bytes(65 << 20), compresslevel=1)


@pytest.mark.parametrize("run", [ask_blocking, ask_awaited])
def test_a_small_answer_that_unpacks_to_a_huge_one_does_not_fill_the_memory(registry, url, bomb, run):
    registry.answer_with = answering(403, "application/json", bomb, **{"Content-Encoding": "gzip"})
    with pytest.raises(AnswerMalformed, match="more than 64 MiB") as refused:
        run({"url": url, "timeout": 60, "deadline": 60}, lambda client: client.get_subjects())
    assert refused.value.http_status_code == 403


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"schema": '{"type":"recrd"}'}, "schema 1 cannot be used: not an Avro schema"),
        ({"schema": 'syntax = "proto3";', "schemaType": "PROTOBUF"}, "of type PROTOBUF, not AVRO"),
        ({"schema": '{"type":"object"}', "schemaType": "JSON"}, "of type JSON, not AVRO"),
        ({"schema": '"a.B"', "references": [{"name": "a.B"}]}, "a.B of the schema names no subject"),
    ],
)
def test_a_record_whose_schema_cannot_be_used_is_poison(registry, url, told, said):
    registry.answer_with = answering(200, "application/json", json.dumps(told).encode())
    ctx, conf = SerializationContext("orders", MessageField.VALUE), {"subject.name.strategy.type": "TOPIC"}
    with SchemaRegistryClient({"url": url}) as client:
        poison = AvroDeserializer(client, conf=conf | {"on.error": "return"})(b"\0\0\0\0\1\2", ctx)
    assert isinstance(poison.error, SchemaUnusable)
    assert said in str(poison.error)


def test_nobody_there_is_an_unreachable_registry(registry, url):
    registry.stop()
    with SchemaRegistryClient({"url": url, "max.retries": 0}) as client, pytest.raises(RegistryUnavailable):
        client.register_schema("s", SCHEMA)


def test_a_failing_registry_is_tried_again(registry, url):
    failures = iter([(500, "text/plain", b"", {})] * 2)

    def fail_twice(_):
        answer = next(failures, None)
        if answer is None:
            registry.answer_with = None
            return 503, "text/plain", b"", {}
        return answer

    registry.answer_with = fail_twice
    with SchemaRegistryClient({"url": url, "retries.wait.ms": 1}) as client:
        assert client.register_schema("s", SCHEMA) == 1
        assert client.stats()["retries{reason=RegistryFailed}"] == 3


IN_A_MINUTE = {"Date": "Sun, 29 Nov 2026 23:59:30 GMT", "Retry-After": "Mon, 30 Nov 2026 00:00:30 GMT"}


@pytest.mark.parametrize("headers", [{"Retry-After": "60"}, IN_A_MINUTE])
def test_retry_after_is_heeded(registry, url, headers):
    registry.answer_with = answering(503, "text/plain", b"", **headers)
    client = SchemaRegistryClient({"url": url, "retries.wait.ms": 1, "deadline": 5})
    with client, pytest.raises(RegistryFailed) as failure:
        client.register_schema("s", SCHEMA)
    assert failure.value.retry_after_seconds == 60
    assert registry.total() == 1  # a minute is past the deadline, so there is no use in waiting


@pytest.mark.parametrize(
    ("retry_after", "date"),
    [
        ("soon", IN_A_MINUTE["Date"]),
        ("-1", IN_A_MINUTE["Date"]),
        (IN_A_MINUTE["Retry-After"], "today"),
        (IN_A_MINUTE["Date"], IN_A_MINUTE["Retry-After"]),
    ],
)
def test_a_retry_after_that_tells_no_time_to_come_asks_for_nothing(retry_after, date):
    assert retry_after_seconds({"retry-after": retry_after, "date": date}) == 0


def test_the_next_url_is_tried_at_once(registry, url):
    with SchemaRegistryClient({"url": f"http://127.0.0.1:1,{url}", "retries.wait.ms": 60_000}) as client:
        assert client.register_schema("s", SCHEMA) == 1


def test_after_a_failure_the_registry_is_left_alone_for_a_while(registry, url):
    now = [0.0]
    registry.answer_with = answering(503, "text/plain", b"down")
    with SchemaRegistryClient({"url": url, "max.retries": 0}, clock=lambda: now[0]) as client:
        serializer = AvroSerializer(client, SCHEMA, conf={"subject.name.strategy.type": "TOPIC"})
        for number in range(10):
            with pytest.raises(RegistryUnavailable):
                serializer({}, SerializationContext(f"t{number}", MessageField.VALUE))
        assert registry.total() == 1
        with pytest.raises(RegistryUnavailable, match="the registry failed: down; not asked again yet"):
            client.get_subjects()
        registry.answer_with = None
        now[0] = 1.1
        assert serializer({}, SerializationContext("t", MessageField.VALUE)) == b"\0\0\0\0\1"


def test_one_bad_request_does_not_keep_others_away(registry, url):
    registry.answer_with = answering(500, "text/plain", b"bug")
    with SchemaRegistryClient({"url": url, "max.retries": 0}) as client:
        for _ in range(3):
            with pytest.raises(RegistryFailed):
                client.register_schema("s", SCHEMA)
    assert registry.total() == 3


def test_a_breaker_opens_for_longer_each_time_and_lets_one_probe_through():
    breaker = Breaker()
    assert breaker.admits(0, 5)
    for failures, seconds in enumerate([1, 2, 4, 8, 16, 30, 30]):
        now = failures * 1000.0
        breaker.failed(now)
        assert not breaker.admits(now + seconds - 0.01, 5)
        assert breaker.admits(now + seconds, 5)
        assert not breaker.admits(now + seconds + 4, 5)  # the probe is under way
    breaker.succeeded()
    assert breaker.admits(0, 5)


def test_a_url_that_was_absent_with_all_others_is_asked_when_the_first_fails_again(registry, second_registry):
    now, down = [0.0], answering(503, "text/plain", b"down")
    conf = {"url": f"{registry.url},{second_registry.url}", "max.retries": 0}
    with SchemaRegistryClient(conf, clock=lambda: now[0]) as client:
        registry.answer_with = second_registry.answer_with = down
        with pytest.raises(RegistryUnavailable):
            client.register_schema("s", SCHEMA)
        registry.answer_with = second_registry.answer_with = None
        now[0] = 1.1
        assert client.register_schema("s", SCHEMA) == 1
        registry.answer_with = down
        assert client.register_schema("t", SCHEMA) == 1


def test_a_probe_that_told_nothing_is_made_again():
    breaker = Breaker()
    breaker.failed(0)
    assert breaker.admits(1, 60)
    breaker.left(2)
    assert breaker.admits(2, 60)
    breaker.failed(3)
    breaker.left(3)
    assert not breaker.admits(4, 60)


def test_credentials_travel_in_the_header_and_not_in_the_url(registry, url):
    seen = []

    def look(handler):
        seen.append((handler.path, handler.headers["Authorization"]))
        return 200, "application/json", b'{"id": 1}', {}

    registry.answer_with = look
    with SchemaRegistryClient({"url": url.replace("//", "//me:pass@")}) as client:
        client.register_schema("s", SCHEMA)
    assert seen == [("/subjects/s/versions", "Basic bWU6cGFzcw==")]


def bearer(url, **conf):
    return {"url": url, "bearer.auth.logical.cluster": "lsrc-1", **{f"bearer.auth.{k}": v for k, v in conf.items()}}


def fields_of(config):
    return {"bearer.auth.token": config["secret"], "bearer.auth.logical.cluster": "lsrc-1"}


@pytest.mark.parametrize(
    "conf",
    [
        {"credentials.source": "STATIC_TOKEN", "token": "abc", "identity.pool.id": ["p1", "p2"]},
        {
            "credentials.source": "OAUTHBEARER",
            "client.id": "me",
            "client.secret": "s",
            "scope": "all",
            "issuer.endpoint.url": "TOKENS",
        },
        {"credentials.source": "OAUTHBEARER_AZURE_IMDS", "issuer.endpoint.url": "TOKENS"},
        {
            "credentials.source": "CUSTOM",
            "custom.provider.function": fields_of,
            "custom.provider.config": {"secret": "abc"},
        },
    ],
    ids=lambda conf: conf["credentials.source"],
)
def test_a_bearer_token_comes_from_its_source_and_is_kept(registry, url, conf):
    seen = []

    def answer(handler):
        if handler.path == "/token":
            return 200, "application/json", b'{"access_token": "abc", "expires_in": 3600}', {}
        seen.append((handler.headers["Authorization"], handler.headers["target-sr-cluster"]))
        return 200, "application/json", b'{"id": 1}', {}

    registry.answer_with = answer
    conf = {key: f"{url}/token" if value == "TOKENS" else value for key, value in conf.items()}
    with SchemaRegistryClient(bearer(url, **conf)) as client:
        for subject in "ab":
            client.register_schema(subject, SCHEMA)
    assert seen == [("Bearer abc", "lsrc-1")] * 2
    assert sum(count for call, count in registry.calls.items() if call.endswith("/token")) <= 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (answering(400, "application/json", b'{"error": "s3cret"}'), AuthError),
        (answering(503, "text/plain", b"s3cret is slow"), RegistryFailed),
        (answering(200, "text/html", b"s3cret"), AuthError),
        (answering(200, "application/json", b'{"expires_in": "s3cret"}'), AuthError),
        (answering(302, "text/html", b"", Location="http://127.0.0.1/?s3cret"), AuthError),
    ],
)
def test_a_refused_token_is_an_error_that_tells_no_secret(registry, url, answer, kind):
    registry.answer_with = answer
    conf = {"credentials.source": "OAUTHBEARER_AZURE_IMDS", "issuer.endpoint.url": f"{url}/token?k=s3cret"}
    client = SchemaRegistryClient(bearer(url, **conf) | {"max.retries": 0})
    with client, pytest.raises(kind, match="/token gives out no token") as failure:
        client.register_schema("s", SCHEMA)
    assert "s3cret" not in "".join(traceback.format_exception(failure.value))


def test_the_query_of_a_token_endpoint_is_sent_and_shown_in_no_error(registry, url):
    seen = []
    registry.answer_with = lambda handler: seen.append(handler.path) or (200, "application/json", b"{}", {})
    conf = {"credentials.source": "OAUTHBEARER_AZURE_IMDS", "issuer.endpoint.query": "resource=a/b&k="}
    for endpoint in (f"{url}/token?p=s3cret", "http://127.0.0.1:1/?p=s3cret"):
        client = SchemaRegistryClient(bearer(url, **conf, **{"issuer.endpoint.url": endpoint}) | {"max.retries": 0})
        with client, pytest.raises(RegistryError) as failure:
            client.get_subjects()
        assert "s3cret" not in "".join(traceback.format_exception(failure.value))
    assert seen == ["/token?p=s3cret&resource=a%2Fb&k="]


def test_certificates_that_cannot_be_read_are_named_as_a_setting(tmp_path, url):
    (tmp_path / "ca.pem").write_text("not a certificate")
    for location in (tmp_path / "ca.pem", tmp_path / "missing.pem"):
        client = SchemaRegistryClient({"url": url, "ssl.ca.location": str(location)})
        with client, pytest.raises(SettingInvalid, match=r"ssl\.ca\.location cannot be used"):
            client.register_schema("s", SCHEMA)
