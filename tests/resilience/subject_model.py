"""What one subject would answer if everything happened one after another: the model that histories are held against.

A state is whether writing is forbidden, and the rows in order of version; soft-deleted rows stay, and keep their
version from being given again. Ids are no part of it: what they mean is judged over all subjects of a context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, NamedTuple

from tests.resilience.history import Answer, Operation, Outcome
from tests.resilience.linearizability import Call


class Held(NamedTuple):
    """One version."""

    version: int
    text: str
    deleted: bool = False


class Subject(NamedTuple):
    """A subject at one moment."""

    read_only: bool = False
    rows: tuple[Held, ...] = ()

    @property
    def live(self) -> list[Held]:
        """What is not deleted."""
        return [row for row in self.rows if not row.deleted]

    def holding(self, text: str | None) -> Held | None:
        """The live version with this text."""
        return next((row for row in reversed(self.rows) if row.text == text and not row.deleted), None)


def registered(state: Subject, answer: Answer) -> Subject | None:
    """The version that the text has, or the next one."""
    held = state.holding(answer.text)
    if held is not None:
        return state if held.version == answer.version else None
    after = maybe_registered(state, answer)
    return after if after is not None and after.rows[-1].version == answer.version else None


def maybe_registered(state: Subject, answer: Answer) -> Subject | None:
    """What registering does when nobody is told of it."""
    if state.holding(answer.text) is not None:
        return state
    if state.read_only:
        return None
    # A version that was deleted and comes back under a new number is let go of.
    others = tuple(row for row in state.rows if row.text != answer.text)
    version = state.rows[-1].version + 1 if state.rows else 1
    return state._replace(rows=(*others, Held(version, answer.text or "")))


def refused(state: Subject, answer: Answer) -> Subject | None:
    """Only new versions are refused, and only in a mode that forbids them."""
    return state if state.read_only and state.holding(answer.text) is None else None


def found(state: Subject, answer: Answer) -> Subject | None:
    """A lookup that found its text."""
    held = state.holding(answer.text)
    return state if held is not None and held.version == answer.version else None


def not_found(state: Subject, answer: Answer) -> Subject | None:
    """A lookup that found nothing."""
    return state if state.holding(answer.text) is None else None


def latest(state: Subject, answer: Answer) -> Subject | None:
    """The latest version is the live one with the highest number."""
    live = state.live
    return state if live and (live[-1].version, live[-1].text) == (answer.version, answer.text) else None


def no_latest(state: Subject, _: Answer) -> Subject | None:
    """There is no live version."""
    return None if state.live else state


def deleted(state: Subject, answer: Answer) -> Subject | None:
    """All live versions are soft-deleted, and told."""
    told = tuple(row.version for row in state.live)
    return maybe_deleted(state, answer) if told and told == answer.versions else None


def maybe_deleted(state: Subject, _: Answer) -> Subject | None:
    """What deleting does when nobody is told of it."""
    return None if state.read_only else state._replace(rows=tuple(row._replace(deleted=True) for row in state.rows))


def deleted_for_good(state: Subject, answer: Answer) -> Subject | None:
    """All rows go, and are told."""
    told = tuple(row.version for row in state.rows)
    return maybe_deleted_for_good(state, answer) if told and told == answer.versions else None


def maybe_deleted_for_good(state: Subject, _: Answer) -> Subject | None:
    """What deleting for good does when nobody is told of it; it needs the soft deletion first."""
    return None if state.read_only or state.live else state._replace(rows=())


def nothing_to_delete(state: Subject, _: Answer) -> Subject | None:
    """A deletion that found nothing live."""
    return None if state.live else state


def nothing_left(state: Subject, _: Answer) -> Subject | None:
    """A deletion for good that found no row."""
    return None if state.rows else state


def not_deleted_yet(state: Subject, _: Answer) -> Subject | None:
    """A deletion for good that found a live version."""
    return state if state.live else None


def mode_set(state: Subject, _: Answer, *, read_only: bool) -> Subject:
    """Writing is forbidden, or allowed again."""
    return state._replace(read_only=read_only)


Step = Callable[[Subject, Answer], "Subject | None"]
STEPS: Final[Mapping[tuple[Operation, Outcome], Step]] = {
    (Operation.REGISTER, Outcome.DONE): registered,
    (Operation.REGISTER, Outcome.REFUSED): refused,
    (Operation.REGISTER, Outcome.UNKNOWN): maybe_registered,
    (Operation.LOOKUP, Outcome.DONE): found,
    (Operation.LOOKUP, Outcome.ABSENT): not_found,
    (Operation.LATEST, Outcome.DONE): latest,
    (Operation.LATEST, Outcome.ABSENT): no_latest,
    (Operation.DELETE, Outcome.DONE): deleted,
    (Operation.DELETE, Outcome.ABSENT): nothing_to_delete,
    (Operation.DELETE, Outcome.UNKNOWN): maybe_deleted,
    (Operation.DELETE_FOR_GOOD, Outcome.DONE): deleted_for_good,
    (Operation.DELETE_FOR_GOOD, Outcome.ABSENT): nothing_left,
    (Operation.DELETE_FOR_GOOD, Outcome.REFUSED): not_deleted_yet,
    (Operation.DELETE_FOR_GOOD, Outcome.UNKNOWN): maybe_deleted_for_good,
    (Operation.READ_ONLY, Outcome.DONE): partial(mode_set, read_only=True),
    (Operation.READ_ONLY, Outcome.UNKNOWN): partial(mode_set, read_only=True),
    (Operation.READ_WRITE, Outcome.DONE): partial(mode_set, read_only=False),
    (Operation.READ_WRITE, Outcome.UNKNOWN): partial(mode_set, read_only=False),
}
"""What an answer says about a subject; answers that are not here say nothing about it."""


def calls(answers: Iterable[Answer]) -> list[Call[Subject]]:
    """The answers of one subject as calls on the model."""
    return [
        Call(
            answer.started,
            answer.ended,
            partial(_applied, STEPS[answer.operation, answer.outcome], answer),
            str(answer),
        )
        for answer in answers
        if (answer.operation, answer.outcome) in STEPS
    ]


def _applied(step: Step, answer: Answer, state: Subject) -> Subject | None:
    return step(state, answer)
