"""docs/compatibility.md against the routes: nothing is promised that is not there, nothing is there in secret."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from registry.settings import Settings

PAGE = Path(__file__).parents[3] / "docs" / "compatibility.md"
ROW = re.compile(r"\| (GET|POST|PUT|DELETE) `([^`]+)` \|([^|]*)\|([^|]*)\|(?:([^|]*)\|)?$")


class Promise(NamedTuple):
    method: str
    path: str
    options: set[str]
    state: str
    remark: str


def promises() -> list[Promise]:
    """Every row about a request; those of Signet's own have no state, and their third cell is the remark."""
    found = []
    for match in filter(None, map(ROW.match, PAGE.read_text().splitlines())):
        method, path, options, state, remark = (cell.strip() if cell else "" for cell in match.groups())
        if remark == "" and state not in {"works", "differs", "absent"}:
            state, remark = "ours", state
        found.append(Promise(method, path, set(re.findall(r"`(\w+)`", options)), state, remark))
    return found


PRESENT = [promise for promise in promises() if promise.state != "absent"]
ABSENT = [promise for promise in promises() if promise.state == "absent"]


@pytest.fixture(scope="module")
def routes(shared_client) -> dict[tuple[str, str], set[str]]:
    """Every documented operation with its query options."""
    paths = shared_client.get("/openapi.json")["paths"]
    return {
        (method.upper(), path): {
            parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"
        }
        for path, item in paths.items()
        for method, operation in item.items()
    }


def test_the_page_names_every_route_once(routes) -> None:
    named = [(promise.method, promise.path) for promise in PRESENT]
    assert sorted(named) == sorted(routes)


@pytest.mark.parametrize("promise", PRESENT, ids=lambda promise: f"{promise.method} {promise.path}")
def test_the_page_names_every_option(routes, promise) -> None:
    added = set(re.findall(r"also `(\w+)`", promise.remark))
    assert promise.options | added == routes[promise.method, promise.path]


@pytest.mark.parametrize("promise", ABSENT, ids=lambda promise: f"{promise.method} {promise.path}")
def test_what_is_absent_is_not_there(shared_client, promise) -> None:
    path = re.sub(r"\{\w+\}", "x", promise.path)
    assert shared_client(promise.method, path).status_code in {404, 405}


def test_every_state_is_one_of_three() -> None:
    assert {promise.state for promise in promises()} == {"works", "differs", "absent", "ours"}


def test_every_setting_on_the_page_exists() -> None:
    names = re.findall(r"`SIGNET_([A-Z_*]+)", PAGE.read_text())
    settings = {name.upper() for name in Settings.model_fields}
    for name in names:
        assert any(re.fullmatch(name.replace("*", ".*"), setting) for setting in settings), name


def test_the_finding_that_the_page_shows_is_the_real_one(client) -> None:
    address = {"name": "address", "type": "string"}
    customer = {"type": "record", "name": "Customer", "fields": [address]}
    order = {"type": "record", "name": "Order", "fields": [{"name": "customer", "type": customer}]}
    assert json.dumps(order, separators=(",", ":")) in PAGE.read_text().replace("`\n`", "")
    client("POST", "/subjects/shown/versions", json={"schema": json.dumps(order)})
    address["type"] = "int"
    answer = client(
        "POST", "/signet/v1/compatibility/subjects/shown/versions", json={"schema": json.dumps(order)}
    ).json()
    assert answer["findings"] == [json.loads(re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)[-1])]
