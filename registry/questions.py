"""What a state was asked while an answer was made: an answer stays right until one of those things changes.

Owns the list of questions of one task; refuses to know what the answers were.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

Question = tuple[str, object]
"""What was asked about: a kind of thing and which one."""

ANYTHING: Final[Question] = ("anything", None)
"""A question to which any change may give another answer."""

NEWEST: Final[Question] = ("newest", None)
"""A question of the log and not of the state, without a stamp: whether there is more than the state holds."""

MAX_QUESTIONS: Final = 64
"""Answers that needed more questions than this count as having asked about anything."""

_asked: ContextVar[dict[Question, int] | None] = ContextVar("asked", default=None)


class overheard:  # noqa: N801 - used as a function: `with overheard() as questions`
    """The questions that this task asks within the block, each with the stamp of what it was about.

    Blocks may be nested: what is asked in an inner one is asked in the outer one too.
    """

    # A class, because one made by `contextmanager` takes three times as long, and every request enters one.
    __slots__ = ("_questions", "_token")

    def __enter__(self) -> dict[Question, int]:
        self._questions: dict[Question, int] = {}
        self._token = _asked.set(self._questions)
        return self._questions

    def __exit__(self, *_raised: object) -> None:
        _asked.reset(self._token)
        around = _asked.get()
        if around is not None:
            for question, stamp in self._questions.items():
                around.setdefault(question, stamp)


def heard() -> dict[Question, int]:
    """The questions that this task has asked so far within `overheard`, with their stamps."""
    return _asked.get() or {}


def ask(question: Question, stamp: int, position: int) -> None:
    """Note a question about a thing with this stamp, asked when the state was at this position."""
    questions = _asked.get()
    if questions is None or question in questions or ANYTHING in questions:
        return
    if len(questions) == MAX_QUESTIONS:
        questions[ANYTHING] = position
    else:
        questions[question] = stamp


def ask_anything(position: int) -> None:
    """Note a question to which any change may give another answer."""
    questions = _asked.get()
    if questions is not None:
        questions.setdefault(ANYTHING, position)


def ask_newest() -> None:
    """Note that the answer has to be as new as anything that any node has acknowledged."""
    questions = _asked.get()
    if questions is not None:
        questions[NEWEST] = 0
