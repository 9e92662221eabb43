"""Routes of associations, over records that another registry wrote."""

import asyncio

import pytest

from registry.log import open_log
from registry.model import Association, Subject
from registry.records import AssociationKey, Record

TOPICS = [
    ("orders", "lkc-1", "value", "orders-value", "STRONG", True),
    ("orders", "lkc-1", "key", "orders-key", "STRONG", True),
    ("orders", "lkc-2", "value", "shared", "WEAK", False),
    ("refunds", "lkc-1", "value", "shared", "WEAK", True),
]


def record(name: str, namespace: str, kind: str, subject: str, lifecycle: str, frozen: bool) -> Record:
    key = AssociationKey(name, namespace, "topic", kind, Subject.of(subject))
    resource_id = f"{namespace}:{name}"
    value = Association(
        f"guid-{name}", name, namespace, resource_id, "topic", kind, Subject.of(subject), lifecycle, frozen
    )
    return Record(key, value)


async def write(url: str) -> None:
    log = await open_log(url)
    async with log.turn(0) as turn:
        await turn.append([record(*topic).entry() for topic in TOPICS])
    await log.close()


@pytest.fixture
def associations(start_client, tmp_path):
    url = f"sqlite:{tmp_path}/signet.db"
    asyncio.run(write(url))
    return start_client(store=url)


def names(found):
    return [(bound["resourceName"], bound["resourceNamespace"], bound["associationType"]) for bound in found]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("subjects/orders-value", [("orders", "lkc-1", "value")]),
        ("subjects/shared", [("orders", "lkc-2", "value"), ("refunds", "lkc-1", "value")]),
        ("subjects/shared?limit=1&offset=1", [("refunds", "lkc-1", "value")]),
        ("subjects/none", []),
        ("subjects/shared?resourceType=table", []),
        ("subjects/shared?resourceType=topic", [("orders", "lkc-2", "value"), ("refunds", "lkc-1", "value")]),
        ("resources/lkc-1:orders", [("orders", "lkc-1", "key"), ("orders", "lkc-1", "value")]),
        ("resources/lkc-1:orders?associationType=key", [("orders", "lkc-1", "key")]),
        ("resources/lkc-1/orders", [("orders", "lkc-1", "key"), ("orders", "lkc-1", "value")]),
        ("resources/lkc-1/orders?associationType=key&associationType=other", [("orders", "lkc-1", "key")]),
        ("subjects/orders-value?lifecycle=", [("orders", "lkc-1", "value")]),
        ("resources/lkc-1/-?lifecycle=WEAK", [("refunds", "lkc-1", "value")]),
        ("resources/-/orders?associationType=value", [("orders", "lkc-1", "value"), ("orders", "lkc-2", "value")]),
        ("resources/-/-?lifecycle=WEAK", [("orders", "lkc-2", "value"), ("refunds", "lkc-1", "value")]),
    ],
)
def test_associations_are_listed(associations, path, found) -> None:
    assert names(associations.get(f"/associations/{path}")) == found


def test_an_association_has_all_its_members(associations) -> None:
    (bound,) = associations.get("/associations/resources/lkc-1:refunds")
    assert bound.pop("createTs") == bound.pop("updateTs") > 0
    assert bound == {
        "subject": "shared",
        "guid": "guid-refunds",
        "resourceName": "refunds",
        "resourceNamespace": "lkc-1",
        "resourceId": "lkc-1:refunds",
        "resourceType": "topic",
        "associationType": "value",
        "lifecycle": "WEAK",
        "frozen": True,
    }


def test_a_batch_answers_each_question_for_itself(associations) -> None:
    questions = [
        {"resourceName": "orders", "resourceNamespace": "lkc-2"},
        {"resourceId": "lkc-1:none"},
        {"resourceName": "orders"},
        {},
    ]
    answer = associations("POST", "/associations:batchGet", json={"requests": questions})
    found = {"subject": "shared", "associationType": "value", "lifecycle": "WEAK"}
    place = {"resourceName": "orders", "resourceNamespace": "lkc-2", "resourceId": "lkc-2:orders"}
    detail = "Error while getting associations: The association specified an invalid value for property: "
    assert answer.status_code == 207
    assert answer.json()["results"] == [
        {"result": {**place, "resourceType": "topic", "associations": [found]}},
        {"result": {"resourceId": "lkc-1:none", "resourceType": "topic"}},
        {
            "error": {
                "error_code": 500,
                "message": f"{detail}'resourceNamespace', detail: "
                "resourceNamespace is required when resourceName is specified",
            }
        },
        {
            "error": {
                "error_code": 500,
                "message": f"{detail}'resourceId', detail: either resourceId or resourceName must be specified",
            }
        },
    ]


def test_a_batch_can_bring_the_latest_versions(associations) -> None:
    associations.register("shared")
    questions = {"requests": [{"resourceId": "lkc-2:orders"}, {"resourceId": "lkc-1:orders"}]}
    results = associations("POST", "/associations:batchGet?includeSchemas=true", json=questions).json()["results"]
    assert results[0]["result"]["associations"][0]["schema"]["schema"] == '"string"'
    assert "schema" not in results[1]["result"]["associations"][0]


@pytest.mark.parametrize("body", [{}, {"requests": []}, {"requests": None}])
def test_a_batch_without_questions_is_refused(associations, body) -> None:
    answer = associations("POST", "/associations:batchGet", json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (422, 42212)


def test_schemas_are_listed_by_what_is_bound_to_them(associations) -> None:
    for subject in ("free", "orders-value", "shared"):
        associations.register(subject)
    for query, found in [
        ("lifecycle=STRONG", ["orders-value"]),
        ("lifecycle=NONE", ["free"]),
        ("lifecycle=NONE&lifecycle=WEAK", ["free", "shared"]),
        ("resourceType=topic&associationType=value", ["orders-value", "shared"]),
    ]:
        assert [schema["subject"] for schema in associations.get(f"/schemas?{query}")] == found, query
    assert names(associations.get("/schemas?lifecycle=STRONG")[0]["associations"]) == [("orders", "lkc-1", "value")]


def test_a_bound_subject_is_not_deleted(associations) -> None:
    associations.register("shared")
    assert associations("DELETE", "/subjects/shared").json()["error_code"] == 40904
    assert associations("DELETE", "/subjects/shared/versions/1").json()["error_code"] == 40907
