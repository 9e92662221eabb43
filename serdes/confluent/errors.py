"""Our errors as confluent-kafka's: every leaf also derives from its SerializationError or SchemaRegistryError.

So `except SerializationError` and `except SchemaRegistryError` in existing programs go on to work, and the facts of
ours are there for those who look.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.serialization import SerializationError

from serdes.errors import RegistryError, SerdesError, UnknownSchemaId

_FAILED = (SerializationError,)
_REFUSED = (SchemaRegistryError,)
# confluent-kafka's deserializer lets the registry's 404 through.
_UNKNOWN = (SerializationError, SchemaRegistryError)
_twins: dict[type[SerdesError], type[SerdesError]] = {}


def twin(kind: type[SerdesError]) -> type[SerdesError]:
    """The class that derives from one of ours and from confluent-kafka's."""
    found = _twins.get(kind)
    if found is None:
        bases = _UNKNOWN if kind is UnknownSchemaId else _REFUSED if issubclass(kind, RegistryError) else _FAILED
        # Made on demand: one class for each of ours, which needs no second list of them.
        found = type(kind.__name__, (kind, *bases), {"__doc__": kind.__doc__, "__module__": __name__, "__str__": _text})
        _twins[kind] = globals()[kind.__name__] = found
    return found


def _text(error: SerdesError) -> str:
    return error.message


def as_confluents(error: SerdesError) -> SerdesError:
    """The same error, of the class that derives from both."""
    if isinstance(error, (SchemaRegistryError, SerializationError)):
        return error
    kind = twin(type(error))
    same = kind.__new__(kind, error.message)
    same.__dict__.update(error.__dict__)
    same.__cause__ = error.__cause__
    same.__suppress_context__ = True
    return same


@contextmanager
def their_errors() -> Iterator[None]:
    """Inside, our errors become theirs; the border is crossed when the registry is asked, not for every record."""
    try:
        yield
    except SerdesError as error:
        raise as_confluents(error).with_traceback(error.__traceback__) from error.__cause__
