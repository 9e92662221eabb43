"""The `signet` command, also as `python -m registry`; where what a server needs is not installed, it says so."""

import sys
from importlib import import_module
from typing import NoReturn


def main() -> None:
    """Carry out the command line of this process."""
    try:
        _carry_out()
    except KeyboardInterrupt:
        # Also of a command that was still being loaded.
        _fail("It was interrupted before it was done")


def _carry_out() -> None:
    try:
        command = import_module("registry.cli").main
    except ModuleNotFoundError as error:
        # The client alone is a full installation, and brings the command along.
        _fail(f"{error.name} is not installed: install Signet with its extra for the server, [server]")
    command()


def _fail(sentence: str) -> NoReturn:
    sys.stderr.write(f"signet: {sentence}\n")
    sys.exit(2)


if __name__ == "__main__":
    main()
