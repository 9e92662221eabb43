"""Records as lines: ours, and those of Kafka's tools."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.envelope import Entry
from registry.errors import SourceUnreadable
from registry.transfer.lines import Line, read_lines, write_line

KEY = b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}'
VALUE = b'{"subject":"s","version":1,"id":1,"schema":"\\"int\\"","deleted":false}'
CONSOLE = KEY + b"\t" + VALUE
K, V = json.dumps(KEY.decode()).encode(), json.dumps(VALUE.decode()).encode()


def read(*lines: bytes) -> list[Line]:
    return list(read_lines(lines, "records.txt"))


@pytest.mark.parametrize(
    ("line", "position", "entry"),
    [
        (CONSOLE, None, Entry(KEY, VALUE)),
        (CONSOLE + b"\r\n", None, Entry(KEY, VALUE)),
        (KEY + b"\tnull\n", None, Entry(KEY, None)),
        (KEY + b"\t\n", None, Entry(KEY, b"")),
        (KEY + b"\tno \t JSON\n", None, Entry(KEY, b"no \t JSON")),
        (b"null\t" + VALUE, None, Entry(b"null", VALUE)),
        (b"CreateTime:1700000000000\t" + CONSOLE, None, Entry(KEY, VALUE, None, 1_700_000_000_000)),
        (b"LogAppendTime:17\tPartition:0\tOffset:5\tNO_HEADERS\t" + CONSOLE, 5, Entry(KEY, VALUE, None, 17)),
        (b"NO_TIMESTAMP\tX-Origin-Host:a,X-Registry-Version:3\t" + CONSOLE, None, Entry(KEY, VALUE)),
        (b"CreateTime:-1\tOffset:0\t" + KEY + b"\tnull", 0, Entry(KEY, None)),
        (b'{"position":3,"timestamp_ms":9,"author":"me","key":%b,"value":%b}' % (K, V), 3, Entry(KEY, VALUE, "me", 9)),
        (b'{"key":%b,"value":null}' % K, None, Entry(KEY, None)),
        (b'{"key_base64":"/w==","value_base64":"AP8="}', None, Entry(b"\xff", b"\x00\xff")),
        (
            b'{"topic":"_schemas","key":%b,"value":%b,"timestamp":17,"partition":0,"offset":5}' % (K, V),
            5,
            Entry(KEY, VALUE, None, 17),
        ),
        (b'{"topic":"_schemas","key":%b,"timestamp":17,"partition":0,"offset":5}' % K, 5, Entry(KEY, None, None, 17)),
        (
            b'{"topic":"_schemas","partition":0,"offset":0,"tstype":"create","ts":17,"key":%b,"payload":%b}' % (K, V),
            0,
            Entry(KEY, VALUE, None, 17),
        ),
        (b'{"topic":"_schemas","ts":-1,"key":null,"payload":null}', None, Entry(b"", None)),
    ],
)
def test_a_line_is_read_in_whichever_form_it_has(line, position, entry) -> None:
    assert read(line) == [Line(1, position, entry)]


def test_empty_lines_and_the_summary_of_the_console_say_nothing() -> None:
    lines = read(b"\n", CONSOLE + b"\n", b"\r\n", CONSOLE, b"Processed a total of 2 messages\n")
    assert [line.number for line in lines] == [2, 4]


@pytest.mark.parametrize(
    "line",
    [
        b"rubbish",
        b"rubbish\trubbish",
        b"[1]",
        b"7",
        VALUE,
        KEY + b":" + VALUE,
        b'{"key":7,"value":null}',
        b'{"key":"a","value":{}}',
        b'{"key":"a","timestamp_ms":"soon"}',
        b'{"key":"a","timestamp_ms":9223372036854775808}',
        b'{"key_base64":"?"}',
        b'{"key":"a","value":"b"',
        b"Offset:many\t" + CONSOLE,
        b"SQLite format 3\x00",
    ],
)
def test_a_line_of_no_form_is_named_with_its_number(line) -> None:
    with pytest.raises(SourceUnreadable, match=r"^Line 2 of records.txt is no record: .*--property print.key=true$"):
        read(CONSOLE, line)


def test_a_line_of_ours_holds_the_very_texts_of_the_topic() -> None:
    line = write_line(Entry(KEY, VALUE, None, 1_700_000_000_000), 5)
    assert line == b'{"position":5,"timestamp_ms":1700000000000,"key":%b,"value":%b}\n' % (K, V)


ENTRIES = st.builds(
    Entry, st.binary(), st.none() | st.binary(), st.none() | st.text(min_size=1), st.none() | st.integers(0, 2**53)
)


@given(st.lists(st.tuples(ENTRIES, st.none() | st.integers(0, 2**53))))
def test_what_is_written_is_read_again_byte_for_byte(entries) -> None:
    text = b"".join(write_line(entry, position) for entry, position in entries)
    lines = read(*text.splitlines(keepends=True))
    assert [(line.entry, line.position) for line in lines] == entries
