"""What surprises newcomers to Confluent's API, each promised by its behaviour and kept here.

The numbers are those of the list of surprises that the API is known for; those that other tables hold are left out.
"""

import pytest

A = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}'
AB = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":0}]}'
INNER = '{"type":"record","name":"Inner","fields":[{"name":"x","type":"int"}]}'
OUTER = '{"type":"record","name":"Outer","fields":[{"name":"inner","type":"Inner"}]}'
INLINED = OUTER.replace('"Inner"', INNER)
TO_INNER = {"name": "Inner", "subject": "inner", "version": 1}
NO_CHECKS = {"compatibility": "NONE"}


def post(client, subject: str, query: str = "", **members):
    return client("POST", f"/subjects/{subject}/versions{query}", json=members).json()


def summary(answer) -> tuple[int, int]:
    return answer["version"], answer["id"]


def test_2_an_older_version_is_registered_again_under_its_own_id(client) -> None:
    assert [summary(post(client, "s", schema=text)) for text in (A, AB, A)] == [(1, 1), (2, 2), (1, 1)]


def test_3_one_text_has_one_id_per_context(client) -> None:
    assert [client.register(subject) for subject in ("a", "b", ":.c:a")] == [1, 1, 1]
    client.register("a2", '"int"')
    assert client.register(":.c:b", '"long"') == 2


def test_7_latest_may_fit_where_the_history_does_not(client) -> None:
    client("PUT", "/config/s", json=NO_CHECKS)
    for text in ('"string"', '"int"'):
        client.register("s", text)
    client("PUT", "/config/s", json={"compatibility": "BACKWARD_TRANSITIVE"})
    path = "/compatibility/subjects/s/versions"
    assert client("POST", f"{path}/latest", json={"schema": '"long"'}).json() == {"is_compatible": True}
    assert client("POST", path, json={"schema": '"long"'}).json() == {"is_compatible": False}


def test_12_a_soft_deleted_schema_comes_back_as_a_new_version_with_its_id(client) -> None:
    client.register("s")
    client("DELETE", "/subjects/s")
    assert summary(post(client, "s", schema='"string"')) == (2, 1)
    assert client.get("/subjects/s/versions?deleted=true") == [2]


def test_13_a_soft_deleted_row_that_is_referred_to_stays(client) -> None:
    client.register("inner", INNER)
    client.register("outer", OUTER, references=[TO_INNER])
    client("DELETE", "/subjects/outer")
    client("DELETE", "/subjects/inner")
    assert summary(post(client, "inner", schema=INNER)) == (2, 1)
    assert client.get("/subjects/inner/versions?deleted=true") == [1, 2]


def test_14_a_hard_delete_of_the_top_version_frees_its_number(client) -> None:
    client("PUT", "/config/s", json=NO_CHECKS)
    for text in ('"string"', '"int"'):
        client.register("s", text)
    for permanent in ("", "?permanent=true"):
        client("DELETE", f"/subjects/s/versions/2{permanent}")
    assert summary(post(client, "s", schema='"long"')) == (2, 3)


def test_16_a_soft_deleted_referrer_blocks_a_hard_delete(client) -> None:
    client.register("inner", INNER)
    client.register("outer", OUTER, references=[TO_INNER])
    client("DELETE", "/subjects/outer")
    assert client("DELETE", "/subjects/inner").json() == [1]
    assert client("DELETE", "/subjects/inner?permanent=true").json()["error_code"] == 42206


def test_17_a_subject_that_refers_to_itself_is_deleted_at_once(client) -> None:
    client("PUT", "/config/s", json=NO_CHECKS)
    client.register("s", INNER)
    client.register("s", OUTER, references=[{**TO_INNER, "subject": "s"}])
    assert client("DELETE", "/subjects/s/versions/1").json()["error_code"] == 42206
    assert client("DELETE", "/subjects/s").json() == [1, 2]
    assert client("DELETE", "/subjects/s?permanent=true").json() == [1, 2]


def test_18_nothing_new_refers_to_a_soft_deleted_version(client) -> None:
    client.register("inner", INNER)
    client("DELETE", "/subjects/inner")
    assert post(client, "outer", schema=OUTER, references=[TO_INNER])["error_code"] == 42201


def test_19_a_lookup_may_bring_its_references_inlined(client) -> None:
    client.register("inner", INNER)
    client.register("outer", OUTER, references=[TO_INNER])
    assert client("POST", "/subjects/outer", json={"schema": INLINED}).json()["id"] == 2


def test_20_a_request_without_a_schema_inherits_it(client) -> None:
    client.register("s")
    changed = post(client, "s", metadata={"properties": {"owner": "me"}})
    assert (changed["version"], changed["schema"], changed["metadata"]) == (
        2,
        '"string"',
        {"properties": {"owner": "me"}},
    )


def test_21_a_request_without_metadata_inherits_it(client) -> None:
    first = post(client, "s", schema='"string"', metadata={"properties": {"owner": "me"}})
    assert summary(post(client, "s", schema='"string"')) == summary(first)
    assert post(client, "s", schema='{"type":"string","x":1}')["metadata"] == {"properties": {"owner": "me"}}


def test_22_an_explicit_version_is_compared_and_set(client) -> None:
    assert post(client, "s", schema='"string"', version=2)["error_code"] == 42201
    assert post(client, "s", schema='"string"', version=1)["version"] == 1


def test_23_an_explicit_version_is_written_into_the_metadata(client) -> None:
    first = post(client, "s", schema='"string"')
    second = post(client, "s", schema='"string"', version=2)
    assert (first["id"], second["id"]) == (1, 2)
    assert second["metadata"] == {"properties": {"confluent:version": "2"}}


@pytest.mark.parametrize("normalize", [{}, {"query": "?normalize=true"}])
def test_25_import_keeps_a_schema_as_it_comes(client, normalize) -> None:
    client("PUT", "/config/s", json={"normalize": True})
    client("PUT", "/mode/s", json={"mode": "IMPORT"})
    kept = post(client, "s", schema='{"type":"int","b":1,"a":2}', id=5, **normalize)
    assert kept["schema"] == '{"type":"int","b":1,"a":2}'


def test_26_import_binds_one_text_to_two_ids_but_not_two_texts_to_one(client) -> None:
    client("PUT", "/mode", json={"mode": "IMPORT"})
    assert post(client, "a", schema='"string"', id=5)["id"] == 5
    assert post(client, "b", schema='"string"', id=6)["id"] == 6
    assert post(client, "c", schema='"int"', id=5) == {
        "error_code": 42205,
        "message": "Overwrite new schema with id 5 in context  is not permitted.",
    }


def test_27_entering_import_sweeps_what_is_soft_deleted(client) -> None:
    client.register("s")
    client("DELETE", "/subjects/s")
    assert client("PUT", "/mode", json={"mode": "IMPORT"}).status_code == 200
    assert client.get("/schemas/ids/1")["error_code"] == 40403
    assert post(client, "s", schema='"int"', id=1)["id"] == 1


def test_32_a_context_outlives_its_subjects(client) -> None:
    client.register(":.c:s")
    for permanent in ("", "?permanent=true"):
        client("DELETE", f"/subjects/:.c:s{permanent}")
    assert client.get("/contexts") == [".", ".c"]


def test_34_a_global_alias_does_nothing(client) -> None:
    client.register("s")
    client("PUT", "/config", json={"alias": "s"})
    assert client.get("/subjects/none/versions")["error_code"] == 40401
    assert client.get("/schemas/ids/1?subject=")["subject"] == "s"
    assert "aliases" not in client.get("/schemas?aliases=true")[0]


@pytest.mark.parametrize(
    ("text", "strict"),
    [
        ('{"type":"record","name":"R","fields":[{"name":"f","type":"string","default":null}]}', 42201),
        ('{"type":"record","name":"R","namespace":"a-bad","fields":[]}', 42201),
    ],
)
def test_40_new_schemas_are_read_strictly_unless_switched_off(client, text, strict) -> None:
    for path in ("/subjects/s/versions", "/compatibility/subjects/s/versions"):
        assert client("POST", path, json={"schema": text}).json()["error_code"] == strict
    client("PUT", "/config/s", json={"validateNewSchemas": False})
    assert post(client, "s", schema=text)["version"] == 1


def test_42_rule_sets_are_kept_unless_the_operator_drops_them(client, start_client) -> None:
    rules = {"domainRules": [{"name": "r", "type": "CEL"}]}
    assert "ruleSet" in post(client, "s", schema='"string"', ruleSet=rules)
    assert "ruleSet" not in post(start_client(rulesets="drop"), "s", schema='"string"', ruleSet=rules)


def test_43_the_empty_subject_and_the_star_are_registered(client, start_client) -> None:
    for subject in ("%2A", ":.:"):
        client.register(subject)
    assert client.get("/subjects") == ["", "*"]
    refused = post(start_client(empty_subject_allowed=False), ":.:", schema='"string"')
    assert refused["error_code"] == 42208


def test_44_a_level_for_all_contexts_applies_where_none_is_set(client) -> None:
    client("PUT", "/config/:.__GLOBAL:", json=NO_CHECKS)
    for subject in ("s", ":.c:s"):
        client.register(subject)
        assert post(client, subject, schema='"int"')["version"] == 2


def test_45_normalize_is_inherited_by_a_subject_with_a_config(client) -> None:
    client("PUT", "/config", json={"normalize": True})
    client("PUT", "/config/s", json={"compatibility": "FULL"})
    assert post(client, "s", schema='{"type":"int","b":1,"a":2}')["schema"] == '{"type":"int","a":2,"b":1}'


def test_a_subject_config_without_a_level_has_the_servers_not_the_global_one(client) -> None:
    client("PUT", "/config", json=NO_CHECKS)
    client("PUT", "/config/s", json={"normalize": False})
    client.register("s")
    assert post(client, "s", schema='"int"')["error_code"] == 40901
    client.register("t")
    assert post(client, "t", schema='"int"')["version"] == 2
