"""Runs functions that would call each other more deeply than Python's stack allows.

A task is a generator that yields the tasks whose results it needs and returns its own. Owns the stack; refuses to
know what is computed. Schemas nest up to 1,000 levels in a text, and chains of named types go deeper.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")
Task: TypeAlias = Generator["Task[Any]", Any, T]


def in_order(tasks: Iterable[Task[T]]) -> Generator[Task[T], T, list[T]]:
    """The results of these tasks, for a task to `yield from`."""
    results = []
    for task in tasks:
        results.append((yield task))  # noqa: PERF401  # a comprehension cannot yield
    return results


def run(task: Task[T]) -> T:
    """The result of a task and of all the tasks below it; what any of them raises comes out here."""
    waiting: list[Task[Any]] = []
    running: Task[Any] = task
    result: Any = None
    while True:
        # The first `send` of a generator has to be None, which is what `result` is then.
        try:
            needed = running.send(result)
        except StopIteration as done:
            result = done.value
            if not waiting:
                return result  # type: ignore[no-any-return]  # the first task's own result
            running = waiting.pop()
        else:
            waiting.append(running)
            running, result = needed, None
