"""The JSON objects that answers are made of, in Confluent's member order.

Follows section 1 of Confluent's REST API: what is null, "" or an empty list is left out; `{}`, false and 0 stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

import orjson
from msgspec import Struct
from msgspec.structs import replace

from registry.formats.protocol import InlineTags
from registry.operations import Bound, Details, Plan, Stored
from registry.rules.compatibility import Objection
from registry.shapes import Json, association_json, metadata_json, present, reference_json, rule_set_json


class Shown(Struct, frozen=True, gc=False):
    """A version as a client asked to see it."""

    stored: Stored
    text: str
    tags: Sequence[InlineTags] = ()
    max_id: int | None = None
    subjects: Sequence[str] | None = None
    references_qualified: bool = False


SCHEMA: Final = (
    "subject",
    "version",
    "id",
    "guid",
    "schemaType",
    "references",
    "metadata",
    "schema",
    "schemaTags",
    "ts",
    "deleted",
    "ruleSet",
)
"""Members of a `Schema`: a version of a subject."""

SCHEMA_STRING: Final = (
    "subject",
    "version",
    "guid",
    "schemaType",
    "schema",
    "references",
    "metadata",
    "ruleSet",
    "schemaTags",
    "maxId",
    "subjects",
    "ts",
    "deleted",
)
"""Members of a `SchemaString`: what an id means; `subjects` is Karapace's."""

SCHEMA_OF_GUID: Final = tuple(name for name in SCHEMA_STRING if name not in {"subject", "version"})

REGISTERED: Final = (
    "id",
    "version",
    "guid",
    "schemaType",
    "references",
    "metadata",
    "ruleSet",
    "schema",
    "ts",
    "deleted",
)
"""Members of a `RegisterSchemaResponse`."""

_MEMBERS: Final[Mapping[str, Callable[[Shown], Any]]] = {
    "subject": lambda shown: str(shown.stored.subject),
    "version": attrgetter("stored.version"),
    "id": attrgetter("stored.id"),
    "guid": attrgetter("stored.guid"),
    "schemaType": attrgetter("stored.schema.type"),
    "references": lambda shown: _references(shown) if shown.stored.schema.references else None,
    "metadata": lambda shown: metadata_json(shown.stored.schema.metadata),
    "ruleSet": lambda shown: rule_set_json(shown.stored.schema.rule_set),
    "schema": attrgetter("text"),
    "schemaTags": lambda shown: [_tags(entity) for entity in shown.tags] if shown.tags else None,
    "maxId": attrgetter("max_id"),
    "subjects": attrgetter("subjects"),
    "ts": attrgetter("stored.timestamp_ms"),
    "deleted": attrgetter("stored.deleted"),
}


def version_object(members: Iterable[str], shown: Shown) -> Json:
    """A version with the members of one of the kinds above."""
    found: Json = {}
    for name in members:
        value = _MEMBERS[name](shown)
        # Empty metadata stays: it is not the same as none, neither here nor in the GUID.
        if value is not None and value != "":
            found[name] = value
    return found


def _references(shown: Shown) -> list[Json]:
    # In the default context a bare name is qualified already.
    prefix = shown.stored.subject.prefix if shown.references_qualified else ""
    references = shown.stored.schema.references
    if not prefix:
        return [reference_json(reference) for reference in references]
    return [
        reference_json(
            replace(reference, subject=prefix + subject)
            if (subject := reference.subject) is not None and not subject.startswith(":.")
            else reference
        )
        for reference in references
    ]


def _tags(entity: InlineTags) -> Json:
    return {"schemaEntity": {"entityPath": entity.path, "entityType": entity.kind}, "tags": list(entity.tags)}


def bound_object(bound: Bound) -> Json:
    """An association with its timestamps; `frozen` only where the lifecycle does not imply it."""
    association = bound.association
    members = association_json(association)
    implied = association.frozen == (association.lifecycle == "STRONG")
    # Confluent's tenant is a matter of the record; its clients do not know the member.
    shown = {name: value for name, value in members.items() if name != "tenant" and not (name == "frozen" and implied)}
    return {"subject": shown.pop("subject"), **shown, "createTs": bound.created_ms, "updateTs": bound.updated_ms}


def details_object(details: Details, text: str) -> Json:
    """A version with who registered it and when (ours)."""
    # Nobody is told apart from not known: the member stays when it is null.
    return {
        **version_object(SCHEMA, Shown(details.stored, text)),
        "registeredBy": details.registered_by,
        "registeredAt": rfc3339(details.registered_ms),
    }


def objection_object(objection: Objection) -> Json:
    """A difference that breaks compatibility, and the older version that it concerns (ours)."""
    finding = objection.finding
    return present(
        version=objection.version,
        direction=objection.direction.value,
        kind=finding.kind,
        path=finding.path,
        message=finding.message,
        place=finding.place,
        suggestion=finding.suggestion,
    )


def records_of(plan: Plan) -> list[Json]:
    """The records that a plan would append, as objects (ours)."""
    return [{"key": orjson.loads(key), "value": value and orjson.loads(value)} for key, value in plan.records]


def rfc3339(timestamp_ms: int) -> str:
    """A time in ms since 1970 as RFC 3339 writes it, in UTC with milliseconds."""
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
