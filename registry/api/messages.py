"""The bodies of requests, as on the wire, and the values that they become.

Read as Jackson reads them: unknown members are ignored, "1" is a number, 1 is a text, null is as good as absent.
Follows section 1 of Confluent's REST API; refuses to know what is done with the values.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel, to_snake
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from registry import model
from registry.api.binding import AS_WRITTEN, Written
from registry.api.parameters import MAX_INT, java_int
from registry.errors import BadRequest, Invalid, InvalidLevel, InvalidMode
from registry.formats.protocol import InlineTags
from registry.model import Level, Mode, RuleKind, RuleMode, RuleStage
from registry.operations.requests import BoundFilter, Candidate, ConfigPatch, TagChange
from registry.shapes import CONFIG_MEMBERS

BLANK: Final = ("", "null")
"""Texts that Jackson takes for null where a number or a boolean is due."""

CONFIG_FIELDS: Final = {
    "compatibility" if member == "compatibilityLevel" else member: name for member, name in CONFIG_MEMBERS.items()
}
"""The members of a config request, each with its field of model.Config."""

TOPIC: Final = "topic"
"""The only type of resource that associations know."""

ORDER: Final = '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}'
"""The schema of the examples."""

Lifecycle = Literal["STRONG", "WEAK"]
EntityType = Literal["sr_record", "sr_field"]
BOOLEANS: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def as_text(value: object) -> object:
    """Numbers and booleans are taken as they are written."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Written):
        return value.text
    if isinstance(value, float):
        raise PydanticCustomError(AS_WRITTEN, "must be read as it is written")
    # As JSON writes them, not as Python does: `true`.
    if isinstance(value, (bool, int)):
        return json.dumps(value)
    raise PydanticCustomError("text", "must be a text")


def as_int(value: object) -> object:
    """A text that is a number will do, and the whole part of a fraction."""
    if value is None or (isinstance(value, str) and value.strip() in BLANK):
        return None
    try:
        # Jackson cuts a fraction off where a whole number is due.
        if isinstance(value, float) and -MAX_INT - 1 <= value <= MAX_INT:
            return java_int(str(int(value)))
        # Python counts booleans as ints, Jackson does not.
        if isinstance(value, (int, str)) and not isinstance(value, bool):
            return java_int(str(value).strip())
    except ValueError:
        pass
    raise PydanticCustomError("int", "must be a whole number of 32 bits")


def as_boolean(value: object) -> object:
    """A text that is a boolean will do, and a whole number: 0 is false, any other is true."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value != 0
    if isinstance(value, str) and value.strip() in BLANK:
        return None
    if isinstance(value, str) and value.strip() in BOOLEANS:
        return BOOLEANS[value.strip()]
    raise PydanticCustomError("boolean", "must be true or false")


Text = Annotated[str | None, BeforeValidator(as_text)]
Int = Annotated[int | None, BeforeValidator(as_int)]
Boolean = Annotated[bool | None, BeforeValidator(as_boolean)]


class Message(BaseModel):
    """A JSON object of a request: members in camel case, none of them required."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, hide_input_in_errors=True)


def _shown(example: JsonDict) -> ConfigDict:
    """The body that the documentation begins with, since one of all members would set them all."""
    return ConfigDict(json_schema_extra={"examples": [example]})


class SchemaReference(Message):
    """A named type that another subject's version defines."""

    name: Text = Field(None, description="The name by which this schema refers to it.")
    subject: Text = Field(None, description="The subject that defines it, in this context unless qualified.")
    version: Int = Field(None, description="The version that defines it; -1 is the latest.")

    def value(self) -> model.Reference:
        """The reference itself."""
        return model.Reference(self.name, self.subject, self.version)


class Metadata(Message):
    """What a data contract says about a schema."""

    tags: dict[str, list[Text]] | None = Field(None, description="Tags by field path.")
    properties: dict[str, Text] | None = Field(None, description="Free properties.")
    sensitive: list[Text] | None = Field(None, description="The names of properties whose values are secret.")

    def value(self) -> model.Metadata:
        """The metadata itself.

        Raises Invalid when a property or a tag is null.
        """
        return model.Metadata(
            tags={path: _texts(f"tags.{path}", tags) for path, tags in (self.tags or {}).items()},
            properties={name: _given(f"properties.{name}", text) for name, text in (self.properties or {}).items()},
            sensitive=_texts("sensitive", self.sensitive),
        )


class Rule(Message):
    """One rule of a data contract."""

    name: Text = Field(None, description="The name, unique within the rule set.")
    doc: Text = Field(None, description="What the rule is for.")
    kind: RuleKind | None = Field(None, description="What it does with a message.")
    mode: RuleMode | None = Field(None, description="When it runs.")
    type: Text = Field(None, description="Which executor runs it, such as CEL or ENCRYPT.")
    tags: list[Text] | None = Field(None, description="The tags of the fields that it applies to.")
    params: dict[str, Text] | None = Field(None, description="Parameters of the executor.")
    expr: Text = Field(None, description="The expression.")
    on_success: Text = Field(None, description="The action after it succeeded.")
    on_failure: Text = Field(None, description="The action after it failed.")
    disabled: Boolean = Field(None, description="Whether it is switched off.")

    def value(self) -> model.Rule:
        """The rule itself.

        Raises Invalid when a tag or a parameter is null.
        """
        return model.Rule(
            name=self.name,
            # No record holds an empty text: what is not said is the same before and after the next start.
            doc=self.doc or None,
            kind=self.kind or RuleKind.TRANSFORM,
            mode=self.mode or RuleMode.WRITEREAD,
            type=self.type,
            tags=_texts("tags", self.tags),
            params={name: _given(f"params.{name}", text) for name, text in (self.params or {}).items()},
            expr=self.expr or None,
            on_success=self.on_success or None,
            on_failure=self.on_failure or None,
            disabled=bool(self.disabled),
        )


class RuleSet(Message):
    """The rules of a data contract, in order."""

    migration_rules: list[Rule] | None = Field(None, description="Rules between versions.")
    domain_rules: list[Rule] | None = Field(None, description="Rules on what is written and read.")
    encoding_rules: list[Rule] | None = Field(None, description="Rules on the bytes.")
    enable_at: RuleStage | None = Field(None, description="Who runs the rules.")

    def value(self) -> model.RuleSet:
        """The rule set itself.

        Raises Invalid when a tag or a parameter of a rule is null.
        """
        return model.RuleSet(
            migration_rules=tuple(rule.value() for rule in self.migration_rules or ()),
            domain_rules=tuple(rule.value() for rule in self.domain_rules or ()),
            encoding_rules=tuple(rule.value() for rule in self.encoding_rules or ()),
            enable_at=self.enable_at,
        )


class SchemaEntity(Message):
    """A record or a field of a schema."""

    entity_path: Text = Field(None, description="Its path, such as `namespace.Record.field`.")
    entity_type: EntityType | None = Field(None, description="Which of the two it is; absent means a field.")


class SchemaTags(Message):
    """Inline tags of a record or a field."""

    schema_entity: SchemaEntity | None = Field(None, description="What is tagged.")
    tags: list[Text] | None = Field(None, description="The tags.")

    def value(self) -> InlineTags:
        """The tags in their place.

        Raises Invalid when no entity is named, or a tag is null, and BadRequest when the entity has no path.
        """
        entity = self.schema_entity
        if entity is None:
            raise Invalid("schemaEntity must not be null")
        if entity.entity_path is None:
            raise BadRequest("The body cannot be read: schemaEntity.entityPath must not be null")
        return InlineTags(entity.entity_path, entity.entity_type or "sr_field", _texts("tags", self.tags))


class RegisterSchemaRequest(Message):
    """A schema to register, to look up, or to check."""

    model_config = _shown({"schema": ORDER})

    version: Int = Field(None, description="The version it must become; -1 or absent is the next one.")
    id: Int = Field(None, description="The id it must have; only in mode IMPORT or FORWARD.")
    schema_type: Text = Field(None, description="The schema language; absent means AVRO.")
    references: list[SchemaReference] | None = Field(None, description="The types that it takes from other subjects.")
    metadata: Metadata | None = Field(None, description="Metadata; absent means the latest version's.")
    rule_set: RuleSet | None = Field(None, description="Rules; absent means the latest version's.")
    text: Text = Field(
        None,
        alias="schema",
        description="The schema text; absent means the latest version's.",
        examples=[ORDER, '"string"'],
    )
    schema_tags_to_add: list[SchemaTags] | None = Field(None, description="Inline tags to write into the text.")
    schema_tags_to_remove: list[SchemaTags] | None = Field(None, description="Inline tags to take out of the text.")
    propagate_schema_tags: Boolean = Field(None, description="Whether to take over the latest version's inline tags.")

    def value(self) -> Candidate:
        """The schema as a candidate.

        Raises Invalid when metadata, rules or tags hold a null.
        """
        return Candidate(
            text=self.text,
            # Only null means AVRO: an empty type is one that does not exist.
            type="AVRO" if self.schema_type is None else self.schema_type,
            references=tuple(reference.value() for reference in self.references or ()),
            metadata=None if self.metadata is None else self.metadata.value(),
            rule_set=None if self.rule_set is None else self.rule_set.value(),
            version=self.version or 0,
            # 0 is an explicit id like any other.
            id=-1 if self.id is None else self.id,
            tags_to_add=_inline_tags(self.schema_tags_to_add),
            tags_to_remove=_inline_tags(self.schema_tags_to_remove),
            propagate_tags=bool(self.propagate_schema_tags),
        )


class TagSchemaRequest(Message):
    """A change of the inline tags, metadata and rules of a version, which becomes a new version."""

    model_config = _shown({"tagsToAdd": [{"schemaEntity": {"entityPath": "Order.id"}, "tags": ["PII"]}]})

    new_version: Int = Field(None, description="The version it must become; absent is the next one.")
    tags_to_add: list[SchemaTags] | None = Field(None, description="Inline tags to write into the text.")
    tags_to_remove: list[SchemaTags] | None = Field(None, description="Inline tags to take out of the text.")
    metadata: Metadata | None = Field(None, description="Metadata; absent means this version's.")
    rule_set: RuleSet | None = Field(None, description="Rules; not together with a merge or a removal.")
    rules_to_merge: RuleSet | None = Field(None, description="Rules to merge into the previous version's.")
    rules_to_remove: list[Text] | None = Field(None, description="The names of rules to take out.")

    def value(self) -> TagChange:
        """The change itself.

        Raises Invalid when metadata, rules or tags hold a null.
        """
        return TagChange(
            new_version=self.new_version or 0,
            tags_to_add=_inline_tags(self.tags_to_add),
            tags_to_remove=_inline_tags(self.tags_to_remove),
            metadata=None if self.metadata is None else self.metadata.value(),
            rule_set=None if self.rule_set is None else self.rule_set.value(),
            rules_to_merge=None if self.rules_to_merge is None else self.rules_to_merge.value(),
            rules_to_remove=_texts("rulesToRemove", self.rules_to_remove),
        )


class ConfigUpdateRequest(Message):
    """A change of a config: what is absent stays, null clears, a value sets."""

    model_config = _shown({"compatibility": "FULL_TRANSITIVE"})

    alias: Text = Field(None, description="The subject that this one stands for.")
    alias_for_deks: Text = Field(None, description="The same, for data encryption keys.")
    normalize: Boolean = Field(None, description="Whether schemas are normalized on registration.")
    validate_fields: Boolean = Field(None, description="Whether reserved fields are checked.")
    validate_new_schemas: Boolean = Field(None, description="Whether new schemas are read strictly.")
    validate_rules: Boolean = Field(None, description="Whether rules are checked.")
    compatibility: Text = Field(None, description="The compatibility level.", examples=["FULL_TRANSITIVE"])
    compatibility_policy: Text = Field(None, description="LOGICAL, STRICT or LENIENT; anything else is null.")
    compatibility_group: Text = Field(None, description="The metadata property whose values part the versions.")
    default_metadata: Metadata | None = Field(None, description="Metadata for schemas that bring none.")
    override_metadata: Metadata | None = Field(None, description="Metadata that wins over a schema's own.")
    default_rule_set: RuleSet | None = Field(None, description="Rules for schemas that bring none.")
    override_rule_set: RuleSet | None = Field(None, description="Rules that win over a schema's own.")

    def value(self) -> ConfigPatch:
        """The fields of model.Config to change, None for those to clear.

        Raises InvalidLevel, and Invalid when metadata or rules hold a null.
        """
        return {
            field: self._changed(member)
            for member, field in CONFIG_FIELDS.items()
            # Absent and null are different wishes: one keeps what is set, the other clears it.
            if to_snake(member) in self.model_fields_set
        }

    def _changed(self, member: str) -> object:
        sent = getattr(self, to_snake(member))
        if member == "compatibility" and sent is not None:
            return read_level(sent)
        return sent.value() if isinstance(sent, (Metadata, RuleSet)) else sent


class ModeUpdateRequest(Message):
    """The mode to set; null clears it. A text in place of the object is its mode."""

    model_config = _shown({"mode": "READONLY"})

    mode: Text = Field(
        None, description="READWRITE, READONLY, READONLY_OVERRIDE, IMPORT or FORWARD.", examples=["READONLY"]
    )

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, value: object) -> object:
        return {"mode": value} if isinstance(value, str) else value

    def value(self) -> Mode | None:
        """The mode itself.

        Raises InvalidMode when there is no such mode, or the member is missing.
        """
        # Null clears a mode; saying nothing is no wish at all, on which Confluent's registry breaks with a 500.
        if "mode" not in self.model_fields_set:
            raise InvalidMode
        return None if self.mode is None else read_mode(self.mode)


class AssociationGetRequest(Message):
    """A question for the associations of one resource, by id or by name and namespace."""

    resource_name: Text = Field(None, description="The name of the resource.")
    resource_namespace: Text = Field(None, description="The namespace of the resource.")
    resource_id: Text = Field(None, description="The id of the resource.")
    resource_type: Text = Field(None, description="The type of the resource; absent means topic.")
    association_types: list[Text] | None = Field(None, description="Which types: key, value; absent means all.")
    lifecycle: Lifecycle | None = Field(None, description="Which lifecycle; absent means both.")

    def value(self) -> BoundFilter:
        """The filter, apart from the resource.

        Raises Invalid when an association type is null.
        """
        types = _texts("associationTypes", self.association_types)
        return BoundFilter(self.resource_type or TOPIC, types, self.lifecycle)


class AssociationBatchGetRequest(Message):
    """Questions for associations, answered one by one."""

    model_config = _shown({"requests": [{"resourceName": "orders", "resourceNamespace": "-"}]})

    requests: list[AssociationGetRequest] | None = Field(None, description="The questions.")


def read_level(word: str) -> Level:
    """A compatibility level, in any case.

    Raises InvalidLevel when there is no such level.
    """
    try:
        return Level[word.upper()]
    except KeyError:
        raise InvalidLevel from None


def read_mode(word: str) -> Mode:
    """A mode, in any case.

    Raises InvalidMode when there is no such mode.
    """
    try:
        return Mode[word.upper()]
    except KeyError:
        raise InvalidMode from None


def _given(place: str, text: str | None) -> str:
    if text is None:
        raise Invalid(f"{place} must not be null")
    return text


def _texts(place: str, texts: Iterable[str | None] | None) -> tuple[str, ...]:
    return tuple(_given(place, text) for text in texts or ())


def _inline_tags(entities: Iterable[SchemaTags] | None) -> tuple[InlineTags, ...]:
    return tuple(entity.value() for entity in entities or ())
