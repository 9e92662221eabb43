"""The users file: lines as `htpasswd -B` writes them, `name:bcrypt hash`.

Refuses every other kind of hash with one sentence that names the user and what to do, and never shows a hash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from registry.errors import SettingInvalid

MAX_COST: Final = 16
"""A hash of a higher cost takes more than four seconds to check."""
_BCRYPT: Final = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
# A colon ends the name in a header, so that nobody could send a name that has one.
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f:]{1,255}")

Users = Mapping[str, bytes]
"""The bcrypt hash of each user's password, by name."""


def read_users(path: Path) -> Users:
    """Read a users file; empty lines, and lines that begin with `#`, do not count.

    Raises SettingInvalid with the first thing that is wrong.
    """
    users: dict[str, bytes] = {}
    for number, line in enumerate(read_text(path, "users").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, hashed = line.strip().partition(":")
        if not colon or not _NAME.fullmatch(name):
            raise SettingInvalid(f"Line {number} of the users file {path} is not of the form NAME:HASH")
        # Whichever of the two counted, somebody would be surprised.
        if name in users:
            raise SettingInvalid(f"The users file {path} names the user '{name}' twice")
        bcrypt = _BCRYPT.fullmatch(hashed)
        if bcrypt is None:
            raise SettingInvalid(
                f"The password of the user '{name}' in {path} is not hashed with bcrypt; set it anew with: "
                f"htpasswd -B {path} {name}"
            )
        if not 4 <= int(bcrypt[1]) <= MAX_COST:
            raise SettingInvalid(f"The hash of the user '{name}' in {path} has a cost that is not from 4 to {MAX_COST}")
        users[name] = hashed.encode()
    # Not taken for one that lets nobody in: a file that was emptied by mistake would shut everybody out.
    if not users:
        raise SettingInvalid(f"The users file {path} names no user; add one with: htpasswd -B {path} NAME")
    return users


def read_text(path: Path, kind: str) -> str:
    """The text of a file of this kind.

    Raises SettingInvalid when it cannot be read or is not UTF-8.
    """
    try:
        # Editors of Windows put a mark before the text, which would be part of the first name.
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise SettingInvalid(f"Cannot read the {kind} file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingInvalid(f"The {kind} file {path} is not UTF-8") from None
