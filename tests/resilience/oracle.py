"""Judges a history: was anything that a registry acknowledged lost, changed, given a second id, or told too late?

Pure: answers and contents in, findings out, each one sentence; no findings means that every promise was kept.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from tests.resilience import linearizability, subject_model
from tests.resilience.history import Answer, Contents, Operation, Outcome, context_of

SHOWN = 10
DELETIONS = (Operation.DELETE, Operation.DELETE_FOR_GOOD)
TOLD = (Operation.REGISTER, Operation.LOOKUP, Operation.LATEST)
"""Operations whose answer binds a subject and a version to a text and an id."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was checked, and what was wrong."""

    findings: tuple[str, ...]
    acknowledged: int
    unknown: int
    unavailable: int
    subjects: int
    versions: int
    steps: int

    def require(self) -> None:
        """Fail with the first findings, if there are any."""
        shown = "\n".join(self.findings[:SHOWN])
        assert not self.findings, f"{len(self.findings)} findings:\n{shown}"

    def __str__(self) -> str:
        return (
            f"{self.acknowledged:,} acknowledged answers, {self.unavailable:,} times told that it cannot now, "
            f"{self.unknown:,} without an answer; {self.subjects:,} subjects with {self.versions:,} versions compared, "
            f"linearizable in {self.steps:,} steps"
        )


def judge(
    history: Sequence[Answer],
    contents: Contents,
    *,
    bound_seconds: float = 0.0,
    exports: Mapping[str, bytes] | None = None,
    steps_per_call: int = 500,
) -> Judgement:
    """Hold a history against what the registry holds after it.

    bound_seconds: how far reads were allowed to lag; above 0 they need not be linearizable. exports: by node;
    steps_per_call: how many states the search may try for each call of a subject before it gives up.
    """
    settled = list(settle(history, contents))
    findings = [
        *lost(settled, contents),
        *changed(settled, contents),
        *second_ids(settled, contents),
        *gaps(settled, contents),
        *written_after_all(history, contents),
        *stale(settled, bound_seconds),
        *unequal(exports or {}),
    ]
    steps = 0
    for subject, verdict in () if bound_seconds else search(settled, contents, steps_per_call):
        steps += verdict.steps
        if verdict.linearizable is None:
            findings.append(f"no order of {subject} was found in {verdict.steps:,} steps, so nothing is proved of it")
        elif not verdict.linearizable:
            findings.append(f"no order of {subject} explains: {verdict.stuck_at}")
    outcomes = [answer.outcome for answer in history]
    unknown, unavailable = outcomes.count(Outcome.UNKNOWN), outcomes.count(Outcome.UNAVAILABLE)
    return Judgement(
        findings=tuple(findings),
        acknowledged=len(history) - unknown - unavailable,
        unknown=unknown,
        unavailable=unavailable,
        subjects=len({answer.subject for answer in history} | {subject for subject, _ in contents}),
        versions=len(contents),
        steps=steps,
    )


def settle(history: Sequence[Answer], contents: Contents) -> Iterator[Answer]:
    """The history, less those registrations without an answer that came to nothing; others end when they were seen.

    Only where nothing was deleted: there a text that is absent in the end was never there.
    """
    with_deletions = _deleted_from(history)
    seen = {(subject, row.text): math.inf for (subject, _), row in contents.items()}
    for answer in history:
        if answer.outcome is Outcome.DONE and answer.operation in TOLD:
            place = answer.subject, answer.text or ""
            seen[place] = min(seen.get(place, math.inf), answer.ended)
    latest = max((answer.ended for answer in history if answer.ended < math.inf), default=0.0)
    for answer in history:
        unknown = answer.operation is Operation.REGISTER and answer.outcome is Outcome.UNKNOWN
        if not unknown or answer.subject in with_deletions:
            yield answer
        elif (first := seen.get((answer.subject, answer.text or ""))) is not None:
            # Someone may have been told of it before this registration was even sent.
            yield answer._replace(ended=max(answer.started, min(first, latest + 1.0)))


def lost(history: Iterable[Answer], contents: Contents) -> Iterator[str]:
    """Acknowledged writes that are not there, where nothing was deleted."""
    history = list(history)
    with_deletions = _deleted_from(history)
    for answer in history:
        if answer.operation is not Operation.REGISTER or answer.outcome is not Outcome.DONE:
            continue
        row = contents.get((answer.subject, answer.version or 0))
        if answer.subject not in with_deletions and (row is None or (row.text, row.id) != (answer.text, answer.id)):
            yield f"lost: {answer}; there is {row}"


def changed(history: Iterable[Answer], contents: Contents) -> Iterator[str]:
    """Ids that meant two contents, over all answers and all that is held."""
    meaning: dict[tuple[str, int], str] = {}
    bound = [(answer.subject, answer.id, answer.text) for answer in history if answer.outcome is Outcome.DONE]
    bound += [(subject, row.id, row.text) for (subject, _), row in contents.items()]
    for subject, number, text in bound:
        if number is None or text is None:
            continue
        known = meaning.setdefault((context_of(subject), number), text)
        if known != text:
            yield f"id {number} of context {context_of(subject)} meant {known} and {text}"


def second_ids(history: Iterable[Answer], contents: Contents) -> Iterator[str]:
    """Contents with two ids in one context, unless something was deleted for good, which lets an id go."""
    history = list(history)
    if any(answer.operation is Operation.DELETE_FOR_GOOD for answer in history):
        return
    ids: dict[tuple[str, str], int] = {}
    bound = [(answer.subject, answer.id, answer.text) for answer in history if answer.outcome is Outcome.DONE]
    bound += [(subject, row.id, row.text) for (subject, _), row in contents.items()]
    for subject, number, text in bound:
        if number is not None and text is not None:
            known = ids.setdefault((context_of(subject), text), number)
            if known != number:
                yield f"{text} has the ids {known} and {number} in context {context_of(subject)}"


def gaps(history: Iterable[Answer], contents: Contents) -> Iterator[str]:
    """Versions that are not 1, 2, 3, where nothing was deleted; or that meant more texts than the subject had lives."""
    history = list(history)
    with_deletions = _deleted_from(history)
    lives: dict[str, int] = defaultdict(lambda: 1)
    texts: dict[tuple[str, int], set[str]] = defaultdict(set)
    for answer in history:
        lives[answer.subject] += answer.operation is Operation.DELETE_FOR_GOOD
        if answer.outcome is Outcome.DONE and answer.operation in TOLD and answer.version is not None:
            texts[answer.subject, answer.version].add(answer.text or "")
    held: dict[str, list[int]] = defaultdict(list)
    for (subject, version), row in contents.items():
        held[subject].append(version)
        texts[subject, version].add(row.text)
    for subject, versions in held.items():
        if subject not in with_deletions and sorted(versions) != list(range(1, len(versions) + 1)):
            yield f"the versions of {subject} are {sorted(versions)}"
    for (subject, version), meant in texts.items():
        if len(meant) > lives[subject]:
            yield f"version {version} of {subject} meant {len(meant)} texts: {sorted(meant)}"


def written_after_all(history: Iterable[Answer], contents: Contents) -> Iterator[str]:
    """Registrations of which every sender was told that nothing was written, and which are there."""
    told: dict[tuple[str, str], set[Outcome]] = defaultdict(set)
    for answer in history:
        if answer.operation is Operation.REGISTER:
            told[answer.subject, answer.text or ""].add(answer.outcome)
    for (subject, version), row in contents.items():
        outcomes = told.get((subject, row.text))
        if outcomes is None:
            yield f"nobody registered version {version} of {subject}: {row}"
        elif outcomes <= {Outcome.UNAVAILABLE, Outcome.REFUSED}:
            yield f"every sender of version {version} of {subject} was told that it was not written: {row}"


def stale(history: Sequence[Answer], bound_seconds: float = 0.0) -> Iterator[str]:
    """Reads that missed what had been acknowledged before they began, or longer ago than the bound allows."""
    with_deletions = _deleted_from(history)
    ids: dict[tuple[str, int], float] = {}
    versions: dict[str, list[tuple[float, int]]] = defaultdict(list)
    texts: dict[tuple[str, str], float] = {}
    for answer in history:
        if answer.outcome is Outcome.DONE and answer.operation is Operation.REGISTER:
            _earliest(ids, (context_of(answer.subject), answer.id), answer.ended)
            _earliest(texts, (answer.subject, answer.text), answer.ended)
            versions[answer.subject].append((answer.ended, answer.version or 0))
    highest = {subject: _highest_until(written) for subject, written in versions.items()}
    for read in history:
        if read.subject in with_deletions:
            continue
        since = read.started - bound_seconds
        if read.operation is Operation.BY_ID and read.outcome is Outcome.ABSENT:
            is_stale = ids.get((context_of(read.subject), read.id or 0), math.inf) < since
        elif read.operation is Operation.LOOKUP and read.outcome is Outcome.ABSENT:
            is_stale = texts.get((read.subject, read.text or ""), math.inf) < since
        elif read.operation is Operation.LATEST and read.outcome in (Outcome.DONE, Outcome.ABSENT):
            times, tops = highest.get(read.subject, ([], []))
            count = bisect_left(times, since)
            is_stale = count > 0 and (read.version or 0) < tops[count - 1]
        else:
            continue
        if is_stale:
            yield f"stale: {read}"


def unequal(exports: Mapping[str, bytes]) -> Iterator[str]:
    """Nodes that export something else than the first one."""
    for name, exported in exports.items():
        first = next(iter(exports))
        if exported != exports[first]:
            yield f"the exports of {first} and {name} differ ({len(exports[first])} and {len(exported)} bytes)"


def search(
    history: Iterable[Answer], contents: Contents, steps_per_call: int
) -> Iterator[tuple[str, linearizability.Verdict]]:
    """Look for an order of each subject that explains its answers and ends with what is held."""
    answers: dict[str, list[Answer]] = defaultdict(list)
    for answer in history:
        answers[answer.subject].append(answer)
    held: dict[str, list[subject_model.Held]] = defaultdict(list)
    for (subject, version), row in sorted(contents.items()):
        held[subject].append(subject_model.Held(version, row.text, row.deleted))
    for subject, asked in answers.items():
        calls = subject_model.calls(asked)
        calls.append(_ends_with(tuple(held.get(subject, ())), asked))
        yield subject, linearizability.check(calls, subject_model.Subject(), steps_per_call * len(calls))


def _ends_with(rows: tuple[subject_model.Held, ...], asked: Sequence[Answer]) -> linearizability.Call:
    # Registrations without an answer may end up to a second behind the last answer, see `settle`.
    last = max((answer.ended for answer in asked if answer.ended < math.inf), default=0.0) + 2.0

    def holds(state: subject_model.Subject) -> subject_model.Subject | None:
        return state if state.rows == rows else None

    return linearizability.Call(last, last, holds, f"what is held in the end: {rows}"[:400])


def _deleted_from(history: Iterable[Answer]) -> set[str]:
    return {answer.subject for answer in history if answer.operation in DELETIONS}


def _earliest(known: dict, key: object, ended: float) -> None:
    known[key] = min(known.get(key, math.inf), ended)


def _highest_until(written: list[tuple[float, int]]) -> tuple[list[float], list[int]]:
    written.sort()
    return [ended for ended, _ in written], list(accumulate((version for _, version in written), max))
