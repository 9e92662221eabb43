"""Dry runs: what would happen, and that it does not."""

import pytest

V1 = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
WIDER = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}'


@pytest.fixture
def history(client):
    """inner/1 is referred to by outer/1; gone/1 is soft-deleted; s has a config and a mode."""
    client.register("inner", V1)
    client.register("outer", '["R"]', references=[{"name": "R", "subject": "inner", "version": 1}])
    client.register("gone")
    client("DELETE", "/subjects/gone")
    client("PUT", "/config/s", json={"compatibility": "FULL"})
    client("PUT", "/mode/s", json={"mode": "READWRITE"})
    return client


WISHES = [
    ("POST", "/subjects/new/versions", {"schema": '"int"'}),
    ("DELETE", "/subjects/outer", None),
    ("DELETE", "/subjects/gone?permanent=true", None),
    ("DELETE", "/subjects/outer/versions/1", None),
    ("POST", "/signet/v1/subjects/gone/versions/1/undelete", None),
    ("POST", "/subjects/inner/versions/1/tags", {"metadata": {"properties": {"owner": "bob"}}}),
    ("PUT", "/config", {"compatibility": "NONE"}),
    ("PUT", "/config/s", {"compatibility": None}),
    ("DELETE", "/config/s", None),
    ("DELETE", "/config", None),
    ("PUT", "/mode", {"mode": "READONLY"}),
    ("PUT", "/mode/s", {"mode": "READONLY"}),
    ("DELETE", "/mode/s", None),
    ("DELETE", "/mode", None),
]
REFUSALS = [
    ("POST", "/subjects/inner/versions", {"schema": WIDER}, 40901),
    ("POST", "/subjects/new/versions", {"schema": "{"}, 42201),
    ("DELETE", "/subjects/none", None, 40401),
    ("DELETE", "/subjects/inner", None, 42206),
    ("DELETE", "/subjects/inner/versions/1", None, 42206),
    ("DELETE", "/subjects/inner/versions/9", None, 40402),
    ("POST", "/subjects/inner/versions/9/tags", {}, 40402),
    ("DELETE", "/config/none", None, 40401),
    ("PUT", "/mode/inner", {"mode": "IMPORT"}, 42205),
]


def dry(path: str) -> str:
    return path + ("&" if "?" in path else "?") + "dryRun=true"


def without_times(answer):
    return {name: value for name, value in answer.items() if name != "ts"} if isinstance(answer, dict) else answer


@pytest.mark.parametrize(("method", "path", "body"), WISHES)
def test_a_dry_run_tells_the_answer_and_changes_nothing(history, method, path, body) -> None:
    before = history("GET", "/schemas/ids/1/subjects").headers["etag"]
    told = history(method, dry(path), json=body).json()
    assert history("GET", "/schemas/ids/1/subjects").headers["etag"] == before
    done = history(method, path, json=body)
    assert done.status_code == 200
    assert told["accepted"] is True
    assert without_times(told["answer"]) == without_times(done.json())
    assert "refusal" not in told


@pytest.mark.parametrize(("method", "path", "body", "code"), REFUSALS)
def test_a_dry_run_tells_a_refusal(history, method, path, body, code) -> None:
    told = history(method, dry(path), json=body)
    refused = history(method, path, json=body).json()
    assert refused["error_code"] == code
    assert (told.status_code, told.json()["accepted"], told.json()["refusal"]) == (200, False, refused)


def test_a_dry_run_shows_the_records_and_the_id(history) -> None:
    told = history("POST", dry("/subjects/new/versions"), json={"schema": '"int"'}).json()
    assert (told["answer"]["id"], told["answer"]["version"]) == (4, 1)
    (record,) = told["records"]
    assert record["key"] == {"keytype": "SCHEMA", "subject": "new", "version": 1, "magic": 1}
    assert (record["value"]["id"], record["value"]["schema"]) == (4, '"int"')
    assert history.register("new", '"int"') == 4


def test_a_dry_run_of_a_registration_tells_the_findings(history) -> None:
    told = history("POST", dry("/subjects/inner/versions"), json={"schema": WIDER}).json()
    assert [finding["kind"] for finding in told["findings"]] == ["READER_FIELD_MISSING_DEFAULT_VALUE"]
    forced = history("POST", dry("/subjects/inner/versions?force=true"), json={"schema": WIDER}).json()
    assert (forced["accepted"], len(forced["findings"])) == (True, 1)


@pytest.mark.parametrize("path", ["/subjects/inner", "/subjects/inner/versions/1", "/subjects/inner/versions/latest"])
def test_a_dry_run_of_a_deletion_tells_the_dependants(history, path) -> None:
    told = history("DELETE", dry(path)).json()
    assert told["dependants"] == [{"version": 1, "referencedBy": [2]}]


def test_a_dry_run_of_a_deletion_tells_the_dependants_of_nothing_else(history) -> None:
    history.register(":.x:only", V1)
    history.register(":.x:user", '["R"]', references=[{"name": "R", "subject": "only", "version": 1}])
    told = history("DELETE", dry("/subjects/only/versions/1")).json()
    assert (told["refusal"]["error_code"], told["dependants"]) == (40401, [])


def test_a_dry_run_of_a_context_tells_whether_it_could_be_deleted(client) -> None:
    client.register(":.c:s")
    assert client("DELETE", dry("/contexts/.c")).json()["refusal"]["error_code"] == 42211
    for permanent in ("", "?permanent=true"):
        client("DELETE", f"/subjects/:.c:s{permanent}")
    told = client("DELETE", dry("/contexts/.c"))
    assert (told.status_code, told.json()["accepted"], len(told.json()["records"])) == (200, True, 1)
    assert client.get("/contexts") == [".", ".c"]


@pytest.mark.parametrize("word", ["", "1", "yes", "ture"])
def test_a_mistyped_dry_run_changes_nothing(history, word) -> None:
    refused = history("DELETE", f"/subjects/outer?dryRun={word}")
    assert (refused.status_code, refused.json()["message"]) == (422, "dryRun must be true or false")
    assert history.get("/subjects/outer/versions") == [1]


def test_what_the_edge_refuses_is_refused_in_a_dry_run_too(history) -> None:
    assert history("POST", dry("/subjects/s/versions"), content=b"{").status_code == 400
    assert history("DELETE", dry("/subjects/s/versions/x")).status_code == 422
