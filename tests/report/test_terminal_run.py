import re

import pytest
from inline_snapshot import snapshot

from woolly_mcpdiag.report import terminal
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.plain import cells

SGR = re.compile(r"\x1b\[[0-9;]*m")


def test_a_failed_run_reads_well_in_80_columns(run_samples):
    assert terminal.render(run_samples.report("failing"), width=80) == snapshot("""\
✗ FAIL: 1 of 3 criteria failed; http_400 == 0: 4 of 984 MCP requests were
  answered 400: the true rate is above 0.14 % (95 %). Cause: session.lost.
  load · open loop, 20/s (Poisson), for 40 s
  agents API http://localhost:8000/api/v1/agents/execute
  MCP http://localhost:8009/mcp · streamable 2025-11-25 · handshake era · demo
  0.1 · client wire
  2026-11-22 14:02:11–14:02:51 UTC (40 s)
! 4 of 1,444 arrivals were dropped: so many calls were in flight that no more
  were started.

Criteria
  ✗ http_400 == 0  4 of 984
    4 of 984 MCP requests were answered 400: the true rate is above 0.14 %
    (95 %).
    · first at 12.4 s: POST http://localhost:8009/mcp
  ? p95 < 1s | per agent  0.84 s · asked for < 1 s · n = 40 agent runs
    tester: 11 of 40 above 1 s; could still be 14 to 44 %, the limit is 5 %.
    259 more agent runs would decide it
  ✓ success > 90%
    98.7 % · asked for > 90 % · n = 608 agent runs (worth 412 independent ones)
    8 of 608 agent runs failed: at most 2.5 % do (95 %).
  ✗ warn: throughput > 50/s (warning only)  35.6/s

Failures
✗ HTTP 400  8 of 608 agent runs: POST /api/v1/agents/execute
  session.lost (by the text of the answer) · agent tester · client http · phase
  call · first at 12.4 s
  │ POST http://localhost:8000/api/v1/agents/execute
  │ ← 400 Bad Request
  │   {"detail": "Bad Request: No valid session ID provided"}
  next  mcpdiag explain session.lost

✗ no whole answer in time  4 of 804 calls: tools/call search_code
  net.read-timeout (by the text of the answer) · client wire · phase call ·
  first at 13.1 s
  │ POST http://localhost:8009/mcp
  │   ReadTimeout
  next  mcpdiag explain net.read-timeout

! HTTP 400  4 of 1,004 answers on the wire
  no known cause
  next  mcpdiag explain 400

Calls
                                       n  failed     p50     p95     p99     max
  agent runs                         608       8  127 ms  851 ms  1.77 s  2.57 s
    agent tester                     208       8  125 ms  818 ms  1.42 s  1.77 s
    agent simplifier                 200       0  130 ms  997 ms  2.03 s  2.57 s
    agent summarizer                 200       0  125 ms  834 ms  1.37 s  2.15 s
  MCP calls: tools/call search_code  804       4   21 ms  171 ms  254 ms  537 ms
Phases
               n  failed      p50      p90      p95      p99      max
  connect     40       0  1.03 ms  1.84 ms  7.64 ms  13.1 ms  13.1 ms
  stream      40       4  4.22 ms  16.9 ms    38 ms  51.4 ms  51.4 ms
  endpoint    40       0  6.39 ms  15.3 ms  42.8 ms   152 ms   152 ms
  initialize  40       0   9.5 ms  16.9 ms   102 ms   155 ms   155 ms

Distribution  of agent runs that succeeded
  28.3 ms – 49.7 ms  █████  25  4.2 %
  49.7 ms – 87.3 ms  ████████████████████  115  19.2 %
   87.3 ms – 153 ms  ███████████████████████████████████████  233  38.8 %
    153 ms – 270 ms  ███████████████████████  136  22.7 %
    270 ms – 474 ms  ███████  38  6.3 %
    474 ms – 832 ms  ████  21  3.5 %
    832 ms – 1.46 s  ████  22  3.7 %
    1.46 s – 2.57 s  ██  10  1.7 %

Over time
              0 s                                 40 s
  p95         ▂▂▁▁▁▂▂▁▁▁▂▂▇█▇█▁▁▁▂▁▁▁▁▁▁▁▁▁▁▁▁▂▂▁▁▁▁▁▁  most 2.57 s
  rate        ████████████████████████████████████████  most 17/s
  in flight   ▁▁▁▁▁▁▁▁▁▁▁▁████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  most 32
  failed                  ████                          most 2
  400s                    ████                          most 3

Generator ok: 1 process, busiest 62 % of a core, loop late by 3 ms (p99), 20 ms
(most), 20 arrivals late, 4 dropped.

Notes
  · 20 arrivals were started over 10 ms after their instant; latency counts from
    the instant.

Next
  mcpdiag explain session.lost   # for http_400 == 0
  mcpdiag explain net.read-timeout   # about no whole answer in time
  mcpdiag explain 400   # about HTTP 400
""")


def test_five_calls_make_a_small_report(run_samples):
    assert terminal.render(run_samples.report("five"), width=80) == snapshot("""\
✓ 5 MCP calls, none failed; p95 15 ms.
  load · 5 users, closed loop, until 5 calls
  MCP http://localhost:8009/mcp · streamable 2025-11-25 · handshake era · demo
  0.1 · client wire
  2026-11-22 14:02:11.000–14:02:11.200 UTC (200 ms)
! Closed loop: stalls are under-reported, since a target that stands still is
  asked less. `--rate` measures what arrivals would see.

Calls
                   n  failed  rate      p50    p90    p95    p99    max
  MCP calls: ping  5       0  25/s  10.9 ms  15 ms  15 ms  15 ms  15 ms

Generator ok: 1 process, busiest 0 % of a core, loop late by 0 ms (p99), 0 ms
(most).
""")


@pytest.mark.parametrize("width", [40, 80, 120])
def test_only_commands_are_wider_than_asked_for(run_report: Report, width: int):
    lines = terminal.render(run_report, width=width).splitlines()
    commands = [step.command.strip() for step in run_report.next_steps]
    wide = [line for line in lines if cells(line) > width]
    assert [line for line in wide if not any(terminal.printable(one) in line for one in commands)] == []


@pytest.mark.parametrize("verbose", [False, True])
def test_colour_changes_nothing_but_colour(run_report: Report, verbose: bool):
    plain = terminal.render(run_report, width=90, verbose=verbose)
    coloured = terminal.render(run_report, width=90, colour=True, verbose=verbose)
    assert "\x1b" not in plain
    assert [line.rstrip() for line in SGR.sub("", coloured).splitlines()] == plain.splitlines()


def test_ascii_output_is_ascii_and_begins_no_workflow_command(run_report: Report):
    text = terminal.render(run_report, width=60, ascii_only=True, verbose=True)
    assert text.isascii()
    assert [line for line in text.splitlines() if line.lstrip().startswith("::")] == []


def test_a_criterion_without_evidence_says_how_much_it_needs(run_samples):
    assert "259 more agent runs would decide it" in terminal.render(run_samples.report("failing"), width=80)


def test_a_generator_that_was_the_bottleneck_is_said_before_any_figure(run_samples):
    text = terminal.render(run_samples.report("busy"), width=100)
    assert text.index("figures are the generator's") < text.index("Calls")


def test_verbose_shows_headers_and_what_else_happened(run_samples):
    short = terminal.render(run_samples.report("failing"), width=100)
    full = terminal.render(run_samples.report("failing"), width=100, verbose=True)
    assert "session.opened a1b2c3d4" in full
    assert "session.opened" not in short


def test_clients_that_took_turns_are_shown_side_by_side(run_samples):
    lines = terminal.render(run_samples.report("turns"), width=100).splitlines()
    at = lines.index("Side by side  in turns")
    assert [line.split()[0] for line in lines[at + 2 : at + 5]] == ["naive", "sdk", "pooled"]
