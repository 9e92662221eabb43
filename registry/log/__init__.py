"""Storage engines, one small module each, and the table from which a URL picks one.

Each engine module offers `async def open_url(url, clock) -> Log`, and the module that reads beside the writers offers
the same for a History; only the one in use is imported, with its driver.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Final, NamedTuple

from registry.errors import StoreUnusable
from registry.log.door import Clock, wall_clock_ms
from registry.log.protocol import History, Log, Turn

__all__ = ["History", "Log", "Turn", "is_store_url", "open_history", "open_log"]


class _Engine(NamedTuple):
    module: str
    reading_module: str
    extra: str


_MEMORY: Final = _Engine("registry.log.memory", "registry.log.memory", "server")
_SQLITE: Final = _Engine("registry.log.sqlite", "registry.log.sqlite_history", "server")
_POSTGRES: Final = _Engine("registry.log.postgres", "registry.log.postgres_history", "postgres")
_ENGINES: Final = {"memory": _MEMORY, "sqlite": _SQLITE, "postgres": _POSTGRES, "postgresql": _POSTGRES}


async def open_log(url: str, clock: Clock = wall_clock_ms) -> Log:
    """Open the log that a store URL names: `memory:`, `sqlite:signet.db`, `sqlite:/var/lib/signet/signet.db`,
    `postgresql://user:password@host/database`.

    Args:
        url: the store, beginning with the scheme of its engine.
        clock: where the timestamps of entries come from, in milliseconds since 1970.

    Raises StoreUnusable, with one sentence, when the scheme is unknown, its extra is not installed, or the store
    cannot be opened.
    """
    engine = _engine(url)
    with _installed(engine, url):
        log: Log = await import_module(engine.module).open_url(url, clock)
    return log


async def open_history(url: str) -> History:
    """Open the log of a store URL for reading only, beside whatever process writes to it.

    Raises StoreUnusable as open_log does, and when there is no log yet, which is not made.
    """
    engine = _engine(url)
    with _installed(engine, url):
        history: History = await import_module(engine.reading_module).open_url(url, wall_clock_ms)
    return history


def is_store_url(text: str) -> bool:
    """Whether a text begins with the scheme of a storage engine."""
    return text.partition(":")[0] in _ENGINES and ":" in text


def _engine(url: str) -> _Engine:
    scheme = url.partition(":")[0]
    if not is_store_url(url):
        known = ", ".join(f"{scheme}:" for scheme in _ENGINES)
        # The rest of the URL may hold a password.
        raise StoreUnusable(f"'{scheme}' is not a store this registry knows; a store URL begins with one of {known}")
    return _ENGINES[scheme]


@contextmanager
def _installed(engine: _Engine, url: str) -> Iterator[None]:
    """Say which package is missing, for the engine or for what it loads for one store only."""
    try:
        yield
    except ImportError as error:
        raise StoreUnusable(
            f"A {url.partition(':')[0]}: store needs the package {error.name or error}:"
            f" install Signet with its extra {engine.extra}"
        ) from error
