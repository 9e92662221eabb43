"""Addresses: raw paths, contexts and aliases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.api.paths import Address, context_prefix, in_context, read, unaliased
from registry.errors import BadRequest
from registry.model import Subject

ALIASES = {"short": "long", ":.c:short": ":.c:long", "abroad": ":.c:long", "slash": "a/b"}


def alias_of(subject: Subject) -> Subject | None:
    target = ALIASES.get(str(subject))
    return Subject.of(target) if target else None


@pytest.mark.parametrize(
    ("raw", "segments"),
    [
        (b"/", ()),
        (b"/subjects", ("subjects",)),
        (b"/subjects/", ("subjects",)),
        (b"//subjects/x//", ("subjects", "x")),
        (b"/subjects/a%2Fb/versions", ("subjects", "a/b", "versions")),
        (b"/subjects/a+b", ("subjects", "a+b")),
        (b"/subjects/a%2Bb%20c", ("subjects", "a+b c")),
        (b"/subjects/a%25252fkey", ("subjects", "a%252fkey")),
        (b"/subjects/%C3%A9", ("subjects", "é")),
        ("/subjects/é".encode(), ("subjects", "é")),
        (b"/subjects/:.c:s", ("subjects", ":.c:s")),
    ],
)
def test_a_path_is_split_before_each_segment_is_decoded_once(raw: bytes, segments: tuple[str, ...]) -> None:
    assert read(raw).segments == segments


@pytest.mark.parametrize("raw", [b"/subjects/%", b"/subjects/%4", b"/subjects/%zz", b"/subjects/%ff", b"/\xff"])
def test_a_path_that_cannot_be_decoded_is_a_bad_request(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="The path"):
        read(raw)


@pytest.mark.parametrize("raw", [b"/subjects//versions", b"/contexts//subjects", b"//config//s/"])
def test_an_empty_segment_within_a_path_is_a_bad_request(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="The path holds an empty segment"):
        read(raw)


@given(st.lists(st.text(min_size=1).filter(lambda text: text.isprintable()), max_size=5))
def test_what_is_written_is_read_back(segments: list[str]) -> None:
    address = Address(tuple(segments))
    assert read(address.path.encode()) == address


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("/contexts", "/contexts"),
        ("/contexts/", "/contexts"),
        ("/contexts/.c", "/contexts/:.c:"),
        ("/contexts/.c/", "/contexts/:.c:"),
        ("/contexts/:.:", "/contexts"),
        ("/contexts/.c/contexts", "/contexts"),
        ("/contexts/.c/contexts/.d/subjects/s", "/subjects/:.d:s"),
        ("/contexts/.c/subjects", "/subjects?subjectPrefix=%3A.c%3A"),
        ("/contexts/:.:/subjects", "/subjects?subjectPrefix="),
        ("/contexts/.c/subjects?subjectPrefix=a&deleted=true", "/subjects?deleted=true&subjectPrefix=%3A.c%3Aa"),
        ("/contexts/.c/subjects?subjectPrefix=:*:a", "/subjects?subjectPrefix=%3A%2A%3Aa"),
        ("/contexts/.c/subjects/s", "/subjects/:.c:s"),
        ("/contexts/c/subjects/s", "/subjects/:.c:s"),
        ("/contexts/:.c:/subjects/s/versions/1", "/subjects/:.c:s/versions/1"),
        ("/contexts/:.:/subjects/s", "/subjects/s"),
        ("/contexts/.c/subjects/a%2Fb", "/subjects/:.c:a%2Fb"),
        ("/contexts/.c/subjects/:.d:s", "/subjects/:.d:s"),
        ("/contexts/.c/subjects/:*:s", "/subjects/:*:s"),
        ("/contexts/.c/subjects/subjects/versions", "/subjects/:.c:subjects/versions"),
        ("/contexts/.c/subjects/config/versions", "/subjects/:.c:config/versions"),
        ("/contexts/%3A.c%3A/subjects/s", "/subjects/:.c:s"),
        ("/contexts/.c/compatibility/subjects/s/versions", "/compatibility/subjects/:.c:s/versions"),
        ("/contexts/.c/associations/subjects/s", "/associations/subjects/:.c:s"),
        ("/contexts/.c/dek-registry/v1/keks/k/deks/s", "/dek-registry/v1/keks/k/deks/:.c:s"),
        (
            "/contexts/.c/keks?subjectPrefix=a&subjectPrefix=:.d:",
            "/keks?subjectPrefix=%3A.c%3Aa&subjectPrefix=%3A.d%3A",
        ),
        ("/contexts/.c/config", "/config/:.c:"),
        ("/contexts/:.:/config", "/config"),
        ("/contexts/.c/config/s", "/config/:.c:s"),
        ("/contexts/.c/mode", "/mode/:.c:"),
        ("/contexts/.c/mode/s", "/mode/:.c:s"),
        ("/contexts/.c/schemas", "/schemas?subjectPrefix=%3A.c%3A"),
        ("/contexts/.c/schemas/ids/1", "/schemas/ids/1?subject=%3A.c%3A"),
        ("/contexts/.c/schemas/ids/1?subject=s", "/schemas/ids/1?subject=%3A.c%3As"),
        ("/contexts/.c/schemas/ids/1/versions?subject=:.d:s", "/schemas/ids/1/versions?subject=:.d:s"),
        ("/contexts/.c/schemas/types", "/schemas/types"),
        ("/contexts/.c/schemas/guids/g", "/schemas/guids/g"),
        ("/contexts/.c/v1/metadata/id", "/v1/metadata/id"),
        ("/subjects/contexts/versions", "/subjects/contexts/versions"),
    ],
)
def test_a_context_before_a_path_goes_into_its_subjects(sent: str, meant: str) -> None:
    path, _, query = sent.partition("?")
    address = in_context(read(path.encode(), query.encode()), "GET")
    assert address.path + ("?" + address.query if address.query or meant.endswith("?") else "") == meant


@pytest.mark.parametrize(
    ("method", "query"), [("POST", "context=%3A.c%3A"), ("PUT", "context=%3A.c%3A"), ("GET", ""), ("DELETE", "")]
)
def test_a_context_goes_into_changes_of_associations(method: str, query: str) -> None:
    assert in_context(read(b"/contexts/.c/associations"), method).query == query


@pytest.mark.parametrize(("name", "bare"), [("foo:bar", "foo:bar"), ("::x:", ":x"), (":.a:b:", ".a:b")])
def test_a_context_with_a_colon_inside_is_refused(name: str, bare: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        context_prefix(name)
    assert refusal.value.message == f"Context name '{bare}' cannot contain a colon"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("/subjects/short/versions/1", "/subjects/long/versions/1"),
        ("/subjects/:.c:short", "/subjects/:.c:long"),
        ("/subjects/abroad", "/subjects/:.c:long"),
        ("/subjects/slash/versions", "/subjects/a%2Fb/versions"),
        ("/subjects/plain", "/subjects/plain"),
        ("/compatibility/subjects/short/versions", "/compatibility/subjects/long/versions"),
        ("/config/short", "/config/short"),
        ("/mode/short", "/mode/short"),
        ("/schemas/ids/1?subject=short&deleted=true", "/schemas/ids/1?deleted=true&subject=long"),
        ("/schemas/ids/1?subject=plain", "/schemas/ids/1?subject=plain"),
        ("/schemas/ids/1", "/schemas/ids/1"),
    ],
)
def test_an_alias_stands_for_its_target_except_in_config_and_mode(sent: str, meant: str) -> None:
    path, _, query = sent.partition("?")
    address = unaliased(read(path.encode(), query.encode()), alias_of)
    assert address.path + ("?" + address.query if address.query else "") == meant
