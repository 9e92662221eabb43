"""The OpenAPI document: complete, and true to the answers."""

import copy

import jsonschema
import pytest

METHODS = ("get", "post", "put", "delete")
V1 = "application/vnd.schemaregistry.v1+json"
RECORD = '{"type":"record","name":"R","fields":[{"name":"a","type":"int","confluent:tags":["PII"]}]}'
RULES = {"domainRules": [{"name": "r", "type": "CEL", "tags": ["PII"], "params": {"a": "b"}, "expr": "true"}]}
METADATA = {"tags": {"R.a": ["PII"]}, "properties": {"owner": "me"}, "sensitive": ["owner"]}
CONTRACT = {"schema": RECORD, "metadata": METADATA, "ruleSet": RULES}


@pytest.fixture(scope="module")
def document(shared_client):
    return shared_client.get("/openapi.json")


@pytest.fixture(scope="module")
def operations(document):
    """Every operation with its method and path."""
    return [(m, path, item[m]) for path, item in document["paths"].items() for m in METHODS if m in item]


def test_every_operation_is_named_once_and_described(operations) -> None:
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(names) == len(set(names)) > 45
    for _, path, operation in operations:
        assert operation["summary"], path
        assert operation["description"].endswith("."), path
        assert operation["tags"], path


def test_every_parameter_is_described(operations) -> None:
    for _, path, operation in operations:
        for parameter in operation.get("parameters", []):
            assert parameter.get("description", "").endswith("."), (path, parameter["name"])


def test_every_member_of_a_body_is_described(document) -> None:
    for name, schema in document["components"]["schemas"].items():
        for member, described in schema.get("properties", {}).items():
            assert described.get("description", "").endswith("."), (name, member)


def test_every_refusal_has_the_same_shape(operations) -> None:
    for _, path, operation in operations:
        for status, answer in operation["responses"].items():
            if status[0] in "45d" and not path.startswith("/health"):
                schemas = [content["schema"] for content in answer["content"].values()]
                assert schemas == [{"$ref": "#/components/schemas/ErrorReply"}], (path, status)


def test_every_operation_with_a_body_names_its_refusals(operations) -> None:
    for _, path, operation in operations:
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= set(operation["responses"]), path


def test_a_body_can_be_sent_as_the_documentation_shows_it(client, document, operations) -> None:
    client.register("orders", '{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}')
    shown = {}
    for method, path, operation in operations:
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        if "$ref" in schema:
            body = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            shown[method, path] = body.get("examples")
    # The modes come last: they forbid the others.
    for (method, path), examples in sorted(shown.items(), key=lambda told: told[0][1].startswith("/mode")):
        address = path.format(subject="orders", version="latest")
        answer = client(method.upper(), address, json=examples[0])
        assert answer.status_code in (200, 207), (address, answer.text)
    assert len(shown) == 12


@pytest.fixture(scope="module")
def strict(document):
    """Checks a value against what the document says of an answer, and lets no undocumented member through."""
    closed = copy.deepcopy(document)
    for schema in closed["components"]["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False

    def check(method: str, template: str, answer) -> None:
        documented = closed["paths"][template][method.lower()]["responses"][str(answer.status_code)]["content"]
        content = documented.get(answer.headers["content-type"]) or documented["application/json"]
        jsonschema.validate(answer.json(), {**content["schema"], "components": closed["components"]})

    return check


def rich(client) -> None:
    """Fill a registry with one of everything."""
    client("POST", "/subjects/s/versions", json=CONTRACT)
    client.register("user", '["R"]', references=[{"name": "R", "subject": "s", "version": 1}])
    client("PUT", "/config/nick", json={"alias": "s"})
    config = {"compatibility": "FULL", "defaultMetadata": METADATA, "overrideRuleSet": RULES, "normalize": True}
    client("PUT", "/config/other", json=config)
    client("PUT", "/mode/other", json={"mode": "READONLY"})


ANSWERS = [
    ("GET", "/", "/", None),
    ("GET", "/subjects", "/subjects", None),
    ("GET", "/subjects/{subject}/versions", "/subjects/s/versions", None),
    ("GET", "/subjects/{subject}/versions/{version}", "/subjects/s/versions/1?findTags=*", None),
    ("GET", "/subjects/{subject}/versions/{version}", "/subjects/user/versions/1", None),
    ("GET", "/subjects/{subject}/versions/{version}", "/subjects/s/versions/9", None),
    ("GET", "/subjects/{subject}/versions/{version}/referencedby", "/subjects/s/versions/1/referencedby", None),
    ("GET", "/subjects/{subject}/metadata", "/subjects/s/metadata?key=owner&value=me", None),
    ("POST", "/subjects/{subject}", "/subjects/s", CONTRACT),
    ("POST", "/subjects/{subject}/versions", "/subjects/s/versions", CONTRACT),
    ("POST", "/subjects/{subject}/versions", "/subjects/s/versions?dryRun=true", {"schema": '"int"'}),
    ("POST", "/subjects/{subject}/versions", "/subjects/new/versions?dryRun=true", CONTRACT),
    ("DELETE", "/subjects/{subject}", "/subjects/s?dryRun=true", None),
    ("DELETE", "/subjects/{subject}/versions/{version}", "/subjects/user/versions/1?dryRun=true", None),
    ("GET", "/signet/v1/subjects/{subject}/versions/{version}", "/signet/v1/subjects/s/versions/1", None),
    ("GET", "/schemas", "/schemas?aliases=true", None),
    ("GET", "/schemas/types", "/schemas/types", None),
    ("GET", "/schemas/ids/{id}", "/schemas/ids/1?fetchMaxId=true&includeSubjects=true&findTags=*", None),
    ("GET", "/schemas/ids/{id}/versions", "/schemas/ids/1/versions", None),
    ("GET", "/schemas/ids/{id}/subjects", "/schemas/ids/1/subjects", None),
    ("POST", "/compatibility/subjects/{subject}/versions", "/compatibility/subjects/s/versions?verbose=true", CONTRACT),
    (
        "POST",
        "/signet/v1/compatibility/subjects/{subject}/versions",
        "/signet/v1/compatibility/subjects/s/versions",
        {"schema": '"int"'},
    ),
    ("GET", "/config", "/config", None),
    ("GET", "/config/{subject}", "/config/other", None),
    ("PUT", "/config/{subject}", "/config/other?dryRun=true", {"alias": "x"}),
    ("GET", "/mode/{subject}", "/mode/other", None),
    ("PUT", "/mode/{subject}", "/mode/other", {"mode": None}),
    ("DELETE", "/mode/{subject}", "/mode/none?recursive=true", None),
    ("GET", "/contexts", "/contexts", None),
    ("GET", "/v1/metadata/id", "/v1/metadata/id", None),
    ("GET", "/v1/metadata/version", "/v1/metadata/version", None),
    ("GET", "/v1/metadata/deployment", "/v1/metadata/deployment", None),
    ("GET", "/health/live", "/health/live", None),
    ("GET", "/health/ready", "/health/ready", None),
]


@pytest.mark.parametrize(("method", "template", "path", "body"), ANSWERS)
def test_an_answer_has_the_members_that_are_documented(client, strict, method, template, path, body) -> None:
    rich(client)
    strict(method, template, client(method, path, json=body))
