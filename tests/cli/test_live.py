import io

import pytest

from woolly_mcpdiag.cli.live import ROWS, FollowView, rows, status_line, strip
from woolly_mcpdiag.core.findings import Finding, Ledger, LedgerPart
from woolly_mcpdiag.core.timelines import Activity
from woolly_mcpdiag.report.model import Report


def report(findings: int = 1, requests: int = 58) -> Report:
    return Report(
        requests=requests,
        sessions=29,
        verdict="All 29 400s come from session ids harvested from an error response.",
        statuses={200: 29, 400: 29},
        ledgers=[
            Ledger(status=400, total=29, parts=(LedgerPart(cause="session.x0", count=29, benign=False),), unexplained=0)
        ],
        findings=[
            Finding(
                cause=f"session.x{n}",
                title="an id out of an error",
                severity="error",
                benign=False,
                confidence="certain",
                count=29,
                of=29,
                unit="400s",
                summary="",
            )
            for n in range(findings)
        ],
        activity=Activity(start=0, width=1, series={"ok": [0, 1] * 100, "400": [1] + [0] * 199, "5xx": [0] * 200}),
    )


def test_plain_lines_say_the_counts_and_the_causes():
    assert status_line(report()) == "58 requests, 29 sessions; 200 ×29, 400 ×29; session.x0 ×29"


def test_plain_lines_come_only_when_something_has_changed():
    stream = io.StringIO()
    view = FollowView(stream, ["app.log"])
    for requests in (58, 58, 59):
        view(report(requests=requests))
    view.close()
    first, *lines = stream.getvalue().splitlines()
    assert "app.log" in first
    assert [line.split()[0] for line in lines] == ["58", "59"]


def test_quiet_says_nothing():
    stream = io.StringIO()
    view = FollowView(stream, ["app.log"], quiet=True)
    view(report())
    view.close()
    assert stream.getvalue() == ""


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_picture_fits_the_smallest_terminal_whatever_was_found(width: int):
    picture = rows(report(findings=60), ["app.log"] * 40, width)
    assert len(picture) <= ROWS
    assert max(len(text) for text, _ in picture) <= width
    assert any("and 52 more" in text for text, _ in picture)


def test_the_picture_shows_verdict_statuses_findings_and_activity():
    text = "\n".join(line for line, _ in rows(report(), ["app.log"], 120))
    for part in ("All 29 400s", "400 ×29", "400s: 29 = 29 explained by session.x0", "session.x0 ×29", "█"):
        assert part in text
    assert "5xx" not in text


def test_what_came_from_a_log_cannot_act_on_the_terminal():
    hostile = report()
    hostile.verdict = "\x1b]0;owned\x07\x1b[2J"
    assert "\x1b" not in "".join(line for line, _ in rows(hostile, ["a\x1bb"], 120))


@pytest.mark.parametrize(
    ("values", "cells", "bars"), [([0, 1, 8], 10, " ▁█"), ([], 5, ""), ([0, 0], 5, "  "), ([1] * 8 + [0] * 8, 2, "█ ")]
)
def test_a_strip_scales_to_its_highest_count(values: list[int], cells: int, bars: str):
    assert strip(values, cells) == bars


def test_one_failure_among_thousands_stays_visible():
    assert strip([100_000, 1], 2) == "█▁"


def test_on_a_terminal_the_picture_is_drawn_and_taken_away_again(terminal):
    view = FollowView(terminal.stream, ["app.log"])
    view(report())
    view(report(requests=59))
    view.close()
    shown = terminal.shown()
    assert "session.x0 ×29" in shown
    assert "59 requests" in shown
    assert shown.count("\x1b[2K") >= 4
