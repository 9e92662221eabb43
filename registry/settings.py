"""Every setting of the server: its name, default, environment variable, and what it is for.

A setting `name` is read from `SIGNET_NAME`; the command line wins over it.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from registry.errors import SettingInvalid
from registry.model import Config, Level
from registry.operations import Consistency, PageLimits, Policy

PREFIX: Final = "SIGNET_"
MAX_INT: Final = 2**31 - 1
STORE_ENDINGS: Final = ("", "-wal", "-shm", "-journal", ".lock")
"""With these the names of all files end that a store in a file is made of."""
NOT_OURS: Final = frozenset({"SIGNET_SHARED"})
"""Variables that begin like ours and are read by the project's own tests."""


def _level(word: object) -> object:
    if not isinstance(word, str):
        return word
    if word.upper() not in Level.__members__:
        raise PydanticCustomError("level", "It must be one of {words}", {"words": ", ".join(Level.__members__)})
    return Level[word.upper()]


def _port(number: object) -> object:
    # The one variable of Kubernetes that has the name of a setting; see unknown_variables for the others.
    if isinstance(number, str) and number.startswith("tcp://"):
        raise PydanticCustomError(
            "port",
            "Kubernetes sets it for a service of the name signet; let the pod set it too, or enableServiceLinks: false",
        )
    return number


def _consistency(word: str) -> str:
    try:
        Consistency.of(word)
    except ValueError as fault:
        raise PydanticCustomError("consistency", "{fault}", {"fault": str(fault)}) from None
    return word


Bytes = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=1, le=MAX_INT)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """What an operator can decide; frozen once read."""

    # An empty variable counts as none: compose files and charts pass on what they were not given.
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True, extra="ignore")

    host: str = Field("127.0.0.1", min_length=1, description="The address to listen on.")
    port: Annotated[int, BeforeValidator(_port)] = Field(
        8081, ge=0, le=65535, description="The port to listen on; 0 takes a free one."
    )
    store: str = Field(
        "sqlite:signet.db", description="The URL of the store: `sqlite:FILE`, `postgresql://...` or `memory:`."
    )
    snapshot_file: Path | Literal["off"] | None = Field(
        None,
        description="The file that keeps a snapshot of the state for a quicker start, or `off`;"
        " if not told, one beside an SQLite file.",
    )
    cluster: str = Field("schema-registry", description="The name of this registry in /v1/metadata/id.")
    users_file: Path | None = Field(
        None, description="The file of users and passwords, as `htpasswd -B` writes it; without one anybody may ask."
    )
    grants_file: Path | None = Field(
        None, description="The file of what users may do; without one every user may do everything."
    )
    keep_alive_seconds: Count = Field(30, description="How long an idle connection is kept, in seconds.")
    request_seconds: Count = Field(
        60, description="How long a request may take to arrive, and its answer may lie untaken, in seconds."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is worth logging.")
    read_consistency: Annotated[str, AfterValidator(_consistency)] = Field(
        "strong", description="How far reads may lag behind other nodes: `strong`, `bounded:<milliseconds>` or `local`."
    )
    max_body_bytes: Bytes = Field(2**20, description="The largest request body that is read; a larger one gets 413.")
    max_waiting_writes: Count = Field(10_000, description="How many writes may queue; a further one gets 503.")
    max_parsed_bytes: Bytes = Field(128 * 2**20, description="How much memory parsed schemas may take, in bytes.")
    max_answer_bytes: int = Field(64 * 2**20, ge=0, description="How much memory finished answers may take; 0: none.")
    shutdown_drain_seconds: Seconds = Field(
        10.0, description="How long to go on serving after SIGTERM, no longer ready; after Ctrl-C it is 0."
    )
    shutdown_grace_seconds: Count = Field(10, description="How long to wait at the end for requests under way.")
    compatibility_level: Annotated[Level, BeforeValidator(_level)] = Field(
        Level.BACKWARD, description="The compatibility level where none is set."
    )
    validate_fields: bool = Field(False, description="Whether reserved fields are checked where nothing is set.")
    validate_new_schemas: bool = Field(True, description="Whether new schemas are read strictly where nothing is set.")
    mode_mutable: bool = Field(True, description="Whether modes can be changed.")
    empty_subject_allowed: bool = Field(True, description="Whether schemas can be registered under the empty subject.")
    reference_versions_strict: bool = Field(
        False, description="Whether a schema may not reach one reference name in two versions."
    )
    rulesets: Literal["keep", "drop"] = Field(
        "keep", description="Whether rule sets are kept, or dropped as Confluent's community edition does."
    )
    old_clients: bool = Field(
        False, description="Whether answers leave out what Confluent's clients for Java before 6.1.2 refuse."
    )
    schema_search_default_limit: Count = Field(1000, description="How many schemas a list holds if not told.")
    schema_search_max_limit: Count = Field(
        1000, description="How many schemas may be asked for; who asks for more gets the default."
    )
    subject_search_default_limit: Count = Field(MAX_INT, description="How many subjects a list holds if not told.")
    subject_search_max_limit: Count = Field(
        MAX_INT, description="How many subjects may be asked for; who asks for more gets the default."
    )
    subject_version_search_default_limit: Count = Field(
        MAX_INT, description="How many versions a list holds if not told."
    )
    subject_version_search_max_limit: Count = Field(
        MAX_INT, description="How many versions may be asked for; who asks for more gets the default."
    )
    context_search_default_limit: Count = Field(MAX_INT, description="How many contexts a list holds if not told.")
    context_search_max_limit: Count = Field(
        MAX_INT, description="How many contexts may be asked for; who asks for more gets the default."
    )

    def policy(self) -> Policy:
        """The part of the settings that decides over schemas."""
        return Policy(
            defaults=Config(
                compatibility_level=self.compatibility_level,
                validate_fields=self.validate_fields,
                validate_new_schemas=self.validate_new_schemas,
            ),
            mode_mutable=self.mode_mutable,
            empty_subject_allowed=self.empty_subject_allowed,
            rule_sets_kept=self.rulesets == "keep",
            reference_versions_strict=self.reference_versions_strict,
            schema_limits=PageLimits(self.schema_search_default_limit, self.schema_search_max_limit),
            subject_limits=PageLimits(self.subject_search_default_limit, self.subject_search_max_limit),
            version_limits=PageLimits(self.subject_version_search_default_limit, self.subject_version_search_max_limit),
            context_limits=PageLimits(self.context_search_default_limit, self.context_search_max_limit),
        )

    def check_folders(self) -> None:
        """Find out whether what is to be kept has a folder to lie in, on this machine and for this user, and is kept
        apart.

        Raises SettingInvalid.
        """
        if not isinstance(self.snapshot_file, Path):
            return
        if not (folder := self.snapshot_file.absolute().parent).is_dir():
            raise SettingInvalid(f"The setting SIGNET_SNAPSHOT_FILE does not hold: there is no folder {folder}")
        store, snapshot = (os.path.realpath(name) for name in (self.store.partition(":")[2], self.snapshot_file))
        # Even to read it would be too much: to close any descriptor of a file drops all locks that SQLite holds on it.
        if snapshot in {f"{store}{ending}" for ending in STORE_ENDINGS}:
            raise SettingInvalid("The setting SIGNET_SNAPSHOT_FILE does not hold: it names the store, or a part of it")

    def snapshot_path(self, store: Path | None) -> Path | None:
        """Where a snapshot of the state lies, if anywhere; `store` is the file of the log, if it is one."""
        if self.snapshot_file == "off":
            return None
        if self.snapshot_file is None:
            return store and store.with_name(f"{store.name}.snapshot")
        return self.snapshot_file


def read_settings(given: Mapping[str, Any]) -> Settings:
    """The settings in force: those given here, else those of the environment, else the defaults.

    Raises SettingInvalid for the first value that does not hold; the value itself is not repeated.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        # Never the value: a store's URL may hold a password.
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise SettingInvalid(f"The setting {PREFIX}{name.upper()} does not hold: {first['msg']}") from None


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """One sentence for each variable that begins like ours and is none, with the name that was probably meant."""
    known = {name.upper() for name in Settings.model_fields}
    sentences = []
    for variable in sorted(environment):
        name = variable.upper().removeprefix(PREFIX)
        # Reported, not refused: Kubernetes itself sets SIGNET_PORT_8081_TCP and the like for a service of this name.
        if variable.upper() == name or name in known or variable in NOT_OURS:
            continue
        # Compared without the prefix, which would make any two names look alike.
        close = difflib.get_close_matches(name, known, n=1)
        sentences.append(f"{variable} is not a setting" + (f"; did you mean {PREFIX}{close[0]}?" if close else ""))
    return sentences
