"""How reports name what a record is about: the subject (or context) that it belongs to, and the thing itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from registry.records import EVERYTHING, AssociationKey, ConfigKey, ContextKey, Key, ModeKey, NoopKey, SchemaKey


def owner_of(key: Key) -> str:
    """The subject or context that a thing belongs to."""
    return _OWNERS[type(key)](key)


def name_of(key: Key) -> str:
    """The thing itself, among those of its owner."""
    return _NAMES[type(key)](key)


def _scope(key: Any) -> str:
    return "the whole registry" if key.subject == EVERYTHING else str(key.subject)


_OWNERS: Final[Mapping[type, Callable[[Any], str]]] = {
    SchemaKey: lambda key: str(key.subject) or '""',
    ConfigKey: _scope,
    ModeKey: _scope,
    ContextKey: lambda key: f":{key.context}:",
    AssociationKey: lambda key: str(key.subject),
    NoopKey: lambda _key: "the whole registry",
}
_NAMES: Final[Mapping[type, Callable[[Any], str]]] = {
    SchemaKey: lambda key: f"version {key.version}",
    ConfigKey: lambda _key: "its config",
    ModeKey: lambda _key: "its mode",
    ContextKey: lambda _key: "the context",
    AssociationKey: lambda key: f"the association with the {key.resource_type} {key.resource_name}",
    NoopKey: lambda _key: "the highest ids",
}
