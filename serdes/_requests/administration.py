"""The calls about compatibility levels, modes, contexts and associations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from serdes._requests import paths
from serdes._requests.request import Request, query
from serdes.schema import Association


def _config_path(subject: str | None) -> str:
    return "/config" if subject is None else paths.of_subject(subject, noun="config")


def config(subject: str | None) -> Request[dict[str, Any]]:
    """The configuration of a subject or of the registry."""
    return Request("GET", _config_path(subject), dict, operation="config")


def set_config(subject: str | None, settings: Mapping[str, Any]) -> Request[dict[str, Any]]:
    """Set the configuration of a subject or of the registry."""
    return Request("PUT", _config_path(subject), dict, body=settings, operation="config")


def delete_config(subject: str | None) -> Request[dict[str, Any]]:
    """Delete the configuration of a subject or of the registry."""
    return Request("DELETE", _config_path(subject), dict, operation="config")


def _read_mode(told: Any) -> str:
    return str(told["mode"])


def mode(subject: str) -> Request[str]:
    """The mode of a subject."""
    return Request("GET", _mode_path(subject), _read_mode, operation="mode")


def set_mode(subject: str, word: str, force: bool) -> Request[str]:
    """Set the mode of a subject."""
    return _set_mode(_mode_path(subject), word, force)


def delete_mode(subject: str) -> Request[str]:
    """Delete the mode of a subject."""
    return Request("DELETE", _mode_path(subject), _read_mode, operation="mode")


def global_mode() -> Request[str]:
    """The mode of the registry."""
    return Request("GET", "/mode", _read_mode, operation="mode")


def set_global_mode(word: str, force: bool) -> Request[str]:
    """Set the mode of the registry."""
    return _set_mode("/mode", word, force)


def _mode_path(subject: str) -> str:
    return paths.of_subject(subject, noun="mode")


def _set_mode(path: str, word: str, force: bool) -> Request[str]:
    return Request("PUT", path, _read_mode, query(force=force), {"mode": word}, operation="mode")


def contexts(offset: int, limit: int) -> Request[list[str]]:
    """The names of the contexts."""
    return Request("GET", "/contexts", list, query(offset=offset, limit=limit), operation="contexts")


def associations(
    name: str, namespace: str, resource_type: str | None, association_types: Sequence[str], offset: int, limit: int
) -> Request[list[Association]]:
    """The subjects that a Kafka resource is bound to; none where the registry knows no associations."""
    options = query(
        resourceType=resource_type,
        associationType=list(association_types),
        offset=offset if offset > 0 else None,
        limit=limit if limit > 0 else None,
    )
    path = f"/associations/resources/{quote(namespace, safe='')}/{quote(name, safe='')}"
    return Request("GET", path, _read_associations, options, operation="associations", absent=list)


def create_association(wanted: Mapping[str, Any]) -> Request[dict[str, Any]]:
    """Bind a Kafka resource to subjects."""
    return Request("POST", "/associations", dict, body=wanted, operation="associations")


def delete_associations(
    resource_id: str, resource_type: str | None, association_types: Sequence[str], cascade: bool
) -> Request[None]:
    """Unbind a Kafka resource."""
    options = query(resourceType=resource_type, associationType=list(association_types), cascadeLifecycle=cascade)
    path = f"/associations/resources/{quote(resource_id, safe='')}"
    return Request("DELETE", path, lambda _: None, options, operation="associations")


def _read_associations(told: Any) -> list[Association]:
    return [Association.from_dict(item) for item in told]
