"""docs/migrating.md against the routes: what clients of Karapace meet, by line of its table."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

PAGE: Final = Path(__file__).parents[3] / "docs" / "migrating.md"
INCOMPATIBLE: Final = {"schema": '"int"'}
WRONG_DEFAULT: Final = {
    "schema": json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int", "default": ""}]})
}
SORTED: Final = '{"fields":[{"default":0,"name":"a","type":"int"}],"name":"R","type":"record"}'
ORDERED: Final = '{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":0}]}'


def refusal(client: Any, method: str, path: str, **parts: Any) -> tuple[int, int]:
    answer = client(method, path, **parts)
    return answer.status_code, answer.json()["error_code"]


def registered(client: Any, body: Any) -> tuple[int, int]:
    return refusal(client, "POST", "/subjects/s/versions", json=body)


def checked(client: Any, query: str = "", subject: str = "s") -> Any:
    path = f"/compatibility/subjects/{subject}/versions/latest{query}"
    return client("POST", path, json=INCOMPATIBLE).json()


def is_incompatible(client: Any) -> None:
    assert registered(client, INCOMPATIBLE) == (409, 40901)


def has_no_schema(client: Any) -> None:
    assert client("POST", "/subjects/s/versions", json={}).json()["version"] == 1
    assert refusal(client, "POST", "/subjects/unknown/versions", json={}) == (422, 42201)


def is_no_object(client: Any) -> None:
    assert registered(client, -1) == (400, 400)


def is_of_another_language(client: Any) -> None:
    for language in ("JSON", "PROTOBUF"):
        assert registered(client, {"schema": "{}", "schemaType": language}) == (422, 42201)


def has_a_wrong_default(client: Any) -> None:
    assert registered(client, WRONG_DEFAULT) == (422, 42201)


def is_told_why(client: Any) -> None:
    assert checked(client) == {"is_compatible": False}
    assert checked(client, "?verbose=true")["messages"]


def is_checked_against_nothing(client: Any) -> None:
    assert checked(client, subject="unknown") == {"is_compatible": True}


def has_no_mode(client: Any) -> None:
    assert refusal(client, "GET", "/mode/s") == (404, 40409)
    assert client.get("/mode/s?defaultToGlobal=true") == {"mode": "READWRITE"}


def has_its_config_removed(client: Any) -> None:
    client("PUT", "/config/s", json={"compatibility": "FULL"})
    assert client("DELETE", "/config/s").json() == {"compatibilityLevel": "FULL"}


def is_ordered(client: Any) -> None:
    client.register("ordered", SORTED)
    assert client.get("/subjects/ordered/versions/1")["schema"] == ORDERED


def is_registered_again(client: Any) -> None:
    first = client.register("again", SORTED)
    for query in ("", "?permanent=true"):
        client("DELETE", f"/subjects/again{query}")
    assert client.register("again", SORTED) != first


def is_probed(client: Any) -> None:
    paths = ("/_health", "/health/ready", "/health/live")
    assert [client("GET", path).status_code for path in paths] == [404, 200, 200]


LINES: Final[dict[str, Callable[[Any], None]]] = {
    "The answer to an incompatible schema": is_incompatible,
    "A body without a schema": has_no_schema,
    "A body that is no JSON object": is_no_object,
    "A schema in JSON Schema or Protobuf": is_of_another_language,
    "A default that is not of its field's type": has_a_wrong_default,
    "A compatibility check that fails": is_told_why,
    "A compatibility check with the latest version of nothing": is_checked_against_nothing,
    "The mode of a subject that has none of its own": has_no_mode,
    "The answer to a removed config": has_its_config_removed,
    "The text of a schema": is_ordered,
    "A schema that was deleted for good, registered again": is_registered_again,
    "What a probe asks": is_probed,
}


def test_the_page_has_these_lines() -> None:
    section = PAGE.read_text().split("## What clients of Karapace meet\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| (.+?) \|", section, re.MULTILINE)[2:] == list(LINES)


@pytest.mark.parametrize("line", LINES)
def test_clients_of_karapace_meet_what_the_page_says(client, line) -> None:
    client.register("s")
    LINES[line](client)


def test_a_wrong_default_is_registered_where_new_schemas_are_not_validated(start_client) -> None:
    assert start_client(validate_new_schemas=False).register("s", **WRONG_DEFAULT)
