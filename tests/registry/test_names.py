"""Names stay in order while subjects come and go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.model import Subject
from registry.names import FEW, Named, Names

SUBJECTS = [Subject(context, f"s{number}") for context in (".", ".ctx") for number in range(FEW)]


def in_order(table: set[Subject]) -> list[Named]:
    return sorted((str(subject), subject) for subject in table)


@given(st.lists(st.sets(st.sampled_from(SUBJECTS), max_size=2 * FEW), max_size=5), st.booleans())
def test_names_are_those_of_the_table_whenever_they_are_asked_for(tables: list[set[Subject]], asked: bool) -> None:
    names, table = Names(), set[Subject]()
    for other in tables:
        for subject in table - other:
            names.went(subject)
        for subject in other - table:
            names.came(subject)
        table = other
        assert not asked or list(names.of(table)) == in_order(table)
    assert list(names.of(table)) == in_order(table)


def test_what_was_told_stays_as_it_is() -> None:
    names, (first, second, *_) = Names(), SUBJECTS
    told = names.of([first])
    names.went(first)
    names.came(second)
    assert (list(told), list(names.of([]))) == (in_order({first}), in_order({second}))
