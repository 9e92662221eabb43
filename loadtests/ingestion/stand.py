"""The test stand: a broker, a registry that can be killed, and one gateway for each encoder, on this machine.

The gateways have one processor for themselves; the load generator, the broker and the registry share the others.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from confluent_kafka import Producer

from loadtests.gateway import ENCODERS, IN_PROCESS
from loadtests.servers import Server, free_port, registry, running

GATEWAY_CPU = 0


class Stand:
    """Running servers.

    gateways: by encoder; registry: the one that runs now.
    """

    def __init__(self, folder: Path) -> None:
        self._store = f"sqlite:{folder / 'registry.db'}"
        self._port = free_port()
        self._stack = ExitStack()
        self.gateways: dict[str, Server] = {}
        self.registry = self.start_registry()
        self.generator = psutil.Process()

    def start_registry(self) -> Server:
        """Start the registry where it was, with what it knew."""
        self.registry = self._stack.enter_context(registry(self._store, port=self._port))
        return self.registry

    def kill_registry(self) -> None:
        """End the registry at once, without a chance to say goodbye."""
        self.registry.process.kill()
        self._stack.close()

    def close(self) -> None:
        """Stop the registry."""
        self._stack.close()


@contextmanager
def stand(folder: Path, bootstrap_servers: str | None) -> Iterator[Stand]:
    """Start everything, and stop it when the block ends; without brokers one is started in this process."""
    _leave_processor()
    with ExitStack() as stack:
        built = Stand(folder)
        stack.callback(built.close)
        broker = None if bootstrap_servers else Producer({**IN_PROCESS, "log_level": 4})
        brokers = bootstrap_servers or _addresses(broker)
        for encoder in ENCODERS:
            port = free_port()
            command = [sys.executable, "-m", "loadtests.gateway", "--encoder", encoder, "--port", str(port)]
            command += ["--registry", built.registry.url, "--bootstrap-servers", brokers]
            gateway = running(command, port, path="/counts", cpu=GATEWAY_CPU)
            built.gateways[encoder] = stack.enter_context(gateway)
        yield built


def _addresses(broker: Producer | None) -> str:
    assert broker is not None  # only asked when there is one
    return ",".join(f"{one.host}:{one.port}" for one in broker.list_topics(timeout=10).brokers.values())


def _leave_processor() -> None:
    others = set(range(os.cpu_count() or 1)) - {GATEWAY_CPU}
    if others and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, others)
