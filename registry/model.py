"""The nouns of the registry: subject, schema, reference, metadata, rules, level, mode, config, finding.

Owns what a valid value of each is; refuses to know JSON, HTTP, storage and schema languages.
Follows Confluent's REST API: contexts and subject names, data contracts, levels and modes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Final

from msgspec import Struct, field
from msgspec.structs import force_setattr

DEFAULT_CONTEXT: Final = "."
GLOBAL_CONTEXT: Final = ".__GLOBAL"
MAX_INT: Final = 2**31 - 1
"""The highest id and version that fit into Java's int, and so into a frame."""
LATEST: Final = -1
"""The version number that stands for the highest live version of a subject."""


def java_order(text: str) -> bytes:
    """Sort key that orders strings as Java does: by UTF-16 code units."""
    return text.encode("utf-16-be", "surrogatepass")


class Subject(Struct, frozen=True, gc=False, order=True):
    """A subject: its context (`.` is the default one) and its name within that context.

    `str(subject)` is the name as clients write it: bare in the default context, `:.context:name` elsewhere.
    """

    context: str
    name: str

    @classmethod
    def of(cls, text: str) -> Subject:
        """Read a subject as clients write it; `:.:name` is `name`, `:.context` is that context's empty name."""
        # Any other text is a bare name, colons included: `:a` and `a:b` name subjects of the default context.
        if not text.startswith(":."):
            return cls(DEFAULT_CONTEXT, text)
        context, _, name = text[1:].partition(":")
        return cls(context, name)

    @property
    def prefix(self) -> str:
        """The context as it stands before a name: `:.context:`, or nothing for the default context."""
        return "" if self.context == DEFAULT_CONTEXT else f":{self.context}:"

    @property
    def is_context(self) -> bool:
        """Whether this names a whole context rather than a subject in it."""
        return not self.name and self.context != DEFAULT_CONTEXT

    def __str__(self) -> str:
        return self.prefix + self.name


class Reference(Struct, frozen=True, gc=False):
    """A named type of this schema that is defined by a version of another subject; parts may be missing in old data."""

    name: str | None
    subject: str | None
    version: int | None


class Metadata(Struct, frozen=True, gc=False):
    """What a data contract says about a schema; maps and sets are kept in Java's order, sets as tuples."""

    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    sensitive: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ordered_tags = {path: ordered_set(self.tags[path]) for path in sorted(self.tags, key=java_order)}
        force_setattr(self, "tags", ordered_tags)
        force_setattr(self, "properties", ordered_map(self.properties))
        force_setattr(self, "sensitive", ordered_set(self.sensitive))


def ordered_set(items: Iterable[str]) -> tuple[str, ...]:
    """The distinct items in Java's order."""
    return tuple(sorted(set(items), key=java_order))


def ordered_map(items: Mapping[str, str]) -> dict[str, str]:
    """The same map with its keys in Java's order."""
    return {key: items[key] for key in sorted(items, key=java_order)}


class RuleKind(Enum):
    """What a rule does with a message."""

    TRANSFORM = "TRANSFORM"
    CONDITION = "CONDITION"


class RuleMode(Enum):
    """When a rule runs."""

    UPGRADE = "UPGRADE"
    DOWNGRADE = "DOWNGRADE"
    UPDOWN = "UPDOWN"
    WRITE = "WRITE"
    READ = "READ"
    WRITEREAD = "WRITEREAD"


class RuleStage(Enum):
    """Who executes the rules of a set (`enableAt`)."""

    ALL = "ALL"
    CLIENT = "CLIENT"
    GATEWAY = "GATEWAY"
    SERVER = "SERVER"
    NONE = "NONE"


class Rule(Struct, frozen=True, gc=False):
    """One rule of a data contract."""

    name: str | None
    doc: str | None = None
    kind: RuleKind = RuleKind.TRANSFORM
    mode: RuleMode = RuleMode.WRITEREAD
    type: str | None = None
    tags: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    expr: str | None = None
    on_success: str | None = None
    on_failure: str | None = None
    disabled: bool = False

    def __post_init__(self) -> None:
        force_setattr(self, "tags", ordered_set(self.tags))
        force_setattr(self, "params", ordered_map(self.params))


class RuleSet(Struct, frozen=True, gc=False):
    """The rules of a data contract; the order of each list counts."""

    migration_rules: tuple[Rule, ...] = ()
    domain_rules: tuple[Rule, ...] = ()
    encoding_rules: tuple[Rule, ...] = ()
    enable_at: RuleStage | None = None

    def __iter__(self) -> Iterator[Rule]:
        yield from self.migration_rules
        yield from self.domain_rules
        yield from self.encoding_rules


class Schema(Struct, frozen=True, gc=False):
    """What a schema id means: the text in its language, and all that is hashed with it."""

    text: str
    type: str = "AVRO"
    references: tuple[Reference, ...] = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None

    def digest(self) -> bytes:
        """The 16 bytes of the GUID: MD5 over the parts in Confluent's order; neither subject nor type count."""
        hashed = hashlib.md5(_utf8(self.text), usedforsecurity=False)
        if not self.references and self.metadata is None and self.rule_set is None:
            return hashed.digest()  # nearly every schema is a text and nothing else
        for part in _hashed_parts(self):
            hashed.update(part if isinstance(part, bytes) else _utf8(part))
        return hashed.digest()


def guid_text(digest: bytes) -> str:
    """A GUID as clients see it: a UUID without version bits."""
    digits = digest.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _utf8(text: str) -> bytes:
    # Java writes a question mark for half of a surrogate pair.
    return text.encode("utf-8", "replace")


def _hashed_parts(schema: Schema) -> Iterator[str | bytes]:
    for reference in schema.references:
        yield reference.name or ""
        yield reference.subject or ""
        if reference.version is not None:
            yield reference.version.to_bytes(4, "big", signed=True)
    if schema.metadata is not None:
        yield b"\x01"
        for path, tags in schema.metadata.tags.items():
            yield path
            yield from tags
        for name, value in schema.metadata.properties.items():
            yield name
            yield value
        yield from schema.metadata.sensitive
    if schema.rule_set is not None:
        yield b"\x01"
        for rule in schema.rule_set:
            yield from _hashed_rule_parts(rule)
        if schema.rule_set.enable_at is not None:
            yield schema.rule_set.enable_at.value


def _hashed_rule_parts(rule: Rule) -> Iterator[str | bytes]:
    yield from (rule.name or "", rule.doc or "", rule.kind.value, rule.mode.value, rule.type or "")
    yield from rule.tags
    for name, value in rule.params.items():
        yield name
        yield value
    yield from (rule.expr or "", rule.on_success or "", rule.on_failure or "")
    if rule.disabled:
        yield b"\x01"


class Direction(Enum):
    """Who must be able to read whom."""

    NEW_READS_OLD = "new reads old"
    OLD_READS_NEW = "old reads new"


class Level(Enum):
    """A compatibility level: the directions it checks, in reporting order, and whether against every older version."""

    NONE = ("NONE", (), False)
    BACKWARD = ("BACKWARD", (Direction.NEW_READS_OLD,), False)
    BACKWARD_TRANSITIVE = ("BACKWARD_TRANSITIVE", (Direction.NEW_READS_OLD,), True)
    FORWARD = ("FORWARD", (Direction.OLD_READS_NEW,), False)
    FORWARD_TRANSITIVE = ("FORWARD_TRANSITIVE", (Direction.OLD_READS_NEW,), True)
    FULL = ("FULL", (Direction.OLD_READS_NEW, Direction.NEW_READS_OLD), False)
    FULL_TRANSITIVE = ("FULL_TRANSITIVE", (Direction.OLD_READS_NEW, Direction.NEW_READS_OLD), True)

    def __init__(self, word: str, directions: tuple[Direction, ...], transitive: bool) -> None:
        self.word = word
        self.directions = directions
        self.transitive = transitive


class Mode(Enum):
    """What may be written to a subject: name, whether writes are refused, whether ids come from the client."""

    READWRITE = ("READWRITE", False, False)
    READONLY = ("READONLY", True, False)
    READONLY_OVERRIDE = ("READONLY_OVERRIDE", True, False)
    IMPORT = ("IMPORT", False, True)
    FORWARD = ("FORWARD", False, True)

    def __init__(self, word: str, read_only: bool, importing: bool) -> None:
        self.word = word
        self.read_only = read_only
        self.importing = importing


class Config(Struct, frozen=True, gc=False):
    """The settings of a subject, a context or the whole registry; None means not set here."""

    alias: str | None = None
    alias_for_deks: str | None = None
    normalize: bool | None = None
    validate_fields: bool | None = None
    validate_new_schemas: bool | None = None
    validate_rules: bool | None = None
    compatibility_level: Level | None = None
    compatibility_policy: str | None = None
    compatibility_group: str | None = None
    default_metadata: Metadata | None = None
    override_metadata: Metadata | None = None
    default_rule_set: RuleSet | None = None
    override_rule_set: RuleSet | None = None


class Finding(Struct, frozen=True, gc=False):
    """One reason why a reader cannot read a writer.

    kind: Avro Java's name of the reason (`TYPE_MISMATCH`); path: JSON pointer into the reader (`/fields/1/type`);
    message: Avro Java's message; place: the path as field names (`order.customer.address`), empty at the root;
    suggestion: the smallest change that would make the two compatible, one sentence.
    """

    kind: str
    path: str
    message: str
    place: str = ""
    suggestion: str = ""


class Association(Struct, frozen=True, gc=False):
    """A Kafka resource bound to a subject."""

    guid: str
    resource_name: str
    resource_namespace: str
    resource_id: str
    resource_type: str
    association_type: str
    subject: Subject
    lifecycle: str
    frozen: bool
