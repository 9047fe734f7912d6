import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from woolly_mcpdiag.cli.app import app


def run(*arguments: str | Path, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["analyze-logs", *map(str, arguments)], input=stdin)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-f", "jsn"], "did you mean json?"),
        (["-o", "report"], "its suffix tells no format"),
        (["-f", "json", "-f", "md"], "json and md cannot both go there"),
        (["-f", "parquet"], "needs a file"),
        (["-o", "/no/such/folder/report.html"], "cannot be written"),
        (["--since", "noonish"], "not a time"),
        (["--since", "14:00", "--until", "2001-01-01"], "is later than --until"),
        (["--session-pattern", "("], "not a regular expression"),
        (["--session-pattern", "id=(.*)"], "has no group named session"),
        (["--fail-on", "session.harvest"], "no such cause or family"),
        (["--workers", "0"], "--workers 0: is not a number"),
        (["--width", "3"], "invalid value for '--width'"),
        (["--table", "rows"], "invalid value for '--table'"),
    ],
)
def test_wrong_usage_is_said_before_any_reading(arguments: list[str], said: str, tmp_path: Path):
    result = run(tmp_path / "missing.log", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "missing.log" not in result.stderr
    assert "hint: " in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("content", [None, b""])
def test_a_log_that_is_missing_or_empty_is_an_input_error(tmp_path: Path, content: bytes | None):
    log = tmp_path / "app.log"
    if content is not None:
        log.write_bytes(content)
    result = run(log)
    assert result.exit_code == 2
    assert "app.log" in result.stderr
    assert result.stdout == ""


def test_findings_alone_do_not_fail(seed_log: Path):
    result = run(seed_log)
    assert result.exit_code == 0
    assert "session.harvested-from-400" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("criterion", ["any", "session", "session.harvested-from-400"])
def test_fail_on_makes_a_finding_fail(seed_log: Path, criterion: str):
    result = run(seed_log, "--fail-on", criterion)
    assert result.exit_code == 1
    assert "session.harvested-from-400" in result.stdout
    assert "--fail-on: session.harvested-from-400" in result.stderr


def test_fail_on_passes_what_was_not_found(seed_log: Path):
    assert run(seed_log, "--fail-on", "net").exit_code == 0


def test_fail_on_without_mcp_traffic_is_inconclusive(tmp_path: Path):
    log = tmp_path / "app.log"
    log.write_text("INFO:app:started\nINFO:app:stopped\n" * 20, encoding="utf-8")
    result = run(log, "--fail-on", "any")
    assert result.exit_code == 3
    assert "no MCP traffic" in result.stderr


def test_a_pipe_is_read_with_and_without_naming_it(seed_log: Path):
    text = seed_log.read_text(encoding="utf-8")
    for arguments in (["-"], []):
        result = run(*arguments, stdin=text)
        assert result.exit_code == 0
        assert "session.harvested-from-400" in result.stdout


def test_several_formats_go_to_their_places_at_once(seed_log: Path, tmp_path: Path):
    page, table = tmp_path / "report.html", tmp_path / "sessions.csv"
    result = run(seed_log, "-f", "json", "-o", "-", "-o", page, "-o", table)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["command"] == "analyze-logs"
    assert page.read_text(encoding="utf-8").startswith("<!")
    assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + 3
    assert "wrote" in result.stderr


@pytest.mark.parametrize("name", ["text", "json", "md", "html", "junit", "github", "trace", "csv"])
def test_every_text_format_can_go_to_stdout(seed_log: Path, name: str):
    result = run(seed_log, "-f", name)
    assert result.exit_code == 0
    assert result.stdout.strip()


def test_the_table_of_events_is_written_on_request(seed_log: Path, tmp_path: Path):
    table = tmp_path / "events.csv"
    assert run(seed_log, "-o", table, "--table", "events").exit_code == 0
    assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + 9


def test_parquet_is_written(seed_log: Path, tmp_path: Path):
    table = tmp_path / "sessions.parquet"
    assert run(seed_log, "-o", table).exit_code == 0
    assert table.read_bytes()[:4] == b"PAR1"


def test_quiet_keeps_stderr_empty(seed_log: Path, tmp_path: Path):
    result = run(seed_log, "-q", "-o", tmp_path / "report.md", "--fail-on", "any")
    assert result.exit_code == 1
    assert result.stderr == ""


def test_a_session_pattern_finds_what_the_application_calls_a_session(tmp_path: Path):
    log = tmp_path / "app.log"
    lines = (
        'INFO:httpx:HTTP Request: GET http://h/mcp "HTTP/1.1 400 Bad Request"\n'
        "INFO:app:conversation {n:032x} is on, label alpha{n}\n"
        'INFO:httpx:HTTP Request: GET http://h/mcp "HTTP/1.1 200 OK"\n'
    )
    log.write_text("".join(lines.format(n=n) for n in range(1, 4)), encoding="utf-8")
    pattern = r"conversation (?P<session>\S+) is on, label (?P<key>\S+)"
    found = json.loads(run(log, "-f", "json", "--session-pattern", pattern).stdout)
    assert found["sessions"] == 3
    assert {lane["key"] for lane in found["timelines"]} >= {"alpha1", "alpha2", "alpha3"}


@pytest.mark.parametrize("width", [60, 80, 120])
def test_width_is_kept(seed_log: Path, width: int):
    lines = run(seed_log, "--width", width).stdout.splitlines()
    assert max(len(line) for line in lines if "mcpdiag " not in line) <= width


def test_output_that_is_no_terminal_has_no_colour_and_100_columns(seed_log: Path):
    text = run(seed_log).stdout
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines() if "mcpdiag " not in line) <= 100


def test_since_and_until_leave_out_what_is_outside(tmp_path: Path):
    log = tmp_path / "app.log"
    line = '2026-03-01 {hour}:00:00,000 INFO httpx: HTTP Request: POST http://h/mcp "HTTP/1.1 {status} X"\n'
    log.write_text("".join(line.format(hour=hour, status=hour + 190) for hour in range(10, 16)), encoding="utf-8")
    report = json.loads(
        run(
            log, "-f", "json", "--endpoint", "*/mcp", "--since", "2026-03-01 11:30", "--until", "2026-03-01T13:00:00Z"
        ).stdout
    )
    assert report["requests"] == 2
    assert re.fullmatch(r".*202.*203.*", json.dumps(report["statuses"]))
