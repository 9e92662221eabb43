"""What a restored registry gives out, and what it does not."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from registry.errors import StoreUnusable
from registry.transfer import back_up, digest, replay, restore

pytestmark = pytest.mark.anyio


def register(url: str, subject: str, number: int) -> int:
    """Register a schema that is there nowhere else, and answer with its id."""
    schema = f'{{"type":"fixed","name":"F{number}","size":{number}}}'
    answer = httpx.post(f"{url}/subjects/{subject}/versions", json={"schema": schema})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def test_no_id_that_was_acknowledged_after_the_backup_is_given_out_again(start_registry, signet, tmp_path) -> None:
    served = start_registry(store=f"sqlite:{tmp_path}/signet.db")
    before = [register(served.url, f"s{number}", number) for number in range(1, 6)]
    signet("backup", f"{tmp_path}/backup.db", "--store", f"sqlite:{tmp_path}/signet.db")
    lost = {register(served.url, f"s{number}", number) for number in range(6, 11)}
    lost |= {register(served.url, f":.late:s{number}", number) for number in range(1, 4)}
    served.process.kill()
    signet("restore", f"{tmp_path}/backup.db", "--store", f"sqlite:{tmp_path}/new.db", "--reserve-ids", "20")
    again = start_registry(store=f"sqlite:{tmp_path}/new.db")
    assert register(again.url, "s1", 1) == before[0]
    given = {register(again.url, f"t{number}", number) for number in range(20, 25)}
    given |= {register(again.url, f":.late:t{number}", number) for number in range(20, 25)}
    assert not given & lost


async def test_what_is_restored_is_what_was_backed_up_and_higher_marks(store, append, version_of, tmp_path) -> None:
    await append(store, [version_of("s", 1, 7), version_of(":.c:s", 1, 3)])
    url, file = f"sqlite:{tmp_path}/store.db", tmp_path / "backup.db"
    held = await back_up(url, file)
    assert digest(held) == digest(await replay(store))
    restored = await restore(file, f"sqlite:{tmp_path}/new.db")
    assert restored.highest_ids() == {".": 1007, ".c": 1003, ".__GLOBAL": 1000}
    assert (restored.position, len(list(restored.subjects()))) == (3, 2)


async def test_marks_grow_with_every_restore(store, append, version_of, tmp_path) -> None:
    await append(store, [version_of("s", 1, 7)])
    await back_up(f"sqlite:{tmp_path}/store.db", tmp_path / "1.db")
    await restore(tmp_path / "1.db", f"sqlite:{tmp_path}/2.db", 10)
    again = await restore(tmp_path / "2.db", f"sqlite:{tmp_path}/3.db", 10)
    assert again.highest_ids() == {".": 27, ".__GLOBAL": 20}


@pytest.mark.parametrize("url", ["memory:", "postgresql://me:secret@host/x"])
async def test_only_files_are_backed_up_and_restored(url) -> None:
    with pytest.raises(StoreUnusable, match=r"^signet backup copies SQLite files; .* pg_dump or with signet export$"):
        await back_up(url, Path("backup.db"))
    with pytest.raises(StoreUnusable, match=r"^signet restore makes SQLite files; .* signet import sqlite:FILE"):
        await restore(Path("backup.db"), url)
