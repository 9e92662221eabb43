"""JSON as Avro Java reads it: what is accepted beyond the standard, what is refused, and in which words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import UnparsableSchema
from registry.formats.avro.json_reader import read_json
from registry.formats.avro.json_scanner import Scanner
from registry.formats.avro.json_writer import json_text

VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
SOURCE = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled);"

ACCEPTED = [
    ('"a"', "a", ""),
    (' \t\r\n"a" ', "a", ""),
    ('"a" "b"', "a", ' "b"'),
    ('"a"// c', "a", "// c"),
    ("/* a */ // b\n 1", 1, ""),
    ("[1,/*,*/2]//", [1, 2], "//"),
    ('{"a"/**/:/*{*/1}', {"a": 1}, ""),
    ('["/*", "//"]', ["/*", "//"], ""),
    ('["a\\"/*"/*"*/, "b"]', ['a"/*', "b"], ""),
    ('{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}, ""),
    ("[-0, 0, -0.0, 1e2, 1E-2]", [0, 0, -0.0, 100.0, 0.01], ""),
    ("[123456789012345678901234567890]", [123456789012345678901234567890], ""),
    ("[1e400, -1e400]", [float("inf"), float("-inf")], ""),
    ('"\\u00e9\\ud83d\\ude00\\ud800"', "é😀\ud800", ""),
    ('"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t', ""),
    ("[" + "9" * 1000 + "]", [int("9" * 1000)], ""),
    ("[" * 1000 + "]" * 1000, None, ""),
    ('{"' + "k" * 50_000 + '":1}', {"k" * 50_000: 1}, ""),
]
REFUSED = [
    ("", "Cannot parse <null> schema"),
    (" // nothing", "Cannot parse <null> schema"),
    ("[" * 1001, "Document nesting depth (1001) exceeds the maximum allowed (1000, from"),
    ("[" + "9" * 1001 + "]", "Number value length (1001) exceeds the maximum allowed (1000, from"),
    ("[1." + "9" * 1000 + "]", "Number value length (1001) exceeds the maximum allowed (1000, from"),
    ('{"' + "k" * 50_001 + '":1}', "Name length (50001) exceeds the maximum allowed (50000, from"),
    ("[NaN]", "Non-standard token 'NaN': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow"),
    ("[-Infinity]", "Non-standard token '-Infinity': enable"),
    ("[Infinity]", "Non-standard token 'Infinity': enable"),
    ("[nul]", f"Unrecognized token 'nul': was expecting {VALUES}"),
    ("[trueé]", f"Unrecognized token 'trueé': was expecting {VALUES}"),
    ("[" + "x" * 300 + "]", f"Unrecognized token '{'x' * 256}...': was expecting {VALUES}"),
    ("[😀]", f"Unexpected character ('?' (code 55357 / 0xd83d)): expected a valid value {VALUES}"),
    ("[€]", "Unrecognized token '€'"),
    ("[#]", f"Unexpected character ('#' (code 35)): expected a valid value {VALUES}"),
    ("[1,]", f"Unexpected character (']' (code 93)): expected a valid value {VALUES}"),
    ("[1,}", "Unexpected character ('}' (code 125)): expected a value"),
    ('{"a":}', f"Unexpected character ('}}' (code 125)): expected a valid value {VALUES}"),
    ("]", "Unexpected close marker ']': no open Array to close"),
    ("}", "Unexpected close marker '}': no open Object to close"),
    ("[,1]", f"Unexpected character (',' (code 44)): expected a valid value {VALUES}"),
    ("[-x]", "Unexpected character ('x' (code 120)) in numeric value: expected digit (0-9) to follow minus sign"),
    ("[-.5]", f"Unexpected character ('.' (code 46)): expected a valid value {VALUES}"),
    ("[01]", "Invalid numeric value: Leading zeroes not allowed"),
    ("12x", "Unexpected character ('x' (code 120)): Expected space separating root-level values"),
    ("[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries"),
    ('{"a":1 "b"}', "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries"),
    ('{"a":1,}', "Unexpected character ('}' (code 125)): was expecting double-quote to start field name"),
    ("{a:1}", "Unexpected character ('a' (code 97)): was expecting double-quote to start field name"),
    ('{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value"),
    ("[}", f"Unexpected close marker '}}': expected ']' (for Array starting at {SOURCE} line: 1, column: 1])"),
    ('{"a":1]', f"Unexpected close marker ']': expected '}}' (for Object starting at {SOURCE} line: 1, column: 1])"),
    ("[1", f"Unexpected end-of-input: expected close marker for Array (start marker at {SOURCE} line: 1, column: 1])"),
    ("[1,", "Unexpected end-of-input within/between Array entries"),
    ('{"a"', "Unexpected end-of-input within/between Object entries"),
    ('{"a":', "Unexpected end-of-input within/between Object entries"),
    ('"a', "Unexpected end-of-input: was expecting closing quote for a string value"),
    ('{"a', "Unexpected end-of-input in field name"),
    ('"\\', "Unexpected end-of-input in character escape sequence"),
    ('"\\u12', "Unexpected end-of-input in character escape sequence"),
    ("[-", "Unexpected end-of-inputNo digit following sign"),
    ('"\\x"', "Unrecognized character escape 'x' (code 120)"),
    ('"\\u12g4"', "Unexpected character ('g' (code 103)): expected a hex-digit for character escape sequence"),
    ('"\t"', "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped using backslash to be included in"),
    ("[\x00]", "Illegal character ((CTRL-CHAR, code 0)): only regular white space (\\r, \\n, \\t) is allowed between"),
    ("/* \x01 */1", "Illegal character ((CTRL-CHAR, code 1)): only regular white space"),
    ("[/1]", "Unexpected character ('1' (code 49)): was expecting either '*' or '/' for a comment"),
    ("/* a", "Unexpected end-of-input in a comment"),
]


@pytest.mark.parametrize(("text", "value", "rest"), ACCEPTED, ids=lambda item: str(item)[:20])
def test_a_text_is_read_with_what_follows_it(text: str, value: Any, rest: str) -> None:
    read, after = read_json(text)
    assert after == rest
    assert value is None or repr(read) == repr(value)


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=lambda item: str(item)[:20])
def test_a_broken_text_is_refused_in_jacksons_words(text: str, message: str) -> None:
    with pytest.raises(UnparsableSchema) as refused:
        read_json(text)
    assert refused.value.message.removeprefix("com.fasterxml.jackson.core.").split(": ", 1)[-1].startswith(message)


@pytest.mark.parametrize(
    ("text", "place"),
    [("[1,]", (1, 4)), ("\n\r\n [x", (3, 4)), ('["é😀", #', (1, 9)), ("//a\r[nul]", (2, 5)), ('{"a":1', (1, 7))],
)
def test_a_refusal_tells_line_and_column(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(UnparsableSchema) as refused:
        read_json(text)
    assert refused.value.message.endswith(f"\n at {SOURCE} line: {place[0]}, column: {place[1]}]")


PLUS = (
    "Unexpected character ('+' (code 43)) in numeric value: JSON spec does not allow numbers to have plus signs: enable"
)
NO_DIGIT = "in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value"
NO_FRACTION = "in numeric value: Decimal point not followed by a digit"
NO_EXPONENT = "in numeric value: Exponent indicator not followed by a digit"
# As Jackson 2.20 says it, to the column.
ODD_VALUES = [
    ("[+1]", 3, PLUS),
    ("[+I]", 4, PLUS),
    ("[+", 3, "Unexpected end-of-input in a Number value"),
    ("[+Infinity]", 11, "Non-standard token '+Infinity': enable"),
    ("[+Infx]", 7, f"Unrecognized token '+Infx': was expecting {VALUES}"),
    ("[-I]", 4, f"Unexpected character (']' (code 93)) {NO_DIGIT}"),
    ("[-I", 4, "Unexpected end-of-input in a Number value"),
    ("[-Infx]", 7, f"Unrecognized token '-Infx': was expecting {VALUES}"),
    ("[1.]", 3, f"Unexpected character (']' (code 93)) {NO_FRACTION}"),
    ("[-12.x]", 5, f"Unexpected character ('x' (code 120)) {NO_FRACTION}"),
    ("[12.5e-x]", 4, f"Unexpected character ('x' (code 120)) {NO_EXPONENT}"),
    ("[0.]", 4, f"Unexpected character (']' (code 93)) {NO_FRACTION}"),
    ("[-0e]", 5, f"Unexpected character (']' (code 93)) {NO_EXPONENT}"),
    ("[0.", 3, f"Unexpected character ('.' (code 46)) {NO_FRACTION}"),
    ("[a\x01b]", 5, f"Unrecognized token 'a\x01b': was expecting {VALUES}"),
    ("[true\x01]", 7, "Illegal character ((CTRL-CHAR, code 1)): only regular white space"),
    ("[true$]", 6, "Unexpected character ('$' (code 36)): was expecting comma to separate Array entries"),
]


@pytest.mark.parametrize(("text", "column", "message"), ODD_VALUES, ids=lambda item: repr(item)[:20])
def test_a_value_that_is_nearly_one_is_refused_where_jackson_does(text: str, column: int, message: str) -> None:
    with pytest.raises(UnparsableSchema, match=rf"line: 1, column: {column}\]$") as refused:
        read_json(text)
    assert refused.value.message.split(": ", 1)[1].startswith(message)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
GAPS = st.sampled_from(["", " ", "\n", "\t\r\n", "/**/", "/* x\n*/", "// y\n", " /*[*/ // }\n "])


@given(JSON_VALUES.filter(lambda value: isinstance(value, list | dict | str)))
def test_the_fast_and_the_slow_reader_agree(value: Any) -> None:
    text = json.dumps(value)
    assert repr(read_json(text)) == repr(Scanner(text).read()) == repr((value, ""))


@given(st.lists(st.tuples(GAPS, st.sampled_from(['"/*a*/"', "1", "[]", '{"b":null}', "-2.5"]), GAPS)))
def test_comments_may_stand_between_any_two_tokens(entries: list[tuple[str, str, str]]) -> None:
    bare = "[" + ",".join(value for _, value, _ in entries) + "]"
    spaced = "[" + ",".join(before + value + after for before, value, after in entries) + "]"
    assert read_json(spaced) == Scanner(spaced).read() == (json.loads(bare), "")


@given(JSON_VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert read_json(f"[{json_text(value)}]")[0] == [value]


@given(st.text(alphabet=st.sampled_from('[]{},:"\\/*-0123456789.eEntfalsrueu \n\t\x00xé'), max_size=12))
def test_any_text_is_read_or_refused_alike(text: str) -> None:
    """Whatever Python's reader makes of a list, the slow one makes of it too."""
    assert outcome(f"[{text}]", read_json) == outcome(f"[{text}]", lambda each: Scanner(each).read())


def outcome(text: str, reader: Any) -> str:
    try:
        return repr(reader(text))
    except UnparsableSchema as refused:
        return refused.message


def test_json_text_escapes_what_json_demands_and_nothing_else() -> None:
    text = '"\\\b\f\n\r\t\x00\x1f/\x7f\u2028é😀'
    assert json_text(text) == '"\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001F/\x7f\u2028é😀"'
    assert json_text({"a\x0b": [True, None, 1.0, {}, []]}) == '{"a\\u000B":[true,null,1.0,{},[]]}'
