"""Which names a subject may have, and which subjects a prefix means.

Follows Confluent's REST API: contexts and subject names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from registry.errors import InvalidSubject
from registry.model import GLOBAL_CONTEXT, Subject

EVERY_CONTEXT: Final = ":*:"
RESERVED_NAMES: Final = frozenset({"__GLOBAL", "__EMPTY"})
EVERYBODYS_NAMES: Final = frozenset({"", "*"})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_subject(subject: Subject, *, empty_allowed: bool = True, global_allowed: bool = False) -> None:
    """Refuse a name that no subject may have.

    empty_allowed: whether the empty name and `*` may be used; global_allowed: whether the context of all contexts may
    be named (for config and mode).

    Raises InvalidSubject.
    """
    text = str(subject)
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
    if prefix.startswith(":.") and not prefix.startswith(":.:"):
        return lambda name: name.startswith(prefix)
    here = prefix.removeprefix(":.:")
    return lambda name: name.startswith(here) and not name.startswith(":.")
