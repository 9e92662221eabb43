"""Whether calls that overlapped could have happened one after another: Wing and Gong's search, as improved by Lowe.

A call takes effect at one moment between its start and its end. A history is linearizable when moments can be chosen
so that a sequential model gives every answer that was seen. The search remembers which sets of calls have led to which
state, takes what changes nothing as soon as it may, and gives up, saying so, after a number of steps. Refuses to know
what the calls mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Call(Generic[S]):
    """One call and its answer.

    start, end: seconds on one clock; an end of infinity is a call whose outcome nobody was told, so it may have taken
    effect at any time after its start, or never. apply: the state after the call, or None where a model in this state
    would not have answered so.
    """

    start: float
    end: float
    apply: Callable[[S], S | None]
    name: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the search found.

    linearizable: None when it gave up; steps: how many states it tried; stuck_at: the call that no order could explain.
    """

    linearizable: bool | None
    steps: int
    stuck_at: str | None = None


class _Event:
    """The start or the end of a call, in a list in which a call can be taken out and put back."""

    __slots__ = ("before", "bit", "call", "end", "next")

    def __init__(self, call: Call | None, bit: int) -> None:
        self.call = call
        self.bit = bit
        self.end: _Event | None = None  # None for an end, and for a start that never ended
        self.before: _Event | None = None
        self.next: _Event | None = None

    def take_out(self) -> None:
        for event in (self, self.end):
            if event is not None:
                event.before.next = event.next
                if event.next is not None:
                    event.next.before = event.before

    def put_back(self) -> None:
        for event in (self.end, self):
            if event is not None:
                event.before.next = event
                if event.next is not None:
                    event.next.before = event


def check(calls: Sequence[Call[S]], initial: S, max_steps: int = 2_000_000) -> Verdict:
    """Look for an order that explains every answer."""
    head = _linked(calls)
    open_calls = sum(call.end < math.inf for call in calls)
    state, taken, steps = initial, 0, 0
    seen: set[tuple[int, S]] = set()
    path: list[tuple[_Event, S, bool]] = []
    deepest, stuck_at = -1, None
    event = head.next
    while open_calls:
        if event.call is not None:  # a start: try to let the call take effect now
            steps += 1
            if steps > max_steps:
                return Verdict(None, steps, stuck_at)
            after = event.call.apply(state)
            # What changes nothing may as well have happened now: to try it later would lead nowhere else.
            is_choice = after != state
            known = (taken | event.bit, after)
            if after is not None and not (is_choice and known in seen):
                if is_choice:
                    seen.add(known)
                path.append((event, state, is_choice))
                state, taken = after, taken | event.bit
                open_calls -= event.end is not None
                event.take_out()
                event = head.next
            else:
                event = event.next
        else:  # an end: its call can wait no longer, so an earlier choice was wrong
            if len(path) > deepest:
                deepest, stuck_at = len(path), _name_of(head, event)
            is_choice = False
            while not is_choice:
                if not path:
                    return Verdict(False, steps, stuck_at)
                event, state, is_choice = path.pop()
                taken ^= event.bit
                open_calls += event.end is not None
                event.put_back()
            event = event.next
    return Verdict(True, steps)


def _linked(calls: Sequence[Call[S]]) -> _Event:
    """The starts and ends in order of time, behind an empty head; at the same instant starts come first."""
    events: list[tuple[float, int, _Event]] = []
    for number, call in enumerate(calls):
        start = _Event(call, 1 << number)
        events.append((call.start, 0, start))
        if call.end < math.inf:
            start.end = _Event(None, 1 << number)
            events.append((call.end, 1, start.end))
    head = last = _Event(None, 0)
    for _, _, event in sorted(events, key=lambda one: one[:2]):
        last.next, event.before = event, last
        last = event
    return head


def _name_of(head: _Event, end: _Event) -> str:
    event = head.next
    while event.end is not end:
        event = event.next
    return event.call.name
