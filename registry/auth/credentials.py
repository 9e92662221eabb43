"""What an Authorization header says: HTTP Basic (RFC 7617), UTF-8, and nothing else."""

from __future__ import annotations

import binascii
from typing import Final, NamedTuple

from registry.errors import Unauthenticated

MAX_HEADER_BYTES: Final = 4096
SEVERAL: Final = b"\n"
"""Stands between the values of several headers: no value can hold it."""


class Credentials(NamedTuple):
    """A name and a password, as they were sent."""

    user: str
    password: bytes


def read_credentials(header: bytes | None) -> Credentials:
    """Read an Authorization header, None if there is none.

    Raises Unauthenticated, which says what is wrong with its form and nothing of what it holds.
    """
    if header is None:
        raise Unauthenticated
    if SEVERAL in header:
        raise Unauthenticated("there is more than one Authorization header")
    if len(header) > MAX_HEADER_BYTES:
        raise Unauthenticated(f"the Authorization header is longer than {MAX_HEADER_BYTES} bytes")
    scheme, _, token = header.strip().partition(b" ")
    if scheme.lower() != b"basic":
        raise Unauthenticated("only Basic authentication is offered")
    try:
        user, colon, password = binascii.a2b_base64(token.strip(), strict_mode=True).partition(b":")
        name, _ = user.decode("utf-8"), password.decode("utf-8")
    except binascii.Error:
        raise Unauthenticated("the credentials are not base64") from None
    except UnicodeDecodeError:
        raise Unauthenticated("the credentials are not UTF-8") from None
    if not colon:
        raise Unauthenticated("the credentials have no colon between user and password")
    return Credentials(name, password)
