"""The one on whose behalf a request is answered: a name, if users are known at all, and permissions."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from registry.auth.needs import Need, Place
from registry.auth.permissions import EVERYTHING_ALLOWED, Permissions, Right
from registry.errors import AccessDenied
from registry.model import DEFAULT_CONTEXT, GLOBAL_CONTEXT, Subject


class Caller(Struct, frozen=True):
    """Who asks, and what they may do; `user` is None where anybody may ask."""

    user: str | None
    permissions: Permissions

    def check(self, need: Need, place: str = "") -> None:
        """Let a request pass that needs a right at a place: a subject, or a context as `:.context:`.

        Raises AccessDenied.
        """
        if need.right is None or self.permissions.allow_everything(need.right):
            return
        if not self._has(need.right, need.place, Subject.of(place)):
            raise AccessDenied(need.right.name.capitalize(), place or None)

    def _has(self, right: Right, place: Place, subject: Subject) -> bool:
        permissions = self.permissions
        if place is Place.EVERYTHING or subject.context == GLOBAL_CONTEXT:
            return False
        if place is Place.SUBJECT:
            return permissions.allow(right, subject)
        # Settings of a subject are the subject's; with an empty name they are those of a context, and those of the
        # default context hold, where nothing nearer is set, for the whole registry.
        if place is Place.SETTINGS and subject.name:
            return permissions.allow(right, subject)
        if right is Right.READ:
            return permissions.sees_context(subject.context)
        return subject.context != DEFAULT_CONTEXT and permissions.allow_context(right, subject.context)


ANYBODY: Final = Caller(None, EVERYTHING_ALLOWED)
"""Whoever asks, where users are not known."""
NOBODY: Final = Caller(None, Permissions(()))
"""Whoever asks without a name for what is open to all, where users are known."""
