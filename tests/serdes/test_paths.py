"""What the methods of a client are given to name: what no path can name is told, and the registry is not asked."""

import asyncio

import pytest

from serdes import AsyncSchemaRegistryClient, Schema, SchemaRegistryClient
from serdes.errors import SettingInvalid

SCHEMA = Schema('"string"')
NO_NUMBERS = [None, "", True, 1.5, "abc", "1/..", b"1", [1]]

SUBJECTS = {
    "text": ([5, True, b"orders", ["orders"]], "the name of a subject must be a text, not "),
    "name": (["", ".", ".."], "a subject cannot be called "),
}
OF_SUBJECTS = [
    lambda client, subject: client.register_schema(subject, SCHEMA),
    lambda client, subject: client.lookup_schema(subject, SCHEMA),
    lambda client, subject: client.get_latest_version(subject),
    lambda client, subject: client.get_version(subject, 1),
    lambda client, subject: client.get_reference(subject, 1),
    lambda client, subject: client.get_latest_with_metadata(subject, {}),
    lambda client, subject: client.get_versions(subject),
    lambda client, subject: client.get_referenced_by(subject),
    lambda client, subject: client.delete_subject(subject),
    lambda client, subject: client.delete_version(subject, 1),
    lambda client, subject: client.test_compatibility(subject, SCHEMA),
    lambda client, subject: client.test_compatibility_all_versions(subject, SCHEMA),
    lambda client, subject: client.get_mode(subject),
    lambda client, subject: client.update_mode(subject, "READONLY"),
    lambda client, subject: client.delete_mode(subject),
    lambda client, subject: client.get_config(subject),
    lambda client, subject: client.set_config(subject, {"compatibility": "NONE"}),
    lambda client, subject: client.delete_config(subject),
    lambda client, subject: client.get_compatibility(subject),
    lambda client, subject: client.set_compatibility(subject, "NONE"),
]
# These mean the whole registry where they are given no subject; a mode has methods of its own for that.
OF_ALL = OF_SUBJECTS[-5:]
OF_VERSIONS = [
    lambda client, version: client.get_version("orders", version),
    lambda client, version: client.get_reference("orders", version),
    lambda client, version: client.get_referenced_by("orders", version),
    lambda client, version: client.delete_version("orders", version),
    lambda client, version: client.test_compatibility("orders", SCHEMA, version),
]
OF_IDS = [
    lambda client, schema_id: client.get_schema(schema_id),
    lambda client, schema_id: client.get_subjects_by_schema_id(schema_id),
    lambda client, schema_id: client.get_schema_versions(schema_id),
]
CASES = [
    *[(asks, values, said) for asks in OF_SUBJECTS for values, said in SUBJECTS.values()],
    *[(asks, [None], "the name of a subject must be a text, not ") for asks in OF_SUBJECTS if asks not in OF_ALL],
    *[(asks, NO_NUMBERS, 'a version must be a whole number or "latest", not ') for asks in OF_VERSIONS],
    *[(asks, [*NO_NUMBERS, "latest"], "a schema id must be a whole number, not ") for asks in OF_IDS],
    (
        lambda client, guid: client.get_schema_by_guid(guid),
        [None, "", True, 1.5, "orders", "1/..", b"1", [1]],
        "a GUID must be of hexadecimal digits and hyphens, not ",
    ),
]


def ask_blocking(url, asks, value):
    with SchemaRegistryClient({"url": url}) as client:
        return asks(client, value)


def ask_awaited(url, asks, value):
    async def asked():
        async with AsyncSchemaRegistryClient({"url": url}) as client:
            return await asks(client, value)

    return asyncio.run(asked())


@pytest.mark.parametrize("ask", [ask_blocking, ask_awaited])
def test_what_no_path_can_name_is_told_and_not_asked_for(registry, url, ask):
    for asks, values, said in CASES:
        for value in values:
            with pytest.raises(SettingInvalid) as refusal:
                ask(url, asks, value)
            assert str(refusal.value) == f"{said}{value!r}"
    assert registry.total() == 0


@pytest.mark.parametrize("ask", [ask_blocking, ask_awaited])
@pytest.mark.parametrize("version", [1, "1", "latest"])
def test_numbers_may_be_texts_and_the_last_version_has_a_name(registry, url, ask, version):
    ask(url, lambda client, _: client.register_schema("orders", SCHEMA), None)
    assert ask(url, OF_VERSIONS[0], version).version == 1
