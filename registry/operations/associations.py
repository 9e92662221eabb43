"""Associations of Kafka resources with subjects, as other registries left them in the log.

Follows Confluent's associations API, the reading half of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from registry.model import Association, Subject
from registry.operations.core import Core
from registry.operations.requests import Bound, BoundFilter, Page
from registry.state import State

ANY = "-"
"""A resource name or namespace that stands for all."""


class Associations:
    """What can be asked of associations."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def of_subject(self, subject: Subject, wanted: BoundFilter, page: Page) -> Sequence[Bound]:
        """The associations of a subject."""
        return await self._page(wanted, page, lambda association: association.subject == subject)

    async def of_resource(self, namespace: str, name: str, wanted: BoundFilter, page: Page) -> Sequence[Bound]:
        """The associations of a resource; `-` means any name, or any namespace."""
        return await self._page(wanted, page, lambda association: _names(association, namespace, name))

    async def of_resource_id(self, resource_id: str, wanted: BoundFilter, page: Page) -> Sequence[Bound]:
        """The associations of the resource with this id."""
        return await self._page(wanted, page, lambda association: association.resource_id == resource_id)

    async def _page(self, wanted: BoundFilter, page: Page, is_meant: Callable[[Association], bool]) -> Sequence[Bound]:
        state = await self._core.current()
        found = [bound for bound in bound_to(state, wanted) if is_meant(bound.association)]
        return self._core.policy.schema_limits.slice(found, page)


def bound_to(state: State, wanted: BoundFilter) -> list[Bound]:
    """The associations that a filter lets through, in order of resource, type and subject."""
    found = [Bound(*kept) for kept in state.associations() if _wanted(kept[0], wanted)]
    return sorted(found, key=lambda bound: _order(bound.association))


def _wanted(association: Association, wanted: BoundFilter) -> bool:
    return (
        wanted.resource_type in (None, association.resource_type)
        and wanted.lifecycle in (None, association.lifecycle)
        and (not wanted.association_types or association.association_type in wanted.association_types)
    )


def _names(association: Association, namespace: str, name: str) -> bool:
    return namespace in (ANY, association.resource_namespace) and name in (ANY, association.resource_name)


def _order(association: Association) -> tuple[str, ...]:
    return (
        association.resource_name,
        association.resource_namespace,
        association.resource_type,
        association.association_type,
        str(association.subject),
    )
