"""Routes of modes."""

import pytest

SCHEMA = {"schema": '"string"'}


@pytest.mark.parametrize("path", ["/mode", "/mode/s", "/mode/:.c:", "/mode/:.c:s", "/contexts/.c/mode", "/mode/:.:"])
@pytest.mark.parametrize("mode", ["READONLY", "READONLY_OVERRIDE", "IMPORT", "READWRITE"])
def test_a_mode_is_set_and_shown(client, path, mode) -> None:
    assert client("PUT", path, json={"mode": mode}).json() == {"mode": mode}
    assert client.get(path) == {"mode": mode}


def test_the_answer_repeats_the_mode_as_it_was_sent(client) -> None:
    assert client("PUT", "/mode/s", json={"mode": "readOnly"}).json() == {"mode": "readOnly"}
    assert client.get("/mode/s") == {"mode": "READONLY"}


def test_a_text_alone_is_a_mode(client) -> None:
    assert client("PUT", "/mode/s", json="readOnly").json() == {"mode": "readOnly"}
    assert client.get("/mode/s") == {"mode": "READONLY"}
    assert client("PUT", "/mode/s", json="often").json()["error_code"] == 42204


def test_null_clears_a_mode(client) -> None:
    client("PUT", "/mode/s", json={"mode": "READONLY"})
    assert client("PUT", "/mode/s", json={"mode": None}).json() == {"mode": None}
    assert client.get("/mode/s") == {
        "error_code": 40409,
        "message": "Subject 's' does not have subject-level mode configured",
    }


def test_a_subject_without_a_mode_shows_what_is_in_force_when_asked_for(client) -> None:
    client("PUT", "/mode", json={"mode": "READONLY"})
    assert client.get("/mode/s?defaultToGlobal=true") == {"mode": "READONLY"}
    assert client.get("/mode/:.c:s?defaultToGlobal=true") == {"mode": "READWRITE"}


@pytest.mark.parametrize(
    ("path", "body", "code", "fragment"),
    [
        ("/mode", {"mode": "SOMETIMES"}, 42204, "Valid values are READWRITE, READONLY, IMPORT and FORWARD."),
        ("/mode/s", {"mode": ""}, 42204, "Valid values are"),
        ("/mode/s", {}, 42204, "Valid values are"),
        ("/mode/s", {"mode": "FORWARD"}, 42204, "Forward mode only supported on global level"),
        ("/mode/:.__GLOBAL:s", {"mode": "FORWARD"}, 42204, "Forward mode only supported on global level"),
        ("/mode", {"mode": "FORWARD"}, 42204, "Forward mode only supported on global level"),
        ("/mode/__EMPTY", {"mode": "READONLY"}, 42208, "is not a valid."),
        ("/mode", {"mode": "IMPORT"}, 42205, "Cannot import since found existing subjects"),
        ("/mode/used", {"mode": "IMPORT"}, 42205, "Cannot import since found existing subjects"),
    ],
)
def test_what_cannot_be_set_is_refused(client, path, body, code, fragment) -> None:
    client.register("used")
    answer = client("PUT", path, json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (422, code)
    assert fragment in answer.json()["message"]


def test_import_is_forced_and_then_wants_ids(client) -> None:
    client.register("s")
    assert client("PUT", "/mode/s?force=true", json={"mode": "IMPORT"}).status_code == 200
    assert client("POST", "/subjects/s/versions", json={"schema": '"int"'}).json()["error_code"] == 42205
    assert client("POST", "/subjects/s/versions", json={"schema": '"int"', "id": 77, "version": 9}).json()["id"] == 77


def test_forward_is_set_for_all_contexts(client) -> None:
    assert client("PUT", "/mode/:.__GLOBAL:", json={"mode": "FORWARD"}).status_code == 200
    assert client.get("/mode?defaultToGlobal=true") == {"mode": "FORWARD"}


def test_deleting_answers_what_was_set(client) -> None:
    client("PUT", "/mode/s", json={"mode": "READONLY"})
    assert client("DELETE", "/mode/s").json() == {"mode": "READONLY"}
    assert client("DELETE", "/mode/s").json() == {"error_code": 40401, "message": "Subject 's' not found."}
    assert client("DELETE", "/mode/s?recursive=true").json() == {}
    assert client("DELETE", "/mode").json() == {"mode": "READWRITE"}


def test_deleting_recursively_reaches_the_subjects(client) -> None:
    for path in ("/mode/s", "/mode/:.c:s", "/mode/:.c:"):
        client("PUT", path, json={"mode": "READONLY"})
    assert client("DELETE", "/mode/:.c:?recursive=true").json() == {"mode": "READONLY"}
    assert client.get("/mode/:.c:s")["error_code"] == 40409
    assert client.get("/mode/s") == {"mode": "READONLY"}
    client("DELETE", "/mode?recursive=true")
    assert client.get("/mode/s")["error_code"] == 40409


def test_modes_stay_where_the_operator_says_so(start_client) -> None:
    client = start_client(mode_mutable=False)
    for method, body in (("PUT", {"mode": "READONLY"}), ("DELETE", None)):
        assert client(method, "/mode", json=body).json() == {
            "error_code": 42205,
            "message": "Mode changes are not allowed",
        }
    assert client("DELETE", "/mode/s").json()["error_code"] == 40401
