"""Which names a subject may have, and which subjects a prefix means."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InvalidSubject
from registry.model import Subject
from registry.rules.subjects import PIECE_NAMES, check_subject, in_pieces, of_prefix

ALLOWED = ["orders", "", "*", "a/b c", "é😀", "x" * 10_000, ":.ctx:a:b", ":.ctx:", "_GLOBAL", "__global", ":*:a"]
REFUSED = [
    "a\x00b",
    "\n",
    "tab\t",
    "a\x7f",
    "a\x9f",
    "__GLOBAL",
    "__EMPTY",
    ":.ctx:__GLOBAL",
    ":.ctx:__EMPTY",
    ":.c\x01:a",
    ":.__GLOBAL:",
    ":.__GLOBAL:a",
]


@pytest.mark.parametrize("name", ALLOWED)
def test_names_without_control_characters_are_allowed(name: str) -> None:
    check_subject(Subject.of(name))
    check_subject(Subject.of(name), global_allowed=True)


@pytest.mark.parametrize("name", REFUSED)
def test_reserved_names_and_control_characters_are_refused(name: str) -> None:
    with pytest.raises(InvalidSubject) as refusal:
        check_subject(Subject.of(name))
    assert refusal.value.message == f"The specified subject '{name}' is not a valid."


@pytest.mark.parametrize("name", [":.__GLOBAL:", ":.__GLOBAL:a"])
def test_the_context_of_all_contexts_may_have_settings(name: str) -> None:
    check_subject(Subject.of(name), global_allowed=True)


@pytest.mark.parametrize("name", ["", "*", ":.ctx:", ":.ctx:*"])
def test_the_empty_name_and_the_star_are_refused_where_the_operator_says_so(name: str) -> None:
    with pytest.raises(InvalidSubject):
        check_subject(Subject.of(name), empty_allowed=False)


SUBJECTS = ["a", "ab", "b", "", ":.ctx:a", ":.ctx:ab", ":.ctx:", ":.ctx2:a", ":.other:b"]
PREFIXES = [
    ("", ["a", "ab", "b", ""]),
    ("a", ["a", "ab"]),
    (":.:", ["a", "ab", "b", ""]),
    (":.:a", ["a", "ab"]),
    (":*:", SUBJECTS),
    (":*:a", ["a", "ab", ":.ctx:a", ":.ctx:ab", ":.ctx2:a"]),
    (":.ctx:", [":.ctx:a", ":.ctx:ab", ":.ctx:"]),
    (":.ctx:a", [":.ctx:a", ":.ctx:ab"]),
    (":.ctx", [":.ctx:a", ":.ctx:ab", ":.ctx:", ":.ctx2:a"]),
    (":.nothing:", []),
    ("c", []),
]


@pytest.mark.parametrize(("prefix", "matched"), PREFIXES)
def test_a_prefix_means_subjects_of_one_context_or_of_all(prefix: str, matched: list[str]) -> None:
    assert [name for name in SUBJECTS if of_prefix(prefix)(name)] == matched


NAMES = st.text(st.sampled_from(":.*/;ab\U0010ffff"), max_size=8)


@given(st.lists(NAMES), st.sampled_from(["", ":*:", ":.:", ":.", ":"]), NAMES)
def test_the_subjects_of_a_prefix_are_found_in_order_without_a_look_at_each(
    names: list[str], beginning: str, rest: str
) -> None:
    named = sorted((str(subject), subject) for subject in map(Subject.of, names))
    prefix = beginning + rest
    assert list(chain.from_iterable(in_pieces(prefix, named))) == [one for one in named if of_prefix(prefix)(one[0])]


def test_subjects_are_told_in_small_pieces() -> None:
    named = [(str(number), Subject(".", str(number))) for number in range(2 * PIECE_NAMES + 1)]
    assert [len(piece) for piece in in_pieces(":*:", named) if piece] == [PIECE_NAMES, PIECE_NAMES, 1]
