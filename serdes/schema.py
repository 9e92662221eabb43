"""The nouns of the registry as the client sees them: Schema, SchemaReference, RegisteredSchema, Association.

Owns values and their JSON form (Confluent's REST API); refuses to know HTTP. Field names are those of
confluent-kafka, so that either library's values serve both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from serdes.errors import SettingInvalid

Json = Mapping[str, Any]

# A record names its schema with four bytes.
_HIGHEST_ID = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class SchemaReference:
    """A type by name, found in a version of a subject."""

    name: str | None = None
    subject: str | None = None
    version: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"name": self.name, "subject": self.subject, "version": self.version}

    @classmethod
    def from_dict(cls, body: Json) -> Self:
        """The reference that a JSON object means."""
        return cls(body.get("name"), body.get("subject"), body.get("version"))


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema as it is sent: its text, its language and everything that belongs to its identity.

    references: a list will do as well; it is kept as a tuple.
    metadata, rule_set: JSON objects as in the REST API (`{"properties": {"owner": "me"}}`), or None.

    Raises SettingInvalid when the text is none, or a reference is not one.
    """

    schema_str: str
    schema_type: str = "AVRO"
    references: Sequence[SchemaReference] = ()
    metadata: Json | None = field(default=None, hash=False)
    rule_set: Json | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        # Said here, because a value of another kind would be found out only where it is parsed or sent.
        if not isinstance(self.schema_str, str):
            raise SettingInvalid(f"the text of a schema must be a str, not {type(self.schema_str).__name__}")
        # Schemas are keys, and confluent-kafka's programs have their references in lists.
        object.__setattr__(self, "references", tuple(self.references or ()))
        for reference in self.references:
            if not hasattr(reference, "subject"):
                raise SettingInvalid(f"a reference must be a SchemaReference, not {type(reference).__name__}")

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; what is absent is left out, as is the default language."""
        body: dict[str, Any] = {"schema": self.schema_str}
        # Older registries know no other language, and not the member either.
        if self.schema_type != "AVRO":
            body["schemaType"] = self.schema_type
        if self.references:
            body["references"] = [reference.to_dict() for reference in self.references]
        if self.metadata is not None:
            body["metadata"] = self.metadata
        if self.rule_set is not None:
            body["ruleSet"] = self.rule_set
        return body

    @classmethod
    def from_dict(cls, body: Json) -> Self:
        """The schema inside a JSON object.

        Raises KeyError, TypeError, ValueError or AttributeError when the object is not of that shape.
        """
        return cls(
            body["schema"],
            body.get("schemaType") or "AVRO",
            tuple(SchemaReference.from_dict(item) for item in body.get("references") or ()),
            body.get("metadata"),
            body.get("ruleSet"),
        )


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema with what the registry knows about it; parts that an endpoint does not tell are None."""

    subject: str | None
    version: int | None
    schema_id: int | None
    guid: str | None
    schema: Schema

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, absent parts left out."""
        facts = {"id": self.schema_id, "guid": self.guid, "subject": self.subject, "version": self.version}
        return self.schema.to_dict() | {name: fact for name, fact in facts.items() if fact is not None}

    @classmethod
    def from_dict(cls, body: Json, sent: Schema | None = None) -> Self:
        """The registration inside a JSON object.

        sent: the schema of the request, for endpoints whose answer need not repeat it.
        Raises KeyError, TypeError, ValueError or AttributeError when the object is not of that shape.
        """
        schema = sent if sent is not None and "schema" not in body else Schema.from_dict(body)
        identity = None if body.get("id") is None else int(body["id"])
        if identity is not None and not 0 <= identity <= _HIGHEST_ID:
            raise ValueError(f"{identity} is no schema id")
        return cls(body.get("subject"), body.get("version"), identity, body.get("guid"), schema)


@dataclass(frozen=True, slots=True)
class SubjectVersion:
    """A version of a subject, by its number."""

    subject: str
    version: int


@dataclass(frozen=True, slots=True)
class Association:
    """A Kafka resource bound to a subject."""

    subject: str | None
    guid: str | None = None
    resource_name: str | None = None
    resource_namespace: str | None = None
    resource_id: str | None = None
    resource_type: str | None = None
    association_type: str | None = None
    lifecycle: str | None = None
    frozen: bool = False

    @classmethod
    def from_dict(cls, body: Json) -> Self:
        """The association that a JSON object means."""
        return cls(
            subject=body["subject"],
            guid=body.get("guid"),
            resource_name=body.get("resourceName"),
            resource_namespace=body.get("resourceNamespace"),
            resource_id=body.get("resourceId"),
            resource_type=body.get("resourceType"),
            association_type=body.get("associationType"),
            lifecycle=body.get("lifecycle"),
            # The registry leaves it out where the lifecycle says it.
            frozen=body.get("frozen", body.get("lifecycle") == "STRONG"),
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, absent parts left out."""
        facts = {
            "subject": self.subject,
            "guid": self.guid,
            "resourceName": self.resource_name,
            "resourceNamespace": self.resource_namespace,
            "resourceId": self.resource_id,
            "resourceType": self.resource_type,
            "associationType": self.association_type,
            "lifecycle": self.lifecycle,
        }
        return {name: fact for name, fact in facts.items() if fact is not None} | {"frozen": self.frozen}
