"""Nodes whose database stands behind PgBouncer in transaction mode."""

from __future__ import annotations

import httpx


def test_nodes_behind_a_pooler_miss_nothing_that_another_acknowledged(start_nodes, pooler) -> None:
    nodes = start_nodes(2, pooler.url)
    for number in range(40):
        writer, reader = nodes[number % 2].url, nodes[1 - number % 2].url
        sent = {"schema": f'{{"type":"fixed","name":"F{number}","size":1}}'}
        registered = httpx.post(f"{writer}/subjects/s{number}/versions", json=sent).json()["id"]
        assert httpx.get(f"{reader}/subjects/s{number}/versions/latest").json()["id"] == registered
    said = pooler.log.read_text()
    assert "login attempt" in said
    # What one connection was told to listen for would be said to whoever has it by then.
    assert "when not linked" not in said
