"""The registry against a plain model of it: random wishes in random order, and a replay at the end.

SIGNET_MACHINE_EXAMPLES sets how many histories are tried (50 unless it is set).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from registry.errors import RegistryError
from registry.log.memory import MemoryLog
from registry.model import Config, Level, Mode, Reference, Subject
from registry.operations import Candidate, Page, Policy, Registry, Visibility, opened
from registry.state import State

INT, LONG, STRING = '"int"', '"long"', '"string"'
FIXED = '{"type":"fixed","name":"F","size":4}'
RECORD = '{"type":"record","name":"R","fields":[{"name":"f","type":"F"}]}'
READS = {(text, text) for text in (INT, LONG, STRING, FIXED, RECORD)} | {(LONG, INT)}
"""Which text, as a reader, reads which."""

SUBJECTS = ["a", "b", ":.x:a"]
IN_USE = [Mode.READWRITE, Mode.READONLY, Mode.IMPORT]
PLACES = ["", *SUBJECTS, ":.x:", ":.__GLOBAL:"]
CONTEXTS = ["", ":.x:"]
POLICY = Policy(defaults=Config(compatibility_level=Level.NONE))
Target = tuple[str, int]


def context_of(subject: str) -> str:
    return subject[: subject.rfind(":") + 1]


@dataclass
class Version:
    """A version in the model: its id, its text, the version that it refers to, and whether it is soft-deleted."""

    id: int
    text: str
    target: Target | None
    deleted: bool = False

    @property
    def content(self) -> tuple[str, Target | None]:
        return self.text, self.target


class Refused(Exception):
    """The code with which the model refuses."""


@dataclass
class Model:
    """Subjects as dictionaries, and every rule as an if."""

    subjects: dict[str, dict[int, Version]] = field(default_factory=lambda: {name: {} for name in SUBJECTS})
    marks: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CONTEXTS, 0))
    contexts: set[str] = field(default_factory=set)
    modes: dict[str, Mode] = field(default_factory=dict)
    levels: dict[str, Level] = field(default_factory=dict)

    def live(self, subject: str) -> list[int]:
        return [number for number, version in sorted(self.subjects[subject].items()) if not version.deleted]

    def all(self) -> Iterator[tuple[str, int, Version]]:
        for subject, versions in self.subjects.items():
            for number, version in versions.items():
                yield subject, number, version

    def in_force(self, table: dict[str, Any], subject: str, otherwise: Any) -> Any:
        for place in (subject, context_of(subject), ":.__GLOBAL:"):
            if place in table:
                return table[place]
        return otherwise

    def mode(self, subject: str) -> Mode:
        mode: Mode = self.in_force(self.modes, subject, Mode.READWRITE)
        return mode

    def check_writable(self, subject: str) -> None:
        if self.mode(subject) is Mode.READONLY:
            raise Refused(42205)

    def check_readable(self, text: str, target: Target | None, *, live: bool = False) -> None:
        if target is not None:
            found = self.subjects[target[0]].get(target[1])
            if found is None or found.text != FIXED or (live and found.deleted):
                raise Refused(42201)
        elif text == RECORD:
            raise Refused(42201)

    def referrers(self, subject: str, number: int, *, deleted: bool) -> list[str]:
        return [name for name, _, one in self.all() if one.target == (subject, number) and (deleted or not one.deleted)]

    def check_compatible(self, subject: str, text: str) -> None:
        level = self.in_force(self.levels, subject, Level.NONE)
        live = self.live(subject)
        if level is Level.NONE or not live:
            return
        old = self.subjects[subject][live[-1]]
        self.check_readable(*old.content)
        if ((text, old.text) if level is Level.BACKWARD else (old.text, text)) not in READS:
            raise Refused(40901)

    def register(self, subject: str, text: str, target: Target | None, version: int, number: int) -> tuple[int, int]:
        self.check_readable(text, target)
        versions = self.subjects[subject]
        same = [
            n for n in self.live(subject) if versions[n].content == (text, target) and number in (-1, versions[n].id)
        ]
        if same and version == 0:
            return same[-1], versions[same[-1]].id
        if version in same and number != -1:
            return version, number
        mode = self.mode(subject)
        if mode is Mode.READONLY or (mode is Mode.IMPORT) != (number >= 0):
            raise Refused(42205)
        self.check_readable(text, target, live=number < 0)
        if mode is Mode.READWRITE:
            self.check_compatible(subject, text)
            if version not in (0, max(versions, default=0) + 1):
                raise Refused(42201)
        version = version or max(versions, default=0) + 1
        number = self.allocate(context_of(subject), (text, target), number)
        for old in [n for n, one in versions.items() if one.deleted and one.id == number and n < version]:
            if not self.referrers(subject, old, deleted=True):
                del versions[old]
        versions[version] = Version(number, text, target)
        self.contexts.add(context_of(subject))
        return version, number

    def allocate(self, context: str, content: tuple[str, Target | None], number: int) -> int:
        held = {one.id: one.content for name, _, one in self.all() if context_of(name) == context}
        known = sorted(n for n, bound in held.items() if bound == content)
        if number < 0:
            number = known[0] if known else self.marks[context] + 1
        elif held.get(number, content) != content:
            raise Refused(42205)
        self.marks[context] = max(self.marks[context], number)
        return number

    def lookup(self, subject: str, text: str, target: Target | None, deleted: bool) -> tuple[str, int]:
        names = [subject]
        if context_of(subject) == "":
            names += [
                context + subject for context in sorted(self.contexts - {""}) if context + subject in self.subjects
            ]
        self.check_readable(text, target)
        for name in names:
            versions = self.subjects.get(name, {})
            numbers = [n for n in versions if (deleted or not versions[n].deleted)]
            found = [n for n in numbers if versions[n].content == (text, target)]
            if found:
                return name, max(found)
        raise Refused(40403 if (self.subjects[subject] if deleted else self.live(subject)) else 40401)

    def delete_subject(self, subject: str, permanent: bool) -> list[int]:
        versions, live = self.subjects[subject], self.live(subject)
        if not versions:
            raise Refused(40401)
        if not (permanent or live):
            raise Refused(40404)
        self.check_writable(subject)
        doomed = sorted(versions) if permanent else live
        for number in doomed:
            if any(name != subject for name in self.referrers(subject, number, deleted=permanent)):
                raise Refused(42206)
            if permanent and not versions[number].deleted:
                raise Refused(40405)
        for number in doomed:
            versions[number].deleted = True
        if permanent:
            versions.clear()
            self.forget_settings(subject)
        return doomed

    def delete_version(self, subject: str, number: int, permanent: bool) -> int:
        versions = self.subjects[subject]
        if number == -1:
            number = max(self.live(subject), default=-1)
        if number not in versions:
            raise Refused(40402 if versions else 40401)
        if versions[number].deleted and not permanent:
            raise Refused(40406)
        self.check_writable(subject)
        if self.referrers(subject, number, deleted=permanent):
            raise Refused(42206)
        if not permanent:
            versions[number].deleted = True
        elif not versions[number].deleted:
            raise Refused(40407)
        else:
            del versions[number]
        if not versions:
            self.forget_settings(subject)
        return number

    def forget_settings(self, subject: str) -> None:
        self.modes.pop(subject, None)
        self.levels.pop(subject, None)

    def undelete(self, subject: str, number: int) -> int:
        versions = self.subjects[subject]
        if number not in versions:
            raise Refused(40402 if versions else 40401)
        self.check_writable(subject)
        if not versions[number].deleted:
            raise Refused(42205)
        self.check_readable(*versions[number].content, live=True)
        versions[number].deleted = False
        return number

    def set_mode(self, place: str, mode: Mode | None) -> Mode | None:
        if mode is Mode.IMPORT and self.mode(place) is not Mode.IMPORT:
            scope = [name for name in SUBJECTS if place in ("", ":.__GLOBAL:", name, context_of(name))]
            if any(self.live(name) for name in scope):
                raise Refused(42205)
            if any(self.referrers(name, number, deleted=True) for name in scope for number in self.subjects[name]):
                raise Refused(42206)
            for name in scope:
                self.subjects[name].clear()
        self.modes.pop(place, None)
        if mode is not None:
            self.modes[place] = mode
        return mode

    def set_level(self, place: str, level: Level) -> Level:
        self.check_writable(place)
        self.levels[place] = level
        return level

    def delete_context(self, context: str) -> None:
        if any(versions and context_of(name) == context for name, versions in self.subjects.items()):
            raise Refused(42211)
        self.contexts.discard(context)


class RegistryMachine(RuleBasedStateMachine):
    """Every wish is made to both; both must answer, or refuse, alike."""

    @initialize(first=st.lists(st.tuples(st.sampled_from(SUBJECTS), st.sampled_from([FIXED, INT])), max_size=5))
    def open(self, first: list[tuple[str, str]]) -> None:
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.log = MemoryLog(count(1000).__next__)
        self.registry: Registry = self.runner.run(self.stack.enter_async_context(opened(self.log, POLICY)))
        self.model = Model()
        for subject, text in first:
            self.put(subject, text, None, 0, -1)

    def wish(self, wanted: Awaitable[Any], expected: Any) -> None:
        """Compare an answer with the model's, as a value or as a code; a refusal leaves no trace."""
        before = len(self.log._entries)

        async def carry_out() -> Any:
            try:
                return await wanted
            except RegistryError as reason:
                assert len(self.log._entries) == before
                return reason.code

        answer = self.runner.run(carry_out())
        try:
            expected = expected()
        except Refused as refusal:
            expected = refusal.args[0]
        assert answer == expected, f"answered {answer}, expected {expected}"

    @rule(
        data=st.data(),
        subject=st.sampled_from(SUBJECTS),
        text=st.sampled_from([INT, LONG, STRING, FIXED]),
        version=st.sampled_from([0, 0, 0, 1, 2, 3]),
    )
    def register(self, data: st.DataObject, subject: str, text: str, version: int) -> None:
        number = self.draw_id(data, subject)
        if number == -1 and self.model.mode(subject) is Mode.READWRITE:
            version = 9 if version == 3 else 0  # a version that fits would be kept in the metadata
        self.put(subject, text, None, version, number)

    @precondition(lambda self: any(self.model.all()))
    @rule(data=st.data(), subject=st.sampled_from(SUBJECTS))
    def register_referring(self, data: st.DataObject, subject: str) -> None:
        self.put(subject, RECORD, self.draw_target(data), 0, self.draw_id(data, subject))

    def draw_id(self, data: st.DataObject, subject: str) -> int:
        importing = self.model.mode(subject) is Mode.IMPORT
        return data.draw(st.sampled_from([-1, 0, 1, 2, 3, 5] if importing else [-1, -1, -1, -1, -1, 1]))

    def draw_target(self, data: st.DataObject) -> Target:
        there = [(name, number) for name, number, one in self.model.all() if one.text == FIXED]
        return data.draw(st.sampled_from(there) if there else st.just(("a", 1)))

    def draw_place(self, data: st.DataObject) -> tuple[str, int]:
        return data.draw(st.sampled_from([(name, number) for name, number, _ in self.model.all()]))

    def put(self, subject: str, text: str, target: Target | None, version: int, number: int) -> None:
        candidate = Candidate(text, references=references(target), version=version, id=number)

        async def registered() -> tuple[int, int]:
            stored: Any = await self.registry.versions.register(Subject.of(subject), candidate)
            return stored.version, stored.id

        self.wish(registered(), lambda: self.model.register(subject, text, target, version, number))

    @precondition(lambda self: any(self.model.all()))
    @rule(
        data=st.data(),
        subject=st.sampled_from(SUBJECTS),
        text=st.sampled_from([INT, LONG, FIXED, RECORD]),
        deleted=st.booleans(),
    )
    def look_up(self, data: st.DataObject, subject: str, text: str, deleted: bool) -> None:
        target = self.draw_target(data) if text == RECORD else None
        candidate = Candidate(text, references=references(target))

        async def found() -> tuple[str, int]:
            place = Subject.of(subject)
            stored = await self.registry.subjects.lookup(place, candidate, normalize=False, deleted=deleted)
            return str(stored.subject), stored.version

        self.wish(found(), lambda: self.model.lookup(subject, text, target, deleted))

    @precondition(lambda self: any(self.model.all()))
    @rule(data=st.data(), permanent=st.booleans())
    def delete_subject(self, data: st.DataObject, permanent: bool) -> None:
        subject, _ = self.draw_place(data)
        wanted = self.registry.subjects.delete(Subject.of(subject), permanent=permanent)
        self.wish(wanted, lambda: self.model.delete_subject(subject, permanent))

    @precondition(lambda self: any(self.model.all()))
    @rule(data=st.data(), latest=st.booleans(), permanent=st.booleans())
    def delete_version(self, data: st.DataObject, latest: bool, permanent: bool) -> None:
        subject, number = self.draw_place(data)
        number = -1 if latest else number
        wanted = self.registry.versions.delete(Subject.of(subject), number, permanent=permanent)
        self.wish(wanted, lambda: self.model.delete_version(subject, number, permanent))

    @precondition(lambda self: any(one.deleted for _, _, one in self.model.all()))
    @rule(data=st.data())
    def undelete(self, data: st.DataObject) -> None:
        subject, number = self.draw_place(data)

        async def back() -> int:
            stored: Any = await self.registry.versions.undelete(Subject.of(subject), number, force=True)
            return int(stored.version)

        self.wish(back(), lambda: self.model.undelete(subject, number))

    @rule(
        place=st.sampled_from(PLACES),
        mode=st.sampled_from([None, None, None, Mode.READWRITE, Mode.READONLY, Mode.IMPORT]),
    )
    def set_mode(self, place: str, mode: Mode | None) -> None:
        wanted = self.registry.mode.put(Subject.of(place), mode)
        self.wish(wanted, lambda: self.model.set_mode(place, mode))

    @rule(place=st.sampled_from(PLACES), level=st.sampled_from([Level.NONE, Level.NONE, Level.BACKWARD, Level.FORWARD]))
    def set_level(self, place: str, level: Level) -> None:
        async def put() -> Level | None:
            config: Any = await self.registry.config.put(Subject.of(place), {"compatibility_level": level})
            set_level: Level | None = config.compatibility_level
            return set_level

        self.wish(put(), lambda: self.model.set_level(place, level))

    @rule()
    def delete_context(self) -> None:
        self.wish(self.registry.contexts.delete(".x"), lambda: self.model.delete_context(":.x:"))

    @invariant()
    def the_rows_are_those_of_the_model(self) -> None:
        if hasattr(self, "model"):
            state = self.registry.state
            expected = {
                name: [(number, one.id, one.text, one.deleted) for number, one in sorted(versions.items())]
                for name, versions in self.model.subjects.items()
            }
            assert rows(state) == expected
            assert {name: state.highest_id(Subject.of(name).context) for name in CONTEXTS} == self.model.marks
            assert {Subject(name, "").prefix for name in state.contexts()} == self.model.contexts | {""}

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        answers = self.runner.run(all_answers(self.registry))
        self.runner.run(self.stack.aclose())
        self.runner.run(self.check_replay(answers))
        self.runner.close()

    async def check_replay(self, answers: list[Any]) -> None:
        assert rows(State.of_snapshot(self.registry.state.snapshot())) == rows(self.registry.state)
        async with opened(self.log, POLICY) as registry:
            assert rows(registry.state) == rows(self.registry.state)
            assert registry.state.highest_ids() == self.registry.state.highest_ids()
            assert registry.state.conflicting_records == registry.state.unreadable_records == 0
            assert await all_answers(registry) == answers


def references(target: Target | None) -> tuple[Reference, ...]:
    if target is None:
        return ()
    subject = target[0] if target[0].startswith(":.") else f":.:{target[0]}"
    return (Reference("F", subject, target[1]),)


def rows(state: State) -> dict[str, list[tuple[int, int, str, bool]]]:
    return {
        name: [(row.version, row.id, row.content.schema.text, row.deleted) for row in state.rows(Subject.of(name))]
        for name in SUBJECTS
    }


async def all_answers(registry: Registry) -> list[Any]:
    """What a client can read of everything."""
    answers: list[Any] = [await registry.subjects.list(":*:", visibility, Page()) for visibility in Visibility]
    answers.append(await registry.contexts.list("", Page()))
    for name in SUBJECTS:
        place = Subject.of(name)
        answers += [await registry.mode.get(place, default_to_global=True)]
        answers += [await registry.config.get(place, default_to_global=True)]
        for row in registry.state.rows(place):
            answers += [await registry.versions.get(place, row.version, deleted=True)]
            answers += [await registry.versions.details(place, row.version)]
            answers += [await registry.schemas.by_id(row.id, place)]
            answers += [await registry.schemas.versions_of(row.id, place, deleted=True, page=Page())]
            answers += [await registry.versions.referenced_by(place, row.version, deleted=True, page=Page())]
    return answers


TestRegistry = RegistryMachine.TestCase
TestRegistry.settings = settings(
    max_examples=int(os.environ.get("SIGNET_MACHINE_EXAMPLES", "50")), stateful_step_count=50
)
