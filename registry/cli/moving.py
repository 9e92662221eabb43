"""`signet export`, `signet import` and `signet verify`: data on its way from one registry to another."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from registry import transfer
from registry.cli.options import ReservedIds, Store, say, spare_collections, store_url, without_password
from registry.cli.reports import loaded_report, verification_report
from registry.envelope import Entry
from registry.errors import SourceUnreadable
from registry.log import History, Log, is_store_url, open_history, open_log
from registry.state import State

FINDINGS: Final = 100
"""The exit code of a command that did its work and found something."""

From = Annotated[
    str, Parameter(help="A file of records, the URL of another store, or http://HOST:PORT of a running registry.")
]
Follow = Annotated[
    bool | None,
    Parameter(
        help="Whether the source is the newer one, so that its deletions, configs and modes replace those of the"
        " store. If not told: yes for a running registry, no for a file or a store."
    ),
]


async def export(
    registry: Annotated[
        str | None, Parameter(help="http://HOST:PORT of a running registry to read over REST instead of a store.")
    ] = None,
    /,
    *,
    store: Store = None,
    compact: Annotated[
        bool, Parameter(help="Only what holds now, and the highest ids, instead of the whole history.", negative=())
    ] = False,
) -> None:
    """Write the records of a store to standard output."""
    if registry is not None:
        if not _is_running(registry):
            raise SourceUnreadable("What is exported is a store, named with --store URL, or http://HOST:PORT")
        source = await transfer.read_registry(registry)
        _write(transfer.write_line(entry) for entry in source.entries)
        return
    spare_collections()
    async with _reading(store_url(store)) as history:
        if compact:
            _write_facts(await transfer.replay(history))
            return
        async for batch in history.read(0):
            _write(
                transfer.write_line(
                    Entry(logged.key, logged.value, logged.author, logged.timestamp_ms), logged.position
                )
                for logged in batch.entries
            )


async def import_(source: From, /, *, store: Store = None, reserve_ids: ReservedIds = 0, follow: Follow = None) -> int:
    """Bring the records of a file, a store or a running registry into a store."""
    is_running = _is_running(source)
    if not is_running:
        spare_collections()
    url = store_url(store)
    found = await _gathered(source)
    async with _writing(url) as log:
        loaded = await transfer.load(
            found, log, follow=is_running if follow is None else follow, reserve_ids=reserve_ids
        )
    say(loaded_report(without_password(source), found, without_password(url), loaded))
    return 0 if loaded.differences.agrees or loaded.gone_on else FINDINGS


async def verify(*, store: Store = None) -> int:
    """Read a store from its beginning and check what it promises."""
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
            return transfer.gather(transfer.read_lines(lines, file))
    except OSError as error:
        raise SourceUnreadable(f"{file} cannot be read: {error.strerror}") from error


def _is_running(source: str) -> bool:
    return source.startswith(("http://", "https://"))


@asynccontextmanager
async def _reading(url: str) -> AsyncIterator[History]:
    history = await open_history(url)
    try:
        yield history
    finally:
        await history.close()


@asynccontextmanager
async def _writing(url: str) -> AsyncIterator[Log]:
    log = await open_log(url)
    try:
        yield log
    finally:
        await log.close()


def _write_facts(state: State) -> None:
    _write(transfer.write_line(fact.entry(), fact.position) for fact in transfer.ordered_facts(state))


def _write(lines: Iterable[bytes]) -> None:
    sys.stdout.buffer.writelines(lines)
