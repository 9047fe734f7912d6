import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.logs.batch import NO_TIME
from woolly_mcpdiag.logs.formats import FORMATS
from woolly_mcpdiag.logs.framing import FRAMINGS
from woolly_mcpdiag.logs.reader import Reader
from woolly_mcpdiag.logs.record import Record

SAMPLES = [sample.line for one in (*FORMATS, *FRAMINGS) for sample in one.samples] + [
    "[11/22/26 14:26:30] INFO     Starting MCP server 'lab' with       server.py:1429",
    "                             transport 'streamable-http' on                     ",
    '{"log": "INFO:a:b\\n", "stream": "stderr", "time": "2026-11-22T14:44:21Z"}',
    '{"asctime": "2026-11-22 14:45:25,285", "levelname": "INFO", "name": "a", "message": "m"}',
    "2026-11-22T14:44:21.778123456Z stderr P INFO:a:cut",
    '{"MESSAGE": "INFO:a:x\\ny", "__REALTIME_TIMESTAMP": "1795358661778123", "_SYSTEMD_UNIT": "a.service"}',
    "Traceback (most recent call last):",
    '  File "x.py", line 1, in y',
    "",
]


def read(*lines: str | bytes) -> list[Record]:
    reader = Reader(day=date(2026, 11, 22))
    out = [record for n, line in enumerate(lines, 1) for record in reader.read(line, n)]
    return out + reader.flush()


def test_lines_without_prefix_continue_the_record_before():
    head, more, last = read("INFO:a:failed", "Traceback (most recent call last):", "ValueError: x")
    assert (head.fresh, more.fresh, last.fresh) == (True, False, False)
    assert (last.format, last.message, last.line) == ("", "ValueError: x", 3)


def test_lines_before_any_record_stand_alone():
    assert [r.fresh for r in read("starting", "", "INFO:a:x")] == [True, True, True]


def test_formats_may_change_from_line_to_line():
    records = read(
        "2026-11-22 14:44:21,778 DEBUG httpcore.http11: x",
        'INFO:     127.0.0.1:5 - "GET /x HTTP/1.1" 200 OK',
        "2026-11-22 14:44:21,779 DEBUG httpcore.http11: y",
        "2026-11-22 14:44:21,779 INFO no logger here",
    )
    assert [r.format for r in records] == ["asctime-colon", "uvicorn", "asctime-colon", "asctime-level"]
    assert records[1].message == '127.0.0.1:5 - "GET /x HTTP/1.1" 200 OK'


def test_formats_and_framings_are_counted():
    reader = Reader()
    for n, line in enumerate(["api-1  | INFO:a:x", "api-1  | INFO:a:y", "api-1  | INFO:     z", "api-1  | no"], 1):
        reader.read(line, n)
    assert reader.formats_seen() == ["basic", "uvicorn"]
    assert reader.framings_seen() == ["compose"]


def test_colours_and_line_ends_are_dropped_from_the_message_only():
    (record,) = read(b"\x1b[32mINFO\x1b[0m:     Started\x1b]8;;x\x07 now\r\n")
    assert (record.format, record.message) == ("uvicorn", "Started now")
    assert record.raw == "\x1b[32mINFO\x1b[0m:     Started\x1b]8;;x\x07 now"


def test_bytes_that_are_no_utf8_are_replaced():
    (record,) = read(b"INFO:a:caf\xe9")
    assert record.message == "caf\ufffd"


def test_a_hole_of_nuls_at_the_start_is_skipped():
    (record,) = read(b"\0" * 5000 + b"INFO:a:x")
    assert (record.logger, record.message) == ("a", "x")


def test_level_spellings_become_one():
    lines = [
        "2026-11-22 14:44:21 warn a.b: x",
        "FATAL:a:x",
        "2026-11-22 14:44:21 [Error] a: x",
        "I1122 14:44:21.0 7 a:1] x",
    ]
    assert [r.level for r in read(*lines)] == ["WARNING", "CRITICAL", "ERROR", "INFO"]


def test_zones_are_told():
    zoned, unzoned = read("2026-11-22T14:44:21Z INFO a.b: x", "2026-11-22T14:44:21 INFO a.b: x")
    assert (zoned.zoned, unzoned.zoned) == (True, False)
    assert zoned.time == unzoned.time


@pytest.mark.parametrize(
    "line",
    [
        b"\0" * 100,
        b"\xff\xfe\xfa" * 50,
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"message": "x", "level": ' + b"9" * 6000 + b"}",
        b'{"message": "x", "time": NaN, "level": Infinity}',
        b'{"message": null, "level": null, "time": null, "name": 5, "exc_info": {"a": [1]}}',
        b'{"log": {"level": {}}, "message": []}',
        b'{"record": {"message": 1, "level": [], "time": {}}, "text": 3}',
        b'{"MESSAGE": [300, -1], "__REALTIME_TIMESTAMP": "x"}',
        b'{"MESSAGE": null, "__REALTIME_TIMESTAMP": null, "PRIORITY": 99}',
        b'{"message": "\\ud800", "level": "info"}',
        b"2026-99-99 99:99:99,999 - a - INFO - x",
        b"x" * (1 << 20),
        b"\x1b[" + b"1;" * 100_000,
        b"\x1b]" * 100_000,
    ],
    ids=lambda line: repr(line[:24]),
)
def test_hostile_lines_give_a_record(line):
    records = read(line, b"INFO:a:x")
    assert sum(r.span for r in records) == 2
    assert records[-1].message == "x"


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-22 14:44:21,778 " + "a." * 400_000,
        "INFO " + "a" * 1_000_000,
        "[" + "x" * 1_000_000,
        "level=info msg=" + "a " * 400_000,
        "a" * 1_000_000,
        'a="' * 300_000 + " level=info msg=x",
        "2026-11-22 14:45:52 [info     ] " + " [a" * 300_000,
        "[11/22/26 14:26:30] INFO     " + " " * 900_000 + "x",
        "api" + " " * 900_000,
        "a b c" * 200_000,
        "INFO" + " " * 900_000,
        "INFO 2026-11-22 14:44:21" + " - " * 300_000,
        "lab.agents" + " " * 900_000 + "-",
        "[INFO" + " " * 900_000 + "2026",
        "2026-11-22 14:44:21, INFO, " + "a" * 900_000,
        "(2026-11-22 14:44:21)" + " " * 900_000,
        "Sun Nov 22 " * 90_000,
        "x.py:1 " * 140_000,
        "12/34/5678 " * 90_000,
    ],
    ids=lambda line: line[:24],
)
@pytest.mark.timeout(20)
def test_a_long_line_does_not_hang_the_reader(line):
    assert sum(r.span for r in read(line)) == 1


_MUTATION = st.tuples(st.integers(0, 200), st.integers(0, 8), st.binary(max_size=6))


@st.composite
def _mutated(draw):
    text = draw(st.sampled_from(SAMPLES)).encode()
    for at, length, new in draw(st.lists(_MUTATION, max_size=3)):
        text = text[:at] + new + text[at + length :]
    return text.replace(b"\n", b" ")


@settings(max_examples=300)
@given(st.lists(_mutated() | st.binary(max_size=80).map(lambda raw: raw.replace(b"\n", b"")), max_size=12))
def test_every_line_is_accounted_for_whatever_it_is(lines):
    records = read(*lines)
    assert sum(record.span for record in records) == len(lines)
    for record in records:
        assert isinstance(record.message, str)
        assert isinstance(record.logger, str)
        assert isinstance(record.level, str)
        assert record.time == NO_TIME or abs(record.time) < 1 << 62
        assert "\n" not in record.message or record.format == "logfmt"


@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9), st.lists, max_leaves=5)
)
def test_json_values_of_any_type_are_read(value):
    keys = ("message", "level", "time", "logger", "exc_info", "log", "record", "jsonPayload", "MESSAGE", "event")
    for key in keys:
        row = {"message": "m", "__REALTIME_TIMESTAMP": "1", key: value}
        assert sum(r.span for r in read(json.dumps(row))) == 1
