"""A schema's text and the texts it refers to, as one self-contained parsed schema.

Owns inlining of references and the names of records; refuses to know the registry and the wire format.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fastavro.schema import SchemaParseException, UnknownType, parse_schema

from serdes.codec.bounds import check_bounds
from serdes.codec.definitions import NAMED, PRIMITIVES, Definitions
from serdes.codec.failures import FAILURES
from serdes.errors import SerializationError

_WORD = re.compile(r'\{"type":([^"\s{\[]+)\}')
_MEANT_A_NAME = '; the name of a type needs quotes, as in "string"'
_MEANT_A_FILE = "; it looks like the name of a file, and what the file holds is needed"


class AvroSchema(NamedTuple):
    """A parsed schema.

    text: the self-contained JSON, which tells two schemas apart. tree: what fastavro made of it. name: the full name
    of the record, enum or fixed, else the word of the type; None for a union.
    """

    text: str
    tree: Any
    name: str | None


def parse(text: str, referenced: Sequence[tuple[str, str]] = ()) -> AvroSchema:
    """Parse a schema.

    text: the schema. referenced: name and text of every schema that it refers to, directly or not, each after those
    that it needs itself.

    Raises SerializationError when a text is not an Avro schema or a name stays unknown.
    """
    try:
        definitions: dict[str, Any] = {}
        for name, reference_text in referenced:
            definitions.update(_definitions(name, json.loads(reference_text)))
        # A schema without references is taken as it is: nothing in it has to find another place.
        whole = _Inliner(definitions).inline(json.loads(text), "") if definitions else json.loads(text)
        tree = parse_schema(_interned(whole))
        named = Definitions(tree)
        check_bounds(tree, named)
    except (SchemaParseException, UnknownType, *FAILURES) as error:
        raise SerializationError(f"not an Avro schema that can be used: {_why(error)}") from error
    return AvroSchema(json.dumps(whole), _marked(tree, named), _name(tree, whole))


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        # A text that is neither an object nor a list was taken for the name of a type.
        word = _WORD.fullmatch(error.doc)
        hint = "" if word is None else _MEANT_A_FILE if word[1].endswith((".avsc", ".json")) else _MEANT_A_NAME
        return f"it is no JSON ({error}){hint}"
    if isinstance(error, UnknownType):
        return f"no type is called {error.name}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error) if isinstance(error, SchemaParseException) else repr(error)


def _interned(schema: Any) -> Any:
    """The same schema of interned texts: fastavro looks words up for every value, and finds the same object sooner."""
    if isinstance(schema, dict):
        return {sys.intern(word): _interned(part) for word, part in schema.items()}
    if isinstance(schema, list):
        return [_interned(part) for part in schema]
    return sys.intern(schema) if isinstance(schema, str) else schema


def _marked(tree: Any, definitions: Definitions) -> Any:
    """A parsed schema, marked as parsed, with those named types alone that are used by name.

    For every record fastavro copies the named types, and parses what has no mark: the schema of a string key.
    """
    if not isinstance(tree, dict):
        return tree
    return tree | {"__fastavro_parsed": True, "__named_schemas": definitions.used_by_name()}


def _name(tree: Any, whole: Any) -> str | None:
    if isinstance(tree, dict):
        return tree.get("name") or tree.get("type")
    if isinstance(tree, str):
        return tree
    return whole.get("type") if isinstance(whole, dict) else None


def full_name(name: str, namespace: str) -> str:
    """A name as seen from a namespace."""
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _definitions(name: str, schema: Any) -> dict[str, Any]:
    """A referenced schema under the name of the reference and under its own full name."""
    found = {name: schema}
    if isinstance(schema, dict) and "name" in schema:
        found[full_name(schema["name"], schema.get("namespace") or "")] = schema
    return found


class _Inliner:
    """Puts the definition of each referenced name where the name is first used."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._placed: set[str] = set()

    def inline(self, schema: Any, namespace: str) -> Any:
        """The schema with definitions in place; `namespace` is the one it stands in."""
        if isinstance(schema, str):
            return self._named(schema, namespace)
        if isinstance(schema, list):
            return [self.inline(branch, namespace) for branch in schema]
        return self._complex(schema, namespace)

    def _named(self, name: str, namespace: str) -> Any:
        if name in PRIMITIVES:
            return name
        full = full_name(name, namespace)
        known = full if full in self._definitions or full in self._placed else name
        if known in self._placed or known not in self._definitions:
            return known
        self._placed.add(known)
        definition = self._definitions[known]
        if isinstance(definition, dict) and definition.get("type") in NAMED and "namespace" not in definition:
            definition = definition | {"namespace": known.rpartition(".")[0] if "." in definition["name"] else ""}
        return self.inline(definition, "")

    def _complex(self, schema: dict[str, Any], namespace: str) -> Any:
        kind = schema.get("type")
        if kind in ("record", "error"):
            full = full_name(schema["name"], schema.get("namespace", namespace))
            self._placed.add(full)
            inner = full.rpartition(".")[0]
            inlined = [field | {"type": self.inline(field["type"], inner)} for field in schema["fields"]]
            return schema | {"fields": inlined}
        if kind in ("enum", "fixed"):
            self._placed.add(full_name(schema["name"], schema.get("namespace", namespace)))
            return schema
        for part in ("items", "values"):
            if part in schema:
                return schema | {part: self.inline(schema[part], namespace)}
        return schema if kind in PRIMITIVES else schema | {"type": self.inline(kind, namespace)}
