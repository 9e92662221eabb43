"""Rules of a data contract: run through confluent-kafka's executors, or refused aloud; never skipped in silence."""

import json
import sys

import pytest
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.serde import FieldRuleExecutor, RuleExecutor, ValidationRuleExecutor
from confluent_kafka.serialization import SerializationError

import serdes.confluent as drop_in
from serdes import AvroDeserializer, AvroSerializer, MessageField, Schema, SchemaRegistryClient, SerializationContext
from serdes.errors import RuleFailed, RuleUnsupported

VALUE = SerializationContext("orders", MessageField.VALUE)
LATEST = {"use.latest.version": True, "auto.register.schemas": False}


class Shout(RuleExecutor):
    """Upper case on writing, lower case on reading."""

    def type(self):
        return "SHOUT"

    def transform(self, ctx, message):
        change = str.upper if ctx.rule_mode.value == "WRITE" else str.lower
        return {name: change(value) if isinstance(value, str) else value for name, value in message.items()}


class Short(RuleExecutor):
    """A condition: names of at most ten letters."""

    def type(self):
        return "SHORT"

    def transform(self, ctx, message):
        return len(message["name"]) <= 10


class Reverse(RuleExecutor):
    """An encoding: the payload backwards."""

    def type(self):
        return "REVERSE"

    def transform(self, ctx, message):
        return message[::-1]


class Rename(RuleExecutor):
    """A migration from `name` to `title`, and back."""

    def type(self):
        return "RENAME"

    def transform(self, ctx, message):
        old, new = ("name", "title") if ctx.rule_mode.value == "UPGRADE" else ("title", "name")
        return {new: message[old]}


class Mask(FieldRuleExecutor):
    """Stars in the place of tagged fields."""

    def type(self):
        return "MASK"

    def new_transform(self, ctx):
        return lambda _ctx, field, value: "***" if field.tags & set(ctx.rule.tags) else value


class Adults(ValidationRuleExecutor):
    def execute(self, rule, schema, message):
        return message >= 18


@pytest.fixture
def rules():
    registry = RuleRegistry()
    for executor in (Shout(), Short(), Reverse(), Rename(), Mask()):
        registry.register_executor(executor)
    return registry


@pytest.fixture
def client(url):
    with SchemaRegistryClient({"url": url}) as opened:
        yield opened


def schema(*domain, encoding=(), migration=(), field="name", **rest):
    text = {"type": "record", "name": "R", "fields": [{"name": field, "type": "string", **rest}]}
    sets = {"domainRules": domain, "encodingRules": encoding, "migrationRules": migration}
    rule_set = {name: list(rules) for name, rules in sets.items() if rules}
    return Schema(json.dumps(text), rule_set=rule_set or None)


def rule(type, mode="WRITEREAD", **rest):  # noqa: A002 - the name of the property
    return {"name": type.lower(), "kind": "TRANSFORM", "type": type, "mode": mode, "disabled": False, **rest}


def written(client, rules, used, value, conf=LATEST):
    client.register_schema("orders-value", used)
    return AvroSerializer(client, conf=conf, rule_registry=rules)(value, VALUE)


def test_a_record_is_changed_before_it_is_written_and_after_it_is_read(client, rules):
    data = written(client, rules, schema(rule("SHOUT")), {"name": "ada"})
    assert data == b"\0\0\0\0\1\x06ADA"
    assert AvroDeserializer(client, rule_registry=rules)(data, VALUE) == {"name": "ada"}


def test_rules_that_the_serializer_brings_itself_run_too(client, rules):
    serializer = AvroSerializer(client, schema(rule("SHOUT")), rule_registry=rules)
    assert serializer({"name": "ada"}, VALUE) == b"\0\0\0\0\1\x06ADA"


def test_a_payload_is_changed_after_it_is_encoded(client, rules):
    data = written(client, rules, schema(encoding=[rule("REVERSE")]), {"name": "ada"})
    assert data == b"\0\0\0\0\1ada\x06"
    assert AvroDeserializer(client, rule_registry=rules)(data, VALUE) == {"name": "ada"}


def test_a_condition_refuses_a_record(client, rules):
    used = schema(rule("SHORT", "WRITE", kind="CONDITION"))
    assert written(client, rules, used, {"name": "short"})
    with pytest.raises(RuleFailed, match="orders-value"):
        written(client, rules, used, {"name": "much too long"})


def test_a_record_that_a_condition_refuses_is_confluents_error_in_the_drop_in(url, rules):
    used = schema(rule("SHORT", "WRITE", kind="CONDITION"))
    with drop_in.SchemaRegistryClient({"url": url}) as client, pytest.raises(SerializationError) as failure:
        drop_in.AvroSerializer(client, used, rule_registry=rules)({"name": "much too long"}, VALUE)
    assert isinstance(failure.value, RuleFailed)
    assert (failure.value.topic, failure.value.field) == ("orders", "value")


def test_tagged_fields_are_found(client, rules):
    used = schema(rule("MASK", "WRITE", tags=["PII"]), **{"confluent:tags": ["PII"]})
    assert written(client, rules, used, {"name": "ada"}) == b"\0\0\0\0\1\x06***"


def test_a_record_is_migrated_to_the_latest_version(client, rules):
    data = AvroSerializer(client, schema())({"name": "ada"}, VALUE)
    client.register_schema("orders-value", schema(field="title", migration=[rule("RENAME", "UPDOWN")]))
    reading = AvroDeserializer(client, conf={"use.latest.version": True}, rule_registry=rules)
    assert reading(data, VALUE) == {"title": "ada"}


def test_a_record_is_migrated_back_to_an_older_version(client, rules):
    client.register_schema("orders-value", Schema(schema().schema_str, metadata={"properties": {"major": "1"}}))
    newer = schema(field="title", migration=[rule("RENAME", "UPDOWN")])
    data = AvroSerializer(client, newer, rule_registry=rules)({"title": "ada"}, VALUE)
    conf = {"use.latest.with.metadata": {"major": "1"}}
    assert AvroDeserializer(client, conf=conf, rule_registry=rules)(data, VALUE) == {"name": "ada"}


def test_disabled_rules_and_rules_for_others_do_not_run(client, rules):
    for used in (
        schema(rule("SHOUT", disabled=True)),
        schema(rule("SHOUT", "READ")),
        Schema(schema().schema_str, rule_set={"domainRules": [rule("SHOUT")], "enableAt": "SERVER"}),
    ):
        assert written(client, rules, used, {"name": "ada"})[5:] == b"\x06ada"


def test_a_rule_without_an_executor_is_refused_when_the_subject_is_bound(client):
    with pytest.raises(RuleUnsupported, match=r"CEL.*pip install 'confluent-kafka\[rules\]'"):
        written(client, RuleRegistry(), schema(rule("CEL")), {"name": "ada"})


def test_without_confluent_kafka_a_schema_with_rules_is_refused(client, rules, monkeypatch):
    data = written(client, rules, schema(rule("SHOUT")), {"name": "ada"})
    monkeypatch.delitem(sys.modules, "serdes._confluent_rules")
    monkeypatch.setitem(sys.modules, "confluent_kafka.schema_registry", None)
    for use in (
        lambda: AvroSerializer(client, conf=LATEST)({"name": "ada"}, VALUE),
        lambda: AvroDeserializer(client)(data, VALUE),
    ):
        with pytest.raises(RuleUnsupported, match=r"shout.*pip install"):
            use()


def test_rules_inside_the_schema_are_checked_where_that_is_wanted(client):
    text = json.dumps(
        {
            "type": "record",
            "name": "Person",
            "fields": [{"name": "age", "type": "int", "confluent:rules": [{"name": "adult", "expr": "this >= 18"}]}],
        }
    )
    conf = {"validation.rules.execution": "BEFORE_DOMAIN_RULES", "validation.rules.executor": Adults()}
    serializer = AvroSerializer(client, text, conf=conf)
    assert serializer({"age": 18}, VALUE)
    with pytest.raises(RuleFailed, match="age"):
        serializer({"age": 17}, VALUE)
    assert AvroSerializer(client, text)({"age": 17}, VALUE)
