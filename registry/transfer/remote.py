"""A running registry read over REST: Confluent's of any age, Karapace, Redpanda, or Signet.

Owns which requests tell everything there is; refuses to know where it goes. What REST does not tell: who registered
what; timestamps, GUIDs and the highest id before Confluent 8; configs and modes of names that have no version.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import starmap
from operator import itemgetter
from typing import Final
from urllib.parse import quote
from uuid import UUID

import httpx

from registry.errors import SourceUnreadable
from registry.model import DEFAULT_CONTEXT, MAX_INT, Config, Level, Mode, Subject
from registry.records import (
    EVERYTHING,
    ConfigKey,
    ContextKey,
    IdMarks,
    ModeKey,
    NoopKey,
    Present,
    Record,
    SchemaKey,
    SchemaValue,
)
from registry.shapes import Json, read_config, read_schema
from registry.state import EVERY_CONTEXT
from registry.transfer.door import Door, opened
from registry.transfer.snapshot import Fact

PAGE: Final = 1000
UNSET_CONFIG: Final = Config(compatibility_level=Level.BACKWARD)
"""What a registry answers that has no config of its own; it says nothing that a new registry does not say."""

ANSWERING: Final = (EVERYTHING, EVERY_CONTEXT)
"""The scopes that answer with a default where nothing is set."""

Versions = dict[tuple[str, int], Json]
"""Versions as a registry shows them, by the name of their subject and their number."""


async def read_registry(url: str, transport: httpx.AsyncBaseTransport | None = None) -> list[Fact]:
    """Read all contexts, versions, configs and modes of a running registry.

    Args:
        url: where it is, with a name and password if it asks for them: `https://me:secret@old:8081`.
        transport: how requests are sent, if not over the network.

    Raises SourceUnreadable when it cannot be reached, refuses, or is no schema registry.
    """
    async with opened(url, transport) as door:
        try:
            return await _everything(door)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SourceUnreadable(f"{door.place} answers in a way that no schema registry does: {error!r}") from error


async def _everything(door: Door) -> list[Fact]:
    named = await door.get("/contexts")
    contexts = [name for name in named or () if name != DEFAULT_CONTEXT]
    versions = [shown for context in (DEFAULT_CONTEXT, *contexts) for shown in await _versions_in(door, context)]
    subjects = dict.fromkeys(Subject.of(shown["subject"]) for shown in versions)
    # Settings of a context are kept under its empty name.
    scopes = [*ANSWERING, *(Subject(name, "") for name in contexts), *subjects]
    modes = await _modes(door, scopes)
    if named is None and set(modes) == set(subjects) and set(modes.values()) == {Mode.READWRITE}:
        # Karapace knows no modes and answers this one for every subject; taken at its word, no mode of the whole
        # registry could ever reach them.
        modes = {}
    return [
        *(Fact(Record(ContextKey(name), Present())) for name in contexts),
        # Ids grow with time, so this is about the order in which things were registered.
        *map(_version, sorted(versions, key=itemgetter("id"))),
        *starmap(_config_fact, (await _configs(door, scopes)).items()),
        *starmap(_mode_fact, modes.items()),
        *await _marks(door, versions),
    ]


def _config_fact(scope: Subject, config: Config) -> Fact:
    return Fact(Record(ConfigKey(scope), config))


def _mode_fact(scope: Subject, mode: Mode) -> Fact:
    return Fact(Record(ModeKey(scope), mode))


async def _versions_in(door: Door, context: str) -> list[Json]:
    """All versions in a context as the registry shows them, `deleted` set on each."""
    prefix = Subject(context, "").prefix
    every = await _listed(door, prefix, "true")
    if every is None:
        return await _walked(door, prefix)
    if all("deleted" in shown for shown in every.values()):
        return list(every.values())
    # Before Confluent 8 only a list without them tells which are deleted.
    live = await _listed(door, prefix, "false") or {}
    return [{**shown, "deleted": name not in live} for name, shown in every.items()]


async def _listed(door: Door, prefix: str, deleted: str) -> Versions | None:
    """The versions of `GET /schemas`, page by page; None where there is no such list.

    A page may be shorter than asked for, or hold everything in spite of that; the end is where nothing new comes.
    """
    found: Versions = {}
    while True:
        page = await door.get("/schemas", subjectPrefix=prefix, deleted=deleted, offset=len(found), limit=PAGE)
        if page is None:
            return None
        fresh = {(shown["subject"], shown["version"]): shown for shown in page}
        if fresh.keys() <= found.keys():
            return found
        found |= fresh


async def _walked(door: Door, prefix: str) -> list[Json]:
    """The versions of a registry that has no list of them, one by one."""
    names = await door.get("/subjects", subjectPrefix=prefix, deleted="true")
    if names is None:
        raise SourceUnreadable(f"{door.place} is no schema registry: it has no /subjects")
    of_subjects = await door.get_all(_versions_of(door, Subject.of(name)) for name in names)
    return [shown for versions in of_subjects for shown in versions]


async def _versions_of(door: Door, subject: Subject) -> list[Json]:
    path = f"/subjects/{_segment(subject)}/versions"
    live = await door.get(path) or []
    every = await door.get(path, deleted="true") or []
    shown = await door.get_all(door.get(f"{path}/{number}", deleted="true") for number in every)
    return [{**version, "deleted": version["version"] not in live} for version in shown if version is not None]


async def _configs(door: Door, scopes: Iterable[Subject]) -> dict[Subject, Config]:
    """The configs that are set, and not only answered by default."""
    told = {scope: read_config(said) for scope, said in await _settings(door, "/config", scopes)}
    unset = {scope: (Config(), UNSET_CONFIG) if scope in ANSWERING else (Config(),) for scope in told}
    return {scope: config for scope, config in told.items() if config not in unset[scope]}


async def _modes(door: Door, scopes: Iterable[Subject]) -> dict[Subject, Mode]:
    """The modes that are set, and not only answered by default."""
    told = {scope: Mode[said["mode"]] for scope, said in await _settings(door, "/mode", scopes)}
    return {scope: mode for scope, mode in told.items() if scope not in ANSWERING or mode is not Mode.READWRITE}


async def _settings(door: Door, path: str, scopes: Iterable[Subject]) -> list[tuple[Subject, Json]]:
    """What a registry answers for each scope that has an answer."""
    places = {scope: path if scope == EVERYTHING else f"{path}/{_segment(scope)}" for scope in scopes}
    answers = await door.get_all(door.get(place) for place in places.values())
    return [(scope, said) for scope, said in zip(places, answers, strict=True) if said is not None]


async def _marks(door: Door, versions: Iterable[Json]) -> Iterable[Fact]:
    """The highest id ever given out in each context, where the registry tells it."""
    # It is told along with a schema, so any one of the context will do.
    some = {Subject.of(shown["subject"]).context: shown["id"] for shown in versions}
    asked = {
        context: door.get(f"/schemas/ids/{number}", subject=Subject(context, "").prefix, fetchMaxId="true")
        for context, number in some.items()
    }
    told = zip(asked, await door.get_all(asked.values()), strict=True)
    marks = {context: said["maxId"] for context, said in told if said and "maxId" in said}
    return [Fact(Record(NoopKey(), IdMarks(marks)))] if marks else []


def _version(shown: Json) -> Fact:
    key, number = SchemaKey(Subject.of(shown["subject"]), shown["version"]), shown["id"]
    if not (1 <= key.version <= MAX_INT and 0 <= number <= MAX_INT):
        raise ValueError(f"version {key.version} with id {number}")
    schema = read_schema(shown)
    # Messages may name schemas by GUID, so the registry's word counts more than what we would compute.
    guid = UUID(shown["guid"]).bytes if "guid" in shown else None
    value = SchemaValue(number, schema, shown["deleted"], None if guid == schema.digest() else guid)
    return Fact(Record(key, value), None, shown.get("ts"))


def _segment(subject: Subject) -> str:
    """A subject within a path; a name that a URL would swallow says that it is in the default context."""
    text = str(subject)
    return quote(f":.:{text}" if text in ("", ".", "..") else text, safe="")
