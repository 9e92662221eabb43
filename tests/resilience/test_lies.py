"""The suite notices a registry that breaks its promises: nodes over logs that lie."""

import time

from tests.resilience.clients import Client, Mixed, contents_of, load, record
from tests.resilience.oracle import judge


def findings(history, node) -> str:
    return "\n".join(judge(history, contents_of(node)).findings)


def test_an_acknowledged_write_that_was_never_made_is_noticed(new_node, sqlite_store, history, seed) -> None:
    node = new_node("1", sqlite_store)
    node.start(lie="forgets")
    with load(history, [node], 4, Mixed(seed)) as running:
        running.until(lambda: len(history) > 200)
        node.kill()
    node.start()
    assert "lost: register" in findings(history, node)


def test_a_write_that_was_made_and_denied_is_noticed(new_node, sqlite_store, history, seed) -> None:
    node = new_node("1", sqlite_store)
    node.start(lie="denies")
    with load(history, [node], 4, Mixed(seed)) as running:
        running.until(lambda: len(history) > 200)
    assert "was told that it was not written" in findings(history, node)


def test_a_node_that_lags_is_noticed(new_node, postgres, history) -> None:
    lagging, other = new_node("lagging", postgres.url), new_node("other", postgres.url)
    lagging.start(lie="lags")
    other.start()
    with Client(history, lagging) as reader, Client(history, other) as writer:
        for number in range(10):
            writer.register("s", record(f"N{number}"))
            reader.latest("s")
            reader.lookup("s", record(f"N{number}"))
            time.sleep(0.05)
    found = findings(history, other)
    assert "stale: latest" in found
    assert "stale: lookup" in found
