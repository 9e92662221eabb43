"""The named types of a parsed schema, and which of them need a function of their own.

Knows fastavro's form of a parsed schema: dictionaries, lists for unions, full names.
"""

from __future__ import annotations

from typing import Any

RECORDS = frozenset({"record", "error"})
NAMED = RECORDS | {"enum", "fixed"}
BELOW = {"array": "items", "map": "values"}
"""Under which key a type of many values has the type of them."""
SIZED = {"boolean": ("?", 1), "float": ("f", 4), "double": ("d", 8)}
"""Numbers of fixed size: what struct calls them, and the bytes they take."""


def type_word(schema: Any) -> str:
    """The word of a type: `record`, `union`, `string`, or the full name of a named type."""
    if isinstance(schema, dict):
        return str(schema["type"])
    return "union" if isinstance(schema, list) else str(schema)


class Definitions:
    """Named types by full name."""

    def __init__(self, tree: Any) -> None:
        self._by_name: dict[str, Any] = {}
        self._uses: dict[str, int] = {}
        self._sizes: dict[str, int | None] = {}
        self._walk(tree)

    def resolved(self, schema: Any) -> Any:
        """The schema itself, or what its name means."""
        return self._by_name.get(schema, schema) if isinstance(schema, str) else schema

    def name(self, branch: Any) -> str:
        """By which a pair names a branch of a union: the full name of a named type, the word of any other."""
        branch = self.resolved(branch)
        return str(branch["name"]) if isinstance(branch, dict) and "name" in branch else type_word(branch)

    def parsed(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema made of parsed parts, marked as parsed: parsing those parts again would misread their names."""
        return schema | {"__fastavro_parsed": True, "__named_schemas": self._by_name}

    def shared(self, name: str) -> bool:
        """Whether a record is used by name too: then it gets a function; else it stands where it is defined."""
        return self._uses.get(name, 0) > 0

    def fixed_bytes(self, schema: Any) -> int | None:
        """How many bytes every value takes; None where that differs, or where a record stands within itself."""
        schema = self.resolved(schema)
        word = type_word(schema)
        if word == "fixed":
            return int(schema["size"])
        if word not in RECORDS:
            return 0 if word == "null" else SIZED.get(word, ("", None))[1]
        name = schema["name"]
        if name not in self._sizes:
            self._sizes[name] = None
            sizes = [self.fixed_bytes(field["type"]) for field in schema["fields"]]
            self._sizes[name] = None if None in sizes else sum(size or 0 for size in sizes)
        return self._sizes[name]

    def used_by_name(self) -> dict[str, Any]:
        """The named types that are used by name, apart from where they are defined."""
        return {name: schema for name, schema in self._by_name.items() if name in self._uses}

    def _walk(self, schema: Any) -> None:
        # A primitive type as well, which does no harm: nobody asks how often it is used.
        if isinstance(schema, str):
            self._uses[schema] = self._uses.get(schema, 0) + 1
        elif isinstance(schema, list):
            for branch in schema:
                self._walk(branch)
        else:
            self._walk_dict(schema)

    def _walk_dict(self, schema: dict[str, Any]) -> None:
        if schema["type"] in NAMED:
            self._by_name[schema["name"]] = schema
        for field in schema.get("fields", ()):
            self._walk(field["type"])
        for part in ("items", "values"):
            if part in schema:
                self._walk(schema[part])
