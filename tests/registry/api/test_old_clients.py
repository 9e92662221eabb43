"""Answers for clients that refuse what they do not know: exactly the members that Confluent 5.3's for Java knows."""

from typing import Any

import pytest

SCHEMA = {"schema": '"string"'}
VERSION = {"subject": "s", "version": 1, "id": 1, **SCHEMA}


@pytest.fixture
def old(start_client: Any) -> Any:
    """A client of a registry for old clients, with one schema."""
    client = start_client(old_clients=True)
    client.register("s")
    return client


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("POST", "/subjects/s/versions", SCHEMA, {"id": 1}),
        ("POST", "/subjects/t/versions", SCHEMA, {"id": 1}),
        ("POST", "/contexts/.c/subjects/s/versions", SCHEMA, {"id": 1}),
        ("POST", "/subjects/s", SCHEMA, VERSION),
        ("GET", "/subjects/s/versions/latest", None, VERSION),
        ("GET", "/schemas", None, [VERSION]),
        ("GET", "/schemas/ids/1", None, SCHEMA),
        ("GET", "/schemas/ids/1?fetchMaxId=true", None, {**SCHEMA, "maxId": 1}),
        ("GET", "/schemas/ids/1?includeSubjects=true", None, {**SCHEMA, "subjects": ["s"]}),
        ("GET", "/subjects/s/versions/1/schema", None, "string"),
        ("GET", "/config", None, {"compatibilityLevel": "BACKWARD"}),
        ("GET", "/mode", None, {"mode": "READWRITE"}),
        ("GET", "/schemas/ids/9", None, {"error_code": 40403, "message": "Schema 9 not found"}),
    ],
)
def test_old_clients_know_every_member(old: Any, method: str, path: str, body: Any, answer: Any) -> None:
    assert old(method, path, json=body).json() == answer


def test_references_are_told(old: Any) -> None:
    old.register("f", '{"type":"fixed","name":"F","size":1}')
    references = [{"name": "F", "subject": "f", "version": 1}]
    number = old.register("user", '"F"', references=references)
    assert old.get(f"/schemas/ids/{number}")["references"] == references


@pytest.mark.parametrize("contract", [{"metadata": {"properties": {"a": "b"}}}, {"ruleSet": {"domainRules": []}}])
def test_what_has_metadata_or_rules_stays_whole(old: Any, contract: Any) -> None:
    number = old.register("contract", **contract)
    assert old.get(f"/schemas/ids/{number}").keys() >= {"guid", "subject", *contract}


def test_a_dry_run_stays_whole(old: Any) -> None:
    assert old("POST", "/subjects/s/versions?dryRun=true", json={"schema": '"int"'}).json()["accepted"] is False


def test_an_answer_for_old_clients_has_an_etag_too(old: Any) -> None:
    tag = old("GET", "/schemas/ids/1").headers["ETag"]
    assert old("GET", "/schemas/ids/1", headers={"If-None-Match": tag}).status_code == 304
