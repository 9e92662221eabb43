"""The registry's event stream, as far as a cache cares: which subjects have changed.

Server-sent events whose data are CloudEvents in JSON. Tolerant: whatever names a subject counts, whatever does not is
passed over.
"""

from __future__ import annotations

import json

PATH = "/signet/v1/events"


class Events:
    """A parser that is fed line by line."""

    def __init__(self) -> None:
        self._data: list[str] = []

    def feed(self, line: str) -> str | None:
        """The subject of the event that this line completes, or None."""
        if line.startswith("data:"):
            self._data.append(line[5:].removeprefix(" "))
        if line.strip() or not self._data:
            return None
        data, self._data = "\n".join(self._data), []
        return _subject(data)


def _subject(data: str) -> str | None:
    try:
        event = json.loads(data)
    except ValueError:
        return None
    subject = event.get("subject") if isinstance(event, dict) else None
    return subject if isinstance(subject, str) else None
