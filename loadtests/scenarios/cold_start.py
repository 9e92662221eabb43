"""A fleet of producers that starts at once, after an outage or a deployment: nobody has anything in a cache.

Each process opens its own connection, registers the schema of every topic that it writes and asks what the ids mean
that it reads. The row `START producer` is the time until it could send its first record of every topic.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar

from locust import events, task
from locust.env import Environment
from locust.runners import WorkerRunner

from loadtests.scenarios import registry_user

logger = logging.getLogger(__name__)

IDLE_SECONDS = 0.1
ROW = ("producer", "START")
"""Name and method of the row in which Locust's table tells how long a process needs to start."""


class Slot(registry_user.RegistryUser):
    """Runs one process after another; the number of users is how many start at the same time."""

    begun: ClassVar[Iterator[int]]
    ended: ClassVar[Iterator[int]]

    @classmethod
    def begin_run(cls) -> None:
        """Count from one."""
        cls.begun, cls.ended = count(1), count(1)

    @task
    def start_process(self) -> None:
        """Start one process; the run ends with the last one."""
        if next(self.begun) > self.share(self.options.producers):
            time.sleep(IDLE_SECONDS)  # the others are still starting
            return
        self._start()
        if next(self.ended) == self.share(self.options.producers):
            self.end_run()

    def _start(self) -> None:
        self.client.client.clientpool.close()
        began = time.perf_counter()
        ready = [self._write_and_read() for _ in range(self.options.topics_per_producer)]
        self.environment.events.request.fire(
            request_type=ROW[1],
            name=ROW[0],
            response_time=(time.perf_counter() - began) * 1e3,
            response_length=0,
            exception=None if all(ready) else RuntimeError("a producer could not start"),
            context={},
        )

    def _write_and_read(self) -> bool:
        written, read = self.any_registered(), self.any_registered()
        answers = (
            self.register(written.subject, written.body, id=written.schema_id),
            self.ask("GET", f"/schemas/ids/{read.schema_id}", "/schemas/ids/[id]"),
        )
        return None not in answers


def tell_rest(environment: Environment, **_: Any) -> None:
    """Say when the run was over before the whole fleet had started."""
    assert environment.parsed_options is not None  # Locust reads its command line first
    started, fleet = environment.stats.get(*ROW).num_requests, environment.parsed_options.producers
    if 0 < started < fleet and not isinstance(environment.runner, WorkerRunner):
        logger.warning("Only %d of %d producers had started when the run was over: give it more time.", started, fleet)


events.quitting.add_listener(tell_rest)  # type: ignore[no-untyped-call]  # Locust's events have no types
