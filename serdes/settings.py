"""Every configuration key: its name, default, check and meaning.

Owns the tables; keys and defaults are confluent-kafka's, the differences stand in docs/serdes.md. Refuses to act on
them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from serdes.errors import SettingInvalid
from serdes.subjects import SubjectNameStrategyType
from serdes.wire import dual_schema_id_deserializer, prefix_schema_id_serializer

Conf = Mapping[str, Any]
Check = Callable[[str, Any], Any]


def flag(key: str, value: Any) -> bool:
    """True or False, nothing that resembles them."""
    if not isinstance(value, bool):
        raise SettingInvalid(f"{key} must be a boolean value, not {value!r}")
    return value


def text(key: str, value: Any) -> str | None:
    """A text, or None for not set."""
    if value is not None and not isinstance(value, str):
        raise SettingInvalid(f"{key} must be a text, not {type(value).__name__}")
    return value


def text_or_false(key: str, value: Any) -> str | bool | None:
    """A text, False, or None for not set."""
    return False if value is False else text(key, value)


def number(key: str, value: Any) -> float:
    """A number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise SettingInvalid(f"{key} must be a number of at least 0, not {value!r}")
    return value


def number_or_none(key: str, value: Any) -> float | None:
    """A number of at least 0, or None for no limit."""
    return None if value is None else number(key, value)


def count(key: str, value: Any) -> int:
    """A whole number of at least 0."""
    return int(number(key, value))


def at_least_one(key: str, value: Any) -> int:
    """A whole number of at least 1."""
    if count(key, value) < 1:
        raise SettingInvalid(f"{key} must be at least 1, not {value!r}")
    return int(value)


def schema_id(key: str, value: Any) -> int | None:
    """A whole number, or None for not set."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise SettingInvalid(f"{key} must be an int value, not {value!r}")
    return value


def pairs(key: str, value: Any) -> Mapping[str, Any] | None:
    """A dictionary, or None for not set."""
    if value is not None and not isinstance(value, Mapping):
        raise SettingInvalid(f"{key} must be a dict value, not {type(value).__name__}")
    return value


def function(key: str, value: Any) -> Callable[..., Any]:
    """Something that can be called."""
    if not callable(value):
        raise SettingInvalid(f"{key} must be callable, not {type(value).__name__}")
    return value  # type: ignore[no-any-return]  # callable() tells nothing about the signature


def function_or_none(key: str, value: Any) -> Callable[..., Any] | None:
    """Something that can be called, or None for not set."""
    return None if value is None else function(key, value)


def strategy_type(key: str, value: Any) -> SubjectNameStrategyType | None:
    """The name of a strategy, in any case, or None for not set."""
    if value is None:
        return None
    try:
        named = SubjectNameStrategyType(str(getattr(value, "value", value)).upper())
    except ValueError:
        named = SubjectNameStrategyType.NONE
    if named is SubjectNameStrategyType.NONE:
        choices = ", ".join(kind.value for kind in SubjectNameStrategyType if kind is not SubjectNameStrategyType.NONE)
        raise SettingInvalid(f"{key} must be one of {choices}, not {value!r}")
    return named


def one_of(*choices: str) -> Check:
    """One of some words."""

    def check(key: str, value: Any) -> str:
        if value not in choices:
            raise SettingInvalid(f"{key} must be one of {', '.join(choices)}, not {value!r}")
        return str(value)

    return check


def key(name: str, check: Check, meaning: str) -> Mapping[str, Any]:
    """What stands beside a field: the key that fills it, the check of its value, one sentence."""
    return {"key": name, "check": check, "meaning": meaning}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the three kinds of settings share."""

    @classmethod
    def read(cls, conf: Conf | None) -> Self:
        """The settings that a configuration means.

        Raises SettingInvalid when a key is unknown or its value is not of the right kind.
        """
        known = {one.metadata["key"]: one for one in fields(cls)}
        unknown = [str(key) for key in conf or {} if key not in known]
        if unknown:
            raise SettingInvalid(f"Unrecognized properties: {', '.join(unknown)}")
        return cls(**{known[key].name: known[key].metadata["check"](key, value) for key, value in (conf or {}).items()})


@dataclass(frozen=True, kw_only=True)
class ClientSettings(Settings):
    """The keys of a SchemaRegistryClient."""

    url: str | None = field(
        default=None, metadata=key("url", text, "One or more registry URLs, separated by commas, tried in order.")
    )
    timeout_seconds: float | None = field(
        default=5.0,
        metadata=key("timeout", number_or_none, "Seconds that one attempt may take; None leaves it to `deadline`."),
    )
    deadline_seconds: float = field(
        default=15.0,
        metadata=key("deadline", number, "Seconds that a whole call may take, all attempts and waits included."),
    )
    cache_capacity: int = field(
        default=1000, metadata=key("cache.capacity", at_least_one, "Entries that each cache holds at most.")
    )
    latest_ttl_seconds: float | None = field(
        default=60.0,
        metadata=key(
            "cache.latest.ttl.sec", number_or_none, "Seconds until what may change is asked again; None for never."
        ),
    )
    stale_seconds: float = field(
        default=86_400.0,
        metadata=key(
            "cache.stale.sec", number, "Seconds past its time that an answer serves while the registry is down."
        ),
    )
    negative_ttl_seconds: float = field(
        default=5.0, metadata=key("cache.negative.ttl.sec", number, "Seconds that a 404 is remembered.")
    )
    max_retries: int = field(default=3, metadata=key("max.retries", count, "Attempts after the first one."))
    retries_wait_ms: int = field(
        default=1000, metadata=key("retries.wait.ms", count, "Upper bound of the wait before the first retry.")
    )
    retries_max_wait_ms: int = field(
        default=20_000, metadata=key("retries.max.wait.ms", count, "Upper bound of any wait.")
    )
    ca_location: str | bool | None = field(
        default=None,
        metadata=key(
            "ssl.ca.location", text_or_false, "CA certificates to trust, a file or a folder; False trusts any server."
        ),
    )
    certificate_location: str | None = field(
        default=None, metadata=key("ssl.certificate.location", text, "The client's certificate (PEM).")
    )
    key_location: str | None = field(
        default=None, metadata=key("ssl.key.location", text, "The private key of the certificate (PEM).")
    )
    key_password: str | None = field(default=None, metadata=key("ssl.key.password", text, "The password of that key."))
    basic_auth: str | None = field(
        default=None, metadata=key("basic.auth.user.info", text, "`user:password`; else taken from the URL.")
    )
    proxy: str | None = field(default=None, metadata=key("proxy", text, "URL of an HTTP proxy."))

    @property
    def urls(self) -> tuple[str, ...]:
        """The registry URLs, without credentials and closing slashes."""
        return tuple(_without_credentials(url) for url in _split_urls(self.url))

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password, from the setting or from the first URL."""
        if self.basic_auth is not None:
            user, _, password = self.basic_auth.partition(":")
            return user, password
        parts = urlsplit(_split_urls(self.url)[0])
        return None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))


def _split_urls(url: str | None) -> list[str]:
    urls = [part.strip().rstrip("/") for part in (url or "").split(",") if part.strip()]
    if not urls:
        raise SettingInvalid("Missing required configuration property url")
    for one in urls:
        if not one.startswith(("http://", "https://")):
            raise SettingInvalid(f"url must start with http:// or https://, not {_without_credentials(one)!r}")
    return urls


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


@dataclass(frozen=True, kw_only=True)
class SubjectSettings(Settings):
    """The keys that serializers and deserializers share."""

    use_latest_version: bool = field(
        default=False, metadata=key("use.latest.version", flag, "Write or read with the subject's latest version.")
    )
    use_latest_with_metadata: Mapping[str, str] | None = field(
        default=None,
        metadata=key(
            "use.latest.with.metadata", pairs, "Like it, with the latest version whose metadata has these pairs."
        ),
    )
    strategy: Callable[..., Any] | None = field(
        default=None,
        metadata=key("subject.name.strategy", function_or_none, "A function (context, record name) -> subject; wins."),
    )
    strategy_type: str | None = field(
        default=None,
        metadata=key(
            "subject.name.strategy.type", strategy_type, "TOPIC, RECORD, TOPIC_RECORD or ASSOCIATED (the default)."
        ),
    )
    strategy_conf: Mapping[str, Any] | None = field(
        default=None,
        metadata=key("subject.name.strategy.conf", pairs, "What the associated strategy needs: cluster id, fallback."),
    )


@dataclass(frozen=True, kw_only=True)
class SerializerSettings(SubjectSettings):
    """The keys of an AvroSerializer."""

    auto_register: bool = field(
        default=True, metadata=key("auto.register.schemas", flag, "Register the schema on first use of a subject.")
    )
    normalize: bool = field(
        default=False, metadata=key("normalize.schemas", flag, "Let the registry normalize the schema.")
    )
    use_schema_id: int | None = field(default=None, metadata=key("use.schema.id", schema_id, "Write with this id."))
    schema_id_serializer: Callable[..., bytes] = field(
        default=prefix_schema_id_serializer,
        metadata=key("schema.id.serializer", function, "How the id travels: prefix or header."),
    )
    strict: bool = field(
        default=False, metadata=key("validate.strict", flag, "Refuse records with missing or additional fields.")
    )
    strict_allow_default: bool = field(
        default=False,
        metadata=key("validate.strict.allow.default", flag, "The same, except for missing fields that have a default."),
    )

    def __post_init__(self) -> None:
        if self.use_latest_version and self.auto_register:
            raise SettingInvalid("cannot enable both use.latest.version and auto.register.schemas")


@dataclass(frozen=True, kw_only=True)
class DeserializerSettings(SubjectSettings):
    """The keys of an AvroDeserializer."""

    schema_id_deserializer: Callable[..., Any] = field(
        default=dual_schema_id_deserializer,
        metadata=key("schema.id.deserializer", function, "Where the id is looked for."),
    )
    refuse_trailing: bool = field(
        default=False,
        metadata=key("avro.fail.on.trailing.data", flag, "Refuse bytes that are left over after the value."),
    )
