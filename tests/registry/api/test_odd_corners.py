"""The odd corners of docs/compatibility.md, where Confluent's registry answers otherwise; some have tests elsewhere."""

from urllib.parse import unquote

import pytest

FIXED = '{"type":"fixed","name":"F","size":1}'


def register(client, subject, schema='"F"', **members):
    return client("POST", f"/subjects/{subject}/versions", json={"schema": schema, **members}).json()


@pytest.mark.parametrize("subject", ["a;b=c", "a^b", "a%5Cb", "%2E", "%2E%2E", "a|b", '"a"'])
def test_a_subject_may_hold_what_java_servers_refuse_in_a_path(client, subject) -> None:
    client.register(subject)
    assert client.get("/subjects") == [unquote(subject)]


def test_an_address_over_8_kib_is_read(client) -> None:
    client.register("s" * 10_000)
    assert client.get(f"/subjects/{'s' * 10_000}/versions") == [1]


@pytest.mark.parametrize(
    "members",
    [
        {"references": [None]},
        {"ruleSet": {"domainRules": [None]}},
        {"ruleSet": {"migrationRules": [None]}},
        {"schemaTagsToAdd": [None]},
        {"schemaTagsToRemove": [None]},
    ],
)
@pytest.mark.parametrize("path", ["/subjects/s/versions", "/subjects/s", "/compatibility/subjects/s/versions"])
def test_a_null_in_a_list_of_objects_is_a_bad_request(client, path, members) -> None:
    answer = client("POST", path, json={"schema": '"int"', **members}).json()
    assert (answer["error_code"], answer["message"].endswith(".0 must be an object")) == (400, True)


def test_a_minus_before_zero_is_lost_and_a_number_beyond_64_bits_is_no_boolean(client) -> None:
    assert client("PUT", "/config/s", content=b'{"alias": -0}').json() == {"alias": "0"}
    assert client("PUT", "/config/s", content=b'{"normalize": 123456789012345678901}').json()["error_code"] == 400


def test_names_are_listed_by_prefix_and_in_the_order_of_their_characters(client) -> None:
    for subject in ("%F0%9F%98%80", "%EF%BF%BD", ":.c:s"):
        client.register(subject)
    assert client.get("/subjects") == [":.c:s", "\ufffd", "\U0001f600"]
    assert client.get("/subjects?subjectPrefix=:.") == [":.c:s"]


@pytest.mark.parametrize("context", [".c", ":.c:", "%3A.c%3A", "%2Ec"])
def test_a_context_is_deleted_however_it_is_written(client, context) -> None:
    client.register(":.c:s")
    assert client("DELETE", f"/contexts/{context}").json()["error_code"] == 42211
    client("DELETE", "/subjects/:.c:s")
    client("DELETE", "/subjects/:.c:s?permanent=true")
    assert client("DELETE", f"/contexts/{context}").status_code == 204
    assert client.get("/contexts") == ["."]


def test_a_registration_that_is_refused_leaves_no_context_behind(client) -> None:
    assert register(client, ":.c:s", '"int"', version=4)["error_code"] == 42201
    assert client.get("/contexts") == ["."]


@pytest.mark.parametrize("subject", [":.:", ":.c:", ":*:s"])
def test_a_subject_without_a_name_or_in_the_context_of_all_is_one_as_any_other(client, subject) -> None:
    client.register("s", '"int"')
    client.register(subject, '"long"')
    assert register(client, subject, '"string"')["error_code"] == 40901
    assert client.get(f"/subjects/{subject}/versions/1")["schema"] == '"long"'
    assert client("DELETE", f"/subjects/{subject}").json() == [1]


@pytest.mark.parametrize("version", [0, -2])
def test_a_reference_to_a_version_that_cannot_be_is_refused_in_words(client, version) -> None:
    client.register("f", FIXED)
    refused = register(client, "s", references=[{"name": "F", "subject": "f", "version": version}])
    assert (refused["error_code"], refused["message"].endswith(f'subject "f" and version {version}')) == (42201, True)


def test_the_text_about_a_schema_that_cannot_be_read_shows_no_id(client) -> None:
    client("PUT", "/mode/s", json={"mode": "IMPORT"})
    assert ",version=null,id=null,guid=" in register(client, "s", '"G"', id=7)["message"]


def test_qualified_references_do_not_change_a_guid(client) -> None:
    client.register(":.c:f", FIXED)
    guid = register(client, ":.c:s", references=[{"name": "F", "subject": "f", "version": 1}])["guid"]
    shown = client.get("/subjects/:.c:s/versions/1?referenceFormat=qualified")
    assert (shown["references"][0]["subject"], shown["guid"]) == (":.c:f", guid)


def test_what_an_import_wrote_over_is_gone(client) -> None:
    guid = register(client, "s", '"int"')["guid"]
    client("PUT", "/mode/s?force=true", json={"mode": "IMPORT"})
    assert register(client, "s", '"long"', id=5, version=1)["id"] == 5
    assert client("POST", "/subjects/s", json={"schema": '"int"'}).json()["error_code"] == 40403
    assert client.get(f"/schemas/guids/{guid}")["error_code"] == 40403


def test_what_entering_import_swept_is_gone(client) -> None:
    guid = register(client, "s", '"int"')["guid"]
    client("DELETE", "/subjects/s")
    client("PUT", "/mode/s", json={"mode": "IMPORT"})
    assert client.get(f"/schemas/guids/{guid}/ids") == []


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [("PUT", "/mode/__EMPTY", 42204), ("POST", "/subjects/__EMPTY/versions/x/tags", 42202)],
)
def test_of_two_faults_the_one_beside_the_subject_is_told(client, method, path, code) -> None:
    assert client(method, path, json={"mode": "often"}).json()["error_code"] == code
