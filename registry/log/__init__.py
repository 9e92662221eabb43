"""Storage engines, one small module each, and the table from which a URL picks one.

Each engine module offers `async def open_url(url, clock) -> Log`; only the one in use is imported, with its driver.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final, NamedTuple

from registry.errors import StoreUnusable
from registry.log.door import Clock, wall_clock_ms
from registry.log.protocol import Log, Turn

__all__ = ["Log", "Turn", "open_log"]


class _Engine(NamedTuple):
    module: str
    extra: str


_ENGINES: Final = {
    "memory": _Engine("registry.log.memory", "server"),
    "sqlite": _Engine("registry.log.sqlite", "server"),
    "postgres": _Engine("registry.log.postgres", "postgres"),
    "postgresql": _Engine("registry.log.postgres", "postgres"),
}


async def open_log(url: str, clock: Clock = wall_clock_ms) -> Log:
    """Open the log that a store URL names: `memory:`, `sqlite:signet.db`, `sqlite:/var/lib/signet/signet.db`,
    `postgresql://user:password@host/database`.

    Args:
        url: the store, beginning with the scheme of its engine.
        clock: where the timestamps of entries come from, in milliseconds since 1970.

    Raises StoreUnusable, with one sentence, when the scheme is unknown, its extra is not installed, or the store
    cannot be opened.
    """
    scheme, colon, _ = url.partition(":")
    engine = _ENGINES.get(scheme) if colon else None
    if engine is None:
        known = ", ".join(f"{scheme}:" for scheme in _ENGINES)
        # The rest of the URL may hold a password.
        raise StoreUnusable(f"'{scheme}' is not a store this registry knows; a store URL begins with one of {known}")
    try:
        module = import_module(engine.module)
    except ImportError as error:
        raise StoreUnusable(
            f"A {scheme}: store needs the package {error.name or error}: pip install 'signet[{engine.extra}]'"
        ) from error
    log: Log = await module.open_url(url, clock)
    return log
