"""The scenario that Karapace publishes for Locust, request for request, so that figures can be compared.

Two subjects; half of the tasks register a new schema in each of them until there are enough, and then register random
ones again; the other half look a random one up and compare its id. The schemas differ in an unknown property only.
"""

from __future__ import annotations

import json
import random
from typing import Any, ClassVar
from uuid import uuid4

from locust import task

from loadtests.scenarios import registry_user

SUBJECTS = ("test-subject-1", "test-subject-2")


def body(alias: str) -> bytes:
    """What registers the schema with this alias."""
    fields = [{"name": "pct", "type": "int"}]
    schema = {"type": "record", "name": "CpuUsage", "alias": alias, "fields": fields}
    return json.dumps({"schema": json.dumps(schema)}).encode()


class Client(registry_user.RegistryUser):
    """Registers and looks up; all users share the two subjects."""

    fills_stock = False
    begun: ClassVar[dict[str, int]]
    ids: ClassVar[dict[str, dict[str, int]]]

    @classmethod
    def begin_run(cls) -> None:
        """No subject has a schema yet."""
        cls.begun = dict.fromkeys(SUBJECTS, 0)
        cls.ids = {subject: {} for subject in SUBJECTS}

    @task
    def register_new(self) -> None:
        """A new schema in each subject; when there are enough, one of the old ones."""
        enough, begun = self.share(self.options.schemas) // len(SUBJECTS), False
        for name in SUBJECTS:
            if self.begun[name] < enough:  # asked anew for each: other users register while this one waits
                self.begun[name] += 1
                self._register_new(name)
                begun = True
        known = None if begun else self._any()
        if known:
            name, alias = known
            self._post(f"/subjects/{self.stock.subject(name)}/versions", "versions, existing", alias, id=int)

    @task
    def look_up(self) -> None:
        """Ask for the version of a schema that is there."""
        known = self._any()
        if known:
            name, alias = known
            self._post(f"/subjects/{self.stock.subject(name)}", "lookup", alias, id=self.ids[name][alias])

    def _any(self) -> tuple[str, str] | None:
        name = random.choice(SUBJECTS)
        return (name, random.choice(list(self.ids[name]))) if self.ids[name] else None

    def _register_new(self, name: str) -> None:
        alias = str(uuid4())
        answer = self._post(f"/subjects/{self.stock.subject(name)}/versions", "versions, new", alias, id=int)
        if answer is not None:
            self.ids[name][alias] = int(answer["id"])

    def _post(self, path: str, row: str, alias: str, **holds: Any) -> dict[str, int] | None:
        found: dict[str, int] | None = self.ask("POST", path, row, body(alias), **holds)
        return found
