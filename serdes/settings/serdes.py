"""The keys of an AvroSerializer and an AvroDeserializer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from serdes.errors import SettingInvalid
from serdes.settings.checks import (
    NAMED_STRATEGIES,
    Settings,
    anything,
    associated_conf,
    flag,
    function,
    key,
    number,
    one_of,
    schema_id,
    strategy,
    strategy_type,
    text_pairs,
)
from serdes.wire import dual_schema_id_deserializer, prefix_schema_id_serializer


@dataclass(frozen=True, kw_only=True)
class SubjectSettings(Settings):
    """The keys that serializers and deserializers share."""

    use_latest_version: bool = field(
        default=False, metadata=key("use.latest.version", flag, "Write or read with the subject's latest version.")
    )
    use_latest_with_metadata: Mapping[str, str] | None = field(
        default=None,
        metadata=key(
            "use.latest.with.metadata", text_pairs, "Like it, with the latest version whose metadata has these pairs."
        ),
    )
    strategy: Callable[..., Any] | None = field(
        default=None,
        metadata=key("subject.name.strategy", strategy, "A function (context, record name) -> subject; wins."),
    )
    strategy_type: str | None = field(
        default=None,
        metadata=key(
            "subject.name.strategy.type",
            strategy_type(*NAMED_STRATEGIES),
            "TOPIC, RECORD, TOPIC_RECORD or ASSOCIATED (the default).",
        ),
    )
    strategy_conf: Mapping[str, Any] | None = field(
        default=None,
        metadata=key(
            "subject.name.strategy.conf", associated_conf, "What the associated strategy needs: cluster id, fallback."
        ),
    )
    codegen: str = field(
        default="auto",
        metadata=key(
            "codegen",
            one_of("auto", "on", "off"),
            "auto or on: generated code, with fastavro behind it; off: fastavro.",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class SerializerSettings(SubjectSettings):
    """The keys of an AvroSerializer."""

    of_whom: ClassVar[str] = "a serializer"

    auto_register: bool = field(
        default=True, metadata=key("auto.register.schemas", flag, "Register the schema on first use of a subject.")
    )
    normalize: bool = field(
        default=False, metadata=key("normalize.schemas", flag, "Let the registry normalize the schema.")
    )
    use_schema_id: int | None = field(default=None, metadata=key("use.schema.id", schema_id, "Write with this id."))
    schema_id_serializer: Callable[..., bytes] = field(
        default=prefix_schema_id_serializer,
        metadata=key(
            "schema.id.serializer",
            function,
            "Where the id is put: this, header_schema_id_serializer, or a function of yours.",
        ),
    )
    strict: bool = field(
        default=False, metadata=key("validate.strict", flag, "Refuse records with missing or additional fields.")
    )
    strict_allow_default: bool = field(
        default=False,
        metadata=key("validate.strict.allow.default", flag, "The same, except for missing fields that have a default."),
    )
    latest_compatibility_strict: bool = field(
        default=False,
        metadata=key(
            "latest.compatibility.strict",
            flag,
            "With use.latest.version or use.latest.with.metadata: refuse a version that cannot read the own schema.",
        ),
    )
    validation: str = field(
        default="DISABLED",
        metadata=key(
            "validation.rules.execution",
            one_of("DISABLED", "BEFORE_DOMAIN_RULES", "AFTER_DOMAIN_RULES"),
            "When rules inside the schema (`confluent:rules`) are checked; needs confluent-kafka[rules].",
        ),
    )
    validation_fail_fast: bool = field(
        default=False, metadata=key("validation.rules.fail.fast", flag, "Stop at the first of those rules that fails.")
    )
    validation_executor: Any = field(
        default=None, metadata=key("validation.rules.executor", anything, "Who checks them, in place of CEL.")
    )

    def __post_init__(self) -> None:
        # One writes with what the registry has, the other with what the program has.
        if self.use_latest_version and self.auto_register:
            raise SettingInvalid("cannot enable both use.latest.version and auto.register.schemas")


@dataclass(frozen=True, kw_only=True)
class DeserializerSettings(SubjectSettings):
    """The keys of an AvroDeserializer."""

    of_whom: ClassVar[str] = "a deserializer"

    schema_id_deserializer: Callable[..., Any] = field(
        default=dual_schema_id_deserializer,
        metadata=key(
            "schema.id.deserializer",
            function,
            "Where the id is looked for: header, then prefix; prefix_schema_id_deserializer, or a function of yours.",
        ),
    )
    refuse_trailing: bool = field(
        default=False,
        metadata=key("avro.fail.on.trailing.data", flag, "Refuse bytes that are left over after the value."),
    )
    on_error: str = field(
        default="raise",
        metadata=key(
            "on.error",
            one_of("raise", "return", "drop"),
            "A record that cannot be read: raise; return a Poison in its place; drop: return None.",
        ),
    )
    unknown_id_grace_seconds: float = field(
        default=30.0,
        metadata=key("unknown.id.grace.sec", number, "Seconds that an unknown id is retriable, before it is poison."),
    )
    poison_max_ratio: float = field(
        default=0.5,
        metadata=key("poison.max.ratio", number, "Part of the last 100 records that may be poison before all stops."),
    )
