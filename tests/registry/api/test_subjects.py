"""Routes of subjects."""

import pytest

SUBJECTS = ["a", "ab", "b", "gone", ":.c:a", ":.c:x", ":.c2:a"]
PROPERTIES = [{"owner": "me"}, {"owner": "me", "tier": "1"}, None, {}]


@pytest.fixture(scope="module")
def subjects(shared_client):
    for subject in SUBJECTS:
        shared_client.register(subject)
    shared_client("DELETE", "/subjects/gone")
    return shared_client


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [":.c2:a", ":.c:a", ":.c:x", "a", "ab", "b"]),
        ("deleted=true", [":.c2:a", ":.c:a", ":.c:x", "a", "ab", "b", "gone"]),
        ("deletedOnly=true", ["gone"]),
        ("deletedOnly=true&deleted=true", ["gone"]),
        ("subjectPrefix=", ["a", "ab", "b"]),
        ("subjectPrefix=a", ["a", "ab"]),
        ("subjectPrefix=:.c:", [":.c:a", ":.c:x"]),
        ("subjectPrefix=:.c:x", [":.c:x"]),
        ("subjectPrefix=:.c", [":.c2:a", ":.c:a", ":.c:x"]),
        ("subjectPrefix=:*:", [":.c2:a", ":.c:a", ":.c:x", "a", "ab", "b"]),
        ("subjectPrefix=:*:a", [":.c2:a", ":.c:a", "a", "ab"]),
        ("subjectPrefix=:.:", ["a", "ab", "b"]),
        ("subjectPrefix=none", []),
        ("offset=4", ["ab", "b"]),
        ("offset=1&limit=2", [":.c:a", ":.c:x"]),
        ("offset=99", []),
        ("limit=0&subjectPrefix=", ["a", "ab", "b"]),
        ("limit=1&limit=2&subjectPrefix=", ["a"]),
    ],
)
def test_subjects_are_listed(subjects, query, found) -> None:
    assert subjects.get(f"/subjects?{query}") == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/contexts/.c/subjects", [":.c:a", ":.c:x"]),
        ("/contexts/:.c:/subjects?subjectPrefix=x", [":.c:x"]),
        ("/contexts/:.:/subjects", ["a", "ab", "b"]),
        ("/contexts/.c/subjects?subjectPrefix=:*:x", [":.c:x"]),
    ],
)
def test_subjects_are_listed_within_a_context(subjects, path, found) -> None:
    assert subjects.get(path) == found


def test_a_schema_is_looked_up_in_its_subject(client) -> None:
    client.register("s")
    found = client("POST", "/subjects/s", json={"schema": '{"type":"string"}'}).json()
    assert (found["subject"], found["version"], found["id"], found["schema"]) == ("s", 1, 1, '"string"')


@pytest.mark.parametrize(
    ("path", "members", "code", "fragment"),
    [
        ("/subjects/none", {"schema": '"string"'}, 40401, "Subject 'none' not found."),
        ("/subjects/s", {"schema": '"int"'}, 40403, "Schema not found"),
        ("/subjects/s", {"schema": "{"}, 42201, "Invalid schema"),
        ("/subjects/none", {"schema": "{"}, 42201, "Invalid schema"),
        ("/subjects/none", {"schema": '"int"', "schemaType": "X"}, 42201, "Invalid schema type X"),
        ("/subjects/none", {"schemaType": "X"}, 40401, "Subject 'none' not found."),
        ("/subjects/s", {"schema": "", "schemaType": "X"}, 40403, "Schema not found"),
        ("/subjects/s", {"schema": '"int"', "schemaType": "X"}, 42201, "Invalid schema type X"),
        ("/subjects/gone", {"schema": '"string"'}, 40401, "Subject 'gone' not found."),
    ],
)
def test_what_cannot_be_looked_up_has_its_code(client, path, members, code, fragment) -> None:
    client.register("s")
    client.register("gone")
    client("DELETE", "/subjects/gone")
    answer = client("POST", path, json=members).json()
    assert answer["error_code"] == code
    assert fragment in answer["message"]


def test_soft_deleted_versions_are_looked_up_when_asked_for(client) -> None:
    client.register("s")
    client("DELETE", "/subjects/s")
    assert client("POST", "/subjects/s?deleted=true", json={"schema": '"string"'}).json()["version"] == 1


def test_a_subject_is_deleted_softly_and_then_for_good(client) -> None:
    client("PUT", "/config/s", json={"compatibility": "NONE"})
    for text in ('"string"', '"int"', '"long"'):
        client.register("s", text)
    client("DELETE", "/subjects/s/versions/2")
    steps = [
        ("/subjects/none", 40401),
        ("/subjects/s?permanent=true", 40405),
        ("/subjects/s", [1, 3]),
        ("/subjects/s", 40404),
        ("/subjects/s?permanent=true", [1, 2, 3]),
        ("/subjects/s?permanent=true", 40401),
    ]
    for path, expected in steps:
        answer = client("DELETE", path).json()
        assert (answer if isinstance(answer, list) else answer["error_code"]) == expected, path


@pytest.mark.parametrize(
    ("query", "version"),
    [
        ("key=owner&value=me", 2),
        ("key=owner&value=me&key=tier&value=1", 2),
        ("key=owner&value=me&key=surplus", 2),
        ("", 4),
        ("key=owner&value=you", 40403),
    ],
)
def test_a_version_is_found_by_its_metadata(client, query, version) -> None:
    for number, properties in enumerate(PROPERTIES):
        fields = ",".join(f'{{"name":"f{n}","type":"int","default":0}}' for n in range(number))
        metadata = {"properties": properties} if properties is not None else {"tags": {"a": ["b"]}}
        client.register("s", f'{{"type":"record","name":"R","fields":[{fields}]}}', metadata=metadata)
    found = client.get(f"/subjects/s/metadata?{query}")
    assert found.get("version", found.get("error_code")) == version


def test_metadata_of_an_unknown_subject_is_not_found(client) -> None:
    assert client.get("/subjects/none/metadata?key=a&value=b")["error_code"] == 40401


def test_a_read_only_subject_keeps_its_versions(client) -> None:
    client.register("s")
    client("PUT", "/mode/s", json={"mode": "READONLY"})
    for method, path, body in [
        ("POST", "/subjects/s/versions", {"schema": '"int"'}),
        ("DELETE", "/subjects/s", None),
        ("DELETE", "/subjects/s/versions/1", None),
        ("PUT", "/config/s", {"compatibility": "FULL"}),
    ]:
        answer = client(method, path, json=body).json()
        assert answer == {"error_code": 42205, "message": "Subject s in context  is in read-only mode"}
    assert client.register("s") == 1
