"""Configs of subjects, contexts and the whole registry."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from registry.errors import SubjectConfigNotFound, SubjectNotFound
from registry.model import Config, Subject
from registry.operations.core import Core, check_writable, is_everything
from registry.operations.requests import ConfigPatch, Plan
from registry.records import EVERYTHING, ConfigKey, Record
from registry.rules.contracts import check_rule_set
from registry.rules.inheritance import config_in_force
from registry.rules.subjects import check_subject
from registry.state import State
from registry.writer import Decision

POLICIES: Final = frozenset({"STRICT", "LENIENT", "LOGICAL"})


class Configs:
    """What can be asked of configs, and what changes them; the subject EVERYTHING is the whole registry."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def get(self, subject: Subject, *, default_to_global: bool = False) -> Config:
        """The config set for a subject, or with `default_to_global` the one in force.

        Raises SubjectConfigNotFound.
        """
        state = await self._core.current()
        if default_to_global:
            # Of the server's defaults an answer shows the level alone.
            return _shown(self._core, config_in_force(*state.configs_above(subject), Config()))
        own = state.config(subject)
        if own is None and not is_everything(subject):
            raise SubjectConfigNotFound(subject)
        return _shown(self._core, own or Config())

    async def put(self, subject: Subject, patch: ConfigPatch, *, dry_run: bool = False) -> Config | Plan:
        """Change the fields that the patch names (None or an empty text clears one); the answer is what is set then,
        with the empty texts that were sent.

        Raises InvalidRuleSet, InvalidSubject, OperationNotPermitted.
        """
        # Checked before the turn, because no state has a say in it.
        fields = dict(patch)
        check_rule_set(fields.get("default_rule_set"))
        check_rule_set(fields.get("override_rule_set"))
        if subject != EVERYTHING:
            check_subject(subject, global_allowed=True)
        # Where rule sets are not kept one that is sent is as good as null, and no fault of the client.
        if not self._core.policy.rule_sets_kept:
            fields |= {name: None for name in ("default_rule_set", "override_rule_set") if name in fields}
        if "compatibility_policy" in fields:
            # A word that is no policy clears it; Confluent refuses none.
            policy = (fields["compatibility_policy"] or "").upper()
            fields["compatibility_policy"] = policy if policy in POLICIES else None
        return await self._core.carry_out(PutConfig(subject, fields), dry_run)

    async def delete(self, subject: Subject, *, dry_run: bool = False) -> Config | Plan:
        """Remove the config of a subject; the answer is what was set.

        Raises SubjectNotFound when none was (the whole registry: the defaults), OperationNotPermitted.
        """
        return await self._core.carry_out(DeleteConfig(self._core, subject), dry_run)


class PutConfig(Struct, frozen=True):
    """Merge fields into the config of a subject."""

    subject: Subject
    fields: ConfigPatch

    def decide(self, state: State) -> Decision[Config]:
        """Raise OperationNotPermitted in a read-only mode."""
        check_writable(state, self.subject, _shown_name(self.subject))
        before = state.config(self.subject)
        answer = replace(before or Config(), **self.fields)
        # No record holds an empty text, so that one would only be known until the next start.
        config = replace(answer, **{name: None for name, value in self.fields.items() if value == ""})
        # Nothing is logged that changes nothing: every answer that was kept would be given up for it.
        if config == before:
            return Decision(answer)
        return Decision(answer, (Record(ConfigKey(self.subject), config),))


class DeleteConfig(Struct, frozen=True):
    """Remove the config of a subject."""

    core: Core
    subject: Subject

    def decide(self, state: State) -> Decision[Config]:
        """Raise SubjectNotFound when none is set, then OperationNotPermitted in a read-only mode."""
        own = state.config(self.subject)
        if own is None and not is_everything(self.subject):
            raise SubjectNotFound(self.subject)
        check_writable(state, self.subject, _shown_name(self.subject))
        if own is None:
            return Decision(_shown(self.core, Config()))
        return Decision(_shown(self.core, own), (Record(ConfigKey(self.subject), None),))


def _shown(core: Core, config: Config) -> Config:
    """A stored config as answers show it: without a level of its own it shows the server's."""
    return replace(config, compatibility_level=config.compatibility_level or core.policy.defaults.compatibility_level)


def _shown_name(subject: Subject) -> str:
    # The whole registry is no subject in Java either, and so it reads in the message.
    return "null" if subject == EVERYTHING else str(subject)
