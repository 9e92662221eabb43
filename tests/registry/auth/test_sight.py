"""What is answered to one who may not read all is what a registry answers that holds nothing else.

Random registries, each beside another one to which only the visible records were copied; every request that reads, by
a user who sees a part of the first and all of the second.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import starmap
from operator import itemgetter
from typing import Any

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry.app import Application
from registry.auth.grants import read_grants
from registry.envelope import Entry
from registry.log import Log, open_log
from registry.model import GLOBAL_CONTEXT, Subject
from registry.records import ContextKey, Key, NoopKey, read_record
from registry.settings import Settings

USERS = ("ben", "ana", "ops", "all")
"""Those who see a part; `root` sees all."""
NAMES = ("orders-a", "secrets-a")
SUBJECTS = tuple(context + name for context in ("", ":.aside:", ":.prod:") for name in NAMES)
PLACES = (*SUBJECTS, ":.prod:", ":.aside:", ":.__GLOBAL:")
NAMED = '{"type":"fixed","name":"F","size":4}'
USES = '{"type":"record","name":"R","fields":[{"name":"f","type":"F"}]}'
TEXTS = ('"int"', '"long"', NAMED, '{"type":"record","name":"T","confluent:tags":["PII"],"fields":[]}')

subjects, places = st.sampled_from(SUBJECTS), st.sampled_from(PLACES)
texts = st.sampled_from(TEXTS)
targets = st.sampled_from((*NAMES, *SUBJECTS))
"""What a schema refers to, and an alias stands for: bare names too."""
Request = tuple[str, str, Any]


def registering(subject: str, text: str, **members: Any) -> Request:
    """The request that registers a schema."""
    return "POST", f"/subjects/{subject}/versions", {"schema": text, **members}


def referring(subject: str, version: int) -> dict[str, Any]:
    """The reference to a version of a subject that defines the type F."""
    return {"name": "F", "subject": subject, "version": version}


changes = st.lists(
    st.one_of(
        st.builds(registering, subjects, texts),
        st.builds(lambda s, t: registering(s, USES, references=[referring(t, -1)]), subjects, targets),
        st.builds(lambda s, v: ("DELETE", f"/subjects/{s}/versions/{v}", None), subjects, st.sampled_from(("1", "2"))),
        st.builds(lambda s, p: ("DELETE", f"/subjects/{s}?permanent={p}", None), subjects, st.booleans()),
        st.builds(lambda s, a: ("PUT", f"/config/{s}", {"alias": a}), subjects, targets),
        st.builds(
            lambda p, level: ("PUT", f"/config/{p}", {"compatibility": level}),
            places,
            st.sampled_from(("NONE", "FULL_TRANSITIVE")),
        ),
        st.builds(lambda p: ("PUT", f"/mode/{p}", {"mode": "READONLY"}), places),
    ),
    max_size=12,
)
stocks = st.fixed_dictionaries(dict.fromkeys(SUBJECTS, st.sampled_from((None, None, None, *TEXTS))))
"""The first text of each subject, None for those that are not there at first."""

ENTANGLED: list[Request] = [
    registering("secrets-a", USES, references=[referring("orders-a", 1)]),
    ("PUT", "/config/secrets-a", {"alias": "orders-a"}),
]
"""What ties the hidden to the visible: a reference, and an alias; an id that both hold comes of equal texts."""
FREE: Request = ("PUT", "/config", {"compatibility": "NONE"})
FORMS = ("", "?deleted=true", "?format=resolved", "?deletedOnly=true", "?findTags=*")
REFERENCES = [referring(subject, 1) for subject in SUBJECTS]
BODIES = (*({"schema": text} for text in TEXTS), *({"schema": USES, "references": [one]} for one in REFERENCES))


def questions() -> list[Request]:
    """Every request that reads, about everything there may be."""
    ofs = ("", *(f"?subject={place}" for place in (*SUBJECTS, ":.prod:")))
    paths = [
        *(f"/subjects{query}" for query in ("", "?deleted=true", "?deletedOnly=true", "?subjectPrefix=:*:")),
        *(f"/contexts/{context}/subjects" for context in (".", ".prod", ".aside")),
        *(f"/schemas{query}" for query in ("", "?deleted=true", "?latestOnly=true&subjectPrefix=:*:")),
        *(f"/schemas?aliases=true&subjectPrefix={prefix}" for prefix in ("", ":*:", ":.prod:", *SUBJECTS)),
        "/schemas?offset=1&limit=2",
        "/contexts",
        *(f"/contexts/{context}/schemas/ids/{i}" for context in (".prod", ".aside") for i in (1, 2)),
        *(f"/schemas/ids/{i}{of}" for i in range(1, 4) for of in ofs),
        *(f"/schemas/ids/{i}{form}" for i in range(1, 4) for form in (*FORMS, "?includeSubjects=true")),
        *(f"/schemas/ids/{i}/{what}{form}" for i in (1, 2) for what in ("subjects", "versions") for form in FORMS[:2]),
    ]
    for subject in SUBJECTS:
        versions = [f"/subjects/{subject}/versions/{version}" for version in (1, 2, "latest")]
        paths += [f"/subjects/{subject}/versions{form}" for form in FORMS]
        paths += [version + form for version in versions for form in FORMS]
        paths += [version + what for version in versions for what in ("/schema?format=resolved", "/referencedby")]
        paths += [f"/signet/v1{version}" for version in versions]
        paths += [f"/{what}/{subject}{form}" for what in ("config", "mode") for form in ("", "?defaultToGlobal=true")]
        paths += [f"/subjects/{subject}/metadata"]
    asked: list[Request] = [("GET", path, None) for path in paths]
    for subject in SUBJECTS:
        for body in BODIES:
            asked += [
                ("POST", f"/subjects/{subject}?deleted=true", body),
                ("POST", f"/compatibility/subjects/{subject}/versions?verbose=true", body),
                ("POST", f"/compatibility/subjects/{subject}/versions/latest?verbose=true", body),
                ("POST", f"/subjects/{subject}/versions?dryRun=true", body),
            ]
        asked += [("POST", f"/subjects/{subject}/versions/{v}/tags?dryRun=true", {}) for v in (1, "latest")]
    return asked


QUESTIONS = questions()


@asynccontextmanager
async def serving(files: dict[str, Any], *entries: Entry) -> AsyncIterator[tuple[Log, httpx.AsyncClient]]:
    """A guarded registry on these entries, with its log."""
    opened: list[Log] = []

    async def open_store(url: str) -> Log:
        log = await open_log(url)
        if entries:
            async with log.turn(0) as turn:
                await turn.append(entries)
        opened.append(log)
        return log

    application = Application(Settings(_env_file=None, store="memory:", **files), open_store=open_store)
    async with application.running():
        transport = httpx.ASGITransport(application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
            yield opened[0], client


async def ask(client: httpx.AsyncClient, user: str, request: Request) -> tuple[int, Any]:
    """Status and content of the answer to a user."""
    method, path, body = request
    answer = await client.request(method, path, json=body, auth=(user, user))
    content = answer.json() if answer.content else None
    # Ids are given out once for all: what a new version would get tells how many there are.
    if "dryRun" in path and isinstance(content, dict) and content.get("accepted"):
        del content["answer"]["id"]
        for record in content["records"]:
            if record["value"]:
                record["value"].pop("id", None)
    return answer.status_code, content


def is_visible(key: Key, sight: Any) -> bool:
    """Whether a record is of a subject or a context that may be read, or of what holds for all."""
    if isinstance(key, NoopKey):
        return True
    if isinstance(key, ContextKey):
        return sight.sees_context(key.context)
    subject: Subject = key.subject
    settles_all = subject.context == GLOBAL_CONTEXT or subject == Subject.of("")
    return settles_all or (sight.sees(subject) if subject.name else sight.sees_context(subject.context))


@example({"orders-a": NAMED, "secrets-a": NAMED, ":.aside:orders-a": TEXTS[0]}, ENTANGLED, "ben")
@example({":.aside:orders-a": TEXTS[0], ":.prod:orders-a": TEXTS[1]}, [], "ana")
@given(stocks, changes, st.sampled_from(USERS))
@settings(max_examples=20)
def test_the_rest_might_as_well_not_be_there(
    files, stock: dict[str, str | None], history: list[Request], user: str
) -> None:
    sight = read_grants(files["grants_file"]).permissions([user])[user]

    async def compare() -> None:
        async with serving(files) as (log, whole):
            for change in (FREE, *starmap(registering, filter(itemgetter(1), stock.items())), *history):
                await ask(whole, "root", change)
            visible = [
                Entry(logged.key, logged.value, logged.author, logged.timestamp_ms)
                async for batch in log.read(0)
                for logged in batch.entries
                if is_visible(read_record(logged.key, logged.value).key, sight)
            ]
            async with serving(files, *visible) as (_, part):
                for question in QUESTIONS:
                    told = await ask(whole, user, question)
                    assert told == await ask(part, user, question), question
                    if told[0] != 403:
                        assert told == await ask(part, "root", question), question

    asyncio.run(compare())
