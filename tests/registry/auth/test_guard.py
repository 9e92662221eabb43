"""Who is asking: headers, passwords checked once, files read anew, and what guessing costs."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from time import process_time

import bcrypt
import pytest

from registry.auth import PasswordGuard
from registry.auth.guard import VERIFIED_SECONDS, WATCH_SECONDS
from registry.auth.verification import FAILURES_AT_ONCE, MAX_UNDER_WAY, MAX_UNDER_WAY_PER_ADDRESS, REFUSED_SECONDS
from registry.errors import RegistryError, TooManyFailures, Unauthenticated


def hashed(password: str, cost: int = 4) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


def basic(user: str, password: str) -> bytes:
    return b"Basic " + b64encode(f"{user}:{password}".encode())


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def users(tmp_path: Path) -> Path:
    file = tmp_path / "users"
    file.write_text(f"ana:{hashed('secret')}\nben:{hashed('pässword')}\n")
    return file


@pytest.fixture
def guard(users: Path, clock: Clock) -> PasswordGuard:
    return PasswordGuard(users, None, clock)


def enter(
    guard: PasswordGuard, *headers: bytes | None, address: str = "10.0.0.1"
) -> list[str | type[Exception] | None]:
    """Ask with headers at the same time: the user that each is taken for, or how it is refused."""

    async def one(header: bytes | None) -> str | type[Exception] | None:
        try:
            return (await guard.admit(header, address)).user
        except RegistryError as refusal:
            return type(refusal)

    async def all_of_them() -> list[str | type[Exception] | None]:
        return await asyncio.gather(*map(one, headers))

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "Unauthorized"),
        (basic("ana", "wrong"), "Unauthorized"),
        (basic("nobody", "secret"), "Unauthorized"),
        (basic("", ""), "Unauthorized"),
        (basic("ana", ""), "Unauthorized"),
        (basic("ana", "secret\0x"), "Unauthorized"),
        (b"", "Unauthorized: only Basic authentication is offered"),
        (b"Bearer abc", "Unauthorized: only Basic authentication is offered"),
        (b"Basic", "Unauthorized: the credentials have no colon between user and password"),
        (b"Basic " + b64encode(b"ana"), "Unauthorized: the credentials have no colon between user and password"),
        (b"Basic !!!", "Unauthorized: the credentials are not base64"),
        (basic("ana", "secret") + b"=", "Unauthorized: the credentials are not base64"),
        (b"Basic " + b64encode(b"ana:\xff"), "Unauthorized: the credentials are not UTF-8"),
        (b"Basic " + b"A" * 10240, "Unauthorized: the Authorization header is longer than 4096 bytes"),
        (basic("ana", "secret") + b"\n" + basic("ana", "secret"), "Unauthorized: there is more than one Authorization"),
    ],
)
def test_what_tells_nobody_is_refused_with_a_sentence(guard: PasswordGuard, header: bytes | None, message: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        asyncio.run(guard.admit(header, "10.0.0.1"))
    assert refusal.value.message.startswith(message)
    assert refusal.value.code == 401


@pytest.mark.parametrize(
    "header", [basic("ana", "secret"), basic("ben", "pässword"), b"basic   " + b64encode(b"ana:secret") + b" "]
)
def test_a_right_password_tells_the_user_and_is_known_from_then_on(guard: PasswordGuard, header: bytes) -> None:
    assert guard.known(header) is None
    (user,) = enter(guard, header)
    caller = guard.known(header)
    assert caller is not None
    assert caller.user == user != None  # noqa: E711 - both at once


def test_a_password_beyond_what_bcrypt_reads_is_cut_as_htpasswd_cuts_it(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("ana:" + hashed("x" * 72))
    assert enter(PasswordGuard(file, None), basic("ana", "x" * 100)) == ["ana"]


def test_who_ask_together_with_one_credential_have_it_checked_once(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("ana:" + hashed("secret", cost=10))
    guard = PasswordGuard(file, None)
    before = process_time()
    assert enter(guard, *[basic("ana", "secret")] * 50) == ["ana"] * 50
    # One check takes a twentieth of a second of processor time; fifty would take seconds.
    assert process_time() - before < 1.0


def test_what_was_verified_is_forgotten_after_a_while_and_checked_without_limits_then(
    guard: PasswordGuard, clock: Clock
) -> None:
    enter(guard, basic("ana", "secret"))
    clock.now += VERIFIED_SECONDS
    assert guard.known(basic("ana", "secret")) is None
    for number in range(FAILURES_AT_ONCE):
        enter(guard, basic("ana", f"wrong {number}"))
    assert enter(guard, basic("ben", "pässword"), basic("ana", "secret")) == [TooManyFailures, "ana"]


def test_guesses_from_an_address_are_limited_and_from_another_one_are_not_for_that(
    guard: PasswordGuard, clock: Clock
) -> None:
    answers = [enter(guard, basic("ana", f"{number}"))[0] for number in range(FAILURES_AT_ONCE + 2)]
    assert answers == [Unauthenticated] * FAILURES_AT_ONCE + [TooManyFailures] * 2
    assert enter(guard, basic("ben", "pässword"), address="10.0.0.2") == ["ben"]
    clock.now += 1
    assert enter(guard, basic("ana", "secret")) == ["ana"]


def test_limits_do_not_tell_which_users_there_are(guard: PasswordGuard) -> None:
    for number in range(FAILURES_AT_ONCE):
        enter(guard, basic("nobody", f"{number}"))
    assert enter(guard, basic("ana", "x"), basic("zed", "x")) == [TooManyFailures] * 2


@pytest.mark.parametrize(
    ("guesser", "other", "limited"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("", "10.0.0.1", False),
    ],
)
def test_addresses_of_one_network_share_their_limits(
    guard: PasswordGuard, guesser: str, other: str, limited: bool
) -> None:
    for number in range(FAILURES_AT_ONCE):
        enter(guard, basic("ana", f"{number}"), address=guesser)
    assert enter(guard, basic("ana", "secret"), address=other) == [TooManyFailures if limited else "ana"]


def test_one_wrong_password_again_and_again_costs_one_check(guard: PasswordGuard, clock: Clock) -> None:
    for _ in range(3 * FAILURES_AT_ONCE):
        assert enter(guard, basic("ana", "wrong")) == [Unauthenticated]
    clock.now += REFUSED_SECONDS
    assert enter(guard, basic("ana", "secret")) == ["ana"]


def test_guesses_at_once_fill_no_queue(guard: PasswordGuard) -> None:
    answers = enter(guard, *(basic("ana", f"{number}") for number in range(MAX_UNDER_WAY)))
    assert answers.count(TooManyFailures) == MAX_UNDER_WAY - MAX_UNDER_WAY_PER_ADDRESS


def test_what_was_guessed_together_is_paid_for_one_after_the_other(guard: PasswordGuard, clock: Clock) -> None:
    enter(guard, *(basic("ana", f"{number}") for number in range(MAX_UNDER_WAY_PER_ADDRESS)))
    clock.now += MAX_UNDER_WAY_PER_ADDRESS - FAILURES_AT_ONCE
    assert enter(guard, basic("ana", "secret")) == [TooManyFailures]
    clock.now += 1
    assert enter(guard, basic("ana", "secret")) == ["ana"]


@pytest.mark.parametrize(("name", "real"), [("ana", True), ("nobody", False)])
def test_an_unknown_user_costs_a_check_like_a_known_one(tmp_path: Path, name: str, real: bool) -> None:
    file = tmp_path / "users"
    file.write_text("ana:" + hashed("secret", cost=11))
    before = process_time()
    assert enter(PasswordGuard(file, None), basic(name, "secret")) == ["ana" if real else Unauthenticated]
    assert process_time() - before > 0.03


@pytest.mark.parametrize(
    ("change", "still_known"),
    [
        (lambda text: text + "cem:" + hashed("x"), True),
        (lambda text: text.replace("ana:", "eva:"), False),
        (lambda text: f"ana:{hashed('secret')}", False),
        (lambda text: "broken", True),
    ],
    ids=["another user", "the user is gone", "another hash", "a broken file"],
)
def test_a_changed_file_holds_at_once(
    guard: PasswordGuard, users: Path, change: Callable[[str], str], still_known: bool
) -> None:
    enter(guard, basic("ana", "secret"))
    users.write_text(change(users.read_text()))
    asyncio.run(guard.refresh())
    assert (guard.known(basic("ana", "secret")) is not None) is still_known


def test_a_password_that_was_wrong_before_may_be_right_in_a_new_file(guard: PasswordGuard, users: Path) -> None:
    assert enter(guard, basic("ana", "new")) == [Unauthenticated]
    users.write_text(f"ana:{hashed('new')}\n")
    asyncio.run(guard.refresh())
    assert enter(guard, basic("ana", "new")) == ["ana"]


def test_files_are_watched_for_as_long_as_that_is_wanted(guard: PasswordGuard, users: Path) -> None:
    async def watch() -> list[str]:
        async with guard.watching():
            await asyncio.sleep(1.5 * WATCH_SECONDS)
        return list(guard._accounts)

    users.write_text(f"eva:{hashed('secret')}\n")
    assert asyncio.run(watch()) == ["eva"]


def test_neither_passwords_nor_hashes_are_logged_or_kept(guard: PasswordGuard, users: Path, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    enter(guard, basic("ana", "secret"), basic("ana", "guess"), basic("nobody", "guess"))
    users.write_text(users.read_text() + "x")
    asyncio.run(guard.refresh())
    assert not any(secret in caplog.text for secret in ("secret", "guess", "$2"))
    assert basic("ana", "secret") not in list(guard._verified)
