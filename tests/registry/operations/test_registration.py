"""Registering: ids, versions, what is there already, explicit versions, inheritance (sections 3.1 to 3.6)."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from registry.log.memory import MemoryLog
from registry.model import MAX_INT, Metadata, Mode, Reference, Rule, RuleSet, Schema, Subject, guid_text
from registry.operations import Candidate, Page, Plan, Policy
from registry.records import ContextKey, DeletedUpTo, DeleteSubjectKey, IdMarks, NoopKey, Record, SchemaKey, SchemaValue

pytestmark = pytest.mark.anyio

OWNED = Metadata(properties={"owner": "bob"})
RULES = RuleSet(domain_rules=(Rule("r", type="CEL"),))


def record_of(*fields: str) -> str:
    listed = ",".join(f'{{"name":"{name}","type":"int","default":0}}' for name in fields)
    return f'{{"type":"record","name":"R","fields":[{listed}]}}'


async def test_the_first_schema_becomes_version_one_with_id_one(desk: Any) -> None:
    stored = await desk.put("s", '{"type":"string"}')
    assert (str(stored.subject), stored.version, stored.id) == ("s", 1, 1)
    assert (stored.schema.text, stored.schema.type) == ('"string"', "AVRO")
    assert stored.guid == "095d71cf-1255-6b9d-5e33-0ad575b3df5d"
    assert (stored.timestamp_ms, stored.deleted) == (None, None)


async def test_versions_and_ids_count_on(desk: Any) -> None:
    stored = [await desk.put("s", text) for text in ('"int"', '"long"', '"string"')]
    assert [(one.version, one.id) for one in stored] == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize("text", ['"int"', ' "int"\n', '{"type":"int"}'])
async def test_a_schema_that_is_there_is_answered_as_it_is(desk: Any, text: str) -> None:
    await desk.put("s", '"int"')
    await desk.put("s", '"long"')
    position = desk.position
    stored = await desk.put("s", text)
    assert (stored.version, stored.id, stored.timestamp_ms, desk.position) == (1, 1, None, position)


async def test_a_schema_has_one_id_in_all_subjects_of_a_context(desk: Any) -> None:
    stored = [await desk.put(subject) for subject in ("a", "b", ":.x:a", ":.x:b")]
    assert [(one.version, one.id) for one in stored] == [(1, 1)] * 4
    await desk.put("a", '"long"')
    assert (await desk.put(":.x:c", '"string"')).id == 2
    assert len({one.guid for one in stored}) == 1


async def test_a_content_with_several_ids_spreads_with_the_one_last_written(desk: Any) -> None:
    await desk.put("a")
    await desk.switch("b", Mode.IMPORT)
    for number in (9, 5):
        await desk.put("b", id=number)
    assert (await desk.put("c")).id == 5


async def test_a_schema_that_is_there_but_for_what_it_takes_over_is_answered_as_sent(desk: Any) -> None:
    first, other = ('{"type":"int","a":1,"b":2}', '{"type":"int","b":2,"a":1}')
    await desk.put("s", first, metadata=OWNED)
    stored = await desk.put("s", other)
    assert (stored.version, stored.id, stored.schema.text, stored.schema.metadata) == (1, 1, other, OWNED)


async def test_what_has_an_id_elsewhere_with_all_it_takes_over_becomes_a_version_of_that_id(desk: Any) -> None:
    first, other = ('{"type":"int","a":1,"b":2}', '{"type":"int","b":2,"a":1}')
    await desk.put("s", first, metadata=OWNED)
    elsewhere = await desk.put("t", other, metadata=OWNED)
    stored = await desk.put("s", other)
    assert (stored.version, stored.id) == (2, elsewhere.id)


async def test_schemas_that_differ_in_metadata_or_rules_have_ids_of_their_own(desk: Any) -> None:
    parts: list[dict[str, Any]] = [{}, {"metadata": OWNED}, {"metadata": Metadata()}, {"rule_set": RULES}]
    assert [(await desk.put(f"s{at}", **part)).id for at, part in enumerate(parts)] == [1, 2, 3, 4]


async def test_the_order_of_properties_makes_another_id_but_not_another_version(desk: Any) -> None:
    one, other = '{"type":"int","p":1,"q":2}', '{"type":"int","q":2,"p":1}'
    assert (await desk.put("a", one)).id == (await desk.put("a", other)).id == 1
    assert (await desk.put("b", other)).id == 2
    assert (await desk.put("c", other, normalize=True)).schema.text == one


async def test_a_config_that_normalizes_does_so_for_every_schema(desk: Any) -> None:
    await desk.configure("", normalize=True)
    await desk.configure("s", alias="t")
    assert (await desk.put("s", '{"type":"int","q":2,"p":1}')).schema.text == '{"type":"int","p":1,"q":2}'


async def test_a_refused_schema_consumes_no_id_and_no_version(desk: Any) -> None:
    await desk.put("s", '"int"')
    assert (await desk.refusal(desk.put("s", '"integer"')))[0] == 42201
    assert (await desk.refusal(desk.put("s", '"long"', version=9)))[0] == 42201
    stored = await desk.put("s", '"long"')
    assert (stored.version, stored.id, desk.position) == (2, 2, 2)


async def test_an_id_is_never_given_out_twice(desk: Any) -> None:
    await desk.put("s", '"int"')
    await desk.put("s", '"long"')
    await desk.erase("s", 2)
    stored = await desk.put("s", '"long"')
    assert (stored.version, stored.id) == (2, 3)


async def test_ids_go_on_where_they_were_after_a_restart(open_desk: Any) -> None:
    async with open_desk() as first:
        await first.put("s", '"int"')
        await first.put(":.x:s", '"int"')
        await first.erase("s")
    async with open_desk(log=first.log) as second:
        assert [(await second.put(name, '"long"')).id for name in ("s", ":.x:s", ":.y:s")] == [2, 2, 1]


async def test_ids_that_are_kept_back_are_not_given_out(desk: Any) -> None:
    await desk.append(Record(NoopKey(), IdMarks({".": 1000})))
    assert ((await desk.put("s")).id, (await desk.put(":.x:s")).id) == (1001, 1)


async def test_when_no_id_is_left_registering_is_refused(desk: Any) -> None:
    await desk.append(Record(NoopKey(), IdMarks({".": MAX_INT})))
    assert await desk.refusal(desk.put("s")) == (50001, "No schema id is left in context .")


async def test_when_no_version_is_left_registering_is_refused(desk: Any) -> None:
    await desk.append(Record(SchemaKey(Subject.of("s"), MAX_INT), SchemaValue(1, Schema('"int"'))))
    assert await desk.refusal(desk.put("s", '"long"')) == (50001, "No version is left in subject s")
    assert (await desk.put("s", '"int"')).version == MAX_INT


async def test_registering_after_a_soft_delete_makes_a_new_version_of_the_same_id(desk: Any) -> None:
    await desk.put("s", '"int"')
    await desk.put("s", '"long"')
    await desk.delete("s", 1)
    stored = await desk.put("s", '"int"')
    assert (stored.version, stored.id) == (3, 1)
    assert await desk.versions("s") == [2, 3]


async def test_registering_after_the_subject_was_deleted_counts_versions_on(desk: Any) -> None:
    for text in ('"int"', '"long"'):
        await desk.put("s", text)
    await desk.delete("s")
    stored = [await desk.put("s", text) for text in ('"int"', '"long"')]
    assert [(one.version, one.id) for one in stored] == [(3, 1), (4, 2)]


async def test_a_superseded_version_stays_while_something_refers_to_it(desk: Any) -> None:
    await desk.put("f", '{"type":"fixed","name":"F","size":4}')
    await desk.put("s", '"F"', references=(Reference("F", "f", 1),))
    await desk.delete("s")
    await desk.delete("f")
    await desk.put("f", '{"type":"fixed","name":"F","size":4}')
    assert await desk.versions("f") == [-1, 2]


async def test_permanently_deleting_the_highest_version_frees_its_number(desk: Any) -> None:
    await desk.put("s", '"int"')
    await desk.put("s", '"long"')
    await desk.erase("s", 2)
    assert (await desk.put("s", '"string"')).version == 2


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"text": '"int"', "type": "FOO"}, 42201, "Invalid schema type FOO"),
    ({"text": '"int"', "type": "avro"}, 42201, "Invalid schema type avro"),
    ({"text": '"int"', "type": ""}, 42201, "Invalid schema type "),
    ({"text": None}, 42201, "Empty schema"),
    ({"text": "  \n"}, 42201, "Empty schema"),
    ({"text": '"long"', "version": 2}, 42201, "Version is not one more than previous version"),
    ({"text": '"long"', "id": 7}, 42205, "Subject s in context  is not in import mode"),
    ({"text": '"long"', "id": 0}, 42205, "Subject s in context  is not in import mode"),
    ({"text": '"long"', "rule_set": RuleSet(domain_rules=(Rule("r"),))}, 42210, "Missing rule type"),
]


@pytest.mark.parametrize(("parts", "code", "message"), REFUSED)
async def test_what_cannot_be_registered_is_refused_in_confluents_words(
    desk: Any, parts: dict[str, Any], code: int, message: str
) -> None:
    assert await desk.refusal(desk.put("s", **parts)) == (code, message)
    assert desk.position == 0


async def test_an_unreadable_schema_is_refused_in_the_words_of_its_language(desk: Any) -> None:
    assert "details: Undefined schema: str" in (await desk.refusal(desk.put("s", '"str"')))[1]


async def test_a_refusal_of_a_schema_repeats_what_was_sent(desk: Any) -> None:
    sent = Schema('"F"', references=(Reference("F", "f", 1),))
    assert await desk.refusal(desk.put(":.x:s", sent.text, references=sent.references)) == (
        42201,
        (
            "Invalid schema of type AVRO, details: Invalid schema {subject=:.x:s,version=null,id=null,"
            f"guid={guid_text(sent.digest())},schemaType=AVRO,references=[{{name='F', subject='f', version=1}}],"
            'metadata=null,ruleSet=null,schema="F",schemaTags=null,ts=null,deleted=null} with refs '
            "[{name='F', subject='f', version=1}] of type AVRO, details: "
            'No schema reference found for subject ":.x:f" and version 1'
        ),
    )


async def test_the_rule_set_is_judged_before_the_subject_and_the_subject_before_the_schema(desk: Any) -> None:
    bad = RuleSet(domain_rules=(Rule(None),))
    assert (await desk.refusal(desk.put("__GLOBAL", "{", rule_set=bad)))[0] == 42210
    assert (await desk.refusal(desk.put("__GLOBAL", "{")))[0] == 42208
    assert (await desk.refusal(desk.put("s", "{")))[0] == 42201


async def test_the_star_and_the_empty_subject_may_be_registered_unless_the_operator_minds(open_desk: Any) -> None:
    async with open_desk() as desk:
        assert [(await desk.put(name)).version for name in ("", "*", ":.x:")] == [1, 1, 1]
    async with open_desk(Policy(empty_subject_allowed=False)) as desk:
        assert [(await desk.refusal(desk.put(name)))[0] for name in ("", "*", ":.x:")] == [42208] * 3


# Explicit versions and confluent:version.


async def test_an_explicit_version_is_a_compare_and_set(desk: Any) -> None:
    assert (await desk.put("s", '"int"', version=1)).version == 1
    assert (await desk.refusal(desk.put("s", '"long"', version=1)))[0] == 42201
    assert (await desk.put("s", '"long"', version=2)).version == 2


async def test_an_explicit_version_counts_soft_deleted_versions(desk: Any) -> None:
    await desk.put("s", '"int"')
    await desk.put("s", '"long"')
    await desk.delete("s", 2)
    assert (await desk.refusal(desk.put("s", '"string"', version=2)))[0] == 42201
    assert (await desk.put("s", '"string"', version=3)).version == 3


async def test_an_explicit_version_is_kept_in_the_metadata(desk: Any) -> None:
    first = await desk.put("s", '"int"')
    second = await desk.put("s", '"int"', version=2)
    assert (second.version, second.id) == (2, 2)
    assert second.schema.metadata == Metadata(properties={"confluent:version": "2"})
    third = await desk.put("s", '"long"')
    assert third.schema.metadata == Metadata(properties={"confluent:version": "3"})
    assert first.schema.metadata is None


async def test_the_text_of_a_versioned_schema_is_found_without_its_version(desk: Any) -> None:
    await desk.put("s", '"int"')
    await desk.put("s", '"int"', version=2)
    assert (await desk.put("s", '"int"')).version == 1
    await desk.erase("s", 1)
    assert (await desk.put("s", '"int"')).version == 2


async def test_version_minus_one_matches_the_latest_only(desk: Any) -> None:
    await desk.put("s", '"int"')
    await desk.put("s", '"long"')
    assert (await desk.put("s", '"long"', version=-1)).version == 2
    third = await desk.put("s", '"int"', version=-1)
    assert (third.version, third.id) == (3, 3)
    assert third.schema.metadata == Metadata(properties={"confluent:version": "3"})


async def test_a_version_in_the_metadata_is_renewed_whatever_it_says(desk: Any) -> None:
    for number, said in enumerate(("0", "17", "x"), 1):
        sent = Metadata(properties={"confluent:version": said})
        stored = await desk.put("s", record_of(*"abc"[:number]), metadata=sent)
        assert stored.schema.metadata == Metadata(properties={"confluent:version": str(number)})


async def test_version_zero_is_no_explicit_version(desk: Any) -> None:
    assert (await desk.put("s", '"int"', version=0)).schema.metadata is None


# Inheritance of metadata and rules, and schemas without a text.


async def test_metadata_is_inherited_unless_it_is_sent(desk: Any) -> None:
    await desk.put("s", '"int"', metadata=OWNED)
    assert (await desk.put("s", '"long"')).schema.metadata == OWNED
    assert (await desk.put("s", '"string"', metadata=Metadata())).schema.metadata == Metadata()


async def test_a_text_without_its_metadata_is_the_version_that_has_it(desk: Any) -> None:
    first = await desk.put("s", '"int"', metadata=OWNED)
    again = await desk.put("s", '"int"')
    assert (again.version, again.id, again.schema.metadata) == (1, first.id, OWNED)
    assert desk.position == 1


async def test_rules_are_inherited_unless_they_are_sent(desk: Any) -> None:
    await desk.put("s", '"int"', rule_set=RULES)
    assert (await desk.put("s", '"long"')).schema.rule_set == RULES
    assert (await desk.put("s", '"string"', rule_set=RuleSet())).schema.rule_set == RuleSet()


async def test_rules_are_dropped_where_the_operator_says_so(open_desk: Any) -> None:
    async with open_desk(replace(Policy(), rule_sets_kept=False)) as desk:
        assert (await desk.put("s", rule_set=RULES)).schema.rule_set is None
        assert (await desk.put("t", rule_set=RuleSet(domain_rules=(Rule(None),)))).schema.rule_set is None


async def test_defaults_and_overrides_of_the_config_are_merged_in(desk: Any) -> None:
    await desk.configure(
        "s",
        default_metadata=Metadata(properties={"a": "default", "b": "default"}),
        override_metadata=Metadata(properties={"c": "override"}),
        default_rule_set=RULES,
    )
    stored = await desk.put("s", metadata=Metadata(properties={"b": "sent", "c": "sent"}))
    assert stored.schema.metadata == Metadata(properties={"a": "default", "b": "sent", "c": "override"})
    assert stored.schema.rule_set == RULES
    again = await desk.put("s")
    assert (again.version, again.id) == (1, 1)


async def test_a_schema_without_a_text_takes_that_of_the_latest_version(desk: Any) -> None:
    await desk.put("f", '{"type":"fixed","name":"F","size":4}')
    await desk.put("s", '"F"', references=(Reference("F", "f", 1),))
    stored = await desk.put("s", None, metadata=OWNED, type="FOO")
    assert (stored.version, stored.schema.text, stored.schema.references) == (2, '"F"', (Reference("F", "f", 1),))
    assert (stored.schema.metadata, stored.schema.type) == (OWNED, "AVRO")
    assert (await desk.put("s", "")).version == 2


# Contexts and plans.


async def test_a_context_is_recorded_with_its_first_schema(desk: Any) -> None:
    await desk.put(":.x:a")
    await desk.put(":.x:b")
    assert [type(record.key) for record in desk.records()] == [ContextKey, SchemaKey, SchemaKey]
    assert await desk.registry.contexts.list("", Page()) == [".", ".x"]


async def test_a_plan_shows_answer_and_records_and_writes_nothing(desk: Any) -> None:
    plan = await desk.registry.versions.register(Subject.of(":.x:s"), Candidate('"int"'), dry_run=True)
    assert isinstance(plan, Plan)
    assert (plan.answer.version, plan.answer.id, desk.position) == (1, 1, 0)
    assert [key for key, _ in plan.records] == [
        '{"keytype":"CONTEXT","tenant":"default","context":".x","magic":0}',
        '{"keytype":"SCHEMA","subject":":.x:s","version":1,"magic":1}',
    ]
    stored = await desk.put(":.x:s")
    assert (stored.guid, stored.id) == (plan.answer.guid, plan.answer.id)


async def test_a_plan_of_what_is_refused_is_refused(desk: Any) -> None:
    wish = desk.registry.versions.register(Subject.of("s"), Candidate("{"), dry_run=True)
    assert (await desk.refusal(wish))[0] == 42201


async def test_two_equal_schemas_sent_at_once_become_one_version(desk: Any) -> None:
    stored = await asyncio.gather(*(desk.put("s") for _ in range(5)))
    assert {(one.version, one.id) for one in stored} == {(1, 1)}
    assert (desk.position, [one.timestamp_ms for one in stored]) == (1, [None] * 5)


async def test_a_record_tells_who_registered_it(desk: Any) -> None:
    await desk.registry.on_behalf_of("ann").versions.register(Subject.of("s"), Candidate('"int"'))
    details = await desk.registry.versions.details(Subject.of("s"), -1)
    assert (details.registered_by, details.registered_ms, details.stored.guid) == (
        "ann",
        1000,
        guid_text(details.stored.schema.digest()),
    )


async def test_a_log_of_another_registry_is_gone_on_with(desk: Any) -> None:
    await desk.append(
        Record(SchemaKey(Subject.of("s"), 3), SchemaValue(70, Schema('"int"'))),
        Record(DeleteSubjectKey(Subject.of("s")), DeletedUpTo(3)),
    )
    assert [(one.version, one.id) for one in (await desk.put("s", '"long"'), await desk.put("s"))] == [(4, 71), (5, 70)]


class SharedLog(MemoryLog):
    """A log that other nodes write to."""

    def __init__(self) -> None:
        super().__init__(count(1).__next__)
        self.shared = True  # type: ignore[misc, assignment]  # as another engine's is


async def test_only_what_is_answered_without_a_turn_waits_for_the_barrier(open_desk: Any) -> None:
    async with open_desk(log=SharedLog()) as desk:
        for text, barriers in (('"int"', 0), ('"long"', 0), ('"int"', 1), ("nonsense", 2)):
            await asyncio.gather(desk.put("s", text), return_exceptions=True)
            assert desk.registry.waits.count == barriers


async def test_what_another_node_has_changed_decides_though_this_one_has_not_heard_of_it(open_desk: Any) -> None:
    log = SharedLog()
    async with open_desk(log=log) as desk:
        assert (await desk.put("s")).version == 1
        async with log.turn(1) as turn:
            await turn.append([Record(DeleteSubjectKey(Subject.of("s")), DeletedUpTo(1)).entry()])
        assert (await desk.put("s")).version == 2
