"""Contexts: which there are, and removing an empty one."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from registry.errors import ContextNotEmpty
from registry.model import Subject
from registry.operations.core import Core
from registry.operations.requests import Page, Plan
from registry.records import ContextKey, Record
from registry.state import State
from registry.writer import Decision


class Contexts:
    """What can be asked of contexts, and deleting one."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def list(self, prefix: str, page: Page) -> Sequence[str]:
        """The names of the contexts with a prefix, the default one (`.`) first."""
        state = await self._core.current()
        names = [name for name in state.contexts() if name.startswith(prefix)]
        return self._core.policy.context_limits.slice(names, page)

    async def delete(self, context: str, *, dry_run: bool = False) -> Plan | None:
        """Forget a context without subjects; one that is not known is no error.

        Raises ContextNotEmpty when any version is left in it, soft-deleted or not.
        """
        return await self._core.carry_out(DeleteContext(context), dry_run)


class DeleteContext(Struct, frozen=True):
    """Forget a context."""

    context: str

    def decide(self, state: State) -> Decision[None]:
        """Raise ContextNotEmpty."""
        scope = Subject(self.context, "")
        if any(subject.context == self.context for subject in state.subjects()):
            raise ContextNotEmpty(scope.prefix)
        known = self.context in state.contexts()[1:]
        return Decision(None, (Record(ContextKey(self.context), None),) if known else ())
