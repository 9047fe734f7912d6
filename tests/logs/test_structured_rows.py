"""Structured records in the words of other loggers and proxies."""

import json

import pytest

from woolly_mcpdiag.api import analyze_logs
from woolly_mcpdiag.logs.reader import Reader

HTTPX2 = 'HTTP Request: POST http://127.0.0.1:8009/mcp "HTTP/1.1 200 OK"'


def read(row):
    reader = Reader()
    return [*reader.read(json.dumps(row).encode(), 1), *reader.flush()][0]


@pytest.mark.parametrize(
    "row",
    [
        {"date": 1772359200000, "status": "error", "logger": {"name": "httpx2", "thread_name": "Main"}, "message": "m"},
        {"Timestamp": "1772359200000000000", "SeverityText": "ERROR", "logger": "httpx2", "Body": "m"},
        {"severity": "ERROR", "timestamp": {"seconds": 1772359200, "nanos": 0}, "message": "m", "logger": "httpx2"},
        {"@t": "2026-03-01T10:00:00Z", "@l": "Error", "@m": "m", "SourceContext": "httpx2"},
        {"TimeGenerated": "2026-03-01T10:00:00Z", "Level": "Error", "logger": "httpx2", "Message": "m"},
    ],
)
def test_time_level_logger_and_message_are_found(row):
    record = read(row)
    assert (record.time, record.level, record.logger, record.message) == (1772359200000000, "ERROR", "httpx2", "m")


def test_a_status_that_is_no_level_is_none():
    assert read({"status": "declined", "message": "m", "logger": "x"}).level == ""


@pytest.mark.parametrize(
    "row",
    [
        {"ts": 1.0, "method": "POST", "path": "/mcp", "status": 503, "bytes": 197, "upstream": ""},
        {
            "time_iso8601": "2026-03-01T10:00:00Z",
            "request": "POST /mcp HTTP/1.1",
            "status": "503",
            "body_bytes_sent": "197",
        },
        {"ts": 1.0, "msg": "handled request", "request": {"method": "POST", "uri": "/mcp"}, "status": 503, "size": 197},
        {
            "RequestMethod": "POST",
            "RequestPath": "/mcp",
            "DownstreamStatus": 503,
            "DownstreamContentSize": 197,
            "msg": "",
        },
    ],
)
def test_a_row_of_an_access_log_is_an_access_line(row):
    assert read(row).message == '"POST /mcp HTTP/1.1" 503 197'


@pytest.mark.parametrize("row", [{"status": 200, "url": "/x"}, {"method": "buy", "path": "/x", "status": 200}])
def test_other_objects_are_no_access_lines(row):
    assert "HTTP/1.1" not in read(row).message


@pytest.mark.parametrize("many", [3, 3000])
def test_many_access_rows_read_like_few(tmp_path, many):
    path = tmp_path / "access.log"
    rows = [
        {"ts": 1772359200 + n, "method": "POST", "path": "/mcp", "status": 503 if n % 3 else 200} for n in range(many)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    assert analyze_logs([str(path)]).diagnosis.statuses == {200: many // 3, 503: many - many // 3}


def test_colours_inside_json_are_no_part_of_the_message():
    line = 'INFO:     127.0.0.1:49298 - "\x1b[1mPOST /mcp HTTP/1.1\x1b[0m" \x1b[31m404 Not Found\x1b[0m\n'
    record = read({"log": line, "stream": "stderr", "time": "2026-03-01T10:00:00Z"})
    assert '"POST /mcp HTTP/1.1" 404' in record.message


@pytest.mark.parametrize(
    "line",
    [
        "10.0.0.1|2026-03-01T10:00:00+00:00|POST /mcp HTTP/1.1|404|304|0.008",
        'x="POST /mcp HTTP/1.1", status=404, t=0.1',
    ],
)
def test_a_proxys_own_format_is_read_and_not_added_to_the_servers(tmp_path, line):
    paths = [tmp_path / "access.log", tmp_path / "server.log"]
    paths[0].write_text(f"{line}\n" * 5, encoding="utf-8")
    paths[1].write_text('INFO:     10.0.0.1:1 - "POST /mcp HTTP/1.1" 404 Not Found\n' * 5, encoding="utf-8")
    assert analyze_logs([str(paths[0])]).diagnosis.statuses == {404: 5}
    assert analyze_logs(list(map(str, paths))).diagnosis.statuses == {404: 5}
