"""The keys of a SchemaRegistryClient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from serdes.errors import SettingInvalid
from serdes.settings.checks import (
    Settings,
    at_least_one,
    count,
    flag,
    folder,
    function,
    key,
    number,
    number_or_none,
    one_of,
    pairs,
    text,
    text_or_false,
    texts,
    wait_seconds,
)


def _endpoint(key: str, value: Any) -> str:
    """The URL of who gives out tokens."""
    _check_url(text(key, value), key, _REGISTRIES)
    # They would take the place of the client's id and secret, and nobody could tell which of the two was refused.
    if urlsplit(value).username is not None:
        raise SettingInvalid(
            f"{key} must have no user and password: those are bearer.auth.client.id and bearer.auth.client.secret"
        )
    return str(value)


# Without a repr: tracebacks with local variables and debuggers show it, and half of the keys are secrets.
@dataclass(frozen=True, kw_only=True, repr=False)
class ClientSettings(Settings):
    """The keys of a SchemaRegistryClient."""

    of_whom: ClassVar[str] = "a client"

    url: str | None = field(
        default=None, metadata=key("url", text, "One or more registry URLs, separated by commas, tried in order.")
    )
    timeout_seconds: float | None = field(
        default=5.0,
        metadata=key("timeout", number_or_none, "Seconds that one attempt may take; None leaves it to `deadline`."),
    )
    deadline_seconds: float = field(
        default=15.0,
        metadata=key("deadline", wait_seconds, "Seconds that a whole call may take, all attempts and waits included."),
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
    push: bool = field(
        default=False,
        metadata=key("cache.push", flag, "Listen to the registry's event stream, and ask again for what has changed."),
    )
    messages: bool = field(
        default=False,
        metadata=key("metrics.messages", flag, "Count messages too, which costs each of them some 50 nanoseconds."),
    )
    disk_dir: Path | None = field(
        default=None, metadata=key("cache.disk.dir", folder, "Folder of the disk cache; none when it is not set.")
    )
    disk_mode: str = field(
        default="fallback",
        metadata=key(
            "cache.disk.mode",
            one_of("off", "fallback", "first"),
            "off; fallback: the disk serves while the registry is down; first: the disk serves at once.",
        ),
    )
    disk_max_age_seconds: float = field(
        default=2_592_000.0,
        metadata=key("cache.disk.max.age.sec", number, "Seconds that an answer on disk may serve."),
    )
    bearer_source: str | None = field(
        default=None,
        metadata=key(
            "bearer.auth.credentials.source",
            one_of("OAUTHBEARER", "OAUTHBEARER_AZURE_IMDS", "STATIC_TOKEN", "CUSTOM"),
            "Where bearer tokens come from: OAUTHBEARER, OAUTHBEARER_AZURE_IMDS, STATIC_TOKEN or CUSTOM.",
        ),
    )
    bearer_token: str | None = field(
        default=None, metadata=key("bearer.auth.token", text, "The token of STATIC_TOKEN.")
    )
    bearer_logical_cluster: str | None = field(
        default=None, metadata=key("bearer.auth.logical.cluster", text, "Sent as `target-sr-cluster`.")
    )
    bearer_identity_pool: str | None = field(
        default=None, metadata=key("bearer.auth.identity.pool.id", texts, "Sent as `Confluent-Identity-Pool-Id`.")
    )
    bearer_client_id: str | None = field(
        default=None, metadata=key("bearer.auth.client.id", text, "OAUTHBEARER: the client's id.")
    )
    bearer_client_secret: str | None = field(
        default=None, metadata=key("bearer.auth.client.secret", text, "OAUTHBEARER: the client's secret.")
    )
    bearer_scope: str | None = field(
        default=None, metadata=key("bearer.auth.scope", text, "OAUTHBEARER: the scope to ask for.")
    )
    bearer_endpoint: str | None = field(
        default=None, metadata=key("bearer.auth.issuer.endpoint.url", _endpoint, "Where tokens are given out.")
    )
    bearer_endpoint_query: str | None = field(
        default=None, metadata=key("bearer.auth.issuer.endpoint.query", text, "AZURE_IMDS: the query of that URL.")
    )
    bearer_function: Callable[[Any], Any] | None = field(
        default=None,
        metadata=key(
            "bearer.auth.custom.provider.function", function, "CUSTOM: called with the config for the fields."
        ),
    )
    bearer_config: Mapping[str, Any] | None = field(
        default=None, metadata=key("bearer.auth.custom.provider.config", pairs, "CUSTOM: what that function gets.")
    )

    def __post_init__(self) -> None:
        # Looked at now, so that a URL that is none shows where it was given.
        _ = self.urls
        if self.proxy is not None:
            _check_url(self.proxy, "proxy", _PROXIES)
        if self.basic_auth is not None and ":" not in self.basic_auth:
            raise SettingInvalid("basic.auth.user.info must be in the form of {username}:{password}")
        # Whichever of the two won, somebody would look for the fault in the other.
        if self.basic_auth is not None and urlsplit(_split_urls(self.url)[0]).username is not None:
            raise SettingInvalid("credentials stand both in basic.auth.user.info and in the url: remove one of them")
        if (self.key_location or self.key_password) and self.certificate_location is None:
            raise SettingInvalid("ssl.key.location and ssl.key.password need ssl.certificate.location")
        # Not at the first call, which may come hours later in another thread.
        missing = [name for name in _NEEDED.get(self.bearer_source, ()) if getattr(self, name) is None]
        if missing:
            keys = [one.metadata["key"] for one in fields(self) if one.name in missing]
            raise SettingInvalid(f"{self.bearer_source} needs {', '.join(keys)}")

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
        # In a URL both are written with per cent signs where they must be.
        return None if parts.username is None else (unquote(parts.username), unquote(parts.password or ""))


_NEEDED: dict[str | None, tuple[str, ...]] = {
    "STATIC_TOKEN": ("bearer_logical_cluster", "bearer_token"),
    "OAUTHBEARER": (
        "bearer_logical_cluster",
        "bearer_client_id",
        "bearer_client_secret",
        "bearer_scope",
        "bearer_endpoint",
    ),
    "OAUTHBEARER_AZURE_IMDS": ("bearer_logical_cluster",),
    "CUSTOM": ("bearer_function", "bearer_config"),
}


def _split_urls(url: str | None) -> list[str]:
    urls = [part.strip().rstrip("/") for part in (url or "").split(",") if part.strip()]
    if not urls:
        raise SettingInvalid("Missing required configuration property url")
    for one in urls:
        _check_url(one, "url", _REGISTRIES)
        if "?" in one or "#" in one:
            # Not shown: it may be a secret, or the rest of a password.
            raise SettingInvalid("url must end with a host or a path: what stands behind ? or # belongs to no registry")
    return urls


_REGISTRIES = ("http", "https")
_PROXIES = (*_REGISTRIES, "socks5", "socks5h")


def _check_url(url: str, key: str, schemes: tuple[str, ...]) -> None:
    try:
        # Whether its port is a number that a port can have is found out only by asking for it.
        _ = urlsplit(url).port
    except ValueError:
        # Not shown: in what cannot be taken apart a password may stand anywhere.
        raise SettingInvalid(
            f"{key} cannot be read as http://USER:PASSWORD@HOST:PORT; "
            "characters like @ : / in the password are written as %40 %3A %2F"
        ) from None
    if not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        wanted = " or ".join(f"{scheme}://" for scheme in schemes)
        # Without a scheme nothing tells where a password begins.
        raise SettingInvalid(f"{key} must start with {wanted}, not {url.rpartition('@')[2]!r}")
    if not urlsplit(url).hostname:
        raise SettingInvalid(f"{key} names no host: {_without_credentials(url)!r}")


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    # The last sign of its kind: a password may have one that was not escaped.
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
