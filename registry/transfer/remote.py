"""A running registry read over REST: Confluent's of any age, Karapace, Redpanda, or Signet.

Owns which requests tell everything there is; refuses to know where it goes. What REST does not tell: who registered
what; timestamps, GUIDs and the highest id before Confluent 8; configs and modes of names that have no version.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from itertools import chain, starmap
from typing import Final, NamedTuple
from urllib.parse import quote
from uuid import UUID

import httpx
import orjson

from registry.configured import EVERYWHERE
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
from registry.transfer.archive import Archive
from registry.transfer.facts import Fact
from registry.transfer.peer import Peer, opened
from registry.transfer.sources import Source, gather_facts

PAGE: Final = 1000
UNSET_CONFIG: Final = Config(compatibility_level=Level.BACKWARD)
"""What a registry answers that has no config of its own; it says nothing that a new registry does not say."""

ANSWERING: Final = (EVERYTHING, EVERYWHERE)
"""The scopes that answer with a default where nothing is set."""

Name = tuple[str, int]
"""A version by its subject, as the registry writes it, and its number."""


async def read_registry(url: str, transport: httpx.AsyncBaseTransport | None = None) -> Source:
    """Read all contexts, versions, configs and modes of a running registry.

    Args:
        url: where it is, with a name and password if it asks for them: `https://me:secret@old:8081`.
        transport: how requests are sent, if not over the network.

    Raises SourceUnreadable when it cannot be reached, refuses, or is no schema registry.
    """
    async with opened(url, transport) as peer:
        try:
            return gather_facts(await _everything(peer))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SourceUnreadable(f"{peer.place} answers in a way that no schema registry does: {error!r}") from error


class _Shown(NamedTuple):
    """A version as the registry shows it, in JSON."""

    json: bytes


class _Versions:
    """The versions that a registry showed, set aside."""

    def __init__(self) -> None:
        self._shown = Archive(_Shown)
        self._ids: list[int] = []
        self.live: set[Name] = set()
        """Those that are not deleted, where the registry does not say so of each."""
        self.subjects: dict[Subject, int] = {}
        """The subjects, each with an id that it has."""

    def add(self, shown: Json) -> None:
        """Set a version aside."""
        self.subjects[Subject.of(shown["subject"])] = shown["id"]
        self._ids.append(shown["id"])
        self._shown.append(orjson.dumps(shown))

    def facts(self) -> Iterator[Fact]:
        """The versions by their ids, which grow with time, so about in the order in which they were registered."""
        for place in sorted(range(len(self._ids)), key=self._ids.__getitem__):
            shown = orjson.loads(self._shown[place].json)
            yield _version({"deleted": _name(shown) not in self.live, **shown})


async def _everything(peer: Peer) -> Iterator[Fact]:
    named = await peer.get("/contexts")
    contexts = [name for name in named or () if name != DEFAULT_CONTEXT]
    versions = _Versions()
    for context in (DEFAULT_CONTEXT, *contexts):
        await _read_versions(peer, Subject(context, "").prefix, versions)
    # Settings of a context are kept under its empty name.
    scopes = [*ANSWERING, *(Subject(name, "") for name in contexts), *versions.subjects]
    modes = await _modes(peer, scopes)
    if named is None and set(modes) == set(versions.subjects) and set(modes.values()) == {Mode.READWRITE}:
        # Karapace knows no modes and answers this one for every subject; taken at its word, no mode of the whole
        # registry could ever reach them.
        modes = {}
    return chain(
        [Fact(Record(ContextKey(name), Present())) for name in contexts],
        versions.facts(),
        starmap(_config_fact, (await _configs(peer, scopes)).items()),
        starmap(_mode_fact, modes.items()),
        await _marks(peer, versions.subjects),
    )


def _config_fact(scope: Subject, config: Config) -> Fact:
    return Fact(Record(ConfigKey(scope), config))


def _mode_fact(scope: Subject, mode: Mode) -> Fact:
    return Fact(Record(ModeKey(scope), mode))


async def _read_versions(peer: Peer, prefix: str, versions: _Versions) -> None:
    """Read all versions in a context, deleted ones included."""
    says_which_are_deleted, is_listed = True, False
    async for page in _pages(peer, prefix, "true"):
        is_listed = True
        for shown in page:
            says_which_are_deleted &= "deleted" in shown
            versions.add(shown)
    if not is_listed:
        await _walk(peer, prefix, versions)
    elif not says_which_are_deleted:
        # Before Confluent 8 only a list without them tells which are deleted.
        async for page in _pages(peer, prefix, "false"):
            versions.live.update(map(_name, page))


async def _pages(peer: Peer, prefix: str, deleted: str) -> AsyncIterator[list[Json]]:
    """What is new on each page of `GET /schemas`; no page at all where there is no such list.

    A page may be shorter than asked for, or hold everything in spite of that; the end is where nothing new comes.
    """
    found: set[Name] = set()
    while True:
        page = await peer.get("/schemas", subjectPrefix=prefix, deleted=deleted, offset=len(found), limit=PAGE)
        if page is None:
            return
        fresh = {name: shown for shown in page if (name := _name(shown)) not in found}
        yield list(fresh.values())
        if not fresh:
            return
        found |= fresh.keys()


async def _walk(peer: Peer, prefix: str, versions: _Versions) -> None:
    """Read the versions of a registry that has no list of them, one by one."""
    names = await peer.get("/subjects", subjectPrefix=prefix, deleted="true")
    if names is None:
        raise SourceUnreadable(f"{peer.place} is no schema registry: it has no /subjects")

    async def shown_of(name: str) -> list[Json]:
        path = f"/subjects/{_segment(Subject.of(name))}/versions"
        live = await peer.get(path) or []
        every = [
            await peer.get(f"{path}/{number}", deleted="true") for number in await peer.get(path, deleted="true") or ()
        ]
        return [{**shown, "deleted": shown["version"] not in live} for shown in every if shown is not None]

    async for found in peer.each(shown_of, names):
        for shown in found:
            versions.add(shown)


async def _configs(peer: Peer, scopes: Iterable[Subject]) -> dict[Subject, Config]:
    """The configs that are set, and not only answered by default."""
    told = {scope: read_config(said) for scope, said in await _settings(peer, "/config", scopes)}
    unset = {scope: (Config(), UNSET_CONFIG) if scope in ANSWERING else (Config(),) for scope in told}
    return {scope: config for scope, config in told.items() if config not in unset[scope]}


async def _modes(peer: Peer, scopes: Iterable[Subject]) -> dict[Subject, Mode]:
    """The modes that are set, and not only answered by default."""
    told = {scope: Mode[said["mode"]] for scope, said in await _settings(peer, "/mode", scopes)}
    return {scope: mode for scope, mode in told.items() if scope not in ANSWERING or mode is not Mode.READWRITE}


async def _settings(peer: Peer, path: str, scopes: Iterable[Subject]) -> list[tuple[Subject, Json]]:
    """What a registry answers for each scope that has an answer."""

    async def ask(scope: Subject) -> tuple[Subject, Json | None]:
        return scope, await peer.get(path if scope == EVERYTHING else f"{path}/{_segment(scope)}")

    return [(scope, said) async for scope, said in peer.each(ask, scopes) if said is not None]


async def _marks(peer: Peer, subjects: Mapping[Subject, int]) -> Iterable[Fact]:
    """The highest id ever given out in each context, where the registry tells it."""
    # It is told along with a schema, so any one of the context will do.
    some = {subject.context: number for subject, number in subjects.items()}

    async def ask(context: str) -> tuple[str, Json]:
        prefix = Subject(context, "").prefix
        said = await peer.get(f"/schemas/ids/{some[context]}", subject=prefix, fetchMaxId="true")
        return context, said or {}

    marks = {context: said["maxId"] async for context, said in peer.each(ask, some) if "maxId" in said}
    return [Fact(Record(NoopKey(), IdMarks(marks)))] if marks else []


def _name(shown: Json) -> Name:
    return shown["subject"], shown["version"]


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
