"""The two clients: small drivers of the same flows."""

from serdes._clients.asynchronous import AsyncSchemaRegistryClient
from serdes._clients.blocking import SchemaRegistryClient

__all__ = ["AsyncSchemaRegistryClient", "SchemaRegistryClient"]
