"""What a flow may ask of whoever drives it. Each result is sent back into the flow; a failure is thrown into it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Mapping
from typing import Any, NamedTuple, TypeVar

from serdes._requests import Request

R = TypeVar("R")


class Send(NamedTuple):
    """Send a request and wait at most so long. Result: Answer. Fails with RegistryUnavailable."""

    url: str
    request: Request[Any]
    headers: Mapping[str, str]
    timeout_seconds: float


class Pause(NamedTuple):
    """Wait."""

    seconds: float


class Invoke(NamedTuple):
    """Call a function of the user's, with one argument. Result: the function's, awaited where that is possible."""

    function: Callable[[Any], Any] | None
    argument: Any


class Share(NamedTuple):
    """Run a flow once for all who ask for the same key now. Result: the flow's. Fails as the flow fails."""

    key: Hashable
    flow: Callable[[], Flow[Any]]


class Later(NamedTuple):
    """Run a flow in the background, unless one with this key is on its way. Its failures go nowhere."""

    key: Hashable
    flow: Callable[[], Flow[Any]]


Effect = Send | Pause | Invoke | Share | Later
Flow = Generator[Effect, Any, R]
