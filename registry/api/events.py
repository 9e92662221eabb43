"""The stream of changes: `GET /signet/v1/events`, server-sent events that are CloudEvents 1.0 in JSON (Signet only).

Every event is one record of the log; its id is the log's UUID and the record's position, and a stream goes on after
the id that it is given. Nothing is kept per listener but a position: a slow one reads the log later.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Annotated, Final
from uuid import UUID

import orjson
from fastapi import Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from registry.api.declaration import PlainRoute, Router
from registry.api.objects import rfc3339
from registry.api.replies import ErrorReply
from registry.api.route import TheRegistry, checked
from registry.api.visit import visit_of
from registry.errors import BadRequest
from registry.operations import Change
from registry.records import (
    AssociationKey,
    ClearSubjectKey,
    ConfigKey,
    ContextKey,
    DeleteSubjectKey,
    Key,
    ModeKey,
    SchemaKey,
    SchemaValue,
)
from registry.shapes import Json, present

router = Router(PlainRoute, tags=["events"], dependencies=[Depends(checked)])

WRITTEN_AND_REMOVED: Final[Mapping[type[Key], tuple[str, str]]] = {
    SchemaKey: ("signet.version.registered", "signet.version.deleted"),
    DeleteSubjectKey: ("signet.subject.softdeleted", "signet.subject.deleted"),
    ClearSubjectKey: ("signet.subject.swept", "signet.subject.deleted"),
    ConfigKey: ("signet.config.set", "signet.config.removed"),
    ModeKey: ("signet.mode.set", "signet.mode.removed"),
    ContextKey: ("signet.context.created", "signet.context.deleted"),
    AssociationKey: ("signet.association.set", "signet.association.removed"),
}
"""The type of event for a record with a value, and for one without; records of other kinds are no events."""


MAX_DIGITS: Final = 18
"""More have no position in any store: what it counts them in has 64 bits."""


async def _start(
    registry: TheRegistry,
    after: Annotated[
        str, Query(description="The position or event id to go on after; 0 is the beginning, absent is now.")
    ] = "",
    last_event_id: Annotated[str, Header(description="The same, as browsers send it; it wins over `after`.")] = "",
) -> int:
    given = last_event_id or after
    if not given:
        return registry.state.position
    log, _, position = given.rpartition(":")
    # Positions of another log mean other changes: a restored backup, or another registry behind the same name.
    if log and log != str(registry.uuid):
        raise BadRequest(f"The event id '{given}' is not of this log; read the registry anew and follow it from there")
    if not position.isdecimal() or len(position) > MAX_DIGITS:
        raise BadRequest(f"'{given}' is not an event id")
    return int(position)


@router.get(
    "/signet/v1/events",
    response_class=EventSourceResponse,
    responses={
        400: {"model": ErrorReply, "description": "400: The event id is none, or one of another log."},
        "default": {"model": ErrorReply, "description": "Any other refusal."},
    },
    summary="Follow the changes",
)
async def follow(
    request: Request, registry: TheRegistry, start: Annotated[int, Depends(_start)]
) -> AsyncIterator[ServerSentEvent]:
    """Every change after a position, those that happen from now on included, without end.

    A stream to a user ends with the first change after the users or the grants were read anew; it can be resumed by
    whoever may read it then.
    """
    guard, caller = request.app.state.guard, visit_of(request.scope).caller
    async for change in _until(request.app.state.closing, registry.changes(start)):
        if not guard.vouches_for(caller):
            return
        event = event_of(registry.uuid, change)
        if event is not None:
            identity = f"{registry.uuid}:{change.position}"
            yield ServerSentEvent(event=event["type"], id=identity, raw_data=orjson.dumps(event).decode())


def event_of(log: UUID, change: Change) -> Json | None:
    """A change as a CloudEvent, or None when it is of no interest outside."""
    key, value = change.record.key, change.record.value
    # Marks and no-ops are between nodes; a kind of record that this release does not know is left to later ones.
    if type(key) not in WRITTEN_AND_REMOVED:
        return None
    written, removed = WRITTEN_AND_REMOVED[type(key)]
    if isinstance(value, SchemaValue) and value.deleted:
        written = "signet.version.softdeleted"
    entry = change.record.entry()
    return present(
        specversion="1.0",
        id=f"{log}:{change.position}",
        source=f"/signet/{log}",
        type=removed if value is None else written,
        subject=str(getattr(key, "subject", getattr(key, "context", ""))),
        time=rfc3339(change.timestamp_ms),
        datacontenttype="application/json",
        author=change.author,
        data={"key": orjson.loads(entry.key), "value": entry.value and orjson.loads(entry.value)},
    )


async def _until(closing: asyncio.Event, changes: AsyncGenerator[Change]) -> AsyncIterator[Change]:
    """The changes, until the server is about to stop."""
    # Waiting for both at once needs tasks: a generator that waits for its next item cannot be told to stop.
    closed = asyncio.ensure_future(closing.wait())
    following = asyncio.ensure_future(anext(changes))
    try:
        while not closed.done():
            await asyncio.wait((following, closed), return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                yield following.result()
                following = asyncio.ensure_future(anext(changes))
    finally:
        closed.cancel()
        # The generator can be closed only when nobody is waiting inside it any more.
        following.cancel()
        await asyncio.wait((following,))
        await changes.aclose()
