"""Which names a subject may have, and which subjects a prefix means.

Follows Confluent's REST API: contexts and subject names.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Final

from registry.errors import InvalidSubject
from registry.model import GLOBAL_CONTEXT, Subject
from registry.names import Named

EVERY_CONTEXT: Final = ":*:"
RESERVED_NAMES: Final = frozenset({"__GLOBAL", "__EMPTY"})
EVERYBODYS_NAMES: Final = frozenset({"", "*"})
OF_OTHER_CONTEXTS: Final = ":."
"""What the names of subjects outside the default context begin with, as clients write them."""
PIECE_NAMES: Final = 256
"""How many names are told at a time."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_subject(subject: Subject, *, empty_allowed: bool = True, global_allowed: bool = False) -> None:
    """Refuse a name that no subject may have.

    empty_allowed: whether the empty name and `*` may be used; global_allowed: whether the context of all contexts may
    be named (for config and mode).

    Raises InvalidSubject.
    """
    text = str(subject)
    # Confluent keeps these names for itself: they stand for a context, or for its empty name.
    reserved = subject.name in RESERVED_NAMES or (subject.context == GLOBAL_CONTEXT and not global_allowed)
    everybody = subject.name in EVERYBODYS_NAMES and not empty_allowed
    if reserved or everybody or _CONTROL.search(text):
        raise InvalidSubject(text)


def of_prefix(prefix: str) -> Callable[[str], bool]:
    """Tells whether the name of a subject, as clients write it, belongs to a prefix.

    `:*:foo` means foo in every context, `:.ctx:foo` foo in that one; without a context it means the default one, so
    that the empty prefix is the default context.
    """
    if prefix.startswith(EVERY_CONTEXT):
        anywhere = prefix.removeprefix(EVERY_CONTEXT)
        return lambda name: Subject.of(name).name.startswith(anywhere)
    if prefix.startswith(OF_OTHER_CONTEXTS) and not prefix.startswith(":.:"):
        return lambda name: name.startswith(prefix)
    here = prefix.removeprefix(":.:")
    return lambda name: name.startswith(here) and not name.startswith(OF_OTHER_CONTEXTS)


def in_pieces(prefix: str, named: Sequence[Named]) -> Iterator[Sequence[Named]]:
    """The subjects that belong to a prefix, out of all in order of their names, a piece at a time.

    Where they stand together they are found without a look at each.
    """
    if prefix.startswith(OF_OTHER_CONTEXTS) and not prefix.startswith(":.:"):
        yield from _cut(named, _beginning_with(prefix, named))
        return
    everywhere = prefix.startswith(EVERY_CONTEXT)
    text = prefix.removeprefix(EVERY_CONTEXT if everywhere else ":.:")
    # Names of other contexts begin with a colon, and stand together somewhere among those of the default one.
    here, others = _beginning_with(text, named), _beginning_with(OF_OTHER_CONTEXTS, named)
    yield from _cut(named, range(here.start, min(here.stop, others.start)))
    if everywhere:
        is_wanted = of_prefix(prefix)
        for piece in _cut(named, others):
            yield [one for one in piece if is_wanted(one[0])] if text else piece
    yield from _cut(named, range(max(here.start, others.stop), here.stop))


def _beginning_with(text: str, named: Sequence[Named]) -> range:
    """Where the names stand that begin with a text."""
    start = bisect_left(named, text, key=itemgetter(0))
    return range(start, bisect_right(named, text, start, key=lambda one: one[0][: len(text)]))


def _cut(named: Sequence[Named], places: range) -> Iterator[Sequence[Named]]:
    for start in range(places.start, places.stop, PIECE_NAMES):
        yield named[start : min(start + PIECE_NAMES, places.stop)]
