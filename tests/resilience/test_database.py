"""The database crashes, ends connections, or loses a node that stands still: nothing is lost, and writing goes on."""

import os
import random
import signal
import threading
import time
from contextlib import suppress
from itertools import count as numbers
from itertools import cycle, pairwise

import psycopg

from tests.resilience.clients import Client, Mixed, contents_of, load, record
from tests.resilience.history import Operation, Outcome
from tests.resilience.nodes import exports_of, start_all
from tests.resilience.oracle import judge
from tests.resilience.wire import Moment

WRITERS = 8
RECOVERY_SECONDS = 15.0
NOTICED_SECONDS = 2.0
"""How soon a node knows of a commit although the notice of it was lost."""


def written(history, node: str | None = None) -> list[float]:
    """When registrations were acknowledged, at one node or at all."""
    return sorted(
        one.ended
        for one in history
        if one.operation is Operation.REGISTER and one.outcome is Outcome.DONE and node in (None, one.node)
    )


def recovered(running, history, since: float, node: str | None = None) -> float:
    """Wait until a registration that began after a moment is acknowledged; how many seconds after the moment."""
    start = len(history)

    def first() -> float | None:
        for one in history[start:]:
            is_write = one.outcome is Outcome.DONE and one.operation is Operation.REGISTER
            if is_write and one.started >= since and node in (None, one.node):
                return one.ended - since
        return None

    running.until(lambda: first() is not None)
    return first()


def checkpoint(postgres) -> None:
    with suppress(psycopg.Error):
        postgres.query("CHECKPOINT")


def test_a_database_that_crashes_loses_nothing(new_node, postgres, history, count, seed, account, launcher, tmp_path):
    told = account("The database", "PostgreSQL ended by `pg_ctl -m immediate`, every other time during a checkpoint")
    choose, work, recoveries = random.Random(seed), Mixed(seed), []
    nodes = [new_node(name, postgres.url) for name in "123"]
    start_all(nodes)
    with load(history, nodes, WRITERS, work) as running:
        for number in range(count("database_crashes")):
            work.round = number // 2
            time.sleep(choose.uniform(0.05, 0.4))
            if number % 2:
                threading.Thread(target=checkpoint, args=(postgres,)).start()
                time.sleep(choose.uniform(0, 0.02))
            postgres.crash()
            recoveries.append(recovered(running, history, time.monotonic()))
    told.did(crashes=count("database_crashes"), nodes=3, writers=WRITERS)
    told.note(f"written again at most {max(recoveries):.1f} s after the database was back")
    told.judged(judge(history, contents_of(nodes[0]), exports=exports_of(launcher, tmp_path, nodes)))
    assert max(recoveries) < RECOVERY_SECONDS


class Terminator:
    """Ends the backend of every few commits, at one moment of the commit after the other."""

    def __init__(self, seed: str) -> None:
        self._choose = random.Random(seed)
        self._moments = cycle((Moment.COMMIT, Moment.COMMIT_SENT, Moment.COMMIT_ANSWERED))
        self._moment, self._skip = next(self._moments), 2
        self.done = dict.fromkeys((Moment.COMMIT, Moment.COMMIT_SENT, Moment.COMMIT_ANSWERED), 0)

    def __call__(self, moment: Moment, link) -> None:
        if moment is not self._moment:
            return
        self._skip -= 1
        if self._skip < 0:
            with suppress(ProcessLookupError):
                os.kill(link.backend_pid, signal.SIGTERM)  # what pg_terminate_backend does
            if moment is Moment.COMMIT:
                time.sleep(0.01)  # it goes before the message arrives
            if moment is Moment.COMMIT_ANSWERED:
                link.cut()
            self.done[moment] += 1
            self._moment, self._skip = next(self._moments), self._choose.randrange(4)


def test_a_backend_that_is_terminated_at_a_commit_loses_and_doubles_nothing(
    new_node, postgres, wire, history, count, seed, account, launcher, tmp_path
):
    told = account("The database", "the backend of a commit terminated before it, in it, and behind it unseen")
    far, near, work, terminator = (
        new_node("far", wire.url),
        new_node("near", postgres.url),
        Mixed(seed),
        Terminator(seed),
    )
    start_all([far, near])
    wire.at = terminator
    with load(history, [far, far, far, near], WRITERS, work) as running:
        for done in range(count("terminations")):
            work.round = done // 20
            running.until(lambda done=done: sum(terminator.done.values()) > done)
    wire.at = None
    told.did(**{moment.value.replace(" ", "_").replace(",", ""): done for moment, done in terminator.done.items()})
    told.judged(judge(history, contents_of(near), exports=exports_of(launcher, tmp_path, [far, near])))


class Outage:
    """Takes the database out of reach at the fifth time of a moment on the wire."""

    def __init__(self, wire, moment: Moment) -> None:
        self._wire, self._moment, self._skip = wire, moment, 4

    def __call__(self, moment: Moment, link) -> None:
        self._skip -= moment is self._moment
        if self._skip < 0 and not self._wire.is_down:
            self._wire.go_down()

    def has_begun(self) -> bool:
        return self._wire.is_down


def test_a_database_out_of_reach_from_a_commit_on_leaves_no_doubt_for_long(
    new_node, postgres, wire, history, count, seed, account, launcher, tmp_path
):
    told = account("The database", "out of reach of one of two nodes from a commit on")
    far, near, work, recoveries = new_node("far", wire.url), new_node("near", postgres.url), Mixed(seed), []
    moments = (Moment.COMMIT_ANSWERED, Moment.COMMIT, Moment.COMMIT_SENT)
    start_all([far, near])
    with Client(history, far) as client:
        known = client.register("known", record("Known"))
    for number in range(count("outages")):
        work.round = number
        wire.at = outage = Outage(wire, moments[number % 3])
        with load(history, [far, near], WRITERS, work) as running:
            running.until(outage.has_begun)
            time.sleep(count("outage_seconds"))
            with Client(history, far) as client:
                read = client.by_id("known", known.id)
            wire.at, wire.is_down = None, False
            recoveries.append(recovered(running, history, time.monotonic(), "far"))
        assert (read.outcome, read.text) == (Outcome.DONE, known.text)
    told.did(outages=count("outages"), seconds_each=count("outage_seconds"), writers=WRITERS)
    told.note(f"written again at most {max(recoveries):.1f} s after it was back; what an id means was read meanwhile")
    told.judged(judge(history, contents_of(near), exports=exports_of(launcher, tmp_path, [far, near])))
    assert max(recoveries) < RECOVERY_SECONDS


def test_a_node_that_hears_no_notice_still_learns_of_every_commit(
    new_node, postgres, wire, history, count, seed, account
):
    told = account("The database", "the connection for NOTIFY cut, then a write at another node")
    choose, delays = random.Random(seed), []
    far, near = new_node("far", wire.url, read_consistency="local"), new_node("near", postgres.url)
    start_all([far, near])
    cuts = 0
    with Client(history, far) as reading, Client(history, near) as writing:
        for number in numbers():
            if cuts >= count("notify_cuts"):
                break
            time.sleep(choose.choice((0.0, 0.02, 0.3, 1.2)))
            cuts += wire.cut(listening_only=True)
            answer = writing.register("news", record(f"N{number}"))
            while (seen := reading.latest("news")).version != answer.version:
                assert time.monotonic() - answer.ended < 30
                time.sleep(0.01)
            delays.append(seen.ended - answer.ended)
    told.did(writes=number, connections_cut=cuts)
    told.note(f"read under `local` at most {max(delays):.2f} s after it was acknowledged elsewhere")
    told.judged(judge(history, contents_of(near), bound_seconds=NOTICED_SECONDS))


class FreezeAt:
    """Freezes a node once, at the fifth time of a moment on its wire."""

    def __init__(self, node, moment: Moment) -> None:
        self._node, self._moment, self._skip = node, moment, 4
        self.frozen_at: float | None = None

    def has_frozen(self) -> bool:
        return self.frozen_at is not None

    def __call__(self, moment: Moment, link) -> None:
        if moment is not self._moment:
            return
        self._skip -= 1
        if self._skip < 0 and self.frozen_at is None:
            self._node.freeze()
            self.frozen_at = time.monotonic()


def test_a_node_that_is_frozen_in_a_transaction_holds_up_nobody_for_long(
    new_node, postgres, wire, history, count, seed, account, launcher, tmp_path
):
    told = account("The database", "one of two nodes stopped by SIGSTOP in a transaction, and woken again")
    far, near, work, pauses = new_node("far", wire.url), new_node("near", postgres.url), Mixed(seed), []
    start_all([far, near])
    for number in range(count("freezes")):
        work.round = number
        wire.at = freezer = FreezeAt(far, Moment.COMMIT_SENT if number % 4 == 3 else Moment.TURN_TAKEN)
        with load(history, [far, near], WRITERS, work) as running:
            running.until(freezer.has_frozen)
            time.sleep(count("frozen_seconds"))
            woken_at = time.monotonic()
            far.thaw()
            recovered(running, history, woken_at, "far")
        meanwhile = (at for at in written(history, "near") if freezer.frozen_at < at < woken_at)
        pauses.append(max(after - before for before, after in pairwise([freezer.frozen_at, *meanwhile, woken_at])))
    told.did(freezes=count("freezes"), seconds_each=count("frozen_seconds"))
    told.note(f"the other node went on writing after at most {max(pauses):.1f} s")
    told.judged(judge(history, contents_of(near), exports=exports_of(launcher, tmp_path, [far, near])))
    assert max(pauses) < 6.9
