"""The `signet` command, also as `python -m registry`; where what a server needs is not installed, it says so."""

import sys
from importlib import import_module


def main() -> None:
    """Carry out the command line of this process."""
    try:
        command = import_module("registry.cli").main
    except ModuleNotFoundError as error:
        # The client alone is a full installation, and brings the command along.
        sys.stderr.write(
            f"signet: {error.name} is not installed: install Signet with its extra for the server, [server]\n"
        )
        sys.exit(2)
    command()


if __name__ == "__main__":
    main()
