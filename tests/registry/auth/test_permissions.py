"""Which subjects a pattern covers, and what a right includes."""

import pytest

from registry.auth import EVERYTHING_ALLOWED, Caller, Grant, Need, Pattern, Permissions, Place, Right
from registry.errors import AccessDenied
from registry.model import Subject


def permissions(*grants: tuple[str, Right]) -> Permissions:
    return Permissions(Grant((Pattern(text),), frozenset({right})) for text, right in grants)


@pytest.mark.parametrize(
    ("pattern", "subject", "covered"),
    [
        ("orders", "orders", True),
        ("orders", "Orders", False),
        ("orders", "orders\n", False),
        ("orders-*", "orders-value", True),
        ("orders-*", "orders", False),
        ("*", "", True),
        ("*", "anything/at all", True),
        ("*", "line\nbreak", True),
        ("*", ":.prod:orders", False),
        ("*-value", ":.prod:orders-value", False),
        ("*", ":*:orders", True),
        (":.prod:*", ":.prod:orders", True),
        (":.prod:*", ":.prod:", True),
        (":.prod:*", "orders", False),
        (":.prod:*", ":.production:orders", False),
        (":.prod*:*", ":.production:orders", True),
        (":.prod*:a", ":.prod:x:a", False),
        (":.:orders", "orders", True),
        (":*:orders", ":.prod:orders", True),
        (":*:orders", "orders", True),
        (":*:*", ":.prod:x", True),
        (":*:*", ":.__GLOBAL:x", False),
        (":.*:*", ":.__GLOBAL:x", False),
        ("[ab]?", "bx", True),
    ],
)
def test_a_pattern_covers_by_context_and_name(pattern: str, subject: str, covered: bool) -> None:
    assert permissions((pattern, Right.READ)).allow(Right.READ, Subject.of(subject)) is covered


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        (Right.READ, {Right.READ}),
        (Right.WRITE, {Right.READ, Right.WRITE}),
        (Right.DELETE, {Right.READ, Right.DELETE}),
        (Right.ADMIN, set(Right)),
    ],
)
def test_every_right_includes_reading_and_admin_all(given: Right, allowed: set[Right]) -> None:
    granted = permissions(("a", given))
    assert {right for right in Right if granted.allow(right, Subject.of("a"))} == allowed
    assert not any(granted.allow(right, Subject.of("b")) for right in Right)


ADMIN, READ = Right.ADMIN, Right.READ


@pytest.mark.parametrize(
    ("pattern", "right", "place", "subject", "allowed"),
    [
        ("a", ADMIN, Place.SETTINGS, "a", True),
        ("*", ADMIN, Place.SETTINGS, ":.:", False),  # the default context's config is the whole registry's
        ("*", ADMIN, Place.SETTINGS, ":.", False),
        ("*", ADMIN, Place.SETTINGS, "", False),
        (":*:*", ADMIN, Place.SETTINGS, ":.:", True),
        (":.prod:*", ADMIN, Place.SETTINGS, ":.prod:", True),
        (":.prod:*", ADMIN, Place.SETTINGS, ":.prod", True),
        (":.prod:a*", ADMIN, Place.SETTINGS, ":.prod:", False),
        (":.prod:a*", READ, Place.SETTINGS, ":.prod:", True),
        (":.test:*", READ, Place.SETTINGS, ":.prod:", False),
        (":.*:*", ADMIN, Place.SETTINGS, ":.__GLOBAL:", False),
        (":.*:*", ADMIN, Place.SETTINGS, ":.__GLOBAL:x", False),
        (":*:*", ADMIN, Place.SETTINGS, ":.__GLOBAL:", True),
        (":.prod:*", ADMIN, Place.CONTEXT, ":.prod:", True),
        (":.prod:*", ADMIN, Place.CONTEXT, ":.prod:x", True),
        (":.prod:a", ADMIN, Place.CONTEXT, ":.prod:", False),
        ("*", ADMIN, Place.CONTEXT, "", False),
        ("*", ADMIN, Place.EVERYTHING, "", False),
        (":*:*", ADMIN, Place.EVERYTHING, "", True),
    ],
)
def test_settings_beyond_a_subject_need_all_that_they_hold_for(pattern, right, place, subject, allowed) -> None:
    caller = Caller("ana", permissions((pattern, Right.ADMIN)))
    if allowed:
        caller.check(Need(right, place), subject)
    else:
        with pytest.raises(AccessDenied, match="User is denied operation"):
            caller.check(Need(right, place), subject)


def test_where_nothing_is_restricted_even_odd_names_may_be_asked_for() -> None:
    for place in Place:
        for name in ("", ":.__GLOBAL:x", ":.:", "a"):
            Caller(None, EVERYTHING_ALLOWED).check(Need(Right.ADMIN, place), name)
