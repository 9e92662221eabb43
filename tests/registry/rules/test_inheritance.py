"""Which config and mode are in force, given what is set where."""

from __future__ import annotations

import pytest

from registry.model import Config, Level, Metadata, Mode, RuleSet
from registry.rules.inheritance import config_in_force, mode_in_force

SERVER = Config(compatibility_level=Level.BACKWARD, validate_new_schemas=True)
FULL, NONE = Config(compatibility_level=Level.FULL), Config(compatibility_level=Level.NONE)

LEVELS: list[tuple[Config | None, Config | None, Config | None, Config | None, Level]] = [
    # own, context, all contexts, global, what is in force
    (None, None, None, None, Level.BACKWARD),
    (FULL, NONE, NONE, NONE, Level.FULL),
    (None, FULL, NONE, NONE, Level.FULL),
    (None, None, FULL, NONE, Level.FULL),
    (Config(), FULL, FULL, FULL, Level.BACKWARD),
    (None, Config(), FULL, FULL, Level.BACKWARD),
    (None, None, Config(), FULL, Level.BACKWARD),
]


@pytest.mark.parametrize(("own", "context", "everywhere", "globally", "level"), LEVELS)
def test_the_nearest_config_is_taken_whole_and_the_server_fills_its_level(
    own: Config | None, context: Config | None, everywhere: Config | None, globally: Config | None, level: Level
) -> None:
    assert config_in_force(own, context, everywhere, globally, SERVER).compatibility_level is level


SET = Config(
    alias="a",
    alias_for_deks="b",
    normalize=True,
    validate_fields=True,
    validate_new_schemas=False,
    validate_rules=True,
    compatibility_level=Level.FULL,
    compatibility_policy="STRICT",
    compatibility_group="g",
    default_metadata=Metadata(),
    override_metadata=Metadata(),
    default_rule_set=RuleSet(),
    override_rule_set=RuleSet(),
)


def test_a_subject_with_a_config_takes_six_settings_from_the_global_one() -> None:
    assert config_in_force(Config(), None, None, SET, SERVER) == Config(
        normalize=True,
        validate_fields=True,
        validate_new_schemas=False,
        validate_rules=True,
        compatibility_level=Level.BACKWARD,
        compatibility_policy="STRICT",
        compatibility_group="g",
    )


def test_what_a_subject_sets_itself_stands() -> None:
    own = Config(normalize=False, validate_fields=False, compatibility_policy="LENIENT", compatibility_group="h")
    in_force = config_in_force(own, None, None, SET, SERVER)
    assert (in_force.normalize, in_force.validate_fields) == (False, False)
    assert (in_force.compatibility_policy, in_force.compatibility_group) == ("LENIENT", "h")


@pytest.mark.parametrize(("context", "everywhere"), [(SET, None), (SET, NONE), (None, SET)])
def test_without_a_config_of_its_own_a_subject_takes_all_from_the_nearest(
    context: Config | None, everywhere: Config | None
) -> None:
    assert config_in_force(None, context, everywhere, NONE, SERVER) == SET


def test_the_server_fills_what_is_open_and_nothing_else() -> None:
    assert config_in_force(None, None, None, None, SERVER) == SERVER
    assert config_in_force(Config(alias="a"), None, None, None, SERVER) == Config(
        alias="a", compatibility_level=Level.BACKWARD, validate_new_schemas=True
    )


MODES: list[tuple[Mode | None, Mode | None, Mode | None, Mode]] = [
    (None, None, None, Mode.READWRITE),
    (Mode.READONLY, Mode.IMPORT, Mode.FORWARD, Mode.READONLY),
    (None, Mode.IMPORT, Mode.FORWARD, Mode.IMPORT),
    (None, None, Mode.FORWARD, Mode.FORWARD),
    (Mode.READWRITE, Mode.READONLY_OVERRIDE, None, Mode.READWRITE),
]


@pytest.mark.parametrize(("own", "context", "everywhere", "mode"), MODES)
def test_the_nearest_mode_is_in_force(
    own: Mode | None, context: Mode | None, everywhere: Mode | None, mode: Mode
) -> None:
    assert mode_in_force(own, context, everywhere) is mode
