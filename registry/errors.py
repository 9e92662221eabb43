"""Everything that can go wrong in the registry, each with its code on the wire.

RegistryError
├── BadRequest 400                    RequestNotFound 404          MethodNotAllowed 405
├── NotAcceptable 406                 BodyTooLarge 413             UnsupportedMediaType 415
├── MissingBody 422                   Overloaded 503
├── Unauthenticated 401               AccessDenied 40301           TooManyFailures 429
├── NotFound
│   ├── SubjectNotFound 40401         VersionNotFound 40402        SchemaNotFound 40403
│   ├── SubjectSoftDeleted 40404      SubjectNotSoftDeleted 40405
│   ├── VersionSoftDeleted 40406      VersionNotSoftDeleted 40407
│   └── SubjectConfigNotFound 40408   SubjectModeNotFound 40409    AssociationNotFound 40410
├── Conflict
│   └── IncompatibleSchema 40901      SubjectAssociated 40904      NoActiveVersion 40907
├── Invalid
│   ├── InvalidSchema 42201           InvalidVersion 42202         InvalidLevel 42203
│   ├── InvalidMode 42204             OperationNotPermitted 42205  ReferenceExists 42206
│   ├── InvalidSubject 42208          SchemaTooLarge 42209         InvalidRuleSet 42210
│   └── ContextNotEmpty 42211         InvalidAssociation 42212
├── StoreFailed 50001                 StoreTimedOut 50002
└── UnparsableSchema                  StoreUnusable                SettingInvalid     (never on the wire as such)
    SourceUnreadable                  StoreDisagrees

Owns codes and sentences (spec: the error table of Confluent's REST API); the HTTP status is the first three digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class RegistryError(Exception):
    """Root of the family: a code and one sentence."""

    code: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        # The words of a parser may end in half a character beyond U+FFFF, which no answer can carry.
        self.message = message.encode(errors="replace").decode()
        super().__init__(self.message)

    @property
    def status(self) -> int:
        """The HTTP status: the first three digits of the code."""
        return int(str(self.code)[:3])


# What the HTTP layer refuses before any meaning is looked at.


class BadRequest(RegistryError):
    """The body or the path cannot be read."""

    code = 400


class RequestNotFound(RegistryError):
    """No such route, or a number in it that is none."""

    code = 404

    def __init__(self) -> None:
        super().__init__("HTTP 404 Not Found")


class MethodNotAllowed(RegistryError):
    """The route exists, the method does not."""

    code = 405

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        super().__init__("HTTP 405 Method Not Allowed")
        self.allowed = tuple(allowed)


class NotAcceptable(RegistryError):
    """None of the media types that the client accepts is offered."""

    code = 406

    def __init__(self) -> None:
        super().__init__("HTTP 406 Not Acceptable")


class BodyTooLarge(RegistryError):
    """The body is over the limit."""

    code = 413

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The request body is larger than the limit of {max_bytes} bytes")
        self.max_bytes = max_bytes


class UnsupportedMediaType(RegistryError):
    """The body is of a media type that the registry does not read."""

    code = 415

    def __init__(self) -> None:
        super().__init__("HTTP 415 Unsupported Media Type")


class MissingBody(RegistryError):
    """A body is needed and there is none."""

    code = 422

    def __init__(self) -> None:
        super().__init__("The body must be a JSON object, and is empty or null")


class Overloaded(RegistryError):
    """Too many writes wait already, or the store cannot be written for now; trying again is right."""

    code = 503

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


# Who is asking, and may they.


class Unauthenticated(RegistryError):
    """Nobody, or nobody known, is asking; `fault` is what is wrong with the form of what was sent, if anything is."""

    code = 401

    def __init__(self, fault: str = "") -> None:
        super().__init__(f"Unauthorized: {fault}" if fault else "Unauthorized")


class TooManyFailures(RegistryError):
    """Too many wrong passwords came from there; right ones that were used before go on to be taken."""

    code = 429

    def __init__(self, retry_after_seconds: int = 1) -> None:
        super().__init__("Too many failed attempts to log in; try again shortly")
        self.retry_after_seconds = retry_after_seconds


class AccessDenied(RegistryError):
    """The user may not do this; `place` is the subject or context, None for the registry itself."""

    code = 40301

    def __init__(self, operation: str, place: str | None) -> None:
        where = "the registry" if place is None else f"Subject: {place}"
        super().__init__(f"User is denied operation {operation} on {where}")


# 404: what was asked for is not there.


class NotFound(RegistryError):
    """What was asked for is not there."""

    code = 404


class SubjectNotFound(NotFound):
    """No such subject; also a config or mode that is deleted though none is set."""

    code = 40401

    def __init__(self, subject: object) -> None:
        super().__init__(f"Subject '{subject}' not found.")


class VersionNotFound(NotFound):
    """The subject is known, the version is not."""

    code = 40402

    def __init__(self, version: int) -> None:
        super().__init__(f"Version {version} not found.")


class SchemaNotFound(NotFound):
    """No schema with this id or GUID, or none equal to the one sent."""

    code = 40403

    def __init__(self, identity: object | None = None) -> None:
        super().__init__("Schema not found" if identity is None else f"Schema {identity} not found")


class SubjectSoftDeleted(NotFound):
    """A second soft delete of a subject."""

    code = 40404

    def __init__(self, subject: object) -> None:
        super().__init__(f"Subject '{subject}' was soft deleted.Set permanent=true to delete permanently")


class SubjectNotSoftDeleted(NotFound):
    """A permanent delete of a subject that has a live version."""

    code = 40405

    def __init__(self, subject: object) -> None:
        super().__init__(f"Subject '{subject}' was not deleted first before being permanently deleted")


class VersionSoftDeleted(NotFound):
    """A second soft delete of a version."""

    code = 40406

    def __init__(self, subject: object, version: int) -> None:
        super().__init__(
            f"Subject '{subject}' Version {version} was soft deleted.Set permanent=true to delete permanently"
        )


class VersionNotSoftDeleted(NotFound):
    """A permanent delete of a live version."""

    code = 40407

    def __init__(self, subject: object, version: int) -> None:
        super().__init__(
            f"Subject '{subject}' Version {version} was not deleted first before being permanently deleted"
        )


class SubjectConfigNotFound(NotFound):
    """The subject has no configuration of its own."""

    code = 40408

    def __init__(self, subject: object) -> None:
        super().__init__(f"Subject '{subject}' does not have subject-level compatibility configured")


class SubjectModeNotFound(NotFound):
    """The subject has no mode of its own."""

    code = 40409

    def __init__(self, subject: object) -> None:
        super().__init__(f"Subject '{subject}' does not have subject-level mode configured")


class AssociationNotFound(NotFound):
    """No association for this resource."""

    code = 40410

    def __init__(self, resource: str) -> None:
        super().__init__(f"Association for '{resource}' not found.")


# 409: what is there stands against it.


class Conflict(RegistryError):
    """What is there stands against it."""

    code = 409


class IncompatibleSchema(Conflict):
    """The schema breaks the subject's compatibility level; `details` are Confluent's lines."""

    code = 40901

    def __init__(self, subject: object, details: Sequence[str]) -> None:
        super().__init__(
            "Schema being registered is incompatible with an earlier schema for subject "
            f'"{subject}", details: [{", ".join(details)}]'
        )
        self.details = tuple(details)


class SubjectAssociated(Conflict):
    """The subject cannot go while a resource is bound to it."""

    code = 40904

    def __init__(self, subject: object) -> None:
        super().__init__(f"An association already exists for subject '{subject}'")


class NoActiveVersion(Conflict):
    """The subject would be left without a live version while a resource is bound to it."""

    code = 40907

    def __init__(self, subject: object) -> None:
        super().__init__(f"No active (non-deleted) version exists for subject '{subject}'")


# 422: understood, and refused.


class Invalid(RegistryError):
    """Understood, and refused."""

    code = 422


class InvalidSchema(Invalid):
    """The schema, its type, its references or its explicit version do not hold."""

    code = 42201


class InvalidVersion(Invalid):
    """A version that is neither a positive int, -1 nor `latest`."""

    code = 42202

    def __init__(self, version: str) -> None:
        super().__init__(
            f"The specified version '{version}' is not a valid version id. "
            'Allowed values are between [1, 2^31-1] and the string "latest"'
        )


class InvalidLevel(Invalid):
    """No such compatibility level."""

    code = 42203

    def __init__(self) -> None:
        super().__init__(
            "Invalid compatibility level. Valid values are none, backward, forward, full, "
            "backward_transitive, forward_transitive, and full_transitive"
        )


class InvalidMode(Invalid):
    """No such mode, or not here."""

    code = 42204

    def __init__(
        self, message: str = "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD."
    ) -> None:
        super().__init__(message)


class OperationNotPermitted(Invalid):
    """The mode of the subject, or the state of the registry, forbids it."""

    code = 42205


class ReferenceExists(Invalid):
    """The version is referred to by another schema."""

    code = 42206

    def __init__(self, subject: object, version: int) -> None:
        super().__init__(
            "One or more references exist to the schema "
            f"{{magic=1,keytype=SCHEMA,subject={subject},version={version}}}."
        )


class InvalidSubject(Invalid):
    """A name that no subject may have."""

    code = 42208

    def __init__(self, subject: object) -> None:
        super().__init__(f"The specified subject '{subject}' is not a valid.")


class SchemaTooLarge(Invalid):
    """The record is larger than the store accepts."""

    code = 42209

    def __init__(self) -> None:
        super().__init__("Register operation failed because schema is too large")


class InvalidRuleSet(Invalid):
    """A rule does not hold."""

    code = 42210


class ContextNotEmpty(Invalid):
    """The context still holds subjects."""

    code = 42211

    def __init__(self, context: str) -> None:
        super().__init__(f"The specified context '{context}' is not empty.")


class InvalidAssociation(Invalid):
    """An association with a wrong property."""

    code = 42212

    def __init__(self, prop: str, detail: str) -> None:
        super().__init__(f"The association specified an invalid value for property: '{prop}', detail: {detail}")


# 5xx: the registry failed.


class StoreFailed(RegistryError):
    """The store refused a read or a write; nothing was changed."""

    code = 50001


class StoreTimedOut(RegistryError):
    """The store did not answer in time; the outcome is being looked up."""

    code = 50002


# Raised inside the house and turned into one of the above, or into one sentence at start.


class UnparsableSchema(RegistryError):
    """A schema language refuses a text; the message is in its own words."""

    code = 42201


class StoreUnusable(RegistryError):
    """The store cannot be opened: unknown scheme, taken by another process, read-only, not ours."""


class SettingInvalid(RegistryError):
    """A setting does not hold."""


class SourceUnreadable(RegistryError):
    """What should be imported or restored cannot be read, or does not answer."""


class StoreDisagrees(RegistryError):
    """The store holds something else than what should be imported or restored into it."""
