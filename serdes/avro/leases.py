"""A function that is looked up again from time to time, for what may change under it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

Function = Callable[..., Any]

# How long a serde relies on what may change before it asks the client again. The client answers from memory, so this
# costs microseconds; what the client learns in the background takes effect within this time.
LEASE_SECONDS = 0.25


def leased(function: Function, renew: Callable[[Function], Function], clock: Callable[[], float]) -> Function:
    """The function, until the lease is over; then what `renew` makes of it, and so on.

    renew: gets the function and returns the one to go on with, or raises: then the next call tries again.
    """
    until = clock() + LEASE_SECONDS

    def call(message: Any, ctx: Any = None) -> Any:
        nonlocal function, until
        # Without a lock, which would cost every record: threads that find the lease over at the same time renew twice.
        if clock() > until:
            function = renew(function)
            until = clock() + LEASE_SECONDS
        return function(message, ctx)

    return call


def renewed_in_background(
    look_up: Callable[[], Coroutine[Any, Any, Function]], forget: Callable[[], object]
) -> Callable[[Function], Function]:
    """A `renew` for event loops: nobody waits; the old function serves until the new one is there.

    What looking up fails with is raised at the next renewal. Where no loop runs, nothing is looked up.

    forget: called when a loop has ended before it had looked up. A program whose loops all do (`asyncio.run` for each
    message) would never get the new function in the background, so the next call has to wait for it.
    """
    task: asyncio.Task[Function] | None = None

    def renew(function: Function) -> Function:
        nonlocal task
        done, task = task, None
        if done is None:
            task = _started(look_up)
            return function
        # A loop that has ended took along what it had not done.
        if done.cancelled() or (not done.done() and done.get_loop().is_closed()):
            forget()
            return function
        if not done.done():
            task = done
            return function
        return done.result()

    return renew


def _started(look_up: Callable[[], Coroutine[Any, Any, Function]]) -> asyncio.Task[Function] | None:
    try:
        loop = import_module("asyncio").get_running_loop()
    except RuntimeError:
        return None
    task: asyncio.Task[Function] = loop.create_task(look_up())
    # Marks a failure as seen: there may be no next renewal that raises it.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
