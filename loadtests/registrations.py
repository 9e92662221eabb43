"""The requests of the server's benchmark and load scenarios: schemas of a given width, and what registers them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from loadtests.http_load import request

TYPES = ("string", "long", "double", "boolean", ["null", "string"], {"type": "array", "items": "long"})


def record_schema(fields: int, *, name: str = "Order", extra: int = 0) -> str:
    """A record schema with this many fields of mixed types, and `extra` more that have defaults."""
    members = [{"name": f"field_{index}", "type": TYPES[index % len(TYPES)]} for index in range(fields)]
    added = [{"name": f"added_{index}", "type": "long", "default": index} for index in range(extra)]
    return json.dumps({"type": "record", "name": name, "namespace": "shop.orders", "fields": members + added})


def registration(schema: str) -> bytes:
    """The body that registers a schema."""
    return json.dumps({"schema": schema, "schemaType": "AVRO"}).encode()


def new_subjects(count: int, prefix: str) -> Iterator[bytes]:
    """Requests that each register a new schema under a new subject."""
    for index in range(count):
        body = registration(record_schema(10, name=f"Order{prefix}{index}"))
        yield request("POST", f"/subjects/{prefix}-{index}/versions", body)


def evolutions(count: int, prefix: str, subjects: int) -> Iterator[bytes]:
    """Requests that each add one field with a default to the schema of a subject, in turn over the subjects.

    Every subject has a record of its own, so that nothing that was parsed or judged for one serves another.
    """
    for index in range(count):
        body = registration(record_schema(9, name=f"Order{prefix}{index % subjects}", extra=1 + index // subjects))
        yield request("POST", f"/subjects/{prefix}-{index % subjects}/versions", body)
