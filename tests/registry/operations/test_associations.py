"""Associations that other registries left in the log: found by subject, resource and id (section 1.10)."""

from __future__ import annotations

from typing import Any

import pytest

from registry.model import Association, Reference, Subject
from registry.operations import BoundFilter, Page
from registry.records import AssociationKey, Record

pytestmark = pytest.mark.anyio

ANY = BoundFilter()


def bound(name: str, namespace: str, kind: str, lifecycle: str, subject: str = "s") -> Record:
    place = Subject.of(subject)
    association = Association(f"g-{name}", name, namespace, f"id-{name}", "topic", kind, place, lifecycle, False)
    return Record(AssociationKey(name, namespace, "topic", kind, place), association)


@pytest.fixture
async def office(desk: Any) -> Any:
    await desk.append(
        bound("b", "n1", "value", "WEAK"),
        bound("a", "n2", "value", "STRONG", "t"),
        bound("a", "n1", "value", "WEAK"),
        bound("a", "n1", "key", "WEAK"),
    )
    return desk


def names(found: Any) -> list[str]:
    return [
        f"{one.association.resource_name}/{one.association.resource_namespace}/{one.association.association_type}"
        for one in found
    ]


async def test_the_associations_of_a_subject_come_by_resource_and_type(office: Any) -> None:
    found = await office.registry.associations.of_subject(Subject.of("s"), ANY, Page())
    assert names(found) == ["a/n1/key", "a/n1/value", "b/n1/value"]
    assert [(one.created_ms, one.updated_ms) for one in found] == [(1000, 1000)] * 3


FILTERS = [
    (BoundFilter("topic"), 3),
    (BoundFilter("table"), 0),
    (BoundFilter(association_types=("key",)), 1),
    (BoundFilter(association_types=("key", "value")), 3),
    (BoundFilter(lifecycle="WEAK"), 3),
    (BoundFilter(lifecycle="STRONG"), 0),
]


@pytest.mark.parametrize(("wanted", "count"), FILTERS)
async def test_associations_are_chosen_by_type_and_lifecycle(office: Any, wanted: BoundFilter, count: int) -> None:
    assert len(await office.registry.associations.of_subject(Subject.of("s"), wanted, Page())) == count


RESOURCES = [
    ("n1", "a", ["a/n1/key", "a/n1/value"]),
    ("n1", "-", ["a/n1/key", "a/n1/value", "b/n1/value"]),
    ("-", "-", ["a/n1/key", "a/n1/value", "a/n2/value", "b/n1/value"]),
    ("-", "a", ["a/n1/key", "a/n1/value", "a/n2/value"]),
    ("n3", "a", []),
    ("n2", "-", ["a/n2/value"]),
]


@pytest.mark.parametrize(("namespace", "name", "found"), RESOURCES)
async def test_a_dash_means_any_name_or_any_namespace(office: Any, namespace: str, name: str, found: list[str]) -> None:
    assert names(await office.registry.associations.of_resource(namespace, name, ANY, Page())) == found


async def test_the_associations_of_a_resource_id_come_in_pages(office: Any) -> None:
    assert names(await office.registry.associations.of_resource_id("id-a", ANY, Page(1, 1))) == ["a/n1/value"]
    assert names(await office.registry.associations.of_resource_id("id-z", ANY, Page())) == []


async def test_a_subject_with_a_strong_association_is_not_referred_to(office: Any) -> None:
    for name in ("s", "t"):
        await office.put(name, '{"type":"fixed","name":"F","size":4}')
    await office.put("u", '"F"', references=(Reference("F", "s", 1),))
    assert await office.refusal(office.put("u", '"F"', references=(Reference("F", "t", 1),))) == (
        42205,
        "Subject 't' has a strong association and cannot be referenced",
    )
