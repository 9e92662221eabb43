import logging
import traceback
from dataclasses import fields
from itertools import product

import pytest

from serdes import AvroDeserializer, AvroSerializer, SchemaRegistryClient
from serdes.errors import RegistryUnavailable, SettingInvalid
from serdes.settings import ClientSettings, DeserializerSettings, SerializerSettings

STRATEGY = "subject.name.strategy"
CONF = f"{STRATEGY}.conf"
ASSOCIATED = {f"{STRATEGY}.type": "ASSOCIATED"}
URL = {"url": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("kind", "conf", "said"),
    [
        (ClientSettings, {}, "url"),
        (ClientSettings, {"url": "ftp://x"}, "http://"),
        (ClientSettings, {"url": "localhost:8081"}, "http://.*localhost:8081"),
        (ClientSettings, {"url": "http://:8081"}, "no host"),
        (ClientSettings, {"url": "http://h:port"}, "HOST:PORT"),
        (ClientSettings, {"url": "http://h:65536"}, "HOST:PORT"),
        (ClientSettings, {"url": "ftp://[h"}, "HOST:PORT"),
        (ClientSettings, {"url": 5}, "text"),
        (ClientSettings, URL | {"colour": 1}, "^Unrecognized properties: colour$"),
        (ClientSettings, URL | {"basic.auth.user.inf": "a:b"}, "inf .did you mean basic.auth.user.info[?].$"),
        (ClientSettings, URL | {"codegen": "off"}, "codegen .a key of a serializer and a deserializer.$"),
        (DeserializerSettings, {"auto.register.schemas": False}, "schemas .a key of a serializer.$"),
        (SerializerSettings, URL | {"nope": 1}, "^Unrecognized properties: url .a key of a client., nope$"),
        (ClientSettings, URL | {"timeout": "fast"}, "timeout"),
        (ClientSettings, URL | {"timeout": -1}, "timeout"),
        (ClientSettings, URL | {"cache.capacity": 0}, "at least 1"),
        (ClientSettings, URL | {"cache.capacity": True}, "cache.capacity"),
        (ClientSettings, URL | {"cache.capacity": float("inf")}, "cache.capacity"),
        (ClientSettings, URL | {"max.retries": float("inf")}, "max.retries"),
        (ClientSettings, URL | {"deadline": float("inf")}, "deadline"),
        (ClientSettings, URL | {"cache.latest.ttl.sec": float("nan")}, "cache.latest.ttl.sec"),
        (ClientSettings, URL | {"cache.disk.mode": "always"}, "off, fallback, first"),
        (ClientSettings, URL | {"cache.disk.dir": 7}, "path"),
        (ClientSettings, URL | {"basic.auth.user.info": "nobody"}, "username"),
        (ClientSettings, {"url": "http://a:b@h", "basic.auth.user.info": "c:d"}, "both"),
        (ClientSettings, URL | {"proxy": "h:3128"}, "proxy must start with http://.*'h:3128'"),
        (ClientSettings, URL | {"proxy": "socks5://"}, "proxy names no host"),
        (ClientSettings, {"url": "http://h:8081/?a=b"}, "behind \\? or #"),
        (ClientSettings, {"url": "http://h:8081/#a"}, "behind \\? or #"),
        (
            ClientSettings,
            URL | {"bearer.auth.issuer.endpoint.url": "idp/token"},
            "endpoint.url must start with http://",
        ),
        (ClientSettings, URL | {"bearer.auth.issuer.endpoint.url": "http://u:p@idp"}, "bearer.auth.client.secret"),
        (ClientSettings, URL | {"ssl.key.location": "/k"}, "ssl.certificate.location"),
        (ClientSettings, URL | {"bearer.auth.credentials.source": "MAGIC"}, "OAUTHBEARER"),
        (ClientSettings, URL | {"bearer.auth.credentials.source": "STATIC_TOKEN"}, "bearer.auth.token"),
        (SerializerSettings, {"auto.register.schemas": 1}, "boolean"),
        (SerializerSettings, {"use.schema.id": "1"}, "int"),
        (SerializerSettings, {"use.latest.version": True}, "both"),
        (SerializerSettings, {"use.schema.id": -1}, "0 to 4294967295"),
        (SerializerSettings, {"use.latest.with.metadata": []}, "dict"),
        (SerializerSettings, {"use.latest.with.metadata": {"owner": ["me"]}}, "texts"),
        (
            SerializerSettings,
            ASSOCIATED | {CONF: {f"{STRATEGY}.fallback.type": "x"}},
            "fallback.type must be one of TOPIC",
        ),
        (SerializerSettings, ASSOCIATED | {CONF: {f"{STRATEGY}.fallback.type": "ASSOCIATED"}}, "fallback.type must be"),
        (SerializerSettings, ASSOCIATED | {CONF: {f"{STRATEGY}.kafka.cluster.id": 5}}, "cluster.id must be a text"),
        (
            SerializerSettings,
            {STRATEGY: "topic"},
            f"{STRATEGY} must be callable, not str; {STRATEGY}.type takes one of",
        ),
        (SerializerSettings, {STRATEGY: 5}, f"{STRATEGY} must be callable, not int$"),
        (SerializerSettings, {"subject.name.strategy.type": "NONE"}, "TOPIC"),
        (SerializerSettings, {"codegen": "maybe"}, "auto, on, off"),
        (DeserializerSettings, {"on.error": "ignore"}, "raise, return, drop"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(kind, conf, said):
    with pytest.raises(SettingInvalid, match=said):
        kind.read(conf)


@pytest.mark.parametrize("kind", [ClientSettings, SerializerSettings, DeserializerSettings])
def test_none_means_not_set_except_where_it_means_no_limit(kind):
    known = {one.metadata["key"]: one for one in fields(kind)}
    conf = (URL if kind is ClientSettings else {}) | {key: None for key in known if key != "url"}
    settings = kind.read(conf)
    for key, one in known.items():
        expected = None if key in ("timeout", "cache.latest.ttl.sec") else one.default
        assert key == "url" or getattr(settings, one.name) == expected


def test_credentials_are_taken_from_the_url_and_never_shown():
    settings = ClientSettings.read({"url": "http://me:p%40ss@host:1/, https://other"})
    assert settings.urls == ("http://host:1", "https://other")
    assert settings.credentials == ("me", "p@ss")


@pytest.mark.parametrize(
    ("key", "url"),
    [
        *product(
            ["url", "proxy", "bearer.auth.issuer.endpoint.url"],
            ["ftp://me:hunter2@host", "http://me:hunter2/@host", "http://me:hunter2[@host", "me:hunter2@host:8081"],
        ),
        ("url", "http://me:1?hunter2@host"),
        ("url", "http://host?hunter2"),
        ("bearer.auth.issuer.endpoint.url", "http://me:hunter2@host"),
    ],
)
def test_a_secret_in_a_bad_url_is_not_told(key, url):
    with pytest.raises(SettingInvalid) as failure:
        ClientSettings.read(URL | {key: url})
    assert "hunter2" not in str(failure.value)


def test_settings_do_not_show_themselves():
    conf = {"url": "http://me:secret@host", "proxy": "http://me:secret@proxy", "bearer.auth.token": "secret"}
    assert "secret" not in repr(ClientSettings.read(conf))


@pytest.mark.parametrize("proxy", ["gopher://me:secret@host", "http://me:secret@host:port", "http://me:secret/@host"])
def test_a_proxy_of_the_environment_that_cannot_be_used_is_a_setting(monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    client, refused = SchemaRegistryClient(URL), pytest.raises(SettingInvalid, match="the proxy cannot be used")
    with client, refused as failure:
        client.get_subjects()
    assert "secret" not in "".join(traceback.format_exception(failure.value))


def test_the_http_library_writes_no_password_of_a_proxy_down(caplog):
    with caplog.at_level(logging.DEBUG), SchemaRegistryClient(URL | {"max.retries": 0}) as client:
        with pytest.raises(RegistryUnavailable):
            client.get_subjects()
        assert not logging.getLogger("httpcore.socks").isEnabledFor(logging.DEBUG)


@pytest.mark.parametrize("make", [AvroSerializer, AvroDeserializer])
def test_serdes_refuse_unknown_keys(make):
    with SchemaRegistryClient(URL) as client, pytest.raises(SettingInvalid, match="Unrecognized properties: nope"):
        make(client, '"string"', conf={"nope": 1})
