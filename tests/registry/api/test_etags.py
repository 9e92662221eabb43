"""ETags: which answers have one, when it changes, and 304."""

import pytest

V1 = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
GUID = "095d71cf-1255-6b9d-5e33-0ad575b3df5d"
TAGGED = [
    "/schemas/ids/1",
    "/schemas/ids/1/schema",
    "/schemas/ids/1/subjects",
    "/schemas/ids/1/versions",
    f"/schemas/guids/{GUID}",
    f"/schemas/guids/{GUID}/ids",
    "/subjects/s/versions/1",
    "/subjects/s/versions/latest",
    "/subjects/s/versions/1/schema",
    "/subjects/s/versions/1/referencedby",
    "/signet/v1/subjects/s/versions/1",
]
CHANGES = [
    ("POST", "/subjects/s/versions", {"schema": '"int"'}),
    ("DELETE", "/subjects/s/versions/1", None),
    ("POST", "/subjects/other/versions", {"schema": '"string"'}),
    ("PUT", "/config/s", {"alias": "other"}),
]


@pytest.fixture
def tagged(client):
    client("PUT", "/config", json={"compatibility": "NONE"})
    client.register("s")
    return client


@pytest.mark.parametrize("path", TAGGED)
def test_an_unchanged_answer_is_not_sent_again(tagged, path) -> None:
    first = tagged("GET", path)
    assert first.headers["cache-control"] == "private, no-cache"
    again = tagged("GET", path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "content-type" not in again.headers


@pytest.mark.parametrize(
    ("header", "status"),
    [("*", 304), ('"x", {tag}', 304), ("{strong}", 304), ('"x"', 200), ("", 200), ("{bare}", 200)],
)
def test_the_clients_tags_are_compared_weakly(tagged, header, status) -> None:
    tag = tagged("GET", "/schemas/ids/1").headers["etag"]
    strong = tag.removeprefix("W/")
    header = header.format(tag=tag, strong=strong, bare=strong.strip('"'))
    assert tagged("GET", "/schemas/ids/1", headers={"If-None-Match": header}).status_code == status


def test_the_tags_of_several_headers_are_one_list(tagged) -> None:
    tag = tagged("GET", "/schemas/ids/1").headers["etag"]
    headers = [("If-None-Match", '"x"'), ("If-None-Match", tag)]
    assert tagged("GET", "/schemas/ids/1", headers=headers).status_code == 304


@pytest.mark.parametrize("path", TAGGED)
@pytest.mark.parametrize(("method", "changed", "body"), CHANGES)
def test_a_changed_answer_has_another_tag(tagged, path, method, changed, body) -> None:
    before = tagged("GET", path)
    assert tagged(method, changed, json=body).status_code == 200
    after = tagged("GET", path, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code != 304 or tagged("GET", path).content == before.content


def test_a_tag_names_the_log(tagged) -> None:
    log = tagged.get("/v1/metadata/id")["scope"]["clusters"]["kafka-cluster"]
    assert tagged("GET", "/schemas/ids/1").headers["etag"].startswith(f'W/"{log}-')


@pytest.mark.parametrize("path", ["/subjects", "/config", "/mode", "/contexts", "/schemas", "/schemas/types"])
def test_other_answers_have_none(tagged, path) -> None:
    assert "etag" not in tagged("GET", path).headers


def test_a_refusal_has_none(tagged) -> None:
    answer = tagged("GET", "/schemas/ids/99", headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.headers.get("etag")) == (404, None)
