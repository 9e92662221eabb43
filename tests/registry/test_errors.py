"""Every error with its code, its HTTP status and its sentence (section 2 of Confluent's REST API)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from registry import errors
from registry.errors import RegistryError

SENTENCES: list[tuple[RegistryError, int, str]] = [
    (errors.RequestNotFound(), 404, "HTTP 404 Not Found"),
    (errors.MethodNotAllowed(["GET"]), 405, "HTTP 405 Method Not Allowed"),
    (errors.NotAcceptable(), 406, "HTTP 406 Not Acceptable"),
    (errors.BodyTooLarge(10), 413, "The request body is larger than the limit of 10 bytes"),
    (errors.UnsupportedMediaType(), 415, "HTTP 415 Unsupported Media Type"),
    (errors.MissingBody(), 422, "The body must be a JSON object, and is empty or null"),
    (errors.SubjectNotFound("s"), 40401, "Subject 's' not found."),
    (errors.VersionNotFound(-1), 40402, "Version -1 not found."),
    (errors.SchemaNotFound(), 40403, "Schema not found"),
    (errors.SchemaNotFound(7), 40403, "Schema 7 not found"),
    (
        errors.SubjectSoftDeleted("s"),
        40404,
        "Subject 's' was soft deleted.Set permanent=true to delete permanently",
    ),
    (
        errors.SubjectNotSoftDeleted("s"),
        40405,
        "Subject 's' was not deleted first before being permanently deleted",
    ),
    (
        errors.VersionSoftDeleted("s", 1),
        40406,
        "Subject 's' Version 1 was soft deleted.Set permanent=true to delete permanently",
    ),
    (
        errors.VersionNotSoftDeleted("s", 1),
        40407,
        "Subject 's' Version 1 was not deleted first before being permanently deleted",
    ),
    (
        errors.SubjectConfigNotFound("s"),
        40408,
        "Subject 's' does not have subject-level compatibility configured",
    ),
    (errors.SubjectModeNotFound("s"), 40409, "Subject 's' does not have subject-level mode configured"),
    (errors.AssociationNotFound("r"), 40410, "Association for 'r' not found."),
    (
        errors.IncompatibleSchema("s", ["m1", "m2"]),
        40901,
        'Schema being registered is incompatible with an earlier schema for subject "s", details: [m1, m2]',
    ),
    (errors.SubjectAssociated("s"), 40904, "An association already exists for subject 's'"),
    (errors.NoActiveVersion("s"), 40907, "No active (non-deleted) version exists for subject 's'"),
    (
        errors.InvalidVersion("0"),
        42202,
        (
            "The specified version '0' is not a valid version id. "
            'Allowed values are between [1, 2^31-1] and the string "latest"'
        ),
    ),
    (
        errors.InvalidLevel(),
        42203,
        (
            "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
            "forward_transitive, and full_transitive"
        ),
    ),
    (errors.InvalidMode(), 42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD."),
    (
        errors.ReferenceExists("s", 1),
        42206,
        "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=s,version=1}.",
    ),
    (errors.InvalidSubject("s"), 42208, "The specified subject 's' is not a valid."),
    (errors.SchemaTooLarge(), 42209, "Register operation failed because schema is too large"),
    (errors.ContextNotEmpty(":.x:"), 42211, "The specified context ':.x:' is not empty."),
    (
        errors.InvalidAssociation("p", "d"),
        42212,
        "The association specified an invalid value for property: 'p', detail: d",
    ),
]


@pytest.mark.parametrize(("error", "code", "sentence"), SENTENCES)
def test_an_error_says_confluents_sentence_under_its_code(error: RegistryError, code: int, sentence: str) -> None:
    assert (error.code, error.message, str(error)) == (code, sentence, sentence)


TOLD: list[tuple[type[RegistryError], int, int]] = [
    (errors.BadRequest, 400, 400),
    (errors.Overloaded, 503, 503),
    (errors.InvalidSchema, 42201, 422),
    (errors.OperationNotPermitted, 42205, 422),
    (errors.InvalidRuleSet, 42210, 422),
    (errors.StoreFailed, 50001, 500),
    (errors.StoreTimedOut, 50002, 500),
]


@pytest.mark.parametrize(("kind", "code", "status"), TOLD)
def test_other_errors_are_told_their_sentence(kind: type[RegistryError], code: int, status: int) -> None:
    error = kind("because")
    assert (error.code, error.status, error.message) == (code, status, "because")


def family() -> Iterator[type[RegistryError]]:
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, RegistryError) and kind is not RegistryError:
            yield kind


def test_a_code_begins_with_its_status_and_that_of_its_parent() -> None:
    for kind in family():
        status = str(kind.code)[:3]
        parent = kind.__mro__[1]
        assert issubclass(parent, RegistryError)
        assert 400 <= int(status) <= 503
        assert parent is RegistryError or str(parent.code)[:3] == status


def test_every_error_is_drawn_in_the_tree_with_its_code() -> None:
    tree = (errors.__doc__ or "").split()
    for kind in family():
        assert kind.__name__ in tree, f"{kind.__name__} is missing in the tree of registry/errors.py"
        code = tree[tree.index(kind.__name__) + 1]
        assert not code.isdigit() or int(code) == kind.code
