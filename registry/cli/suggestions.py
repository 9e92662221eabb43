"""What somebody probably meant who mistyped a command or an option."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def meant(typed: str, known: Iterable[str]) -> str:
    """A sentence that names the word which is like the one that was typed, or else all words that there are."""
    words = list(known)
    close = get_close_matches(typed, words, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"There are {', '.join(words)}."
