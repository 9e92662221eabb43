"""What is remembered across restarts: one JSON file for each answer.

Owns the folder's layout, its permissions and the test of what is read back; refuses to decide when an answer from
disk may serve. Files are written beside their place and moved there, so a reader never sees half of one; a file that
does not match its own checksum is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serdes._cache.memory import Key
from serdes.normal import normal_text
from serdes.schema import Association, RegisteredSchema, Schema

_log = logging.getLogger(__name__)


class Disk:
    """Answers by registry and question.

    Args:
        folder: where the files lie; made when it is missing.
        registry: the registry's URL, without credentials: two registries never share an answer.
        max_age_seconds: an older answer is as good as none.
        strict: whether a disk that cannot be written is an error; else it is logged, and no reason to fail.
    """

    def __init__(self, folder: Path, registry: str, max_age_seconds: float, *, strict: bool = False) -> None:
        # A digest: URLs may have characters that folders must not, and be longer than a name may be.
        self._folder = folder / hashlib.sha256(registry.encode()).hexdigest()[:16]
        self._registry = registry
        self._max_age_seconds = max_age_seconds
        self._strict = strict

    def load(self, key: Key) -> Any:
        """The answer to a question, or None."""
        path = self._path(key)
        try:
            return self._served(key, json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        # Also a file that is whole may have another form: of an earlier release, or of a later one.
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            _log.warning("%s in the disk cache cannot be read: %r", path.name, error)
            return None

    def _served(self, key: Key, stored: Any) -> Any:
        entry = stored["entry"]
        if stored["sha256"] != _checksum(entry) or entry["key"] != _plain(key):
            return None
        # A clock that was set back would otherwise make an answer young for ever.
        if not 0 <= time.time() - entry["saved"] <= self._max_age_seconds:
            return None
        return _answer(entry["answer"])

    def save(self, key: Key, answer: Any) -> None:
        """Write an answer down. Raises OSError when that fails, and the cache is strict."""
        with self._changing():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._path(key), {"key": _plain(key), "answer": _written(answer), "saved": time.time()})

    def forget(self, key: Key) -> None:
        """Drop the answer to a question. Raises as `save` does."""
        with self._changing():
            self._path(key).unlink(missing_ok=True)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        # A cache that came with an image may lie on a disk that nobody can write to.
        try:
            yield
        except OSError as error:
            if self._strict:
                raise
            _log.warning("the disk cache cannot be written: %s", error)

    def __iter__(self) -> Iterator[Path]:
        """The files of this registry."""
        return iter(sorted(self._folder.glob("*.json")))

    def _path(self, key: Key) -> Path:
        return self._folder / f"{hashlib.sha256(json.dumps(_plain(key)).encode()).hexdigest()}.json"


def _plain(key: Key) -> Any:
    """A question as JSON; a schema's text in normal form, so that its author's layout does not matter."""
    return [key.question, key.subject, _plain_part(key.rest)]


def _plain_part(part: Any) -> Any:
    if isinstance(part, Schema):
        return part.to_dict() | {"schema": normal_text(part.schema_str)}
    if isinstance(part, frozenset):
        return sorted(map(_plain_part, part))
    return [_plain_part(item) for item in part] if isinstance(part, (tuple, list)) else part


def _written(answer: Any) -> Any:
    if isinstance(answer, RegisteredSchema):
        return {"registered": answer.to_dict()}
    return {"associations": [association.to_dict() for association in answer]}


def _answer(written: Any) -> Any:
    if "registered" in written:
        return RegisteredSchema.from_dict(written["registered"])
    return [Association.from_dict(item) for item in written["associations"]]


def _checksum(entry: Any) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()


def _write(path: Path, entry: Any) -> None:
    # mkstemp makes files for their owner only, and beside their place a rename is one step.
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump({"sha256": _checksum(entry), "entry": entry}, file)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
