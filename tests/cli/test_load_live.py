import io
from dataclasses import replace

import pytest

from woolly_mcpdiag.api.load import State
from woolly_mcpdiag.cli.load_live import ROWS, LoadView, kinds, rows, status_line
from woolly_mcpdiag.core.findings import Finding
from woolly_mcpdiag.core.measures import Answer, Outcome, Series, Step, Tally
from woolly_mcpdiag.core.runs import Generator, Interval, Meta
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.report.plain import cells

URL = "http://localhost:8009/sse/"
API = "http://localhost:8000/api/v1/agents/execute"
META = Meta(
    run="r",
    command="load",
    version="0",
    started=0.0,
    targets=({"kind": "agent", "url": API}, {"kind": "mcp", "url": URL}),
    workload={"model": "closed", "concurrency": 5, "duration": 60.0, "sessions": "per-worker"},
)


def tally(operations: int = 1, failed: int = 0, outcome: Outcome | None = None) -> Tally:
    found = Tally()
    for number in range(operations):
        calls = found.of(Series(client="wire", operation=f"tools/call tool_{number}"))
        calls.ok = 100
        calls.latency.add(0.02, 95)
        calls.latency.add(0.4, 5)
        calls.failed = failed
        if failed:
            calls.outcomes[outcome or Outcome(kind="http", status=400)] = failed
    for name in ("connect", "stream", "endpoint", "initialize"):
        found.step(Step(client="wire", phase=name)).took.add(0.005, 7)
    if failed:
        found.answers[Answer(status=400)] = failed * operations
    return found


def state(**more) -> State:
    plain = {
        "meta": META,
        "scene": "",
        "number": 0,
        "plans": 1,
        "elapsed": 42.0,
        "total": 60.0,
        "done": 100,
        "wanted": None,
        "users": 5.0,
        "in_flight": 4,
        "tally": tally(),
        "recent": (),
        "generator": Generator(cpu=0.3, lag_p99=0.002),
    }
    return State(**{**plain, **more})


def finding(number: int) -> Finding:
    return Finding(
        cause=f"session.lost-{number}",
        title="The server does not know the session any more " * 3,
        severity="error",
        confidence="certain",
        count=3 + number,
        of=100,
        unit="calls",
        summary="",
        benign=False,
    )


def judgement(number: int, verdict: str) -> Judgement:
    return Judgement(
        name=f"http_400 == 0 | claim {number}% " * 4, verdict=verdict, sentence="s", observed="3 of 1,204", needed=59
    )


def minute(fails: int = 0) -> list[Interval]:
    return [
        Interval(start=float(n), end=n + 1.0, tally=tally(failed=fails if n % 7 == 0 else 0), users=5.0)
        for n in range(70)
    ]


CROWDED = state(
    tally=tally(operations=30, failed=12),
    recent=minute(3),
    findings=[finding(n) for n in range(9)],
    judgements=[judgement(n, verdict) for n, verdict in enumerate(("pass", "fail", "inconclusive", "pass", "fail"))],
    generator=Generator(bound=True, why="its loop was late " * 9),
    scene="round 1 naive",
    plans=8,
)
BARE = state(tally=Tally(), elapsed=0.0, done=0)


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("shown", [CROWDED, BARE, state(recent=minute())])
def test_the_picture_fits_the_smallest_usual_terminal(shown, width):
    picture = rows(shown, width)
    assert len(picture) <= ROWS
    assert max(cells(line) for line, _ in picture) <= width
    assert not any("\n" in line for line, _ in picture)


def text(shown: State, width: int = 100) -> str:
    return "\n".join(line for line, _ in rows(shown, width))


def test_phases_come_before_calls_and_each_has_its_figures():
    shown = text(state())
    assert shown.index("connect") < shown.index("initialize") < shown.index("tool_0")
    line = next(line for line in shown.splitlines() if line.startswith("tool_0"))
    assert line.split() == ["tool_0", "100", "20.2", "ms", "20.2", "ms", "400", "ms"]


def test_what_fails_is_shown_live_with_its_kind_and_cause():
    shown = text(state(tally=tally(failed=3), recent=minute(3), findings=[finding(0)]))
    assert "3  HTTP 400 ×3" in shown
    assert "400s" in shown
    assert "session.lost-0 ×3 (certain)" in shown


def test_a_failing_tool_is_shown_though_many_work():
    whole = tally(operations=20)
    whole.merge(tally(failed=1, outcome=Outcome(kind="tool-error", tool_error=True)))
    assert "tool-error ×1" in text(state(tally=whole))


def test_a_refusal_that_no_call_ended_with_is_counted_too():
    found = tally()
    found.answers[Answer(status=400)] = 2
    found.answers[Answer(status=405, benign=True)] = 9
    assert kinds(found) == {"HTTP 400 on the wire": 2}


def test_failed_thresholds_come_first():
    shown = text(CROWDED, 200).splitlines()
    marks = [line[0] for line in shown if line[:2] in {"✓ ", "✗ ", "? "}]
    assert marks == ["✗", "✗", "?"]
    assert "and 2 more thresholds" in text(CROWDED)


def test_a_generator_that_is_the_bottleneck_is_said():
    assert "GENERATOR-BOUND (its loop was late" in text(CROWDED)
    assert "generator ok (30% of a core, lag 2 ms)" in text(state())


def test_the_clock_tells_calls_or_time():
    assert "00:42 / 01:00" in text(state())
    assert "100 of 300 calls, 00:42" in text(state(wanted=300, total=None))


def test_a_gate_is_called_a_gate():
    gate = state(scene="waves-5", plans=8)
    assert "mcpdiag gate waves-5" in text(replace(gate, meta=replace(gate.meta, command="gate")))


def test_a_load_that_is_being_stopped_says_so():
    told = [line for line, _ in rows(state(), 80, stopping=True)]
    assert told[1] == "stopping; Ctrl-C again ends at once"


def test_one_line_tells_the_same_for_logs():
    line = status_line(state(tally=tally(failed=3), findings=[finding(0)]))
    assert line == (
        "00:42 / 01:00; 103 calls, 3 failed (2.9 %); 4 in flight; p95 20.2 ms; HTTP 400 ×3; session.lost-0 ×3"
    )


def test_without_a_terminal_lines_come_every_few_seconds():
    stream = io.StringIO()
    view = LoadView(stream)
    for tenths in range(120):
        view(state(elapsed=tenths / 10))
    view.close()
    lines = stream.getvalue().splitlines()
    assert lines[0] == f"loading {API} + {URL}: 5 users, closed loop, for 60 s, sessions per-worker"
    assert [line[:5] for line in lines[1:]] == ["00:05", "00:10"]


def test_quiet_says_nothing():
    stream = io.StringIO()
    view = LoadView(stream, quiet=True)
    view(CROWDED)
    view.close()
    assert stream.getvalue() == ""


def test_a_terminal_gets_the_picture_and_is_left_clean(terminal):
    view = LoadView(terminal.stream)
    view(CROWDED)
    view(state())
    view.close()
    shown = terminal.shown()
    assert "round 1 naive (1 of 8)" in shown
    assert shown.rstrip().endswith("\x1b[?25h") or "\x1b[2K" in shown


def test_a_terminal_that_is_asked_for_plain_lines_gets_them(terminal):
    view = LoadView(terminal.stream, live=False)
    view(state())
    view.close()
    assert terminal.shown().startswith("loading ")
