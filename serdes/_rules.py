"""Which rules of a schema a client must run: pure looks at a rule set, and the values that those who run them take.

Owns the modes and phases of Confluent's data contracts; refuses to run anything (see `avro.rules`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from serdes.settings import Conf

# The rules that run when a record is written, read, or lifted to a newer or an older version.
WRITING = ("WRITE", "WRITEREAD")
READING = ("READ", "WRITEREAD")
UPGRADING = ("UPGRADE", "UPDOWN")
DOWNGRADING = ("DOWNGRADE", "UPDOWN")
RECORD_PHASES = ("domainRules", "encodingRules")
MIGRATION_PHASES = ("migrationRules",)


class RuleSettings(NamedTuple):
    """What the user says about rules."""

    rule_conf: Conf
    registry: Any
    client_conf: Conf


class Migration(NamedTuple):
    """One step from a version to its neighbour: `mode` is UPGRADE or DOWNGRADE."""

    mode: str
    source: Any
    target: Any


def rules_of(schema: Any, modes: tuple[str, ...], phases: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """The rules of a schema that a client runs in these modes and phases."""
    rule_set = _plain(getattr(schema, "rule_set", None))
    if rule_set.get("enableAt") not in (None, "ALL", "CLIENT"):
        return []
    return [
        rule
        for phase in phases
        for rule in rule_set.get(phase) or ()
        if not rule.get("disabled") and rule.get("mode", "WRITEREAD") in modes
    ]


def _plain(rule_set: Any) -> Mapping[str, Any]:
    """A rule set as JSON; confluent-kafka's is an object."""
    if rule_set is None:
        return {}
    return rule_set if isinstance(rule_set, Mapping) else rule_set.to_dict()
