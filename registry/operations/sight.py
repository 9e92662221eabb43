"""The registry as one of its users sees it: what they may not read is not there.

Every question that an operation asks of the state goes through here when its caller does not see everything, so that
lists, ids, GUIDs, references and the search through other contexts have one border and not one each. Decisions about
changes are made twice: on what the caller sees, then by the writer on all that is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from registry.marks import Marks
from registry.model import Association, Config, Mode, Subject
from registry.names import Named
from registry.rows import Holding, Row
from registry.state import State


class Sight(Protocol):
    """What somebody may read."""

    @property
    def sees_everything(self) -> bool:
        """Whether nothing is hidden."""
        ...

    def sees(self, subject: Subject) -> bool:
        """Whether a subject may be read."""
        ...

    def sees_context(self, context: str) -> bool:
        """Whether any subject of a context may be read, if there is one."""
        ...


class _Everything:
    sees_everything: Final = True

    def sees(self, _subject: Subject) -> bool:
        return True

    def sees_context(self, _context: str) -> bool:
        return True


EVERYTHING_SEEN: Final[Sight] = _Everything()


def seen(state: State, sight: Sight) -> State:
    """A state as somebody sees it."""
    return state if sight.sees_everything else SeenState(state, sight)


class SeenState(State):
    """The visible part of a state, as of now: it answers the questions of a state, and takes no records.

    It has no tables of its own, so that a question which is not overridden here fails instead of telling all.
    """

    def __init__(self, whole: State, sight: Sight) -> None:
        """Show what a sight lets through; the constructor of State, which makes tables, is not wanted here."""
        self._whole = whole
        self._sight = sight
        self.position = whole.position
        self.settings_stamp = whole.settings_stamp

    # Questions about subjects and versions.

    def subjects(self) -> Iterator[Subject]:
        """Every visible subject that has a row."""
        return filter(self._sight.sees, self._whole.subjects())

    def names(self, prefix: str) -> Iterator[Sequence[Named]]:
        """The visible subjects of a prefix, with their names, a piece at a time."""
        sees = self._sight.sees
        return ([named for named in piece if sees(named[1])] for piece in self._whole.names(prefix))

    def marks(self) -> Marks:
        """The subjects that lists treat unlike the others; whoever asks looks for those that are visible."""
        return self._whole.marks()

    def subjects_in_scope(self, scope: Subject) -> Iterator[Subject]:
        """The visible subjects of a scope."""
        return filter(self._sight.sees, self._whole.subjects_in_scope(scope))

    def rows(self, subject: Subject) -> tuple[Row, ...]:
        """All versions of a subject, none if it is hidden."""
        return self._whole.rows(subject) if self._sight.sees(subject) else ()

    def rows_of(self, subjects: Iterable[Subject]) -> list[tuple[Subject, tuple[Row, ...]]]:
        """The visible ones among some subjects with their rows."""
        return self._whole.rows_of(filter(self._sight.sees, subjects))

    def referrers(self, subject: Subject, version: int) -> Iterator[tuple[Subject, Row]]:
        """The visible versions whose schema refers to this one."""
        return self._visible(self._whole.referrers(subject, version))

    # Questions about ids and GUIDs.

    def holding(self, context: str, number: int) -> Holding | None:
        """What an id means in a context, while any visible row holds it."""
        return self._whole.holding(context, number) if any(self.holders(context, number)) else None

    def holders(self, context: str, number: int) -> Iterator[tuple[Subject, Row]]:
        """The visible versions that hold an id."""
        return self._visible(self._whole.holders(context, number))

    def all_holders(self, context: str, number: int) -> Iterator[Sequence[tuple[Subject, Row]]]:
        """The same a piece at a time, as of now."""
        return (list(self._visible(piece)) for piece in self._whole.all_holders(context, number))

    def ids_of_guid(self, context: str, guid: bytes) -> tuple[int, ...]:
        """The ids of a GUID that visible versions hold."""
        bound = self._whole.ids_of_guid(context, guid)
        return tuple(number for number in bound if any(self.holders(context, number)))

    def highest_id(self, context: str) -> int:
        """The highest id ever given out in a visible context, 0 in a hidden one."""
        return self._whole.highest_id(context) if self._sight.sees_context(context) else 0

    def _visible(self, found: Iterable[tuple[Subject, Row]]) -> Iterator[tuple[Subject, Row]]:
        return (holder for holder in found if self._sight.sees(holder[0]))

    # Questions about contexts, configs, modes and associations.

    def contexts(self) -> list[str]:
        """The visible contexts; the default one is there in any case."""
        first, *others = self._whole.contexts()
        return [first, *filter(self._sight.sees_context, others)]

    def has_context(self, context: str) -> bool:
        """Whether the context is known."""
        return self._whole.has_context(context)

    # What is in force for a visible subject depends on what is set around it; routes check who asks for one config.

    def config(self, subject: Subject) -> Config | None:
        """The config set for exactly this subject, context or the whole registry."""
        return self._whole.config(subject)

    def configs_above(self, subject: Subject) -> tuple[Config | None, Config | None, Config | None, Config | None]:
        """The configs set for a subject, its context, all contexts, and the whole registry."""
        return self._whole.configs_above(subject)

    def modes_above(self, subject: Subject) -> tuple[Mode | None, Mode | None, Mode | None]:
        """The modes set for a subject, its context, and all contexts."""
        return self._whole.modes_above(subject)

    def mode(self, subject: Subject) -> Mode | None:
        """The mode set for exactly this subject, context or the whole registry."""
        return self._whole.mode(subject)

    def configs(self) -> Iterator[tuple[Subject, Config]]:
        """Every config of a visible subject."""
        return (kept for kept in self._whole.configs() if self._sight.sees(kept[0]))

    def modes(self) -> Iterator[tuple[Subject, Mode]]:
        """Every mode of a visible subject."""
        return (kept for kept in self._whole.modes() if self._sight.sees(kept[0]))

    def modes_within(self, scope: Subject) -> list[Subject]:
        """The visible subjects of a context that have a mode of their own."""
        return list(filter(self._sight.sees, self._whole.modes_within(scope)))

    def associations(self) -> Iterator[tuple[Association, int, int]]:
        """Every association of a visible subject."""
        return (kept for kept in self._whole.associations() if self._sight.sees(kept[0].subject))
