"""The nouns as JSON objects: Confluent's member names and order, for records and for bodies alike.

Owns names, order and what is left out (null, "" and empty collections); refuses to know bytes, HTTP and storage.
Reading is lenient, because old logs must always be readable: what does not fit its place reads as absent.
Follows the record format of Confluent's `_schemas` topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from sys import intern
from typing import Any, TypeVar

from registry.model import (
    MAX_INT,
    Association,
    Config,
    Level,
    Metadata,
    Reference,
    Rule,
    RuleKind,
    RuleMode,
    RuleSet,
    RuleStage,
    Schema,
    Subject,
)

Json = dict[str, Any]
E = TypeVar("E", bound=Enum)

CONFIG_MEMBERS: Mapping[str, str] = {
    "alias": "alias",
    "aliasForDeks": "alias_for_deks",
    "normalize": "normalize",
    "validateFields": "validate_fields",
    "validateNewSchemas": "validate_new_schemas",
    "validateRules": "validate_rules",
    "compatibilityLevel": "compatibility_level",
    "compatibilityPolicy": "compatibility_policy",
    "compatibilityGroup": "compatibility_group",
    "defaultMetadata": "default_metadata",
    "overrideMetadata": "override_metadata",
    "defaultRuleSet": "default_rule_set",
    "overrideRuleSet": "override_rule_set",
}
"""The members of a config object in order, each with its field of model.Config."""


def present(**members: Any) -> Json:
    """An object of the members that are neither null, empty text nor an empty collection; false and 0 stay."""
    return {name: value for name, value in members.items() if value or value == 0}


def reference_json(reference: Reference) -> Json:
    """`{"name", "subject", "version"}`, without the parts that are missing."""
    return present(name=reference.name, subject=reference.subject, version=reference.version)


def metadata_json(metadata: Metadata | None) -> Json | None:
    """`{"tags", "properties", "sensitive"}`; empty metadata is `{}`, which is not the same as none."""
    if metadata is None:
        return None
    return present(
        tags={path: list(tags) for path, tags in metadata.tags.items()},
        properties=dict(metadata.properties),
        sensitive=list(metadata.sensitive),
    )


def rule_json(rule: Rule) -> Json:
    """One rule; `disabled` is always there."""
    return present(
        name=rule.name,
        doc=rule.doc,
        kind=rule.kind.value,
        mode=rule.mode.value,
        type=rule.type,
        tags=list(rule.tags),
        params=dict(rule.params),
        expr=rule.expr,
        onSuccess=rule.on_success,
        onFailure=rule.on_failure,
        disabled=rule.disabled,
    )


def rule_set_json(rules: RuleSet | None) -> Json | None:
    """`{"migrationRules", "domainRules", "encodingRules", "enableAt"}`; an empty rule set is `{}`."""
    if rules is None:
        return None
    return present(
        migrationRules=[rule_json(rule) for rule in rules.migration_rules],
        domainRules=[rule_json(rule) for rule in rules.domain_rules],
        encodingRules=[rule_json(rule) for rule in rules.encoding_rules],
        enableAt=rules.enable_at.value if rules.enable_at else None,
    )


def config_json(config: Config) -> Json:
    """A config object, as in records and answers."""
    return {member: value for member, value in _config_values(config) if value != ""}


def config_echo_json(config: Config) -> Json:
    """The same as PUT answers with it: the level is named `compatibility`, and texts that are empty are shown."""
    renamed = {"compatibilityLevel": "compatibility"}
    return {renamed.get(member, member): value for member, value in _config_values(config)}


def _config_values(config: Config) -> Iterator[tuple[str, object]]:
    for member, name in CONFIG_MEMBERS.items():
        value = _config_value(getattr(config, name))
        if value is not None:
            yield member, value


def _config_value(value: object) -> object:
    match value:
        case Level():
            return value.word
        case Metadata():
            return metadata_json(value)
        case RuleSet():
            return rule_set_json(value)
    return value


def association_json(association: Association) -> Json:
    """An association as its record keeps it."""
    return present(
        guid=association.guid,
        tenant="default",
        resourceName=association.resource_name,
        resourceNamespace=association.resource_namespace,
        resourceId=association.resource_id,
        resourceType=association.resource_type,
        associationType=association.association_type,
        subject=str(association.subject),
        lifecycle=association.lifecycle,
        frozen=association.frozen,
    )


def read_reference(value: object) -> Reference:
    """Read a reference; parts of the wrong type count as missing."""
    members = _object(value)
    version = members.get("version")
    # Not `isinstance`: true is an integer for Python, but no version for Java.
    fits = type(version) is int and -MAX_INT <= version <= MAX_INT
    return Reference(
        name=_text(members.get("name")),
        subject=_text(members.get("subject")),
        version=version if fits else None,
    )


def read_metadata(value: object) -> Metadata | None:
    """Read metadata; null, or anything but an object, is none."""
    if not isinstance(value, dict):
        return None
    return Metadata(
        tags={path: tuple(_texts(tags)) for path, tags in _object(value.get("tags")).items()},
        properties=_text_map(value.get("properties")),
        sensitive=tuple(_texts(value.get("sensitive"))),
    )


def read_rule(value: object) -> Rule:
    """Read a rule; kinds and modes that do not exist read as the defaults."""
    members = _object(value)
    return Rule(
        name=_text(members.get("name")),
        doc=_text(members.get("doc")),
        kind=_member(RuleKind, members.get("kind")) or RuleKind.TRANSFORM,
        mode=_member(RuleMode, members.get("mode")) or RuleMode.WRITEREAD,
        type=_text(members.get("type")),
        tags=tuple(_texts(members.get("tags"))),
        params=_text_map(members.get("params")),
        expr=_text(members.get("expr")),
        on_success=_text(members.get("onSuccess")),
        on_failure=_text(members.get("onFailure")),
        disabled=members.get("disabled") is True,
    )


def read_rule_set(value: object) -> RuleSet | None:
    """Read a rule set; null, or anything but an object, is none."""
    if not isinstance(value, dict):
        return None
    return RuleSet(
        migration_rules=tuple(read_rule(rule) for rule in _list(value.get("migrationRules"))),
        domain_rules=tuple(read_rule(rule) for rule in _list(value.get("domainRules"))),
        encoding_rules=tuple(read_rule(rule) for rule in _list(value.get("encodingRules"))),
        enable_at=_member(RuleStage, value.get("enableAt")),
    )


def read_schema(members: Json) -> Schema:
    """Read what a SCHEMA record says of the schema itself; a missing type is AVRO."""
    said = members.get
    text, word, references = said("schema"), said("schemaType"), said("references")
    metadata, rule_set = said("metadata"), said("ruleSet")
    return Schema(
        text if isinstance(text, str) else "",
        # Few words, many records: each word is kept once.
        intern(word) if word and isinstance(word, str) else "AVRO",
        tuple(map(read_reference, _list(references))) if references else (),
        None if metadata is None else read_metadata(metadata),
        None if rule_set is None else read_rule_set(rule_set),
    )


def read_config(members: Json) -> Config:
    """Read a CONFIG record's value; an unknown level reads as not set."""
    return Config(
        alias=_text(members.get("alias")),
        alias_for_deks=_text(members.get("aliasForDeks")),
        normalize=_flag(members.get("normalize")),
        validate_fields=_flag(members.get("validateFields")),
        validate_new_schemas=_flag(members.get("validateNewSchemas")),
        validate_rules=_flag(members.get("validateRules")),
        # A record of a registry that knows more levels than this one must not stop the log.
        compatibility_level=Level.__members__.get((_text(members.get("compatibilityLevel")) or "").upper()),
        compatibility_policy=_text(members.get("compatibilityPolicy")),
        compatibility_group=_text(members.get("compatibilityGroup")),
        default_metadata=read_metadata(members.get("defaultMetadata")),
        override_metadata=read_metadata(members.get("overrideMetadata")),
        default_rule_set=read_rule_set(members.get("defaultRuleSet")),
        override_rule_set=read_rule_set(members.get("overrideRuleSet")),
    )


def read_association(members: Json) -> Association:
    """Read an ASSOC record's value; a missing `frozen` is what the lifecycle implies."""
    lifecycle = _text(members.get("lifecycle")) or "WEAK"
    return Association(
        guid=_text(members.get("guid")) or "",
        resource_name=_text(members.get("resourceName")) or "",
        resource_namespace=_text(members.get("resourceNamespace")) or "",
        resource_id=_text(members.get("resourceId")) or "",
        resource_type=_text(members.get("resourceType")) or "topic",
        association_type=_text(members.get("associationType")) or "value",
        subject=Subject.of(_text(members.get("subject")) or ""),
        lifecycle=lifecycle,
        frozen=members.get("frozen", lifecycle == "STRONG") is True,
    )


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    # An empty text is not written, and so would be missing the next time.
    return value if value and isinstance(value, str) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _texts(value: object) -> Iterable[str]:
    return (item for item in _list(value) if isinstance(item, str))


def _text_map(value: object) -> dict[str, str]:
    return {name: text for name, text in _object(value).items() if isinstance(text, str)}


def _member(kind: type[E], value: object) -> E | None:
    return kind.__members__.get(value) if isinstance(value, str) else None
