"""People with a user interface in front of them: each page asks several questions."""

from __future__ import annotations

from locust import task

from loadtests.scenarios import registry_user


class Browser(registry_user.RegistryUser):
    """Opens the pages that the common user interfaces have."""

    @task(3)
    def open_overview(self) -> None:
        """The list of all subjects, and how the registry is set."""
        self.ask("GET", "/subjects", "/subjects")
        for path in ("/config", "/mode"):
            # Under the URL of a context they are the context's, which mostly has none of its own.
            self.ask("GET", f"{path}?defaultToGlobal=true", path)

    @task(1)
    def search(self) -> None:
        """The subjects whose names begin in some way."""
        prefix = self.any_registered().subject[:-8]
        self.ask("GET", f"/subjects?subjectPrefix={prefix}", "/subjects?subjectPrefix=[prefix]")

    @task(4)
    def open_subject(self) -> None:
        """The versions of a subject, the latest one, and its compatibility level."""
        subject = self.any_registered().subject
        self.ask("GET", f"/subjects/{subject}/versions", "/subjects/[subject]/versions")
        self.ask("GET", f"/subjects/{subject}/versions/latest", "/subjects/[subject]/versions/latest")
        self.ask("GET", f"/config/{subject}?defaultToGlobal=true", "/config/[subject]?defaultToGlobal=true")

    @task(2)
    def open_schema(self) -> None:
        """A schema by its id, and where it is used."""
        schema_id = self.any_registered().schema_id
        self.ask("GET", f"/schemas/ids/{schema_id}", "/schemas/ids/[id]")
        self.ask("GET", f"/schemas/ids/{schema_id}/versions", "/schemas/ids/[id]/versions")
