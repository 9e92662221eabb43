"""Checks passwords against bcrypt hashes, which takes a twentieth of a second of a core each and is meant to.

So it happens in few threads, of low priority where the system can do that; a wrong password is not checked twice; and
who guesses is made to wait, by network address, without regard to the names that are guessed: neither time nor limits
tell which users there are.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final, NamedTuple

import bcrypt
from cachetools import LRUCache, TTLCache

from registry.errors import TooManyFailures

THREADS: Final = 2
MAX_UNDER_WAY: Final = 64
MAX_UNDER_WAY_PER_ADDRESS: Final = 16
FAILURES_AT_ONCE: Final = 10
"""How many failures an address may have in a row; one more is allowed each second."""
MAX_ADDRESSES: Final = 10_000
MAX_REFUSED: Final = 10_000
REFUSED_SECONDS: Final = 10.0
"""How many wrong passwords are known to be wrong, and for how long."""
MAX_BYTES: Final = 72
"""bcrypt reads no more of a password, and neither does htpasswd."""


class Attempt(NamedTuple):
    """A password and the hash that it should fit.

    digest: stands for the name and the password; decoy: whether the hash is somebody else's, so that no password fits.
    """

    digest: bytes
    password: bytes
    hashed: bytes
    decoy: bool


@dataclass(slots=True)
class _Allowance:
    """How many failures are left to an address, as of a time."""

    left: float
    at: float

    def after(self, now: float) -> float:
        return min(FAILURES_AT_ONCE, self.left + now - self.at)


class Verifier:
    """Checks passwords, within limits."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """clock: seconds, monotonic."""
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS, "password", initializer=_step_back)
        self._refused: TTLCache[bytes, None] = TTLCache(MAX_REFUSED, REFUSED_SECONDS, timer=clock)
        self._allowances: LRUCache[str, _Allowance] = LRUCache(MAX_ADDRESSES)
        self._under_way: Counter[str] = Counter()

    def forget(self) -> None:
        """Take no password for wrong that was wrong before: the hashes have changed."""
        self._refused.clear()

    def close(self) -> None:
        """Check nothing any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def check(self, attempt: Attempt, address: str | None) -> Awaitable[bool]:
        """Whether an attempt is right.

        address: whose limits hold, None for none.

        Raises TooManyFailures at once.
        """
        if attempt.digest in self._refused:
            return _wrong()
        network = None if address is None else _network(address)
        if network is not None:
            self._check_limits(network)
        # Counted now and not when the check begins, or all that come at once would be let in.
        self._under_way[network or ""] += 1
        return self._check(attempt, network)

    def _check_limits(self, network: str) -> None:
        full = self._under_way.total() >= MAX_UNDER_WAY or self._under_way[network] >= MAX_UNDER_WAY_PER_ADDRESS
        allowance = self._allowances.get(network)
        if full or (allowance is not None and allowance.after(self._clock()) < 1):
            raise TooManyFailures

    async def _check(self, attempt: Attempt, network: str | None) -> bool:
        try:
            loop = asyncio.get_running_loop()
            right = await loop.run_in_executor(self._threads, _fits, attempt) and not attempt.decoy
        finally:
            self._under_way[network or ""] -= 1
            # An addition takes out the counts of nothing: addresses are chosen by others, and must not stay for ever.
            self._under_way += Counter()
        if not right:
            self._refused[attempt.digest] = None
            if network is not None:
                self._charge(network)
        return right

    def _charge(self, network: str) -> None:
        now = self._clock()
        allowance = self._allowances.get(network)
        left = allowance.after(now) if allowance else FAILURES_AT_ONCE
        # Below nothing too: those that were under way together are paid for one after the other.
        self._allowances[network] = _Allowance(left - 1, now)


async def _wrong() -> bool:
    return False


def _network(address: str) -> str:
    """The address, or of IPv6 the 64 bits that are given out together."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    # Proxies that listen to both kinds on one socket write IPv4 so; all of it is one network of IPv6.
    return str(parsed.ipv4_mapped or int(parsed) >> 64)


def _fits(attempt: Attempt) -> bool:
    try:
        return bcrypt.checkpw(attempt.password[:MAX_BYTES], attempt.hashed)
    except ValueError:
        return False


def _step_back() -> None:
    """Let a thread work only when no other thread of the system would."""
    # Elsewhere the number of a thread may be the number of some process.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
