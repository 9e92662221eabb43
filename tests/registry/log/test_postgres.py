"""What only a log in PostgreSQL promises: many nodes, one order, and a database that comes and goes."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from registry.envelope import Batch, Entry
from registry.errors import Overloaded, RegistryError, SchemaTooLarge, StoreFailed, StoreUnusable
from registry.log import History, Log, open_history, open_log
from registry.log.postgres_line import failure

pytestmark = pytest.mark.anyio

APPENDER = Path(__file__).with_name("append_for_ever.py")


@pytest.fixture
async def nodes(postgres_store) -> AsyncIterator[list[Log]]:
    nodes = [await open_log(postgres_store.url) for _ in range(3)]
    yield nodes
    for node in nodes:
        await node.close()


@pytest.fixture
async def far(postgres_store, relay) -> AsyncIterator[Log]:
    """A node whose wires a test can cut."""
    log = await open_log(relay.url)
    yield log
    await log.close()


@pytest.fixture
async def near(postgres_store) -> AsyncIterator[Log]:
    """Another node, whose wires hold."""
    log = await open_log(postgres_store.url)
    yield log
    await log.close()


async def append(log: Log, *entries: Entry, after: int | None = None) -> Batch:
    async with log.turn(await log.end() if after is None else after) as turn:
        return await turn.append(entries or [Entry(b"k", b"v")])


async def keys(log: History, after: int = 0) -> list[bytes]:
    return [entry.key async for batch in log.read(after) for entry in batch.entries]


async def test_a_commit_takes_two_round_trips_however_large_and_whatever_was_missed(far: Log, near: Log, relay) -> None:
    end = (await append(far)).end
    for missed in (0, 1, 3):
        for _ in range(missed):
            await append(near)
        before = relay.round_trips
        async with far.turn(end) as turn:
            assert len(turn.missed.entries) == missed
            end = (await turn.append([Entry(b"k", b"v" * 100)] * 50)).end
        assert relay.round_trips - before == 2


async def test_the_barrier_takes_one_round_trip(far: Log, relay) -> None:
    await far.end()
    before = relay.round_trips
    await far.end()
    assert relay.round_trips - before == 1


async def test_what_one_node_appends_is_behind_the_barrier_of_every_other(nodes: list[Log]) -> None:
    for number in range(30):
        appended = await append(nodes[number % 3])
        assert [await node.end() for node in nodes] == [appended.end] * 3


async def test_a_follower_is_told_of_another_nodes_commit(near: Log, far: Log) -> None:
    hints = near.follow()
    await anext(hints)
    started = time.monotonic()
    await append(far, Entry(b"news", b"v"))
    await anext(hints)
    assert time.monotonic() - started < 0.9
    assert await keys(near) == [b"news"]
    await hints.aclose()


async def test_a_follower_is_not_told_of_its_own_commits(near: Log) -> None:
    hints = near.follow()
    await anext(hints)
    waiting = asyncio.ensure_future(anext(hints))
    for _ in range(5):
        await append(near)
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await waiting  # after a second it looks by itself
    await hints.aclose()


async def test_a_follower_whose_wire_is_cut_again_and_again_learns_of_every_commit(far: Log, near: Log, relay) -> None:
    seen: list[bytes] = []

    async def follow() -> None:
        position = 0
        async for _ in far.follow():
            try:
                async for batch in far.read(position):
                    seen.extend(entry.key for entry in batch.entries)
                    position = batch.end
            except Overloaded:
                pass

    following = asyncio.create_task(follow())
    for number in range(10):
        await append(near, Entry(b"%d" % number, b"v"))
        relay.cut()
        await asyncio.sleep(0.05 * number)
    await asyncio.sleep(1.5)
    following.cancel()
    assert seen == [b"%d" % number for number in range(10)]


async def test_a_notice_that_is_none_of_ours_is_a_hint_like_any_other(near: Log, postgres) -> None:
    hints = near.follow()
    await anext(hints)
    postgres.query("NOTIFY signet, 'what?'")
    await asyncio.wait_for(anext(hints), 0.9)
    await hints.aclose()


async def test_ten_nodes_that_start_at_once_make_one_log(postgres_store) -> None:
    nodes = await asyncio.gather(*(open_log(postgres_store.url) for _ in range(10)))
    assert len({node.uuid for node in nodes}) == 1
    await asyncio.gather(*(append(node, after=0) for node in nodes))
    assert await nodes[0].end() == 10
    for node in nodes:
        await node.close()


@pytest.fixture
async def appenders(postgres_store) -> AsyncIterator[list[subprocess.Popen[str]]]:
    processes = [start_appender(postgres_store.url, name) for name in "abc"]
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start_appender(url: str, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, APPENDER, url, name], stdout=subprocess.PIPE, text=True)


async def test_no_node_gets_less_than_half_its_share_of_the_turns(appenders, near: Log) -> None:
    for process in appenders:
        assert process.stdout.readline() == "open\n"
    start = await near.end()
    await asyncio.sleep(2)
    shares = Counter(key.split()[0] for key in await keys(near, after=start))
    assert min(shares.values()) / shares.total() > 1 / 6
    assert shares.total() > 60


async def test_kill_9_of_nodes_loses_no_acknowledged_commit_and_leaves_none_in_halves(postgres_store) -> None:
    acknowledged: dict[int, str] = {}
    for number in range(3):
        processes = [start_appender(postgres_store.url, f"{name}{number}") for name in "abc"]
        for process in processes:
            assert process.stdout.readline() == "open\n"
        for process in processes:
            await asyncio.sleep(0.15)
            process.kill()
            for line in process.communicate()[0].splitlines(keepends=True):
                if line.endswith("\n"):  # the last line may be torn
                    end, key = line.split(maxsplit=1)
                    acknowledged[int(end)] = key.strip()
    log = await open_log(postgres_store.url)
    entries = [key.decode() for key in await keys(log)]
    await log.close()
    assert {end: entries[end - 3] for end in acknowledged} == acknowledged
    assert len(acknowledged) > 10
    assert len(entries) % 3 == 0


async def test_a_node_that_is_frozen_in_its_turn_loses_it_and_writes_nothing(postgres_store, near: Log) -> None:
    process = start_holder(postgres_store.url)
    assert process.stdout.readline() == "in the turn\n"
    process.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    await append(near, Entry(b"other", b"v"))
    assert 3 < time.monotonic() - started < 9
    process.send_signal(signal.SIGCONT)
    process.stdin.write("go on\n")
    said, _ = process.communicate()
    assert said == "Overloaded The store was out of reach for a moment, and nothing was written\n"
    assert await keys(near) == [b"other"]


def start_holder(url: str) -> subprocess.Popen[str]:
    code = """if True:
        import asyncio, sys
        from registry.envelope import Entry
        from registry.log import open_log
        async def main():
            log = await open_log(sys.argv[1])
            async with log.turn(0) as turn:
                print("in the turn", flush=True)
                sys.stdin.readline()
                try:
                    await turn.append([Entry(b"frozen", b"v")])
                except Exception as error:
                    print(type(error).__name__, error)
            await log.close()
        asyncio.run(main())
    """
    return subprocess.Popen([sys.executable, "-c", code, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


async def test_a_commit_whose_answer_is_lost_is_found_and_acknowledged(far: Log, near: Log, relay) -> None:
    await append(far)
    relay.stop_answers_with = b"COMMIT"
    assert (await append(far, Entry(b"found", b"v"))).end == 2
    assert await keys(near) == [b"k", b"found"]


async def test_a_commit_whose_answer_is_lost_is_found_behind_the_commits_of_others(far: Log, near: Log, relay) -> None:
    await append(far)
    async with far.turn(1) as turn:
        relay.stop_answers_with = b"COMMIT"
        others = asyncio.create_task(append(near, Entry(b"other", b"v"), after=1))
        assert (await turn.append([Entry(b"found", b"v")])).end == 2
    await others
    assert await keys(near) == [b"k", b"found", b"other"]


async def test_a_commit_that_never_arrived_is_sent_again_while_nothing_changed(far: Log, near: Log, relay) -> None:
    await append(far)
    relay.stop_requests_with = b"COMMIT"
    assert (await append(far, Entry(b"again", b"v"))).end == 2
    assert await keys(near) == [b"k", b"again"]


async def test_a_commit_that_never_arrived_is_refused_once_another_node_has_written(far: Log, near: Log, relay) -> None:
    await append(far)
    async with far.turn(1) as turn:
        others = asyncio.create_task(append(near, Entry(b"other", b"v"), after=1))
        await asyncio.sleep(0.1)
        relay.stop_requests_with = b"COMMIT"
        with pytest.raises(Overloaded, match="nothing was written"):
            await turn.append([Entry(b"late", b"v")])
    await others
    assert await keys(near) == [b"k", b"other"]
    assert (await append(far)).end == 3


class Persistent:
    """Appends numbered entries one by one until stopped, each again when nothing was written."""

    def __init__(self, log: Log) -> None:
        self.written: list[bytes] = []
        self._log = log
        self._stopped = False
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._stopped = True
        await self._task

    async def _run(self) -> None:
        while not self._stopped:
            entry = Entry(b"%d" % len(self.written), b"v")
            try:
                await append(self._log, entry)
            except Overloaded:
                await asyncio.sleep(0.02)
            else:
                self.written.append(entry.key)


async def test_a_backend_that_is_terminated_at_any_moment_loses_and_doubles_nothing(near: Log, postgres) -> None:
    writer = Persistent(near)
    terminated = 0
    for _ in range(60):
        await asyncio.sleep(0.02)
        terminated += len(await asyncio.to_thread(postgres.query, TERMINATE))
    await writer.stop()
    assert terminated > 20
    assert await keys(near) == writer.written
    assert len(writer.written) > 20


TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE query LIKE '%signet%' AND pid != pg_backend_pid() AND backend_type = 'client backend'
"""


async def test_a_server_that_crashes_loses_and_doubles_nothing(near: Log, postgres) -> None:
    writer = Persistent(near)
    for _ in range(2):
        await asyncio.sleep(0.3)
        before = len(writer.written)
        await asyncio.to_thread(postgres.crash)
    await asyncio.sleep(0.5)
    await writer.stop()
    assert await keys(near) == writer.written
    assert len(writer.written) > before > 0


async def test_a_database_that_vanishes_is_waited_for_and_used_again_without_a_restart(far: Log, relay, caplog) -> None:
    end = (await append(far)).end
    await relay.close()
    for _ in range(2):
        with pytest.raises(Overloaded, match=r"^The store is out of reach$"):
            await append(far, after=end)
        with pytest.raises(Overloaded):
            await far.end()
        with pytest.raises(Overloaded):
            await keys(far)
    assert [record.levelname for record in caplog.records].count("WARNING") == 3  # one for each connection
    await relay.open()
    assert await far.end() == end
    assert (await append(far)).end == end + 1
    assert await keys(far) == [b"k", b"k"]


async def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(far: Log, postgres) -> None:
    assert await far.end() == 0
    with postgres.locked("signet.head"):
        started = time.monotonic()
        with pytest.raises(Overloaded):
            await far.end()
        assert time.monotonic() - started < 7
    assert await far.end() == 0


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("DELETE FROM signet.log WHERE position > 1; UPDATE signet.head SET position = 1", "ends at position 1"),
        ("UPDATE signet.log SET commit_id = gen_random_uuid() WHERE position = 3", "another commit at position 3"),
        ("UPDATE signet.head SET uuid = gen_random_uuid()", "another log"),
        ("DELETE FROM signet.head", "another log"),
    ],
)
@pytest.mark.parametrize("look", ["turn", "end", "read"])
async def test_a_log_that_went_backwards_is_not_written_any_more(
    near: Log, postgres, caplog, damage: str, finding: str, look: str
) -> None:
    for _ in range(3):
        await append(near)
    postgres.query(damage)
    if look == "turn":
        with pytest.raises(StoreFailed, match=finding):
            await append(near, after=3)
    elif look == "end":
        assert await near.end() == 3
    else:
        assert await keys(near, after=3) == []
    assert finding in near.alarm
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]
    with pytest.raises(StoreFailed, match="nothing is written to it any more"):
        await append(near, after=3)
    assert await near.end() == 3
    assert await keys(near) == []


async def test_acknowledged_means_synced_also_where_the_database_would_not(near: Log, postgres) -> None:
    postgres.query("ALTER DATABASE postgres SET synchronous_commit = off")
    log = await open_log(postgres.url)
    async with log.turn(0):
        (level,) = await (await log._turns._connection.execute("SHOW synchronous_commit")).fetchone()
    postgres.query("ALTER DATABASE postgres RESET synchronous_commit")
    await log.close()
    assert level == "on"


async def test_nothing_outlives_a_transaction_so_that_a_pooler_may_stand_in_between(near: Log, postgres) -> None:
    await append(near)
    held = postgres.query(
        "SELECT locktype FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE application_name = 'test' AND pid != pg_backend_pid()"
    )
    prepared = await (await near._turns._connection.execute("SELECT count(*) FROM pg_prepared_statements")).fetchone()
    timeout = await (await near._turns._connection.execute("SHOW lock_timeout")).fetchone()
    assert (held, prepared, timeout) == ([], (0,), ("0",))


async def test_what_is_only_read_needs_no_right_but_to_read(near: Log, postgres) -> None:
    await append(near, Entry(b"k", b"v"))
    postgres.query("""
        CREATE ROLE reader LOGIN;
        ALTER ROLE reader SET default_transaction_read_only = on;
        GRANT USAGE ON SCHEMA signet TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA signet TO reader
    """)
    history = await open_history(postgres.url_as("reader", ""))
    assert (history.uuid, await keys(history)) == (near.uuid, [b"k"])
    await history.close()


async def test_where_there_is_no_log_to_read_none_is_made(postgres_store, postgres) -> None:
    for _ in range(2):
        with pytest.raises(StoreUnusable, match=r"/postgres holds no registry$"):
            await open_history(postgres_store.url)


async def test_nobody_is_refused_for_contention_whatever_isolation_is_the_default(postgres_store) -> None:
    url = f"{postgres_store.url}&options=-c%20default_transaction_isolation%3Dserializable"
    nodes = await asyncio.gather(*(open_log(url) for _ in range(5)))
    await asyncio.gather(*(append(node) for node in nodes for _ in range(5)))
    assert await nodes[0].end() == 25
    for node in nodes:
        await node.close()


async def test_a_database_that_becomes_read_only_refuses_writes_until_it_is_not(near: Log, postgres) -> None:
    await append(near)
    postgres.query("ALTER DATABASE postgres SET default_transaction_read_only = on")
    near._turns.drop()
    with pytest.raises(Overloaded):
        await append(near, after=1)
    postgres.query("BEGIN READ WRITE; ALTER DATABASE postgres RESET default_transaction_read_only; COMMIT")
    assert (await append(near)).end == 2


@pytest.mark.parametrize(
    ("statement", "failed", "message"),
    [
        ("SELECT 1/0", StoreFailed, "The store failed (22012)"),
        ("SELECT repeat('x', 2000000000)", SchemaTooLarge, "Register operation failed because schema is too large"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", Overloaded, "The store is out of reach"),
        ("SET statement_timeout = 1; SELECT pg_sleep(1)", Overloaded, "The store is out of reach"),
        ("DO $$ BEGIN RAISE disk_full USING MESSAGE = 'x'; END $$", StoreFailed, "The disk of the store is full"),
    ],
)
async def test_what_the_database_says_becomes_an_error_of_the_registry(
    near: Log, statement: str, failed: type[RegistryError], message: str
) -> None:
    with pytest.raises(psycopg.Error) as raised:
        async with near._turns.within(5) as connection:
            await connection.execute(statement)
    error = failure(raised.value)
    assert (type(error), error.message) == (failed, message)
