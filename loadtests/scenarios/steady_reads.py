"""Consumers that ask what an id means, all the time: the commonest question that a registry gets."""

from __future__ import annotations

import json
from typing import ClassVar

from locust import task

from loadtests.scenarios import registry_user
from loadtests.scenarios.stock import HEADERS


class Reader(registry_user.RegistryUser):
    """Reads schemas by id; an id that comes to mean another schema is a failure."""

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
            if response.status_code == 200 and not self._means_the_same(schema_id, response.content):
                response.failure("the id means something else than before")

    @classmethod
    def _means_the_same(cls, schema_id: int, answer: bytes) -> bool:
        before = cls.seen.setdefault(schema_id, answer)
        if answer == before:
            return True
        # Where others run as well, the schema comes and goes under their subjects, and an answer names one of those.
        cls.seen[schema_id] = answer
        return _text(answer) == _text(before)


def _text(answer: bytes) -> object:
    """The text of the schema in an answer; of one without it the answer itself."""
    try:
        return json.loads(answer)["schema"]
    except (ValueError, KeyError, TypeError):
        return answer
