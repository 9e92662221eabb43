"""The subjects of a run: registered before the load begins, remembered while it lasts, deleted after it.

Every name carries a tag of its own run, so that nothing is deleted which was there before.
"""

from __future__ import annotations

import logging
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx

from loadtests.registrations import record_schema, registration

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
HEADERS = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registered:
    """A subject, the body that registered its schema, and the id that it got."""

    subject: str
    body: bytes
    schema_id: int


class Stock:
    """What this run has in the registry at `url`.

    options: as read from the command line (`options.py`).
    """

    def __init__(self, url: str, options: Namespace) -> None:
        self._url = url.rstrip("/")
        self._options = options
        self._tag = f"{options.name_prefix}-{uuid4().hex[:8]}"
        self._subjects: set[str] = set()
        self.registered: list[Registered] = []

    def subject(self, name: str) -> str:
        """A subject's name in this run, which will be deleted after it."""
        subject = f"{self._tag}-{name}"
        self._subjects.add(subject)
        return subject

    def fill(self) -> None:
        """Register the subjects that the users will ask for.

        Raises httpx.HTTPError when there is no answer, RuntimeError when the registry refuses.
        """
        with self._connection() as registry:
            for number in range(self._options.subjects):
                subject = self.subject(f"{number:05}-value")
                body = registration(record_schema(self._options.fields, name=f"Order{number}"))
                answer = registry.post(f"/subjects/{subject}/versions", content=body)
                if answer.status_code != httpx.codes.OK:
                    raise RuntimeError(f"{subject}: {answer.status_code} {answer.text[:200]}")
                self.registered.append(Registered(subject, body, int(answer.json()["id"])))

    def clear(self) -> None:
        """Delete every subject of the run for good, as far as the registry lets us. Raises httpx.HTTPError."""
        if self._options.keep_subjects:
            return
        with self._connection() as registry:
            answers = [
                registry.delete(f"/subjects/{subject}{query}")
                for subject in sorted(self._subjects)
                for query in ("", "?permanent=true")
            ]
        # A user that was stopped in time has named a subject without registering it: 404.
        refused = [answer for answer in answers if answer.status_code not in (httpx.codes.OK, httpx.codes.NOT_FOUND)]
        if refused:
            logger.warning("%d deletions were refused, the first with %s", len(refused), refused[0].text)

    @contextmanager
    def _connection(self) -> Iterator[httpx.Client]:
        user, _, password = self._options.basic_auth.partition(":")
        with httpx.Client(
            base_url=self._url,
            headers=HEADERS,
            auth=(user, password) if user else None,
            verify=not self._options.insecure,
            timeout=30.0,
        ) as client:
            yield client
