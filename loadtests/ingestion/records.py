"""The records that are ingested: page views of ten fields, as JSON and as an Avro schema."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "PageView",
        "namespace": "shop.web",
        "fields": [
            {"name": "view_id", "type": "string"},
            {"name": "viewed_at", "type": "long", "doc": "Milliseconds since 1970-01-01T00:00:00Z."},
            {"name": "user_id", "type": ["null", "long"], "default": None},
            {"name": "page", "type": "string"},
            {"name": "referrer", "type": ["null", "string"], "default": None},
            {"name": "country", "type": "string"},
            {"name": "seconds", "type": "double"},
            {"name": "height_pixels", "type": "int"},
            {"name": "mobile", "type": "boolean"},
            {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []},
        ],
    }
)


def records(seed: int = 1) -> Iterator[dict[str, Any]]:
    """Records without end, the same ones for the same seed."""
    chance = random.Random(seed)
    while True:
        yield {
            "view_id": str(UUID(int=chance.getrandbits(128), version=4)),
            "viewed_at": 1_790_000_000_000 + chance.randrange(10_000_000),
            "user_id": chance.choice((None, chance.randrange(10_000_000))),
            "page": f"/articles/{chance.randrange(100_000)}",
            "referrer": chance.choice((None, "https://search.example/?q=avro")),
            "country": chance.choice(("DE", "FR", "JP", "US")),
            "seconds": round(chance.expovariate(0.05), 3),
            "height_pixels": chance.choice((667, 844, 1080, 1440)),
            "mobile": chance.random() < 0.6,
            "tags": chance.sample(("new", "sale", "premium", "outlet"), chance.randrange(3)),
        }
