"""What the tests of the registry share: a summary of the known answers."""

import re
from collections import defaultdict

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell of each file of known answers how many vectors came out as known, where any were tried.

    A vector counts as passed when all that was asked of it is as known, and as a difference when a test recorded one.
    """
    tried: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            found = re.search(r"\[([\w-]+\.json):(.+)\]$", report.nodeid)
            if found and report.when == "call":
                differs = any(name == "difference" for name, _ in report.user_properties)
                tried[found[1]]["difference" if differs else outcome].add(found[2])
    for file, of in sorted(tried.items()):
        passed = of["passed"] - of["failed"] - of["difference"]
        terminalreporter.write_line(
            f"{file}: {len(set().union(*of.values()))} vectors, {len(passed)} passed, "
            f"{len(of['difference'] - of['failed'])} differ on purpose, {len(of['failed'])} failed"
        )
