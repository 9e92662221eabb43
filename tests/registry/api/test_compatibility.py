"""Routes of compatibility, Confluent's and ours."""

import pytest

V1 = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
WIDER = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}'
ALL = "/compatibility/subjects/s/versions"
ONE = "/compatibility/subjects/s/versions/1"


@pytest.fixture
def history(client):
    client.register("s", V1)
    return client


@pytest.mark.parametrize("path", [ALL, ONE, f"{ALL}/latest", f"{ALL}/-1", f"{ALL}/"])
@pytest.mark.parametrize(("text", "fits"), [(V1, True), (WIDER, False), ('"int"', False)])
def test_a_schema_fits_or_not(history, path, text, fits) -> None:
    assert history("POST", path, json={"schema": text}).json() == {"is_compatible": fits}


def test_verbose_says_why(history) -> None:
    assert history("POST", f"{ONE}?verbose=true", json={"schema": V1}).json() == {"is_compatible": True, "messages": []}
    refused = history("POST", f"{ONE}?verbose=true", json={"schema": WIDER}).json()
    assert refused["is_compatible"] is False
    assert "READER_FIELD_MISSING_DEFAULT_VALUE" in refused["messages"][0]
    assert "{oldSchemaVersion: 1}" in refused["messages"]


@pytest.mark.parametrize(
    ("path", "body", "status", "answer"),
    [
        ("/compatibility/subjects/none/versions", V1, 200, True),
        ("/compatibility/subjects/none/versions/latest", V1, 200, True),
        ("/compatibility/subjects/none/versions/100", V1, 404, 40402),
        ("/compatibility/subjects/s/versions/100", V1, 404, 40402),
        ("/compatibility/subjects/s/versions/0", V1, 422, 42202),
        ("/compatibility/subjects/s/versions", "{", 422, 42201),
        ("/compatibility/subjects/s/versions", "", 422, 42201),
        ("/compatibility/subjects/s/versions?verbose=true", "{", 200, False),
        ("/compatibility/subjects/s/versions?verbose=true", "", 200, False),
    ],
)
def test_what_cannot_be_compared_has_its_answer(history, path, body, status, answer) -> None:
    given = history("POST", path, json={"schema": body})
    assert given.status_code == status
    assert given.json().get("is_compatible", given.json().get("error_code")) == answer


def test_mode_does_not_matter(history) -> None:
    history("PUT", "/mode/s", json={"mode": "READONLY"})
    assert history("POST", ONE, json={"schema": V1}).json() == {"is_compatible": True}


@pytest.mark.parametrize(
    "path", ["/signet/v1/compatibility/subjects/s/versions", "/signet/v1/compatibility/subjects/s/versions/1"]
)
def test_ours_explains_itself(history, path) -> None:
    explained = history("POST", path, json={"schema": WIDER}).json()
    (finding,) = explained["findings"]
    assert (explained["compatible"], finding["version"], finding["direction"]) == (False, 1, "new reads old")
    assert (finding["kind"], finding["path"]) == ("READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/1")
    assert finding["place"]
    assert finding["suggestion"]


def test_ours_has_nothing_to_say_about_what_fits(history) -> None:
    explained = history("POST", "/signet/v1/compatibility/subjects/s/versions", json={"schema": V1}).json()
    assert explained == {"compatible": True, "findings": [], "messages": []}
