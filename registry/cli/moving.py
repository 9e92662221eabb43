"""`signet export`, `signet import` and `signet verify`: data on its way from one registry to another."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import click

from registry import transfer
from registry.cli.options import (
    STORE,
    Command,
    awaited,
    reserved_ids,
    spare_collections,
    store_url,
    without_password,
    writing,
)
from registry.cli.output import say, write
from registry.cli.reports import loaded_report, verification_report
from registry.envelope import Entry
from registry.errors import SourceUnreadable
from registry.log import History, is_store_url, open_history
from registry.replay import SnapshotFile
from registry.settings import read_settings
from registry.state import State

FINDINGS: Final = 100
"""The exit code of a command that did its work and found something."""

SQLITE: Final = b"SQLite format 3\0"
HOST_PORT: Final = re.compile(r"[\w.-]+:[0-9]+")


@click.command(cls=Command)
@click.argument("registry", required=False)
@STORE
@click.option("--compact", is_flag=True, help="Only what holds now, and the highest ids, instead of the whole history.")
@awaited
async def export(registry: str | None, store: str | None, compact: bool) -> None:
    """Write the records of a store to standard output.

    Each line is a JSON object; key and value in it are the texts that Confluent keeps in its _schemas topic. The store
    may be in use. REGISTRY is http://HOST:PORT of a running registry to read over REST instead of a store.
    """
    if registry is not None:
        if store is not None or not _is_running(registry):
            raise SourceUnreadable("What is exported is a store, named with --store URL, or http://HOST:PORT, not both")
        source = await transfer.read_registry(registry)
        write(transfer.write_line(entry) for entry in source.entries)
        return
    spare_collections()
    async with _reading(store_url(store)) as history:
        if compact:
            _write_facts(await transfer.replay(history))
            return
        async for batch in history.read(0):
            write(
                transfer.write_line(
                    Entry(logged.key, logged.value, logged.author, logged.timestamp_ms), logged.position
                )
                for logged in batch.entries
            )


@click.command("import", cls=Command)
@click.argument("source")
@STORE
@reserved_ids(0)
@click.option(
    "--follow/--no-follow",
    default=None,
    help="Whether the source is the newer one, so that its deletions, configs and modes replace those of the store. If"
    " not told: yes for a running registry, no for a file or a store.",
)
@awaited
async def import_(source: str, store: str | None, reserve_ids: int, follow: bool | None) -> int:
    """Bring the records of a file or a registry into a store.

    SOURCE is a file of records, the URL of another store, or http://HOST:PORT of a running registry.

    A file holds lines of signet export, or of a _schemas topic as kafka-console-consumer (with --property
    print.key=true), rpk or kcat -J print it. Ids, versions, deletions, configs and modes are kept. A second time
    changes nothing, and a store that holds something else is left as it is.
    """
    is_running = _is_running(source)
    if not is_running:
        spare_collections()
    settings = read_settings({"store": store})
    settings.check_folders()
    url = settings.store
    found = await _gathered(source)
    async with writing(url) as log:
        loaded = await transfer.load(
            found,
            log,
            follow=is_running if follow is None else follow,
            reserve_ids=reserve_ids,
            snapshot=SnapshotFile(log, settings.snapshot_path(log.file)),
        )
    say(loaded_report(without_password(source), found, without_password(url), loaded))
    return 0 if loaded.differences.agrees or loaded.gone_on else FINDINGS


@click.command(cls=Command)
@STORE
@awaited
async def verify(store: str | None) -> int:
    """Check a store from its first record to its last.

    The exit code is 0 if all is well, 100 if something was found, 2 if the store cannot be read. The store may be in
    use.
    """
    spare_collections()
    url = store_url(store)
    async with _reading(url) as history:
        found = await transfer.verify(history)
    say(verification_report(without_password(url), found))
    return FINDINGS if found.findings else 0


async def _gathered(source: str) -> transfer.Source:
    if _is_running(source):
        return await transfer.read_registry(source)
    if is_store_url(source):
        async with _reading(source) as history:
            return await transfer.gather_history(history)
    if "://" in source:
        # The rest of the URL may hold a password.
        raise SourceUnreadable(
            f"'{source.partition(':')[0]}' is no source this program knows: it reads files, stores and http://HOST:PORT"
        )
    return _gathered_lines(source)


def _gathered_lines(file: str) -> transfer.Source:
    try:
        with Path(file).open("rb") as lines:
            if lines.peek(len(SQLITE)).startswith(SQLITE):
                raise SourceUnreadable(f"{file} is an SQLite file, which is written sqlite:{file} as a source")
            return transfer.gather(transfer.read_lines(lines, file))
    except OSError as error:
        hint = f"; a running registry is written http://{file}" if HOST_PORT.fullmatch(file) else ""
        raise SourceUnreadable(f"{file} cannot be read: {error.strerror}{hint}") from error


def _is_running(source: str) -> bool:
    return source.startswith(("http://", "https://"))


@asynccontextmanager
async def _reading(url: str) -> AsyncIterator[History]:
    history = await open_history(url)
    try:
        yield history
    finally:
        await history.close()


def _write_facts(state: State) -> None:
    write(transfer.write_line(fact.entry(), fact.position) for fact in transfer.ordered_facts(state))
