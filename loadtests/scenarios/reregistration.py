"""A storm of registrations of schemas that are there already: what producers without a cache do."""

from __future__ import annotations

from locust import task

from loadtests.scenarios import registry_user


class Producer(registry_user.RegistryUser):
    """Registers known schemas, and looks one up now and then; each must keep its id."""

    @task(9)
    def register_again(self) -> None:
        """Register what is there."""
        known = self.any_registered()
        self.register(known.subject, known.body, id=known.schema_id)

    @task(1)
    def look_up(self) -> None:
        """Ask for the version that a schema has."""
        known = self.any_registered()
        self.ask("POST", f"/subjects/{known.subject}", "/subjects/[subject]", known.body, id=known.schema_id)
