"""`signet backup` and `signet restore`: copies of a store, and stores made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from registry import transfer
from registry.cli.options import ReservedIds, Store, say, spare_collections, store_url, without_password
from registry.cli.reports import held_report


async def backup(
    file: Annotated[Path, Parameter(help="The file to write, which must not be there yet.")], /, *, store: Store = None
) -> None:
    """Copy a store to a file, also while a registry serves it."""
    spare_collections()
    url = store_url(store)
    held = await transfer.back_up(url, file)
    say(held_report(f"Backed up {without_password(url)} to {file}", held))


async def restore(
    file: Annotated[Path, Parameter(help="A file that `signet backup` wrote.")],
    /,
    *,
    store: Store = None,
    reserve_ids: ReservedIds = transfer.RESERVED_IDS,
) -> None:
    """Make a new store of a backup."""
    spare_collections()
    url = store_url(store)
    held = await transfer.restore(file, url, reserve_ids)
    say(held_report(f"Restored {file} to {without_password(url)}", held))
