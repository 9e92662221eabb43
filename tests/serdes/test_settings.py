from dataclasses import fields

import pytest

from serdes import AvroDeserializer, AvroSerializer, SchemaRegistryClient
from serdes.errors import SettingInvalid
from serdes.settings import ClientSettings, DeserializerSettings, SerializerSettings

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
        (ClientSettings, URL | {"colour": 1}, "Unrecognized properties: colour"),
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
        (ClientSettings, URL | {"ssl.key.location": "/k"}, "ssl.certificate.location"),
        (ClientSettings, URL | {"bearer.auth.credentials.source": "MAGIC"}, "OAUTHBEARER"),
        (ClientSettings, URL | {"bearer.auth.credentials.source": "STATIC_TOKEN"}, "bearer.auth.token"),
        (SerializerSettings, {"auto.register.schemas": 1}, "boolean"),
        (SerializerSettings, {"use.schema.id": "1"}, "int"),
        (SerializerSettings, {"use.latest.version": True}, "both"),
        (SerializerSettings, {"use.latest.with.metadata": []}, "dict"),
        (SerializerSettings, {"subject.name.strategy": "topic"}, "callable"),
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


@pytest.mark.parametrize("key", ["url", "proxy"])
@pytest.mark.parametrize(
    "url", ["ftp://me:secret@host", "http://me:secret/@host", "http://me:secret[@host", "me:secret@host:8081"]
)
def test_a_secret_in_a_bad_url_is_not_told(key, url):
    with pytest.raises(SettingInvalid) as failure:
        ClientSettings.read(URL | {key: url})
    assert "secret" not in str(failure.value)


def test_settings_do_not_show_themselves():
    conf = {"url": "http://me:secret@host", "proxy": "http://me:secret@proxy", "bearer.auth.token": "secret"}
    assert "secret" not in repr(ClientSettings.read(conf))


def test_a_proxy_of_the_environment_that_cannot_be_used_is_a_setting(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "gopher://host")
    with SchemaRegistryClient(URL) as client, pytest.raises(SettingInvalid, match="the proxy cannot be used"):
        client.get_subjects()


@pytest.mark.parametrize("make", [AvroSerializer, AvroDeserializer])
def test_serdes_refuse_unknown_keys(make):
    with SchemaRegistryClient(URL) as client, pytest.raises(SettingInvalid, match="Unrecognized properties: nope"):
        make(client, '"string"', conf={"nope": 1})
