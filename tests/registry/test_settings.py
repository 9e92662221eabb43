"""Settings: names, defaults, environment variables."""

from pathlib import Path

import pytest

from registry.errors import SettingInvalid
from registry.model import Level
from registry.settings import Settings, read_settings, unknown_variables


def test_every_setting_has_a_sentence_and_a_default() -> None:
    for name, field in Settings.model_fields.items():
        assert (field.description or "").endswith("."), name
        assert not field.is_required(), name


def test_the_defaults_are_those_of_a_first_run() -> None:
    settings = read_settings({})
    assert (settings.host, settings.port, settings.store) == ("127.0.0.1", 8081, "sqlite:signet.db")
    assert settings.policy().defaults.compatibility_level is Level.BACKWARD


def test_what_is_given_wins_over_the_environment(monkeypatch) -> None:
    monkeypatch.setenv("SIGNET_PORT", "9")
    monkeypatch.setenv("signet_host", "::1")
    monkeypatch.setenv("SIGNET_STORE", "")
    settings = read_settings({"port": 10, "host": None})
    assert (settings.port, settings.host, settings.store) == (10, "::1", "sqlite:signet.db")


@pytest.mark.parametrize("word", ["FULL", "full", "Full"])
def test_a_level_is_read_in_any_case(word) -> None:
    assert read_settings({"compatibility_level": word}).policy().defaults.compatibility_level is Level.FULL


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", -1),
        ("port", 65536),
        ("max_body_bytes", 0),
        ("rulesets", "some"),
        ("compatibility_level", "up"),
        ("mode_mutable", "perhaps"),
        ("read_consistency", "weak"),
    ],
)
def test_a_value_that_does_not_hold_is_named_but_not_shown(name, value) -> None:
    with pytest.raises(SettingInvalid, match=f"The setting SIGNET_{name.upper()} does not hold: "):
        read_settings({name: value})


@pytest.mark.parametrize(
    ("told", "store", "path"),
    [
        (None, Path("/data/signet.db"), Path("/data/signet.db.snapshot")),
        (None, None, None),
        (Path("state"), Path("/data/signet.db"), Path("state")),
        (Path("state"), None, Path("state")),
        ("off", Path("/data/signet.db"), None),
    ],
)
def test_a_snapshot_lies_where_it_is_told_or_beside_the_file_of_the_store(told, store, path) -> None:
    assert read_settings({"snapshot_file": told}).snapshot_path(store) == path


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", ".lock"])
def test_a_snapshot_is_not_written_over_the_store(tmp_path, monkeypatch, ending) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path)
    told = {"store": "sqlite:signet.db", "snapshot_file": tmp_path / "link" / f"signet.db{ending}"}
    with pytest.raises(SettingInvalid, match="SIGNET_SNAPSHOT_FILE does not hold: it names the store, or a part of it"):
        read_settings(told).check_folders()


def test_a_snapshot_needs_a_folder_to_lie_in(tmp_path) -> None:
    with pytest.raises(SettingInvalid, match=r"SIGNET_SNAPSHOT_FILE does not hold: there is no folder .*/gone"):
        read_settings({"snapshot_file": tmp_path / "gone" / "snapshot"}).check_folders()


@pytest.mark.parametrize(
    ("variable", "sentences"),
    [
        ("SIGNET_STROE", ["SIGNET_STROE is not a setting; did you mean SIGNET_STORE?"]),
        ("SIGNET_XYZ", ["SIGNET_XYZ is not a setting"]),
        ("SIGNET_STORE", []),
        ("signet_store", []),
        ("SIGNET_SHARED", []),
        ("PATH", []),
    ],
)
def test_a_variable_that_is_no_setting_is_reported(variable, sentences) -> None:
    assert unknown_variables([variable]) == sentences
