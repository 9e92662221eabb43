"""The users file and the grants file: what is taken, and the sentence for everything else."""

import logging
import os
from itertools import count
from pathlib import Path

import bcrypt
import pytest

from registry.auth import Right
from registry.auth.grants import read_grants
from registry.auth.guard import Watched
from registry.auth.users import read_users
from registry.errors import SettingInvalid
from registry.model import Subject

HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
GRANT = '[[grant]]\nusers = ["ana"]\nsubjects = ["orders-*"]\nrights = ["read"]\n'


@pytest.mark.parametrize("prefix", ["$2y$", "$2b$", "$2a$"])
def test_lines_of_htpasswd_are_users(tmp_path: Path, prefix: str) -> None:
    file = tmp_path / "users"
    file.write_text(f"# who may\n\nana:{prefix}{HASH[4:]}\r\nzoë:{HASH}\n")
    assert list(read_users(file)) == ["ana", "zoë"]


def test_a_mark_before_the_text_is_no_part_of_it(tmp_path: Path) -> None:
    users, grants = tmp_path / "users", tmp_path / "grants"
    users.write_text(f"\ufeffana:{HASH}\n")
    grants.write_text(f"\ufeff{GRANT}")
    assert (list(read_users(users)), read_grants(grants).unknown(["ana"])) == (["ana"], [])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "names no user; add one with: htpasswd -B"),
        ("ana", "Line 1 of the users file"),
        (":" + HASH, "Line 1 of the users file"),
        ("a\x07na:" + HASH, "Line 1 of the users file"),
        (f"ana:{HASH}\nana:{HASH}", "names the user 'ana' twice"),
        ("ana:$apr1$abcdefgh$0123456789012345678901", "of the user 'ana' in"),
        ("ana:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "not hashed with bcrypt; set it anew with: htpasswd -B"),
        ("ana:$5$salt$hash", "not hashed with bcrypt"),
        ("ana:$6$salt$hash", "not hashed with bcrypt"),
        ("ana:rl.3StKT.4T8M", "not hashed with bcrypt"),
        ("ana:plain", "not hashed with bcrypt"),
        ("ana:" + HASH[:-1], "not hashed with bcrypt"),
        ("ana:$2b$31$" + HASH[7:], "has a cost that is not from 4 to 16"),
        (b"\xff:x", "is not UTF-8"),
    ],
    # The hash differs from run to run, and the names of tests must not.
    ids=count(),
)
def test_what_is_no_users_file_is_refused_with_a_sentence_without_the_hash(tmp_path: Path, content, sentence) -> None:
    file = tmp_path / "users"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingInvalid, match=sentence.replace("(", r"\(")) as refusal:
        read_users(file)
    assert "$" not in refusal.value.message
    assert "plain" not in refusal.value.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match=r"Cannot read the users file .*/none: No such file or directory"):
        read_users(tmp_path / "none")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("grant = 1", r"may hold nothing but tables \[\[grant\]\]"),
        ("grant = [1]", r"may hold nothing but tables \[\[grant\]\]"),
        ("[users]\n", r"may hold nothing but tables \[\[grant\]\]"),
        ("[[grant]\n", "is not TOML"),
        ("x = " + "[" * 5000, "nested too deeply"),
        ("x = " + "1" * 5000, "holds a number that is too long"),
        ('[[grant]]\nusers = ["a"]\nsubjects = ["*"]\n', "must have exactly the members users, subjects, rights"),
        (GRANT + 'deny = ["x"]\n', "must have exactly the members users, subjects, rights"),
        (GRANT.replace('["ana"]', '"ana"'), "Grant 1 of .*: users must be a list of texts"),
        (GRANT.replace('["ana"]', "[]"), "users must be a list of texts"),
        (GRANT.replace('"read"', '"reed"'), "'reed' is no right; rights are read, write, delete, admin"),
        (GRANT.replace("orders-*", ":prod:*"), "':prod:\\*' is no pattern of subjects"),
        (GRANT.replace("orders-*", ":.prod"), "is no pattern of subjects"),
    ],
)
def test_what_is_no_grants_file_is_refused_with_a_sentence(tmp_path: Path, content: str, sentence: str) -> None:
    file = tmp_path / "grants"
    file.write_text(content)
    with pytest.raises(SettingInvalid, match=sentence):
        read_grants(file)


def test_users_with_the_same_grants_share_their_permissions(tmp_path: Path) -> None:
    file = tmp_path / "grants"
    file.write_text(GRANT + GRANT.replace("ana", "*").replace("orders-*", "open"))
    granted = read_grants(file).permissions(["ana", "ben", "cem"])
    assert granted["ben"] is granted["cem"] is not granted["ana"]
    assert [granted["ben"].allow(Right.READ, Subject.of(name)) for name in ("open", "orders-x")] == [True, False]
    assert read_grants(file).unknown(["ben"]) == ["ana"]


def test_a_file_that_changes_is_read_anew_and_a_broken_one_keeps_the_last_good(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    file = tmp_path / "users"
    file.write_text(f"ana:{HASH}")
    watched = Watched(file, read_users)
    file.write_text("broken")
    assert [watched.refresh(), watched.refresh(), list(watched.content)] == [False, False, ["ana"]]
    assert [record.getMessage().count("what was read before stays in force") for record in caplog.records] == [1]
    file.write_text(f"ana:{HASH}\nben:{HASH}")
    assert [watched.refresh(), watched.refresh(), list(watched.content)] == [True, False, ["ana", "ben"]]
    file.unlink()
    assert [watched.refresh(), list(watched.content)] == [False, ["ana", "ben"]]
    assert HASH not in caplog.text


def test_a_file_that_is_replaced_by_one_of_the_same_size_and_time_is_read_anew(tmp_path: Path) -> None:
    file, other = tmp_path / "users", tmp_path / "other"
    file.write_text(f"ana:{HASH}")
    watched = Watched(file, read_users)
    other.write_text(f"ben:{HASH}")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    other.replace(file)
    assert [watched.refresh(), list(watched.content)] == [True, ["ben"]]
