"""Many clients of many nodes at once: one id for a content, no dangling reference, and a mode that holds."""

import time

import pytest

from tests.resilience.clients import Connection, all_at_once, contents_of, listed, record
from tests.resilience.history import Operation, Outcome
from tests.resilience.nodes import exports_of, start_all
from tests.resilience.oracle import judge

CLIENTS = 16


def different(client, number: int, schemas: int) -> None:
    for one in range(schemas):
        client.register(f"different{(number * 7 + one) % 100}", record(f"C{number}N{one}"))


def equal(client, number: int, schemas: int) -> None:
    for one in range(schemas):
        client.register(f"equal{one}", record("Equal"))


def mixed(client, number: int, schemas: int) -> None:
    for one in range(schemas):
        subject = f"mixed{one % 100}"
        match (one + number) % 4:
            case 0:
                client.register(subject, record(f"M{number}N{one}"))
            case 1 | 2:
                client.register(subject, record(f"M{one}"))
            case _:
                client.lookup(subject, record(f"M{one}"))
        if one % 10 == 0:
            client.latest(subject)


STORES = [("sqlite", 1), ("postgres", 1), ("postgres", 3), ("postgres", 5)]


@pytest.mark.parametrize(("engine", "number"), STORES, ids=[f"{engine}-{number}" for engine, number in STORES])
def test_clients_that_register_at_once_get_one_id_for_each_content(
    engine, number, new_node, request, history, count, account, launcher, tmp_path
):
    place = "SQLite" if engine == "sqlite" else "PostgreSQL"
    told = account("Many clients", f"{CLIENTS} clients register at once; nodes over {place}: {number}")
    store = request.getfixturevalue("sqlite_store") if engine == "sqlite" else request.getfixturevalue("postgres").url
    nodes, schemas = [new_node(str(one), store) for one in range(number)], count("schemas_per_client")
    start_all(nodes)
    for work in (different, equal, mixed):
        started, before = time.monotonic(), len(history)
        all_at_once(history, nodes, CLIENTS, lambda client, one, work=work: work(client, one, schemas))
        per_second = (len(history) - before) / (time.monotonic() - started)
        told.note(f"{work.__name__}: {len(history) - before:,} answers, {per_second:,.0f} a second")
    ids = ids_of(history)
    told.did(
        clients=CLIENTS, schemas_each=schemas, ids_of_different=len(ids["different"]), ids_of_equal=len(ids["equal"])
    )
    told.judged(judge(history, contents_of(nodes[0]), exports=exports_of(launcher, tmp_path, nodes)))
    assert (len(ids["different"]), len(ids["equal"])) == (CLIENTS * schemas, 1)


def ids_of(history) -> dict[str, set[int]]:
    ids: dict[str, set[int]] = {"different": set(), "equal": set(), "mixed": set()}
    for answer in history:
        if answer.operation is Operation.REGISTER and answer.outcome is Outcome.DONE:
            ids[answer.subject.rstrip("0123456789")].add(answer.id)
    return ids


RACES_AT_ONCE = 4
NOTHING_LIKE_IT = frozenset({40401, 40402, 40403, 42201})
REFERRED_TO = 42206


class Races:
    """Races between registering B with a reference to A and deleting A for good; each is one pair of clients."""

    def __init__(self) -> None:
        self.registered: set[str] = set()
        self.deleted: set[str] = set()

    def register(self, connection: Connection, name: str) -> None:
        text = f'{{"type":"record","name":"B{name}","fields":[{{"name":"a","type":"A{name}"}}]}}'
        references = [{"name": f"A{name}", "subject": f"a{name}", "version": 1}]
        status, said = connection.ask("POST", f"/subjects/b{name}/versions", {"schema": text, "references": references})
        assert status == 200 or said["error_code"] in NOTHING_LIKE_IT, said
        if status == 200:
            self.registered.add(name)

    def delete(self, connection: Connection, name: str) -> None:
        for query in ("", "?permanent=true"):
            status, said = connection.ask("DELETE", f"/subjects/a{name}/versions/1{query}")
            assert status == 200 or said["error_code"] == REFERRED_TO, said
            if status != 200:
                return
        self.deleted.add(name)


def test_no_reference_ever_dangles(new_node, postgres, count, account, launcher, tmp_path):
    told = account("Many clients", "register B that refers to A while A is deleted for good at another node")
    nodes, races = [new_node(name, postgres.url) for name in "123"], Races()
    start_all(nodes)
    for first in range(0, count("dangling_races"), RACES_AT_ONCE):
        names = [str(first + one) for one in range(RACES_AT_ONCE)]
        with Connection(nodes[0]) as connection:
            for name in names:
                connection.ask("POST", f"/subjects/a{name}/versions", {"schema": record(f"A{name}")})

        def race(client, number: int, names=names) -> None:
            with Connection(nodes[(number + number // 2) % 3]) as connection:
                (races.delete if number % 2 else races.register)(connection, names[number // 2])

        all_at_once([], nodes, 2 * RACES_AT_ONCE, race)
    told.did(
        races=count("dangling_races"), references_made=len(races.registered), deletions_made=len(races.deleted), nodes=3
    )
    held = {(one["subject"], one["version"]): one for one in listed(nodes[0])}
    dangling = [
        one for one in held.values() for to in one.get("references", ()) if (to["subject"], to["version"]) not in held
    ]
    exports = exports_of(launcher, tmp_path, nodes)
    told.checked = f"{len(held):,} versions compared with what was acknowledged; each reference looked up"
    told.found = "no dangling reference" if not dangling else f"{len(dangling)} dangling references"
    assert dangling == []
    assert races.registered == {subject[1:] for subject, _ in held if subject.startswith("b")}
    assert races.deleted.isdisjoint(subject[1:] for subject, _ in held if subject.startswith("a"))
    assert races.registered.isdisjoint(races.deleted)
    assert len(set(exports.values())) == 1
    assert b"No findings." in launcher.command(tmp_path, "verify", "--store", postgres.url)


def test_what_is_read_only_stays_as_it_is(new_node, postgres, history, count, account, launcher, tmp_path):
    told = account("Many clients", "READONLY set while four clients register at three nodes")
    nodes = [new_node(name, postgres.url) for name in "123"]
    start_all(nodes)
    for one in range(count("read_only_races")):

        def race(client, number: int, subject=f"s{one}") -> None:
            if number == 0:
                client.register(subject, record("First"))
                client.set_mode(subject, "READONLY")
            for text in range(4):
                client.register(subject, record(f"W{number}N{text}"))

        all_at_once(history, nodes, 5, race)
    refused = sum(answer.outcome is Outcome.REFUSED for answer in history)
    told.did(races=count("read_only_races"), registrations_refused=refused, nodes=3)
    told.judged(judge(history, contents_of(nodes[0]), exports=exports_of(launcher, tmp_path, nodes)))
    assert refused >= 4 * count("read_only_races")
