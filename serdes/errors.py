"""Everything that can go wrong in the client, as one family.

SerdesError
├── SettingInvalid                  a configuration key or value; also a ValueError
├── NotCached                       an answer would need the network, and the caller must not wait
├── PoisonStorm                     most of the last records could not be read: stop, something else is wrong
├── SerializationError              also a ValueError, never a TypeError (kafka-python retries those)
│   ├── SubjectUnknown              no subject can be named for the record
│   ├── RuleUnsupported             the schema has rules that cannot be run here
│   ├── RuleFailed                  a rule refused the record, or failed
│   ├── EncodeError                 the value does not fit the schema
│   └── DecodeError
│       ├── FramingError            not a frame of this wire format
│       ├── UnknownSchemaId         the registry does not know the id or GUID
│       ├── SchemaUnusable          the schema that the registry has for it is no Avro schema
│       ├── SchemaResolutionError   the reader's schema cannot read what was written
│       ├── CorruptPayload          the bytes do not fit the schema they name
│       └── TrailingData            bytes are left over after the value
└── RegistryError                   http_status_code, error_code, error_message
    ├── RegistryUnavailable         retriable
    │   ├── RegistryTimedOut        no whole answer within the deadline
    │   └── RegistryFailed          it answers 408, 429 or 5xx
    ├── RegistryRedirected          it answers with a redirect, which is not followed
    ├── AnswerMalformed             the answer is not the JSON that was asked for
    ├── SchemaIdReused              an id that is known means another schema now
    ├── AuthError                   401, 403
    ├── SubjectNotFound 40401, VersionNotFound 40402, SchemaNotFound 40403
    └── IncompatibleSchema 409, InvalidSchema 422

Owns names, facts and sentences; refuses to know HTTP libraries and codecs.
"""

from __future__ import annotations

from typing import Self, TypeVar

E = TypeVar("E", bound="SerdesError")


class SerdesError(Exception):
    """Root of the family.

    retriable: whether the same call can succeed later without any change to data or settings.
    topic, field, schema_id: where it happened, as far as known; `field` is "key" or "value".
    """

    retriable: bool = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.topic: str | None = None
        self.field: str | None = None
        self.schema_id: int | str | None = None

    def at(self, topic: str | None, field: str | None, schema_id: int | str | None = None) -> Self:
        """The same error, with the place filled in where it is not known yet."""
        self.topic = self.topic or topic
        self.field = self.field or field
        self.schema_id = self.schema_id or schema_id
        return self

    def again(self) -> Self:
        """The same error, for another caller: each has a place and a traceback of its own."""
        return _rebuilt(type(self), self.message, self.__dict__)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (type(self), self.message, self.__dict__)


def _rebuilt(kind: type[E], message: str, facts: dict[str, object]) -> E:
    error = kind.__new__(kind, message)
    error.__dict__.update(facts)
    return error


class SettingInvalid(SerdesError, ValueError):
    """A configuration key is unknown, or its value cannot be used."""


class NotCached(SerdesError):
    """The answer is not in memory, and the caller asked not to wait for the network."""

    retriable = True


class PoisonStorm(SerdesError):
    """Too many of the last records could not be read; a wrong topic or registry is likelier than bad records."""

    def __init__(self, failed: int, seen: int) -> None:
        super().__init__(
            f"{failed} of the last {seen} records could not be read: "
            "stopping, since a wrong topic or registry URL is likelier than that many bad records"
        )
        self.failed = failed
        self.seen = seen


class SerializationError(SerdesError, ValueError):
    """A record could not be written or read."""


class SubjectUnknown(SerializationError):
    """No subject can be named for the record under the configured strategy."""


class RuleUnsupported(SerializationError):
    """The schema carries rules that must run and cannot run here."""


class RuleFailed(SerializationError):
    """A rule of the schema refused the record, or failed."""


class EncodeError(SerializationError):
    """A value does not fit the schema.

    path: where, from the root of the value (`order.lines[3].price`), empty for the root itself.
    expected: the Avro type there. value_type: the Python type found there.
    """

    def __init__(
        self, reason: str, *, root: str = "", path: str = "", expected: str | None = None, value_type: str | None = None
    ) -> None:
        place = joined(root, path)
        super().__init__(f"{place}: {reason}" if place else reason)
        self.path = path
        self.expected = expected
        self.value_type = value_type


def joined(root: str, path: str) -> str:
    """A path under the name of its root record: `Order` and `lines[3]` make `Order.lines[3]`."""
    return root + path if not root or not path or path.startswith("[") else f"{root}.{path}"


class DecodeError(SerializationError):
    """Bytes could not be read."""


class FramingError(DecodeError):
    """The bytes are not a frame: too short, or without a magic byte."""


class UnknownSchemaId(DecodeError):
    """The registry does not know the id or GUID that the bytes name."""

    def __init__(self, identity: int | str, reason: str) -> None:
        super().__init__(f"the registry does not know schema {identity}: {reason}")
        self.schema_id = identity
        self.http_status_code = 404
        self.error_code = 40403
        self.error_message = reason


class SchemaUnusable(DecodeError):
    """What the registry has under the id is no Avro schema: of another language, or damaged."""


class SchemaResolutionError(DecodeError):
    """The reader's schema cannot read what the writer's schema wrote."""


class CorruptPayload(DecodeError):
    """The bytes end too early or do not fit the schema that they name."""


class TrailingData(DecodeError):
    """Bytes are left over after the value, and the settings refuse that."""

    def __init__(self, left_bytes: int) -> None:
        super().__init__(f"{left_bytes} bytes are left over after the value")
        self.left_bytes = left_bytes


class RegistryError(SerdesError):
    """The registry refused, or could not be asked.

    http_status_code: 0 where no answer came. error_code: the registry's own code, -1 where it gave none.
    """

    def __init__(self, http_status_code: int, error_code: int, error_message: str) -> None:
        super().__init__(f"{error_message} (HTTP status code {http_status_code}, SR code {error_code})")
        self.http_status_code = http_status_code
        self.error_code = error_code
        self.error_message = error_message


class RegistryUnavailable(RegistryError):
    """No answer that means anything: try again later, not before `retry_after_seconds` if the registry said so."""

    retriable = True

    def __init__(
        self, reason: str, http_status_code: int = 0, error_code: int = -1, retry_after_seconds: float = 0.0
    ) -> None:
        super().__init__(http_status_code, error_code, reason)
        self.retry_after_seconds = retry_after_seconds


class RegistryTimedOut(RegistryUnavailable):
    """No whole answer came within the deadline."""


class RegistryFailed(RegistryUnavailable):
    """The registry answers 408, 429 or 5xx."""


class RegistryRedirected(RegistryError):
    """The registry answers with a redirect; it is not followed, since credentials would travel along."""

    def __init__(self, http_status_code: int, location: str) -> None:
        super().__init__(http_status_code, -1, f"the registry redirects to {location}: is `url` right?")
        self.location = location


class AnswerMalformed(RegistryError):
    """The answer is not the JSON that was asked for; often a proxy's page, or a wrong URL."""

    def __init__(self, http_status_code: int, reason: str) -> None:
        super().__init__(http_status_code, -1, reason)


class SchemaIdReused(RegistryError):
    """An id that is known means another schema now: the registry was wiped, or it is another registry."""

    def __init__(self, identity: int | str) -> None:
        super().__init__(
            200, -1, f"schema {identity} means another schema now than it did before: the registry has been replaced"
        )
        self.schema_id = identity


class AuthError(RegistryError):
    """The registry does not let this client in."""


class SubjectNotFound(RegistryError):
    """No such subject."""


class VersionNotFound(RegistryError):
    """The subject has no such version."""


class SchemaNotFound(RegistryError):
    """No such schema."""


class IncompatibleSchema(RegistryError):
    """The schema breaks the subject's compatibility level."""


class InvalidSchema(RegistryError):
    """The registry cannot use the schema or the request."""


_BY_CODE: dict[int, type[RegistryError]] = {
    401: AuthError,
    403: AuthError,
    409: IncompatibleSchema,
    422: InvalidSchema,
    40401: SubjectNotFound,
    40402: VersionNotFound,
    40403: SchemaNotFound,
}


def refusal(http_status_code: int, error_code: int, error_message: str) -> RegistryError:
    """The error that a registry's answer means: by its own code first, then by the HTTP status."""
    kind = _BY_CODE.get(error_code) or _BY_CODE.get(http_status_code) or RegistryError
    return kind(http_status_code, error_code, error_message)
