"""kill -9 under load: whatever was acknowledged is there after every restart."""

import random
import sqlite3
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import NamedTuple

import httpx

ROUNDS = 25
WRITERS = 8
SUBJECTS = ("orders-value", "orders-key", ":.other:orders-value")
SEED = 20261122


class Place(NamedTuple):
    """Where a text stands in a subject."""

    id: int
    version: int


class Known:
    """What the registry was asked, and what it answered; all writers and all rounds share it."""

    def __init__(self) -> None:
        self.sent: set[tuple[str, str]] = set()
        self.acknowledged: dict[tuple[str, str], Place] = {}
        self.answers = 0

    def acknowledge(self, subject: str, text: str, place: Place) -> None:
        assert self.acknowledged.setdefault((subject, text), place) == place
        self.answers += 1


def schema(name: str) -> str:
    return f'{{"type":"record","name":"{name}","fields":[{{"name":"id","type":"long"}}]}}'


def write(client: httpx.Client, known: Known, this_round: int, writer: int) -> None:
    """Register new schemas, and those of other writers, under all subjects, until the registry is gone."""
    choose = random.Random(f"{SEED} {this_round} {writer}")
    for number in count():
        subject = choose.choice(SUBJECTS)
        text = schema(f"R{this_round}N{choose.randint(0, 4 * number)}")
        known.sent.add((subject, text))
        try:
            answer = client.post(f"/subjects/{subject}/versions", json={"schema": text})
        except httpx.TransportError:
            return
        assert answer.status_code == 200, answer.text
        known.acknowledge(subject, text, Place(answer.json()["id"], answer.json()["version"]))


def load_until_killed(process: subprocess.Popen[str], url: str, known: Known, this_round: int) -> None:
    with httpx.Client(base_url=url, timeout=20) as client, ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, client, known, this_round, writer) for writer in range(WRITERS)]
        time.sleep(random.Random(f"{SEED} {this_round}").uniform(0.05, 0.6))
        process.kill()
        process.wait()
        for writer in writers:
            writer.result()


def kill_while_it_starts(store: str, seconds: float) -> None:
    command = [sys.executable, "-m", "registry", "serve", "--port", "0", "--store", store]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        time.sleep(seconds)
        process.kill()


def versions(url: str) -> Iterator[tuple[str, str, Place]]:
    """Every version that the registry has."""
    with httpx.Client(base_url=url) as client:
        for offset in count(0, 1000):
            page = client.get("/schemas", params={"subjectPrefix": ":*:", "offset": offset, "limit": 1000}).json()
            yield from ((one["subject"], one["schema"], Place(one["id"], one["version"])) for one in page)
            if len(page) < 1000:
                return


def compare(url: str, known: Known) -> int:
    """Hold what the registry has against what is known; returns how many versions nobody was told of."""
    found = {(subject, text): place for subject, text, place in versions(url)}
    lost = {one: place for one, place in known.acknowledged.items() if found.get(one) != place}
    assert not lost, f"acknowledged, and gone or changed: {lost}"
    assert found.keys() <= known.sent
    for subject in SUBJECTS:
        numbers = sorted(place.version for (holder, _), place in found.items() if holder == subject)
        assert numbers == list(range(1, len(numbers) + 1)), f"versions of {subject}"
    assert_one_text_for_one_id(found)
    return len(found) - len(known.acknowledged)


def assert_one_text_for_one_id(found: dict[tuple[str, str], Place]) -> None:
    """In each context an id means one text, and a text has one id."""
    texts, ids = defaultdict(set), defaultdict(set)
    for (subject, text), place in found.items():
        context = subject.startswith(":.other:")
        texts[context, place.id].add(text)
        ids[context, text].add(place.id)
    assert all(len(one) == 1 for one in [*texts.values(), *ids.values()])


def test_no_acknowledged_registration_is_lost_when_the_process_is_killed(start_registry, tmp_path: Path, capsys):
    store = f"sqlite:{tmp_path}/signet.db"
    known, untold = Known(), 0
    running = start_registry(store=store, compatibility_level="NONE")
    for this_round in range(ROUNDS):
        load_until_killed(running.process, running.url, known, this_round)
        if this_round % 5 == 0:
            kill_while_it_starts(store, 0.3 + 0.1 * this_round / 5)
        running = start_registry(store=store, compatibility_level="NONE")
        untold = compare(running.url, known)
    running.process.terminate()
    running.process.wait()
    with sqlite3.connect(tmp_path / "signet.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
    assert known.answers > 10 * ROUNDS
    with capsys.disabled():
        sys.stdout.write(
            f"\n{ROUNDS} times kill -9 under {WRITERS} writers, 5 times while it started: "
            f"{known.answers} registrations acknowledged, {len(known.acknowledged)} of them different, none lost; "
            f"{untold} versions there that were never acknowledged\n"
        )
