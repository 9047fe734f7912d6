"""Input that is no log, half a log, or a log gone wrong: a message that helps, or a report that says what it lacks."""

import gzip
import json
import random
import sqlite3
import threading
from pathlib import Path

import pytest
import zstandard
from typer.testing import CliRunner, Result

from woolly_mcpdiag.cli.app import app

MINUTE = (
    '2026-03-01 {hour:02}:{minute:02}:00{zone} INFO httpx: HTTP Request: POST http://h:1/mcp "HTTP/1.1 {status} X"\n'
)
ENTRY = {
    "startedDateTime": "2026-03-01T10:00:00.000Z",
    "time": 12.5,
    "request": {"method": "POST", "url": "http://h:1/mcp", "headers": []},
    "response": {"status": 200, "headers": [], "content": {"size": 10, "text": "{}"}},
}
EVENT = {
    "schema": "mcpdiag.event/1",
    "kind": "http.exchange",
    "time": 1.7e9,
    "method": "POST",
    "url": "http://h:1/mcp",
    "status": 404,
}


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    result = CliRunner().invoke(app, ["analyze-logs", "--width", "1000", *map(str, arguments)], input=stdin)
    assert "Traceback" not in result.stderr
    return result


def refused(result: Result, fact: str) -> None:
    assert result.exit_code == 2
    assert result.stdout == ""
    assert fact in result.stderr
    assert "\nhint: " in result.stderr


def told(result: Result, *notes: str) -> str:
    assert (result.exit_code, result.stderr) == (0, "")
    text = " ".join(result.stdout.split())
    for note in notes:
        assert note in text
    return text


def minutes(hours: range, status: int = 200, zone: str = "") -> list[str]:
    return [MINUTE.format(hour=hour, minute=n, status=status, zone=zone) for hour in hours for n in range(60)]


def har(entries: object) -> bytes:
    return json.dumps({"log": {"version": "1.2", "creator": {}, "entries": entries}}).encode()


@pytest.fixture
def log(seed_log: Path) -> bytes:
    return seed_log.read_bytes()


# Refused


@pytest.mark.parametrize(
    ("name", "data", "fact"),
    [
        ("empty.log", b"", "is empty"),
        ("blank.log", b"\n" * 200_000, "has no text"),
        ("spaces.log", b"  \r\n\t\n", "has no text"),
        ("zeros.log", bytes(100_000), "has no text"),
        ("ls.log", b"\x7fELF" + bytes(range(256)) * 9, "a program (ELF)"),
        ("shot.log", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "a PNG picture"),
        ("noise.log", random.Random(1).randbytes(10_000), "is binary"),
        ("wide.log", "INFO:httpx:x\n".encode("utf-32"), "is binary"),
        ("empty.log.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("stump.log.gz", gzip.compress(b"INFO:httpx:x\n" * 9, mtime=0)[:10], "ends in the middle of its gzip data"),
        ("noise.log.zst", b"\x28\xb5\x2f\xfd" + b"\xff" * 99, "has damaged zstd data"),
        ("stump.log.zst", zstandard.compress(b"INFO:httpx:x\n" * 9)[:12], "ends in the middle of its zstd data"),
        ("half.har", har([ENTRY] * 3)[:400], "JSON breaks at line 1, column"),
        ("list.har", b"[1, 2, 3]", "has no list log.entries"),
        ("bare.har", b'{"log": {"version": "1.2"}}', "has no list log.entries"),
        ("none.har", har([]), "without entries"),
        ("deep.har", b'{"log": {"entries": ' + b"[" * 100_000, "its JSON cannot be read"),
    ],
)
def test_what_holds_no_log_is_refused_with_the_reason(tmp_path: Path, name: str, data: bytes, fact: str):
    (tmp_path / name).write_bytes(data)
    refused(run(tmp_path / name), fact)


def test_a_database_is_refused_by_its_name(tmp_path: Path):
    path = tmp_path / "app.log"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE x (y)")
    connection.close()
    refused(run(path), "an SQLite database")


def test_paths_that_name_nothing_are_refused(tmp_path: Path, seed_log: Path):
    (tmp_path / "ring").symlink_to("ring")
    (tmp_path / "bare").mkdir()
    refused(run(tmp_path / "seed.lgo"), "did you mean seed.log?")
    refused(run(tmp_path / "*.nothing"), "matches no file")
    refused(run(tmp_path / "ring"), "cannot be read (Too many levels of symbolic links)")
    refused(run(tmp_path / "bare"), "has no logs")
    refused(run(seed_log / "inside"), "cannot be read (Not a directory)")
    refused(run("x" * 5_000 + ".log"), "cannot be read (File name too long)")


@pytest.mark.parametrize("redirection", ["<&-", "</dev/null"])
def test_standard_input_without_a_log_is_refused(mcpdiag, redirection: str):
    import subprocess
    import sys

    script = f'exec "{sys.executable}" -m woolly_mcpdiag analyze-logs - {redirection}'

    done = subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: st")
    assert "Traceback" not in done.stderr


def test_a_file_without_permission_is_refused_or_read_by_root(seed_log: Path):
    import os

    seed_log.chmod(0)
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    refused(run(seed_log), "may not be read by this user")


# Read, and what is lacking is said


@pytest.mark.parametrize(
    "change",
    [
        lambda log: log.decode().encode("utf-16"),
        lambda log: b"\xfe\xff" + log.decode().encode("utf-16-be"),
        lambda log: b"\xef\xbb\xbf" + log,
        lambda log: log.replace(b"\n", b"\r\n"),
        lambda log: bytes(5_000) + log,
        lambda log: log.replace(b"\n", b"\0\n"),
        lambda log: "INFO:app:Gr\xfc\xdfe\n".encode("latin-1") * 9 + log,
        lambda log: log + b"y" * 10_000_000 + b"\n",
        lambda log: b"\n" * 200_000 + b"INFO:app:x\n" + log,
        lambda log: log.removesuffix(b"\n"),
        gzip.compress,
        zstandard.compress,
    ],
    ids="utf16 utf16be bom crlf hole nuls latin1 long blank unended gzip zstd".split(),  # noqa: SIM905
)
def test_a_log_is_read_in_spite_of_how_it_is_written(seed_log: Path, log: bytes, change):
    seed_log.write_bytes(change(log))
    text = told(run(seed_log))
    assert "session.harvested-from-400" in text
    assert "6 requests · 3 sessions" in text


def test_half_a_gzip_gives_what_can_be_read_and_says_so(tmp_path: Path, log: bytes):
    packed = gzip.compress(log + random.Random(1).randbytes(9_000).hex().encode())
    path = tmp_path / "app.log.gz"
    path.write_bytes(packed[: len(packed) // 2])
    assert "3 sessions" in told(run(path), "app.log.gz: ends in the middle of its gzip data.")


def test_damaged_gzip_gives_what_came_before(tmp_path: Path, log: bytes):
    packed = bytearray(gzip.compress(log + random.Random(1).randbytes(90_000).hex().encode()))
    middle = len(packed) // 2
    packed[middle : middle + 50] = b"\xff" * 50
    path = tmp_path / "app.log.gz"
    path.write_bytes(packed)
    assert "3 sessions" in told(run(path), "app.log.gz: has damaged gzip data.")


def test_a_log_of_no_known_format_is_counted_line_by_line(tmp_path: Path):
    path = tmp_path / "poem.log"
    path.write_text("the quick brown fox\njumps over\n\n" * 50, encoding="utf-8")
    told(run(path), "Nothing about MCP was found", "poem.log: 100 of 150 lines fit no known format (first: line 1).")


def test_one_endless_line_is_one_line(tmp_path: Path):
    path = tmp_path / "long.log"
    path.write_bytes(b"x" * 10_000_000)
    told(run(path), "long.log: 1 of 1 lines fit no known format (first: line 1).")


def test_a_known_format_without_mcp_is_no_silent_report(tmp_path: Path):
    path = tmp_path / "other.log"
    path.write_text("2026-03-01 10:00:00,000 INFO app: hello\n" * 9, encoding="utf-8")
    told(run(path), "other.log: none of its 9 lines tells of a request, a session or a failure.")


def test_a_time_that_nothing_lies_in_is_said(tmp_path: Path):
    path = tmp_path / "app.log"
    path.write_text("".join(minutes(range(10, 11))), encoding="utf-8")
    told(run(path, "--since", "2027-01-01"), "app.log: 60 of 60 lines lie outside the time asked for.")
    text = told(run(path, "--since", "2027-01-01", "--until", "2027-02-01"))
    assert text.startswith(
        "· Nothing in this log lies in the time asked for (2027-01-01 00:00:00 to 2027-02-01 00:00:00 UTC): "
        "its events run from 2026-03-01 10:00:00 to 2026-03-01 10:59:00 UTC."
    )
    assert "no times" not in text
    data = path.read_bytes()
    assert "(until 2020-01-01 00:00:00 UTC)." in told(run("-", "--until", "2020-01-01", stdin=data))


@pytest.mark.parametrize(("name", "data"), [("a.har", har([ENTRY])), ("a.jsonl", json.dumps(EVENT).encode())])
def test_since_holds_for_every_kind_of_input(tmp_path: Path, name: str, data: bytes):
    (tmp_path / name).write_bytes(data)
    told(run(tmp_path / name, "--since", "2027-01-01"), "1 of 1 lines lie outside the time asked for.")


def test_times_out_of_order_are_said_and_every_request_counts(tmp_path: Path):
    path = tmp_path / "app.log"
    lines = minutes(range(10, 12))
    random.Random(2).shuffle(lines)
    path.write_text("".join(lines), encoding="utf-8")
    assert "120 requests" in told(run(path), "app.log: the time goes back", "lines out of order")


def test_a_clock_set_back_an_hour_is_said(tmp_path: Path):
    path = tmp_path / "app.log"
    path.write_text("".join(minutes(range(2, 3)) * 2), encoding="utf-8")
    told(run(path), "app.log: the time goes back once (first: line 61; by up to 3,540 s)")


def test_zones_are_brought_together_and_a_missing_one_is_said(tmp_path: Path):
    path = tmp_path / "app.log"
    lines = [*minutes(range(10, 11), zone="Z"), *minutes(range(13, 14), zone="+02:00"), *minutes(range(12, 13))]
    path.write_text("".join(lines), encoding="utf-8")
    text = told(run(path), "60 stamps name no time zone and are read as UTC, 120 name theirs.")
    assert "10:00:00–12:59:00 UTC" in text
    assert "the time goes back" not in text


def test_a_log_without_times_says_what_that_costs(seed_log: Path):
    told(run(seed_log), "no times in this log: order only", "No line carries a time")


def test_a_log_given_twice_counts_once(seed_log: Path, tmp_path: Path):
    assert "6 requests" in told(run(seed_log, seed_log, tmp_path))
    (tmp_path / "copy.log").write_bytes(seed_log.read_bytes())
    assert "6 requests" in told(run(seed_log, tmp_path / "copy.log"), "copy.log: has the same bytes as")


def test_one_bad_file_among_good_ones_is_said_and_the_rest_is_read(seed_log: Path, tmp_path: Path):
    (tmp_path / "bad.har").write_bytes(har([ENTRY])[:100])
    (tmp_path / "empty.log").touch()
    (tmp_path / "bin.log").write_bytes(b"\x7fELF" + bytes(99))
    text = told(
        run(tmp_path, "-v"), "bad.har: is no whole HAR document", "empty.log: is empty", "bin.log: is a program"
    )
    assert "6 requests" in text


def test_a_pipe_is_read_as_a_file(tmp_path: Path, log: bytes):
    import os

    path = tmp_path / "pipe.log"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(log,))
    writer.start()
    assert "6 requests" in told(run(path))
    writer.join()


@pytest.mark.parametrize(
    "change",
    [gzip.compress, zstandard.compress, lambda log: log.decode().encode("utf-16")],
    ids=["gzip", "zstd", "utf16"],
)
def test_standard_input_is_inflated_too(log: bytes, change):
    assert "6 requests" in told(run("-", stdin=change(log)))


def test_standard_input_of_zeros_is_no_silent_report():
    result = run("-", stdin=bytes(100_000))
    assert result.exit_code in {0, 2}
    assert "none of its 1 lines tells" in result.stdout or "has no text" in result.stderr


ODD = (None, True, 5, -5, 1.5, 10**30, "x", "\ud800", [], [1], {}, {"a": {}}, "9" * 5_000)


def test_a_har_of_nonsense_is_counted_entry_by_entry(tmp_path: Path):
    entries: list[object] = [ENTRY, None, 5, "x", [], {}]
    for value in ODD:
        entries += [{**ENTRY, key: value} for key in ENTRY]
        entries += [{**ENTRY, "request": {**ENTRY["request"], key: value}} for key in ("method", "url", "headers")]
        entries += [
            {**ENTRY, "response": {**ENTRY["response"], key: value}} for key in ("status", "headers", "content")
        ]
    path = tmp_path / "odd.har"
    path.write_bytes(har(entries))
    text = told(run(path), f"of {len(entries)} entries are not complete (first: entry 2).")
    assert " requests" in text


def test_event_lines_of_nonsense_are_counted_line_by_line(tmp_path: Path):
    fields = (
        "kind time source line role logger level method url status size duration session key agent error message extra"
    )
    rows = [
        {**EVENT, "kind": kind, field: value}
        for field in fields.split()
        for value in ODD
        for kind in ("http.exchange", "call.failed", "session.opened")
    ]
    lines = [
        json.dumps(EVENT),
        *map(json.dumps, rows),
        "not json",
        '{"schema":"mcpdiag.event/1","extra":' + "[" * 100_000,
    ]
    lines += [json.dumps({**EVENT, "later": 1}), '{"schema":"mcpdiag.event/1","kind":"call.failed","time":NaN}']
    path = tmp_path / "odd.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    told(run(path), f"of {len(lines)} lines fit no known format")
    for name in ("json", "html", "junit", "csv"):
        assert run(path, "-f", name).exit_code == 0
    assert run(path, "-o", tmp_path / "e.parquet", "--table", "events").exit_code == 0


def test_events_of_a_later_schema_are_not_taken_for_ours(tmp_path: Path):
    path = tmp_path / "later.jsonl"
    path.write_text(json.dumps({**EVENT, "schema": "mcpdiag.event/2"}) + "\n", encoding="utf-8")
    told(run(path), "1 of 1 lines fit no known format (first: line 1).")


@pytest.mark.parametrize("digits", [16, 30, 400, 5_000])
def test_numbers_that_are_too_big_are_passed_over(tmp_path: Path, digits: int):
    big = "9" * digits
    path = tmp_path / "big.log"
    path.write_text(
        f'1.2.3.4 - - [01/Mar/2026:10:00:00 +0000] "POST /mcp HTTP/1.1" 404 {big} "-" "-"\n'
        f"2026-03-01 10:00:00,000 DEBUG httpcore.http11: receive_response_headers.complete "
        f"return_value=(b'HTTP/1.1', 404, b'x', [(b'content-length', b'{big}')])\n"
        f"2026-03-01 10:00:00,000 DEBUG httpcore.connection: connect_tcp.started host='h' port={big}\n"
        f"2026-03-01 10:00:00,000 ERROR app: agent-1 failed in connect after {big}.5 s\n"
        f"{MINUTE.format(hour=10, minute=0, zone='', status=404)}"
        f'{{"time": {big}, "level": {big}, "message": "HTTP Request: POST http://h:1/mcp \\"HTTP/1.1 404 X\\""}}\n',
        encoding="utf-8",
    )
    assert "404 ×" in told(run(path))


@pytest.mark.parametrize(
    "url", ["http://[::/mcp", "http://h:99999/mcp", "http://h:x/mcp", "http://\u2100/mcp", "//mcp", "http://"]
)
def test_an_address_that_is_none_is_still_counted(tmp_path: Path, url: str):
    path = tmp_path / "app.log"
    path.write_text(f'INFO:httpx:HTTP Request: POST {url} "HTTP/1.1 404 X"\n' * 3, encoding="utf-8")
    result = run(path, "--endpoint", "*")
    assert result.exit_code == 0
    assert "3 requests" in result.stdout
