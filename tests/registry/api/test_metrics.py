"""Metrics: what is counted, under which names, and with which labels."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from registry.auth import NEEDS
from registry.log.memory import MemoryLog

RECORD = {"schema": '"string"'}


@pytest.fixture
def metric(client):
    """The value of a metric, by name and labels; None when there is no such."""

    def value(name: str, **labels: str) -> float | None:
        samples = [sample for family in scraped(client) for sample in family.samples]
        return next((sample.value for sample in samples if (sample.name, sample.labels) == (name, labels)), None)

    return value


def scraped(client):
    answer = client("GET", "/metrics", headers={"Accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return list(text_string_to_metric_families(answer.text))


def test_requests_are_counted_by_route_method_and_class_of_status(client, metric) -> None:
    client.register("a")
    for path in ("/subjects/a/versions/1", "/subjects/a/versions/1", "/contexts/:.:/subjects/a/versions/7", "/nowhere"):
        client("GET", path)
    client("BREW", "/subjects")
    client("HEAD", "/subjects/a/versions/1")
    version = "/subjects/{subject}/versions/{version}"
    expected = {
        ("/subjects/{subject}/versions", "POST", "2xx"): 1,
        (version, "GET", "2xx"): 2,
        (version, "GET", "4xx"): 1,
        (version, "HEAD", "2xx"): 1,
        ("none", "GET", "4xx"): 1,
        ("/subjects", "other", "4xx"): 1,
    }
    for (route, method, status), count in expected.items():
        assert metric("signet_requests_total", route=route, method=method, status=status) == count, (route, method)
    assert metric("signet_request_seconds_count", route=version, method="GET") == 3
    assert metric("signet_request_seconds_bucket", route=version, method="GET", le="+Inf") == 3


def test_finished_answers_are_counted_by_whether_they_were_found(client, metric) -> None:
    client.register("a")
    before = metric("signet_finished_answers_total", result="miss")
    for _ in range(4):
        client("GET", "/schemas/ids/1")
    assert metric("signet_finished_answers_total", result="hit") == 3
    # The scrape itself is never answered from what was kept.
    assert metric("signet_finished_answers_total", result="miss") - before == 1 + 2
    assert metric("signet_finished_answers_kept") == 1
    assert metric("signet_finished_answers_bytes") > 1024


def test_commits_and_what_they_hold_are_counted(client, metric) -> None:
    position = metric("signet_log_position")
    client.register(":.other:a")  # one record for the context, one for the version
    client("PUT", "/config", json={"compatibility": "FULL"})
    assert metric("signet_commit_seconds_count") == 2
    assert metric("signet_commit_records_sum") == 3
    assert metric("signet_log_position") - position == 3
    assert metric("signet_writes_waiting") == metric("signet_alarm") == metric("signet_barrier_wait_seconds_count") == 0


def test_what_there_is_is_counted_however_it_came_and_went(client, metric) -> None:
    def counted() -> list[float | None]:
        versions = [metric("signet_versions", state=state) for state in ("live", "deleted")]
        return [metric("signet_subjects"), *versions, metric("signet_schemas"), metric("signet_contexts")]

    assert counted() == [0, 0, 0, 0, 1]
    client.register("a")
    client.register("b")
    client.register(":.other:a", '"int"')
    assert counted() == [3, 3, 0, 2, 2]
    client("DELETE", "/subjects/a")
    assert counted() == [3, 2, 1, 2, 2]
    assert metric("kafka_schema_registry_registered_count") == 2
    assert metric("kafka_schema_registry_deleted_count") == 1
    client("DELETE", "/subjects/a?permanent=true")
    assert counted() == [2, 2, 0, 2, 2]
    client("DELETE", "/subjects/b/versions/1")
    client("POST", "/signet/v1/subjects/b/versions/1/undelete")
    assert counted() == [2, 2, 0, 2, 2]


def test_dashboards_for_confluents_registry_find_their_names(client, metric) -> None:
    client("GET", "/subjects")
    client("GET", "/nowhere")
    assert metric("kafka_schema_registry_master_slave_role") == 1
    failures = metric("kafka_schema_registry_api_failure_count")
    successes = metric("kafka_schema_registry_api_success_count")
    assert (failures, successes) == (1, 1 + 2)  # the scrapes before this one
    assert metric("kafka_schema_registry_jersey_metrics_request_total") == 2 + 3
    assert metric("kafka_schema_registry_jersey_metrics_request_error_total") == 1
    assert metric("kafka_schema_registry_jersey_metrics_request_latency_seconds_count") == 2 + 5


def test_process_metrics_are_there(metric) -> None:
    assert metric("process_resident_memory_bytes") > 2**20


def test_no_label_holds_what_a_client_sent(client) -> None:
    client.register("a-subject")
    for path in ("/subjects/a-subject/versions", "/x/a-subject", "/config/a-subject", "/subjects?a-subject"):
        for method in ("GET", "PUT", "A-SUBJECT"):
            client(method, path, headers={"Authorization": "Basic a-subject", "X-Request-ID": "a-subject"})
    families = scraped(client)
    routes = {sample.labels["route"] for family in families for sample in family.samples if "route" in sample.labels}
    assert routes <= {path for _, path in NEEDS} | {"none"}
    assert "a-subject" not in str(families).lower()


def test_a_log_that_takes_no_more_changes_shows(start_client) -> None:
    async def open_broken(_url: str) -> MemoryLog:
        log = MemoryLog(lambda: 0)
        log.alarm, log.shared = "gone backwards", True
        return log

    client = start_client(open_store=open_broken)
    client("GET", "/subjects")
    values = {sample.name: sample.value for family in scraped(client) for sample in family.samples}
    assert (values["signet_alarm"], values["kafka_schema_registry_master_slave_role"]) == (1, 0)
    assert values["signet_barrier_wait_seconds_count"] >= 1
