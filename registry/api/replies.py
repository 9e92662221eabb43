"""What answers look like, for OpenAPI: models of what `objects` writes, and the errors that a route can give.

Nothing is validated with these models; tests compare them with real answers.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from registry.api.messages import Metadata, RuleSet, SchemaReference, SchemaTags
from registry.errors import (
    AccessDenied,
    BadRequest,
    BodyTooLarge,
    Invalid,
    MissingBody,
    NotAcceptable,
    Overloaded,
    RegistryError,
    RequestNotFound,
    StoreFailed,
    StoreTimedOut,
    TooManyFailures,
    Unauthenticated,
    UnsupportedMediaType,
)

ALWAYS: Final = (
    BadRequest,
    Unauthenticated,
    AccessDenied,
    RequestNotFound,
    NotAcceptable,
    UnsupportedMediaType,
    TooManyFailures,
    RegistryError,
    Overloaded,
)
"""What any request can be answered with."""

BODIED: Final = (BodyTooLarge, MissingBody)
"""What a request with a body can be answered with besides."""

PAGED: Final = Invalid
"""What a request for a page can be answered with besides: an offset below zero."""

WRITING: Final = (StoreFailed, StoreTimedOut)
"""What a change can be answered with besides."""


class Reply(BaseModel):
    """A JSON object of an answer, its members in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, defer_build=True)


class ErrorReply(Reply):
    """What every refusal looks like."""

    error_code: int = Field(alias="error_code", description="The code; its first three digits are the HTTP status.")
    message: str = Field(description="What is wrong, in one sentence.")


class SchemaString(Reply):
    """What an id means."""

    subject: str | None = Field(None, description="A subject that holds the id.")
    version: int | None = Field(None, description="The version of that subject that holds it.")
    guid: str = Field(description="The identity of the schema over all registries.")
    schema_type: str = Field(description="The schema language.")
    text: str = Field(alias="schema", description="The schema text.")
    references: list[SchemaReference] | None = Field(None, description="The types that it takes from other subjects.")
    metadata: Metadata | None = Field(None, description="Metadata.")
    rule_set: RuleSet | None = Field(None, description="Rules.")
    schema_tags: list[SchemaTags] | None = Field(None, description="The inline tags that were asked for.")
    max_id: int | None = Field(None, description="The highest id given out in the context, if asked for.")
    subjects: list[str] | None = Field(None, description="The subjects that hold the id, if asked for.")
    ts: int | None = Field(None, description="When it was last written, in ms since 1970.")
    deleted: bool | None = Field(None, description="Whether it is soft-deleted.")


class Schema(Reply):
    """A version of a subject."""

    subject: str = Field(description="The subject.")
    version: int = Field(description="The version.")
    id: int = Field(description="The id of the schema within its context.")
    guid: str = Field(description="The identity of the schema over all registries.")
    schema_type: str = Field(description="The schema language.")
    references: list[SchemaReference] | None = Field(None, description="The types that it takes from other subjects.")
    metadata: Metadata | None = Field(None, description="Metadata.")
    text: str = Field(alias="schema", description="The schema text.")
    schema_tags: list[SchemaTags] | None = Field(None, description="The inline tags that were asked for.")
    ts: int | None = Field(None, description="When it was last written, in ms since 1970.")
    deleted: bool | None = Field(None, description="Whether it is soft-deleted.")
    rule_set: RuleSet | None = Field(None, description="Rules.")


class Association(Reply):
    """A Kafka resource bound to a subject."""

    subject: str = Field(description="The subject.")
    guid: str = Field(description="The identity of the association.")
    resource_name: str = Field(description="The name of the resource.")
    resource_namespace: str = Field(description="The namespace of the resource.")
    resource_id: str = Field(description="The id of the resource.")
    resource_type: str = Field(description="The type of the resource.")
    association_type: str = Field(description="`key` or `value`.")
    lifecycle: str = Field(description="`STRONG` or `WEAK`.")
    frozen: bool | None = Field(None, description="Whether it may change, where the lifecycle does not imply it.")
    create_ts: int = Field(description="When it was made, in ms since 1970.")
    update_ts: int = Field(description="When it was last changed, in ms since 1970.")


class ListedSchema(Schema):
    """A version in a listing."""

    aliases: list[str] | None = Field(None, description="The subjects that are aliases of this one, if asked for.")
    associations: list[Association] | None = Field(None, description="What is bound to the subject, if asked for.")


class SchemaDetails(Schema):
    """A version with its origin (Signet only)."""

    registered_by: str | None = Field(description="Who registered it; null when nobody was asked.")
    registered_at: str = Field(description="When it was registered, as RFC 3339 writes it.")


class Registered(Reply):
    """The version that a schema is, or has become."""

    id: int = Field(description="The id of the schema within its context.")
    version: int = Field(description="The version of the subject.")
    guid: str = Field(description="The identity of the schema over all registries.")
    schema_type: str = Field(description="The schema language.")
    references: list[SchemaReference] | None = Field(None, description="The types that it takes from other subjects.")
    metadata: Metadata | None = Field(None, description="Metadata.")
    rule_set: RuleSet | None = Field(None, description="Rules.")
    text: str = Field(alias="schema", description="The schema text.")
    ts: int | None = Field(None, description="When it was written, if it was there before, in ms since 1970.")
    deleted: bool | None = Field(None, description="Whether it is soft-deleted, if it was there before.")


class SubjectVersion(Reply):
    """A version of a subject, by name and number."""

    subject: str = Field(description="The subject.")
    version: int = Field(description="The version.")


class ContextId(Reply):
    """An id in its context."""

    context: str = Field(description="The context.")
    id: int = Field(description="The id.")


class CompatibilityVerdict(Reply):
    """Whether a schema fits."""

    is_compatible: bool = Field(alias="is_compatible", description="Whether it fits.")
    messages: list[str] | None = Field(None, description="Why it does not, if `verbose`.")


class Finding(Reply):
    """A difference that breaks compatibility."""

    version: int = Field(description="The older version that it concerns.")
    direction: str = Field(description="Who could not read whom: `new reads old` or `old reads new`.")
    kind: str = Field(description="The kind of difference, in Confluent's words.")
    path: str = Field(description="Where it is, as a JSON pointer.")
    message: str = Field(description="What it is, in one sentence.")
    place: str | None = Field(None, description="Where it is, in the words of the schema.")
    suggestion: str | None = Field(None, description="What would mend it.")


class Explanation(Reply):
    """Whether a schema fits, and what stands against it (Signet only)."""

    compatible: bool = Field(description="Whether it fits.")
    findings: list[Finding] = Field(description="Every difference that breaks compatibility.")
    messages: list[str] = Field(description="Confluent's lines about them.")


class Config(Reply):
    """A config."""

    alias: str | None = Field(None, description="The subject that this one stands for.")
    alias_for_deks: str | None = Field(None, description="The same, for data encryption keys.")
    normalize: bool | None = Field(None, description="Whether schemas are normalized on registration.")
    validate_fields: bool | None = Field(None, description="Whether reserved fields are checked.")
    validate_new_schemas: bool | None = Field(None, description="Whether new schemas are read strictly.")
    validate_rules: bool | None = Field(None, description="Whether rules are checked.")
    compatibility_level: str | None = Field(None, description="The compatibility level.")
    compatibility_policy: str | None = Field(None, description="LOGICAL, STRICT or LENIENT.")
    compatibility_group: str | None = Field(None, description="The metadata property whose values part the versions.")
    default_metadata: Metadata | None = Field(None, description="Metadata for schemas that bring none.")
    override_metadata: Metadata | None = Field(None, description="Metadata that wins over a schema's own.")
    default_rule_set: RuleSet | None = Field(None, description="Rules for schemas that bring none.")
    override_rule_set: RuleSet | None = Field(None, description="Rules that win over a schema's own.")


class ConfigUpdated(Config):
    """A config as it is after a change; the level's member is named as in the request."""

    compatibility_level: str | None = Field(None, alias="compatibility", description="The compatibility level.")


class Mode(Reply):
    """A mode; without the member when there was none."""

    mode: str | None = Field(None, description="The mode.")


class ModeUpdated(Reply):
    """The mode as it was sent."""

    mode: str | None = Field(description="The mode; null when it was cleared.")


class AssociationOfResource(Reply):
    """An association of a resource that is named around it."""

    subject: str = Field(description="The subject.")
    association_type: str = Field(description="`key` or `value`.")
    lifecycle: str = Field(description="`STRONG` or `WEAK`.")
    frozen: bool | None = Field(None, description="Whether it may change, where the lifecycle does not imply it.")
    text: Schema | None = Field(None, alias="schema", description="The subject's latest version, if asked for.")


class AssociationsOfResource(Reply):
    """A resource with its associations."""

    resource_name: str | None = Field(None, description="The name of the resource.")
    resource_namespace: str | None = Field(None, description="The namespace of the resource.")
    resource_id: str | None = Field(None, description="The id of the resource.")
    resource_type: str | None = Field(None, description="The type of the resource.")
    associations: list[AssociationOfResource] | None = Field(None, description="Its associations, if any.")


class AssociationResult(Reply):
    """The answer to one question of a batch: a result or an error."""

    error: ErrorReply | None = Field(None, description="Why there is no result.")
    result: AssociationsOfResource | None = Field(None, description="The result.")


class AssociationBatch(Reply):
    """The answers to a batch of questions, in their order."""

    results: list[AssociationResult] = Field(description="The answers.")


class Clusters(Reply):
    """The names of the clusters that a registry belongs to."""

    kafka_cluster: str = Field(alias="kafka-cluster", description="The identity of the log.")
    schema_registry_cluster: str = Field(alias="schema-registry-cluster", description="The name of the registry.")


class Scope(Reply):
    """The scope of a registry, as Confluent's clients expect it."""

    path: list[str] = Field(description="Always empty.")
    clusters: Clusters = Field(description="The clusters.")


class ServerIdentity(Reply):
    """Which registry this is."""

    scope: Scope = Field(description="The scope.")


class ServerVersion(Reply):
    """Which release this is."""

    version: str = Field(description="The release of Signet.")
    commit_id: str = Field(description="The commit it was built from, where known.")


class Deployment(Reply):
    """How this registry is deployed."""

    attributes: list[str] = Field(description="Always empty.")


class Health(Reply):
    """How the server is."""

    status: str = Field(
        description="`live`, `ready`, `draining`, or `alarmed`: nothing is written to its store any more."
    )


class RecordReply(Reply):
    """A record of the log, as the `_schemas` topic holds it."""

    key: dict[str, Any] = Field(description="The key.")
    value: dict[str, Any] | None = Field(description="The value; null removes what the key names.")


class Dependants(Reply):
    """Which schemas refer to a version."""

    version: int = Field(description="The version.")
    referenced_by: list[int] = Field(description="The ids of the schemas that refer to it.")


class Outcome(Reply):
    """What a change would do (Signet only)."""

    accepted: bool = Field(description="Whether it would be done.")
    refusal: ErrorReply | None = Field(None, description="If not: the error that would be answered.")
    answer: Any = Field(None, description="If so: what would be answered.")
    records: list[RecordReply] | None = Field(None, description="If so: the records that would be logged.")
    findings: list[Finding] | None = Field(None, description="The differences that break compatibility, if any.")
    dependants: list[Dependants] | None = Field(None, description="The schemas that refer to what would go, if any.")


def answers(
    model: object, *errors: type[RegistryError], status: int = 200, bodied: bool = False
) -> dict[int | str, Any]:
    """The `responses` of a route: the model of its answer, and every error it can give, by status.

    bodied: whether it reads a body.
    """
    by_status: dict[int, list[str]] = defaultdict(list)
    for error in dict.fromkeys((*ALWAYS, *(BODIED if bodied else ()), *errors)):
        sentence = (error.__doc__ or "").partition("\n")[0]
        by_status[int(str(error.code)[:3])].append(f"{error.code}: {sentence}")
    refusals: dict[int | str, Any] = {
        code: {"model": ErrorReply, "description": " ".join(lines)} for code, lines in sorted(by_status.items())
    }
    answer = {"description": "No content."} if model is None else {"model": model, "description": "The answer."}
    # Without a default FastAPI would document its own 422, whose shape no answer here has.
    return {status: answer, **refusals, "default": {"model": ErrorReply, "description": "Any other refusal."}}
