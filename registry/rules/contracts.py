"""Data contracts: which rule sets hold, how metadata and rules are inherited, and the `confluent:version` property.

Follows Confluent's Schema Registry: rule validation, merging of defaults and overrides, version bookkeeping.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from registry.errors import InvalidRuleSet
from registry.model import MAX_INT, Config, Metadata, Rule, RuleMode, RuleSet, Schema

VERSION_PROPERTY: Final = "confluent:version"
RESERVED_PROPERTY: Final = "confluent:reserved"
MAX_RULE_NAME_LENGTH: Final = 256
# As `Integer.parseInt` of Java reads a number; Python itself refuses to read one of many more digits.
_INT: Final = re.compile(r"[+-]?[0-9]{1,4000}")

_MIGRATION_MODES: Final = frozenset({RuleMode.UPGRADE, RuleMode.DOWNGRADE, RuleMode.UPDOWN})
_DATA_MODES: Final = frozenset({RuleMode.WRITE, RuleMode.READ, RuleMode.WRITEREAD})
# A pair of actions is one for each way of a message, and only these modes have two ways.
_TWO_ACTION_MODES: Final = frozenset({RuleMode.WRITEREAD, RuleMode.UPDOWN})


def check_rule_set(rules: RuleSet | None) -> None:
    """Refuse a rule set that does not hold, with the first reason.

    Raises InvalidRuleSet.
    """
    if rules is None:
        return
    # The three lists have their names in common.
    names: set[str] = set()
    for group, modes, complaint in (
        (rules.migration_rules, _MIGRATION_MODES, "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN"),
        (rules.domain_rules, _DATA_MODES, "Domain rules can only be WRITE, READ, WRITEREAD"),
        (rules.encoding_rules, _DATA_MODES, "Encoding rules can only be WRITE, READ, WRITEREAD"),
    ):
        for rule in group:
            if rule.name is not None and rule.name in names:
                raise InvalidRuleSet(f"Found rule with duplicate name '{rule.name}'")
            names.add(rule.name or "")
            _check_rule(rule)
            if rule.mode not in modes:
                raise InvalidRuleSet(complaint)


def _check_rule(rule: Rule) -> None:
    for complaint, is_wrong in _RULE_CHECKS:
        if is_wrong(rule):
            raise InvalidRuleSet(complaint.format(name=rule.name))


def _starts_badly(name: str) -> bool:
    return not (name[0].isalpha() or name[0] == "_")


def _continues_badly(name: str) -> bool:
    return not all(char.isalpha() or char.isdecimal() or char in "_-" for char in name)


_RULE_CHECKS: Final[Sequence[tuple[str, Callable[[Rule], bool]]]] = (
    ("Missing rule name", lambda rule: rule.name is None),
    ("Empty rule name", lambda rule: not rule.name),
    ("Rule name too long", lambda rule: len(rule.name or "") > MAX_RULE_NAME_LENGTH),
    # What is missing has been told by the rows before, so that nothing stands for it here.
    ("Illegal initial character in rule name: {name}", lambda rule: _starts_badly(rule.name or "_")),
    ("Illegal character in rule name: {name}", lambda rule: _continues_badly(rule.name or "")),
    ("Missing rule type", lambda rule: not rule.type),
    (
        "Multiple actions only valid with WRITEREAD and UPDOWN",
        lambda rule: rule.mode not in _TWO_ACTION_MODES and "," in f"{rule.on_success}{rule.on_failure}",
    ),
)


def inheriting(sent: Schema, config: Config, previous: Schema | None) -> Schema:
    """The schema with the metadata and rules that it takes from its predecessor and from the config.

    What a client sends, be it empty, stands instead of the predecessor's; defaults come below it, overrides above.
    """
    metadata = previous.metadata if sent.metadata is None and previous else sent.metadata
    rules = previous.rule_set if sent.rule_set is None and previous else sent.rule_set
    metadata = merged_metadata(merged_metadata(config.default_metadata, metadata), config.override_metadata)
    rules = merged_rules(merged_rules(config.default_rule_set, rules), config.override_rule_set)
    # The very same value tells others, without a comparison, that this is the schema as it was sent.
    if metadata is sent.metadata and rules is sent.rule_set:
        return sent
    return replace(sent, metadata=metadata, rule_set=rules)


def merged_metadata(older: Metadata | None, newer: Metadata | None) -> Metadata | None:
    """Both together: per key of tags and properties the newer wins; sensitive names add up."""
    if older is None or newer is None:
        return newer if older is None else older
    return Metadata(
        # The tags of a path are replaced together, not one by one.
        tags={**older.tags, **newer.tags},
        properties={**older.properties, **newer.properties},
        sensitive=(*older.sensitive, *newer.sensitive),
    )


def merged_rules(older: RuleSet | None, newer: RuleSet | None) -> RuleSet | None:
    """Both together: in each list the older rules whose names do not return, then the newer ones."""
    if older is None or newer is None:
        return newer if older is None else older
    return RuleSet(
        migration_rules=_merged_list(older.migration_rules, newer.migration_rules),
        domain_rules=_merged_list(older.domain_rules, newer.domain_rules),
        encoding_rules=_merged_list(older.encoding_rules, newer.encoding_rules),
        enable_at=newer.enable_at or older.enable_at,
    )


def _merged_list(older: tuple[Rule, ...], newer: tuple[Rule, ...]) -> tuple[Rule, ...]:
    replaced = {rule.name for rule in newer}
    return (*(rule for rule in older if rule.name not in replaced), *newer)


def without_rules(rules: RuleSet | None, names: Sequence[str]) -> RuleSet | None:
    """The rule set without the rules of these names."""
    if rules is None:
        return None
    return replace(
        rules,
        migration_rules=tuple(rule for rule in rules.migration_rules if rule.name not in names),
        domain_rules=tuple(rule for rule in rules.domain_rules if rule.name not in names),
        encoding_rules=tuple(rule for rule in rules.encoding_rules if rule.name not in names),
    )


def contract_version(metadata: Metadata | None) -> int | None:
    """The number in `confluent:version`; anything but a 32-bit integer counts as absent."""
    text = property_of(metadata, VERSION_PROPERTY)
    if text is None or not _INT.fullmatch(text):
        return None
    number = int(text)
    return number if -MAX_INT - 1 <= number <= MAX_INT else None


def with_contract_version(metadata: Metadata | None, version: int) -> Metadata:
    """The metadata with `confluent:version` set."""
    metadata = metadata or Metadata()
    return replace(metadata, properties={**metadata.properties, VERSION_PROPERTY: str(version)})


def without_contract_version(metadata: Metadata | None) -> Metadata:
    """The metadata with `confluent:version` removed; none becomes empty metadata."""
    metadata = metadata or Metadata()
    left = {name: value for name, value in metadata.properties.items() if name != VERSION_PROPERTY}
    return replace(metadata, properties=left)


def property_of(metadata: Metadata | None, name: str) -> str | None:
    """The value of a metadata property; None when there is none."""
    return metadata.properties.get(name) if metadata else None


def reserved_fields(metadata: Metadata | None) -> tuple[str, ...]:
    """The field names in `confluent:reserved`, a comma-separated list."""
    listed = property_of(metadata, RESERVED_PROPERTY) or ""
    return tuple(name.strip() for name in listed.split(",") if name.strip())
