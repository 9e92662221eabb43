"""The `signet` command: each of its commands is a function in a module of this package, loaded when it is asked for.

What cannot be done is said in one sentence on standard error, with exit code 2.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final, NamedTuple, NoReturn

from cyclopts import App, CycloptsError, UnusedCliTokensError

from registry.errors import RegistryError

FAILED: Final = 2
GC_THRESHOLD: Final = 100_000
"""How many values are made between two collections, unless a command says otherwise: what it loads stays, and to look
for garbage among it took a tenth of a start.
"""


class Command(NamedTuple):
    """A command: the function in this package that carries it out, and what its help says."""

    place: str
    summary: str
    details: str = ""


COMMANDS: Final[Mapping[str, Command]] = {
    "serve": Command(
        "serve:serve",
        "Serve a registry until SIGTERM or Ctrl-C.",
        "Every further setting is an environment variable SIGNET_*.",
    ),
    "export": Command(
        "moving:export",
        "Write the records of a store to standard output.",
        "Each line is a JSON object; key and value in it are the texts that Confluent keeps in its _schemas topic. The"
        " store may be in use.",
    ),
    "import": Command(
        "moving:import_",
        "Bring the records of a file or a registry into a store.",
        "A file holds lines of signet export, or of a _schemas topic as kafka-console-consumer (with --property"
        " print.key=true), rpk or kcat -J print it. Ids, versions, deletions, configs and modes are kept. A second time"
        " changes nothing, and a store that holds something else is left as it is.",
    ),
    "verify": Command(
        "moving:verify",
        "Check a store from its first record to its last.",
        "The exit code is 0 if all is well, 100 if something was found, 2 if the store cannot be read. The store may be"
        " in use.",
    ),
    "backup": Command("keeping:backup", "Copy an SQLite store to a file, also while it is in use."),
    "restore": Command(
        "keeping:restore",
        "Make a new SQLite store of a backup.",
        "It gets an identity of its own, and skips the ids that may have been given out since the backup.",
    ),
}

signet = App(name="signet", version=version("signet"), help="A schema registry that speaks Confluent's REST API.")
for order, (name, (place, summary, details)) in enumerate(COMMANDS.items()):
    signet.command(f"registry.cli.{place}", name=name, help=f"{summary}\n\n{details}".strip(), sort_key=order)


def main() -> None:
    """Carry out the command line of this process."""
    gc.set_threshold(GC_THRESHOLD)
    try:
        signet(exit_on_error=False, print_error=False)
    except KeyboardInterrupt:
        sys.exit(0)
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python would try to flush the rest when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except UnusedCliTokensError as error:
        _fail(_masked(f"{error} A store is named with --store URL."))
    except CycloptsError as error:
        _fail(_masked(str(error)))
    except RegistryError as error:
        _fail(str(error))


def _masked(sentence: str) -> str:
    """A sentence that quotes what was typed, without the names and passwords of URLs in it."""
    return re.sub(r"(password=)[^&\s'\"]*", r"\1***", re.sub(r"://\S*@", "://***@", sentence))


def _fail(sentence: str) -> NoReturn:
    print(f"signet: {sentence}", file=sys.stderr)  # noqa: T201 - a command speaks on its own streams
    sys.exit(FAILED)
