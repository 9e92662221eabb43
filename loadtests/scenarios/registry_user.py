"""RegistryUser: what the users of all scenarios share.

Owns the connection, the stock of the run, how an answer is judged and how a run ends; refuses to know what a scenario
asks.
"""

from __future__ import annotations

import logging
import random
import signal
from base64 import b64encode
from threading import Thread
from typing import Any, ClassVar

import gevent  # type: ignore[import-untyped]  # it has none
import httpx
from gevent import GreenletExit
from locust import FastHttpUser, events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from loadtests.scenarios.options import offer_all
from loadtests.scenarios.stock import HEADERS, Registered, Stock

logger = logging.getLogger(__name__)

SHARE_DONE = "share_done"
"""What one of several processes tells the first one when it has done its share of the run."""

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
        self.host = (environment.host or "").rstrip("/")  # each path begins with one
        super().__init__(environment)
        if self.options.basic_auth:
            self.client.auth_header = "Basic " + b64encode(self.options.basic_auth.encode()).decode()

    def share(self, total: int) -> int:
        """How much of what is to be done in all is done by this process: all of it, unless Locust runs in several."""
        return -(-total // (self.options.expect_workers if isinstance(self.environment.runner, WorkerRunner) else 1))

    def end_run(self) -> None:
        """Stop all users, print the summary and end Locust; one of several processes waits for the others first."""
        if RegistryUser.ending:
            return
        RegistryUser.ending = True
        runner = self.environment.runner
        assert runner is not None  # a user runs in a runner
        if isinstance(runner, WorkerRunner):
            runner.send_message(SHARE_DONE)
        else:
            # A user that called quit itself would be stopped by it half-way.
            Thread(target=runner.quit).start()

    @classmethod
    def begin_run(cls) -> None:
        """Forget what the users shared in the run before, since Locust's page can start many."""

    def wait_time(self) -> float:
        """Seconds until the next task; the end of the run when there were enough requests."""
        if 0 < self.share(self.options.requests) <= self.environment.stats.total.num_requests:
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
        members it must have, each with its value or the type of its value.
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
            try:
                answer = response.json()
            except ValueError:
                response.failure("the answer is not JSON")
                return None
            wrong = [member for member, value in holds.items() if not _has(answer, member, value)]
            if wrong:
                response.failure(f"the answer has another {wrong[0]} than it should have")
                return None
            response.success()
            return answer

    def register(self, subject: str, body: bytes, **holds: Any) -> Any:
        """Register a schema; the answer, or None."""
        name = "/subjects/[subject]/versions"
        return self.ask("POST", f"/subjects/{subject}/versions", name, body, **({"id": int} | holds))


def _has(answer: Any, member: str, value: Any) -> bool:
    found = answer.get(member) if isinstance(answer, dict) else None
    return isinstance(found, value) if isinstance(value, type) else found == value


def _code(response: Any) -> str:
    """The registry's own code, without the sentence: names in it would make a row of each failure."""
    try:
        return f"error_code {response.json()['error_code']}"
    except (ValueError, KeyError, TypeError):
        return "no error_code"


class Processes:
    """How many of Locust's processes have done their share of this run."""

    def __init__(self, master: MasterRunner) -> None:
        self._master = master
        self.done = 0

    def count(self, **_: Any) -> None:
        """Count one, and end the run with the last one."""
        self.done += 1
        if self.done == self._master.worker_count:
            Thread(target=self._master.quit).start()

    def forget(self, **_: Any) -> None:
        """Begin another run."""
        self.done = 0


def prepare(environment: Environment, runner: Any, **_: Any) -> None:
    """End on Ctrl-C as at the end of the time, with summary and report; the first process ends the others."""
    # Locust starts the clock of a run next, and gevent would count from when its loop last looked: before all imports.
    gevent.get_hub().loop.update_now()
    page = environment.web_ui
    stop = (lambda: None) if isinstance(runner, WorkerRunner) else page.stop if page else runner.quit
    gevent.signal_handler(signal.SIGINT, stop)
    if isinstance(runner, MasterRunner):
        processes = Processes(runner)
        environment.events.test_start.add_listener(processes.forget)  # type: ignore[no-untyped-call]  # as above
        runner.register_message(SHARE_DONE, processes.count)


def fill(environment: Environment, **_: Any) -> None:
    """Register what the users will ask for, one subject at least: where that fails, there is nothing to measure."""
    assert environment.parsed_options is not None  # Locust reads its command line first
    RegistryUser.ending = False
    RegistryUser.stock = Stock(environment.host or "", environment.parsed_options)
    users = [user for user in environment.user_classes if issubclass(user, RegistryUser)]
    for user in users:
        user.begin_run()
    # Locust's page takes any number of subjects.
    asks = not isinstance(environment.runner, MasterRunner) and any(user.fills_stock for user in users)
    try:
        if not RegistryUser.stock.fill(max(environment.parsed_options.subjects, 1) if asks else 1):
            raise GreenletExit
    except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
        logger.error("The subjects of the run could not be registered: %s", error)
        RegistryUser.stock.clear()
        # Locust logs an exception of a listener and goes on; these two end the run, and its page stays.
        raise GreenletExit if environment.web_ui else SystemExit(1) from error


def clear(environment: Environment, **_: Any) -> None:
    """Leave the registry as it was."""
    if not hasattr(RegistryUser, "stock"):
        return  # Locust also tells the end of a run that never began
    clearing = gevent.spawn(RegistryUser.stock.clear)
    if isinstance(environment.runner, WorkerRunner):
        # The first process waits half a second for the last figures of the others, which come after this.
        environment.events.quitting.add_listener(lambda **_: clearing.join())  # type: ignore[no-untyped-call]  # as above
    else:
        clearing.join()


def judge(environment: Environment, **_: Any) -> None:
    """A run without a request is no success."""
    here = not isinstance(environment.runner, WorkerRunner) and not environment.web_ui
    if here and not environment.stats.total.num_requests and environment.process_exit_code is None:
        logger.error("The run was over before its first request; registering its subjects counts for its time.")
        environment.process_exit_code = 1


for event, listener in (
    (events.init, prepare),
    (events.test_start, fill),
    (events.test_stop, clear),
    (events.quitting, judge),
):
    event.add_listener(listener)  # type: ignore[no-untyped-call]  # as above
