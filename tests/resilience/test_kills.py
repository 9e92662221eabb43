"""kill -9 at random moments, and at each moment that has a name: whatever was acknowledged is there afterwards."""

import random
import sqlite3
import time
from itertools import count as numbers

import pytest

from tests.resilience.clients import Client, Mixed, contents_of, load, record
from tests.resilience.history import Operation, Outcome
from tests.resilience.nodes import exports_of, start_all
from tests.resilience.oracle import judge
from tests.resilience.seams import NODE_FAIL_POINTS, SQLITE_FAIL_POINTS
from tests.resilience.wire import Moment

WRITERS = 8
ROUNDS_PER_SUBJECT = 10
"""After how many kills the writers move on to other subjects, so that none grows too long to be judged."""


def lost_since(history, contents, start: int) -> list[str]:
    """What was acknowledged from a point of the history on, and is not there."""
    done = (one for one in history[start:] if one.operation is Operation.REGISTER and one.outcome is Outcome.DONE)
    return [str(one) for one in done if (row := contents.get((one.subject, one.version))) is None or row.id != one.id]


def untold(history, contents) -> int:
    """How many versions are there that no sender got an answer for."""
    told = {(one.subject, one.text) for one in history if one.outcome is Outcome.DONE}
    return sum((subject, row.text) not in told for (subject, _), row in contents.items())


def assert_whole(file) -> None:
    with sqlite3.connect(file) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


def test_sqlite_loses_nothing_when_its_process_is_killed(
    new_node, sqlite_store, history, count, seed, account, tmp_path
):
    told = account("Killed", f"kill -9 of the server over SQLite at random moments under {WRITERS} writers")
    choose, work, node = random.Random(seed), Mixed(seed), new_node("1", sqlite_store)
    node.start()
    for number in range(count("sqlite_kills")):
        work.round, start = number // ROUNDS_PER_SUBJECT, len(history)
        with load(history, [node], WRITERS, work):
            time.sleep(choose.uniform(0.01, 0.3))
            node.kill()
        node.start()
        if number % ROUNDS_PER_SUBJECT == ROUNDS_PER_SUBJECT - 1:
            assert lost_since(history, contents_of(node), start) == []
    for _ in range(count("start_kills")):
        node.stop()
        node.begin_start()
        time.sleep(choose.uniform(0.0, 0.15))
        node.kill()
        node.start()
    told.did(kills=count("sqlite_kills"), kills_while_starting=count("start_kills"), writers=WRITERS)
    told.judged(judge(history, contents_of(node)))
    node.stop()
    assert_whole(tmp_path / "signet.db")


def test_what_starts_from_snapshots_loses_nothing_when_its_process_is_killed(
    new_node, sqlite_store, history, count, seed, account, tmp_path
):
    told = account("Killed", f"kill -9 of a server that writes snapshots all the time, under {WRITERS} writers")
    choose, work, node = random.Random(seed), Mixed(seed), new_node("1", sqlite_store)
    snapshot, half_written = tmp_path / "signet.db.snapshot", 0
    node.start(many_records=1)
    for number in range(count("snapshot_kills")):
        work.round = number // ROUNDS_PER_SUBJECT
        with load(history, [node], WRITERS, work):
            time.sleep(choose.uniform(0.05, 0.5))
            node.kill()
        half_written += snapshot.with_name(f"{snapshot.name}.new").exists()
        node.start(many_records=1)
    by_snapshot = contents_of(node)
    node.kill()
    snapshot.unlink()
    node.start(many_records=10**9)
    told.did(kills=count("snapshot_kills") + 1, snapshots_half_written=half_written, writers=WRITERS)
    told.judged(judge(history, contents_of(node)))
    assert (by_snapshot, "is of no use" in node.errors) == (contents_of(node), False)


def test_three_nodes_on_postgresql_lose_nothing_when_they_are_killed(
    new_node, postgres, history, count, seed, account, launcher, tmp_path
):
    told = account("Killed", f"kill -9 of one to three of three nodes over PostgreSQL under {WRITERS} writers")
    choose, work = random.Random(seed), Mixed(seed)
    nodes = [new_node(name, postgres.url, snapshot_file=str(tmp_path / f"{name}.snapshot")) for name in "123"]
    start_all(nodes)
    kills = 0
    for number in range(count("postgres_kills")):
        work.round = number // ROUNDS_PER_SUBJECT
        victims = choose.sample(nodes, choose.choice((1, 1, 2, 3)))
        with load(history, nodes, WRITERS, work):
            for victim in victims:
                time.sleep(choose.uniform(0.01, 0.3))
                victim.kill()
            time.sleep(0.1)
            for victim in victims:
                # Some write snapshots all the time; others find one that is old by now, or none.
                victim.begin_start(many_records=choose.choice((1, 10**9)))
            for victim in victims:
                victim.wait_until_serving()
        kills += len(victims)
    told.did(rounds=count("postgres_kills"), kills=kills, nodes=3, writers=WRITERS)
    told.judged(judge(history, contents_of(nodes[0]), exports=exports_of(launcher, tmp_path, nodes)))


class Cycles:
    """Operations of many records: a first schema in a new context; versions, and their deletion for good."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._made = numbers()

    def __call__(self, client: Client, writer: int) -> None:
        number = next(self._made)
        subject = f":.c{self._name}{number}:s" if number % 2 else f"s{self._name}{number}"
        for version in range(4):
            client.register(subject, record(f"C{self._name}N{number}V{version}"))
        client.delete(subject)
        client.delete_for_good(subject)


def works(event: str, name: str) -> Cycles | Mixed:
    return Cycles(name) if event == "in a multi-record operation" else Mixed(name, [f"orders{name}"])


@pytest.mark.parametrize("name", SQLITE_FAIL_POINTS)
def test_sqlite_keeps_its_promises_when_killed(name, new_node, sqlite_store, history, count, seed, account, tmp_path):
    told = account("Killed", f"kill -9 over SQLite: {name}")
    choose, node, point = random.Random(seed), new_node("1", sqlite_store), SQLITE_FAIL_POINTS[name]
    # A checkpoint is rare under load: most come when nothing was written for a moment.
    skips = {"during checkpoint": 1, "in a multi-record operation": 8}.get(name, 40)
    for number in range(count("sqlite_fail_points")):
        node.start(point, skip=choose.randrange(skips))
        with load(history, [node], WRITERS, pausing(works(name, str(number)), name)) as running:
            running.until(lambda: not node.is_alive())
    node.start()
    contents = contents_of(node)
    told.did(kills=count("sqlite_fail_points"), writers=WRITERS)
    told.note(f"{untold(history, contents):,} versions are there of which nobody was told")
    told.judged(judge(history, contents))
    node.stop()
    assert_whole(tmp_path / "signet.db")


def pausing(work, name: str):
    """Work that leaves the registry alone now and then, where the moment waited for is a checkpoint."""
    if name != "during checkpoint":
        return work

    def worked(client: Client, writer: int) -> None:
        # All pause in the same half second.
        if time.monotonic() % 1.0 < 0.5:
            work(client, writer)
        else:
            client.latest("paused")
            time.sleep(0.05)

    return worked


WIRE_FAIL_POINTS = (
    Moment.BEGIN,
    Moment.TURN_TAKEN,
    Moment.COMMIT,
    Moment.HALF_COMMIT,
    Moment.COMMIT_SENT,
    Moment.COMMIT_ANSWERED,
)


class KillAt:
    """Kills a node at an occurrence of a moment on its wire, and cuts the wire with it."""

    def __init__(self, node, moment: Moment, skip: int) -> None:
        self._node, self._moment, self._skip = node, moment, skip

    def __call__(self, moment: Moment, link) -> None:
        if moment is self._moment:
            self._skip -= 1
            if self._skip < 0:
                self._node.kill()
                link.cut()


@pytest.mark.parametrize("moment", WIRE_FAIL_POINTS, ids=lambda moment: moment.value)
def test_postgresql_keeps_its_promises_when_a_node_is_killed(
    moment, new_node, postgres, wire, history, count, seed, account, launcher, tmp_path
):
    told = account("Killed", f"kill -9 of one of two nodes over PostgreSQL: {moment.value}")
    choose, far, near = random.Random(seed), new_node("far", wire.url), new_node("near", postgres.url)
    near.start()
    for number in range(count("postgres_fail_points")):
        wire.at = None
        far.start()
        wire.at = KillAt(far, moment, choose.randrange(20))
        with load(history, [far, near], WRITERS, works(moment.value, str(number))) as running:
            running.until(lambda: not far.is_alive())
            time.sleep(0.05)
    wire.at = None
    far.start()
    told.did(kills=count("postgres_fail_points"), writers=WRITERS, nodes=2)
    told.judged(judge(history, contents_of(near), exports=exports_of(launcher, tmp_path, [far, near])))


@pytest.mark.parametrize("name", NODE_FAIL_POINTS)
def test_postgresql_keeps_its_promises_when_a_node_is_killed_by_itself(
    name, new_node, postgres, history, count, seed, account, launcher, tmp_path
):
    told = account("Killed", f"kill -9 of one of two nodes over PostgreSQL: {name}")
    choose, one, other = random.Random(seed), new_node("one", postgres.url), new_node("other", postgres.url)
    other.start()
    for number in range(count("postgres_fail_points")):
        one.start(NODE_FAIL_POINTS[name], skip=choose.randrange(20))
        with load(history, [one, other], WRITERS, works(name, str(number))) as running:
            running.until(lambda: not one.is_alive())
            time.sleep(0.05)
    one.start()
    told.did(kills=count("postgres_fail_points"), writers=WRITERS, nodes=2)
    told.judged(judge(history, contents_of(other), exports=exports_of(launcher, tmp_path, [one, other])))
