"""Whether a schema's rules can run here, decided when a serde is bound: they are never skipped in silence.

Owns that decision; the running itself is confluent-kafka's, in a module that is loaded by name when there are rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any, Protocol

from serdes import _rules
from serdes._rules import Migration, RuleSettings
from serdes.codec import AvroSchema
from serdes.errors import RuleUnsupported
from serdes.settings import SerializerSettings


class Rules(Protocol):
    """The rules of one subject and schema, ready to run. Every method raises RuleFailed."""

    def write(self, value: Any, ctx: Any) -> Any:
        """A value before it is encoded."""
        ...

    def encode(self, payload: bytes | None, ctx: Any) -> bytes | None:
        """A payload after it was encoded."""
        ...

    def decode(self, payload: bytes, ctx: Any, data: bytes) -> bytes:
        """A payload before it is decoded."""
        ...

    def read(self, value: Any, ctx: Any, data: bytes) -> Any:
        """A value after it was decoded."""
        ...

    def migrate(self, value: Any, ctx: Any) -> Any:
        """A value of the writer's version as one of the reader's."""
        ...


def rules_to_write(
    user: RuleSettings, settings: SerializerSettings, subject: str, raw: Any, schema: AvroSchema
) -> Rules | None:
    """The rules that run when a record is written with a schema; None when there are none.

    Raises RuleUnsupported when there are, and they cannot run here.
    """
    rules = _rules.rules_of(raw, _rules.WRITING, _rules.RECORD_PHASES)
    if not rules and settings.validation == "DISABLED":
        return None
    checks = (settings.validation, settings.validation_fail_fast, settings.validation_executor)
    found: Rules = _engine(subject, rules).writing(user, checks, rules, subject, raw, schema)
    return found


def rules_to_read(
    user: RuleSettings, subject: str, written: Any, reading: Any, schema: AvroSchema, migrations: Sequence[Migration]
) -> Rules | None:
    """The rules that run when a record is read; None when there are none.

    written, reading: the schemas with their rules; schema: the second one, parsed.
    Raises RuleUnsupported when there are rules, and they cannot run here.
    """
    rules = _rules.rules_of(written, _rules.READING, ("encodingRules",))
    rules = [*rules, *_rules.rules_of(reading, _rules.READING, ("domainRules",))]
    for step in migrations:
        modes = _rules.UPGRADING if step.mode == "UPGRADE" else _rules.DOWNGRADING
        holder = step.target if step.mode == "UPGRADE" else step.source
        rules += _rules.rules_of(holder, modes, _rules.MIGRATION_PHASES)
    if not rules:
        return None
    found: Rules = _engine(subject, rules).reading(user, rules, subject, (written, reading), schema, migrations)
    return found


def migrations_between(versions: Sequence[Any], upgrade: bool) -> tuple[Migration, ...]:
    """The steps between neighbouring registrations, ascending, that have migration rules; in the order to take."""
    modes = _rules.UPGRADING if upgrade else _rules.DOWNGRADING
    steps = [
        Migration("UPGRADE", older.schema, newer.schema)
        if upgrade
        else Migration("DOWNGRADE", newer.schema, older.schema)
        for older, newer in pairwise(versions)
        if _rules.rules_of(newer.schema, modes, _rules.MIGRATION_PHASES)
    ]
    return tuple(steps if upgrade else reversed(steps))


def _engine(subject: str, rules: Sequence[Mapping[str, Any]]) -> Any:
    try:
        return import_module("serdes._confluent_rules")
    except ImportError as error:
        names = ", ".join(str(rule.get("name")) for rule in rules) or "inside its text"
        raise RuleUnsupported(
            f"the schema of subject {subject} has rules that must run ({names}), and they run through "
            f"confluent-kafka: pip install 'confluent-kafka[avro,schemaregistry,rules]' ({error})"
        ) from error
