"""Finished answers: what was answered once is answered again from its bytes, for as long as it stays right.

Contains no rule about schemas: an answer stays right while nothing that the state was asked about in making it has
changed. Only complete answers with status 200 are kept, in as many bytes as a setting allows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from cachetools import FIFOCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry.api.visit import RawHeaders, RouteTally, visit_of
from registry.auth import Permissions
from registry.operations import Registry
from registry.questions import ANYTHING, NEWEST, Question, overheard
from registry.state import State

OK: Final = 200
KEPT_METHODS: Final = frozenset({"GET", "POST"})
BYTES_PER_ANSWER: Final = 1024
"""What an answer takes beside its body and what its request says: headers, questions (estimated)."""

Key = tuple[Permissions, str, bytes, bytes, RawHeaders, bytes]
"""All of a request that its answer depends on: what the caller may do, method, raw path, query, the headers that decide
its form, and the SHA-256 of its body (empty for none). With permissions in the key, an answer is found again only by
those for whom it was made; which subjects and ids that was about is among its questions.
"""


@dataclass(slots=True)
class Answer:
    """An answer as it was sent, and what it stands on.

    lines: its headers as they go over the wire. of_the_newest: whether the barrier was waited for when it was made, and
    so has to be again; what an id or GUID means needs none. size: how much memory it takes, with its request.
    position: where it was last seen to be right.
    """

    headers: list[tuple[bytes, bytes]]
    end: Message
    questions: tuple[tuple[Question, int], ...]
    of_the_newest: bool
    tally: RouteTally
    size: int
    position: int = -1
    lines: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.lines = b"".join(b"%b: %b\r\n" % header for header in self.headers)

    def start(self) -> Message:
        """The message that begins the answer."""
        return {"type": "http.response.start", "status": OK, "headers": self.headers}

    def stands(self, state: State) -> bool:
        """Whether nothing that the answer stands on has changed."""
        if self.position != state.position:
            if not state.holds(self.questions):
                return False
            self.position = state.position
        return True


class Answers:
    """What was answered before, by request."""

    def __init__(self, max_bytes: int) -> None:
        """Keep answers in at most `max_bytes`; 0 keeps none. The registry is set when it is open."""
        self.registry: Registry | None = None
        self.hits = self.misses = 0
        # First in, first out: noting each use would cost as much as all the rest of finding an answer, and to make the
        # few that are asked for all the time once more, when their turn has come, costs next to nothing.
        self._kept: FIFOCache[Key, Answer] = FIFOCache(max_bytes, getsizeof=attrgetter("size"))

    def requests(self) -> list[Key]:
        """The requests whose answers are kept."""
        return list(self._kept)

    @property
    def count(self) -> int:
        """How many answers are kept."""
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """How much memory they take, estimated."""
        return int(self._kept.currsize)

    def at_once(self, key: Key) -> Answer | None:
        """The finished answer to a request, if there is one, it is still right, and it needs no barrier."""
        try:
            answer = self._kept[key]
        except KeyError:
            return None
        if self.registry is None or (self.registry.shared and answer.of_the_newest):
            return None
        if not answer.stands(self.registry.state):
            return None
        self.hits += 1
        return answer

    async def find(self, key: Key) -> Answer | None:
        """The finished answer to a request, if there is one and it is still right."""
        answer = self._kept.get(key)
        if answer is None or self.registry is None:
            return None
        if self.registry.shared and answer.of_the_newest:
            await self.registry.barrier()
        if not answer.stands(self.registry.state):
            return None
        self.hits += 1
        return answer

    async def record(self, key: Key, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Have an application answer a request, and keep its answer if it is one to keep."""
        self.misses += 1
        recorder = _Recorder(send)
        with overheard() as questions:
            await app(scope, receive, recorder)
        of_the_newest = questions.pop(NEWEST, None) is not None
        if recorder.headers is None or recorder.body is None or not questions or self.registry is None:
            return
        # Where any change counts, the other questions say nothing more.
        decisive = {ANYTHING: questions[ANYTHING]} if ANYTHING in questions else questions
        # What changed the registry is found here not to stand any more.
        if self.registry.state.holds(decisive.items()):
            end = {"type": "http.response.body", "body": recorder.body}
            tally = visit_of(scope).tally
            size = _size(key, recorder.body)
            self._keep(key, Answer(recorder.headers, end, tuple(decisive.items()), of_the_newest, tally, size))

    def _keep(self, key: Key, answer: Answer) -> None:
        if answer.size <= self._kept.maxsize:
            self._kept[key] = answer


class _Recorder:
    """A `send` that remembers headers and body of a complete answer with status 200."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.headers: list[tuple[bytes, bytes]] | None = None
        self.body: bytes | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.headers = [*message["headers"]] if message["status"] == OK else None
        elif self.body is not None or message.get("more_body", False):
            self.headers = None
        else:
            # A copy, because what orjson answers holds on to far more memory than its length.
            self.body = bytes(memoryview(message.get("body", b"")))
        await self.send(message)


def _size(key: Key, body: bytes) -> int:
    _, _, path, query, deciding, _ = key
    told = len(path) + len(query) + sum(len(name) + len(value) for name, value in deciding)
    # Twice, because what was asked of the state may hold the same name. A client chooses how long all that is, and
    # whether it answers to anything that is there.
    return BYTES_PER_ANSWER + 2 * told + len(body)
