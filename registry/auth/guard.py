"""Tells who is asking: users and grants from their files, read anew when these change, and credentials verified once.

A verified credential is remembered as a keyed hash of its header, never as such. What a caller was taken for holds only
while the users file still holds the hash that the password was verified against.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from hashlib import blake2b
from os import urandom
from pathlib import Path
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from cachetools import LRUCache
from msgspec import Struct

from registry.auth.caller import ANYBODY, Caller
from registry.auth.credentials import read_credentials
from registry.auth.grants import read_grants
from registry.auth.permissions import EVERYTHING_ALLOWED
from registry.auth.users import Users, read_users
from registry.auth.verification import Attempt, Verifier
from registry.errors import SettingInvalid, Unauthenticated

MAX_VERIFIED: Final = 10_000
VERIFIED_SECONDS: Final = 3600.0
"""How long a credential counts as verified; then its password is checked once more."""
WATCH_SECONDS: Final = 1.0
"""How often the files are looked at."""

log = logging.getLogger("signet")
Content = TypeVar("Content")


class Guard(Protocol):
    """Tells who is asking."""

    def known(self, header: bytes | None) -> Caller | None:
        """Who sent an Authorization header, if that is known without any waiting."""
        ...

    async def admit(self, header: bytes | None, address: str) -> Caller:
        """Who sent an Authorization header from an address.

        Raises Unauthenticated, and TooManyFailures when passwords from that address are not checked for now.
        """
        ...

    def vouches_for(self, caller: Caller) -> bool:
        """Whether a caller who was let in a while ago still is who they were taken for, and may do what they might."""
        ...

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Notice changes of what the guard goes by, for as long as the context is open."""
        ...


class Unguarded:
    """Lets anybody in."""

    def known(self, _header: bytes | None) -> Caller:
        """Anybody."""
        return ANYBODY

    async def admit(self, _header: bytes | None, _address: str) -> Caller:
        """Anybody."""
        return ANYBODY

    def vouches_for(self, _caller: Caller) -> bool:
        """For anybody."""
        return True

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Nothing to notice."""
        return nullcontext()


class Watched(Generic[Content]):
    """A file whose content is read anew when it changes; as long as it is broken the last good content stays."""

    def __init__(self, path: Path, read: Callable[[Path], Content]) -> None:
        """Read the file; raises SettingInvalid."""
        self._path = path
        self._read = read
        self._seen = self._mark()
        self.content = read(path)

    def _mark(self) -> tuple[int, ...]:
        try:
            status = self._path.stat()
        except OSError:
            return ()
        # The inode too: an editor writes another file of the same second and size in its place.
        return status.st_mtime_ns, status.st_size, status.st_ino

    def refresh(self) -> bool:
        """Read the file if it has changed, and tell whether there is new content; what is wrong is logged once."""
        mark = self._mark()
        if mark == self._seen:
            return False
        # Even if it turns out to be broken, so that a fault is told once and not every second.
        self._seen = mark
        try:
            self.content = self._read(self._path)
        except SettingInvalid as error:
            log.error("%s; what was read before stays in force", error)
            return False
        log.info("%s was read anew", self._path)
        return True


class _Account(NamedTuple):
    hashed: bytes
    caller: Caller


class _Verified(Struct, frozen=True):
    user: str
    hashed: bytes
    until: float


class PasswordGuard:
    """A guard that knows users by their passwords."""

    def __init__(self, users_file: Path, grants_file: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the files; without grants every user may do everything.

        clock: seconds, monotonic. Raises SettingInvalid for the first thing in the files that does not hold.
        """
        self._users: Watched[Users] = Watched(users_file, read_users)
        self._grants = None if grants_file is None else Watched(grants_file, read_grants)
        self._clock = clock
        # Made anew in each process, so that what is remembered is of no use outside it.
        self._key = urandom(32)
        self._verified: LRUCache[bytes, _Verified] = LRUCache(MAX_VERIFIED)
        self._under_way: dict[bytes, asyncio.Task[None]] = {}
        self._verifier = Verifier(clock)
        self._accounts: Mapping[str, _Account] = {}
        self._settle()

    def known(self, header: bytes | None) -> Caller | None:
        """Who sent a header that was verified before, if that still holds."""
        if header is None:
            return None
        try:
            verified = self._verified[self._digest(header)]
        except KeyError:
            return None
        account = self._accounts.get(verified.user)
        # A password that was changed, or a user who was taken out, ends what was verified before.
        if account is None or account.hashed != verified.hashed or self._clock() >= verified.until:
            return None
        return account.caller

    async def admit(self, header: bytes | None, address: str) -> Caller:
        """Who sent a header: known, or verified now, once for all that ask at the same time."""
        credentials = read_credentials(header)
        assert header is not None
        digest = self._digest(header)
        if (caller := self.known(header)) is not None:
            return caller
        flight = self._under_way.get(digest)
        if flight is None:
            # What was right before is most likely right again, and must not wait behind those who guess.
            guess = digest not in self._verified
            attempt = Attempt(digest, credentials.password, *self._hash_of(credentials.user))
            check = self._verifier.check(attempt, address if guess else None)
            flight = asyncio.create_task(self._verify(credentials.user, attempt, check))
            self._under_way[digest] = flight
            flight.add_done_callback(lambda _: self._under_way.pop(digest, None))
        # One of those who share it may leave, and must not end it for the others.
        await asyncio.shield(flight)
        # Asked anew, because the files may have changed meanwhile.
        if (caller := self.known(header)) is None:
            raise Unauthenticated
        return caller

    def vouches_for(self, caller: Caller) -> bool:
        """Whether nothing was read anew since a caller was let in."""
        account = self._accounts.get(caller.user or "")
        return account is not None and account.caller is caller

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Read the files anew whenever they change, for as long as the context is open."""
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watch.cancel()
            self._verifier.close()

    async def refresh(self) -> None:
        """Look at the files now."""
        if await asyncio.to_thread(self._read_anew):
            self._settle()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            await self.refresh()

    def _read_anew(self) -> bool:
        users_changed = self._users.refresh()
        return (self._grants is not None and self._grants.refresh()) or users_changed

    def _settle(self) -> None:
        users = self._users.content
        if self._grants is None:
            permissions = dict.fromkeys(users, EVERYTHING_ALLOWED)
        else:
            permissions = self._grants.content.permissions(users)
            for name in self._grants.content.unknown(users):
                log.warning("the grants file names '%s', who is not in the users file", name)
        self._accounts = {user: _Account(hashed, Caller(user, permissions[user])) for user, hashed in users.items()}
        self._verifier.forget()

    async def _verify(self, user: str, attempt: Attempt, check: Awaitable[bool]) -> None:
        if await check:
            self._verified[attempt.digest] = _Verified(user, attempt.hashed, self._clock() + VERIFIED_SECONDS)
        else:
            self._verified.pop(attempt.digest, None)

    def _hash_of(self, user: str) -> tuple[bytes, bool]:
        """The hash of a user and False; of an unknown one somebody else's, always the same one, and True."""
        account = self._accounts.get(user)
        if account is not None:
            return account.hashed, False
        # So an unknown user takes the time of a known one, whatever their hashes cost.
        hashes = [other.hashed for other in self._accounts.values()]
        return hashes[int.from_bytes(self._digest(user.encode())) % len(hashes)], True

    def _digest(self, content: bytes) -> bytes:
        return blake2b(content, digest_size=16, key=self._key).digest()
