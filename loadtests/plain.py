"""The obvious way: a FastAPI route in a thread that commits once per request. What group commit is measured against.

`SIGNET_PLAIN_STORE` names the SQLite file.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from typing import Any

from fastapi import FastAPI

app = FastAPI()
store = sqlite3.connect(os.environ["SIGNET_PLAIN_STORE"], check_same_thread=False)
store.executescript(
    """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS schemas (id INTEGER PRIMARY KEY, hash BLOB UNIQUE, text TEXT);
    CREATE TABLE IF NOT EXISTS versions (subject TEXT, version INTEGER, id INTEGER, PRIMARY KEY (subject, version));
    """
)
turn = threading.Lock()


@app.post("/subjects/{subject}/versions")
def register(subject: str, body: dict[str, Any]) -> dict[str, int]:
    """Store a schema under a subject and answer its id; nothing is checked."""
    text = str(body["schema"])
    with turn, store:
        digest = hashlib.sha256(text.encode()).digest()
        store.execute("INSERT OR IGNORE INTO schemas (hash, text) VALUES (?, ?)", (digest, text))
        (number,) = store.execute("SELECT id FROM schemas WHERE hash = ?", (digest,)).fetchone()
        query = "SELECT coalesce(max(version), 0) + 1 FROM versions WHERE subject = ?"
        (version,) = store.execute(query, (subject,)).fetchone()
        store.execute("INSERT INTO versions VALUES (?, ?, ?)", (subject, version, number))
    return {"id": number}
