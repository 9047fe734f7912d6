from datetime import UTC, date, datetime

import pytest

from woolly_mcpdiag.logs.batch import NO_TIME
from woolly_mcpdiag.logs.formats import BY_START, FORMATS, possible
from woolly_mcpdiag.logs.formats.format import Format, Sample, start_of
from woolly_mcpdiag.logs.formats.pairs import pairs
from woolly_mcpdiag.logs.framing import FRAMINGS
from woolly_mcpdiag.logs.reader import TRACEBACK, Reader
from woolly_mcpdiag.logs.record import Record

SAMPLES = [pytest.param(one, sample, id=f"{one.name}:{n}") for one in FORMATS for n, sample in enumerate(one.samples)]
DAY = date(2026, 11, 22)


def read(*lines: str) -> list[Record]:
    reader = Reader(day=DAY)
    out = [record for n, line in enumerate(lines, 1) for record in reader.read(line.encode(), n)]
    return out + reader.flush()


def micros(iso: str) -> int:
    if not iso:
        return NO_TIME
    return round(datetime.fromisoformat(iso).astimezone(UTC).timestamp() * 1_000_000)


@pytest.mark.parametrize(("one", "sample"), SAMPLES)
def test_a_format_reads_its_own_samples(one: Format, sample: Sample):
    (record,) = read(sample.line)
    assert (record.format, record.message, record.level, record.logger, record.time) == (
        one.name,
        sample.message,
        sample.level,
        sample.logger,
        micros(sample.time),
    )
    assert record.fresh
    assert record.raw == sample.line


@pytest.mark.parametrize(("one", "sample"), SAMPLES)
def test_no_other_format_or_framing_claims_a_sample(one: Format, sample: Sample):
    claims = [other.name for other in FORMATS if other.match(sample.line)]
    framed = [framing.name for framing in FRAMINGS if framing.match(sample.line)]
    assert (claims, framed) == ([one.name], [])


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_a_format_has_samples_for_every_first_character_it_names(one: Format):
    assert {start_of(sample.line) for sample in one.samples} <= set(one.starts)
    assert all(one in BY_START[start] for start in one.starts)


def test_the_first_line_of_a_traceback_is_of_no_format_and_no_framing():
    assert not [one.name for one in (*FORMATS, *FRAMINGS) if one.match(TRACEBACK)]


@pytest.mark.parametrize(("one", "sample"), SAMPLES)
def test_a_line_without_a_time_is_tried_with_every_format_that_needs_none(one: Format, sample: Sample):
    assert one in possible(sample.line)


def test_format_names_are_unique():
    assert len({one.name for one in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize(
    ("line", "level", "logger", "message", "time"),
    [
        pytest.param(
            '{"asctime": "2026-11-22 14:45:25,285", "levelname": "INFO", "name": "httpx", "message": "GET \\"x\\""}',
            *("INFO", "httpx", 'GET "x"', "2026-11-22T14:45:25.285+00:00"),
            id="python-json-logger",
        ),
        pytest.param(
            '{"event": "start", "level": "info", "logger": "a.b", "timestamp": "2026-11-22T14:45:38.359758Z"}',
            *("INFO", "a.b", "start", "2026-11-22T14:45:38.359758+00:00"),
            id="structlog",
        ),
        pytest.param(
            '{"text": "x", "record": {"level": {"name": "WARNING", "no": 30}, "message": "slow", "name": "a.b",'
            ' "time": {"repr": "r", "timestamp": 1795358738.5}, "exception": null, "extra": {"k": 1}}}',
            *("WARNING", "a.b", "slow", "2026-11-22T14:45:38.5+00:00"),
            id="loguru",
        ),
        pytest.param(
            '{"severity": "ERROR", "jsonPayload": {"message": "bad", "logger": "a"},'
            ' "timestamp": "2026-11-22T14:45:38Z"}',
            *("ERROR", "a", "bad", "2026-11-22T14:45:38+00:00"),
            id="gcp-json-payload",
        ),
        pytest.param(
            '{"severity": "NOTICE", "textPayload": "plain", "timestamp": "2026-11-22T14:45:38.123456789Z"}',
            *("INFO", "", "plain", "2026-11-22T14:45:38.123456+00:00"),
            id="gcp-text-payload",
        ),
        pytest.param(
            '{"@timestamp":"2026-11-22T14:45:38.1Z","log.level":"warn","log.logger":"a","message":"m"}',
            *("WARNING", "a", "m", "2026-11-22T14:45:38.1+00:00"),
            id="ecs-dotted",
        ),
        pytest.param(
            '{"@timestamp":"2026-11-22T14:45:38.1Z","log":{"level":"error","logger":"a"},"message":"m"}',
            *("ERROR", "a", "m", "2026-11-22T14:45:38.1+00:00"),
            id="ecs-nested",
        ),
        pytest.param(
            '{"level":30,"time":1795358738359,"pid":7,"hostname":"h","name":"gw","msg":"listening"}',
            *("INFO", "gw", "listening", "2026-11-22T14:45:38.359+00:00"),
            id="pino",
        ),
        pytest.param(
            '{"level":20,"ts":1795358738.5,"logger":"a","msg":"m"}',
            *("INFO", "a", "m", "2026-11-22T14:45:38.5+00:00"),
            id="python-level-number",
        ),
    ],
)
def test_json_records_of_every_known_shape_are_read(line, level, logger, message, time):
    (record,) = read(line)
    assert (record.format, record.level, record.logger, record.message) == ("json", level, logger, message)
    assert record.time == micros(time)


def test_other_fields_of_a_json_record_are_kept():
    (record,) = read('{"message": "m", "level": "info", "session": "abc", "n": 3}')
    assert record.fields == {"session": "abc", "n": 3}


def test_a_traceback_in_a_json_record_becomes_its_continuation_lines():
    records = read(
        '{"levelname": "ERROR", "name": "a", "message": "failed", "exc_info": "Traceback:\\n  File x\\nValueError: y"}'
    )
    assert [(r.message, r.fresh, r.span) for r in records] == [
        ("failed", True, 1),
        ("Traceback:", False, 0),
        ("  File x", False, 0),
        ("ValueError: y", False, 0),
    ]


def test_a_json_object_that_is_no_record_is_a_line_without_format():
    (record,) = read('{"jsonrpc": "2.0", "id": 1}')
    assert (record.format, record.message) == ("", '{"jsonrpc": "2.0", "id": 1}')


def test_pairs_keep_quoted_spaces_and_empty_values():
    assert pairs('a=1 b=\'x y\' c="say \\"hi\\"\\n" d= word e=2') == {
        "a": "1",
        "b": "x y",
        "c": 'say "hi"\n',
        "d": "",
        "e": "2",
    }


def test_a_structlog_event_may_have_brackets_of_its_own():
    (record,) = read("2026-11-22T14:45:52.059001Z [warning  ] task [7] of [a.b] late   [lab.agents] delay=3 why='x y'")
    assert (record.message, record.logger) == ("task [7] of [a.b] late", "lab.agents")
    assert record.fields == {"delay": "3", "why": "x y"}


@pytest.mark.parametrize(
    "text", ["I think so", "Error in post_writer", "agent-0 starting", "", "   x", "[x] y", "7 of 9"]
)
def test_prose_is_no_record(text):
    assert not [one.name for one in BY_START[start_of(text)] if one.match(text)]
