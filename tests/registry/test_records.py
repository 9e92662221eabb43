"""The records: byte for byte as Confluent writes them, and read from every dialect."""

from __future__ import annotations

import contextlib
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.model import Association, Config, Level, Metadata, Mode, Reference, Rule, RuleSet, Schema, Subject
from registry.records import (
    EVERYTHING,
    AssociationKey,
    ClearSubjectKey,
    ConfigKey,
    ContextKey,
    DeletedUpTo,
    DeleteSubjectKey,
    IdMarks,
    Key,
    ModeKey,
    NoopKey,
    Present,
    Record,
    SchemaKey,
    SchemaValue,
    UnreadableRecordError,
    Value,
    compact,
    read_record,
)

S = Subject.of("s")
STRING = Schema('"string"')
ASSOCIATION = Association("g", "t1", "lkc-1", "id1", "topic", "value", Subject.of(":.lkc-1:t1-value"), "STRONG", True)
ASSOCIATION_KEY = AssociationKey("t1", "lkc-1", "topic", "value", Subject.of(":.lkc-1:t1-value"))

WRITTEN: list[tuple[str, Key, Value | None, bytes, bytes | None]] = [
    ("noop", NoopKey(), None, b'{"keytype":"NOOP","magic":0}', None),
    (
        "highest ids",
        NoopKey(),
        IdMarks({".": 123}),
        b'{"keytype":"NOOP","magic":0}',
        b'{"v":1,"hw":{".":123}}',
    ),
    (
        "version",
        SchemaKey(S, 1),
        SchemaValue(7, STRING),
        b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}',
        b'{"subject":"s","version":1,"id":7,"schemaType":"AVRO","schema":"\\"string\\"","deleted":false}',
    ),
    (
        "version in a context",
        SchemaKey(Subject.of(":.ctx:s"), 2),
        SchemaValue(0, Schema("{}", "JSON"), deleted=True),
        b'{"keytype":"SCHEMA","subject":":.ctx:s","version":2,"magic":1}',
        b'{"subject":":.ctx:s","version":2,"id":0,"schemaType":"JSON","schema":"{}","deleted":true}',
    ),
    (
        "version of the empty subject",
        SchemaKey(EVERYTHING, 1),
        SchemaValue(1, STRING),
        b'{"keytype":"SCHEMA","version":1,"magic":1}',
        b'{"version":1,"id":1,"schemaType":"AVRO","schema":"\\"string\\"","deleted":false}',
    ),
    (
        "version with all there is",
        SchemaKey(S, 1),
        SchemaValue(
            7,
            Schema(
                "{}",
                references=(Reference("n", "s2", 3), Reference(None, "s3", None)),
                metadata=Metadata(),
                rule_set=RuleSet(),
            ),
            md5=b"\x00" * 16,
        ),
        b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}',
        (
            b'{"subject":"s","version":1,"id":7,"md5":"AAAAAAAAAAAAAAAAAAAAAA==","schemaType":"AVRO",'
            b'"references":[{"name":"n","subject":"s2","version":3},{"subject":"s3"}],'
            b'"metadata":{},"ruleSet":{},"schema":"{}","deleted":false}'
        ),
    ),
    (
        "global config",
        ConfigKey(EVERYTHING),
        Config(compatibility_level=Level.FULL),
        b'{"keytype":"CONFIG","magic":0}',
        b'{"compatibilityLevel":"FULL"}',
    ),
    (
        "config of a subject",
        ConfigKey(S),
        Config(
            alias="a",
            normalize=True,
            validate_fields=False,
            compatibility_level=Level.FULL,
            compatibility_group="g",
            default_metadata=Metadata(properties={"k": "v"}),
            override_rule_set=RuleSet(domain_rules=(Rule("r", type="CEL"),)),
        ),
        b'{"keytype":"CONFIG","subject":"s","magic":0}',
        (
            b'{"subject":"s","alias":"a","normalize":true,"validateFields":false,"compatibilityLevel":"FULL",'
            b'"compatibilityGroup":"g","defaultMetadata":{"properties":{"k":"v"}},"overrideRuleSet":{"domainRules":'
            b'[{"name":"r","kind":"TRANSFORM","mode":"WRITEREAD","type":"CEL","disabled":false}]}}'
        ),
    ),
    ("no config", ConfigKey(S), None, b'{"keytype":"CONFIG","subject":"s","magic":0}', None),
    ("global mode", ModeKey(EVERYTHING), Mode.READONLY, b'{"keytype":"MODE","magic":0}', b'{"mode":"READONLY"}'),
    (
        "mode of a context",
        ModeKey(Subject.of(":.ctx:")),
        Mode.IMPORT,
        b'{"keytype":"MODE","subject":":.ctx:","magic":0}',
        b'{"subject":":.ctx:","mode":"IMPORT"}',
    ),
    (
        "context",
        ContextKey(".ctx"),
        Present(),
        b'{"keytype":"CONTEXT","tenant":"default","context":".ctx","magic":0}',
        b'{"tenant":"default","context":".ctx"}',
    ),
    (
        "soft delete of a subject",
        DeleteSubjectKey(S),
        DeletedUpTo(3),
        b'{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}',
        b'{"subject":"s","version":3}',
    ),
    (
        "soft delete of the empty subject",
        DeleteSubjectKey(EVERYTHING),
        DeletedUpTo(1),
        b'{"keytype":"DELETE_SUBJECT","magic":0}',
        b'{"version":1}',
    ),
    (
        "clearing of a subject",
        ClearSubjectKey(S),
        Present(),
        b'{"keytype":"CLEAR_SUBJECT","subject":"s","magic":0}',
        b'{"subject":"s"}',
    ),
    (
        "clearing of everything",
        ClearSubjectKey(EVERYTHING),
        Present(),
        b'{"keytype":"CLEAR_SUBJECT","magic":0}',
        b"{}",
    ),
    (
        "association",
        ASSOCIATION_KEY,
        ASSOCIATION,
        (
            b'{"keytype":"ASSOC","tenant":"default","resourceName":"t1","resourceNamespace":"lkc-1","resourceType":"topic",'
            b'"associationType":"value","subject":":.lkc-1:t1-value","magic":0}'
        ),
        (
            b'{"guid":"g","tenant":"default","resourceName":"t1","resourceNamespace":"lkc-1","resourceId":"id1",'
            b'"resourceType":"topic","associationType":"value","subject":":.lkc-1:t1-value","lifecycle":"STRONG",'
            b'"frozen":true}'
        ),
    ),
]
TABLE = pytest.mark.parametrize(
    ("key", "value", "key_bytes", "value_bytes"),
    [pytest.param(*row, id=name.replace(" ", "-")) for name, *row in WRITTEN],
)


@TABLE
def test_a_record_has_the_bytes_of_confluent(
    key: Key, value: Value | None, key_bytes: bytes, value_bytes: bytes | None
) -> None:
    entry = Record(key, value).entry("somebody")
    assert (entry.key, entry.value, entry.author) == (key_bytes, value_bytes, "somebody")


@TABLE
def test_a_record_reads_back_as_it_was_written(
    key: Key, value: Value | None, key_bytes: bytes, value_bytes: bytes | None
) -> None:
    assert read_record(key_bytes, value_bytes) == Record(key, value)


ESCAPED = [
    ('"\\/', rb'"\"\\/"'),
    ("\b\t\n\f\r", rb'"\b\t\n\f\r"'),
    ("\x00\x0b\x1f", rb'"\u0000\u000B\u001F"'),
    ("\x7f\u2028<é>", '"\x7f\u2028<é>"'.encode()),
    ("😀\U0010ffff", rb'"\uD83D\uDE00\uDBFF\uDFFF"'),
    ("\\u00ab\\", rb'"\\u00ab\\"'),
    ("\x1a\\u001a😀\\u001a", rb'"\u001A\\u001a\uD83D\uDE00\\u001a"'),
]


@pytest.mark.parametrize(("text", "escaped"), ESCAPED)
def test_text_is_escaped_as_jackson_does(text: str, escaped: bytes) -> None:
    assert compact({"a": text}) == b'{"a":' + escaped + b"}"


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(texts, texts, max_size=4))
def test_compact_json_means_what_it_was_made_from(value: dict[str, str]) -> None:
    assert json.loads(compact(value)) == value


metadata = st.builds(
    Metadata,
    st.dictionaries(texts, st.lists(texts.filter(bool), min_size=1, max_size=2).map(tuple), max_size=2),
    st.dictionaries(texts, texts.filter(bool), max_size=2),
    st.lists(texts, max_size=2).map(tuple),
)
references = st.lists(st.builds(Reference, texts.filter(bool), texts.filter(bool), st.integers(-1, 9)), max_size=2)
schemas = st.builds(
    Schema,
    texts.filter(bool),
    st.sampled_from(["AVRO", "JSON"]),
    references.map(tuple),
    st.none() | metadata,
    st.none() | st.builds(RuleSet, domain_rules=st.builds(Rule, texts.filter(bool)).map(lambda rule: (rule,))),
)


@given(st.integers(0, 2**31 - 1), schemas, st.booleans())
def test_every_version_reads_back_as_it_was_written(number: int, schema: Schema, deleted: bool) -> None:
    record = Record(SchemaKey(S, 1), SchemaValue(number, schema, deleted))
    entry = record.entry()
    assert read_record(entry.key, entry.value) == record


SCHEMA_KEY = b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}'
FIRST = Record(SchemaKey(S, 1), SchemaValue(7, STRING))
FOREIGN = {
    "confluent before 5.5": (
        b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":0}',
        b'{"subject":"s","version":1,"id":7,"schema":"\\"string\\"","deleted":false}',
        FIRST,
    ),
    "confluent, put again from its cache": (
        SCHEMA_KEY,
        b'{"subject":"s","version":1,"id":7,"schemaType":"AVRO","schema":"\\"string\\"","deleted":false,"offset":5,"ts":1}',
        FIRST,
    ),
    "karapace": (
        b'{"subject":"s","version":1,"magic":1,"keytype":"SCHEMA"}',
        b'{"subject":"s","version":1,"id":7,"schema":"\\"string\\"","deleted":false}',
        FIRST,
    ),
    "karapace, removing": (SCHEMA_KEY, b"", Record(SchemaKey(S, 1), None)),
    "a null in JSON": (SCHEMA_KEY, b"null", Record(SchemaKey(S, 1), None)),
    "redpanda": (
        b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1,"seq":5,"node":0}',
        b'{"subject":"s","version":1,"id":7,"schema":"\\"string\\"","deleted":false}',
        FIRST,
    ),
    "redpanda, deleting a subject": (
        b'{"keytype":"DELETE_SUBJECT","subject":"s","magic":0,"seq":9,"node":0}',
        b'{"subject":"s"}',
        Record(DeleteSubjectKey(S), DeletedUpTo(None)),
    ),
    "a global config with a null subject": (
        b'{"keytype":"CONFIG","subject":null,"magic":0}',
        b'{"compatibilityLevel":"full"}',
        Record(ConfigKey(EVERYTHING), Config(compatibility_level=Level.FULL)),
    ),
    "a config that does not name its subject": (
        b'{"keytype":"CONFIG","subject":"s","magic":0}',
        b'{"compatibilityLevel":"FULL","somethingNew":[1]}',
        Record(ConfigKey(S), Config(compatibility_level=Level.FULL)),
    ),
    "numbers as text": (
        b'{"keytype":"SCHEMA","subject":"s","version":"1","magic":1}',
        b'{"id":"7","schema":"\\"string\\""}',
        FIRST,
    ),
    "a noop that says something of its own": (
        b'{"keytype":"NOOP","magic":0}',
        b'{"anything":[1]}',
        Record(NoopKey(), IdMarks({})),
    ),
    "parts of the wrong kind": (
        SCHEMA_KEY,
        b'{"id":7,"schema":"\\"string\\"","references":5,"metadata":"no","ruleSet":[],"deleted":"yes"}',
        FIRST,
    ),
}


@pytest.mark.parametrize(("key", "value", "record"), FOREIGN.values(), ids=FOREIGN)
def test_a_record_of_another_dialect_means_the_same(key: bytes, value: bytes | None, record: Record) -> None:
    assert read_record(key, value) == record


def test_a_guid_that_confluent_computed_before_encrypting_is_kept() -> None:
    value = b'{"id":7,"md5":"CV1xzxJVa51eMwrVdbPfXQ==","schema":"x"}'
    read = read_record(SCHEMA_KEY, value).value
    assert isinstance(read, SchemaValue)
    assert read.md5 == STRING.digest()


UNREADABLE: list[tuple[bytes, bytes | None]] = [
    (b"", None),
    (b"{", None),
    (b"null", None),
    (b"5", None),
    (b"[]", None),
    (b'"SCHEMA"', None),
    (b"{}", None),
    (b'{"keytype":null}', None),
    (b'{"keytype":{}}', None),
    (b'{"keytype":"WISH","magic":0}', None),
    (b"\xff\xfe", None),
    (b'{"keytype":"SCHEMA","subject":"s","magic":1}', None),
    (b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":2}', None),
    (b'{"keytype":"SCHEMA","subject":"s","version":0,"magic":1}', None),
    (b'{"keytype":"SCHEMA","subject":"s","version":2147483648,"magic":1}', None),
    (b'{"keytype":"SCHEMA","subject":"s","version":"one","magic":1}', None),
    (b'{"keytype":"SCHEMA","subject":5,"version":1,"magic":1}', None),
    (b'{"keytype":"SCHEMA","subject":["s"],"version":1,"magic":1}', None),
    (b'{"keytype":"CONTEXT","magic":0}', None),
    (b'{"keytype":"CONTEXT","context":5,"magic":0}', None),
    (b'{"keytype":"ASSOC","resourceName":5,"resourceNamespace":"n","subject":"s","magic":0}', None),
    (SCHEMA_KEY, b"{"),
    (SCHEMA_KEY, b"[]"),
    (SCHEMA_KEY, b'{"schema":"x"}'),
    (SCHEMA_KEY, b'{"id":-1,"schema":"x"}'),
    (SCHEMA_KEY, b'{"id":4294967296,"schema":"x"}'),
    (SCHEMA_KEY, b'{"id":1e400,"schema":"x"}'),
    (SCHEMA_KEY, b'{"id":1,"md5":"AAAA","schema":"x"}'),
    (SCHEMA_KEY, b'{"id":1,"md5":"no base64!","schema":"x"}'),
    (b'{"keytype":"MODE","magic":0}', b'{"mode":"SLEEPING"}'),
    (b'{"keytype":"MODE","magic":0}', b"{}"),
    (b'{"keytype":"CONFIG","magic":0}', b"[]"),
    (b'{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}', b'{"version":"many"}'),
    (b'{"keytype":"NOOP","magic":0}', b'{"hw":{".":"high"}}'),
]


@pytest.mark.parametrize(("key", "value"), UNREADABLE)
def test_what_makes_no_sense_is_unreadable(key: bytes, value: bytes | None) -> None:
    with pytest.raises(UnreadableRecordError):
        read_record(key, value)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b'{"keytype":"FUTURE","magic":0}', b"{}", "'FUTURE' is missing or unknown"),
        (b'{"magic":0}', b"{}", "'keytype' is missing or unknown"),
        (b"null", None, "a part of it is of the wrong type"),
        (b'{"keytype":"SCHEMA","subject":5,"version":1,"magic":1}', b"{}", "a part of it is of the wrong type"),
        (b'{"keytype":"CONTEXT","context":5,"magic":0}', b"{}", "5 is no text"),
    ],
)
def test_why_a_record_is_unreadable_is_said_in_the_words_of_records(key: bytes, value: bytes, reason: str) -> None:
    with pytest.raises(UnreadableRecordError, match=f"^{reason}$"):
        read_record(key, value)


@given(st.binary(max_size=40), st.none() | st.binary(max_size=40))
def test_no_bytes_do_worse_than_being_unreadable(key: bytes, value: bytes | None) -> None:
    with contextlib.suppress(UnreadableRecordError):
        read_record(key, value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
MEMBERS = ["id", "schema", "schemaType", "references", "metadata", "ruleSet", "md5", "deleted", "mode", "version", "hw"]
KEYTYPES = ["SCHEMA", "CONFIG", "MODE", "CONTEXT", "DELETE_SUBJECT", "CLEAR_SUBJECT", "ASSOC", "NOOP"]


@given(
    st.fixed_dictionaries({"keytype": st.sampled_from(KEYTYPES)}, optional={"subject": texts, "version": json_values}),
    st.dictionaries(st.sampled_from(MEMBERS), json_values),
)
def test_no_members_do_worse_than_being_unreadable(key: dict[str, Any], value: dict[str, Any]) -> None:
    try:
        record = read_record(json.dumps(key).encode(), json.dumps(value).encode())
    except UnreadableRecordError:
        return
    if isinstance(record.value, SchemaValue):
        record.value.schema.digest()


def vectors() -> list[Any]:
    shared = os.environ.get("SIGNET_SHARED")
    if not shared:
        return [pytest.param(None, marks=pytest.mark.skip("SIGNET_SHARED is not set"))]
    cases = json.loads(Path(shared, "vectors/guid-and-record.json").read_text())["cases"]
    return [pytest.param(case, id=f"guid-and-record.json:{place}") for place, case in enumerate(cases)]


@pytest.mark.parametrize("case", vectors())
def test_the_known_guids_and_record_values_come_out(case: dict[str, Any]) -> None:
    record = read_record(SCHEMA_KEY, json.dumps({**case["schema"], "id": 1}).encode())
    assert isinstance(record.value, SchemaValue)
    entry = record.entry()
    assert (record.value.schema.digest().hex(), entry.value) == (
        case["guid"].replace("-", ""),
        case["record_value"].encode(),
    )


def test_an_entry_takes_as_much_memory_as_its_bytes_and_little_more() -> None:
    tracemalloc.start()
    entries = [Record(ModeKey(Subject.of(f"s{number}")), Mode.READONLY).entry() for number in range(1_000)]
    held_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(entries), held_bytes < 1_000_000) == (1_000, True)
