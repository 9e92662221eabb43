"""Confluent's client for Python, synchronous and asynchronous, against a running registry."""

import json
from uuid import UUID

import pytest
from confluent_kafka.schema_registry import (
    AssociationCreateOrUpdateInfo,
    AssociationCreateOrUpdateRequest,
    ConfigCompatibilityLevel,
    Metadata,
    MetadataProperties,
    Rule,
    RuleKind,
    RuleMode,
    RuleParams,
    RuleSet,
    Schema,
    SchemaReference,
    SchemaRegistryError,
    ServerConfig,
)


def record(*fields, **attributes):
    return json.dumps({"type": "record", "name": "Order", "namespace": "shop", "fields": fields} | attributes)


ID = {"name": "id", "type": "long"}
ORDER = Schema(record(ID))
ORDER_WITH_STATE = Schema(record(ID, {"name": "state", "type": "string", "default": "placed"}))
ORDER_WITH_PRICE = Schema(record(ID, {"name": "price", "type": "double"}))
CUSTOMER = Schema('{"type":"record","name":"Customer","namespace":"shop","fields":[{"name":"name","type":"string"}]}')
# Without tags: confluent-kafka 2.16.0 cannot hash a schema that has some.
PUBLISHED = Metadata(None, MetadataProperties({"owner": "sales", "stage": "live"}), ["x"])


@pytest.fixture
def client(confluent):
    return confluent.client


@pytest.fixture
def refused(client):
    """Calls a method that must fail, and answers (HTTP status, error code) of the error it raises."""

    def call(method, *args):
        with pytest.raises(SchemaRegistryError) as caught:
            getattr(client, method)(*args)
        return caught.value.http_status_code, caught.value.error_code

    return call


def test_a_registered_schema_is_found_by_id_guid_version_and_text(client, subject):
    registered = client.register_schema_full_response(subject, ORDER)
    assert registered.version == 1
    assert UUID(registered.guid)
    client.clear_caches()
    assert client.get_schema(registered.schema_id, subject).schema_str == ORDER.schema_str.replace(" ", "")
    assert client.get_schema_by_guid(registered.guid).schema_type == "AVRO"
    assert client.get_version(subject, 1).guid == registered.guid
    assert client.get_latest_version(subject).schema_id == registered.schema_id
    found = client.lookup_schema(subject, ORDER)
    assert (found.subject, found.version, found.schema_id) == (subject, 1, registered.schema_id)


def test_the_same_schema_has_one_id_in_all_subjects(client, subject):
    schema_id = client.register_schema(subject, ORDER)
    assert client.register_schema(f"{subject}-2", ORDER) == schema_id
    client.clear_caches()
    assert client.register_schema(subject, ORDER) == schema_id
    assert {subject, f"{subject}-2"} <= set(client.get_subjects_by_schema_id(schema_id))
    assert {(subject, 1), (f"{subject}-2", 1)} <= {
        (one.subject, one.version) for one in client.get_schema_versions(schema_id)
    }


@pytest.mark.parametrize("name", ["a/b", "50% + ü?", "🦉 #1", "a:b", "*", ".", "%2F"])
def test_any_text_can_be_a_subject(client, subject, name):
    odd = f"{name} {subject}"
    client.register_schema(odd, ORDER)
    assert client.get_subjects(subject_prefix=odd) == [odd]
    assert client.get_latest_version(odd).subject == odd
    assert client.delete_subject(odd) == [1]


def test_a_compatible_schema_becomes_the_next_version(client, subject):
    assert client.register_schema(subject, ORDER) != client.register_schema(subject, ORDER_WITH_STATE)
    assert client.get_versions(subject) == [1, 2]
    assert client.get_version(subject, "latest").version == 2


def test_an_incompatible_schema_is_refused_with_40901(client, refused, subject):
    client.register_schema(subject, ORDER)
    assert refused("register_schema", subject, ORDER_WITH_PRICE) == (409, 40901)
    assert client.get_versions(subject) == [1]


def test_compatibility_is_judged_against_one_version_or_all(client, subject):
    client.register_schema(subject, ORDER)
    for judge in (client.test_compatibility, client.test_compatibility_all_versions):
        assert judge(subject, ORDER_WITH_STATE, verbose=True) is True
        assert judge(subject, ORDER_WITH_PRICE, normalize=True) is False
    assert client.test_compatibility(subject, ORDER_WITH_PRICE, version=1, verbose=True) is False


REFUSALS = [
    ("get_schema", [2**31 - 1], (404, 40403)),
    ("get_schema_by_guid", ["095d71cf-1255-6b9d-5e33-0ad575b3df5e"], (404, 40403)),
    ("get_subjects_by_schema_id", [2**31 - 1], (404, 40403)),
    ("get_schema_versions", [2**31 - 1], (404, 40403)),
    ("get_version", ["nowhere", 1], (404, 40401)),
    ("get_latest_version", ["nowhere"], (404, 40401)),
    ("get_latest_with_metadata", ["nowhere", {"owner": "sales"}], (404, 40401)),
    ("get_versions", ["nowhere"], (404, 40401)),
    ("get_version", ["nowhere", 0], (422, 42202)),
    ("get_referenced_by", ["nowhere", 1], (404, 40401)),
    ("lookup_schema", ["nowhere", ORDER], (404, 40401)),
    ("delete_subject", ["nowhere"], (404, 40401)),
    ("delete_version", ["nowhere", 1], (404, 40401)),
    ("register_schema", ["nowhere", Schema('{"type": "nothing"}')], (422, 42201)),
    ("register_schema", ["nowhere", Schema("{}", "THRIFT")], (422, 42201)),
    ("register_schema", ["nowhere", Schema('"string"', references=[SchemaReference("a", "b", 1)])], (422, 42201)),
    ("register_schema", ["\t", ORDER], (422, 42208)),
    ("test_compatibility", ["nowhere", ORDER, 7], (404, 40402)),
    ("get_compatibility", ["nowhere"], (404, 40408)),
    ("get_config", ["nowhere"], (404, 40408)),
    ("delete_config", ["nowhere"], (404, 40401)),
    ("set_compatibility", ["nowhere", "SOMEWHAT"], (422, 42203)),
    ("get_mode", ["nowhere"], (404, 40409)),
    ("update_mode", ["nowhere", "WRITEONLY"], (422, 42204)),
    ("delete_mode", ["nowhere"], (404, 40401)),
]


@pytest.mark.parametrize(("method", "args", "expected"), REFUSALS)
def test_a_refusal_carries_status_and_code(refused, method, args, expected):
    assert refused(method, *args) == expected


def test_a_version_is_deleted_softly_and_then_for_good(client, refused, subject):
    client.register_schema(subject, ORDER)
    client.register_schema(subject, ORDER_WITH_STATE)
    assert refused("delete_version", subject, 1, True)[1] == 40407
    assert client.delete_version(subject, 1) == 1
    assert refused("delete_version", subject, 1)[1] == 40406
    assert refused("get_version", subject, 1)[1] == 40402
    assert client.get_version(subject, 1, deleted=True).version == 1
    assert client.delete_version(subject, 1, permanent=True) == 1
    assert client.get_versions(subject) == [2]


def test_a_subject_is_deleted_softly_and_then_for_good(client, refused, subject):
    client.register_schema(subject, ORDER)
    assert refused("delete_subject", subject, True)[1] == 40405
    # The client deletes softly before it deletes for good.
    assert client.delete_subject(subject) == [1]
    assert client.get_subjects(subject_prefix=subject) == []
    assert client.get_subjects(subject_prefix=subject, deleted=True) == [subject]
    assert client.lookup_schema(subject, ORDER, deleted=True).version == 1
    assert refused("delete_subject", subject)[1] == 40404
    client.register_schema(subject, ORDER_WITH_STATE)
    assert client.get_versions(subject) == [2]


def test_subjects_are_listed_in_pages(client, subject):
    names = [f"{subject}-{number}" for number in range(5)]
    for name in names:
        client.register_schema(name, ORDER)
    assert client.get_subjects(subject_prefix=subject, offset=1, limit=3) == names[1:4]
    assert client.get_versions(names[0], offset=0, limit=1) == [1]


def test_the_compatibility_level_of_a_subject_is_set_and_cleared(client, subject):
    assert client.set_compatibility(subject, "forward") == {"compatibility": "FORWARD"}
    assert client.get_compatibility(subject) == "FORWARD"
    client.register_schema(subject, ORDER)
    client.register_schema(subject, ORDER_WITH_PRICE)
    assert client.delete_config(subject).compatibility_level == ConfigCompatibilityLevel.FORWARD


def test_the_global_level_counts_where_no_other_is_set(client, subject):
    assert client.get_compatibility() == "BACKWARD"
    client.set_compatibility(level="NONE")
    client.register_schema(subject, ORDER)
    client.register_schema(subject, Schema('"string"'))
    client.delete_config()
    assert client.get_config().compatibility_level == ConfigCompatibilityLevel.BACKWARD


def test_a_whole_config_comes_back_as_it_was_put(client, subject):
    wanted = ServerConfig(
        compatibility=ConfigCompatibilityLevel.FULL, compatibility_group="stage", default_metadata=PUBLISHED
    )
    put = client.set_config(subject, wanted)
    assert put["compatibility"] == "FULL"
    found = client.get_config(subject)
    assert found.compatibility_level == ConfigCompatibilityLevel.FULL
    assert (found.compatibility_group, found.default_metadata) == ("stage", PUBLISHED)
    registered = client.register_schema_full_response(subject, ORDER)
    assert client.get_version(subject, registered.version).schema.metadata == PUBLISHED


def test_a_read_only_subject_takes_no_schema_until_its_mode_is_cleared(client, refused, subject):
    assert client.update_mode(subject, "READONLY") == "READONLY"
    assert client.get_mode(subject) == "READONLY"
    assert refused("register_schema", subject, ORDER) == (422, 42205)
    assert client.delete_mode(subject) == "READONLY"
    assert client.register_schema(subject, ORDER)


def test_the_global_mode_is_read_write_and_can_be_forced_to_import(client, refused, subject):
    assert client.get_global_mode() == "READWRITE"
    client.register_schema(subject, ORDER)
    assert refused("update_global_mode", "IMPORT") == (422, 42205)
    assert client.update_global_mode("IMPORT", force=True) == "IMPORT"
    assert client.update_global_mode("READWRITE") == "READWRITE"


def test_references_are_resolved_kept_and_guarded(client, refused, subject):
    client.register_schema(f"{subject}-customer", CUSTOMER)
    reference = SchemaReference("shop.Customer", f"{subject}-customer", 1)
    order = Schema(record(ID, {"name": "customer", "type": "shop.Customer"}), references=[reference])
    registered = client.register_schema_full_response(subject, order)
    client.clear_caches()
    assert client.get_schema(registered.schema_id).references == [reference]
    assert client.lookup_schema(subject, order).version == 1
    assert client.get_referenced_by(f"{subject}-customer", 1) == [registered.schema_id]
    assert refused("delete_subject", f"{subject}-customer") == (422, 42206)
    client.clear_caches()
    assert '"name":"Customer"' in client.get_version(subject, 1, fmt="resolved").schema.schema_str


def test_normalization_makes_one_schema_of_two_spellings(client, refused, subject):
    client.register_schema(subject, Schema(record(ID, b="2", a="1")), normalize_schemas=True)
    other = Schema(record({"name": "id", "type": {"type": "long"}}, a="1", b="2"))
    client.register_schema(subject, other, normalize_schemas=True)
    assert client.get_versions(subject) == [1]
    assert client.lookup_schema(subject, other, normalize_schemas=True).version == 1


def test_metadata_is_kept_and_found(client, refused, subject):
    first = client.register_schema(subject, Schema(ORDER.schema_str, metadata=PUBLISHED))
    client.register_schema(subject, Schema(ORDER_WITH_STATE.schema_str, metadata=Metadata(None, None, [])))
    client.clear_caches()
    found = client.get_latest_with_metadata(subject, {"owner": "sales"})
    assert (found.version, found.schema_id, found.schema.metadata) == (1, first, PUBLISHED)
    assert refused("get_latest_with_metadata", subject, {"owner": "nobody"}) == (404, 40403)
    assert client.register_schema(subject, found.schema) == first


def test_rules_are_kept(client, subject):
    rule = Rule(
        "checkId",
        "Ids are positive.",
        RuleKind.CONDITION,
        RuleMode.WRITE,
        "CEL",
        ["KEY"],
        RuleParams({"k": "v"}),
        "message.id > 0",
        "NONE",
        "ERROR",
        False,
    )
    rules = RuleSet([], [rule])
    client.register_schema(subject, Schema(ORDER.schema_str, rule_set=rules))
    client.clear_caches()
    assert client.get_latest_version(subject).schema.rule_set.domain_rules == [rule]


def test_a_bad_rule_is_refused(refused, subject):
    rule = Rule("not a name", None, None, None, "CEL", None, None, None, None, None, None)
    assert refused("register_schema", subject, Schema(ORDER.schema_str, rule_set=RuleSet([], [rule]))) == (422, 42210)


def test_a_url_with_a_context_makes_a_registry_of_its_own(connect, confluent, registry_url, subject):
    outside = confluent.client.register_schema(subject, ORDER_WITH_STATE)
    with connect(f"{registry_url}/contexts/.{subject}") as inside:
        assert inside.client.register_schema(subject, ORDER) == 1
        assert inside.client.get_subjects() == [f":.{subject}:{subject}"]
        assert inside.client.get_versions(subject) == [1]
        assert inside.client.get_schema(1).schema_str != ORDER_WITH_STATE.schema_str
    assert f".{subject}" in confluent.client.get_contexts()
    assert confluent.client.get_version(f":.{subject}:{subject}", 1).schema_id == 1
    assert confluent.client.get_version(subject, 1).schema_id == outside


def test_a_topic_without_associations_has_an_empty_list(client, topic):
    assert client.get_associations_by_resource_name(topic, "-", "topic", ["value"]) == []


def test_associations_cannot_be_made_here(refused, topic):
    request = AssociationCreateOrUpdateRequest(topic, "lkc-1", "id-1", "topic", [AssociationCreateOrUpdateInfo("s")])
    assert refused("create_association", request) == (405, 405)


def test_avro_is_the_schema_type_that_is_offered(client):
    assert client.get_schema_types() == ["AVRO"]
