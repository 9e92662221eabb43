"""What several commands share: their options, the store that they write to, and how they are run."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import click

from registry.cli.suggestions import meant
from registry.log import Log, open_log
from registry.settings import read_settings

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

STORE: Final = click.option("--store", metavar="URL", help="The URL of the store (SIGNET_STORE; sqlite:signet.db).")


class Command(click.Command):
    """A command that says of an option that it has not which one was meant, and of an argument too many how a store is
    named.
    """

    # Not click's own refusal, which does not tell how a store is named.
    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed.

        Raises click.UsageError when it does not fit.
        """
        try:
            unread = super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = [name for parameter in self.get_params(ctx) for name in parameter.opts if name[:2] == "--"]
            ctx.fail(f"There is no option '{error.option_name}'. {meant(error.option_name, known)}")
        for left in unread:
            ctx.fail(f"Nothing is expected at '{left}'. A store is named with --store URL.")
        return []


def reserved_ids(default: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option --reserve-ids."""
    return click.option(
        "--reserve-ids",
        type=click.IntRange(min=0),
        default=default,
        show_default=True,
        help="How many ids of every context are never given out, because others may have given them out meanwhile.",
    )


def awaited(command: Callable[Parameters, Coroutine[Any, Any, Result]]) -> Callable[Parameters, Result]:
    """A command that is a coroutine, as a function that runs it to its end."""

    @wraps(command)
    def run(*arguments: Parameters.args, **options: Parameters.kwargs) -> Result:
        return asyncio.run(command(*arguments, **options))

    return run


def store_url(store: str | None) -> str:
    """The store that is meant: the one given, else the one of the environment, else the default.

    Raises SettingInvalid when the environment holds a setting that does not hold.
    """
    return read_settings({"store": store}).store


@asynccontextmanager
async def writing(url: str) -> AsyncIterator[Log]:
    """A store, open for as long as the context is.

    Raises StoreUnusable when it cannot be opened.
    """
    log = await open_log(url)
    try:
        yield log
    finally:
        await log.close()


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    return re.sub(r"([?&]password=)[^&]*", r"\1***", re.sub(r"(://[^/@:]*):[^/]*@", r"\1:***@", url))


def spare_collections() -> None:
    """Do without the garbage collector until this process ends, for a command that reads a whole registry once.

    What it reads from a store or a file stays, without cycles, and each collection would walk over all of it: half of
    the time. Requests over HTTP leave cycles.
    """
    gc.disable()
