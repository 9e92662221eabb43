"""The bounds of a schema, which Avro does not set and fastavro does not check.

Since types have names, a text of some kilobytes can mean a type that is thousands of levels deep, or one whose values
have 2**40 parts and no bytes. Owns the refusal of such schemas, before anything walks over them; refuses to know values
and payloads.
"""

from __future__ import annotations

from typing import Any

from fastavro.schema import SchemaParseException

from serdes.codec.definitions import BELOW, RECORDS, Definitions, parts, type_word
from serdes.codec.hazards import LONGEST_DECIMAL_BYTES

DEEPEST_TYPE = 250
"""How many types may stand within each other, apart from those that do by recursion."""
MOST_PARTS = 1_000_000
"""How many parts of constant size a value may have."""
MOST_DEFAULTS = 100_000
"""How many values all defaults of a schema may come to, with the defaults that stand in for what they leave out."""


def check_bounds(tree: Any, definitions: Definitions) -> None:
    """Raises SchemaParseException for a parsed schema that is beyond bounds, RecursionError far beyond them."""
    if _Levels(definitions).below(tree) > DEEPEST_TYPE:
        raise SchemaParseException(f"more than {DEEPEST_TYPE} types stand within each other")


class _Levels:
    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._records: dict[str, int] = {}
        self._defaults = 0

    def below(self, schema: Any) -> int:
        """How many types stand within each other from here on; a record within itself counts once."""
        schema = self._definitions.resolved(schema)
        word = type_word(schema)
        name = schema["name"] if word in RECORDS else None
        if name in self._records:
            return self._records[name]
        if name is not None:
            self._records[name] = 0
            _check_names(schema)
            for field in schema["fields"]:
                if isinstance(field.get("default"), (dict, list)):
                    self._check_default(field["type"], field["default"], 0)
        inner = parts(schema)
        levels = 1 + max(map(self.below, inner), default=0)
        if word == "union" and any(isinstance(part, list) for part in inner):
            raise SchemaParseException("a union stands within a union")
        if word == "fixed" and (type(schema["size"]) is not int or schema["size"] < 0):
            raise SchemaParseException(f"the size of {schema['name']} is no number of bytes")
        if word == "fixed" and schema.get("logicalType") == "decimal" and schema["size"] > LONGEST_DECIMAL_BYTES:
            raise SchemaParseException(f"the decimal {schema['name']} has more than {LONGEST_DECIMAL_BYTES:,} bytes")
        if name is not None:
            self._records[name] = levels
            constant = self._definitions.constant(schema)
            if constant is not None and constant.parts > MOST_PARTS:
                raise SchemaParseException(f"each value of {name} would have more than {MOST_PARTS:,} parts")
        return levels

    def _check_default(self, schema: Any, value: Any, levels: int) -> None:
        """A record that stands within its own default has no end when it is written."""
        self._defaults += 1
        if levels > DEEPEST_TYPE or self._defaults > MOST_DEFAULTS:
            raise SchemaParseException("defaults stand within each other without end")
        if not isinstance(value, (dict, list)):
            return
        schema = self._definitions.resolved(schema)
        if isinstance(schema, list):  # a default is of the first branch
            schema = self._definitions.resolved(schema[0]) if schema else "null"
        word = type_word(schema)
        if word in RECORDS and isinstance(value, dict):
            for field in schema["fields"]:
                self._check_default(field["type"], value.get(field["name"], field.get("default")), levels + 1)
        elif word in BELOW:
            for item in value.values() if isinstance(value, dict) else value:
                self._check_default(schema[BELOW[word]], item, levels + 1)


def _check_names(record: Any) -> None:
    for named in (record, *record["fields"]):
        if not isinstance(named["name"], str):
            raise SchemaParseException(f"{named['name']!r} in {record['name']} is no name")
        if not isinstance(named.get("aliases", []), list):
            raise SchemaParseException(f"the aliases of {named['name']} are no list")
