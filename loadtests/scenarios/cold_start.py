"""A fleet of producers that starts at once, after an outage or a deployment: nobody has anything in a cache.

Each process opens its own connection, registers the schema of every topic that it writes and asks what the ids mean
that it reads. The row `START producer` is the time until it could send its first record of every topic.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from typing import ClassVar

from locust import task

from loadtests.scenarios import registry_user

IDLE_SECONDS = 0.1


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
        if next(self.begun) > self.options.producers:
            time.sleep(IDLE_SECONDS)  # the others are still starting
            return
        self._start()
        if next(self.ended) == self.options.producers:
            self.end_run()

    def _start(self) -> None:
        self.client.client.clientpool.close()
        began = time.perf_counter()
        ready = [self._write_and_read() for _ in range(self.options.topics_per_producer)]
        self.environment.events.request.fire(
            request_type="START",
            name="producer",
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
