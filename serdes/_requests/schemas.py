"""The calls about schemas and subjects."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from serdes._requests import paths
from serdes._requests.request import Request, query
from serdes.schema import RegisteredSchema, Schema, SubjectVersion


def register(subject: str, schema: Schema, normalize: bool) -> Request[RegisteredSchema]:
    """Register a schema; the answer tells at least its id."""
    return Request(
        "POST",
        paths.of_subject(subject, "versions"),
        partial(_read_registered, sent=schema, subject=subject),
        query(normalize=normalize),
        schema.to_dict(),
        operation="register",
    )


def lookup(
    subject: str, schema: Schema, normalize: bool, deleted: bool, fmt: str | None = None
) -> Request[RegisteredSchema]:
    """The version of a subject that a schema has."""
    return Request(
        "POST",
        paths.of_subject(subject),
        partial(_read_registered, sent=schema, subject=subject),
        query(normalize=normalize, deleted=deleted, format=fmt),
        schema.to_dict(),
        operation="lookup",
    )


def by_id(
    schema_id: int, subject: str | None, fmt: str | None = None, reference_format: str | None = None
) -> Request[RegisteredSchema]:
    """What an id means; `subject` tells the context."""
    options = query(subject=subject, format=fmt, referenceFormat=reference_format)
    read = partial(_read_identified, schema_id=schema_id)
    return Request("GET", paths.of_id(schema_id), read, options, operation="id")


def by_guid(guid: str, fmt: str | None = None) -> Request[RegisteredSchema]:
    """What a GUID means."""
    return Request("GET", paths.of_guid(guid), RegisteredSchema.from_dict, query(format=fmt), operation="guid")


def version(subject: str, number: int | str, deleted: bool, fmt: str | None = None) -> Request[RegisteredSchema]:
    """A version of a subject; `number` may be "latest"."""
    path = paths.of_version(subject, number)
    options = query(deleted=deleted, format=fmt)
    return Request("GET", path, RegisteredSchema.from_dict, options, operation="version")


def latest_with_metadata(
    subject: str, metadata: Mapping[str, str], deleted: bool, fmt: str | None = None
) -> Request[RegisteredSchema]:
    """The latest version whose metadata properties contain all these pairs."""
    options = query(key=list(metadata), value=list(metadata.values()), deleted=deleted, format=fmt)
    path = paths.of_subject(subject, "metadata")
    return Request("GET", path, RegisteredSchema.from_dict, options, operation="version")


def types() -> Request[list[str]]:
    """The schema languages that the registry knows."""
    return Request("GET", "/schemas/types", list, operation="types")


def subjects_of_id(schema_id: int, subject: str | None, deleted: bool, offset: int, limit: int) -> Request[list[str]]:
    """The subjects that hold a schema id."""
    options = query(subject=subject, deleted=deleted, offset=offset, limit=limit)
    return Request("GET", paths.of_id(schema_id, "subjects"), list, options, operation="id subjects")


def versions_of_id(
    schema_id: int, subject: str | None, deleted: bool, offset: int, limit: int
) -> Request[list[SubjectVersion]]:
    """The versions that have a schema id."""
    options = query(subject=subject, deleted=deleted, offset=offset, limit=limit)
    return Request("GET", paths.of_id(schema_id, "versions"), _read_versions, options, operation="id versions")


def subjects(prefix: str | None, deleted: bool, deleted_only: bool, offset: int, limit: int) -> Request[list[str]]:
    """The names of subjects."""
    options = query(subjectPrefix=prefix, deleted=deleted, deletedOnly=deleted_only, offset=offset, limit=limit)
    return Request("GET", "/subjects", list, options, operation="subjects")


def delete_subject(subject: str, permanent: bool) -> Request[list[int]]:
    """Delete a subject; the versions that went with it."""
    return Request("DELETE", paths.of_subject(subject), list, query(permanent=permanent), operation="delete")


def versions(subject: str, deleted: bool, offset: int, limit: int) -> Request[list[int]]:
    """The numbers of a subject's versions."""
    options = query(deleted=deleted, offset=offset, limit=limit)
    return Request("GET", paths.of_subject(subject, "versions"), list, options, operation="versions")


def delete_version(subject: str, number: int | str, permanent: bool) -> Request[int]:
    """Delete a version; its number."""
    path = paths.of_version(subject, number)
    return Request("DELETE", path, int, query(permanent=permanent), operation="delete")


def referenced_by(subject: str, number: int | str, offset: int, limit: int) -> Request[list[int]]:
    """The ids of the schemas that refer to a version."""
    path = paths.of_version(subject, number, "referencedby")
    return Request("GET", path, list, query(offset=offset, limit=limit), operation="referenced by")


def compatibility(subject: str, number: int | str, schema: Schema, normalize: bool, verbose: bool) -> Request[bool]:
    """Whether a schema is compatible with a version."""
    return _compatibility(paths.of_version(subject, number), schema, normalize, verbose)


def compatibility_with_all(subject: str, schema: Schema, normalize: bool, verbose: bool) -> Request[bool]:
    """Whether a schema is compatible with all versions that the level asks for."""
    return _compatibility(paths.of_subject(subject, "versions"), schema, normalize, verbose)


def _compatibility(path: str, schema: Schema, normalize: bool, verbose: bool) -> Request[bool]:
    return Request(
        "POST",
        "/compatibility" + path,
        lambda told: bool(told["is_compatible"]),
        query(normalize=normalize, verbose=verbose),
        schema.to_dict(),
        operation="compatibility",
    )


def _read_registered(told: Any, *, sent: Schema, subject: str) -> RegisteredSchema:
    """A registration's answer, completed by what was asked."""
    # Old registries answer with the id alone.
    found = RegisteredSchema.from_dict(told, sent)
    if found.schema_id is None:
        raise KeyError("id")
    return RegisteredSchema(found.subject or subject, found.version, found.schema_id, found.guid, found.schema)


def _read_identified(told: Any, *, schema_id: int) -> RegisteredSchema:
    found = RegisteredSchema.from_dict(told)
    # The id is what was asked for; the answer does not repeat it.
    return RegisteredSchema(found.subject, found.version, schema_id, found.guid, found.schema)


def _read_versions(told: Any) -> list[SubjectVersion]:
    return [SubjectVersion(item["subject"], item["version"]) for item in told]
