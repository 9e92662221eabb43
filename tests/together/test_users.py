"""Clients with a user and a password against a registry that wants them: Confluent's and ours."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import bcrypt
import confluent_kafka.schema_registry as confluent
import httpx
import pytest

import serdes

PASSWORD = "p:ss wörd"
STRING = '"string"'


@pytest.fixture
def url(start_registry: Callable[..., Any], tmp_path: Path) -> str:
    """A registry with the user ana, who may write orders-*."""
    users, grants = tmp_path / "users", tmp_path / "grants.toml"
    users.write_text(f"ana:{bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()}\n")
    grants.write_text('[[grant]]\nusers = ["ana"]\nsubjects = ["orders-*"]\nrights = ["write"]\n')
    return str(start_registry(users_file=users, grants_file=grants).url)


@pytest.mark.parametrize("library", [confluent, serdes], ids=["confluent-kafka", "serdes"])
def test_clients_register_and_read_as_far_as_their_user_may(url: str, library: Any) -> None:
    with library.SchemaRegistryClient({"url": url, "basic.auth.user.info": f"ana:{PASSWORD}"}) as client:
        assert client.register_schema("orders-value", library.Schema(STRING, "AVRO")) == 1
        assert client.get_schema(1).schema_str == STRING
        with pytest.raises(Exception, match="User is denied operation Write on Subject: secrets") as refusal:
            client.register_schema("secrets", library.Schema(STRING, "AVRO"))
    assert (refusal.value.http_status_code, refusal.value.error_code) == (403, 40301)


def test_a_stream_of_events_ends_when_its_reader_is_no_user_any_more(
    start_registry: Callable[..., Any], tmp_path: Path
) -> None:
    users = tmp_path / "users"
    users.write_text("".join(f"{name}:{bcrypt.hashpw(name.encode(), bcrypt.gensalt(4)).decode()}\n" for name in "ab"))
    url = start_registry(users_file=users).url
    register = partial(httpx.post, auth=("a", "a"), json={"schema": STRING})
    with httpx.stream("GET", f"{url}/signet/v1/events?after=0", auth=("b", "b"), timeout=10) as answer:
        register(f"{url}/subjects/seen/versions")
        lines = answer.iter_lines()
        assert next(lines) == "event: signet.version.registered"
        users.write_text(users.read_text().splitlines()[0])
        while httpx.get(url, auth=("b", "b")).status_code != 401:
            time.sleep(0.1)
        register(f"{url}/subjects/secret/versions")
        assert not [line for line in lines if "secret" in line]


@pytest.mark.parametrize("library", [confluent, serdes], ids=["confluent-kafka", "serdes"])
def test_clients_are_told_of_a_wrong_password(url: str, library: Any) -> None:
    with (
        library.SchemaRegistryClient({"url": url, "basic.auth.user.info": "ana:wrong"}) as client,
        pytest.raises(Exception, match="Unauthorized") as refusal,
    ):
        client.get_latest_version("orders-value")
    assert (refusal.value.http_status_code, refusal.value.error_code) == (401, 401)
