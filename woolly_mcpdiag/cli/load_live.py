"""The one place for the view of a load that runs: a picture on a terminal, plain lines elsewhere."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from woolly_mcpdiag.api.load import State
from woolly_mcpdiag.cli.live import strip
from woolly_mcpdiag.cli.screen import colour_allowed, columns, is_terminal
from woolly_mcpdiag.core.measures import Calls, Outcome, Tally
from woolly_mcpdiag.core.runs import Generator, Interval
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.report import run_figures, run_wording, wording
from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.plain import cells, pad, take, to_ascii
from woolly_mcpdiag.report.run_model import Spread
from woolly_mcpdiag.report.terminal import needs_ascii

if TYPE_CHECKING:
    from rich.live import Live

ROWS = 23
"""The smallest usual terminal has 24, and the cursor takes one."""
LINE_EVERY = 5.0
"""Seconds between two plain lines."""
WINDOW = 60
"""Seconds of the strips."""
_OPERATIONS, _PHASES, _FINDINGS, _GATES = 6, 8, 4, 3
_NAME = 40
_STYLES = {"pass": "green", "fail": "bold red", "inconclusive": "yellow"}

Row = tuple[str, str]
"""Text and rich style."""


class LoadView:
    """Shows each state of ``api.load``; ``close`` takes the picture away for the report."""

    def __init__(
        self,
        stream: TextIO,
        *,
        quiet: bool = False,
        live: bool = True,
        width: int | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """``stopping`` says whether somebody has asked for the end."""
        self._stream, self._quiet, self._width, self._stopping = stream, quiet, width, stopping
        self.drawn = live and not quiet and is_terminal(stream)
        """A picture is drawn, which nothing else must write into."""
        self._ascii = needs_ascii(stream.encoding)
        self._live: Live | None = None
        self._said: tuple[int, float] = (-1, 0.0)

    def __call__(self, state: State) -> None:
        """Show how things stand: draw, or write a line now and then."""
        if self._quiet:
            return
        if self.drawn:
            self._draw(state)
            return
        number, at = self._said
        if number < 0:
            self._say(start_line(state))
        if number != state.number:
            self._said = (state.number, 0.0)
        elif state.elapsed - at >= LINE_EVERY:
            self._said = (number, state.elapsed)
            self._say(status_line(state))

    def close(self) -> None:
        """Take the picture away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _say(self, line: str) -> None:
        self._stream.write((to_ascii(line) if self._ascii else line) + "\n")
        self._stream.flush()

    def _draw(self, state: State) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        width = self._width or columns(self._stream)
        text = Text(no_wrap=True, overflow="crop")
        for line, style in rows(state, width, stopping=self._stopping()):
            text.append((to_ascii(line) if self._ascii else line) + "\n", style)
        text.rstrip()
        if self._live is None:
            console = Console(file=self._stream, no_color=not colour_allowed(self._stream), width=self._width)
            self._live = Live(console=console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(text, refresh=True)


def start_line(state: State) -> str:
    """Return what is being done in one line, for logs."""
    targets = " + ".join(str(told.get("url", "")) for told in state.meta.targets)
    does = "judging" if state.meta.command == "gate" else "loading"
    return printable(f"{does} {targets}: {run_wording.workload(state.meta)}")


def status_line(state: State) -> str:
    """Return the state in one line, for logs."""
    calls = _all(state.tally)
    parts = [
        f"{_clock(state)}{_turn(state)}",
        f"{calls.tried:,} calls, {_failed(calls)}",
        f"{state.in_flight} in flight",
        *([f"p95 {wording.duration(calls.latency.quantile(0.95))}"] if calls.latency.count else []),
        *[f"{kind} ×{number:,}" for kind, number in kinds(state.tally).most_common(3)],
        *[f"{finding.cause} ×{finding.count:,}" for finding in state.findings if not finding.benign],
        *(["generator-bound"] if state.generator.bound and state.meta.command != "gate" else []),
    ]
    return printable("; ".join(parts))


def rows(state: State, width: int, *, stopping: bool = False) -> list[Row]:
    """Return the picture as at most 23 rows of at most ``width`` cells."""
    gates = list(_gates(state.judgements))
    findings = list(_findings(state))
    lines: list[Row] = [*_head(state, width, stopping=stopping), ("", "")]
    lines += _table(state.tally, width, ROWS - len(lines) - len(gates) - len(findings) - 3)
    lines += [*_strips(state.recent, width), *gates, *findings]
    return [(_fit(printable(text), width), style) for text, style in lines[:ROWS]]


def kinds(tally: Tally) -> Counter[str]:
    """Return how often calls ended in which way other than well; refusals that no call ended with as well."""
    found: Counter[str] = Counter()
    for calls in tally.calls.values():
        for outcome, number in calls.outcomes.items():
            if outcome.kind != "ok":
                found[_short(outcome)] += number
    ended = {outcome.status for calls in tally.calls.values() for outcome in calls.outcomes}
    for answer, number in tally.answers.items():
        if answer.status >= 400 and not answer.benign and answer.status not in ended:
            found[f"HTTP {answer.status} on the wire"] += number
    return found


def _head(state: State, width: int, *, stopping: bool) -> Iterator[Row]:
    targets = " + ".join(str(told.get("url", "")).partition("://")[2] for told in state.meta.targets)
    clock = _clock(state)
    yield pad(f"mcpdiag {state.meta.command}{_turn(state)} · {targets}", width - cells(clock) - 1) + " " + clock, "bold"
    workload, hint = run_wording.workload(state.meta), " · Ctrl-C ends with the full report"
    if stopping:
        yield "stopping; Ctrl-C again ends at once", "bold yellow"
    else:
        yield workload + (hint if cells(workload + hint) <= width else ""), "dim"
    calls = _all(state.tally)
    rate = f", {calls.tried / state.elapsed:,.3g}/s" if state.elapsed >= 1 else ""
    told = [f"{calls.tried:,} calls{rate}, {_failed(calls)}", f"in flight {state.in_flight}", _aimed(state)]
    yield "   ".join(part for part in told if part), "red" if calls.failed else "green" if calls.tried else ""
    yield _generator(state.generator), "yellow" if state.generator.bound else "dim"


def _aimed(state: State) -> str:
    model = state.meta.workload.get("model")
    if model == "waves":
        name = f"{state.scene}/waves" if state.scene else "waves"
        return f"waves {state.tally.counters.get(name, 0)}"
    if not state.meta.workload.get("stages"):
        return ""
    return f"aimed at {state.users:.3g}{'/s' if model == 'open' else ' users'}"


def _generator(found: Generator) -> str:
    if found.bound:
        return f"GENERATOR-BOUND ({found.why})" if found.why else "GENERATOR-BOUND"
    more = "".join(
        f", {number:,} {name}" for name, number in (("late", found.late), ("dropped", found.dropped)) if number
    )
    return f"generator ok ({found.cpu:.0%} of a core, lag {wording.duration(found.lag_p99)}{more})"


def _table(tally: Tally, width: int, most: int) -> Iterator[Row]:
    """Yield phases and operations with their figures; as many as fit, those that fail first."""
    phases = run_figures.phases(tally)
    found = sorted(run_figures.rows(tally, lambda _client: 0.0), key=lambda row: (-row.failed, row.kind, -row.tried))
    named = max(10, min(_NAME, width - 58))
    yield f"{'':<{named}} {'n':>9} {'p50':>8} {'p95':>8} {'max':>8}  fails", "dim"
    if not found and not phases:
        yield "waiting for the first call to end", "dim"
    room = max(2, most - 1)
    shown = found[: max(1, min(_OPERATIONS, room - min(len(phases), _PHASES)))]
    left = found[len(shown) :]
    for phase in phases[: max(0, min(_PHASES, room - len(shown) - bool(left)))]:
        number = (phase.took.count if phase.took else 0) + phase.failed
        fails = f"{phase.failed:,}" if phase.failed else ""
        yield _line(phase.name, named, phase.took, number, fails), "red" if phase.failed else ""
    causes = _by_row(tally)
    for row in shown:
        why = causes.get((row.agent, row.operation), Counter()).most_common(2)
        told = f"{row.failed:,}  {', '.join(f'{kind} ×{number:,}' for kind, number in why)}" if row.failed else ""
        yield (
            _line(row.name.replace("tools/call ", ""), named, row.latency, row.tried, told),
            "red" if row.failed else "",
        )
    if left:
        tried, failed = sum(row.tried for row in left), sum(row.failed for row in left)
        yield f"and {len(left)} more: {tried:,} calls, {failed:,} failed", "dim"


def _line(name: str, width: int, took: Spread | None, number: int, fails: str) -> str:
    figures = [wording.duration(value) for value in (took.p50, took.p95, took.greatest)] if took else ["–"] * 3
    return f"{pad(name, width)} {number:>9,} {figures[0]:>8} {figures[1]:>8} {figures[2]:>8}  {fails}".rstrip()


def _strips(recent: Sequence[Interval], width: int) -> Iterator[Row]:
    """Yield the last minute: p95 and failures a second."""
    if len(recent) < 2:
        return
    room = max(10, min(WINDOW, width - 30))
    latest = recent[-1].end
    seconds: list[Tally] = [Tally() for _ in range(min(WINDOW, int(latest - recent[0].start) + 1))]
    for row in recent:
        place = len(seconds) - 1 - int(latest - row.end)
        if 0 <= place < len(seconds):
            seconds[place].merge(row.tally)
    per = -(-len(seconds) // room)
    groups = [_sum(seconds[n : n + per]) for n in range(0, len(seconds), per)]
    tails = [calls.latency.quantile(0.95) if (calls := _all(group)).latency.count else 0.0 for group in groups]
    label = f"last {len(seconds)} s"
    if any(tails):
        top = wording.duration(max(tails))
        yield f"{label:<9} p95   {strip([round(tail * 1e6) for tail in tails], room)}  most {top}", ""
    bad = [_answers(group, 400) for group in groups]
    failed = [_all(group).failed for group in groups]
    for name, values in (("400s", bad), ("fails", failed)):
        if any(values):
            yield f"{'':<9} {name:<5} {_dots(values, room)}  {sum(values):,}", "red"


def _dots(values: Sequence[int], room: int) -> str:
    return "".join(char if value else "·" for char, value in zip(strip(values, room), values, strict=False))


def _gates(judgements: Sequence[Judgement]) -> Iterator[Row]:
    order = {"fail": 0, "inconclusive": 1, "pass": 2}
    for judgement in sorted(judgements, key=lambda one: order[one.verdict])[:_GATES]:
        observed = f": {judgement.observed}" if judgement.observed else ""
        more = f" (needs {judgement.needed:,} more)" if judgement.needed else ""
        yield f"{run_wording.MARKS[judgement.verdict]} {judgement.name}{observed}{more}", _STYLES[judgement.verdict]
    if len(judgements) > _GATES:
        yield f"and {len(judgements) - _GATES} more thresholds", "dim"


def _findings(state: State) -> Iterator[Row]:
    real = [finding for finding in state.findings if not finding.benign]
    for finding in real[:_FINDINGS]:
        style = "red" if wording.level(finding) == "error" else "yellow"
        yield f"{finding.cause} ×{finding.count:,} ({finding.confidence}): {finding.title}", style
    if len(real) > _FINDINGS:
        yield f"and {len(real) - _FINDINGS} more causes", "dim"


def _by_row(tally: Tally) -> dict[tuple[str, str], Counter[str]]:
    found: dict[tuple[str, str], Counter[str]] = {}
    for series, calls in tally.calls.items():
        counted = found.setdefault((series.agent, series.operation), Counter())
        for outcome, number in calls.outcomes.items():
            if outcome.kind != "ok":
                counted[_short(outcome)] += number
    return found


def _short(outcome: Outcome) -> str:
    """Return how a call ended in two words: "HTTP 404", "rpc -32602", "timeout"."""
    status = str(outcome.status) if outcome.status >= 300 else ""
    parts = ("HTTP" if outcome.kind == "http" else outcome.kind, status, str(outcome.code or ""))
    return " ".join(part for part in parts if part)


def _fit(text: str, width: int) -> str:
    return text if cells(text) <= width else take(text, width - 1) + "…"


def _all(tally: Tally) -> Calls:
    whole = Calls()
    for calls in tally.calls.values():
        whole.merge(calls)
    return whole


def _sum(tallies: Sequence[Tally]) -> Tally:
    whole = Tally()
    for tally in tallies:
        whole.merge(tally)
    return whole


def _answers(tally: Tally, status: int) -> int:
    return sum(number for answer, number in tally.answers.items() if answer.status == status and not answer.benign)


def _failed(calls: Calls) -> str:
    return f"{calls.failed:,} failed ({wording.percent(calls.failed, calls.tried)})" if calls.failed else "none failed"


def _turn(state: State) -> str:
    scene = f" {state.scene}" if state.scene else ""
    return f"{scene} ({state.number + 1} of {state.plans})" if state.plans > 1 else scene


def _clock(state: State) -> str:
    if state.wanted is not None:
        return f"{state.done:,} of {state.wanted:,} calls, {_time(state.elapsed)}"
    return _time(state.elapsed) + (f" / {_time(state.total)}" if state.total is not None else "")


def _time(seconds: float) -> str:
    whole = int(seconds)
    hours = f"{whole // 3600}:" if whole >= 3600 else ""
    return f"{hours}{whole // 60 % 60:02}:{whole % 60:02}"
