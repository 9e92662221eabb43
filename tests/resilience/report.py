"""What each scenario did, as text on the terminal, as one JSON file each, and all of them as a page.

Usage: python -m tests.resilience.report FOLDER PAGE
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.resilience.oracle import Judgement

SECTIONS: Final = ("Killed", "The database", "Many clients", "Reading", "The machine", "Endurance")
HEAD: Final = """# Resilience: what was done to Signet, and what it lost

Signet promises that an acknowledged schema is never lost, never changed and never given a second id, whatever dies.
`tests/resilience` holds it to that: real nodes as processes on the loopback interface, over SQLite and over a real
PostgreSQL, clients that write down every answer, and an oracle that judges them afterwards. A short form runs with
every change; this page is written by the full one:

```sh
make resilience                                         # all of it; about two hours on two cores
make resilience ARGS='-k killed --count sqlite_kills=50'  # a part of it, with other counts
```

The oracle checks that no acknowledged write is missing or changed; that an id means one content, and a content has one
id, over all answers and all reads; that versions are 1, 2, 3 without gaps; that nothing is there of which every sender
was told that it was not written; that no read missed what was acknowledged before it began; that the answers of each
subject are linearizable (Wing and Gong's search); and that all nodes export the same. "Cannot now" is an answer that
says that nothing was written (503, or 50001); "without an answer" are requests whose connection broke: those may have
been written or not, and the oracle finds out which.
"""


@dataclass(slots=True)
class Account:
    """What a scenario did; it is complete when it says what was found."""

    section: str
    title: str
    counts: dict[str, int | float | str] = field(default_factory=dict)
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
        self.found = f"{len(judgement.findings)} findings" if judgement.findings else "nothing lost, changed or doubled"
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
    """The report as Markdown."""
    accounts = list(accounts)
    lines = [HEAD]
    for section in SECTIONS:
        rows = [account for account in accounts if account["section"] == section]
        if rows:
            lines += [f"## {section}", "", "| what was done | how often | what was checked | what was found |"]
            lines += ["| --- | --- | --- | --- |", *map(_row, rows), ""]
    return "\n".join(lines)


def _row(account: Mapping[str, Any]) -> str:
    counts = "<br>".join(f"{name.replace('_', ' ')} {_number(value)}" for name, value in account["counts"].items())
    found = "<br>".join([account["found"] or "**it did not come to an end**", *account["notes"]])
    return f"| {account['title']} | {counts} | {account['checked'].replace('; ', '<br>')} | {found} |"


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def main(folder: str, file: str) -> None:
    accounts = [json.loads(one.read_text()) for one in sorted(Path(folder).glob("*.json"))]
    Path(file).write_text(page(accounts))


if __name__ == "__main__":
    main(*sys.argv[1:])
