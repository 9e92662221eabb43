"""Media types of answers and of bodies."""

import pytest

from registry.api.negotiation import DEFAULT, answer_type, check_body_type, failure_type, takes_gzip
from registry.errors import BadRequest, NotAcceptable, UnsupportedMediaType

V1 = "application/vnd.schemaregistry.v1+json"
ANY_VERSION = "application/vnd.schemaregistry+json"
JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", V1),
        ("*/*", V1),
        ("*", V1),
        ("application/*", V1),
        (V1, V1),
        (ANY_VERSION, ANY_VERSION),
        (JSON, JSON),
        ("APPLICATION/JSON", JSON),
        (f"{V1}, {ANY_VERSION}, {JSON}", V1),
        (f"{JSON}, {ANY_VERSION}", ANY_VERSION),
        (f"{JSON}; q=0.9, {ANY_VERSION}; q=0.8", JSON),
        (f"{V1};q=0, */*", ANY_VERSION),
        (f"{JSON};q=0.1, */*;q=0.5", V1),
        ("application/vnd.schemaregistry.v2+json; q=0.1, application/vnd.schemaregistry+json; q=0.9", ANY_VERSION),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", V1),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", V1),
        ("*/json", JSON),
        ("application", V1),
        (f"text/plain, {JSON}", JSON),
        (f"{JSON}; q=high", JSON),
        (f"{JSON};q=0", JSON),
        (f"text/html, {ANY_VERSION};q=0.000", ANY_VERSION),
        ("*/*;q=0.0", V1),
        (" , ,", V1),
    ],
)
def test_the_best_offered_type_is_chosen(accept: str, chosen: str) -> None:
    assert answer_type(accept) == chosen


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (f"{JSON}; charset=UTF-8", f"{JSON};charset=utf-8"),
        (f'{V1};charset="utf-8"', f"{V1};charset=utf-8"),
        (f"{JSON};W=b;q=0.5;v=A", f"{JSON};v=A;w=b"),
        (f'{JSON};v="a b", text/html', f'{JSON};v="a b"'),
        (f'{JSON};v="a;b', JSON),
        (f"{JSON};v=1;q=0.4, {JSON};v=2;q=0.5", f"{JSON};v=2"),
        (f"{JSON};v=1, */*", V1),
        ("application/*;v=1", V1),
        (f"{JSON};v=1;charset=ISO-8859-1", f"{JSON};v=1"),
        (f"{JSON}; v = 1", JSON),
    ],
)
def test_the_parameters_of_a_type_that_is_asked_for_by_name_are_repeated_but_for_a_foreign_charset(
    accept: str, chosen: str
) -> None:
    assert answer_type(accept) == chosen


@pytest.mark.parametrize(
    "accept",
    [
        "text/*",
        "text/plain",
        "application/octet-stream",
        "application/vnd.schemaregistry.v2+json",
        "*/anything",
        "json",
    ],
)
def test_nothing_is_chosen_when_nothing_will_do(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        answer_type(accept)
    assert failure_type(accept) == DEFAULT


@pytest.mark.parametrize(
    ("accept_encoding", "taken"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.1", True),
        ("gzip;q=0", False),
        ("deflate, gzip ; q=0.000", False),
        ("identity", False),
        ("*", False),
    ],
)
def test_gzip_is_for_those_who_name_it_without_refusing_it(accept_encoding: str, taken: bool) -> None:
    assert takes_gzip(accept_encoding) is taken


@pytest.mark.parametrize(
    "content_type",
    ["", V1, ANY_VERSION, JSON, "application/octet-stream", f"{JSON}; charset=utf-8", "Application/JSON;x=y"],
)
def test_json_and_octets_are_read(content_type: str) -> None:
    check_body_type(content_type)


@pytest.mark.parametrize("content_type", ["text/html", "application/x-www-form-urlencoded", "application/xml"])
def test_other_bodies_are_not_read(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        check_body_type(content_type)


@pytest.mark.parametrize("content_type", ["json", "a/b/c", "/json", f"{JSON}, text/plain"])
def test_what_is_no_media_type_is_no_good_request(content_type: str) -> None:
    with pytest.raises(BadRequest, match="names no media type"):
        check_body_type(content_type)
