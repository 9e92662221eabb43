"""Clients with a user and a password against a registry that wants them: Confluent's and ours."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bcrypt
import confluent_kafka.schema_registry as confluent
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


@pytest.mark.parametrize("library", [confluent, serdes], ids=["confluent-kafka", "serdes"])
def test_clients_are_told_of_a_wrong_password(url: str, library: Any) -> None:
    with (
        library.SchemaRegistryClient({"url": url, "basic.auth.user.info": "ana:wrong"}) as client,
        pytest.raises(Exception, match="Unauthorized") as refusal,
    ):
        client.get_latest_version("orders-value")
    assert (refusal.value.http_status_code, refusal.value.error_code) == (401, 401)
