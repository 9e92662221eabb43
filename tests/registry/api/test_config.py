"""Routes of configs."""

from time import time_ns

import pytest

from registry.log.memory import MemoryLog

DEFAULT = {"compatibilityLevel": "BACKWARD"}
EVERYTHING = {
    "alias": "other",
    "aliasForDeks": "deks",
    "normalize": True,
    "validateFields": False,
    "validateNewSchemas": True,
    "validateRules": False,
    "compatibility": "FULL",
    "compatibilityPolicy": "STRICT",
    "compatibilityGroup": "major",
    "defaultMetadata": {"properties": {"a": "b"}},
    "overrideMetadata": {"tags": {"x": ["y"]}},
    "defaultRuleSet": {"enableAt": "CLIENT"},
    "overrideRuleSet": {
        "domainRules": [{"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "disabled": True}]
    },
}


@pytest.mark.parametrize(
    "path", ["/config", "/config/s", "/config/:.c:", "/config/:.c:s", "/contexts/.c/config", "/config/:.__GLOBAL:"]
)
def test_every_member_is_kept_and_shown(client, path) -> None:
    assert client("PUT", path, json=EVERYTHING).json() == EVERYTHING
    shown = client.get(path)
    assert shown == {
        ("compatibilityLevel" if name == "compatibility" else name): value for name, value in EVERYTHING.items()
    }


def test_a_change_keeps_what_is_absent_and_clears_what_is_null(client) -> None:
    client("PUT", "/config/s", json={"compatibility": "FULL", "alias": "x", "normalize": True})
    changed = client("PUT", "/config/s", json={"alias": None, "compatibility": "none"}).json()
    assert changed == {"normalize": True, "compatibility": "NONE"}
    assert client("PUT", "/config/s", json={"compatibility": None}).json() == {"normalize": True}
    assert client.get("/config/s") == {"normalize": True, "compatibilityLevel": "BACKWARD"}


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({}, {}),
        ({"compatibilityLevel": "FULL"}, {}),
        ({"compatibilityPolicy": "WHATEVER"}, {}),
        ({"compatibilityPolicy": "LENIENT"}, {"compatibilityPolicy": "LENIENT"}),
        ({"compatibilityPolicy": "strict"}, {"compatibilityPolicy": "STRICT"}),
        ({"normalize": "true"}, {"normalize": True}),
        ({"alias": 7}, {"alias": "7"}),
        ({"alias": "", "normalize": True}, {"alias": "", "normalize": True}),
        ({"compatibility": "Full_Transitive"}, {"compatibility": "FULL_TRANSITIVE"}),
    ],
)
def test_a_change_is_read_as_jackson_reads_it(client, body, kept) -> None:
    assert client("PUT", "/config/s", json=body).json() == kept


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/config", {"compatibility": "up"}, 42203),
        ("/config/s", {"compatibility": ""}, 42203),
        ("/config/s", {"compatibility": "up", "defaultRuleSet": {"domainRules": [{}]}}, 42203),
        ("/config/s", {"defaultRuleSet": {"domainRules": [{}]}}, 42210),
        ("/config/__EMPTY", {"overrideRuleSet": {"domainRules": [{}]}}, 42210),
        ("/config/__EMPTY", {"compatibility": "FULL"}, 42208),
        ("/config/a%00", {"compatibility": "FULL"}, 42208),
        ("/config/s", {"defaultMetadata": {"properties": {"a": None}}}, 422),
    ],
)
def test_what_cannot_be_set_is_refused(client, path, body, code) -> None:
    answer = client("PUT", path, json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (422, code)
    assert client.get("/config/s")["error_code"] == 40408


def test_a_subject_without_a_config_says_so_or_shows_what_is_in_force(client) -> None:
    refused = client("GET", "/config/s")
    assert (refused.status_code, refused.json()) == (
        404,
        {"error_code": 40408, "message": "Subject 's' does not have subject-level compatibility configured"},
    )
    assert client.get("/config/s?defaultToGlobal=true") == DEFAULT
    client("PUT", "/config", json={"compatibility": "FULL", "validateFields": False})
    assert client.get("/config/s?defaultToGlobal=true") == {"compatibilityLevel": "FULL", "validateFields": False}


@pytest.mark.parametrize("path", ["/config", "/config/:.:", "/contexts/:.:/config"])
def test_the_default_context_is_the_whole_registry(client, path) -> None:
    assert client.get(path) == DEFAULT
    client("PUT", path, json={"compatibility": "FULL"})
    assert client.get("/config") == {"compatibilityLevel": "FULL"}
    assert client("DELETE", path).json() == {"compatibilityLevel": "FULL"}
    assert client.get("/config") == DEFAULT
    assert client("DELETE", path).status_code == 200


def test_a_config_of_all_contexts_is_shown_when_asked_for(client) -> None:
    client("PUT", "/config/:.__GLOBAL:", json={"compatibility": "NONE"})
    assert client.get("/config")["compatibilityLevel"] == "BACKWARD"
    assert client.get("/config?defaultToGlobal=true") == {"compatibilityLevel": "NONE"}
    assert client.get("/config/s?defaultToGlobal=true") == {"compatibilityLevel": "NONE"}


def test_an_empty_text_clears_as_null_does(client) -> None:
    client("PUT", "/config", json={"compatibilityGroup": "major"})
    client("PUT", "/config/s", json={"compatibilityGroup": "minor", "normalize": True})
    assert client("PUT", "/config/s", json={"compatibilityGroup": ""}).json() == {
        "normalize": True,
        "compatibilityGroup": "",
    }
    assert client.get("/config/s?defaultToGlobal=true")["compatibilityGroup"] == "major"
    assert "compatibilityGroup" not in client("PUT", "/config/s", json={"normalize": False}).json()


def test_an_empty_text_in_a_rule_says_nothing(client) -> None:
    rule = {"name": "r", "type": "CEL", "kind": "CONDITION", "mode": "WRITE"}
    silent = {**rule, "doc": "", "expr": "", "onSuccess": "", "onFailure": ""}
    client("PUT", "/config/s", json={"defaultRuleSet": {"domainRules": [silent]}})
    plan = client("PUT", "/config/s?dryRun=true", json={"defaultRuleSet": {"domainRules": [rule]}}).json()
    assert plan["records"] == []


def test_deleting_answers_what_was_set(client) -> None:
    client("PUT", "/config/s", json={"compatibility": "FULL"})
    assert client("DELETE", "/config/s").json() == {"compatibilityLevel": "FULL"}
    again = client("DELETE", "/config/s")
    assert (again.status_code, again.json()["error_code"]) == (404, 40401)


def test_a_plus_sign_in_the_name_of_an_alias_is_none_but_itself(client) -> None:
    client.register("s")
    client("PUT", "/config/a+b", json={"alias": "s"})
    assert client.get("/subjects/a+b/versions/1")["subject"] == "s"
    assert client.get("/subjects/a%20b/versions/1")["error_code"] == 40401


def test_an_alias_leads_to_its_subject(client) -> None:
    client.register("a%2Fb")
    client("PUT", "/config/nick", json={"alias": "a/b"})
    assert client.get("/subjects/nick/versions") == [1]
    assert client.get("/subjects/nick/versions/1")["subject"] == "a/b"
    assert client("POST", "/subjects/nick", json={"schema": '"string"'}).json()["subject"] == "a/b"
    assert client.get("/config/nick")["alias"] == "a/b"
    assert client("DELETE", "/subjects/nick").json() == [1]


@pytest.fixture
def two_nodes(start_client):
    """Clients of two nodes over one log, which hear nothing of each other but what they ask the log for."""

    class OneForAll:
        shared = True

        def __getattr__(self, name: str):
            return getattr(log, name)

    log = MemoryLog(time_ns)

    async def open_store(_url: str) -> OneForAll:
        return OneForAll()

    return start_client(open_store=open_store), start_client(open_store=open_store)


def test_an_alias_that_one_node_was_told_of_leads_to_its_subject_at_every_node(two_nodes) -> None:
    here, there = two_nodes
    here.register("s")
    here("PUT", "/config/nick", json={"alias": "s"})
    assert there.get("/subjects/nick/versions") == [1]
    here("PUT", "/config/new", json={"alias": "s"})
    there.register("new")
    assert here.get("/subjects") == ["s"]
    here("DELETE", "/config/nick")
    assert there.get("/subjects/nick/versions")["error_code"] == 40401


def test_rule_sets_are_dropped_where_the_operator_says_so(start_client) -> None:
    client = start_client(rulesets="drop")
    assert client("PUT", "/config/s", json={"defaultRuleSet": {"enableAt": "ALL"}}).json() == {}
