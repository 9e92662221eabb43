"""Subjects that lists treat unlike the others, noted as their versions change, so that no list looks into all of them.

Refuses to know what else a version says.
"""

from __future__ import annotations

from collections.abc import Sequence

from registry.model import Subject


class Marks:
    """The marked subjects of a table.

    thinned: some of their versions are soft-deleted; lifeless: all of them are; ruled: some may have rules, those of
    which one had are among them.
    """

    def __init__(self) -> None:
        self.thinned: set[Subject] = set()
        self.lifeless: set[Subject] = set()
        self.ruled: set[Subject] = set()

    def note(self, subject: Subject, deleted: Sequence[bool]) -> None:
        """Note which versions of a subject are soft-deleted."""
        for marked, belongs in ((self.thinned, any(deleted)), (self.lifeless, all(deleted))):
            (marked.add if belongs else marked.discard)(subject)

    def forget(self, subject: Subject) -> None:
        """Note that a subject has no versions any more."""
        for marked in (self.thinned, self.lifeless, self.ruled):
            marked.discard(subject)
