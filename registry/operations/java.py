"""What a schema carries, as Java prints it: in the messages that name the schema sent; and what Java takes for blank.

Follows `toString` of Confluent's entities, and Java's `trim`; refuses to know the messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from registry.model import Metadata, Reference, Rule, RuleSet

BLANKS: Final = "".join(map(chr, range(ord(" ") + 1)))
"""What Java trims off a text: all up to the space, and none of the wider blanks that Unicode has."""


def printed(part: object) -> str:
    """A part of a schema, or a value in it: null for None, and the names of Java's own members."""
    match part:
        case None:
            return "null"
        case bool():
            return str(part).lower()
        case Enum():
            return part.name
        case Reference():
            return (
                f"{{name='{printed(part.name)}', subject='{printed(part.subject)}', version={printed(part.version)}}}"
            )
        case Metadata():
            return f"Metadata{{{_members(tags=part.tags, properties=part.properties, sensitive=part.sensitive)}}}"
        case RuleSet():
            return f"Rules{{{_rule_set(part)}}}"
        case Rule():
            return f"Rule{{{_rule(part)}}}"
        case Mapping():
            return f"{{{', '.join(f'{key}={printed(value)}' for key, value in part.items())}}}"
        case tuple():
            return f"[{', '.join(map(printed, part))}]"
    return str(part)


def _members(**members: object) -> str:
    return ", ".join(f"{name}={printed(value)}" for name, value in members.items())


def _rule_set(rules: RuleSet) -> str:
    return _members(
        migrationRules=rules.migration_rules,
        domainRules=rules.domain_rules,
        encodingRules=rules.encoding_rules,
        enableAt=rules.enable_at,
    )


def _rule(rule: Rule) -> str:
    quoted = {
        "type": rule.type,
        "tags": rule.tags,
        "params": rule.params,
        "expr": rule.expr,
        "onSuccess": rule.on_success,
        "onFailure": rule.on_failure,
        "disabled": rule.disabled,
    }
    bare = _members(name=rule.name, doc=rule.doc, kind=rule.kind, mode=rule.mode)
    return ", ".join([bare, *(f"{name}='{printed(value)}'" for name, value in quoted.items())])
