"""Making sense of a schema in its place: from what a client sent, or what is stored, to a parsed schema.

Owns Confluent's words for a schema that cannot be read; refuses to know languages.
"""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from registry.errors import InvalidSchema, UnparsableSchema
from registry.formats.protocol import Parsed
from registry.model import Reference, Schema, Subject, guid_text
from registry.operations.core import Core
from registry.operations.java import printed
from registry.operations.languages import THREAD_ABOVE_BYTES, Source
from registry.operations.references import referred_texts, with_numbers
from registry.operations.requests import Candidate
from registry.rows import Content
from registry.state import State


class Reading(Struct, frozen=True, gc=False):
    """A schema that was understood: what would be stored, its parsed form, and what its language says against the
    schema as sent as a new one.
    """

    content: Content
    parsed: Parsed
    fault: str | None = None


def source_of(core: Core, state: State, subject: Subject, sent: Schema, *, deleted: bool) -> Source:
    """All that decides what a schema of this subject means; `deleted` lets it refer to soft-deleted versions.

    Raises InvalidSchema when a reference cannot be resolved.
    """
    strict = core.policy.reference_versions_strict
    return Source(sent.type, sent.text, referred_texts(state, subject, sent.references, deleted=deleted, strict=strict))


def sent_schema(candidate: Candidate) -> Schema:
    """What a client sent, as a schema; metadata and rules still as sent."""
    return Schema(candidate.text or "", candidate.type, candidate.references, candidate.metadata, candidate.rule_set)


def read(core: Core, state: State, subject: Subject, sent: Schema, *, strict: bool, normalize: bool) -> Reading:
    """Understand a schema as sent, and give it its canonical (or normal) form.

    strict: judge it as new; only then must the versions it refers to be live.

    Raises InvalidSchema in Confluent's words.
    """
    core.languages.check_type(sent.type)
    try:
        # What is there already may go on referring to what was soft-deleted since; a new schema may not.
        source = source_of(core, state, subject, sent, deleted=not strict)
        known = core.languages.known(source, strict=strict)
        parsed = known.parsed
        text = parsed.normalized().text if normalize else parsed.text
        if text != parsed.text:
            parsed = core.languages.parse(replace(source, text=text), strict=False)
    except (UnparsableSchema, InvalidSchema) as reason:
        raise unreadable(state, subject, sent, reason.message) from reason
    # A reference to the latest version is kept as one to the version that is the latest now.
    references = with_numbers(state, subject, sent.references)
    schema = replace(sent, text=text, references=_ordered(references) if normalize else references)
    return Reading(Content(schema, schema.digest()), parsed, known.fault)


async def prepare(core: Core, subject: Subject, candidate: Candidate) -> None:
    """Let others have the loop if many schemas are being made sense of, and parse a large one off the loop, so that a
    decision about it finds it parsed.

    What is wrong with it is left for the decision to say, in its place in the order of checks.
    """
    await core.writer.thinking.rest()
    sent = sent_schema(candidate)
    if len(sent.text) <= THREAD_ABOVE_BYTES and not sent.references:
        return
    with suppress(InvalidSchema):
        core.languages.check_type(sent.type)
        await core.languages.prepare(source_of(core, core.state, subject, sent, deleted=True))


def read_stored(core: Core, state: State, subject: Subject, schema: Schema, *, revived: bool = False) -> Parsed:
    """Parse a stored schema, as leniently as it may need; `revived` wants what it refers to live.

    Raises InvalidSchema when not even that helps (a record from elsewhere).
    """
    try:
        return core.languages.parse(source_of(core, state, subject, schema, deleted=not revived), strict=False)
    except (UnparsableSchema, InvalidSchema) as reason:
        raise unreadable(state, subject, schema, reason.message) from reason


def unreadable(state: State, subject: Subject, sent: Schema, details: str) -> InvalidSchema:
    """The refusal of a schema in Confluent's words; tests of clients look for the language's own message in it."""
    # Java puts the numbers of the latest versions into the references as it goes, and shows them.
    sent = replace(sent, references=with_numbers(state, subject, sent.references))
    references, guid = printed(sent.references), guid_text(sent.digest())
    return InvalidSchema(
        f"Invalid schema of type {sent.type}, details: Invalid schema {{subject={subject},version=null,id=null,"
        f"guid={guid},schemaType={sent.type},references={references},metadata={printed(sent.metadata)},"
        f"ruleSet={printed(sent.rule_set)},schema={sent.text},schemaTags=null,ts=null,deleted=null}} "
        f"with refs {references} of type {sent.type}, details: {details}"
    )


def _ordered(references: tuple[Reference, ...]) -> tuple[Reference, ...]:
    # In normal form the order in which a client lists its references says nothing.
    distinct = dict.fromkeys(references)
    return tuple(sorted(distinct, key=lambda reference: (reference.subject or "", reference.version or 0)))
