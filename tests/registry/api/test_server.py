"""Routes about the server itself."""

from importlib.metadata import version
from uuid import UUID

import pytest

from registry.log.memory import MemoryLog


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", {"any": ["object"]})])
def test_the_root_is_an_empty_object(shared_client, method, body) -> None:
    assert shared_client(method, "/", json=body).json() == {}


@pytest.mark.parametrize(("body", "status"), [(b"", 200), (b"null", 200), (b"[]", 400), (b"{", 400)])
def test_a_body_of_the_root_is_an_object_or_none(shared_client, body, status) -> None:
    assert shared_client("POST", "/", content=body).status_code == status


def test_the_registry_names_its_log_and_itself(start_client) -> None:
    scope = start_client(cluster="eu").get("/v1/metadata/id")["scope"]
    assert scope["path"] == []
    assert UUID(scope["clusters"]["kafka-cluster"])
    assert scope["clusters"]["schema-registry-cluster"] == "eu"


def test_the_release_is_told(shared_client) -> None:
    assert shared_client.get("/v1/metadata/version")["version"] == version("signet")


def test_there_are_no_attributes_of_a_deployment(shared_client) -> None:
    assert shared_client.get("/v1/metadata/deployment") == {"attributes": []}


@pytest.mark.parametrize(("path", "status"), [("/health/live", "live"), ("/health/ready", "ready")])
def test_the_server_is_well_whatever_the_probe_accepts(shared_client, path, status) -> None:
    answer = shared_client("GET", path, headers={"Accept": "text/plain", "Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()) == (200, {"status": status})


@pytest.mark.parametrize(
    ("shared", "status"), [(True, (503, {"status": "alarmed"})), (False, (200, {"status": "ready"}))]
)
def test_a_node_whose_shared_store_went_backwards_is_not_ready_and_still_reads(start_client, shared, status) -> None:
    logs = []

    async def open_memory(_url: str) -> MemoryLog:
        logs.append(MemoryLog(lambda: 0))
        return logs[0]

    client = start_client(open_store=open_memory)
    client.register("s")
    logs[0].alarm, logs[0].shared = "gone backwards", shared
    ready = client("GET", "/health/ready")
    assert (ready.status_code, ready.json()) == status
    assert client.get("/health/live") == {"status": "live"}
    assert client.get("/subjects/s/versions/latest/schema") == "string"


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_documentation_is_served_whatever_the_browser_accepts(shared_client, path) -> None:
    assert shared_client("GET", path, headers={"Accept": "text/html"}).status_code == 200
