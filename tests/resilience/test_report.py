"""The page that tells what was done."""

import json
import subprocess
import sys

from tests.resilience.oracle import judge
from tests.resilience.report import Account


def test_the_page_tells_of_each_account_what_was_done_how_often_and_what_was_found(tmp_path) -> None:
    done, broken = Account("Killed", "kill -9 of a node"), Account("Reading", "a read that hung")
    done.did(kills=1200)
    done.note("it took a while")
    done.judged(judge([], {}))
    for number, account in enumerate((done, broken)):
        account.save(tmp_path / "accounts", str(number))
    page = tmp_path / "page.md"
    subprocess.run([sys.executable, "-m", "tests.resilience.report", tmp_path / "accounts", page], check=True)
    lines = page.read_text().splitlines()
    assert (
        "| kill -9 of a node | kills 1,200 | 0 | 0 | 0 | 0 | nothing lost, changed or doubled<br>it took a while |"
        in lines
    )
    assert "| a read that hung |  |  |  |  |  | **it did not come to an end** |" in lines


def test_an_account_keeps_its_figures_for_a_later_page(tmp_path) -> None:
    account = Account("Killed", "kill -9 of a node")
    account.did(kills=3, seconds=1.5)
    account.save(tmp_path, "one")
    assert json.loads((tmp_path / "one.json").read_text())["counts"] == {"kills": 3, "seconds": 1.5}
