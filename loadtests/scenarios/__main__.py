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

from loadtests.servers import registry

FOLDER = Path(__file__).parent
SHARED = {"__init__", "__main__", "options", "registry_user", "stock"}
SCENARIOS = sorted(file.stem for file in FOLDER.glob("*.py") if file.stem not in SHARED)


def read_command_line() -> tuple[argparse.Namespace, list[str]]:
    """Our options, and those that go to Locust."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.scenarios", description=__doc__, allow_abbrev=False)
    parser.add_argument("scenario", nargs="?", default="mixed_day", choices=SCENARIOS)
    parser.add_argument("--url", help="the registry to load; without it one of our own is started, with SQLite")
    parser.add_argument("--users", default="50", help="users at the same time (50)")
    parser.add_argument("--run-time", default="30s", help="how long, as in 90s or 5m (30s)")
    parser.add_argument("--report", type=Path, help="the HTML report (report/load-SCENARIO.html)")
    parser.add_argument("--ui", action="store_true", help="open Locust's web page instead of running at once")
    return parser.parse_known_args()


def run(url: str, options: argparse.Namespace, rest: list[str]) -> int:
    """Run Locust and answer its exit code: 0 only if no request failed."""
    address = urlsplit(url)
    environment = dict(os.environ)
    if address.username:
        # Locust prints the URL and puts it into its report; a password belongs into neither.
        environment["LOAD_BASIC_AUTH"] = f"{unquote(address.username)}:{unquote(address.password or '')}"
        url = address._replace(netloc=address.netloc.rpartition("@")[2]).geturl()
    report = options.report or Path("report", f"load-{options.scenario}.html")
    report.parent.mkdir(parents=True, exist_ok=True)
    file = str(FOLDER / f"{options.scenario}.py")
    users = ["--users", options.users, "--spawn-rate", options.users, "--run-time", options.run_time]
    page = ["--web-host", "127.0.0.1"]
    how = page if options.ui else ["--headless", "--only-summary", "--html", str(report)]
    command = [sys.executable, "-m", "locust", "-f", file, "--host", url, *users, *how, *rest]
    print(f"{options.scenario}: {url}" + ("" if options.ui else f", report in {report}"), flush=True)
    return _finished(subprocess.Popen(command, env=environment))


def _finished(process: subprocess.Popen[bytes]) -> int:
    """Wait for Locust, which ends by itself after Ctrl-C, with its summary; SIGTERM is passed on."""
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def main() -> None:
    """Run the scenario that the command line names."""
    options, rest = read_command_line()
    if options.url:
        sys.exit(run(options.url, options, rest))
    with tempfile.TemporaryDirectory() as folder, registry(f"sqlite:{Path(folder, 'registry.db')}") as server:
        code = run(server.url, options, rest)
    sys.exit(code)


if __name__ == "__main__":
    main()
