"""The `signet` command: each of its commands is a function in a module of this package, loaded when it is asked for.

What cannot be done is said in one sentence on standard error, with exit code 2.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Final, NoReturn

from cyclopts import App, CycloptsError

from registry.errors import RegistryError

FAILED: Final = 2
signet = App(name="signet", version=version("signet"), help="A schema registry that speaks Confluent's REST API.")
signet.command(
    "registry.cli.serve:serve",
    help="Serve a registry until SIGTERM or Ctrl-C.\n\nEvery further setting is an environment variable SIGNET_*.",
)


def main() -> None:
    """Carry out the command line of this process."""
    try:
        signet(exit_on_error=False, print_error=False)
    except KeyboardInterrupt:
        sys.exit(0)
    except (CycloptsError, RegistryError) as error:
        _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    print(f"signet: {sentence}", file=sys.stderr)  # noqa: T201 - a command speaks on its own streams
    sys.exit(FAILED)
