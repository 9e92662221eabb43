"""Routes of versions."""

import pytest

V1 = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
V2 = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":0}]}'
BROKEN = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}'
GUID = "095d71cf-1255-6b9d-5e33-0ad575b3df5d"


@pytest.fixture
def history(client):
    """Subject s with versions 1 to 3, of which 2 is soft-deleted."""
    client("PUT", "/config/s", json={"compatibility": "NONE"})
    for name in "abc":
        client.register("s", f'{{"type":"enum","name":"E","symbols":["X","{name}"]}}')
    client("DELETE", "/subjects/s/versions/2")
    return client


def test_registering_answers_the_version_it_became(client) -> None:
    answer = client("POST", "/subjects/s/versions", json={"schema": ' "string" '})
    expected = {"id": 1, "version": 1, "guid": GUID, "schemaType": "AVRO", "schema": '"string"'}
    assert (answer.status_code, answer.json()) == (200, expected)
    assert list(answer.json()) == list(expected)


SAME = '{"type":"record","name":"R","fields":[],"a":1,"b":2}'
ALIKE = '{"type":"record","name":"R","fields":[],"b":2,"a":1}'
ANSWERED_AGAIN = [
    ("/subjects/s/versions", {"schema": SAME}, set()),
    ("/subjects/s/versions", {"schema": SAME, "version": -1}, {"ts", "deleted"}),
    ("/subjects/s/versions", {"schema": ALIKE}, {"ts", "deleted"}),
    ("/subjects/s", {"schema": SAME}, set()),
    ("/subjects/s", {"schema": ALIKE}, {"ts", "deleted"}),
]


@pytest.mark.parametrize(("path", "body", "more"), ANSWERED_AGAIN)
def test_what_is_there_is_answered_with_its_timestamp_unless_its_content_was_sent(client, path, body, more) -> None:
    client.register("s", SAME)
    again = client("POST", path, json=body).json()
    assert (again["id"], again["version"], again["schema"]) == (1, 1, SAME)
    assert again.keys() & {"ts", "deleted"} == more


@pytest.mark.parametrize(
    ("members", "code", "fragment"),
    [
        ({"schema": '{"type":"str"}'}, 42201, "Undefined schema: str"),
        ({"schema": "{"}, 42201, "Invalid schema of type AVRO"),
        ({"schema": "\U0001f600"}, 42201, "Invalid schema of type AVRO"),
        ({"schema": "{", "metadata": {"properties": {"a": "b"}}}, 42201, "{tags={}, properties={a=b}, sensitive=[]}"),
        ({"schema": ""}, 42201, "Empty schema"),
        ({"schema": "\0 \x1f"}, 42201, "Empty schema"),
        ({"schema": "\u2003"}, 42201, "Invalid schema of type AVRO"),
        ({}, 42201, "Empty schema"),
        ({"schema": '"int"', "schemaType": "avro"}, 42201, "Invalid schema type avro"),
        ({"schema": '"int"', "schemaType": ""}, 42201, "Invalid schema type "),
        ({"schema": '"int"', "schemaType": "FOO"}, 42201, "Invalid schema type FOO"),
        ({"schema": '"int"', "version": 7}, 42201, "Version is not one more than previous version"),
        ({"schema": '"int"', "id": 9}, 42205, "Subject s in context  is not in import mode"),
        ({"schema": '"int"', "id": 0}, 42205, "Subject s in context  is not in import mode"),
        ({"schema": '"int"', "ruleSet": {"domainRules": [{}]}}, 42210, "Missing rule name"),
        ({"schema": '"int"', "references": [{"name": "x", "subject": "y", "version": 1}]}, 42201, 'for subject "y"'),
        ({"schema": '"int"', "references": [{"name": "x"}]}, 42201, "Invalid reference"),
        ({"schema": '"int"', "schemaTagsToAdd": [{"tags": ["PII"]}]}, 422, "schemaEntity must not be null"),
    ],
)
def test_what_cannot_be_registered_is_refused_with_its_code(client, members, code, fragment) -> None:
    answer = client("POST", "/subjects/s/versions", json=members)
    assert (answer.status_code, answer.json()["error_code"]) == (422, code)
    assert fragment in answer.json()["message"]
    assert client.get("/subjects") == []


@pytest.mark.parametrize("subject", ["a%00b", "a%C2%85", "__GLOBAL", "__EMPTY", ":.c:__GLOBAL", ":.__GLOBAL:s"])
def test_a_name_that_no_subject_may_have_is_refused(client, subject) -> None:
    answer = client("POST", f"/subjects/{subject}/versions", json={"schema": '"int"'})
    assert answer.json()["error_code"] == 42208
    assert "is not a valid." in answer.json()["message"]


def test_an_incompatible_schema_is_refused_unless_forced(client) -> None:
    client.register("s", V1)
    refused = client("POST", "/subjects/s/versions", json={"schema": BROKEN})
    assert (refused.status_code, refused.json()["error_code"]) == (409, 40901)
    assert "READER_FIELD_MISSING_DEFAULT_VALUE" in refused.json()["message"]
    assert client("POST", "/subjects/s/versions?force=true", json={"schema": BROKEN}).json()["version"] == 2


def test_normalizing_makes_variants_one(client) -> None:
    client("POST", "/subjects/s/versions?normalize=true", json={"schema": '{"type":"int","b":1,"a":2}'})
    again = client("POST", "/subjects/s/versions?normalize=TRUE", json={"schema": '{"type":"int","a":2,"b":1}'})
    assert (again.json()["version"], again.json()["schema"]) == (1, '{"type":"int","a":2,"b":1}')


@pytest.mark.parametrize(
    ("query", "versions"),
    [
        ("", [1, 3]),
        ("deleted=true", [1, 2, 3]),
        ("deletedOnly=true", [2]),
        ("deletedOnly=true&deleted=true", [2]),
        ("deletedAsNegative=true", [1, -2, 3]),
        ("offset=1", [3]),
        ("limit=1", [1]),
        ("limit=0", [1, 3]),
        ("limit=-5", [1, 3]),
        ("offset=&limit=", [1, 3]),
        ("offset=+1", [3]),
        ("deleted=true&offset=1&limit=1", [2]),
        ("deleted=1", [1, 3]),
    ],
)
def test_versions_are_listed(history, query, versions) -> None:
    query = query.replace("+", "%2B")
    assert history.get(f"/subjects/s/versions?{query}") == versions


@pytest.mark.parametrize(
    ("path", "status", "code", "message"),
    [
        ("/subjects/none/versions", 404, 40401, "Subject 'none' not found."),
        ("/subjects/none/versions?deleted=true", 404, 40401, "Subject 'none' not found."),
        ("/subjects/:.:none/versions", 404, 40401, "Subject 'none' not found."),
        ("/subjects/:.c:none/versions", 404, 40401, "Subject ':.c:none' not found."),
        ("/subjects/none/versions/1", 404, 40401, "Subject 'none' not found."),
        ("/subjects/none/versions/latest", 404, 40401, "Subject 'none' not found."),
        ("/subjects/s/versions/2", 404, 40402, "Version 2 not found."),
        ("/subjects/s/versions/9", 404, 40402, "Version 9 not found."),
        ("/subjects/s/versions/9/schema", 404, 40402, "Version 9 not found."),
        ("/subjects/s/versions/9/referencedby", 404, 40402, "Version 9 not found."),
        ("/signet/v1/subjects/s/versions/9", 404, 40402, "Version 9 not found."),
    ],
)
def test_what_is_not_there_is_not_found(history, path, status, code, message) -> None:
    answer = history("GET", path)
    assert (answer.status_code, answer.json()) == (status, {"error_code": code, "message": message})


@pytest.mark.parametrize("version", ["0", "-2", "x", "1.0", "2147483648", "1_0", "%20"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/subjects/none/versions/{}"),
        ("GET", "/subjects/none/versions/{}/schema"),
        ("GET", "/subjects/none/versions/{}/referencedby"),
        ("DELETE", "/subjects/none/versions/{}"),
        ("POST", "/subjects/none/versions/{}/tags"),
        ("POST", "/compatibility/subjects/none/versions/{}"),
        ("POST", "/signet/v1/subjects/none/versions/{}/undelete"),
    ],
)
def test_a_version_that_is_none_is_refused_before_anything_is_looked_up(shared_client, method, path, version) -> None:
    answer = shared_client(method, path.format(version), content=b"{}")
    assert (answer.status_code, answer.json()["error_code"]) == (422, 42202)
    assert 'Allowed values are between [1, 2^31-1] and the string "latest"' in answer.json()["message"]


@pytest.mark.parametrize("version", ["latest", "LATEST", "%20latest%20", "-1", "3", "+3", "03"])
def test_a_version_is_found_by_number_or_as_latest(history, version) -> None:
    found = history.get(f"/subjects/s/versions/{version}")
    assert found | {"ts": 0, "guid": ""} == {
        "subject": "s",
        "version": 3,
        "id": 3,
        "guid": "",
        "schemaType": "AVRO",
        "schema": '{"type":"enum","name":"E","symbols":["X","c"]}',
        "ts": 0,
        "deleted": False,
    }


def test_a_soft_deleted_version_is_shown_when_asked_for(history) -> None:
    assert history.get("/subjects/s/versions/2?deleted=true")["deleted"] is True


def test_latest_of_a_deleted_subject_is_not_found(client) -> None:
    client.register("s")
    client("DELETE", "/subjects/s")
    assert client.get("/subjects/s/versions/latest")["error_code"] == 40401
    assert client.get("/subjects/s/versions/latest?deleted=true")["message"] == "Version -1 not found."


def test_the_text_of_a_version_is_answered_as_it_is(client) -> None:
    client.register("s", V1)
    answer = client("GET", "/subjects/s/versions/1/schema", headers={"Accept": "application/json"})
    assert (answer.text, answer.headers["content-type"]) == (V1, "application/json")


@pytest.mark.parametrize("path", ["/subjects/outer/versions/1", "/schemas/ids/2"])
@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("resolved", '[{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}]'),
        ("RESOLVED", '[{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}]'),
        ("", '["R"]'),
        ("default", '["R"]'),
        ("nonsense", '["R"]'),
    ],
)
def test_a_text_is_answered_in_the_form_that_was_asked_for(client, path, form, text) -> None:
    client.register("inner", V1)
    client.register("outer", '["R"]', references=[{"name": "R", "subject": "inner", "version": 1}])
    assert client.get(f"{path}?format={form}")["schema"] == text
    assert client("GET", f"{path}/schema?format={form}").text == text


def test_references_are_qualified_when_asked_for(client) -> None:
    client.register(":.c:inner", V1)
    client.register(":.c:outer", '["R"]', references=[{"name": "R", "subject": "inner", "version": 1}])
    for path, subject in [("", "inner"), ("?referenceFormat=qualified", ":.c:inner"), ("?referenceFormat=x", "inner")]:
        assert client.get(f"/subjects/:.c:outer/versions/1{path}")["references"][0]["subject"] == subject


def test_what_refers_to_a_version_is_listed_and_keeps_it(client) -> None:
    client.register("inner", V1)
    client.register("outer", '["R"]', references=[{"name": "R", "subject": "inner", "version": -1}])
    assert client.get("/subjects/outer/versions/1")["references"] == [{"name": "R", "subject": "inner", "version": 1}]
    assert client.get("/subjects/inner/versions/1/referencedby") == [2]
    for path in ("/subjects/inner/versions/1", "/subjects/inner"):
        assert client("DELETE", path).json() == {
            "error_code": 42206,
            "message": "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=inner,version=1}.",
        }
    client("DELETE", "/subjects/outer")
    assert client.get("/subjects/inner/versions/1/referencedby") == []
    assert client.get("/subjects/inner/versions/1/referencedby?deleted=true") == [2]


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("findTags=*", ["PII", "X"]),
        ("findTags=PII", ["PII", "X"]),
        ("findTags=PII&findTags=X", ["PII", "X"]),
        ("findTags=none", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("path", ["/subjects/s/versions/1", "/schemas/ids/1"])
def test_inline_tags_are_found(client, path, tags, found) -> None:
    field = {"name": "a", "type": "int", "confluent:tags": ["PII", "X"]}
    client.register("s", f'{{"type":"record","name":"R","fields":[{str(field).replace(chr(39), chr(34))}]}}')
    expected = found and [{"schemaEntity": {"entityPath": "R.a", "entityType": "sr_field"}, "tags": found}]
    assert client.get(f"{path}?{tags}").get("schemaTags") == expected


@pytest.mark.parametrize("kind", [{"entityType": "sr_field"}, {"entityType": None}, {}])
def test_tagging_makes_a_new_version(client, kind) -> None:
    client.register("s", V1)
    body = {"tagsToAdd": [{"schemaEntity": {"entityPath": "R.a", **kind}, "tags": ["PII"]}]}
    tagged = client("POST", "/subjects/s/versions/1/tags", json=body).json()
    assert (tagged["version"], tagged["metadata"]) == (2, {"properties": {"confluent:version": "2"}})
    assert '"confluent:tags":["PII"]' in tagged["schema"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/subjects/none/versions/1/tags", {}, 40401),
        ("/subjects/s/versions/9/tags", {}, 40402),
        ("/subjects/__EMPTY/versions/1/tags", {}, 42208),
        ("/subjects/s/versions/1/tags", {"ruleSet": {}, "rulesToRemove": ["x"]}, 42210),
        ("/subjects/s/versions/1/tags", {"tagsToAdd": [{"schemaEntity": {"entityPath": "no"}, "tags": ["x"]}]}, 42201),
        ("/subjects/s/versions/1/tags", {"tagsToAdd": [{"schemaEntity": {"entityType": "sr_field"}}]}, 400),
        ("/subjects/none/versions/1/tags", {"tagsToAdd": [{"schemaEntity": {"entityType": "column"}}]}, 400),
    ],
)
def test_what_cannot_be_tagged_is_refused(client, path, body, code) -> None:
    client.register("s", V1)
    assert client("POST", path, json=body).json()["error_code"] == code


def test_deleting_a_version_twice_and_for_good_follows_its_order(client) -> None:
    client.register("s")
    steps = [
        ("DELETE", "/subjects/s/versions/1?permanent=true", 40407),
        ("DELETE", "/subjects/s/versions/latest?permanent=true", 40407),
        ("DELETE", "/subjects/s/versions/latest", 1),
        ("DELETE", "/subjects/s/versions/1", 40406),
        ("DELETE", "/subjects/s/versions/2", 40402),
        ("DELETE", "/subjects/s/versions/1?permanent=true", 1),
        ("DELETE", "/subjects/s/versions/1", 40401),
        ("GET", "/schemas/ids/1", 40403),
    ]
    for method, path, expected in steps:
        answer = client(method, path).json()
        assert (answer if isinstance(answer, int) else answer["error_code"]) == expected, path


def test_undelete_brings_a_version_back_under_its_number_and_id(history) -> None:
    back = history("POST", "/signet/v1/subjects/s/versions/2/undelete").json()
    assert (back["version"], back["id"]) == (2, 2)
    assert history.get("/subjects/s/versions") == [1, 2, 3]


def test_undelete_checks_compatibility_unless_forced(client) -> None:
    client.register("s", V1)
    client("PUT", "/config/s", json={"compatibility": "NONE"})
    client.register("s", BROKEN)
    client("DELETE", "/subjects/s/versions/2")
    client("PUT", "/config/s", json={"compatibility": "BACKWARD"})
    path = "/signet/v1/subjects/s/versions/2/undelete"
    assert client("POST", path).json()["error_code"] == 40901
    assert client("POST", f"{path}?force=true").json()["version"] == 2


def test_the_details_of_a_version_say_when_it_was_registered(history) -> None:
    details = history.get("/signet/v1/subjects/s/versions/2")
    assert (details["version"], details["deleted"], details["registeredBy"]) == (2, True, None)
    assert details["registeredAt"].endswith("Z")
