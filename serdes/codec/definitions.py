"""The named types of a parsed schema, and which of them need a function of their own.

Knows fastavro's form of a parsed schema: dictionaries, lists for unions, full names.
"""

from __future__ import annotations

from typing import Any, NamedTuple

RECORDS = frozenset({"record", "error"})
NAMED = RECORDS | {"enum", "fixed"}
BELOW = {"array": "items", "map": "values"}
"""Under which key a type of many values has the type of them."""
SIZED = {"boolean": ("?", 1), "float": ("f", 4), "double": ("d", 8)}
"""Numbers of fixed size: what struct calls them, and the bytes they take."""
PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


def type_word(schema: Any) -> str:
    """The word of a type: `record`, `union`, `string`, or the full name of a named type."""
    if isinstance(schema, dict):
        return str(schema["type"])
    return "union" if isinstance(schema, list) else str(schema)


def parts(schema: Any) -> list[Any]:
    """What a schema that is no name consists of."""
    if isinstance(schema, list):
        return schema
    word = type_word(schema)
    if word in RECORDS:
        return [field["type"] for field in schema["fields"]]
    return [schema[BELOW[word]]] if word in BELOW else []


class Constant(NamedTuple):
    """A type whose values all take the same number of bytes, maybe none, and have the same number of parts."""

    size_bytes: int
    parts: int = 1


class Definitions:
    """Named types by full name."""

    def __init__(self, tree: Any) -> None:
        self._by_name: dict[str, Any] = {}
        self._uses: dict[str, int] = {}
        self._constants: dict[str, Constant | None] = {}
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

    def constant(self, schema: Any) -> Constant | None:
        """What every value is like; None where that differs, or where a record stands within itself."""
        schema = self.resolved(schema)
        word = type_word(schema)
        if word == "null":
            return Constant(0)
        if word == "fixed":
            return Constant(schema["size"])
        if word not in RECORDS:
            return Constant(SIZED[word][1]) if word in SIZED else None
        name = schema["name"]
        if name not in self._constants:
            self._constants[name] = None
            fields = [self.constant(field["type"]) for field in schema["fields"]]
            known = [field for field in fields if field is not None]
            if len(known) == len(fields):
                size_bytes = sum(field.size_bytes for field in known)
                self._constants[name] = Constant(size_bytes, sum(field.parts for field in known) or 1)
        return self._constants[name]

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
        # By the name of a primitive type fastavro means that type, whatever else is called so.
        if schema["type"] in NAMED and schema["name"] not in PRIMITIVES:
            self._by_name[schema["name"]] = schema
        for field in schema.get("fields", ()):
            self._walk(field["type"])
        for part in ("items", "values"):
            if part in schema:
                self._walk(schema[part])
