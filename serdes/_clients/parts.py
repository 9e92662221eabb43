"""What a client is made of, blocking or not: settings, counters, memory, disk, and the flows over them."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from serdes._cache.memory import Memory
from serdes._flows import Calls, Questions
from serdes._stats import READ, WRITTEN, EventHook, Stats
from serdes.codec import Codecs
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
    """A schema as ours: confluent-kafka's has the same JSON form."""
    return schema if isinstance(schema, Schema) else Schema.from_dict(schema.to_dict())


class Forkable(Protocol):
    """What must be told that it lives in a new process."""

    def after_fork(self) -> None:
        """Drop connections, threads and locks of the parent."""
        ...


# Weak, since being told of forks must not keep a client alive; os.register_at_fork cannot be undone.
_forkable: weakref.WeakSet[Any] = weakref.WeakSet()


def tell_of_forks(client: Forkable) -> None:
    """Let a client know, in the child, of every fork while it lives."""
    _forkable.add(client)


def _after_fork() -> None:
    for client in list(_forkable):
        client.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork either
    os.register_at_fork(after_in_child=_after_fork)
