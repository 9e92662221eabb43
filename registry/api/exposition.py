"""What was counted, in Prometheus' words: our own names, and those that dashboards for Confluent's registry look for.

Labels are route templates, methods and classes of status, all of them bounded; no name of a subject or a user and no
text that a client sent is among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    UnknownMetricFamily,
)
from prometheus_client.registry import Collector

from registry.api.metrics import Counted
from registry.tallies import SECONDS, Spread

MEDIA_TYPE: Final = CONTENT_TYPE_LATEST
STATUSES: Final = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
CONFLUENT: Final = "kafka_schema_registry"
_process: Final = CollectorRegistry()
ProcessCollector(registry=_process)


def render(counted: Counted) -> bytes:
    """Everything that was counted, as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Counted(counted))
    return generate_latest(registry) + generate_latest(_process)


class _Counted(Collector):
    def __init__(self, counted: Counted) -> None:
        self._counted = counted

    def collect(self) -> Iterator[Metric]:
        yield from _of_requests(self._counted)
        yield from _of_answers(self._counted)
        yield from _of_writing(self._counted)
        yield from _of_state(self._counted)
        yield from _as_confluent(self._counted)


def _of_requests(counted: Counted) -> Iterator[Metric]:
    labels = ("route", "method")
    requests = CounterMetricFamily("signet_requests", "Requests that were answered.", labels=(*labels, "status"))
    seconds = HistogramMetricFamily("signet_request_seconds", "From its head to the end of its answer.", labels=labels)
    for tally in counted.requests:
        route = (tally.template, tally.method)
        for status, count in zip(STATUSES, tally.statuses, strict=True):
            if count:
                requests.add_metric((*route, status), count)
        seconds.add_metric(route, *_buckets(tally.seconds))
    yield from (requests, seconds)


def _of_answers(counted: Counted) -> Iterator[Metric]:
    found = CounterMetricFamily("signet_finished_answers", "Requests by whether they were found.", labels=("result",))
    found.add_metric(("hit",), counted.answers.hits)
    found.add_metric(("miss",), counted.answers.misses)
    yield found
    yield GaugeMetricFamily("signet_finished_answers_kept", "Answers that are kept.", counted.answers.count)
    yield GaugeMetricFamily("signet_finished_answers_bytes", "Memory that they take.", counted.answers.bytes)


def _of_writing(counted: Counted) -> Iterator[Metric]:
    writer = counted.registry.writer
    yield GaugeMetricFamily("signet_writes_waiting", "Changes that wait for their turn.", writer.waiting)
    yield _histogram("signet_commit_records", "Records in each commit.", writer.commit_records)
    yield _histogram("signet_commit_seconds", "Until a commit was durable.", writer.commit_seconds)
    yield _histogram("signet_barrier_wait_seconds", "Waits of reads for other nodes.", counted.registry.waits)


def _of_state(counted: Counted) -> Iterator[Metric]:
    state, counts = counted.registry.state, counted.registry.state.counts()
    yield GaugeMetricFamily("signet_subjects", "Subjects, those without a live version included.", counts.subjects)
    versions = GaugeMetricFamily("signet_versions", "Versions, live and soft-deleted.", labels=("state",))
    versions.add_metric(("live",), counts.live_versions)
    versions.add_metric(("deleted",), counts.deleted_versions)
    yield versions
    yield GaugeMetricFamily("signet_schemas", "Schema ids that mean something.", counts.schemas)
    yield GaugeMetricFamily("signet_contexts", "Contexts, the default one included.", counts.contexts)
    yield GaugeMetricFamily("signet_log_position", "The position that this node has applied.", state.position)
    yield GaugeMetricFamily("signet_unreadable_records", "Records that could not be read.", state.unreadable_records)
    yield GaugeMetricFamily("signet_conflicting_records", "Records of ids with other texts.", state.conflicting_records)
    alarm = counted.registry.alarm is not None
    yield GaugeMetricFamily("signet_alarm", "1 when the log takes no more changes, see the log of the server.", alarm)


def _as_confluent(counted: Counted) -> Iterator[Metric]:
    counts = counted.registry.state.counts()
    yield _alias("registered_count", "signet_versions, live.", counts.live_versions)
    yield _alias("deleted_count", "signet_versions, deleted.", counts.deleted_versions)
    yield _alias("master_slave_role", "1 when this node takes changes.", counted.registry.alarm is None)
    good = sum(sum(tally.statuses[1:4]) for tally in counted.requests)
    bad = sum(sum(tally.statuses[4:]) for tally in counted.requests)
    yield _alias("api_success_count", "Requests answered with a status below 400.", good)
    yield _alias("api_failure_count", "Requests answered with any other status.", bad)
    whole = Spread(SECONDS)
    for tally in counted.requests:
        whole.merge(tally.seconds)
    yield CounterMetricFamily(f"{CONFLUENT}_jersey_metrics_request", "Requests.", whole.count)
    yield CounterMetricFamily(f"{CONFLUENT}_jersey_metrics_request_error", "Requests that failed.", bad)
    name = f"{CONFLUENT}_jersey_metrics_request_latency_seconds"
    yield _histogram(name, "signet_request_seconds of all routes.", whole)


def _alias(name: str, documentation: str, value: float) -> Metric:
    # Untyped, as they come out of the exporter of Java's metrics: some are gauges and some are not.
    return UnknownMetricFamily(f"{CONFLUENT}_{name}", documentation, value)


def _histogram(name: str, documentation: str, spread: Spread) -> Metric:
    buckets, total = _buckets(spread)
    return HistogramMetricFamily(name, documentation, buckets, total)


def _buckets(spread: Spread) -> tuple[list[tuple[str, float]], float]:
    bounds: Iterable[str] = (*map(str, spread.bounds), "+Inf")
    return list(zip(bounds, accumulate(spread.counts), strict=True)), spread.total
