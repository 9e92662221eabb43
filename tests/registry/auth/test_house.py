"""Users and grants over a whole registry: what is answered, what is refused, what is hidden, and what leaks."""

import inspect
from pathlib import Path

import bcrypt
import pytest

from registry.app import HOT_FIRST, create
from registry.auth import NEEDS
from registry.operations.sight import SeenState
from registry.settings import Settings
from registry.state import State

V1 = "application/vnd.schemaregistry.v1+json"
BODY = {"schema": '"string"'}
SECRET = '{"type":"record","name":"Secret","fields":[{"name":"pin","type":"int"}]}'
ORDER = '{"type":"record","name":"Order","fields":[{"name":"a","type":"int"}]}'
BILL = '{"type":"record","name":"Bill","fields":[{"name":"s","type":"Secret"}]}'


@pytest.fixture(scope="module")
def stocked(module_house):
    """A guarded registry with schemas, shared by the tests of a module; for tests that change nothing.

    Id 1 is orders-value, 2 is secrets-value, 3 is orders-bill, which refers to secrets-value; 4 is held by
    orders-shared and secrets-shared; `.prod` has its own ids 1 (orders-value) and 2 (secrets-value).
    """
    house = module_house
    house.register("orders-value", ORDER)
    house.register("secrets-value", SECRET)
    reference = {"name": "Secret", "subject": "secrets-value", "version": 1}
    house.register("orders-bill", BILL, references=[reference])
    house.register("secrets-shared", '"bytes"')
    house.register("orders-shared", '"bytes"')
    house.register(":.prod:orders-value", ORDER)
    house.register(":.prod:secrets-value", SECRET)
    house.register(":.vault:secrets-value", '"boolean"')
    house.register(":.vault:hidden-name", '"long"')
    assert house("root", "PUT", "/config/orders-alias", {"alias": "secrets-value"}).status_code == 200
    assert house("root", "PUT", "/config/secrets-alias", {"alias": "orders-value"}).status_code == 200
    return house


def test_every_route_of_the_application_says_what_it_needs_and_nothing_else_does() -> None:
    routes = {(route.method, route.path) for router in HOT_FIRST for route in router.routes}
    assert routes == set(NEEDS)


def test_every_question_of_a_state_is_answered_by_what_is_seen() -> None:
    questions = {name for name, _ in inspect.getmembers(State, inspect.isfunction) if name[0] != "_"}
    changes = {"draft", "advance", "apply"}
    composed = {"live_rows", "row", "latest", "targets", "alias", "aliases"}
    of_the_whole = {"snapshot", "holds", "stamp_of", "stamp", "highest_ids", "counts"}
    assert questions - changes - composed - of_the_whole <= set(vars(SeenState))


def test_what_stands_beside_the_routes_is_documentation() -> None:
    beside = {route.path for route in create(Settings(store="memory:"))._surface.routes} - {path for _, path in NEEDS}
    assert beside == {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/static-offline-docs"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, path) for method in ("GET", "HEAD", "OPTIONS", "POST", "BREW") for path in ("/", "/subjects", "/x")),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/metrics"),
        ("GET", "/signet/v1/events"),
        ("GET", "/health/live/"),
        ("GET", "/health//live"),
        ("GET", "/health/l%69ve"),
        ("GET", "/contexts/a/health/live"),
        ("GET", "/health/live/../../subjects"),
        ("GET", "/subjects/a%zz"),
    ],
)
def test_nothing_but_health_is_answered_to_nobody(stocked, method: str, path: str) -> None:
    answer = stocked(None, method, path)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Basic realm="Signet", charset="UTF-8"')
    if method != "HEAD":
        assert (answer.json(), answer.headers["content-type"]) == (
            {"error_code": 401, "message": "Unauthorized"},
            V1,
        )


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_is_answered_to_anybody(stocked, path: str) -> None:
    assert stocked(None, "GET", path).status_code == 200
    assert stocked("non", "GET", path, headers={"Authorization": "Bearer x"}).status_code == 200


def test_two_authorization_headers_are_refused_even_if_both_are_right(stocked) -> None:
    headers = [("Authorization", "Basic cm9vdDpyb290")] * 2
    answer = stocked(None, "GET", "/subjects", headers=headers)
    assert (answer.status_code, answer.json()["message"]) == (
        401,
        "Unauthorized: there is more than one Authorization header",
    )


PLACES = {
    "subject": "orders-value",
    "version": "1",
    "id": "1",
    "guid": "0" * 32,
    "context": ".prod",
    "resource": "r",
    "namespace": "n",
    "name": "r",
}


@pytest.mark.parametrize(("method", "template"), [key for key in NEEDS if "health" not in key[1]])
def test_who_was_granted_nothing_of_it_is_refused_wherever_a_right_is_needed(stocked, method, template) -> None:
    answer = stocked("non", method, template.format(**PLACES), {} if method in ("POST", "PUT") else None)
    need = NEEDS[method, template]
    assert (answer.status_code == 403) == (need.right is not None), answer.text
    if need.right is not None:
        place = "the registry" if "{" not in template else "Subject: "
        assert answer.json()["error_code"] == 40301
        assert answer.json()["message"].startswith(f"User is denied operation {need.right.name.title()} on {place}")


READ, WRITE, DELETE, ADMIN = "Read", "Write", "Delete", "Admin"


@pytest.mark.parametrize(
    ("user", "method", "path", "denied"),
    [
        # rights
        ("ben", "GET", "/subjects/orders-value/versions", ""),
        ("ben", "GET", "/subjects/orders-value/versions/1", ""),
        ("ben", "HEAD", "/subjects/orders-value/versions/1", ""),
        ("ben", "POST", "/subjects/orders-value/versions", WRITE),
        ("ben", "POST", "/subjects/orders-value/versions?dryRun=true", WRITE),
        ("ben", "POST", "/subjects/orders-value/versions/1/tags", WRITE),
        ("ben", "POST", "/signet/v1/subjects/orders-value/versions/1/undelete", WRITE),
        ("ben", "DELETE", "/subjects/orders-value", DELETE),
        ("ben", "DELETE", "/subjects/orders-value?dryRun=true", DELETE),
        ("ana", "DELETE", "/subjects/orders-value/versions/1", DELETE),
        ("ana", "PUT", "/config/orders-value", ADMIN),
        ("ana", "DELETE", "/mode/orders-value", ADMIN),
        ("del", "POST", "/subjects/orders-value/versions", WRITE),
        ("del", "PUT", "/mode/orders-value?force=true", ADMIN),
        ("all", "PUT", "/config", ADMIN),
        ("all", "PUT", "/config/:.:", ADMIN),
        ("all", "DELETE", "/mode?recursive=true", ADMIN),
        ("all", "PUT", "/mode/:.__GLOBAL:", ADMIN),
        ("ops", "PUT", "/mode/:.__GLOBAL:x", ADMIN),
        ("ops", "PUT", "/config", ADMIN),
        ("ops", "DELETE", "/contexts/.vault", ADMIN),
        ("ana", "DELETE", "/contexts/.prod", ADMIN),
        ("all", "DELETE", "/contexts/.prod", ADMIN),
        ("ops", "GET", "/signet/v1/events", READ),
        # ways of writing what may not be read
        ("ben", "GET", "/subjects/secrets-value/versions/1", READ),
        ("ben", "GET", "/subjects/secrets-value/versions/1/", READ),
        ("ben", "GET", "/subjects/secrets%2Dvalue/versions/1", READ),
        ("ben", "GET", "/subjects/%73%65crets-value/versions/1/schema", READ),
        ("ben", "HEAD", "/subjects/secrets-value/versions/1", READ),
        ("ben", "GET", "/subjects/:.:secrets-value/versions/1", READ),
        ("ben", "GET", "/subjects/%3A.%3Asecrets-value/versions/1", READ),
        ("ben", "GET", "/contexts/%2E/subjects/secrets-value/versions/1", READ),
        ("ben", "GET", "/contexts/.prod/subjects/orders-value/versions/1", READ),
        ("ben", "GET", "/contexts/prod/subjects/orders-value/versions/1", READ),
        ("ben", "GET", "/contexts/:.prod:/subjects/orders-value/versions/1", READ),
        ("ben", "GET", "/contexts/.x/contexts/.prod/subjects/orders-value/versions/1", READ),
        ("ben", "GET", "/contexts/%2E/subjects/:.prod:orders-value/versions/1", READ),
        ("ben", "GET", "/subjects/:.prod:orders-value/versions/latest", READ),
        ("ben", "GET", "/subjects/%3A.prod%3Aorders-value/versions", READ),
        ("ben", "GET", "/config/secrets-value", READ),
        ("ben", "GET", "/config/:.prod:", READ),
        ("ben", "GET", "/contexts/.prod/config", READ),
        ("ben", "GET", "/contexts/.prod/mode", READ),
        ("ben", "GET", "/mode/secrets-value?defaultToGlobal=true", READ),
        ("ben", "POST", "/subjects/secrets-value", READ),
        ("ben", "POST", "/compatibility/subjects/secrets-value/versions/latest", READ),
        ("ben", "POST", "/signet/v1/compatibility/subjects/secrets-value/versions", READ),
        ("ben", "GET", "/subjects/secrets-value/metadata", READ),
        ("ben", "GET", "/subjects/secrets-value/versions/1/referencedby", READ),
        ("ben", "GET", "/signet/v1/subjects/secrets-value/versions/1", READ),
        ("ben", "GET", "/associations/subjects/secrets-value", READ),
        # an alias needs its own read, and the right on what it stands for
        ("ben", "GET", "/subjects/orders-alias/versions/1", READ),
        ("ben", "GET", "/subjects/secrets-alias/versions/1", READ),
        ("ana", "POST", "/subjects/orders-alias/versions", WRITE),
    ],
)
def test_no_way_of_asking_leads_past_a_missing_right(stocked, user, method, path, denied) -> None:
    answer = stocked(user, method, path, BODY if method in ("POST", "PUT") else None)
    assert answer.status_code == (403 if denied else 200), answer.text
    if denied and method != "HEAD":
        assert answer.json()["message"].startswith(f"User is denied operation {denied} on ")


@pytest.mark.parametrize("header", ["X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override"])
def test_no_header_makes_a_request_another_one(stocked, header: str) -> None:
    answer = stocked("ben", "GET", "/subjects/orders-value/versions", headers={header: "DELETE"})
    assert answer.json() == [1]
    assert stocked("ben", "POST", "/subjects/orders-value/versions", BODY, headers={header: "GET"}).status_code == 403


def test_the_refusal_of_an_alias_does_not_tell_what_it_stands_for(stocked) -> None:
    assert "orders-value" not in stocked("non", "GET", "/subjects/secrets-alias/versions").text
    assert "secrets" not in stocked("non", "GET", "/subjects/orders-alias/versions").text


@pytest.mark.parametrize(
    ("user", "path", "answer"),
    [
        ("ben", "/subjects", ["orders-bill", "orders-shared", "orders-value"]),
        ("ben", "/subjects?subjectPrefix=:.vault:", []),
        ("ben", "/contexts/.vault/subjects", []),
        ("ana", "/subjects?subjectPrefix=:*:", [":.prod:orders-value", "orders-bill", "orders-shared", "orders-value"]),
        ("ops", "/subjects", [":.prod:orders-value", ":.prod:secrets-value"]),
        ("non", "/subjects?deleted=true", []),
        ("ben", "/contexts", ["."]),
        ("ana", "/contexts", [".", ".prod"]),
        ("root", "/contexts", [".", ".prod", ".vault"]),
        ("ben", "/contexts/.vault/contexts", ["."]),
        ("ben", "/schemas/ids/4/subjects", ["orders-shared"]),
        ("ben", "/schemas/ids/4/versions", [{"subject": "orders-shared", "version": 1}]),
        ("ben", "/schemas/types", ["AVRO"]),
        ("ben", "/associations/resources/-/-", []),
    ],
)
def test_lists_hold_what_may_be_read(stocked, user: str, path: str, answer: list) -> None:
    for _ in range(2):  # what is answered again is what was answered to this user
        found = stocked(user, "GET", path).json()
        assert found == answer or sorted(found, key=str) == answer


def test_listed_schemas_are_those_that_may_be_read(stocked) -> None:
    paths = (
        "/schemas",
        "/schemas?subjectPrefix=:*:",
        "/schemas?aliases=true&subjectPrefix=:*:",
        "/schemas?deleted=true",
    )
    for query in paths:
        found = stocked("ben", "GET", query).json()
        assert [schema["subject"] for schema in found] == ["orders-bill", "orders-shared", "orders-value"], query
        assert "secrets" not in "".join(str(schema.get("aliases")) for schema in found)


HIDDEN = (404, 40403)


@pytest.mark.parametrize(
    ("user", "path", "answer"),
    [
        ("ben", "/schemas/ids/1", (200, "orders-value")),
        ("ben", "/schemas/ids/2", HIDDEN),
        ("ben", "/schemas/ids/2?subject=orders-value", HIDDEN),
        ("ben", "/schemas/ids/2?subject=secrets-value", HIDDEN),
        ("ben", "/schemas/ids/2?subject=orders-alias", HIDDEN),
        ("ben", "/schemas/ids/2/schema", HIDDEN),
        ("ben", "/schemas/ids/2/subjects", HIDDEN),
        ("ben", "/schemas/ids/2/versions", HIDDEN),
        ("ben", "/schemas/ids/4", (200, "orders-shared")),
        ("ben", "/schemas/ids/4?subject=secrets-shared", (200, "orders-shared")),
        ("ben", "/schemas/ids/1?subject=:.prod:", HIDDEN),
        ("ben", "/contexts/.prod/schemas/ids/1", HIDDEN),
        ("ben", "/contexts/.vault/schemas/ids/2", HIDDEN),
        ("ana", "/contexts/.prod/schemas/ids/1", (200, ":.prod:orders-value")),
        ("ana", "/contexts/.prod/schemas/ids/2", HIDDEN),
        ("ops", "/schemas/ids/2", HIDDEN),
        ("ops", "/schemas/ids/2?subject=secrets-value", (200, ":.prod:secrets-value")),
        ("all", "/subjects/hidden-name/versions/1", (404, 40401)),  # not found in a hidden context either
    ],
)
def test_an_id_is_known_to_who_may_read_one_of_its_subjects(stocked, user, path, answer) -> None:
    found = stocked(user, "GET", path)
    assert (found.status_code, found.json().get("error_code") or found.json()["subject"]) == answer
    assert "pin" not in found.text or user == "ops"


def test_a_guid_is_known_to_who_may_read_one_of_its_subjects(stocked) -> None:
    guid = stocked("root", "GET", "/subjects/secrets-value/versions/1").json()["guid"]
    assert stocked("ben", "GET", f"/schemas/guids/{guid}").json()["error_code"] == 40403
    assert stocked("ben", "GET", f"/schemas/guids/{guid}/ids").json() == []
    assert stocked("ops", "GET", f"/schemas/guids/{guid}/ids").json() == [{"context": ".prod", "id": 2}]
    assert stocked("root", "GET", f"/schemas/guids/{guid}").status_code == 200


REFERENCE = [{"name": "Secret", "subject": "secrets-value", "version": 1}]
LATEST = [{**REFERENCE[0], "version": -1}]


@pytest.mark.parametrize("references", [REFERENCE, LATEST, [{**REFERENCE[0], "subject": ":.prod:secrets-value"}]])
@pytest.mark.parametrize(
    "path",
    [
        "/subjects/orders-new/versions",
        "/subjects/orders-new/versions?dryRun=true",
        "/subjects/orders-bill",
        "/compatibility/subjects/orders-value/versions?verbose=true",
        "/signet/v1/compatibility/subjects/orders-value/versions",
    ],
)
def test_a_schema_cannot_refer_to_what_its_sender_may_not_read(stocked, path: str, references: list) -> None:
    with_reference = stocked("ana", "POST", path, {"schema": BILL, "references": references})
    absent = [{**references[0], "subject": "secrets-none"}]
    without = stocked("ana", "POST", path, {"schema": BILL, "references": absent})
    assert "No schema reference found for subject" in with_reference.text
    # Told apart from one that is not there by nothing but its own name and digest.
    assert with_reference.status_code == without.status_code
    assert "pin" not in with_reference.text


def test_the_text_of_a_reference_is_not_written_out_for_who_may_not_read_it(stocked) -> None:
    assert stocked("ben", "GET", "/subjects/orders-bill/versions/1").json()["schema"] == BILL
    for path in ("/subjects/orders-bill/versions/1", "/schemas/ids/3", "/schemas/ids/3/schema"):
        resolved = stocked("ben", "GET", f"{path}?format=resolved")
        assert resolved.status_code == 422
        assert "pin" not in resolved.text
        assert "pin" in stocked("root", "GET", f"{path}?format=resolved").text


def test_what_refers_to_a_version_is_told_as_far_as_it_may_be_read(house) -> None:
    house.register("orders-value", SECRET)
    reference = {"name": "Secret", "subject": "orders-value", "version": 1}
    number = house.register("hidden", BILL, references=[reference])
    path = "/subjects/orders-value/versions/1"
    assert house("ben", "GET", f"{path}/referencedby").json() == []
    assert house("root", "GET", f"{path}/referencedby").json() == [number]
    refused = {"error_code": 42206, **house("del", "DELETE", path).json()}
    assert "hidden" not in str(refused)
    # A dry run tells what the deletion would be told.
    told = house("del", "DELETE", f"{path}?dryRun=true").json()
    assert (told["accepted"], told["refusal"]["error_code"]) == (False, refused["error_code"])


def test_a_lookup_finds_nothing_in_contexts_that_may_not_be_read(stocked) -> None:
    lookup = {"schema": '"long"'}
    assert stocked("root", "POST", "/subjects/hidden-name", lookup).json()["subject"] == ":.vault:hidden-name"
    assert stocked("all", "POST", "/subjects/hidden-name", lookup).json()["error_code"] == 40401


def test_a_new_version_by_tags_is_made_of_a_version_that_may_be_read(house) -> None:
    house.register(":.hidden:orders-value", SECRET)
    house.register(":.prod:orders-value", ORDER)
    path = "/subjects/orders-value/versions/1/tags"
    for asked in (f"{path}?dryRun=true", path):
        answer = house("ana", "POST", asked, {}).json()
        assert answer.get("answer", answer)["schema"] == ORDER


def test_what_was_answered_to_one_is_not_answered_to_another(stocked) -> None:
    for path in ("/subjects/secrets-value/versions/1", "/schemas/ids/2", "/subjects", "/schemas/ids/4/subjects"):
        answers = [stocked(user, "GET", path) for user in ("root", "ben", "root", "ben", "ops", "non")]
        assert answers[0].json() == answers[2].json() != answers[1].json() == answers[3].json()
        assert "pin" not in answers[1].text + answers[5].text


def test_registering_again_needs_the_right_to_write_even_when_it_was_answered_before(house) -> None:
    body = {"schema": ORDER}
    statuses = [
        house(user, "POST", "/subjects/orders-value/versions", body).status_code for user in ("ana", "ana", "ben")
    ]
    assert statuses == [200, 200, 403]


def test_what_a_grant_allows_works_to_the_end(house) -> None:
    house.register("orders-value", ORDER, user="ana")
    assert house("ana", "POST", "/subjects/orders-value", {"schema": ORDER}).json()["version"] == 1
    assert house("del", "DELETE", "/subjects/orders-value").json() == [1]
    assert house("ana", "POST", "/signet/v1/subjects/orders-value/versions/1/undelete").status_code == 200
    assert house("ops", "PUT", "/contexts/.prod/config", {"compatibility": "FULL"}).status_code == 200
    assert house("ops", "PUT", "/mode/:.prod:", {"mode": "IMPORT"}).status_code == 200
    assert house("ops", "DELETE", "/contexts/.prod").status_code == 204
    assert house("root", "PUT", "/config", {"compatibility": "FULL"}).status_code == 200
    assert house("ben", "GET", "/config").json()["compatibilityLevel"] == "FULL"


def test_who_wrote_is_kept_with_the_version(house) -> None:
    house.register("orders-value", ORDER, user="ana")
    house("root", "DELETE", "/subjects/orders-value/versions/1")
    details = house("root", "GET", "/signet/v1/subjects/orders-value/versions/1").json()
    assert (details["registeredBy"], details["deleted"]) == ("ana", True)


def test_users_without_grants_may_do_everything_and_are_kept_as_authors(start_house, files) -> None:
    house = start_house(users_file=files["users_file"])
    house.register("anything", ORDER, user="non")
    assert house("ben", "GET", "/signet/v1/subjects/anything/versions/1").json()["registeredBy"] == "non"
    assert house("non", "PUT", "/config", {"compatibility": "NONE"}).status_code == 200
    assert house(None, "GET", "/subjects").status_code == 401


def test_without_users_anybody_may_do_everything(start_house) -> None:
    house = start_house()
    house.register("anything", ORDER)
    assert house(None, "GET", "/signet/v1/subjects/anything/versions/1").json()["registeredBy"] is None


def write_users(file: Path, *names: str) -> None:
    file.write_text("".join(f"{name}:{bcrypt.hashpw(name.encode(), bcrypt.gensalt(4)).decode()}\n" for name in names))


def test_a_user_who_is_gone_from_the_file_is_refused_within_seconds(start_house, tmp_path) -> None:
    write_users(tmp_path / "users", "ana", "ben")
    house = start_house(users_file=tmp_path / "users")
    assert house("ana", "GET", "/subjects").status_code == 200
    write_users(tmp_path / "users", "ben")
    house.wait(1.5)
    assert [house(user, "GET", "/subjects").status_code for user in ("ana", "ben")] == [401, 200]
