"""What each scenario did, as text on the terminal, as one JSON file each, and all of them as a page.

Usage: python -m tests.resilience.report FOLDER PAGE
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.resilience.database import release
from tests.resilience.oracle import Judgement

SECTIONS: Final = ("Killed", "The database", "Many clients", "Reading", "The machine", "Endurance")
TEMPLATE: Final = Path(__file__).with_name("page.md")
NOTHING: Final = "nothing lost, changed or doubled"
COLUMNS: Final = ("what was done", "how often", "acknowledged", "cannot now", "no answer", "versions", "what was found")


@dataclass(slots=True)
class Account:
    """What a scenario did; it is complete when it says what was found."""

    section: str
    title: str
    counts: dict[str, int | float | str] = field(default_factory=dict)
    acknowledged: int | None = None
    unavailable: int | None = None
    unknown: int | None = None
    versions: int | None = None
    checked: str = ""
    found: str = ""
    notes: list[str] = field(default_factory=list)

    def did(self, **counts: float | str) -> None:
        """Say how often something was done."""
        self.counts.update(counts)

    def note(self, sentence: str) -> None:
        """Say something that was measured."""
        self.notes.append(sentence)

    def judged(self, judgement: Judgement) -> None:
        """Take over what the oracle found, and fail when that is anything."""
        self.checked = str(judgement)
        self.acknowledged, self.versions = judgement.acknowledged, judgement.versions
        self.unavailable, self.unknown = judgement.unavailable, judgement.unknown
        self.found = f"**{len(judgement.findings)} findings**" if judgement.findings else NOTHING
        judgement.require()

    def __str__(self) -> str:
        said = [f"{name.replace('_', ' ')} {_number(value)}" for name, value in self.counts.items()]
        return ". ".join(
            one for one in (f"{self.title}: {', '.join(said)}", self.checked, *self.notes, self.found) if one
        )

    def save(self, folder: Path, name: str) -> None:
        """Keep it for the page."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(asdict(self), indent=1))


def page(accounts: Iterable[Mapping[str, Any]]) -> str:
    """The report as Markdown: a table for each section, and where they were measured."""
    accounts = list(accounts)
    lines = []
    for section in SECTIONS:
        rows = [account for account in accounts if account["section"] == section]
        if rows:
            lines += [f"## {section}", "", _line(COLUMNS), _line("---" for _ in COLUMNS), *map(_row, rows), ""]
    releases = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version} and PostgreSQL {release()}"
    lines += [f"Measured on {os.cpu_count()} cores, with {releases}.", ""]
    return TEMPLATE.read_text().replace("{tables}\n", "\n".join(lines) + "\n")


def _row(account: Mapping[str, Any]) -> str:
    counts = "<br>".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in account["counts"].items())
    answers = [account[name] for name in ("acknowledged", "unavailable", "unknown", "versions")]
    found = "<br>".join([account["found"] or "**it did not come to an end**", *account["notes"]])
    return _line([account["title"], counts, *("" if answer is None else _number(answer) for answer in answers), found])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def main(folder: str, file: str) -> None:
    accounts = [json.loads(one.read_text()) for one in sorted(Path(folder).glob("*.json"))]
    Path(file).write_text(page(accounts))


if __name__ == "__main__":
    main(*sys.argv[1:])
