"""The HTTP layer common to everything, over a real application in this process."""

import gzip
import json
from urllib.parse import unquote
from uuid import UUID

import pytest

from registry.api.edge import client_address

V1 = "application/vnd.schemaregistry.v1+json"
SCHEMA = {"schema": '"string"'}


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/nowhere", 404, "HTTP 404 Not Found"),
        ("GET", "/subjects/a/versions/1/2/3", 404, "HTTP 404 Not Found"),
        ("GET", "/schemas/ids/abc", 404, "HTTP 404 Not Found"),
        ("GET", "/schemas/ids/1_0", 404, "HTTP 404 Not Found"),
        ("GET", "/schemas/ids/2147483648", 404, "HTTP 404 Not Found"),
        ("GET", "/subjects?limit=x", 404, "HTTP 404 Not Found"),
        ("GET", "/subjects?offset=1.5", 404, "HTTP 404 Not Found"),
        ("GET", "/schemas?lifecycle=SHORT", 404, "HTTP 404 Not Found"),
        ("PATCH", "/subjects", 405, "HTTP 405 Method Not Allowed"),
        ("GET", "/subjects/a", 405, "HTTP 405 Method Not Allowed"),
        ("POST", "/associations", 405, "HTTP 405 Method Not Allowed"),
        ("POST", "/associations:batchMutate", 405, "HTTP 405 Method Not Allowed"),
        ("PUT", "/associations/resources/x", 405, "HTTP 405 Method Not Allowed"),
        ("DELETE", "/associations/resources/x", 405, "HTTP 405 Method Not Allowed"),
        ("GET", "/subjects/a%zz", 400, "The path holds a percent sign that is not followed by two hexadecimal digits"),
        ("GET", "/subjects/a%ff/versions", 400, "The path is not UTF-8"),
        ("GET", "/contexts/a:b/subjects", 400, "Context name 'a:b' cannot contain a colon"),
        ("GET", "/subjects?offset=-1", 422, "The offset must not be negative"),
    ],
)
def test_what_cannot_be_routed_has_its_answer(shared_client, method, path, status, message) -> None:
    answer = shared_client(method, path)
    assert (answer.status_code, answer.json()) == (status, {"error_code": status, "message": message})
    assert answer.headers["content-type"] == V1


@pytest.mark.parametrize("path", ["/subjects/", "/subjects//", "//subjects", "/%73ubjects", "/schemas/types/"])
def test_slashes_too_many_and_needless_escapes_do_not_matter(shared_client, path) -> None:
    assert shared_client("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("accept", "status", "media_type"),
    [
        (None, 200, V1),
        ("application/json", 200, "application/json"),
        ("application/vnd.schemaregistry+json", 200, "application/vnd.schemaregistry+json"),
        ("text/plain", 406, V1),
    ],
)
def test_an_answer_has_the_type_that_was_asked_for(shared_client, accept, status, media_type) -> None:
    answer = shared_client("GET", "/subjects", headers={"Accept": accept} if accept else {"Accept": ""})
    assert (answer.status_code, answer.headers["content-type"]) == (status, media_type)


def test_a_refusal_has_the_type_that_was_asked_for(shared_client) -> None:
    answer = shared_client("GET", "/subjects/none/versions", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_foreign_content_type_is_refused_whatever_the_method(shared_client, method) -> None:
    answer = shared_client(
        method, "/subjects" if method == "GET" else "/subjects/s", headers={"Content-Type": "text/html"}
    )
    assert answer.json() == {"error_code": 415, "message": "HTTP 415 Unsupported Media Type"}


@pytest.mark.parametrize(
    "content_type",
    [None, V1, "application/json; charset=utf-8", "application/octet-stream", "application/vnd.schemaregistry+json"],
)
def test_a_body_of_any_known_type_is_json(client, content_type) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = client("POST", "/subjects/s/versions", content=b'{"schema": "\\"string\\""}', headers=headers)
    assert answer.json()["id"] == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_body_is_read_in_every_unicode_encoding(client, encoding) -> None:
    answer = client("POST", "/subjects/s/versions", content='{"schema": "\\"string\\""}'.encode(encoding))
    assert answer.status_code == 200


@pytest.mark.parametrize("number", ["1.10", "1e3", "-0.0", "1E400", "NaN", "123456789012345678901", "7"])
def test_a_number_where_a_text_is_due_is_taken_as_it_is_written(client, number) -> None:
    body = f'{{"schema": "\\"string\\"", "metadata": {{"properties": {{"a": {number}}}}}}}'
    client("POST", "/subjects/s/versions", content=body.encode())
    assert client.get("/subjects/s/versions/1")["metadata"]["properties"] == {"a": number}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"schema": 1.0, "version": []}', "The body cannot be read: version must be a whole number of 32 bits"),
        (b'{"schemaType": 1.50, "schema": "x"}', "Invalid schema type 1.50"),
        (b'{"schemaType": 1.50, "schema": "x", "x": %s}' % (b"[" * 900 + b"]" * 900), "Invalid schema type 1.50"),
    ],
)
def test_what_is_wrong_beside_a_number_that_is_a_text_is_told(client, body, message) -> None:
    assert client("POST", "/subjects/s", content=body).json()["message"] == message


@pytest.mark.parametrize(
    ("body", "status", "fragment"),
    [
        (b"", 422, "The body must be a JSON object, and is empty or null"),
        (b"null", 422, "The body must be a JSON object, and is empty or null"),
        (b" \t", 422, "The body must be a JSON object, and is empty or null"),
        (b"{", 400, "The body is not JSON"),
        (b"nonsense", 400, "The body is not JSON: invalid literal, expected 'null' (line 1, column 1)"),
        (b'{"schema": "x",\n "id" 1}', 400, "expected ':' after key (line 2, column 7)"),
        (b'{"version": 2147483647.5}', 400, "version must be a whole number of 32 bits"),
        (b'{"schema": "\\ud800"}', 400, "The body is not JSON"),
        (b"\xff\xfe\xfd", 400, "The body is not text in UTF-8, UTF-16 or UTF-32"),
        (gzip.compress(b"{}", mtime=0), 400, "The body is not text in UTF-8, UTF-16 or UTF-32"),
        (b"[" * 100_000, 400, "The body is not JSON"),
        (b'{"version": NaN}', 400, "The body cannot be read: version must be a whole number of 32 bits"),
        (b'{"schema": {}}', 400, "The body cannot be read: schema must be a text"),
        (b'{"schema": []}', 400, "schema must be a text"),
        (b"[]", 400, "The body cannot be read: it must be an object"),
        (b'"text"', 400, "The body cannot be read: it must be an object"),
        (b'{"references": {}}', 400, "references must be a list"),
        (b'{"references": [{"name": []}]}', 400, "references.0.name must be a text"),
        (b'{"references": [null]}', 400, "references.0 must be an object"),
        (b'{"metadata": {"properties": {"a": {}}}}', 400, "metadata.properties.a must be a text"),
        (b'{"metadata": {"properties": []}}', 400, "metadata.properties must be an object"),
        (b'{"metadata": {"properties": {"a": null}}}', 422, "properties.a must not be null"),
        (b'{"ruleSet": {"domainRules": [{"kind": "OTHER"}]}}', 400, "0.kind must be 'TRANSFORM' or 'CONDITION'"),
        (b'{"propagateSchemaTags": "maybe"}', 400, "propagateSchemaTags must be true or false"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_one_sentence(shared_client, body, status, fragment) -> None:
    answer = shared_client("POST", "/subjects/s/versions", content=body)
    assert (answer.status_code, answer.json()["error_code"]) == (status, status)
    assert fragment in answer.json()["message"]


@pytest.mark.parametrize(
    "members",
    [
        {"version": "1"},
        {"version": 1.9},
        {"version": None},
        {"version": ""},
        {"id": "-1"},
        {"id": None},
        {"schemaType": None},
        {"references": None},
        {"metadata": None, "ruleSet": None},
        {"propagateSchemaTags": "false"},
        {"propagateSchemaTags": 0},
        {"unknown": {"deep": [1]}},
        {"x": float("nan")},
    ],
)
def test_what_jackson_forgives_is_forgiven(client, members) -> None:
    body = json.dumps({"schema": '"string"', **members})
    assert client("POST", "/subjects/s/versions", content=body.encode()).status_code == 200


def test_a_number_for_a_text_is_its_text(client) -> None:
    answer = client("POST", "/subjects/s/versions", json={**SCHEMA, "metadata": {"properties": {"a": 1, "b": True}}})
    assert answer.json()["metadata"] == {"properties": {"a": "1", "b": "true"}}


@pytest.mark.parametrize("path", ["/", "/subjects", "/schemas/types", "/config", "/openapi.json"])
def test_head_is_get_without_its_body(shared_client, path) -> None:
    plain = {"Accept-Encoding": "identity"}
    head, get = (shared_client(method, path, headers=plain) for method in ("HEAD", "GET"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/subjects", "GET, HEAD, OPTIONS"),
        ("/subjects/s", "DELETE, OPTIONS, POST"),
        ("/config", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("/", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_options_tells_what_is_allowed(shared_client, path, allowed) -> None:
    answer = shared_client("OPTIONS", path)
    assert (answer.status_code, answer.content, answer.headers["allow"]) == (200, b"", allowed)
    assert shared_client("PATCH", path).headers["allow"] == allowed


def test_a_request_id_is_echoed_when_there_is_exactly_one(shared_client) -> None:
    assert shared_client("GET", "/", headers={"X-Request-ID": "mine"}).headers["x-request-id"] == "mine"


@pytest.mark.parametrize("headers", [[], [("X-Request-ID", " ")], [("X-Request-ID", "a"), ("X-Request-ID", "b")]])
def test_a_request_id_is_made_otherwise(shared_client, headers) -> None:
    assert UUID(shared_client("GET", "/nowhere", headers=headers).headers["x-request-id"]).version == 4


def test_large_answers_are_compressed_for_those_who_take_it(client) -> None:
    client.register("s", json.dumps({"type": "enum", "name": "E", "symbols": [f"S{n}" for n in range(999)]}))
    answer = client("GET", "/schemas/ids/1", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(answer.content) // 2
    for encodings in ("identity", "gzip;q=0", "identity, gzip; q=0.0"):
        assert "content-encoding" not in client("GET", "/schemas/ids/1", headers={"Accept-Encoding": encodings}).headers


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("path", ["/subjects", "/subjects/none/versions", "/nowhere", "/openapi.json", "/config/a%"])
def test_every_answer_tells_caches_once_that_it_may_be_compressed(shared_client, path, encoding) -> None:
    answer = shared_client("GET", path, headers={"Accept-Encoding": encoding})
    assert answer.headers.get_list("vary") == ["Accept-Encoding"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(start_client, chunked) -> None:
    client = start_client(max_body_bytes=100)

    async def parts():
        for _ in range(11):
            yield b" " * 10

    answer = client("POST", "/subjects/s", content=parts() if chunked else b" " * 101)
    assert answer.json() == {"error_code": 413, "message": "The request body is larger than the limit of 100 bytes"}


def test_a_body_at_the_limit_is_read(start_client) -> None:
    body = b'{"schema": "\\"string\\""}'
    assert start_client(max_body_bytes=len(body))("POST", "/subjects/s/versions", content=body).status_code == 200


@pytest.mark.parametrize("encoded", ["a%2Fb", "a+b", "%20", "%C3%A9", "a%25b", "%3F%23", "%2E", "a;b=c"])
def test_a_subject_is_what_its_segment_decodes_to(client, encoded) -> None:
    client.register(encoded)
    assert client.get("/subjects") == [unquote(encoded)]
    assert client.get(f"/subjects/{encoded}/versions/latest")["subject"] == unquote(encoded)


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        (("10.0.0.7", 1), [], "10.0.0.7"),
        (("10.0.0.7", 1), [b"10.9.9.9"], "10.0.0.7"),
        (("127.0.0.1", 1), [], "127.0.0.1"),
        (("127.0.0.1", 1), [b"10.9.9.9"], "10.9.9.9"),
        (("::1", 1), [b"made-up, fd00::1"], "fd00::1"),
        (("127.0.0.1", 1), [b"made-up", b" 10.9.9.9 "], "10.9.9.9"),
        (("127.0.0.1", 1), [b""], "127.0.0.1"),
        (None, [b"10.9.9.9"], ""),
    ],
)
def test_only_a_proxy_on_this_machine_says_for_whom_it_asks(client, forwarded, address) -> None:
    headers = [(b"x-forwarded-for", value) for value in forwarded]
    assert client_address({"client": client, "headers": headers}) == address
