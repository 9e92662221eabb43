"""What is set in a registry beside its versions: configs, modes, contexts and associations.

Owns where a setting may stand; refuses to know what settings decide. All of them share one stamp: they change rarely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final

from registry.envelope import Logged
from registry.model import DEFAULT_CONTEXT, GLOBAL_CONTEXT, Association, Config, Mode, Subject
from registry.questions import Question, ask
from registry.records import EVERYTHING, AssociationKey, ConfigKey, ContextKey, Key, ModeKey, Value
from registry.tables import Overlay

EVERYWHERE: Final = Subject(GLOBAL_CONTEXT, "")
"""Where config and mode of all contexts are kept."""
SETTINGS: Final[Question] = ("settings", None)


class Configured:
    """The settings at one position of the log, and every question about them; the state adds the versions."""

    def __init__(self) -> None:
        self.position = 0
        self.settings_stamp = 0
        """The position of the last change to any config, mode, context or association."""
        # Counted, so that a request need not look for aliases where nobody has one.
        self._aliases = 0
        self._configs: MutableMapping[Subject, Config] = {}
        self._modes: MutableMapping[Subject, Mode] = {}
        self._contexts: MutableMapping[str, None] = {}
        self._associations: MutableMapping[AssociationKey, tuple[Association, int, int]] = {}

    def _stand_on(self, below: Configured) -> None:
        """Answer as another does, and leave it as it is."""
        self.position, self.settings_stamp, self._aliases = below.position, below.settings_stamp, below._aliases
        self._configs = Overlay(below._configs)
        self._modes = Overlay(below._modes)
        self._contexts = Overlay(below._contexts)
        self._associations = Overlay(below._associations)

    def _apply_config(self, key: ConfigKey, value: Config | None, logged: Logged) -> None:
        before = self._configs.get(key.subject)
        self._aliases += bool(_alias(key.subject, value)) - bool(_alias(key.subject, before))
        self._set(self._configs, key.subject, value, logged)

    def _apply_mode(self, key: ModeKey, value: Mode | None, logged: Logged) -> None:
        self._set(self._modes, key.subject, value, logged)

    def _apply_context(self, key: ContextKey, value: Value | None, logged: Logged) -> None:
        self.settings_stamp = logged.position
        if value is None:
            self._contexts.pop(key.context, None)
        else:
            self._contexts[key.context] = None

    def _apply_association(self, key: AssociationKey, value: Association | None, logged: Logged) -> None:
        # The first record of a key says when it was made, the last one when it was changed.
        created_ms = self._associations[key][1] if key in self._associations else logged.timestamp_ms
        self._set(self._associations, key, value and (value, created_ms, logged.timestamp_ms), logged)

    def _set(self, table: MutableMapping[Any, Any], key: object, value: object, logged: Logged) -> None:
        self.settings_stamp = logged.position
        if value is None:
            table.pop(key, None)
        else:
            table[key] = value

    SETTERS: Final[Mapping[type[Key], Callable[..., None]]] = {
        ConfigKey: _apply_config,
        ModeKey: _apply_mode,
        ContextKey: _apply_context,
        AssociationKey: _apply_association,
    }
    """What each kind of record does to the settings."""

    def contexts(self) -> list[str]:
        """The default context, then every other known one in order."""
        self._ask_settings()
        # No record makes the default context: it is always there.
        return [DEFAULT_CONTEXT, *sorted(self._contexts)]

    def has_context(self, context: str) -> bool:
        """Whether the context is known."""
        self._ask_settings()
        return context == DEFAULT_CONTEXT or context in self._contexts

    def config(self, subject: Subject) -> Config | None:
        """The config set for exactly this subject, context or (EVERYTHING) the whole registry."""
        self._ask_settings()
        return self._configs.get(subject)

    def configs_above(self, subject: Subject) -> tuple[Config | None, Config | None, Config | None, Config | None]:
        """The configs set for a subject, its context, all contexts, and the whole registry."""
        self._ask_settings()
        own, context, everywhere = scopes(subject)
        configs = self._configs
        return configs.get(own), configs.get(context), configs.get(everywhere), configs.get(EVERYTHING)

    def configs(self) -> Iterator[tuple[Subject, Config]]:
        """Every config that is set, with what it is set for."""
        self._ask_settings()
        return iter(self._configs.items())

    def alias(self, subject: Subject) -> str | None:
        """The alias that the own config of a subject names."""
        return _alias(subject, self.config(subject))

    def aliases(self) -> Iterator[tuple[Subject, str]]:
        """Every subject whose own config names an alias, with that alias."""
        return ((subject, alias) for subject, config in self.configs() if (alias := _alias(subject, config)))

    @property
    def has_aliases(self) -> bool:
        """Whether the config of any subject names an alias."""
        self._ask_settings()
        return self._aliases > 0

    def mode(self, subject: Subject) -> Mode | None:
        """The mode set for exactly this subject, context or (EVERYTHING) the whole registry."""
        self._ask_settings()
        return self._modes.get(subject)

    def modes_above(self, subject: Subject) -> tuple[Mode | None, Mode | None, Mode | None]:
        """The modes set for a subject, its context, and all contexts."""
        self._ask_settings()
        own, context, everywhere = scopes(subject)
        return self._modes.get(own), self._modes.get(context), self._modes.get(everywhere)

    def modes(self) -> Iterator[tuple[Subject, Mode]]:
        """Every mode that is set, with what it is set for."""
        self._ask_settings()
        return iter(self._modes.items())

    def modes_within(self, scope: Subject) -> list[Subject]:
        """The subjects of a context (EVERYTHING: the default one) that have a mode of their own."""
        self._ask_settings()
        return [subject for subject in self._modes if subject.context == scope.context and subject.name]

    def associations(self) -> Iterator[tuple[Association, int, int]]:
        """Every association, with when it was created and last changed (ms)."""
        self._ask_settings()
        return iter(self._associations.values())

    def _ask_settings(self) -> None:
        ask(SETTINGS, self.settings_stamp, self.position)


def scopes(subject: Subject) -> tuple[Subject, Subject, Subject]:
    """Where a setting may stand, nearest first: the subject, its context, all contexts."""
    return subject, Subject(subject.context, ""), EVERYWHERE


def _alias(subject: Subject, config: Config | None) -> str | None:
    # The whole registry is no subject, and stands for nothing else whatever its config says.
    return None if config is None or subject == EVERYTHING else config.alias or None
