"""Contexts: when they appear, how they are listed, and when they go (sections 1.9 and 3.11)."""

from __future__ import annotations

from typing import Any

import pytest

from registry.model import Mode, Subject
from registry.operations import Page

pytestmark = pytest.mark.anyio


async def contexts(desk: Any, prefix: str = "", page: Page | None = None) -> list[str]:
    return list(await desk.registry.contexts.list(prefix, page or Page()))


async def test_there_is_always_the_default_context(desk: Any) -> None:
    assert await contexts(desk) == ["."]


async def test_a_context_appears_with_its_first_schema_and_stays(desk: Any) -> None:
    await desk.configure(":.x:", alias="t")
    await desk.switch(":.x:", Mode.READWRITE)
    assert await contexts(desk) == ["."]
    await desk.put(":.x:s")
    await desk.erase(":.x:s")
    assert await contexts(desk) == [".", ".x"]


async def test_contexts_are_listed_in_order_by_prefix_and_in_pages(desk: Any) -> None:
    for name in ("prod", "dev", "prod2"):
        await desk.put(f":.{name}:s")
    assert await contexts(desk) == [".", ".dev", ".prod", ".prod2"]
    assert await contexts(desk, ".prod") == [".prod", ".prod2"]
    assert await contexts(desk, ".prod", Page(1, 5)) == [".prod2"]
    assert await contexts(desk, "", Page(1, 2)) == [".dev", ".prod"]


async def test_a_context_with_subjects_is_not_deleted(desk: Any) -> None:
    refused = (42211, "The specified context ':.x:' is not empty.")
    await desk.put(":.x:s")
    assert await desk.refusal(desk.registry.contexts.delete(".x")) == refused
    await desk.delete(":.x:s")
    assert await desk.refusal(desk.registry.contexts.delete(".x")) == refused


async def test_an_empty_context_is_deleted_and_its_settings_stay(desk: Any) -> None:
    await desk.configure(":.x:", alias="t")
    await desk.put(":.x:s")
    await desk.erase(":.x:s")
    assert await desk.registry.contexts.delete(".x") is None
    assert (await contexts(desk), (await desk.registry.config.get(Subject.of(":.x:"))).alias) == (["."], "t")


async def test_deleting_an_unknown_or_the_default_context_changes_nothing(desk: Any) -> None:
    await desk.registry.contexts.delete(".nowhere")
    await desk.registry.contexts.delete(".")
    assert (desk.position, await contexts(desk)) == (0, ["."])


async def test_a_context_comes_back_with_ids_that_were_never_used(desk: Any) -> None:
    await desk.put(":.x:s")
    await desk.erase(":.x:s")
    await desk.registry.contexts.delete(".x")
    assert (await desk.put(":.x:s", '"long"')).id == 2
    assert await contexts(desk) == [".", ".x"]


async def test_one_subject_has_two_names_in_the_default_context(desk: Any) -> None:
    await desk.put(":.:s")
    assert (await desk.put("s")).version == 1
    assert str((await desk.get(":.:s")).subject) == "s"
