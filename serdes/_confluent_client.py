"""confluent-kafka's client behind our serdes: it is asked with its own values, and its errors become ours.

Loaded by name when a serde is given such a client. Refuses to know what is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any

from confluent_kafka.schema_registry import Association, RegisteredSchema, Schema
from confluent_kafka.schema_registry.common.schema_registry_client import SchemaVersion
from confluent_kafka.schema_registry.error import SchemaRegistryError

from serdes import schema as ours
from serdes.errors import AnswerMalformed, RegistryUnavailable, refusal

# confluent-kafka's client lets through what the library raises that it has found.
_HTTP_LIBRARIES = ("httpx", "httpx2")


class Answering:
    """confluent-kafka's client behind our serdes: its errors become ours, and its answers stay as they are."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(*arguments: Any) -> Any:
            with _our_errors():
                answer = method(*[theirs(argument) for argument in arguments])
            # Their client exists in two forms, of which one answers later.
            return _awaited(answer) if hasattr(answer, "__await__") else answer

        return call


async def _awaited(answer: Any) -> Any:
    with _our_errors():
        return await answer


def theirs(answer: Any) -> Any:
    """A value of ours as one of theirs; what is neither stays."""
    if isinstance(answer, ours.RegisteredSchema):
        return RegisteredSchema.from_dict(answer.to_dict())
    if isinstance(answer, ours.Schema):
        return Schema.from_dict(answer.to_dict())
    if isinstance(answer, list):
        return [theirs(item) for item in answer]
    if isinstance(answer, ours.Association):
        return Association.from_dict(answer.to_dict())
    return SchemaVersion(answer.subject, answer.version) if isinstance(answer, ours.SubjectVersion) else answer


@contextmanager
def _our_errors() -> Iterator[None]:
    """Inside, errors of confluent-kafka's client become ours."""
    try:
        yield
    except SchemaRegistryError as error:
        raise refusal(error.http_status_code, error.error_code or -1, error.error_message) from error
    except JSONDecodeError as error:
        raise AnswerMalformed(200, f"the registry gave an answer that cannot be read: {error!r}") from error
    except Exception as error:
        if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _HTTP_LIBRARIES:
            raise RegistryUnavailable(f"the registry cannot be reached: {error!r}") from error
        raise
