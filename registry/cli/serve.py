"""`signet serve`: a registry on a socket, from the first connection to the last answer."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from importlib.metadata import version
from types import FrameType
from typing import Final

import click
import uvicorn

from registry.app import Application, create
from registry.cli.connection import CLOSE, Connection
from registry.cli.options import Command, without_password
from registry.cli.output import say, tell
from registry.errors import SettingInvalid
from registry.settings import Settings, read_settings, unknown_variables

GC_THRESHOLDS: Final = (1_000, 3, 7_000)
"""A collection is a pause: the frequent ones are kept small (half a microsecond an object, nearly all of which stay),
and the one that looks at everything rare, because a request leaves almost no cycles.
"""
BACKLOG: Final = 2048
TICKS_PER_SECOND: Final = 10
"""How often uvicorn looks after itself."""
log = logging.getLogger("signet")

if sys.platform != "win32":
    import resource


@click.command(cls=Command)
@click.option("--host", help="The address to listen on (SIGNET_HOST; 127.0.0.1).")
@click.option("--port", type=int, help="The port to listen on; 0 takes a free one (SIGNET_PORT; 8081).")
@click.option(
    "--store",
    metavar="URL",
    help="The URL of the store: sqlite:FILE, postgresql://... or memory: (SIGNET_STORE; sqlite:signet.db).",
)
def serve(host: str | None, port: int | None, store: str | None) -> None:
    """Serve a registry until SIGTERM or Ctrl-C.

    Every further setting is an environment variable SIGNET_*.
    """
    settings = read_settings({"host": host, "port": port, "store": store})
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for sentence in unknown_variables(os.environ):
        log.warning("%s", sentence)
    run(settings, create(settings, _Replaying()))


def run(settings: Settings, application: Application) -> None:
    """Serve an application until SIGTERM or Ctrl-C, having said where.

    Raises SettingInvalid when the address cannot be listened on, StoreUnusable when the store cannot be opened.
    """
    listener = _listener(settings.host, settings.port)
    config = uvicorn.Config(
        application.edge,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # They cost a tenth of a kept answer; the edge reads the one that matters where it matters.
        proxy_headers=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.shutdown_grace_seconds,
        backlog=BACKLOG,
    )
    # While the store is opened and replayed, SIGTERM ends the process as Ctrl-C does; then the server listens to both.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    # Other than of a command that was to do something, it is the end that was asked for.
    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(_Server(config, application, settings), application, listener))


async def _serve(server: _Server, application: Application, listener: socket.socket) -> None:
    gc.set_threshold(*GC_THRESHOLDS)
    _take_all_files()
    async with application.running():
        await server.serve(sockets=[listener])
        # The end has begun: whoever is impatient now would only turn a clean one into a crash.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)


def _take_all_files() -> None:
    """Let this process have as many files open as it may: each connection is one, and the usual first limit is 1024."""
    if sys.platform != "win32":
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        # Some systems name a limit that they do not keep; then the first one stays.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Replaying:
    """Says on stderr how far the replay of a large store has come, once a second; a quick one passes in silence."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def __call__(self, position: int, end: int) -> None:
        if time.monotonic() - self._said_at >= 1.0:
            self._said_at = time.monotonic()
            tell(f"replayed {position:,} of {end:,} records")


def _listener(host: str, port: int) -> socket.socket:
    """A socket that listens already: who connects while the store is opened waits, and is not refused."""
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
        )
    except (OSError, TypeError) as error:  # the latter for a name that no host can have
        reason = str(getattr(error, "strerror", error)).partition(" (")[0]
        raise SettingInvalid(f"Cannot listen on {host}:{port}: {reason}") from None


class _Server(uvicorn.Server):
    """A server that drains on SIGTERM and stops then; Ctrl-C, or a second signal, stops it at once."""

    def __init__(self, config: uvicorn.Config, application: Application, settings: Settings) -> None:
        super().__init__(config)
        self._application = application
        self._store = without_password(settings.store)
        self._drain_seconds = settings.shutdown_drain_seconds
        self._request_seconds = settings.request_seconds
        self._stop_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # Said only now that signals are listened to: who reads the line may send one at once.
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            # Whoever closed the output, or let its disk run full, wants a registry all the same.
            with suppress(click.ClickException):
                say([f"Signet {version('signet')} serves http://{shown}:{port} from {self._store}"])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        if self._stop_at is not None:
            self.should_exit = self.force_exit = True
            return
        self._application.close()
        # Draining is for load balancers; who presses Ctrl-C has none, and waits.
        drain_seconds = 0.0 if sig == signal.SIGINT else self._drain_seconds
        self._stop_at = time.monotonic() + drain_seconds
        if drain_seconds:
            self._part_from_clients()
            log.info("serves for %g more seconds, no longer ready; another signal ends it now", drain_seconds)

    def _part_from_clients(self) -> None:
        """Let every answer from now on end its connection: the next request then goes to another node."""
        self.config.encoded_headers.append(CLOSE)
        # uvicorn makes these out of the former, once a second.
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]

    async def on_tick(self, counter: int) -> bool:
        if self._stop_at is not None and time.monotonic() >= self._stop_at:
            self.should_exit = True
        if counter % TICKS_PER_SECOND == 0:
            deadline = asyncio.get_running_loop().time() - self._request_seconds
            for connection in tuple(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.close_if_slow(deadline)
        return await super().on_tick(counter)
