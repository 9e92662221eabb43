"""Which of the four serdes a host can call, told when it is given one and not by its first message."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from serdes.avro.deserializer import Deserializing
from serdes.avro.serializer import Serializing
from serdes.errors import SettingInvalid


def check_kind(serde: Any, needed: type[Serializing[Any]] | type[Deserializing[Any]], taker: str) -> None:
    """See to it that a host can call a serde.

    Raises SettingInvalid for another one of ours and for what cannot be called. A function of the user's serves, too,
    unless it has to be awaited where nobody can.
    """
    if isinstance(serde, needed):
        return
    foreign = callable(serde) and not isinstance(serde, (Serializing, Deserializing))
    # A function may give out awaitables without being made of coroutines, so only the other way round is certain.
    if foreign and (needed._awaited or not _is_awaited(serde)):  # noqa: SLF001 - what the kinds differ in
        return
    raise SettingInvalid(f"{taker} needs an {needed.__name__}, and {type(serde).__name__} is not one")


def _is_awaited(function: Any) -> bool:
    return iscoroutinefunction(function) or iscoroutinefunction(type(function).__call__)
