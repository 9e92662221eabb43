"""`python -m loadtests.scenarios`: run a scenario against a registry, or against one of our own.

Owns the few options that `make load` offers; everything else goes to Locust as it is.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from loadtests.scenarios.options import OPTIONS, count
from loadtests.servers import registry

FOLDER = Path(__file__).parent
SHARED = {"__init__", "__main__", "options", "registry_user", "stock"}
SCENARIOS = sorted(file.stem for file in FOLDER.glob("*.py") if file.stem not in SHARED)


RUN_TIME, RUN_TIMES = "30s", {"cold_start": "10m"}
"""How long a run lasts that is told nothing else; a cold start ends by itself, with its last producer."""


def registry_url(text: str) -> str:
    """The URL of a registry. Raises ArgumentTypeError."""
    try:
        address = urlsplit(text)
        sound = address.scheme in ("http", "https") and address.hostname and address.port != 0
    except ValueError:  # no such port, or a bracket too many
        sound = False
    if not sound:
        raise argparse.ArgumentTypeError(f"must be like http://host:8081, not {text!r}")
    return text


def read_command_line() -> tuple[argparse.Namespace, list[str]]:
    """Our options, and those that go to Locust."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.scenarios",
        description="Run a scenario against a registry, or against one of our own.",
        epilog=f"Options of the scenarios, see loadtests/README.md: {', '.join(one.flag for one in OPTIONS)}. "
        "All other options are Locust's.",
        allow_abbrev=False,
    )
    parser.add_argument("scenario", choices=SCENARIOS, help="mixed_day if not told")
    url = "the registry to load; without it one of our own is started, with SQLite"
    parser.add_argument("--url", type=registry_url, help=url)
    parser.add_argument("--users", type=count, default=50, help="users at the same time (50)")
    run_time = "how long at most, as in 90s or 5m (30s; cold_start, which ends with its last producer: 10m)"
    parser.add_argument("--run-time", help=run_time)
    parser.add_argument("--report", type=Path, help="the HTML report (report/load-SCENARIO.html)")
    parser.add_argument("--ui", action="store_true", help="open Locust's web page instead of running at once")
    given = sys.argv[1:]
    if not given or (given[0].startswith("-") and not set(given) & set(SCENARIOS)):
        # Otherwise the value of an option that only Locust knows would be taken for the scenario.
        given.insert(0, "mixed_day")
    return parser.parse_known_args(given)


def run(url: str, options: argparse.Namespace, rest: list[str]) -> int:
    """Run Locust and answer its exit code: 0 only if there were requests and none failed."""
    address = urlsplit(url)
    environment = dict(os.environ)
    if address.username:
        # Locust prints the URL and puts it into its report; a password belongs into neither.
        environment["LOAD_BASIC_AUTH"] = f"{unquote(address.username)}:{unquote(address.password or '')}"
        url = address._replace(netloc=address.netloc.rpartition("@")[2]).geturl()
    report = options.report or Path("report", f"load-{options.scenario}.html")
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        # Locust would find out after the run.
        report.open("a").close()
    except OSError as error:
        print(f"The report cannot be written to {report}: {error.strerror}", file=sys.stderr)
        return 2
    file = str(FOLDER / f"{options.scenario}.py")
    time = options.run_time or RUN_TIMES.get(options.scenario, RUN_TIME)
    users = ["--users", str(options.users), "--spawn-rate", str(options.users), "--run-time", time]
    page = ["--web-host", "127.0.0.1"]
    how = page if options.ui else ["--headless", "--only-summary", "--html", str(report)]
    command = [sys.executable, "-m", "locust", "-f", file, "--host", url, *users, *how, *rest]
    print(f"{options.scenario}: {url}" + ("" if options.ui else f", report in {report}"), flush=True)
    return _finished(subprocess.Popen(command, env=environment))


def _finished(process: subprocess.Popen[bytes]) -> int:
    """Wait for Locust, which gets Ctrl-C as well and ends by itself, with its summary; other signals are passed on."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
        except SystemExit:
            process.send_signal(signal.SIGINT)


def main() -> None:
    """Run the scenario that the command line names."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    options, rest = read_command_line()
    if options.url:
        sys.exit(run(options.url, options, rest))
    with (
        tempfile.TemporaryDirectory() as folder,
        # It is needed until the subjects of the run are deleted.
        registry(f"sqlite:{Path(folder, 'registry.db')}", hears_ctrl_c=False) as server,
    ):
        code = run(server.url, options, rest)
    sys.exit(code)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
