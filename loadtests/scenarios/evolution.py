"""Teams that change their schemas: check, register, and be refused when the change would break readers."""

from __future__ import annotations

from uuid import uuid4

from locust import task

from loadtests.registrations import record_schema, registration
from loadtests.scenarios import registry_user

REFUSED_EVERY = 5
"""One change in so many is an incompatible one, which the registry must refuse."""


class Team(registry_user.RegistryUser):
    """Adds one field with a default after another to a schema of its own."""

    fills_stock = False

    def on_start(self) -> None:
        """Begin the first subject."""
        self._begin()

    @task
    def change(self) -> None:
        """Check and register the next version."""
        body = registration(record_schema(self.options.fields, extra=self._added))
        check, name = f"/compatibility/subjects/{self._subject}/versions/latest", "/compatibility/subjects/[subject]"
        if self.ask("POST", check, name, body, is_compatible=True) and self.register(self._subject, body):
            self._added += 1
        if self._added % REFUSED_EVERY == 0:
            self._break()
        if self._added >= self.options.versions:
            self._begin()

    def _break(self) -> None:
        """Try to register a new field without a default, which nobody could read old records with."""
        schema = record_schema(self.options.fields + 1, extra=self._added)
        name = "/subjects/[subject]/versions (incompatible)"
        self.ask("POST", f"/subjects/{self._subject}/versions", name, registration(schema), status=409)

    def _begin(self) -> None:
        self._subject = self.stock.subject(f"{uuid4().hex[:8]}-value")
        self.register(self._subject, registration(record_schema(self.options.fields)))
        self._added = 1
