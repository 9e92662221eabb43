"""The four shapes that serdes are measured with: schema, value, and the schema of a reader that has moved on."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Payload:
    """A shape to measure."""

    name: str
    schema: Any
    value: Any
    evolved: Any

    @property
    def text(self) -> str:
        """The schema as JSON."""
        return json.dumps(self.schema)


def _record(name: str, *fields: tuple[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": field, "type": kind} for field, kind in fields]}


def _evolved(schema: dict[str, Any], dropped: str) -> dict[str, Any]:
    """The same record without one field, with two new ones."""
    evolved = copy.deepcopy(schema)
    evolved["fields"] = [field for field in evolved["fields"] if field["name"] != dropped]
    evolved["fields"].append({"name": "channel", "type": "string", "default": "web"})
    evolved["fields"].append({"name": "note", "type": ["null", "string"], "default": None})
    return evolved


FLAT = _record(
    "Flat", ("id", "long"), ("customer", "string"), ("sku", "string"), ("price", "double"), ("paid", "boolean")
)
_MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
_ADDRESS = _record("Address", ("street", "string"), ("city", "string"), ("zip", "string"))
_LINE = _record("Line", ("sku", "string"), ("quantity", "int"), ("price", "double"))
RICH = _record(
    "Rich",
    ("id", {"type": "string", "logicalType": "uuid"}),
    ("created", {"type": "long", "logicalType": "timestamp-millis"}),
    ("updated", {"type": "long", "logicalType": "timestamp-micros"}),
    ("due", {"type": "int", "logicalType": "date"}),
    ("total", _MONEY),
    ("tax", _MONEY),
    ("billing", _ADDRESS),
    ("shipping", "Address"),
    ("status", {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID", "SENT"]}),
    ("lines", {"type": "array", "items": _LINE}),
    ("tags", {"type": "array", "items": "string"}),
    ("labels", {"type": "map", "values": "string"}),
    ("counters", {"type": "map", "values": "long"}),
    ("coupon", ["null", "string"]),
    ("discount", ["null", "double"]),
    ("parent", ["null", "long"]),
    ("gift", ["null", "boolean"]),
    ("referrer", ["null", "string"]),
    ("amount", ["null", "int", "string"]),
    ("checksum", {"type": "fixed", "name": "Md5", "size": 16}),
    ("customer", "string"),
    ("email", "string"),
    ("currency", "string"),
    ("channel", "string"),
    ("quantity", "int"),
    ("sequence", "long"),
    ("weight", "double"),
    ("rate", "float"),
    ("active", "boolean"),
    ("payload", "bytes"),
)
VECTOR = _record("Vector", ("id", "long"), ("embedding", {"type": "array", "items": "float"}))

_FLAT_VALUE = {"id": 123456, "customer": "customer-42", "sku": "sku-000017", "price": 19.95, "paid": True}
_ADDRESS_VALUE = {"street": "12 Long Street", "city": "Springfield", "zip": "12345"}
_RICH_VALUE = {
    "id": UUID("0d1f7e0a-94b2-4d3c-8f53-0a4f0f3c9b11"),
    "created": datetime(2026, 5, 17, 12, 30, 45, 123000, tzinfo=UTC),
    "updated": datetime(2026, 5, 17, 12, 30, 45, 123456, tzinfo=UTC),
    "due": date(2026, 6, 1),
    "total": Decimal("1234.56"),
    "tax": Decimal("197.53"),
    "billing": _ADDRESS_VALUE,
    "shipping": _ADDRESS_VALUE,
    "status": "PAID",
    "lines": [{"sku": f"sku-{number:06}", "quantity": number + 1, "price": 9.99 * number} for number in range(3)],
    "tags": ["new", "priority", "europe"],
    "labels": {"team": "sales", "region": "eu"},
    "counters": {"views": 1024, "clicks": 17},
    "coupon": None,
    "discount": 0.15,
    "parent": 987654321,
    "gift": False,
    "referrer": "newsletter",
    "amount": 42,
    "checksum": bytes(range(16)),
    "customer": "customer-42",
    "email": "customer-42@example.com",
    "currency": "EUR",
    "channel": "web",
    "quantity": 6,
    "sequence": 9_007_199_254_740_993,
    "weight": 12.75,
    "rate": 0.5,
    "active": True,
    "payload": b"\x00\x01\x02\x03" * 8,
}

PAYLOADS = (
    Payload("key", {"type": "string"}, "customer-42", {"type": "bytes"}),
    Payload("flat", FLAT, _FLAT_VALUE, _evolved(FLAT, "sku")),
    Payload("rich", RICH, _RICH_VALUE, _evolved(RICH, "channel")),
    Payload(
        "vector",
        VECTOR,
        {"id": 7, "embedding": [number / 7 for number in range(768)]},
        _evolved(VECTOR, "none"),
    ),
)
