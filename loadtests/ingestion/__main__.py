"""`python -m loadtests.ingestion`: measure, print the report, and write it into docs/ingestion.md and its picture.

Options that are not listed here go to Locust as they are, as `--rounds 3` does.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from loadtests.ingestion import table
from loadtests.ingestion.observation import Run
from loadtests.ingestion.plot import draw
from loadtests.scenarios.options import count

ROOT = Path(__file__).parents[2]
SENDERS = Path(__file__).with_name("senders.py")


def users(text: str) -> int:
    """How many users: each of three gateways gets one at least while all are under load. Raises ArgumentTypeError."""
    if count(text) < 3:
        raise argparse.ArgumentTypeError(f"must be at least 3, one for each gateway, not {text!r}")
    return int(text)


def measure(observations: Path, senders: int, rest: list[str]) -> None:
    """Let Locust run the measurement; ends the program when that fails."""
    observations.parent.mkdir(parents=True, exist_ok=True)
    observations.unlink(missing_ok=True)
    html = ["--html", str(observations.with_suffix(".html"))]
    how = ["--headless", "--only-summary", "--users", str(senders), "--spawn-rate", str(senders), *html]
    # Requests fail on purpose while the registry is down; table.complaints judges which ones may.
    how += ["--exit-code-on-error", "0", "--observations", str(observations)]
    code = subprocess.run([sys.executable, "-m", "locust", "-f", str(SENDERS), *how, *rest], check=False).returncode
    if code or not observations.exists():
        sys.exit(f"The measurement failed (exit code {code}).")


def report(run: Run, docs: Path) -> None:
    """Print the tables, and put them and the picture into the folder.

    Raises OSError when that cannot be done, ValueError when requests failed that must not.
    """
    text = table.markdown(run)
    print(text)
    complaints = table.complaints(run)
    if complaints:
        raise ValueError("; ".join(complaints))
    table.write(docs / "ingestion.md", text)
    draw(run, docs / "ingestion.png")


def main() -> None:
    """Measure or take what was seen before, and report; ends with 1 when requests failed that must not."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.ingestion", description=__doc__, allow_abbrev=False)
    parser.add_argument("--observations", type=Path, default=ROOT / "report" / "ingestion.json", help="what was seen")
    parser.add_argument("--again", action="store_true", help="report the observations of an earlier run")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where ingestion.md and its picture are")
    parser.add_argument("--users", type=users, default=32, help="users that send single records, 3 or more (32)")
    options, rest = parser.parse_known_args()
    try:
        table.around(options.docs / "ingestion.md")  # rather now than after some minutes
        if not options.again:
            measure(options.observations, options.users, rest)
        report(Run.load(options.observations), options.docs)
    except (OSError, ValueError) as error:
        sys.exit(f"The report could not be written: {error}")
    except KeyboardInterrupt:
        sys.exit("The measurement was interrupted, and nothing was written.")


if __name__ == "__main__":
    main()
