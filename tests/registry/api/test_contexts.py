"""Routes of contexts."""

import pytest


@pytest.fixture
def contexts(client):
    for subject in (":.b:s", ":.a1:s", ":.a:s", "s"):
        client.register(subject)
    return client


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [".", ".a", ".a1", ".b"]),
        ("?contextPrefix=.a", [".a", ".a1"]),
        ("?contextPrefix=.a&offset=1", [".a1"]),
        ("?limit=1", ["."]),
        ("?contextPrefix=x", []),
    ],
)
@pytest.mark.parametrize("path", ["/contexts", "/contexts/", "/contexts/.a/contexts"])
def test_contexts_are_listed(contexts, path, query, found) -> None:
    assert contexts.get(path + query) == found


@pytest.mark.parametrize("name", [".a", ":.a:", "a"])
def test_a_context_is_deleted_when_no_version_is_left(contexts, name) -> None:
    path = f"/contexts/{name}"
    assert contexts("DELETE", path).json() == {
        "error_code": 42211,
        "message": "The specified context ':.a:' is not empty.",
    }
    for permanent in ("", "?permanent=true"):
        contexts("DELETE", f"/subjects/:.a:s{permanent}")
    answer = contexts("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert contexts.get("/contexts") == [".", ".a1", ".b"]


def test_deleting_an_unknown_context_is_no_error(client) -> None:
    assert client("DELETE", "/contexts/.none").status_code == 204


def test_the_default_context_cannot_be_deleted(client) -> None:
    assert client("DELETE", "/contexts/:.:").status_code == 405


def test_ids_are_counted_per_context(client) -> None:
    assert (client.register("s"), client.register(":.c:s", '"int"'), client.register(":.c:s2", '"long"')) == (1, 1, 2)


def test_a_bare_name_falls_back_to_other_contexts_for_a_version_and_a_lookup(client) -> None:
    client.register(":.c:s")
    assert client.get("/subjects/s/versions/1")["subject"] == ":.c:s"
    assert client("POST", "/subjects/s", json={"schema": '"string"'}).json()["subject"] == ":.c:s"
    assert client.get("/subjects/s/versions")["error_code"] == 40401


def test_a_context_path_and_a_qualified_name_are_one(client) -> None:
    client("POST", "/contexts/.c/subjects/s/versions", json={"schema": '"string"'})
    assert client.get("/subjects/:.c:s/versions/1") == client.get("/contexts/:.c:/subjects/s/versions/1")
