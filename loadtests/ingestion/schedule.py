"""The schedule of a measurement: which gateway has its turn when, and when the registry is killed.

Every gateway gets short slots in turn, so that a slow moment of the machine meets all of them. Between two slots all
requests end, so that no request and no processor time counts for the wrong gateway. Refuses to know who sends.
"""

from __future__ import annotations

import os
import platform
import random
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from datetime import date
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx
import orjson

from loadtests.gateway import ENCODERS
from loadtests.ingestion.observation import Outage, Run, Slot
from loadtests.ingestion.records import records
from loadtests.ingestion.stand import Stand
from loadtests.ingestion.turn import Turn

SINGLE, BATCH = 1, 100
BATCH_USERS = 4
"""Batches are long: a few at a time keep a gateway busy, and all end soon when their slot is over."""
INTERVAL_SECONDS = 0.25
PAUSE_SECONDS = 0.02

Give = Callable[[Sequence[Turn]], None]
"""Tells all users what to send from now on; nothing lets them rest."""


class Schedule:
    """One measurement on a stand; `options` as Locust's command line gives them."""

    def __init__(self, built: Stand, options: Namespace, give: Give) -> None:
        self._stand = built
        self._options = options
        self._give = give
        some = records()
        self._bodies = {
            SINGLE: [orjson.dumps(next(some)) for _ in range(1000)],
            BATCH: [orjson.dumps(list(islice(some, BATCH))) for _ in range(20)],
        }

    def run(self) -> Run:
        """Measure everything."""
        self._round()  # warms up, counts for nothing
        slots = [slot for _ in range(self._options.rounds) for slot in self._round()]
        outages = self._outage(self._options.outage_seconds)
        today = date.today().isoformat()
        return Run(_machine(), today, self._options.num_users, BATCH_USERS, tuple(slots), outages)

    def _round(self) -> list[Slot]:
        """A slot for each gateway and size of request; those that are compared most closely are neighbours."""
        return [
            self._slot(encoder, batch, self._options.slot_seconds)
            for batch in (SINGLE, BATCH)
            # What the registry has still to do after so many questions may meet either of the other two.
            for encoder in ("asking", *random.sample(("json", "cached"), 2))
        ]

    def _turn(self, encoder: str, batch: int, users: int) -> Turn:
        url = self._stand.gateways[encoder].url + ("/records" if batch == SINGLE else "/batches")
        return Turn(encoder, url, f"{encoder}, {batch} a request", users, cycle(self._bodies[batch]))

    def _slot(self, encoder: str, batch: int, slot_seconds: float) -> Slot:
        users = self._options.num_users if batch == SINGLE else BATCH_USERS
        turn, before = self._turn(encoder, batch, users), self._used(encoder)
        self._begin(turn)
        time.sleep(slot_seconds)
        self._end(turn)
        used = {name: after - before[name] for name, after in self._used(encoder).items()}
        return Slot(encoder, batch, len(turn.ended), turn.failures, turn.seconds, p99_ms=turn.p99_ms, **used)

    def _outage(self, lasting_seconds: float) -> tuple[Outage, ...]:
        """All gateways at the same time, so that a slow moment shows in all of them."""
        turns = [self._turn(encoder, SINGLE, self._options.num_users // len(ENCODERS)) for encoder in ENCODERS]
        before = [self._counts(turn.encoder) for turn in turns]
        began = self._begin(*turns)
        time.sleep(lasting_seconds / 3)
        down = time.perf_counter() - began
        self._stand.kill_registry()
        time.sleep(lasting_seconds / 3)
        self._stand.start_registry()
        up = time.perf_counter() - began
        time.sleep(lasting_seconds / 3)
        end = time.perf_counter() - began
        self._end(*turns)
        edges = [number * INTERVAL_SECONDS for number in range(int(end / INTERVAL_SECONDS))]
        return tuple(
            Outage(
                turn.encoder,
                self._counts(turn.encoder)["registry_calls"] - counts["registry_calls"],
                (turn.interval(0, down), turn.interval(down, up), turn.interval(up, end)),
                tuple(turn.interval(edge, edge + INTERVAL_SECONDS) for edge in edges),
            )
            for turn, counts in zip(turns, before, strict=True)
        )

    def _begin(self, *turns: Turn) -> float:
        now = time.perf_counter()
        for turn in turns:
            turn.began = now
        self._give(turns)
        return now

    def _end(self, *turns: Turn) -> None:
        self._give(())
        while any(turn.in_flight for turn in turns):
            time.sleep(PAUSE_SECONDS)

    def _used(self, encoder: str) -> dict[str, Any]:
        """What a gateway has done and cost so far, named as in a Slot."""
        generator = self._stand.generator.cpu_times()
        return {
            **self._counts(encoder),
            "gateway_cpu_seconds": self._stand.gateways[encoder].cpu_seconds(),
            "registry_cpu_seconds": self._stand.registry.cpu_seconds(),
            "generator_cpu_seconds": generator.user + generator.system,
        }

    def _counts(self, encoder: str) -> dict[str, int]:
        counts: dict[str, int] = httpx.get(f"{self._stand.gateways[encoder].url}/counts").json()
        return counts


def _machine() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} x {models[0] if models else platform.processor()}, Python {platform.python_version()}"
