"""What is remembered of schemas and verdicts, and how much."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import pytest

from registry.errors import InvalidSchema, UnparsableSchema
from registry.formats.avro import AvroFormat
from registry.formats.avro.schema import AvroSchema
from registry.operations.languages import THREAD_ABOVE_BYTES, Languages, Source

RECORD = '{"type": "record", "name": "R", "fields": []}'
CANONICAL = '{"type":"record","name":"R","fields":[]}'
BAD_AS_NEW = '{"type":"record","name":"R","fields":[{"name":"f","type":"int","default":"x"}]}'


class CountingFormat:
    """Avro, and how often each text was parsed."""

    name = "AVRO"

    def __init__(self) -> None:
        self.parsed: Counter[tuple[str, bool]] = Counter()

    def parse(self, text: str, references: Mapping[str, str], *, strict: bool) -> AvroSchema:
        self.parsed[text, strict] += 1
        return AvroFormat().parse(text, references, strict=strict)


@pytest.fixture
def avro() -> CountingFormat:
    return CountingFormat()


@pytest.fixture
def languages(avro: CountingFormat) -> Languages:
    return Languages({"AVRO": avro}, max_bytes=1_000_000)


def avro_source(text: str, **references: str) -> Source:
    return Source("AVRO", text, tuple(references.items()))


def test_a_text_is_parsed_once_for_both_its_readings_and_its_canonical_form(
    languages: Languages, avro: CountingFormat
) -> None:
    parsed = [
        languages.parse(avro_source(text), strict=strict) for strict in (False, True) for text in (RECORD, CANONICAL)
    ]
    assert len({id(one) for one in parsed}) == 1
    assert avro.parsed == {(RECORD, True): 1}


def test_a_text_that_does_not_hold_as_new_is_read_as_old_and_refused_as_new(
    languages: Languages, avro: CountingFormat
) -> None:
    assert languages.parse(avro_source(BAD_AS_NEW), strict=False).text == BAD_AS_NEW
    for _ in range(2):
        with pytest.raises(UnparsableSchema, match="Invalid default"):
            languages.parse(avro_source(BAD_AS_NEW), strict=True)
    assert avro.parsed == {(BAD_AS_NEW, True): 1, (BAD_AS_NEW, False): 1}


@pytest.mark.parametrize(
    ("text", "strict", "reason"),
    [
        ("{", False, "end-of-input"),
        ('"nothing"', True, "Undefined schema: nothing"),
        ('[{"type":"fixed","name":"a-b","size":1},"int","int"]', True, "Illegal character in: a-b"),
    ],
)
def test_an_unreadable_text_is_refused_in_the_words_of_the_reading_asked_for(
    languages: Languages, text: str, strict: bool, reason: str
) -> None:
    with pytest.raises(UnparsableSchema, match=reason):
        languages.parse(avro_source(text), strict=strict)


def test_the_same_text_means_another_schema_with_other_references(languages: Languages) -> None:
    one, other = (
        languages.parse(avro_source('"F"', F=f'{{"type":"fixed","name":"F","size":{size}}}'), strict=True)
        for size in (1, 2)
    )
    assert (one.text, one.resolved_text == other.resolved_text) == ('"F"', False)


def test_a_pair_is_judged_once(languages: Languages) -> None:
    reader, writer = (languages.parse(avro_source(text), strict=True) for text in ('"int"', '"string"'))
    findings = languages.unreadable(reader, writer)
    assert [finding.kind for finding in findings] == ["TYPE_MISMATCH"]
    assert languages.unreadable(reader, writer) is findings
    assert languages.unreadable(writer, reader) is not findings


def test_what_is_remembered_keeps_within_its_bytes(avro: CountingFormat) -> None:
    languages = Languages({"AVRO": avro}, max_bytes=20_000)
    parsed = [
        languages.parse(avro_source(f'{{"type":"fixed","name":"F{n}","size":1}}'), strict=True) for n in range(50)
    ]
    for one in parsed:
        languages.unreadable(one, parsed[0])
    assert languages._known.currsize <= 10_000
    assert languages._verdicts.currsize <= 10_000
    assert 0 < len(languages._known) < 50
    assert 0 < len(languages._verdicts) < 50


def test_what_a_schema_refers_to_counts_as_its_own_because_it_is_read_with_it(avro: CountingFormat) -> None:
    languages = Languages({"AVRO": avro}, max_bytes=40_000)
    base = '{"type":"record","name":"B","fields":[],"doc":"' + "x" * 500 + '"}'
    for n in range(10):
        languages.parse(avro_source(f'{{"type":"array","items":"B","n":{n}}}', B=base), strict=True)
    assert 0 < len(languages._known) < 5


def test_what_is_found_counts_with_its_texts(avro: CountingFormat) -> None:
    languages = Languages({"AVRO": avro}, max_bytes=40_000)
    reader, writer = (
        languages.parse(avro_source(json.dumps({"type": "enum", "name": "E", "symbols": symbols})), strict=True)
        for symbols in (["A"], ["B" * 1_000])
    )
    languages.unreadable(reader, writer)
    few = languages._verdicts.currsize
    languages.unreadable(writer, reader)
    assert few - (languages._verdicts.currsize - few) > 2_000


def test_what_is_too_large_to_be_remembered_is_parsed_and_judged_each_time(avro: CountingFormat) -> None:
    languages = Languages({"AVRO": avro}, max_bytes=2_000)
    for _ in range(2):
        parsed = languages.parse(avro_source('"int"'), strict=True)
        assert languages.unreadable(parsed, parsed) == ()
    assert avro.parsed == {('"int"', True): 2}


def test_only_the_languages_that_are_spoken_are_let_in(languages: Languages) -> None:
    languages.check_type("AVRO")
    assert languages.names == ("AVRO",)
    with pytest.raises(InvalidSchema, match="Invalid schema type PROTOBUF"):
        languages.check_type("PROTOBUF")


def test_a_text_of_another_language_is_kept_as_it_is(languages: Languages) -> None:
    parsed = languages.parse(Source("JSON", "{ }"), strict=False)
    other = languages.parse(Source("JSON", "{}"), strict=False)
    assert (parsed.text, parsed.resolved_text, parsed.normalized(), parsed.tags()) == ("{ }", "{ }", parsed, ())
    assert (parsed.equivalent(parsed), parsed.equivalent(other), parsed.same_resolved(other)) == (True, False, False)
    assert (parsed.unreadable(other), parsed.field_names(), parsed.retagged((), ())) == ((), frozenset(), "{ }")


@pytest.mark.anyio
async def test_a_large_text_is_parsed_beforehand_and_a_small_one_is_not(
    languages: Languages, avro: CountingFormat
) -> None:
    large = '{"type":"record","name":"R","fields":[],"doc":"' + "x" * THREAD_ABOVE_BYTES + '"}'
    languages = Languages({"AVRO": avro}, max_bytes=10_000_000)
    for text in (large, large, '"int"'):
        await languages.prepare(avro_source(text))
    assert avro.parsed == {(large, True): 1}
    languages.parse(avro_source(large), strict=True)
    assert avro.parsed == {(large, True): 1}


@pytest.mark.anyio
async def test_a_large_text_that_cannot_be_read_is_found_to_be_so_beforehand(
    languages: Languages, avro: CountingFormat
) -> None:
    bad = '{"type":"record","name":"R","doc":"' + "x" * THREAD_ABOVE_BYTES + '"}'
    await languages.prepare(avro_source(bad))
    for strict in (True, False, True):
        with pytest.raises(UnparsableSchema, match="fields"):
            languages.parse(avro_source(bad), strict=strict)
    assert avro.parsed == {(bad, True): 1, (bad, False): 1}


@pytest.mark.anyio
async def test_a_small_text_that_refers_to_a_large_one_is_parsed_beforehand_too(avro: CountingFormat) -> None:
    large = '{"type":"record","name":"R","fields":[],"doc":"' + "x" * THREAD_ABOVE_BYTES + '"}'
    await Languages({"AVRO": avro}, max_bytes=10_000_000).prepare(avro_source('"R"', R=large))
    assert avro.parsed == {('"R"', True): 1}


@pytest.mark.anyio
async def test_texts_that_are_large_together_are_parsed_beforehand_as_far_as_they_are_remembered(
    avro: CountingFormat,
) -> None:
    texts = [f'{{"type":"record","name":"R{place}","fields":[],"doc":"{"x" * 20_000}"}}' for place in range(9)]
    languages = Languages({"AVRO": avro}, max_bytes=2 * 5 * 12 * 21_000)
    await languages.prepare_all(map(avro_source, texts[:3]))
    assert not avro.parsed
    await languages.prepare_all(map(avro_source, ["{", *texts]))
    assert {text for text, _ in avro.parsed} == {"{", *texts[:5]}
