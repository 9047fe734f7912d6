import re
import subprocess
import sys

import pytest
from inline_snapshot import snapshot

from woolly_mcpdiag.report import terminal
from woolly_mcpdiag.report.model import NextStep, Report
from woolly_mcpdiag.report.plain import cells

SGR = re.compile(r"\x1b\[[0-9;]*m")


def test_a_healthy_log_takes_few_lines(samples):
    assert terminal.render(samples.healthy(), width=80) == snapshot("""\
✓ Healthy: 50 requests in 10 sessions, and nothing failed.
  50 requests · 10 sessions · 10 agent runs (convo_starter 2, documentation 2,
  simplifier 2, 2 more types) · 2026-11-22 14:02:12–14:02:22 UTC (10.5 s, clock:
  1 ms)
400s: none; answers: 200 ×40, 202 ×10

Timeline  10 lanes (--verbose draws them)
            14:02:12.000                                14:02:22.500
  all       ███▆▆███▆▆▆██▆▆▆███▆▆███▆▆▆██▆▆▆███▆▆███▆▆▆██▆▆▆███▆▆███  peak 3
Durations
  POST http://localhost:8009/mcp  p50 10.5 ms, p95 26 ms, p99 90 ms, highest
    98.1 ms (n = 40)
Next
  mcpdiag analyze-logs app.log --format html -o report.html   # see the sessions
""")


def test_the_first_customers_case_reads_well_in_80_columns(samples):
    assert terminal.render(samples.seed(), width=80) == snapshot("""\
✗ All 29 of the 400s come from session ids taken out of an error; the 200 after
  it is a false success.
  58 requests · 29 sessions · 29 agent runs (simplifier 7, convo_starter 6,
  tester 6, 2 more types) · no times in this log: order only

400s: 29 = 29 explained by session.harvested-from-400

✗ session.harvested-from-400  29 of 29 400 responses · certain
  The session id was taken from an error response
  Each of 29 sessions came from a GET without a session id that was answered
  400; the id on that 400 was then used for a second GET. That GET got 200, but
  no POST ever followed: 0 of 29 agents finished.
  because     29 GETs with 400, 29 new sessions and 29 GETs with 200: the three
              counts are equal.
              No POST line exists, so no session was ever initialised.
              Excluded: session.lost, because no id was in use before its 400.
  │ app.log:5
  │   INFO:httpx:HTTP Request: GET …calhost:8009/sse/ "HTTP/1.1 400 Bad Request"
  │ app.log:6
  │   INFO:api.agents.universal:Cre…8b6b619560599f8f for key simplifier_edcec7aa
  │ app.log:8
  │   INFO:httpx:HTTP Request: GET http://localhost:8009/sse/ "HTTP/1.1 200 OK"
  │ and 1 more (--verbose)
  fix client  Use the Streamable HTTP client on the same URL:
              MCPServerStreamableHTTP('http://localhost:8009/sse/').
  fix server  Update to mcp 1.30 or later: it puts no session id on an error.
              Name the path /mcp.
  be sure     curl -i -H 'Accept: text/event-stream' http://localhost:8009/sse/
              shows 400 with an mcp-session-id.

Hypotheses, tested
  race           refuted        Is it a race between parallel agents?
    failure rate of sessions opened alone against those opened beside others: 5
    of 5 alone (57–100 %), 24 of 24 with 1 to 4 in flight (86–100 %)
  timing         refuted        Is a session used before it is ready?
    whether the 400 comes before or after the session exists: 29 of 29 400s come
    before their session was created
  pool           not decidable  Do connections of the pool get in each other's
                                way?
    reuse of connections before a failure: no line names a connection
    to decide it: logging.getLogger('httpcore').setLevel('DEBUG')
  deterministic  supported      Does it fail every time?
    share of new sessions whose first GET fails: 29 of 29 (88–100 %)

Timeline  16 of 29 lanes, failing ones first
                        event 1                            event 117   req  fail
  993955be simplifier   ✗≈                                               2     1
  82a5f8b3 tester        ✗≈                                              2     1
  71d81316 summarizer       ✗≈                                           2     1
  9b975338 simplifier          ✗≈                                        2     1
  6f14e6e2 convo_star…            ✗○                                     2     1
  ac811eaf documentat…               ✗○                                  2     1
  c01ff328 simplifier                  ✗≈                                2     1
  4e9d2c57 convo_star…                    ✗≈                             2     1
  d933a5c9 documentat…                       ✗≈                          2     1
  439aff79 tester                               ✗≈                       2     1
  a00bf953 summarizer                              ✗≈                    2     1
  ef6ee5c7 documentat…                              ✗○                   2     1
  f7a223df tester                                      ✗○≈               2     1
  f8e91f2b summarizer                                     ✗○≈            2     1
  269926f0 simplifier                                        ✗○≈         2     1
  c2812b25 convo_star…                                          ✗○≈      2     1
  all                   ████████████████████████████████████████████  peak 2
  failing               ▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄  peak 1
  ✗ failure  ○ opened  ≈ stream  · idle

This log cannot decide
  · How long anything took: no line has a time. Use
    `logging.basicConfig(format='%(asctime)s %(message)s')`.
  · Which connection carried a request: set the logger httpcore to DEBUG.

Notes
  · 4 of 120 lines say nothing about MCP and were left out.

Next
  # the whole story and its references
  mcpdiag explain session.harvested-from-400
  mcpdiag analyze-logs app.log server.log   # join the server's view
""")


def test_the_first_customers_case_fits_two_screens(samples):
    assert terminal.render(samples.seed(), width=120).count("\n") <= 80


@pytest.mark.parametrize("width", [40, 80, 100, 120, 200])
def test_only_commands_are_wider_than_asked_for(report: Report, width: int):
    commands = {f"  {terminal.printable(step.command)}" for step in report.next_steps}
    lines = terminal.render(report, width=width).splitlines()
    assert [line for line in lines if cells(line) > width and line.rstrip() not in {c.rstrip() for c in commands}] == []


@pytest.mark.parametrize("verbose", [False, True])
def test_colour_changes_nothing_but_colour(report: Report, verbose: bool):
    plain = terminal.render(report, width=90, verbose=verbose)
    coloured = terminal.render(report, width=90, colour=True, verbose=verbose)
    assert "\x1b" not in plain
    assert [line.rstrip() for line in SGR.sub("", coloured).splitlines()] == plain.splitlines()


def test_a_rich_view_has_the_same_text(report: Report):
    shown = terminal.view(report, width=90).plain
    assert [line.rstrip() for line in shown.splitlines()] == terminal.render(report, width=90).splitlines()


def test_a_rich_view_shows_markup_of_a_log_as_text(samples):
    assert "[bold]red[/bold]" in terminal.view(samples.hostile(), width=90).plain


def test_ascii_output_is_ascii(report: Report):
    assert terminal.render(report, width=80, ascii_only=True, verbose=True).isascii()


@pytest.mark.parametrize(
    ("encoding", "needed"), [("utf-8", False), ("ascii", True), ("latin-1", True), (None, True), ("no-such", True)]
)
def test_ascii_is_asked_for_where_the_encoding_lacks_our_marks(encoding: str | None, needed: bool):
    assert terminal.needs_ascii(encoding) is needed


def test_no_line_from_a_log_begins_a_workflow_command(samples):
    for ascii_only in (False, True):
        text = terminal.render(samples.hostile(), width=60, verbose=True, ascii_only=ascii_only)
        assert [line for line in text.splitlines() if line.lstrip().startswith("::")] == []


def test_verbose_shows_all_evidence_whole(samples):
    short = terminal.render(samples.mixed(), width=80)
    full = terminal.render(samples.mixed(), width=80, verbose=True)
    assert "1 more (--verbose)" in short
    assert "--verbose" not in full
    assert "x" * 180 in full.replace("\n  │   ", "")


def test_an_interrupted_run_says_so():
    assert "interrupted" in terminal.render(Report(partial=True))


def test_a_command_to_copy_is_never_broken():
    command = "mcpdiag analyze-logs " + " ".join(f"logs/part-{n}.log" for n in range(12))
    text = terminal.render(Report(next_steps=[NextStep(command=command, why="all parts together")]), width=60)
    assert f"  {command}\n" in text


def test_a_big_report_is_still_short(big: Report):
    assert terminal.render(big, width=100).count("\n") <= 120


def test_rendering_loads_no_heavy_library():
    code = (
        "import sys\nfrom woolly_mcpdiag.report import formats, model\n"
        "formats.render('text', model.Report()); formats.render('html', model.Report())\n"
        "print([m for m in ('rich.console', 'pandas', 'numpy', 'typer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
