import json

import pytest

from woolly_mcpdiag.logs.formats import FORMATS
from woolly_mcpdiag.logs.framing import FRAMINGS, FramedSample, Framing, label
from woolly_mcpdiag.logs.reader import Reader
from woolly_mcpdiag.logs.record import Record

SAMPLES = [pytest.param(one, sample, id=f"{one.name}:{n}") for one in FRAMINGS for n, sample in enumerate(one.samples)]
NANO = "2026-11-22T14:44:21.778123456Z"
MICROS = 1795358661778123


def read(*lines: str | bytes) -> list[Record]:
    reader = Reader(year=2026)
    out = [record for n, line in enumerate(lines, 1) for record in reader.read(line, n)]
    return out + reader.flush()


@pytest.mark.parametrize(("one", "sample"), SAMPLES)
def test_a_framing_reads_its_own_samples(one: Framing, sample: FramedSample):
    match = one.match(sample.line)
    assert match is not None
    assert (label(match["service"]), match["time"], match["text"]) == (sample.service, sample.time, sample.text)
    (record,) = read(sample.line)
    assert (record.framing, record.service) == (one.name, sample.service)


@pytest.mark.parametrize(("one", "sample"), SAMPLES)
def test_no_other_framing_or_format_claims_a_sample(one: Framing, sample: FramedSample):
    framed = [other.name for other in FRAMINGS if other.match(sample.line)]
    formats = [other.name for other in FORMATS if other.match(sample.line)]
    assert (framed, formats) == ([one.name], [])


def test_the_inner_time_is_preferred_to_the_outer_one():
    inner, outer = read(f"{NANO} stderr F 2026-11-22 14:44:20,000 INFO a.b: x", f"{NANO} stderr F INFO:a:x")
    assert (inner.time, inner.zoned) == (1795358660000000, False)
    assert (outer.time, outer.zoned) == (MICROS, True)


def test_compose_with_timestamps_nests_two_framings():
    (record,) = read(f"api-1  | {NANO} INFO:httpx:x")
    assert (record.framing, record.service, record.logger, record.time) == (
        "compose/timestamps",
        "api-1",
        "httpx",
        MICROS,
    )


def test_compose_services_keep_formats_of_their_own():
    records = read(
        "\x1b[36mapi-1    | \x1b[0mINFO:httpx:one",
        'nginx-1  | 1.1.1.1 - - [22/Nov/2026:14:44:21 +0000] "GET / HTTP/1.1" 200 5 "-" "-"',
        "mcp-1    | INFO:     Shutting down",
        "api-1    |   File x",
    )
    assert [(r.service, r.format, r.fresh) for r in records] == [
        ("api-1", "basic", True),
        ("nginx-1", "combined", True),
        ("mcp-1", "uvicorn", True),
        ("api-1", "", False),
    ]


def test_a_table_is_not_taken_for_compose():
    assert [r.framing for r in read("INFO | a.b | x", "name | value")] == ["", ""]


def test_docker_json_lines_are_unescaped():
    row = {"log": 'INFO:httpx:GET "HTTP/1.1 200 OK"\n', "stream": "stderr", "time": NANO}
    (record,) = read(json.dumps(row))
    assert (record.framing, record.logger, record.message) == ("docker-json", "httpx", 'GET "HTTP/1.1 200 OK"')
    assert record.time == MICROS


def test_docker_pieces_of_a_long_line_are_joined():
    text = "INFO:a:" + "x" * 20_000
    rows = [{"log": text[: 1 << 14], "stream": "stderr"}, {"log": text[1 << 14 :] + "\n", "stream": "stderr"}]
    (record,) = read(*map(json.dumps, rows))
    assert (record.message, record.line, record.span) == ("x" * 20_000, 1, 2)


def test_cri_pieces_are_joined():
    first, second = read(
        f"{NANO} stderr P INFO:a:on", f"{NANO} stderr P e, t", f"{NANO} stderr F wo", f"{NANO} stderr F x"
    )
    assert (first.message, first.line, first.span, first.framing) == ("one, two", 1, 3, "cri")
    assert (second.message, second.line, second.fresh) == ("x", 4, False)


def test_a_piece_without_an_end_is_read_at_the_end():
    (record,) = read(f"{NANO} stderr P INFO:a:cut")
    assert (record.message, record.span) == ("cut", 1)


def test_journald_json_is_read_with_bytes_and_lines():
    row = {"__REALTIME_TIMESTAMP": str(MICROS), "_SYSTEMD_UNIT": "api.service", "PRIORITY": "3"}
    records = read(
        json.dumps({**row, "MESSAGE": list(b"\x1b[31mred")}), json.dumps({**row, "MESSAGE": "INFO:a:x\n  y"})
    )
    assert [(r.message, r.level, r.service, r.time, r.span) for r in records] == [
        ("red", "ERROR", "api", MICROS, 1),
        ("x", "INFO", "api", MICROS, 1),
        ("  y", "ERROR", "api", MICROS, 0),
    ]


def test_a_stern_line_counts_only_before_a_known_format():
    prose, framed = read("agent-0 starting up", "api-7c9d8b6f5-x2x4z api INFO:httpx:x")
    assert (prose.framing, framed.framing, framed.service) == ("", "stern", "api-7c9d8b6f5-x2x4z/api")


def test_a_json_envelope_without_level_and_logger_is_a_framing():
    (record,) = read(json.dumps({"@timestamp": NANO, "message": "INFO:httpx:x", "host": {"name": "h"}}))
    assert (record.framing, record.format, record.logger, record.time) == ("json", "basic", "httpx", MICROS)


def test_indented_lines_of_journald_belong_to_the_service_before():
    head, more = read("Nov 22 14:47:08 h api[1]: INFO:a:x", "          second line")
    assert (head.service, more.service, more.fresh) == ("api", "api", False)
