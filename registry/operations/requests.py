"""What is asked of the registry and what it answers, as values; HTTP and records are other people's business."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from registry.formats.protocol import InlineTags
from registry.model import Association, Metadata, Reference, RuleSet, Schema, Subject
from registry.operations.java import BLANKS


class Visibility(Enum):
    """Which versions count: live ones, soft-deleted ones too, or only those."""

    LIVE = "live"
    ALL = "all"
    DELETED = "deleted"


class Page(Struct, frozen=True, gc=False):
    """A slice of a list as the client asked for it; a limit out of (0, maximum] means the default limit."""

    offset: int = 0
    limit: int = -1


class Candidate(Struct, frozen=True, gc=False):
    """A schema as a client sends it; `text` may be missing, `version` 0 and `id` -1 mean not given."""

    text: str | None
    type: str = "AVRO"
    references: tuple[Reference, ...] = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    version: int = 0
    id: int = -1
    tags_to_add: tuple[InlineTags, ...] = ()
    tags_to_remove: tuple[InlineTags, ...] = ()
    propagate_tags: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether no schema was sent."""
        return not (self.text or "").strip(BLANKS)


class TagChange(Struct, frozen=True, gc=False):
    """A change of the inline tags, metadata and rules of one version, which becomes a new version."""

    new_version: int = 0
    tags_to_add: tuple[InlineTags, ...] = ()
    tags_to_remove: tuple[InlineTags, ...] = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    rules_to_merge: RuleSet | None = None
    rules_to_remove: tuple[str, ...] = ()


class Stored(Struct, frozen=True, gc=False):
    """A version of a subject. `timestamp_ms` and `deleted` are None where Confluent leaves them out."""

    subject: Subject
    version: int
    id: int
    schema: Schema
    guid: str
    timestamp_ms: int | None = None
    deleted: bool | None = None


class Details(Struct, frozen=True, gc=False):
    """A version with who registered it (None: nobody was asked) and when (ms since 1970)."""

    stored: Stored
    registered_by: str | None
    registered_ms: int


class Bound(Struct, frozen=True, gc=False):
    """An association with when it was made and last changed (ms since 1970)."""

    association: Association
    created_ms: int
    updated_ms: int


class BoundFilter(Struct, frozen=True, gc=False):
    """Which associations to list; empty lists and None mean any."""

    resource_type: str | None = None
    association_types: tuple[str, ...] = ()
    lifecycle: str | None = None


class Listed(Struct, frozen=True, gc=False):
    """A version in a listing, with the subjects that are aliases of its own, and what is bound to it."""

    stored: Stored
    aliases: tuple[str, ...] = ()
    associations: tuple[Bound, ...] = ()


class SchemaFilter(Struct, frozen=True, gc=False):
    """Which schemas to list."""

    prefix: str = ""
    aliases: bool = False
    deleted: bool = False
    latest_only: bool = False
    rule_type: str | None = None
    resource_type: str | None = None
    association_types: tuple[str, ...] = ()
    lifecycles: tuple[str, ...] = ()


class Plan(Struct, frozen=True, gc=False):
    """What a change would do: the answer it would give and the records it would append, as (key, value) texts."""

    answer: Any
    records: tuple[tuple[str, str | None], ...]


ConfigPatch = Mapping[str, Any]
"""Fields of model.Config that were present in the request; None clears one."""
