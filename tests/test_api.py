import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from woolly_mcpdiag.api import Options, Progress, analyze_logs, follow_logs
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.core.events import Event

LINE = (
    "2026-03-01 10:{minute:02}:{second:02},500 INFO httpx: HTTP Request: "
    'POST http://h:1/mcp?session_id={session} "HTTP/1.1 {status} X"\n'
)
SESSIONS = ("76edd90fcfee4fc38b6b619560599f8f", "e38a7b99ebb34a64aa21797fbeac777a")


@pytest.fixture
def timed(tmp_path: Path) -> Path:
    path = tmp_path / "timed.log"
    lines = [
        LINE.format(minute=minute, second=second, session=SESSIONS[minute % 2], status=404 if second == 59 else 202)
        for minute in range(4)
        for second in range(60)
    ]
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def long(tmp_path: Path) -> Path:
    path = tmp_path / "long.log"
    line = LINE.format(minute=0, second=0, session=SESSIONS[0], status=202)
    path.write_text(line * 50_000, encoding="utf-8")
    return path


def test_sessions_are_a_table_with_times_and_counts(timed: Path):
    frame = analyze_logs([str(timed)]).sessions_frame()
    assert frame["session"].tolist() == list(SESSIONS)
    assert frame["requests"].tolist() == [120, 120]
    assert frame["failures"].tolist() == [2, 2]
    assert str(frame["first_use"].dtype) == "datetime64[us, UTC]"
    assert frame["first_use"].tolist()[0] == pd.Timestamp("2026-03-01T10:00:00.500Z")
    assert {str(frame[name].dtype) for name in ("requests", "failures", "overlap")} == {"Int64"}
    assert {str(frame[name].dtype) for name in ("session", "key", "agent", "source", "note")} == {"string"}
    assert frame["longest_idle"].tolist() == pytest.approx([61.0, 61.0])


def test_events_are_a_table_of_what_was_read(timed: Path):
    frame = analyze_logs([str(timed)], Options(keep_events=True)).events_frame()
    assert len(frame) == 240
    assert frame["line"].tolist() == list(range(1, 241))
    assert frame["status"].value_counts().to_dict() == {202: 236, 404: 4}
    assert frame["url"].unique().tolist() == ["http://h:1/mcp"]
    assert frame["time"].is_monotonic_increasing
    assert str(frame["time"].dtype) == "datetime64[us, UTC]"


def test_without_times_the_tables_have_positions(seed_log: Path):
    analysis = analyze_logs([str(seed_log)], Options(keep_events=True))
    assert analysis.report.clock == "order"
    assert str(analysis.sessions_frame()["opened"].dtype) == "Int64"
    assert analysis.sessions_frame()["session"].str.len().tolist() == [32] * 3


def test_events_that_were_not_kept_are_asked_for_in_vain(timed: Path):
    with pytest.raises(UsageError, match="were not kept") as caught:
        analyze_logs([str(timed)]).events_frame()
    assert "keep_events=True" in caught.value.hint


def test_a_report_of_an_analysis_that_was_stopped_is_partial(long: Path):
    asked = []

    def stopped() -> bool:
        asked.append(True)
        return True

    report = analyze_logs([str(long)], stopped=stopped).report
    assert report.partial
    assert asked
    assert 0 < report.requests < 50_000
    assert report.requests == report.sources[0].lines
    assert report.sources[0].formats


def test_a_log_that_grows_while_it_is_read_is_read_to_an_end(long: Path):
    line = LINE.format(minute=1, second=0, session=SESSIONS[1], status=202)
    appended = []

    def grow() -> bool:
        if not appended:
            appended.append(line)
            with long.open("a", encoding="utf-8") as file:
                file.write(line * 1_000)
        return False

    report = analyze_logs([str(long)], stopped=grow).report
    assert appended
    assert report.requests == report.sources[0].lines
    assert 50_000 <= report.requests <= 51_000


def test_what_is_never_stopped_is_whole(long: Path):
    report = analyze_logs([str(long)], stopped=lambda: False).report
    assert not report.partial
    assert report.requests == 50_000


def test_progress_grows_and_never_passes_its_total(long: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("woolly_mcpdiag.api.logs._TELL_EVERY", 0.0)
    told: list[Progress] = []
    analyze_logs([str(long)], progress=told.append)
    size = long.stat().st_size
    assert told
    assert {one.total for one in told} == {size}
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert [one.lines for one in told] == sorted(one.lines for one in told)
    assert told[-1].done <= size
    assert told[-1].source == str(long)


def test_several_inputs_are_counted_each_for_itself(seed_log: Path, timed: Path):
    report = analyze_logs([str(seed_log), str(timed)]).report
    assert [(Path(source.name).name, source.lines, source.events) for source in report.sources] == [
        ("seed.log", 9, 9),
        ("timed.log", 240, 240),
    ]


def test_no_input_and_no_readable_input_are_errors(tmp_path: Path):
    with pytest.raises(InputError, match="no input was named"):
        analyze_logs([])
    broken = tmp_path / "a.har"
    broken.write_text('{"log": {"version": "1.2", "entries": [', encoding="utf-8")
    with pytest.raises(InputError, match="is no whole HAR document"):
        analyze_logs([str(broken)])


def test_endpoints_decide_what_is_mcp(timed: Path):
    assert analyze_logs([str(timed)], Options(endpoints=("*/nothing",))).report.requests == 0
    assert analyze_logs([str(timed)], Options(endpoints=("*/mcp",))).report.requests == 240


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r\r\n"])
def test_following_and_reading_give_the_same_report(timed: Path, ending: str):
    timed.write_bytes(timed.read_text(encoding="utf-8").replace("\n", ending).encode())
    read = analyze_logs([str(timed)]).report
    rounds = iter([False, False])
    followed = follow_logs(
        [str(timed)], every=0.0, on_report=lambda report: None, stopped=lambda: next(rounds, True)
    ).report
    assert [(f.cause, f.count) for f in read.findings] == [(f.cause, f.count) for f in followed.findings]
    assert (read.requests, read.sources[0].lines) == (followed.requests, followed.sources[0].lines)
    lines = [[e.line for f in report.findings for e in f.evidence] for report in (read, followed)]
    assert lines[0] == lines[1]


def test_following_says_what_it_did_not_understand(tmp_path: Path):
    log = tmp_path / "poem.log"
    log.write_text("the quick brown fox\njumps over\n", encoding="utf-8")
    rounds = iter([False, False])
    report = follow_logs(
        [str(log)], every=0.0, on_report=lambda report: None, stopped=lambda: next(rounds, True)
    ).report
    assert report.notes == [f"{log}: 2 of 2 lines fit no known format (first: line 1)."]


def test_following_reads_event_lines_and_can_keep_them(tmp_path: Path):
    log = tmp_path / "run.jsonl"
    event = Event(kind="http.exchange", time=1.0, role="client", method="POST", url="http://h:1/mcp", status=421)
    log.write_text(event.to_json() + "\n", encoding="utf-8")
    rounds = iter([False, False])
    analysis = follow_logs(
        [str(log)],
        Options(keep_events=True),
        every=0.0,
        on_report=lambda report: None,
        stopped=lambda: next(rounds, True),
    )
    assert [finding.cause for finding in analysis.report.findings] == ["transport.host-guard"]
    assert analysis.events_frame()["status"].tolist() == [421]


def test_following_a_file_that_can_never_come_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="its directory"):
        follow_logs([str(tmp_path / "no" / "app.log")], every=0.0, on_report=lambda report: None, stopped=lambda: True)


def test_the_report_is_json_that_names_its_sources(timed: Path):
    from woolly_mcpdiag.report.formats import render

    row = json.loads(render("json", analyze_logs([str(timed)]).report))
    assert [source["lines"] for source in row["sources"]] == [240]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("kind", [str, Path])
def test_one_path_or_several_are_texts_or_paths(timed: Path, kind: type[str] | type[Path], several: bool):
    path = kind(timed)
    analysis = analyze_logs([path] if several else path)
    assert (analysis.report.requests, analysis.report.sources[0].name) == (240, str(timed))
    shown: list[object] = []
    paths = [path] if several else path
    followed = follow_logs(paths, every=1.0, on_report=shown.append, stopped=lambda: bool(shown))
    assert followed.report.sources[0].name == str(timed)


def test_sessions_that_only_an_opening_line_names_are_rows_too(tmp_path: Path):
    path = tmp_path / "app.log"
    line = "2026-03-01 10:00:0{n},000 INFO mcp.client.streamable_http: Received session ID: {session}\n"
    post = '2026-03-01 10:00:0{n},500 INFO httpx: HTTP Request: POST http://h:1/mcp "HTTP/1.1 200 OK"\n'
    path.write_text(
        "".join(line.format(n=n, session=session) + post.format(n=n) for n, session in enumerate(SESSIONS)),
        encoding="utf-8",
    )
    analysis = analyze_logs(path)
    frame = analysis.sessions_frame()
    assert len(frame) == analysis.report.sessions == 2
    assert frame["session"].tolist() == list(SESSIONS)
    assert frame["opened"].tolist() == [pd.Timestamp(f"2026-03-01T10:00:0{n}Z") for n in range(2)]
    assert frame["source"].tolist() == [str(path)] * 2
    assert frame["requests"].tolist() == [0, 0]


def test_a_session_that_is_named_and_used_is_one_row(tmp_path: Path):
    path = tmp_path / "app.log"
    opened = "2026-03-01 09:59:00,000 INFO mcp.client.streamable_http: Received session ID: {session}\n"
    used = LINE.format(minute=0, second=0, session=SESSIONS[0], status=202)
    path.write_text("".join(opened.format(session=session) for session in SESSIONS) + used, encoding="utf-8")
    frame = analyze_logs(path).sessions_frame()
    assert frame["session"].tolist() == list(SESSIONS)
    assert frame["requests"].tolist() == [1, 0]


def test_the_package_exports_the_api_and_loads_it_only_when_asked(environment: dict[str, str]):
    code = (
        "import sys, woolly_mcpdiag as package\n"
        "print([name for name in ('numpy', 'pandas', 'woolly_mcpdiag.api') if name in sys.modules])\n"
        "assert set(package.__all__) <= set(dir(package))\n"
        "print([getattr(package, name) is not None for name in package.__all__].count(True) == len(package.__all__))\n"
        "from woolly_mcpdiag import Analysis, Event, Options, Progress, Report, analyze_logs, follow_logs\n"
        "print(analyze_logs is sys.modules['woolly_mcpdiag.api'].analyze_logs, hasattr(package, 'nonsense'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\nTrue\nTrue False\n", "")
