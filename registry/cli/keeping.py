"""`signet backup` and `signet restore`: copies of a store, and stores made of them."""

from __future__ import annotations

from pathlib import Path

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
from registry.cli.output import say
from registry.cli.reports import held_report
from registry.replay import SnapshotFile
from registry.settings import read_settings


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@STORE
@awaited
async def backup(file: Path, store: str | None) -> None:
    """Copy an SQLite store to a file, also while it is in use.

    FILE is written, and must not be there yet.
    """
    spare_collections()
    url = store_url(store)
    held = await transfer.back_up(url, file)
    say(held_report(f"Backed up {without_password(url)} to {file}", held))


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@STORE
@reserved_ids(transfer.RESERVED_IDS)
@awaited
async def restore(file: Path, store: str | None, reserve_ids: int) -> None:
    """Make a new SQLite store of a backup.

    FILE is one that signet backup wrote. The new store gets an identity of its own, and skips the ids that may have
    been given out since the backup.
    """
    spare_collections()
    settings = read_settings({"store": store})
    settings.check_folders()
    url = settings.store
    held = await transfer.restore(file, url, reserve_ids)
    async with writing(url) as log:
        await SnapshotFile(log, settings.snapshot_path(log.file)).write_if_due(held)
    say(held_report(f"Restored {file} to {without_password(url)}", held))
