"""The limit: an ASGI application that reads the request and answers with fixed headers and bytes, and nothing else.

`SIGNET_BARE_ANSWER` names a JSON file with `headers`, pairs of texts, and `body`, a text: an answer of the registry.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

ANSWER = json.loads(Path(os.environ["SIGNET_BARE_ANSWER"]).read_text())
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(name.encode(), value.encode()) for name, value in ANSWER["headers"]],
}
END = {"type": "http.response.body", "body": ANSWER["body"].encode()}


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer every HTTP request with the same bytes."""
    if scope["type"] != "http":
        return
    if scope["method"] == "POST":
        while (await receive()).get("more_body"):
            pass
    await send(START)
    await send(END)
