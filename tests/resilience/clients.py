"""Clients that write down every answer, and loads of many of them."""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, Final, Self
from urllib.parse import quote

from tests.resilience.history import Answer, Contents, Operation, Outcome, Row
from tests.resilience.nodes import Node

TIMEOUT_SECONDS: Final = 60.0
ABSENT: Final = frozenset({40401, 40402, 40403, 40404})
REFUSED: Final = frozenset({42205, 40405})
NOTHING_WRITTEN: Final = frozenset({503, 50001})
OUTCOME_UNKNOWN: Final = 50002
SUBJECTS: Final = ("orders-value", "orders-key", ":.other:clicks-value")
"""No name in two contexts: a lookup that finds nothing in the default context goes on to a namesake in another."""
WORK_PER_NODE: Final = 16
"""After how many pieces of work a worker turns to the next node."""


class Unexpected(AssertionError):
    """An answer that no client should get."""


class Gone(Exception):
    """The node is not there: the connection was refused, so nothing was sent."""


class Connection:
    """One kept connection to a node, wherever it listens now."""

    def __init__(self, node: Node, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.node = node
        self._timeout_seconds = timeout_seconds
        self._port = 0
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask once; raises Gone when nothing was sent, OSError or HTTPException when no whole answer came."""
        connection = self._connected()
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, path, sent, {"Content-Type": "application/json"} if sent else {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None or self._port != self.node.port or self._connection.sock is None:
            self.close()
            self._port = self.node.port
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self._timeout_seconds)
            try:
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                self.close()
                raise Gone from error
        return self._connection


class Client:
    """Asks a node and writes each answer into a history; a question that was never sent leaves no trace."""

    def __init__(self, history: list[Answer], node: Node) -> None:
        self.in_vain = False
        """Whether something was not answered, or answered that it cannot now, since somebody last reset this."""
        self._history = history
        self._connection = Connection(node)

    @property
    def node(self) -> Node:
        return self._connection.node

    def turn_to(self, node: Node) -> None:
        """Ask another node from now on."""
        if node is not self._connection.node:
            self._connection.close()
            self._connection = Connection(node)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def register(self, subject: str, text: str, references: Sequence[Any] = ()) -> Answer | None:
        body = {"schema": text} | ({"references": references} if references else {})
        return self._ask(Operation.REGISTER, subject, "POST", f"{_subject(subject)}/versions", body, text=text)

    def lookup(self, subject: str, text: str) -> Answer | None:
        return self._ask(Operation.LOOKUP, subject, "POST", _subject(subject), {"schema": text}, text=text)

    def latest(self, subject: str) -> Answer | None:
        return self._ask(Operation.LATEST, subject, "GET", f"{_subject(subject)}/versions/latest")

    def by_id(self, subject: str, number: int) -> Answer | None:
        path = f"/schemas/ids/{number}?subject={quote(subject)}"
        return self._ask(Operation.BY_ID, subject, "GET", path, id=number)

    def delete(self, subject: str) -> Answer | None:
        return self._ask(Operation.DELETE, subject, "DELETE", _subject(subject))

    def delete_for_good(self, subject: str) -> Answer | None:
        path = f"{_subject(subject)}?permanent=true"
        return self._ask(Operation.DELETE_FOR_GOOD, subject, "DELETE", path)

    def set_mode(self, subject: str, mode: str) -> Answer | None:
        operation = Operation.READ_ONLY if mode == "READONLY" else Operation.READ_WRITE
        return self._ask(operation, subject, "PUT", f"/mode/{quote(subject)}", {"mode": mode})

    def _ask(
        self, operation: Operation, subject: str, method: str, path: str, body: Any = None, **sent: Any
    ) -> Answer | None:
        asked = Answer(operation, Outcome.UNKNOWN, subject, time.monotonic(), node=self.node.name, **sent)
        try:
            status, said = self._connection.ask(method, path, body)
        except Gone:
            self.in_vain = True
            return None
        except (OSError, http.client.HTTPException, ValueError):
            answer = asked
        else:
            answer = _answered(asked, time.monotonic(), status, said)
        self.in_vain |= answer.outcome in (Outcome.UNKNOWN, Outcome.UNAVAILABLE)
        self._history.append(answer)
        return answer


def _subject(subject: str) -> str:
    return f"/subjects/{quote(subject)}"


def _answered(asked: Answer, ended: float, status: int, said: Any) -> Answer:
    if status == 200:
        done = asked._replace(outcome=Outcome.DONE, ended=ended)
        if isinstance(said, list):
            return done._replace(versions=tuple(said))
        return done._replace(
            id=said.get("id", asked.id),
            version=said.get("version", asked.version),
            text=said.get("schema", asked.text),
        )
    code = said.get("error_code")
    if code in ABSENT:
        return asked._replace(outcome=Outcome.ABSENT, ended=ended)
    if code in REFUSED:
        return asked._replace(outcome=Outcome.REFUSED, ended=ended)
    if code in NOTHING_WRITTEN:
        return asked._replace(outcome=Outcome.UNAVAILABLE, ended=ended)
    if code == OUTCOME_UNKNOWN:
        return asked
    raise Unexpected(f"{asked}: {status} {said}")


Work = Callable[[Client, int], None]
"""What a writer does once: it is given its client and the number of the writer."""


class Load:
    """Workers at work; what one of them fails with is raised where the load is waited for."""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []

    def until(self, reached: Callable[[], bool], seconds: float = 120.0) -> None:
        """Wait until something is reached."""
        give_up = time.monotonic() + seconds
        while not reached():
            if self.failures:
                raise self.failures[0]
            assert time.monotonic() < give_up, f"not reached in {seconds} seconds"
            time.sleep(0.002)


@contextmanager
def load(history: list[Answer], nodes: Sequence[Node], workers: int, work: Work) -> Iterator[Load]:
    """Let workers do their work over and over while the context is open, each beginning at another node.

    A worker turns to the next node when its own is gone, or cannot now, and after a few pieces of work anyway. What a
    worker fails with is raised at the end.
    """
    stop, running = threading.Event(), Load()
    failures = running.failures

    def run(number: int) -> None:
        try:
            with Client(history, nodes[number % len(nodes)]) as client:
                for done in count(1):
                    if stop.is_set():
                        return
                    client.in_vain = False
                    work(client, number)
                    if client.in_vain or done % WORK_PER_NODE == 0:
                        client.turn_to(nodes[(number + done) % len(nodes)])
                    if client.in_vain:
                        stop.wait(0.01)
        except BaseException as failure:  # noqa: BLE001 - raised again where the load is waited for
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        stop.set()
        for thread in threads:
            thread.join(TIMEOUT_SECONDS + 30)
    assert not any(thread.is_alive() for thread in threads), "a worker does not come to an end"
    if failures:
        raise failures[0]


def all_at_once(history: list[Answer], nodes: Sequence[Node], workers: int, work: Work) -> None:
    """Let each worker do its work once, all beginning together, and wait for all."""
    failures: list[BaseException] = []
    ready = threading.Barrier(workers)

    def run(number: int) -> None:
        try:
            with Client(history, nodes[number % len(nodes)]) as client:
                ready.wait()
                work(client, number)
        except BaseException as failure:  # noqa: BLE001 - raised again where the work is waited for
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def record(name: str) -> str:
    """A schema with a name of its own."""
    return f'{{"type":"record","name":"{name}","fields":[{{"name":"id","type":"long"}}]}}'


def contents_of(node: Node) -> Contents:
    """All that a node holds, soft-deleted versions included."""
    return {(one["subject"], one["version"]): _row(one) for one in listed(node)}


def listed(node: Node) -> Iterator[dict[str, Any]]:
    """Every version that a node has, as it lists them."""
    with Connection(node) as connection:
        for offset in count(0, 1000):
            path = f"/schemas?subjectPrefix=:*:&deleted=true&offset={offset}&limit=1000"
            status, page = connection.ask("GET", path)
            assert status == 200, page
            yield from page
            if len(page) < 1000:
                return


def _row(one: dict[str, Any]) -> Row:
    return Row(one["schema"], one["id"], bool(one.get("deleted")))


class Mixed:
    """The usual work of a writer: register new schemas and those of others, look them up, ask for the latest.

    It moves on to new subjects with each `round`, so that no subject grows too long to be judged.
    """

    def __init__(self, seed: str, subjects: Sequence[str] = SUBJECTS) -> None:
        self._choose = random.Random(seed)
        self._subjects = subjects
        self.round = 0
        self._made = count()

    def __call__(self, client: Client, writer: int) -> None:
        choose = self._choose
        subject = f"{choose.choice(self._subjects)}-{self.round}"
        number = next(self._made)
        text = record(f"R{self.round}N{choose.randint(max(0, number - 20), number + 5)}")
        match choose.randrange(8):
            case 0:
                client.latest(subject)
            case 1:
                client.lookup(subject, text)
            case _:
                answer = client.register(subject, text)
                if answer is not None and answer.outcome is Outcome.DONE and choose.randrange(4) == 0:
                    client.by_id(subject, answer.id)
