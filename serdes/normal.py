"""The normal form of a schema's text: equal for texts that differ only in how they are written down.

Registries return their own printing of a schema; what one program has on disk must be found by another that holds
the text as its author wrote it. Owns that equality, which is stricter than Avro's parsing canonical form: defaults,
logical types, documentation and aliases count.
"""

from __future__ import annotations

import json
from typing import Any

_NAMED = frozenset({"record", "error", "enum", "fixed"})


def normal_text(schema: str) -> str:
    """The normal form of a schema; a text that is not JSON is its own."""
    try:
        return json.dumps(_normal(json.loads(schema), ""), sort_keys=True, separators=(",", ":"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return schema


def _normal(schema: Any, namespace: str) -> Any:
    if isinstance(schema, str):
        return schema
    if isinstance(schema, list):
        return [_normal(branch, namespace) for branch in schema]
    # A type in an object of its own is the type itself.
    if set(schema) == {"type"}:
        return _normal(schema["type"], namespace)
    normal = dict(schema)
    if schema["type"] in _NAMED:
        namespace = normal.pop("namespace", namespace) or ""
        normal["name"] = _full(schema["name"], namespace)
        namespace = normal["name"].rpartition(".")[0]
    for part in ("items", "values"):
        if part in schema:
            normal[part] = _normal(schema[part], namespace)
    if "fields" in schema:
        normal["fields"] = [_field(field, namespace) for field in schema["fields"]]
    return normal


def _full(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _field(field: dict[str, Any], namespace: str) -> dict[str, Any]:
    normal = field | {"type": _normal(field["type"], namespace)}
    # What is meant anyway need not be said.
    if normal.get("order") == "ascending":
        del normal["order"]
    return normal
