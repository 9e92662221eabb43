"""The oracle finds what it is there to find: each history that breaks a promise gets a finding, and sound ones none."""

import math
import random
import time

import pytest

from tests.resilience import linearizability
from tests.resilience.history import Answer, Operation, Outcome, Row
from tests.resilience.oracle import judge

REGISTER, LOOKUP, LATEST, BY_ID = Operation.REGISTER, Operation.LOOKUP, Operation.LATEST, Operation.BY_ID
DONE, ABSENT, UNKNOWN, UNAVAILABLE = Outcome.DONE, Outcome.ABSENT, Outcome.UNKNOWN, Outcome.UNAVAILABLE
DELETE, FOR_GOOD = Operation.DELETE, Operation.DELETE_FOR_GOOD


def put(start: float, end: float, text: str, version: int, number: int | None = None, subject: str = "s") -> Answer:
    return Answer(REGISTER, DONE, subject, start, end, text, number or version, version)


def unanswered(start: float, text: str) -> Answer:
    return Answer(REGISTER, UNKNOWN, "s", start, math.inf, text)


def latest(start: float, end: float, text: str | None, version: int | None) -> Answer:
    return Answer(LATEST, DONE if text else ABSENT, "s", start, end, text, version, version)


def lookup(start: float, end: float, text: str, version: int | None) -> Answer:
    return Answer(LOOKUP, DONE if version else ABSENT, "s", start, end, text, version, version)


def by_id(start: float, end: float, number: int, text: str | None, subject: str = "s") -> Answer:
    return Answer(BY_ID, DONE if text else ABSENT, subject, start, end, text, number)


def read_only(start: float, end: float) -> Answer:
    return Answer(Operation.READ_ONLY, DONE, "s", start, end)


def refused(start: float, end: float, text: str) -> Answer:
    return Answer(REGISTER, Outcome.REFUSED, "s", start, end, text)


def gone(start: float, end: float, *versions: int, operation: Operation = DELETE) -> Answer:
    return Answer(operation, DONE, "s", start, end, versions=versions)


def held(*texts: str, subject: str = "s") -> dict[tuple[str, int], Row]:
    return {(subject, version): Row(text, version) for version, text in enumerate(texts, 1)}


SOUND = {
    "nothing": ([], {}),
    "one after another": ([put(0, 1, "a", 1), put(2, 3, "b", 2), latest(4, 5, "b", 2)], held("a", "b")),
    "answered in another order than decided": ([put(0, 9, "b", 2), put(1, 2, "a", 1)], held("a", "b")),
    "the same twice": ([put(0, 3, "a", 1), put(1, 2, "a", 1)], held("a")),
    "a read beside a write may see it": ([put(0, 9, "a", 1), latest(1, 2, "a", 1)], held("a")),
    "or not": ([put(0, 9, "a", 1), latest(1, 2, None, None), lookup(3, 4, "a", None)], held("a")),
    "no answer, and not written": ([put(0, 1, "a", 1), unanswered(2, "b"), put(3, 4, "c", 2)], held("a", "c")),
    "no answer, and written": ([put(0, 1, "a", 1), unanswered(2, "b"), put(3, 4, "c", 3)], held("a", "b", "c")),
    "no answer, and written long after": ([unanswered(0, "b"), put(3, 4, "c", 1)], held("c", "b")),
    "no answer after it was there": ([put(0, 1, "a", 1), unanswered(2, "a")], held("a")),
    "cannot now, and later can": (
        [Answer(REGISTER, UNAVAILABLE, "s", 0, 1, "a"), put(2, 3, "a", 1)],
        held("a"),
    ),
    "read-only from in between": ([read_only(0, 9), put(1, 2, "a", 1), refused(3, 4, "b")], held("a")),
    "what is there is answered though read-only": (
        [put(0, 1, "a", 1), read_only(2, 3), put(4, 5, "a", 1)],
        held("a"),
    ),
    "deleted and registered anew": (
        [put(0, 1, "a", 1), gone(2, 3, 1), latest(4, 5, None, None), put(6, 7, "a", 2, 1)],
        {("s", 2): Row("a", 1)},
    ),
    "deleted for good and registered anew": (
        [put(0, 1, "a", 1), gone(2, 3, 1), gone(4, 5, 1, operation=FOR_GOOD), put(6, 7, "b", 1, 2)],
        {("s", 1): Row("b", 2)},
    ),
    "an id counts in its context": (
        [put(0, 1, "a", 1, 1), put(0, 1, "b", 1, 1, ":.c:s")],
        held("a") | held("b", subject=":.c:s"),
    ),
}


@pytest.mark.parametrize("history", SOUND.values(), ids=SOUND)
def test_a_history_that_keeps_the_promises_has_no_findings(history) -> None:
    assert judge(*history).findings == ()


BROKEN = {
    "a lost write": ([put(0, 1, "a", 1), put(2, 3, "b", 2)], held("a"), "lost"),
    "a changed write": ([put(0, 1, "a", 1)], held("b"), "lost"),
    "a write that moved to another version": ([put(0, 1, "a", 2, 1)], held("a"), "lost"),
    "an id with two contents": ([put(0, 1, "a", 1, 7), put(2, 3, "b", 2, 7)], {}, "id 7 of context . meant a and b"),
    "an id with two contents, read": ([put(0, 1, "a", 1), by_id(2, 3, 1, "b")], held("a"), "id 1 of context"),
    "a content with two ids": (
        [put(0, 1, "a", 1, 1), put(2, 3, "a", 1, 2, "t")],
        held("a") | {("t", 1): Row("a", 2)},
        "a has the ids 1 and 2",
    ),
    "a gap in the versions": ([put(0, 1, "a", 1)], held("a") | {("s", 3): Row("c", 3)}, "the versions of s are [1, 3]"),
    "a version with two texts": ([put(0, 1, "a", 1), put(0, 1, "b", 1, 2)], held("a"), "version 1 of s meant 2 texts"),
    "a version that nobody registered": ([], held("a"), "nobody registered"),
    "a write that was told not to be": (
        [Answer(REGISTER, UNAVAILABLE, "s", 0, 1, "a")],
        held("a"),
        "told that it was not written",
    ),
    "a stale latest": ([put(0, 1, "a", 1), put(2, 3, "b", 2), latest(4, 5, "a", 1)], held("a", "b"), "stale"),
    "a latest that is not there yet": ([put(0, 1, "a", 1), latest(2, 3, None, None)], held("a"), "stale"),
    "a stale lookup": ([put(0, 1, "a", 1), lookup(2, 3, "a", None)], held("a"), "stale"),
    "a stale read by id": ([put(0, 1, "a", 1), by_id(2, 3, 1, None)], held("a"), "stale"),
    "a latest that goes back": (
        [put(0, 9, "a", 1), put(0, 9, "b", 2), latest(1, 2, "b", 2), latest(3, 4, "a", 1)],
        held("a", "b"),
        "no order of s explains",
    ),
    "a lookup that forgets": (
        [put(0, 9, "a", 1), lookup(1, 2, "a", 1), lookup(3, 4, "a", None)],
        held("a"),
        "no order of s explains",
    ),
    "versions against time": (
        [put(0, 1, "b", 2), put(2, 3, "a", 1)],
        held("a", "b"),
        "no order of s explains",
    ),
    "a new version while read-only": ([read_only(0, 1), put(2, 3, "a", 1)], held("a"), "no order of s explains"),
    "refused though writable": ([refused(0, 1, "a")], {}, "no order of s explains"),
    "a deletion that left something": (
        [put(0, 1, "a", 1), gone(2, 3, 1), latest(4, 5, "a", 1)],
        {("s", 1): Row("a", 1, deleted=True)},
        "no order of s explains",
    ),
    "a deletion that was lost": ([put(0, 1, "a", 1), gone(2, 3, 1)], held("a"), "no order of s explains"),
    "a version given twice in one life": (
        [put(0, 1, "a", 1), gone(2, 3, 1), put(4, 5, "b", 1, 2)],
        {},
        "version 1 of s meant 2 texts",
    ),
}


@pytest.mark.parametrize(("history", "contents", "finding"), BROKEN.values(), ids=BROKEN)
def test_a_history_that_breaks_a_promise_is_found_out(history, contents, finding) -> None:
    findings = judge(history, contents).findings
    assert any(finding in one for one in findings), findings


def test_exports_that_differ_are_found_out() -> None:
    assert judge([], {}, exports={"1": b"x", "2": b"x"}).findings == ()
    assert "the exports of 1 and 3 differ" in judge([], {}, exports={"1": b"x", "2": b"x", "3": b"y"}).findings[0]


def test_a_read_may_lag_as_far_as_its_bound_and_no_further() -> None:
    history = [put(0, 1, "a", 1), put(2, 3, "b", 2), latest(3.4, 3.5, "a", 1)]
    assert judge(history, held("a", "b"), bound_seconds=0.5).findings == ()
    assert "stale" in judge(history, held("a", "b"), bound_seconds=0.3).findings[0]


def registers(writers: int, each: int) -> list[linearizability.Call[int]]:
    """A counter that writers raise at overlapping times, each told the value after its own."""
    choose = random.Random(5)
    moments = sorted((choose.random(), writer) for writer in range(writers) for _ in range(each))
    return [
        linearizability.Call(
            at - choose.random() / 50, at + choose.random() / 50, lambda now, v=value: v if now == v - 1 else None, ""
        )
        for value, (at, _) in enumerate(moments, 1)
    ]


def test_the_search_is_quick_where_many_overlap() -> None:
    calls, started = registers(writers=16, each=100), time.process_time()
    verdict = linearizability.check(calls, 0)
    assert verdict.linearizable
    assert time.process_time() - started < 5


def test_the_search_is_quick_where_many_reads_overlap_a_write() -> None:
    reads = [latest(1 + number / 100, 9, None, None) for number in range(60)]
    assert judge([put(0, 10, "a", 1), *reads], held("a")).findings == ()


def test_the_search_gives_up_after_its_steps_and_says_so() -> None:
    verdict = linearizability.check(registers(writers=16, each=10), 0, max_steps=50)
    assert (verdict.linearizable, verdict.steps) == (None, 51)


def test_a_subject_that_was_not_decided_is_a_finding() -> None:
    assert "nothing is proved of it" in judge([put(0, 1, "a", 1)], held("a"), steps_per_call=0).findings[0]
