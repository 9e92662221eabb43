"""Hours of small misfortunes: writes and reads go on, nothing is lost, and memory does not grow."""

from __future__ import annotations

import random
import statistics
import time
from collections import Counter, defaultdict

from tests.resilience.clients import Client, contents_of, load, record
from tests.resilience.history import Operation, Outcome
from tests.resilience.nodes import exports_of, start_all
from tests.resilience.oracle import judge
from tests.resilience.test_database import recovered

WRITERS = 6
PACE_SECONDS = 0.04
VERSIONS = 8
"""How many versions a subject gets before it is deleted for good, so that what is held stays as much as it was."""
STEADY = 40
"""How many schemas are registered over and over, and stay."""
FROZEN_SECONDS = 3.0
RECOVERY_SECONDS = 20.0
SMALL_CACHES = {"max_answer_bytes": 2**19, "max_parsed_bytes": 4 * 2**20}
"""Caches are full soon, so that what grows after that is something else."""
MORE_BLOCKS = 0.01
"""How much more a node may hold at the end than after a third: less than a block for every eight of its requests."""
GROWTH_BYTES_PER_HOUR = 16 * 2**20
"""How much more of the machine it may take: what it holds comes and goes, and leaves holes between."""
HOURS_SHOW_SECONDS = 600
"""How long a run has to be before it says anything of hours."""

TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signet'"


class Turnover:
    """The work of a day in small: subjects come, get versions, are read, and go for good; some schemas stay."""

    def __init__(self, seed: str) -> None:
        self._choose = random.Random(seed)
        self._done: dict[int, int] = defaultdict(int)

    def __call__(self, client: Client, writer: int) -> None:
        cycle, phase = divmod(self._done[writer], 2 * VERSIONS + 2)
        subject, text = f"w{writer}c{cycle}", record(f"W{writer}C{cycle}N{phase // 2}")
        if phase == 2 * VERSIONS:
            client.delete(subject)
        elif phase > 2 * VERSIONS:
            client.delete_for_good(subject)
        elif phase % 2 == 0:
            client.register(subject, text)
        else:
            self._read(client, subject, text)
        # What was done in vain is done again, or subjects that did not go would stay, and take memory.
        self._done[writer] += not client.in_vain
        time.sleep(PACE_SECONDS)

    def _read(self, client: Client, subject: str, text: str) -> None:
        steady = self._choose.randrange(STEADY)
        match self._choose.randrange(4):
            case 0:
                client.latest(subject)
            case 1:
                client.lookup(subject, text)
            case _:
                client.register(f"steady{steady % 4}", record(f"Steady{steady}"))


class Misfortunes:
    """Faults by name; each ends with everything running again."""

    def __init__(self, nodes, wire, postgres, choose: random.Random) -> None:
        self._nodes, self._wire, self._postgres, self._choose = nodes, wire, postgres, choose
        self.happened: Counter[str] = Counter()

    def next(self) -> None:
        faults = (self.kill, self.freeze, self.cut_all, self.cut_notices, self.terminate, self.crash)
        fault = faults[self.happened.total() % len(faults)]
        fault()
        self.happened[fault.__name__] += 1

    def kill(self) -> None:
        victim = self._choose.choice(self._nodes[1:])
        victim.kill()
        victim.start()

    def freeze(self) -> None:
        victim = self._choose.choice(self._nodes[1:])
        victim.freeze()
        time.sleep(FROZEN_SECONDS)
        victim.thaw()

    def cut_all(self) -> None:
        self._wire.cut()

    def cut_notices(self) -> None:
        self._wire.cut(listening_only=True)

    def terminate(self) -> None:
        self._postgres.query(TERMINATE)

    def crash(self) -> None:
        self._postgres.crash()


class Memory:
    """What a node takes of the machine at all times, and holds after each third of a run; in the first caches fill."""

    def __init__(self, node, start: float, seconds: float) -> None:
        self._node, self._start, self._seconds = node, start, seconds
        self._sizes: list[tuple[float, int]] = []
        self.noted: list[tuple[int, int]] = []

    def note(self) -> None:
        """Note what is due."""
        now, size = time.monotonic(), self._node.resident_bytes()
        self._sizes.append((now, size))
        if now >= self._start + self._seconds * (len(self.noted) + 1) / 3:
            self.noted.append((size, self._node.blocks_in_use()))

    def more_blocks(self) -> float:
        """How much more it holds at the end than after a third."""
        return self.noted[-1][1] / self.noted[0][1] - 1

    def bytes_per_hour(self) -> float:
        """How much more it takes an hour, by the least squares through the last third."""
        settled = self._sizes[-len(self._sizes) // 3 :]
        return statistics.linear_regression(*zip(*settled, strict=True)).slope * 3600

    def __str__(self) -> str:
        return ", ".join(f"{size / 2**20:.1f} MiB in {blocks:,} blocks" for size, blocks in self.noted)


def test_nothing_is_lost_and_memory_stays_flat_over_many_faults(
    new_node, postgres, wire, history, count, seed, account, launcher, tmp_path
):
    told = account("Endurance", "writes, reads and deletions at three nodes over PostgreSQL, a fault every so often")
    nodes = [new_node("1", wire.url, **SMALL_CACHES), new_node("2", postgres.url), new_node("3", postgres.url)]
    start_all(nodes)
    misfortunes, recoveries = Misfortunes(nodes, wire, postgres, random.Random(seed)), []
    start, seconds = time.monotonic(), count("soak_seconds")
    memory, next_fault = Memory(nodes[0], start, seconds), start + count("soak_fault_seconds")
    with load(history, nodes, WRITERS, Turnover(seed)) as running:
        while len(memory.noted) < 3:
            then = time.monotonic() + 0.5
            running.until(lambda then=then: time.monotonic() > then)
            memory.note()
            if time.monotonic() >= next_fault:
                next_fault += count("soak_fault_seconds")
                misfortunes.next()
                recoveries.append(recovered(running, history, time.monotonic()))
    told.did(seconds=seconds, **misfortunes.happened)
    told.note(f"memory of a node that lived through it, after each third: {memory}")
    if seconds >= HOURS_SHOW_SECONDS:
        told.note(f"a line through the last third rises by {memory.bytes_per_hour() / 2**20:+.1f} MiB an hour")
    told.note(f"written again at most {max(recoveries, default=0):.1f} s after a fault; {_latencies(history)}")
    told.judged(judge(history, contents_of(nodes[0]), exports=exports_of(launcher, tmp_path, nodes)))
    assert b"No findings." in launcher.command(tmp_path, "verify", "--store", postgres.url)
    assert max(recoveries, default=0) < RECOVERY_SECONDS
    if seconds >= HOURS_SHOW_SECONDS:
        assert memory.more_blocks() < MORE_BLOCKS
        assert memory.bytes_per_hour() < GROWTH_BYTES_PER_HOUR


def _latencies(history) -> str:
    writes = sorted(
        one.ended - one.started
        for one in history
        if one.operation is Operation.REGISTER and one.outcome is Outcome.DONE
    )
    median, slow = (writes[int(len(writes) * share)] * 1000 for share in (0.5, 0.99))
    return f"half of the writes took less than {median:.0f} ms, all but a hundredth less than {slow:.0f} ms"
