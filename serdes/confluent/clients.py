"""SchemaRegistryClient and AsyncSchemaRegistryClient with confluent-kafka's values, errors and default of a TTL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from confluent_kafka.schema_registry import AssociationResponse, ServerConfig

import serdes
from serdes._confluent_client import theirs
from serdes._effects import Flow
from serdes.confluent.errors import their_errors
from serdes.settings import Conf

R = TypeVar("R")

# confluent-kafka remembers the latest version for ever unless it is told otherwise.
_DEFAULTS: Conf = {"cache.latest.ttl.sec": None}


class SchemaRegistryClient(serdes.SchemaRegistryClient):
    """Our client, with the interface of `confluent_kafka.schema_registry.SchemaRegistryClient`."""

    def __init__(self, conf: Conf, **options: Any) -> None:
        with their_errors():
            super().__init__({**_DEFAULTS, **conf}, **options)
        self._given = conf

    def config(self) -> dict[str, Any]:
        """The configuration that was given."""
        return dict(self._given)

    def _run(self, flow: Flow[R]) -> R:
        with their_errors():
            return theirs(super()._run(flow))  # type: ignore[no-any-return]  # the same value in their class

    def get_config(self, subject_name: str | None = None) -> Any:
        """The configuration of a subject, or of the registry."""
        return ServerConfig.from_dict(super().get_config(subject_name))

    def set_config(self, subject_name: str | None = None, config: Any = None) -> Any:
        """Set the configuration of a subject, or of the registry."""
        return super().set_config(subject_name, _plain(config))

    def delete_config(self, subject_name: str | None = None) -> Any:
        """Delete the configuration of a subject, or of the registry."""
        return ServerConfig.from_dict(super().delete_config(subject_name))

    def create_association(self, request: Any) -> Any:
        """Bind a Kafka resource to subjects."""
        return AssociationResponse.from_dict(super().create_association(_plain(request)))


class AsyncSchemaRegistryClient(serdes.AsyncSchemaRegistryClient):
    """Our client, with the interface of `confluent_kafka.schema_registry.AsyncSchemaRegistryClient`."""

    def __init__(self, conf: Conf, **options: Any) -> None:
        with their_errors():
            super().__init__({**_DEFAULTS, **conf}, **options)
        self._given = conf

    def config(self) -> dict[str, Any]:
        """The configuration that was given."""
        return dict(self._given)

    async def _run(self, flow: Flow[R]) -> R:
        with their_errors():
            return theirs(await super()._run(flow))  # type: ignore[no-any-return]  # the same value in their class

    async def get_config(self, subject_name: str | None = None) -> Any:
        """The configuration of a subject, or of the registry."""
        return ServerConfig.from_dict(await super().get_config(subject_name))

    async def set_config(self, subject_name: str | None = None, config: Any = None) -> Any:
        """Set the configuration of a subject, or of the registry."""
        return await super().set_config(subject_name, _plain(config))

    async def delete_config(self, subject_name: str | None = None) -> Any:
        """Delete the configuration of a subject, or of the registry."""
        return ServerConfig.from_dict(await super().delete_config(subject_name))

    async def create_association(self, request: Any) -> Any:
        """Bind a Kafka resource to subjects."""
        return AssociationResponse.from_dict(await super().create_association(_plain(request)))


def _plain(value: Any) -> Mapping[str, Any]:
    plain: Mapping[str, Any] = value.to_dict() if hasattr(value, "to_dict") else value or {}
    return plain
