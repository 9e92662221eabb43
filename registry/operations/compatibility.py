"""Whether a schema fits a subject: against one version, or against as many as the level in force asks for.

Follows Confluent's Schema Registry: the newest first, only versions of the same compatibility group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from registry.errors import InvalidSchema, VersionNotFound
from registry.model import LATEST, Config, Level, Subject
from registry.operations.core import Core, mode_of, normalizes
from registry.operations.languages import Source
from registry.operations.reading import Reading, prepare, read, read_stored, sent_schema, source_of
from registry.operations.requests import Candidate
from registry.rows import Content, Row
from registry.rules.compatibility import Verdict, check, reserved_faults
from registry.rules.contracts import property_of, reserved_fields
from registry.state import State


class Compatibility:
    """What can be asked about schemas that are not registered yet."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def check(
        self, subject: Subject, version: int | None, candidate: Candidate, *, normalize: bool = False
    ) -> Verdict:
        """Whether a schema could become a version: against one version (LATEST too), or by the level in force (None).

        Raises VersionNotFound, InvalidSchema.
        """
        core = self._core
        await prepare(core, subject, candidate)
        await prepare_older(core, subject, version)
        state = await core.current()
        # A version that is not there is told before a schema that cannot be read.
        older = _compared(state, subject, version)
        config = core.config_of(state, subject)
        if candidate.is_blank:
            raise InvalidSchema("Empty schema")
        reading = read(
            core,
            state,
            subject,
            sent_schema(candidate),
            strict=config.validate_new_schemas is not False,
            normalize=normalizes(normalize, config, mode_of(state, subject)),
        )
        return judge_against(core, state, subject, reading, config, older)


async def prepare_older(core: Core, subject: Subject, version: int | None = None) -> None:
    """Parse the versions that a schema is to be compared with off the event loop, where they are large together."""
    state = core.state
    if not state.rows(subject):
        return
    level = core.config_of(state, subject).compatibility_level or Level.NONE
    # At NONE nothing is compared, and so nothing has to be parsed.
    if not level.directions:
        return
    with suppress(VersionNotFound):
        # One version is all that most levels look at. A compatibility group may mean an older one, which is parsed
        # when it is met.
        rows = _compared(state, subject, LATEST if version is None and not level.transitive else version)
        await core.languages.prepare_all(_sources(core, state, subject, rows))


def _sources(core: Core, state: State, subject: Subject, rows: Iterable[Row]) -> Iterator[Source]:
    """All that decides what each of these versions means; one whose references are lost is left for later to say."""
    for row in rows:
        with suppress(InvalidSchema):
            yield source_of(core, state, subject, row.content.schema, deleted=True)


def _compared(state: State, subject: Subject, version: int | None) -> Sequence[Row]:
    if version is None:
        return tuple(reversed(state.live_rows(subject)))
    row = state.latest(subject) if version == LATEST else state.row(subject, version)
    if version != LATEST and (row is None or row.deleted):
        raise VersionNotFound(version)
    # A subject without live versions has nothing to get along with.
    return (row,) if row else ()


def judge_against(
    core: Core, state: State, subject: Subject, reading: Reading, config: Config, older: Sequence[Row]
) -> Verdict:
    """Judge a schema against versions, newest first, by the level in force."""
    if not (older or config.validate_fields):
        return Verdict()  # as of every schema that is the first of its subject
    compared = same_group(reading.content, config, older)
    return check(
        config.compatibility_level or Level.NONE,
        reading.parsed,
        ((row.version, read_stored(core, state, subject, row.content.schema)) for row in compared),
        validate_fields=bool(config.validate_fields),
        reserved=_reserved(reading, older) if config.validate_fields else (),
        unreadable=core.languages.unreadable,
    )


def same_group(content: Content, config: Config, rows: Sequence[Row]) -> Sequence[Row]:
    """The versions that are compared with a schema: all, or those of its compatibility group where there are any."""
    group = config.compatibility_group
    if group is None:
        return rows
    own = property_of(content.schema.metadata, group)
    # Versions without the property are a group as well: None equals None.
    return [row for row in rows if property_of(row.content.schema.metadata, group) == own]


def _reserved(reading: Reading, older: Sequence[Row]) -> Sequence[str]:
    previous = reserved_fields(older[0].content.schema.metadata) if older else ()
    return reserved_faults(reading.parsed.field_names(), reserved_fields(reading.content.schema.metadata), previous)
