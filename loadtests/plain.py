"""The obvious way: a FastAPI route in a thread that commits once per request. What group commit is measured against.

`app` stores a text unseen; `checked` does what a registry is for in the obvious way too: pydantic models, avro's own
parser and checker, nothing remembered. `SIGNET_PLAIN_STORE` names the SQLite file.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
from typing import Any

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from fastapi import FastAPI, HTTPException
from fastavro.schema import to_parsing_canonical_form
from pydantic import BaseModel, Field

app, checked = FastAPI(), FastAPI()
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


class Registration(BaseModel):
    """A schema to register."""

    text: str = Field(alias="schema")
    schema_type: str = Field("AVRO", alias="schemaType")


class Registered(BaseModel):
    """The id of a schema."""

    id: int


def stored(subject: str, text: str, meaning: str) -> int:
    """The id of a text under a subject, whose turn it is; texts of one meaning have one id."""
    digest = hashlib.sha256(meaning.encode()).digest()
    store.execute("INSERT OR IGNORE INTO schemas (hash, text) VALUES (?, ?)", (digest, text))
    (number,) = store.execute("SELECT id FROM schemas WHERE hash = ?", (digest,)).fetchone()
    query = "SELECT coalesce(max(version), 0) + 1 FROM versions WHERE subject = ?"
    (version,) = store.execute(query, (subject,)).fetchone()
    store.execute("INSERT INTO versions VALUES (?, ?, ?)", (subject, version, number))
    return int(number)


@app.post("/subjects/{subject}/versions")
def register(subject: str, body: dict[str, Any]) -> dict[str, int]:
    """Store a schema under a subject and answer its id; nothing is checked."""
    text = str(body["schema"])
    with turn, store:
        return {"id": stored(subject, text, text)}


@checked.post("/subjects/{subject}/versions")
def register_checked(subject: str, body: Registration) -> Registered:
    """The same for a schema that is one, and can read what its predecessor wrote."""
    reader = avro.schema.parse(body.text)
    meaning = to_parsing_canonical_form(json.loads(body.text))
    with turn, store:
        query = "SELECT text FROM versions JOIN schemas USING (id) WHERE subject = ? ORDER BY version DESC LIMIT 1"
        for (text,) in store.execute(query, (subject,)).fetchall():
            checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]  # avro does not annotate it
            verdict = checker.get_compatibility(reader, avro.schema.parse(text))
            if verdict.compatibility is not SchemaCompatibilityType.compatible:
                raise HTTPException(409, "incompatible")
        return Registered(id=stored(subject, body.text, meaning))
