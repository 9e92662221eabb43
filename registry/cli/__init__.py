"""The `signet` command: each of its commands is a function in a module of this package, loaded when it is asked for.

What cannot be done is said in one sentence on standard error, with exit code 2.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Final, NamedTuple, NoReturn

import click

from registry.cli import output
from registry.cli.suggestions import meant
from registry.errors import RegistryError

FAILED: Final = 2


class Place(NamedTuple):
    """Where a command is, and the first sentence of its help."""

    module: str
    function: str
    summary: str


COMMANDS: Final[Mapping[str, Place]] = {
    "serve": Place("serve", "serve", "Serve a registry until SIGTERM or Ctrl-C."),
    "export": Place("moving", "export", "Write the records of a store to standard output."),
    "import": Place("moving", "import_", "Bring the records of a file or a registry into a store."),
    "verify": Place("moving", "verify", "Check a store from its first record to its last."),
    "backup": Place("keeping", "backup", "Copy an SQLite store to a file, also while it is in use."),
    "restore": Place("keeping", "restore", "Make a new SQLite store of a backup."),
}


class _Signet(click.Group):
    """The commands of the table; to list them loads none."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name not in COMMANDS:
            ctx.fail(f"There is no command '{cmd_name}'. {meant(cmd_name, COMMANDS)}")
        module, function, _ = COMMANDS[cmd_name]
        # What is loaded stays: to look for garbage among it took a tenth of a start, and each full collection later.
        gc.disable()
        command: click.Command = getattr(import_module(f"registry.cli.{module}"), function)
        gc.freeze()
        gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])


@click.group(cls=_Signet, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="signet", message="%(version)s")
def signet() -> None:
    """A schema registry that speaks Confluent's REST API."""


def main() -> None:
    """Carry out the command line of this process."""
    try:
        with signet.make_context("signet", sys.argv[1:] or ["--help"]) as context:
            sys.exit(signet.invoke(context))
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        output.drop()
        sys.exit(FAILED)
    except click.ClickException as error:
        _fail(error.format_message())
    except RegistryError as error:
        _fail(str(error))
    except OSError as error:
        # What the system refuses where nothing else says so: the output of --help, one open file too many.
        output.drop()
        _fail(str(error).removeprefix(f"[Errno {error.errno}] "))


def _masked(sentence: str) -> str:
    """A sentence that quotes what was typed, also in the wrong place, without the names and passwords of URLs in it."""
    # Taken for the name of a file, a URL has lost one of its slashes. What is in capitals is our own example.
    shown = re.sub(r"(:/+)(?!/*[A-Z]+:PASSWORD@)\S*@", r"\1***@", sentence)
    return re.sub(r"(password=)[^&\s'\"]*", r"\1***", shown)


def _fail(sentence: str) -> NoReturn:
    output.tell(f"signet: {_masked(sentence)}")
    sys.exit(FAILED)
