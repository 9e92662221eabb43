"""RegistryUser: what the users of all scenarios share.

Owns the connection, the stock of the run and how an answer is judged; refuses to know what a scenario asks.
"""

from __future__ import annotations

import logging
import random
import sys
from base64 import b64encode
from threading import Thread
from typing import Any, ClassVar

import httpx
from locust import FastHttpUser, events
from locust.env import Environment

from loadtests.scenarios.options import offer_all
from loadtests.scenarios.stock import HEADERS, Registered, Stock

logger = logging.getLogger(__name__)

events.init_command_line_parser.add_listener(offer_all)  # type: ignore[no-untyped-call]  # Locust's events have no types


class RegistryUser(FastHttpUser):
    """A client of the registry with a connection of its own."""

    abstract = True
    stock: ClassVar[Stock]
    ending: ClassVar[bool] = False
    fills_stock: ClassVar[bool] = True
    """Whether the scenario asks for subjects that are there before it begins."""

    def __init__(self, environment: Environment) -> None:
        assert environment.parsed_options is not None  # Locust reads its command line first
        self.options = environment.parsed_options
        self.insecure = self.options.insecure
        super().__init__(environment)
        if self.options.basic_auth:
            self.client.auth_header = "Basic " + b64encode(self.options.basic_auth.encode()).decode()

    def end_run(self) -> None:
        """Stop all users, print the summary and end Locust."""
        assert self.environment.runner is not None  # a user runs in a runner
        if not RegistryUser.ending:
            RegistryUser.ending = True
            # A user that called quit itself would be stopped by it half-way.
            Thread(target=self.environment.runner.quit).start()

    @classmethod
    def begin_run(cls) -> None:
        """Forget what the users shared in the run before, since Locust's page can start many."""

    def wait_time(self) -> float:
        """Seconds until the next task; the end of the run when there were enough requests."""
        if 0 < self.options.requests <= self.environment.stats.total.num_requests:
            self.end_run()
        return float(self.options.think_seconds)

    def any_registered(self) -> Registered:
        """One of the subjects that are there since before the load began."""
        return random.choice(self.stock.registered)

    def ask(
        self, method: str, path: str, name: str, body: bytes | None = None, *, status: int = 200, **holds: Any
    ) -> Any:
        """Send a request and return the JSON of the answer; None when it is not the answer that is right here.

        name: the row of Locust's table that the request counts for; status, holds: what the answer must be, and which
        members it must have.
        """
        with self.client.request(
            method,
            path,
            name=name,
            data=body,  # type: ignore[arg-type]  # declared as text, sent as bytes as well
            headers=HEADERS,
            catch_response=True,
        ) as response:
            if response.status_code != status:
                response.failure(response.error or f"{response.status_code} instead of {status}, {_code(response)}")
                return None
            answer = response.json()
            wrong = [member for member, value in holds.items() if answer.get(member) != value]
            if wrong:
                response.failure(f"the answer has another {wrong[0]} than before")
                return None
            response.success()
            return answer

    def register(self, subject: str, body: bytes, **holds: Any) -> Any:
        """Register a schema; the answer, or None."""
        return self.ask("POST", f"/subjects/{subject}/versions", "/subjects/[subject]/versions", body, **holds)


def _code(response: Any) -> str:
    """The registry's own code, without the sentence: names in it would make a row of each failure."""
    try:
        return f"error_code {response.json()['error_code']}"
    except (ValueError, KeyError, TypeError):
        return "no error_code"


def fill(environment: Environment, **_: Any) -> None:
    """Register what the users will ask for; without it there is nothing to measure, so Locust ends."""
    assert environment.parsed_options is not None  # Locust reads its command line first
    RegistryUser.ending = False
    RegistryUser.stock = Stock(environment.host or "", environment.parsed_options)
    users = [user for user in environment.user_classes if issubclass(user, RegistryUser)]
    for user in users:
        user.begin_run()
    if any(user.fills_stock for user in users):
        try:
            RegistryUser.stock.fill()
        except (httpx.HTTPError, RuntimeError) as error:
            # Locust logs an exception of a listener and goes on; this one ends it.
            sys.exit(f"The subjects of the run could not be registered: {error}")


def clear(**_: Any) -> None:
    """Leave the registry as it was."""
    if not hasattr(RegistryUser, "stock"):
        return  # Locust also tells the end of a run that never began
    try:
        RegistryUser.stock.clear()
    except httpx.HTTPError as error:
        logger.warning("The subjects of the run could not be deleted: %s", error)


events.test_start.add_listener(fill)  # type: ignore[no-untyped-call]  # as above
events.test_stop.add_listener(clear)  # type: ignore[no-untyped-call]  # as above
