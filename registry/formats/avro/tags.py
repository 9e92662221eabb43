"""Inline tags: the property `confluent:tags` of records and fields.

Owns how a tagged entity is found by its path (`namespace.Record`, `namespace.Record.field`) and how tags are added and
removed in a text, as Confluent does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from registry.errors import UnparsableSchema
from registry.formats.avro.json_reader import read_json
from registry.formats.avro.json_writer import json_text
from registry.formats.avro.types import JsonValue, Node, Props, Record
from registry.formats.protocol import InlineTags

_TAGS: Final = "confluent:tags"
_RECORD: Final = "sr_record"
_FIELD: Final = "sr_field"


def inline_tags(root: Node) -> Iterator[InlineTags]:
    """Every tagged record and field, in order of appearance."""
    visited: set[str] = set()
    stack: list[Node | InlineTags] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, InlineTags):
            if item.tags:
                yield item
        elif not isinstance(item, Record):
            stack.extend(reversed(item.below))
        elif item.name.full not in visited:
            visited.add(item.name.full)
            stack.extend(reversed([*_entities(item)]))


def _entities(record: Record) -> Iterator[Node | InlineTags]:
    yield InlineTags(record.name.full, _RECORD, _own_tags(record.props))
    for field in record.fields.values():
        yield InlineTags(f"{record.name.full}.{field.name}", _FIELD, _own_tags(field.props))
        yield field.type


def _own_tags(props: Props | dict[str, JsonValue]) -> tuple[str, ...]:
    given = props.get(_TAGS)
    if not isinstance(given, list):
        return ()
    return tuple(dict.fromkeys(tag if isinstance(tag, str) else json_text(tag) for tag in given))


def retagged(text: str, add: Sequence[InlineTags], remove: Sequence[InlineTags]) -> str:
    """The text after adding tags to, then removing tags from, the entities that the paths name.

    Raises UnparsableSchema when a path names no record or field of the text.
    """
    # The text is edited, not the nodes: whatever is not a tag stays as it is.
    schema, _ = read_json(text)
    for path, kind in dict.fromkeys((entity.path.removeprefix("."), entity.kind) for entity in [*add, *remove]):
        entity = _find(schema, path, kind)
        tags = dict.fromkeys([*_own_tags(entity), *_tags_for(add, path, kind)])
        gone = set(_tags_for(remove, path, kind))
        left: list[JsonValue] = [tag for tag in tags if tag not in gone]
        # Java's `replace`: a property that was there keeps its place.
        if left:
            entity[_TAGS] = left
        else:
            entity.pop(_TAGS, None)
    return json_text(schema)


def _tags_for(entities: Iterable[InlineTags], path: str, kind: str) -> Iterator[str]:
    for entity in entities:
        if entity.path.removeprefix(".") == path and entity.kind == kind:
            yield from entity.tags


def _find(schema: JsonValue, path: str, kind: str) -> dict[str, JsonValue]:
    """The JSON object of a record or field, searched breadth first."""
    record, _, field = path.rpartition(".") if kind == _FIELD else (path, "", "")
    namespace, _, name = record.rpartition(".")
    queue: deque[tuple[JsonValue, str]] = deque([(schema, "")])
    while queue:
        node, outer = queue.popleft()
        if isinstance(node, list):
            queue.extend((branch, outer) for branch in node)
        if not isinstance(node, dict):
            continue
        space = str(node.get("namespace", outer))
        if not (_is_record(node) and node.get("name") == name and namespace in {"", space}):
            queue.extend((below, space) for below in _below(node))
            continue
        # What stands inside a record that has the path's name is not searched.
        found = node if kind == _RECORD else _named(node["fields"], field)
        if found is not None:
            return found
    raise UnparsableSchema(f"No matching path '{path}' found in the schema")


def _is_record(node: dict[str, JsonValue]) -> bool:
    return node.get("type") == "record" and isinstance(node.get("fields"), list)


def _below(node: dict[str, JsonValue]) -> list[JsonValue]:
    """Where to search on: the fields of a record, the type of anything else."""
    word = node.get("type")
    fields = node.get("fields")
    if word == "record" and isinstance(fields, list):
        return fields
    return [node.get({"array": "items", "map": "values"}.get(str(word), "type"))]


def _named(fields: JsonValue, name: str) -> dict[str, JsonValue] | None:
    for entry in fields if isinstance(fields, list) else []:
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry
    return None
