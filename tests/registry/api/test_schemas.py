"""Routes of schemas, by id, by GUID and in lists."""

import pytest

GUID = "095d71cf-1255-6b9d-5e33-0ad575b3df5d"
RULES = {"domainRules": [{"name": "r", "type": "CEL"}]}


@pytest.fixture(scope="module")
def schemas(shared_client):
    """Id 1 is held by a/1, b/1 (soft-deleted), gone/1 (soft-deleted); id 2 by a/2; `.c` has an id 1 of its own."""
    shared_client("PUT", "/config", json={"compatibility": "NONE"})
    shared_client.register("a")
    shared_client.register("a", '"int"', ruleSet=RULES)
    for subject in ("b", "gone"):
        shared_client.register(subject)
        shared_client("DELETE", f"/subjects/{subject}")
    shared_client.register(":.c:x")
    shared_client.register(":.c:a", '"long"')
    shared_client("PUT", "/config/nick", json={"alias": "a"})
    return shared_client


@pytest.mark.parametrize(
    ("query", "subject", "version"),
    [
        ("", "a", 1),
        ("subject=", "a", 1),
        ("subject=a", "a", 1),
        ("subject=nick", "a", 1),
        ("subject=unknown", "a", 1),
        ("subject=x", ":.c:x", 1),
        ("subject=:.c:x", ":.c:x", 1),
        ("subject=:.c:", ":.c:x", 1),
    ],
)
def test_an_id_is_answered_with_a_version_that_holds_it(schemas, query, subject, version) -> None:
    found = schemas.get(f"/schemas/ids/1?{query}")
    assert (found["subject"], found["version"], found["schema"], found["guid"]) == (subject, version, '"string"', GUID)
    assert list(found) == ["subject", "version", "guid", "schemaType", "schema", "ts", "deleted"]


@pytest.mark.parametrize("context", [".c", ":.c:", "c"])
def test_an_id_is_found_within_a_context(schemas, context) -> None:
    assert schemas.get(f"/contexts/{context}/schemas/ids/2")["subject"] == ":.c:a"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/schemas/ids/99", "Schema 99 not found"),
        ("/schemas/ids/-1", "Schema -1 not found"),
        ("/schemas/ids/0", "Schema 0 not found"),
        ("/schemas/ids/2?subject=:.c:x", "Schema 2 not found"),
        ("/schemas/ids/99/schema", "Schema 99 not found"),
        ("/schemas/ids/99/subjects", "Schema not found"),
        ("/schemas/ids/99/versions", "Schema not found"),
        ("/schemas/guids/none", "Schema none not found"),
        (
            "/schemas/guids/00000000-0000-0000-0000-000000000000",
            "Schema 00000000-0000-0000-0000-000000000000 not found",
        ),
    ],
)
def test_an_unknown_id_or_guid_is_not_found(schemas, path, message) -> None:
    assert schemas("GET", path).status_code == 404
    assert schemas.get(path) == {"error_code": 40403, "message": message}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/schemas/ids/1/subjects", ["a"]),
        ("/schemas/ids/1/subjects?deleted=true", ["a", "b", "gone"]),
        ("/schemas/ids/1/subjects?deleted=true&offset=1&limit=1", ["b"]),
        ("/schemas/ids/1/subjects?subject=:.c:", [":.c:x"]),
        ("/contexts/.c/schemas/ids/1/subjects", [":.c:x"]),
        ("/schemas/ids/1/versions", [{"subject": "a", "version": 1}]),
        ("/schemas/ids/1/versions?limit=1&offset=1&deleted=true", [{"subject": "b", "version": 1}]),
        ("/schemas/guids/{guid}/ids", [{"context": ".", "id": 1}, {"context": ".c", "id": 1}]),
        ("/schemas/guids/none/ids", []),
        ("/schemas/types", ["AVRO"]),
    ],
)
def test_what_holds_a_schema_is_listed(schemas, path, found) -> None:
    assert schemas.get(path.format(guid=GUID)) == found


def test_an_id_whose_holders_are_all_soft_deleted_is_held_by_none(client) -> None:
    client.register("s")
    client("DELETE", "/subjects/s")
    assert client.get("/schemas/ids/1/subjects") == []
    assert client.get("/schemas/ids/1/versions") == []
    assert client.get("/schemas/ids/1?includeSubjects=true")["subjects"] == []
    assert client.get("/schemas/ids/1")["deleted"] is True


@pytest.mark.parametrize("guid", [GUID, GUID.replace("-", ""), GUID.upper()])
def test_a_guid_is_found_with_and_without_dashes(schemas, guid) -> None:
    found = schemas.get(f"/schemas/guids/{guid}")
    assert list(found) == ["guid", "schemaType", "schema", "ts", "deleted"]
    assert found["schema"] == '"string"'


def test_the_highest_id_is_told_when_asked_for(schemas) -> None:
    assert schemas.get("/schemas/ids/1?fetchMaxId=true")["maxId"] == 2
    assert "maxId" not in schemas.get("/schemas/ids/1")


@pytest.mark.parametrize(
    ("path", "subjects"),
    [
        ("/schemas/ids/1", None),
        ("/schemas/ids/1?includeSubjects=True", ["a"]),
        ("/schemas/ids/1?includeSubjects=True&subject=x", [":.c:x"]),
        ("/contexts/.c/schemas/ids/2?includeSubjects=True", [":.c:a"]),
    ],
)
def test_the_subjects_of_an_id_are_told_when_asked_for(schemas, path, subjects) -> None:
    assert schemas.get(path).get("subjects") == subjects


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [("a", 1), ("a", 2)]),
        ("deleted=true", [("a", 1), ("a", 2), ("b", 1), ("gone", 1)]),
        ("latestOnly=true", [("a", 2)]),
        ("subjectPrefix=:*:", [(":.c:a", 1), (":.c:x", 1), ("a", 1), ("a", 2)]),
        ("subjectPrefix=:.c:", [(":.c:a", 1), (":.c:x", 1)]),
        ("ruleType=CEL", [("a", 2)]),
        ("ruleType=OTHER", []),
        ("offset=1&limit=1", [("a", 2)]),
        ("subjectPrefix=ni", []),
        ("subjectPrefix=ni&aliases=true", [("a", 1), ("a", 2)]),
        ("lifecycle=NONE", [("a", 1), ("a", 2)]),
        ("lifecycle=STRONG", []),
    ],
)
def test_schemas_are_listed(schemas, query, found) -> None:
    assert [(schema["subject"], schema["version"]) for schema in schemas.get(f"/schemas?{query}")] == found


def test_aliases_are_listed_when_asked_for(schemas) -> None:
    assert schemas.get("/schemas?aliases=true")[0]["aliases"] == ["nick"]
    assert "aliases" not in schemas.get("/schemas")[0]


def test_schemas_are_listed_within_a_context(schemas) -> None:
    assert {schema["subject"] for schema in schemas.get("/contexts/.c/schemas")} == {":.c:a", ":.c:x"}


def test_a_listed_schema_has_all_its_members(schemas) -> None:
    listed = schemas.get("/schemas?ruleType=CEL")[0]
    assert list(listed) == ["subject", "version", "id", "guid", "schemaType", "schema", "ts", "deleted", "ruleSet"]
    rule = {"name": "r", "kind": "TRANSFORM", "mode": "WRITEREAD", "type": "CEL", "disabled": False}
    assert listed["ruleSet"] == {"domainRules": [rule]}


def test_empty_metadata_is_kept_apart_from_none(client) -> None:
    client.register("s", metadata={})
    assert client.get("/schemas/ids/1")["metadata"] == {}
