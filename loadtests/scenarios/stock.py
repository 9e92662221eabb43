"""The subjects of a run: registered before the load begins, remembered while it lasts, deleted after it.

Every name carries a tag of its own run, so that nothing is deleted which was there before.
"""

from __future__ import annotations

import logging
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from uuid import uuid4

import httpx

from loadtests.registrations import record_schema, registration

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
HEADERS = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
DELETIONS = ("", "?permanent=true")
"""The queries of the two deletions that end a subject for good."""

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
        self._filling = Lock()
        self._ended = False
        self.registered: list[Registered] = []

    def subject(self, name: str) -> str:
        """A subject's name in this run, which will be deleted after it."""
        subject = f"{self._tag}-{name}"
        self._subjects.add(subject)
        return subject

    def fill(self, count: int) -> bool:
        """Register so many subjects that the users will ask for; false when the run was ended meanwhile.

        Raises httpx.HTTPError when there is no answer, RuntimeError when it is not what a registry would answer.
        """
        with self._filling, self._connection() as registry:
            for number in range(count):
                if self._ended:
                    return False
                subject = self.subject(f"{number:05}-value")
                body = registration(record_schema(self._options.fields, name=f"Order{number}"))
                try:
                    answer = registry.post(f"/subjects/{subject}/versions", content=body)
                    self.registered.append(Registered(subject, body, _schema_id(subject, answer)))
                except (httpx.ConnectError, RuntimeError):
                    self._subjects.remove(subject)  # it cannot be there
                    raise
        return True

    def clear(self) -> None:
        """Delete every subject of the run for good, as far as the registry lets us, and log which ones stay."""
        self._ended = True
        if self._options.keep_subjects:
            return
        # What is being registered would come after its deletion.
        with self._filling:
            stays = self._delete()
        if stays:
            text = "Subjects whose names begin with %s stay in the registry, which could not delete them: %s"
            logger.warning(text, self._tag, stays)

    def _delete(self) -> str:
        """Delete the subjects; why some are still there, or nothing."""
        refused = ""
        try:
            with self._connection() as registry:
                for path in (f"/subjects/{name}{how}" for name in sorted(self._subjects) for how in DELETIONS):
                    answer = registry.delete(path)
                    # A user that was stopped in time has named a subject without registering it: 404.
                    if answer.status_code not in (httpx.codes.OK, httpx.codes.NOT_FOUND):
                        refused = refused or _seen(answer)
        except httpx.HTTPError as error:
            return str(error)
        return refused

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


def _schema_id(subject: str, answer: httpx.Response) -> int:
    """The id in the answer to a registration. Raises RuntimeError when there is none."""
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(f"{subject}: {_seen(answer)}")
    try:
        return int(answer.json()["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise RuntimeError(f"a schema registry answers with an id, not with {answer.text[:200]!r}") from error


def _seen(answer: httpx.Response) -> str:
    # In one line: what is no registry answers with a page.
    return f"{answer.status_code} {' '.join(answer.text.split())[:200]}"
