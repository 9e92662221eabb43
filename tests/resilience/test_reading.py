"""What one node acknowledged, another one knows: at once under `strong`, and within the bound under `bounded`."""

from __future__ import annotations

from collections import defaultdict

from tests.resilience.clients import Client, all_at_once, contents_of, record
from tests.resilience.history import Operation, Outcome
from tests.resilience.nodes import exports_of, start_all
from tests.resilience.oracle import judge
from tests.resilience.wire import Moment

READERS = 8
PAIRS_PER_SUBJECT = 100
BOUND_MS = 400


def test_a_strong_read_never_misses_what_another_node_acknowledged(
    new_node, postgres, history, count, account, launcher, tmp_path
):
    told = account("Reading", "a write at one node, then at once a read at another: by id, latest, lookup in turn")
    nodes, each = [new_node(name, postgres.url) for name in "123"], count("pairs") // READERS
    start_all(nodes)

    def pairs(client: Client, number: int) -> None:
        for one in range(each):
            subject, text = f"r{number}s{one // PAIRS_PER_SUBJECT}", record(f"R{number}N{one}")
            client.turn_to(nodes[one % 3])
            written = client.register(subject, text)
            client.turn_to(nodes[(one + 1 + number % 2) % 3])
            match one % 3:
                case 0:
                    read = client.by_id(subject, written.id)
                case 1:
                    read = client.latest(subject)
                case _:
                    read = client.lookup(subject, text)
            assert (read.outcome, read.id, read.text) == (Outcome.DONE, written.id, text), f"{written}, then {read}"

    all_at_once(history, nodes, READERS, pairs)
    told.did(pairs=each * READERS, stale=0, nodes=3)
    told.judged(judge(history, contents_of(nodes[0]), exports=exports_of(launcher, tmp_path, nodes)))


def deafen(moment: Moment, link) -> None:
    """Let a node hear no notice, so that it learns of commits only when it asks."""
    if moment is Moment.LISTEN:
        link.cut()


def oldest_seconds(history) -> float:
    """How long ago what a read of the latest version missed had been acknowledged, at most."""
    written = defaultdict(list)
    for answer in history:
        if answer.operation is Operation.REGISTER:
            written[answer.subject].append((answer.version, answer.ended))
    return max(
        (
            read.started - ended
            for read in history
            if read.operation is Operation.LATEST
            for version, ended in written[read.subject]
            if version > (read.version or 0) and ended < read.started
        ),
        default=0.0,
    )


def test_a_bounded_read_is_never_older_than_its_bound(new_node, postgres, wire, history, count, account):
    told = account("Reading", f"a write at one node, reads at another that hears no notices, under bounded:{BOUND_MS}")
    far, near = new_node("far", wire.url, read_consistency=f"bounded:{BOUND_MS}"), new_node("near", postgres.url)
    wire.at = deafen
    start_all([far, near])
    each = count("bounded_pairs") // 4

    def pairs(client: Client, number: int) -> None:
        for one in range(each):
            text = record(f"B{number}N{one}")
            client.turn_to(near)
            client.register(f"s{number}", text)
            client.turn_to(far)
            for _ in range(3):
                client.latest(f"s{number}")
                client.lookup(f"s{number}", text)

    all_at_once(history, [far, near], 4, pairs)
    told.did(writes=each * 4, reads=sum(one.node == "far" for one in history))
    oldest = oldest_seconds(history)
    told.note(f"the oldest read missed what had been acknowledged {oldest * 1000:.0f} ms before")
    told.judged(judge(history, contents_of(near), bound_seconds=BOUND_MS / 1000))
    assert oldest > 0, "no read was ever old, so nothing was tried"
