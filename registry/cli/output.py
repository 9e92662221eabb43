"""Standard output: all of what is written arrives there, or it is said that it did not."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress

import click


def say(lines: Iterable[str]) -> None:
    """Print the lines of a report, as `write` does."""
    # A file may have a name that is no text, which is said as it was typed.
    write(f"{line}\n".encode(errors="surrogateescape") for line in lines)


def write(pieces: Iterable[bytes]) -> None:
    """Write to standard output, so that nothing is left in a buffer.

    Raises click.ClickException when that fails, and BrokenPipeError when whoever read it has seen enough.
    """
    if sys.stdout is None:
        raise click.ClickException("The output cannot be written: it is closed")
    try:
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        drop()
        raise click.ClickException(f"The output cannot be written: {error.strerror}") from error


def drop() -> None:
    """Forget what waits to be written: Python would try it once more when it exits."""
    sys.stdout = None


def tell(sentence: str) -> None:
    """Say a sentence on standard error; whoever closed that, or let its disk run full, goes without."""
    with suppress(OSError):
        click.echo(sentence, err=True)
