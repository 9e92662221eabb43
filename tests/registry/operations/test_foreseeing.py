"""A registration is thought through before its turn, and anew in it where something has changed meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from registry.errors import RegistryError
from registry.model import Level, Mode, Reference, Subject
from registry.operations import Candidate, Policy
from registry.operations.registration import ForeseenVersion, Register

pytestmark = pytest.mark.anyio

NARROW = '{"type":"record","name":"R","fields":[]}'
WIDE = '{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":0}]}'
OTHER = '{"type":"record","name":"R","fields":[{"name":"b","type":"int","default":0}]}'
TARGET = '{"type":"record","name":"T","fields":[]}'
POINTING = '{"type":"record","name":"R","fields":[{"name":"t","type":"T","default":{}}]}'
Meanwhile = Callable[[Any], Awaitable[object]]


async def nothing(_desk: Any) -> None:
    """What happens most often."""


async def foreseen(desk: Any, text: str = WIDE, references: tuple[Reference, ...] = ()) -> ForeseenVersion:
    candidate = Candidate(text, references=references)
    found = Register(desk.registry.versions._core, Subject.of("s"), candidate).foreseen(desk.registry.state)
    assert isinstance(found, ForeseenVersion)
    return found


@pytest.mark.parametrize(
    ("meanwhile", "version_and_id", "writes"),
    [
        pytest.param(nothing, (2, 3), True, id="nothing happened"),
        pytest.param(lambda desk: desk.put("other", OTHER), (2, 4), True, id="the id went to another schema"),
        pytest.param(lambda desk: desk.put("other", WIDE), (2, 3), True, id="another subject has the schema now"),
        pytest.param(lambda desk: desk.put("s", WIDE), (2, 3), False, id="the subject has the schema now"),
        pytest.param(lambda desk: desk.put("s", OTHER), (3, 4), True, id="the subject has another version now"),
        pytest.param(lambda desk: desk.delete("s"), (2, 3), True, id="the subject was deleted"),
        pytest.param(lambda desk: desk.erase("s"), (1, 3), True, id="the subject was deleted for good"),
    ],
)
async def test_what_happened_before_the_turn_decides_version_and_id(
    open_desk: Any, meanwhile: Meanwhile, version_and_id: tuple[int, int], writes: bool
) -> None:
    async with open_desk(Policy()) as desk:
        await desk.put("s", NARROW)
        await desk.put("t", TARGET)
        found = await foreseen(desk)
        await meanwhile(desk)
        decision = found.decide(desk.registry.state)
    assert ((decision.answer.version, decision.answer.id), bool(decision.records)) == (version_and_id, writes)


@pytest.mark.parametrize(
    ("meanwhile", "code"),
    [
        pytest.param(lambda desk: desk.switch("s", Mode.READONLY), 42205, id="the subject is read-only now"),
        pytest.param(lambda desk: desk.configure("s", compatibility_level=Level.FULL), 40901, id="a stricter level"),
        pytest.param(lambda desk: desk.delete("t"), 42201, id="what it refers to was deleted"),
    ],
)
async def test_what_happened_before_the_turn_may_refuse_it(open_desk: Any, meanwhile: Meanwhile, code: int) -> None:
    async with open_desk(Policy()) as desk:
        await desk.configure("s", compatibility_level=Level.NONE)
        await desk.put("s", '"int"')
        await desk.put("t", TARGET)
        found = await foreseen(desk, POINTING, (Reference("T", "t", 1),))
        await meanwhile(desk)
        with pytest.raises(RegistryError) as refusal:
            found.decide(desk.registry.state)
    assert refusal.value.code == code


async def test_a_version_that_the_same_turn_made_already_is_not_made_again(open_desk: Any) -> None:
    async with open_desk(Policy()) as desk:
        first, second = await foreseen(desk), await foreseen(desk)
        draft = desk.registry.state.draft()
        draft.apply(first.decide(draft).records)
        decision = second.decide(draft)
    assert (decision.answer.version, decision.answer.id, decision.records) == (1, 1, ())
