"""What a client is made of, blocking or not: settings, counters, memory, disk, and the flows over them."""

from __future__ import annotations

import os
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from serdes._cache.memory import Memory
from serdes._flows import Calls, Questions
from serdes._stats import READ, WRITTEN, EventHook, Stats
from serdes.codec import Codecs
from serdes.errors import SettingInvalid
from serdes.schema import Schema
from serdes.settings import ClientSettings, Conf

if TYPE_CHECKING:
    from serdes._cache.disk import Disk


class Parts:
    """Everything about a client that needs neither threads nor an event loop."""

    def __init__(self, conf: Conf, on_event: EventHook | None, clock: Callable[[], float]) -> None:
        self.settings = ClientSettings.read(conf)
        self.conf = dict(conf)
        self.clock = clock
        self.stats = Stats(on_event)
        self.memory = Memory(self.settings.cache_capacity, clock)
        self.codecs = Codecs(self.settings.cache_capacity, lambda: self.stats.count("fallbacks"))
        self.calls = Calls(self.settings, self.stats, clock)
        self.questions = Questions(self.settings, self.memory, _disk(self.settings), self.calls, self.stats, clock)

    def reopen(self) -> None:
        """Take new locks, after a fork."""
        for part in (self.stats, self.memory, self.codecs):
            part.reopen()

    def snapshot(self) -> dict[str, float]:
        """The counters, and what the caches hold."""
        told = self.stats.snapshot()
        messages = told.get(WRITTEN, 0) + told.get(READ, 0)
        if messages:
            told["registry_calls_per_million"] = 1e6 * self.stats.total("registry_calls") / messages
        told |= {f"cached{{shelf={shelf}}}": size for shelf, size in self.memory.sizes().items()}
        return told | {"cached{shelf=codecs}": len(self.codecs)}


def _disk(settings: ClientSettings) -> Disk | None:
    if settings.disk_dir is None or settings.disk_mode == "off":
        return None
    # By name: what it needs of the standard library takes milliseconds to import.
    disk: Disk = import_module("serdes._cache.disk").Disk(
        settings.disk_dir, settings.urls[0], settings.disk_max_age_seconds
    )
    return disk


def own_schema(schema: Any) -> Schema:
    """A schema as ours: confluent-kafka's has the same JSON form. Raises SettingInvalid for what is no schema."""
    if isinstance(schema, Schema):
        return schema
    if not hasattr(schema, "schema_str"):
        raise SettingInvalid(f"a schema must be a Schema, not {type(schema).__name__}")
    return Schema.from_dict(schema.to_dict())


class Client(ABC):
    """What both clients have that needs neither a thread nor an event loop, and what serdes take from them."""

    def __init__(
        self, conf: Conf, *, on_event: EventHook | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._parts = Parts(conf, on_event, clock)
        self._arguments = (conf, on_event, clock)
        self._questions = self._parts.questions
        self._start()
        tell_of_forks(self)

    @classmethod
    def new_client(cls, conf: Conf) -> Self:
        """A client; confluent-kafka's name for making one."""
        return cls(conf)

    @abstractmethod
    def _start(self) -> None:
        """Take what belongs to this process: locks, and no connections yet."""

    def after_fork(self) -> None:
        """Leave the parent's connections, threads, tasks and locks behind."""
        self._parts.reopen()
        self._start()

    def __reduce__(self) -> tuple[Any, ...]:
        conf, on_event, clock = self._arguments
        return _rebuilt, (type(self), conf, on_event, None if clock is time.monotonic else clock)

    @property
    def codecs(self) -> Codecs:
        """The codecs that all serdes of this client share."""
        return self._parts.codecs

    @property
    def cache_capacity(self) -> int:
        """How many entries each cache holds at most."""
        return self._parts.settings.cache_capacity

    @property
    def unverified(self) -> bool:
        """Whether an answer from disk is in use that the registry has not confirmed yet."""
        return self._parts.memory.unverified

    @property
    def clock(self) -> Callable[[], float]:
        """The seconds that ages and deadlines are measured in."""
        return self._parts.clock

    def config(self) -> dict[str, Any]:
        """The configuration that was given."""
        return self._parts.conf

    @property
    def counters(self) -> Stats:
        """Where what serdes see is counted, besides what the client does."""
        return self._parts.stats

    @property
    def counts_messages(self) -> bool:
        """Whether `metrics.messages` is on."""
        return self._parts.settings.messages

    def stats(self) -> dict[str, float]:
        """What was counted so far, and how many entries the caches hold."""
        return self._parts.snapshot()

    def clear_latest_caches(self) -> None:
        """Forget what may change: latest versions, versions, associations."""
        self._parts.memory.forget_changing()

    def clear_caches(self) -> None:
        """Forget every answer of the registry."""
        self._parts.memory.forget_changing()
        self._parts.memory.forget_lasting()


def _rebuilt(kind: type[Client], conf: Conf, on_event: EventHook | None, clock: Callable[[], float] | None) -> Client:
    return kind(conf, on_event=on_event, clock=clock or time.monotonic)


# Weak, since being told of forks must not keep a client alive; os.register_at_fork cannot be undone.
_forkable: weakref.WeakSet[Client] = weakref.WeakSet()


def tell_of_forks(client: Client) -> None:
    """Let a client know, in the child, of every fork while it lives."""
    _forkable.add(client)


def _after_fork() -> None:
    for client in list(_forkable):
        client.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork either
    os.register_at_fork(after_in_child=_after_fork)
