"""The Locust file of the measurement: users that send to whichever gateway has its turn."""

from __future__ import annotations

import logging
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import gevent  # type: ignore[import-untyped]  # it has none
import httpx
from locust import FastHttpUser, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

from loadtests.ingestion.schedule import PAUSE_SECONDS, Schedule
from loadtests.ingestion.stand import stand
from loadtests.ingestion.turn import Turn
from loadtests.scenarios.options import Option, count, seconds

logger = logging.getLogger(__name__)

OPTIONS = (
    Option("rounds", 60, "Slots of each gateway and size of request.", count),
    Option("slot_seconds", 0.5, "Seconds of a slot.", seconds),
    Option("outage_seconds", 12.0, "Seconds of load in whose middle third the registry is down.", seconds),
    Option("bootstrap_servers", "", "Kafka's brokers; without them one is started in this process."),
    Option("observations", "report/ingestion.json", "Where to write what was seen."),
)


class Sender(FastHttpUser):
    """Sends bodies as fast as answers come, while there are turns."""

    host = "http://127.0.0.1"  # each turn names its own gateway
    turns: ClassVar[Sequence[Turn]] = ()

    @classmethod
    def give(cls, turns: Sequence[Turn]) -> None:
        """Let the users send this from now on."""
        cls.turns = turns

    @task
    def send(self) -> None:
        """Send one body in a turn that wants another user, or wait."""
        turn = next((turn for turn in self.turns if turn.in_flight < turn.users), None)
        if turn is None:
            time.sleep(PAUSE_SECONDS)
            return
        turn.in_flight += 1
        try:
            began = time.perf_counter()
            answer = self.client.post(turn.url, data=next(turn.bodies), name=turn.row)  # type: ignore[arg-type]  # declared as text, sent as bytes as well
            ended = time.perf_counter()
            turn.ended.append((ended, (ended - began) * 1e3, answer.status_code == 202))
        finally:
            turn.in_flight -= 1


def measure(environment: Environment) -> None:
    """Run the whole schedule, write what was seen, and end Locust."""
    options = environment.parsed_options
    assert options is not None  # Locust reads its command line first
    assert environment.runner is not None  # a test that starts has one
    try:
        with tempfile.TemporaryDirectory() as folder, stand(Path(folder), options.bootstrap_servers or None) as built:
            run = Schedule(built, options, Sender.give).run()
        run.save(Path(options.observations))
    except (RuntimeError, httpx.HTTPError) as error:
        logger.error("The measurement could not be made: %s", error)
    finally:
        environment.runner.quit()


def offer(parser: LocustArgumentParser) -> None:
    """Let Locust know the options."""
    for option in OPTIONS:
        option.offer(parser)


def prepare(runner: Any, **_: Any) -> None:
    """End on Ctrl-C without a word: whoever started Locust says what became of the measurement."""
    gevent.signal_handler(signal.SIGINT, runner.quit)


def begin(environment: Environment, **_: Any) -> None:
    """Measure beside the users: Locust makes threads and sleep cooperative."""
    Thread(target=measure, args=(environment,)).start()


events.init_command_line_parser.add_listener(offer)  # type: ignore[no-untyped-call]  # Locust's events have no types
events.init.add_listener(prepare)  # type: ignore[no-untyped-call]  # as above
events.test_start.add_listener(begin)  # type: ignore[no-untyped-call]  # as above
