"""Consumers that ask what an id means, all the time: the commonest question that a registry gets."""

from __future__ import annotations

from typing import ClassVar

from locust import task

from loadtests.scenarios import registry_user
from loadtests.scenarios.stock import HEADERS


class Reader(registry_user.RegistryUser):
    """Reads schemas by id; an id whose answer changes is a failure."""

    seen: ClassVar[dict[int, bytes]]

    @classmethod
    def begin_run(cls) -> None:
        """No id means anything yet."""
        cls.seen = {}

    @task
    def read(self) -> None:
        """Read one schema."""
        schema_id = self.any_registered().schema_id
        with self.client.get(
            f"/schemas/ids/{schema_id}",
            name="/schemas/ids/[id]",
            headers=HEADERS,
            catch_response=True,
        ) as response:
            if response.status_code == 200 and self.seen.setdefault(schema_id, response.content) != response.content:
                response.failure("the id means something else than before")
