"""Which config and mode are in force for a subject, given what is set where.

Follows Confluent's Schema Registry: a subject's own config is taken with the global one as fallback for a few
settings only; without one, the nearest of context, all contexts and server is taken whole.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from registry.model import Config, Mode

INHERITED_BY_SUBJECTS: Final = (
    "normalize",
    "validate_fields",
    "validate_new_schemas",
    "validate_rules",
    "compatibility_policy",
    "compatibility_group",
)
"""What a subject with a config of its own still takes from the global one; the level is not among them."""


def config_in_force(
    own: Config | None, context: Config | None, everywhere: Config | None, globally: Config | None, server: Config
) -> Config:
    """The config that decides for a subject.

    own, context, everywhere: what is set for the subject, its context, and all contexts; globally: what is set
    without a subject; server: the defaults, which fill what is still open.
    """
    chosen = _filled(own, globally) if own is not None else (context or everywhere)
    if chosen is None:
        return server
    missing = {
        name: getattr(server, name)
        for name in (*INHERITED_BY_SUBJECTS, "compatibility_level")
        if getattr(chosen, name) is None
    }
    return replace(chosen, **missing)


def _filled(own: Config, globally: Config | None) -> Config:
    if globally is None:
        return own
    inherited: dict[str, Any] = {
        name: getattr(globally, name) for name in INHERITED_BY_SUBJECTS if getattr(own, name) is None
    }
    return replace(own, **inherited)


def mode_in_force(own: Mode | None, context: Mode | None, everywhere: Mode | None) -> Mode:
    """The mode that decides for a subject: the nearest that is set, else READWRITE."""
    return own or context or everywhere or Mode.READWRITE
