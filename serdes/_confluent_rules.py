"""Runs the rules of a data contract through confluent-kafka's executors and actions.

Loaded by name when a schema has rules. The loop over rules, actions and phases is the library's own, in the base of
its serdes, so that a rule does here what it does there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka.schema_registry import Schema
from confluent_kafka.schema_registry.common.avro import get_inline_tags, transform, validate_message
from confluent_kafka.schema_registry.common.schema_registry_client import RulePhase
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.schema_registry_client import RuleMode
from confluent_kafka.schema_registry.serde import BaseSerde, default_validation_rule_executor
from confluent_kafka.serialization import SerializationError
from fastavro.schema import expand_schema

from serdes._rules import Migration, RuleSettings
from serdes.codec import AvroSchema
from serdes.errors import RuleFailed, RuleUnsupported

_Checks = tuple[str, bool, Any]


def writing(
    user: RuleSettings,
    checks: _Checks,
    rules: Sequence[Mapping[str, Any]],
    subject: str,
    raw: Any,
    schema: AvroSchema,
) -> _Running:
    """The rules for writing with a schema. Raises RuleUnsupported when an executor is missing."""
    return _Running(
        _serde(user, rules, subject), subject, (_theirs(raw), _theirs(raw)), schema, (), _checker(checks, schema)
    )


def reading(
    user: RuleSettings,
    rules: Sequence[Mapping[str, Any]],
    subject: str,
    raw: tuple[Any, Any],
    schema: AvroSchema,
    migrations: Sequence[Migration],
) -> _Running:
    """The rules for reading with a schema. Raises RuleUnsupported when an executor is missing."""
    steps = tuple(Migration(step.mode, _theirs(step.source), _theirs(step.target)) for step in migrations)
    written, read = raw
    return _Running(_serde(user, rules, subject), subject, (_theirs(written), _theirs(read)), schema, steps, {})


def _serde(user: RuleSettings, rules: Sequence[Mapping[str, Any]], subject: str) -> Any:
    """The library's base of serdes, with its rule registry configured."""
    registry: Any = user.registry or RuleRegistry.get_global_instance()  # type: ignore[no-untyped-call]  # upstream
    missing = sorted(
        {str(rule.get("type")) for rule in rules if registry.get_executor(str(rule.get("type")).upper()) is None}
    )
    if missing:
        raise RuleUnsupported(
            f"the schema of subject {subject} has rules of type {', '.join(missing)}, and no executor is registered "
            "for them: pip install 'confluent-kafka[rules]' and register its executor"
        )
    for part in (*registry.get_executors(), *registry.get_actions()):
        part.configure(dict(user.client_conf), dict(user.rule_conf))
    serde: Any = BaseSerde()
    serde._rule_registry = registry  # noqa: SLF001 - the library has no other way in
    return serde


def _theirs(schema: Any) -> Any:
    return schema if isinstance(schema, Schema) else Schema.from_dict(schema.to_dict())


def _checker(checks: _Checks, schema: AvroSchema) -> dict[str, Callable[[Any], None]]:
    """The check of rules inside the schema, under the name of the moment when it happens."""
    moment, fail_fast, executor = checks
    if moment == "DISABLED":
        return {}
    try:
        executor = executor or default_validation_rule_executor()
    except ValueError as error:
        raise RuleUnsupported(str(error)) from error
    tree = expand_schema(schema.tree)

    def check(value: Any) -> None:
        violations = validate_message(executor, tree, value, fail_fast)
        if violations:
            listed = "; ".join(map(str, violations))
            raise RuleFailed(f"{len(violations)} rules inside the schema are violated: {listed}")

    return {moment: check}


class _Running:
    """The rules of one subject: a writer's and a reader's schema, and the steps between their versions."""

    def __init__(
        self,
        serde: Any,
        subject: str,
        schemas: tuple[Any, Any],
        schema: AvroSchema,
        migrations: tuple[Migration, ...],
        checks: Mapping[str, Callable[[Any], None]],
    ) -> None:
        self._serde = serde
        self._subject = subject
        self._written, self._reading = schemas
        self._tags = get_inline_tags(schema.tree)
        self._tree = expand_schema(schema.tree)
        self._migrations = migrations
        self._checks = checks

    def write(self, value: Any, ctx: Any) -> Any:
        """A value before it is encoded."""
        self._checks.get("BEFORE_DOMAIN_RULES", _nothing)(value)
        value = self._run(ctx, RulePhase.DOMAIN, RuleMode.WRITE, self._reading, value)
        self._checks.get("AFTER_DOMAIN_RULES", _nothing)(value)
        return value

    def encode(self, payload: bytes | None, ctx: Any) -> bytes | None:
        """A payload after it was encoded."""
        encoded: bytes | None = self._run(ctx, RulePhase.ENCODING, RuleMode.WRITE, self._reading, payload)
        return encoded

    def decode(self, payload: bytes, ctx: Any, data: bytes) -> bytes:
        """A payload before it is decoded."""
        decoded: bytes = self._run(ctx, RulePhase.ENCODING, RuleMode.READ, self._written, payload, data)
        return decoded

    def read(self, value: Any, ctx: Any, data: bytes) -> Any:
        """A value after it was decoded."""
        return self._run(ctx, RulePhase.DOMAIN, RuleMode.READ, self._reading, value, data)

    def migrate(self, value: Any, ctx: Any) -> Any:
        """A value of the writer's version as one of the reader's."""
        for step in self._migrations:
            mode = RuleMode(step.mode)
            value = self._run(ctx, RulePhase.MIGRATION, mode, step.target, value, source=step.source)
        return value

    def _run(
        self,
        ctx: Any,
        phase: RulePhase,
        mode: RuleMode,
        target: Any,
        message: Any,
        data: Any = None,
        source: Any = None,
    ) -> Any:
        tags, fields = (self._tags, self._transform) if phase is RulePhase.DOMAIN else (None, None)
        run = self._serde._execute_rules_with_phase  # noqa: SLF001 - the library has no other way in
        try:
            return run(ctx, self._subject, phase, mode, source, target, message, tags, fields, data)
        except SerializationError as error:
            raise RuleFailed(f"a rule of subject {self._subject} failed: {error.__cause__ or error}") from error

    def _transform(self, rule_ctx: Any, field_transform: Any, message: Any) -> Any:
        return transform(rule_ctx, self._tree, message, field_transform)


def _nothing(_value: Any) -> None:
    pass
