"""The one place for session timelines drawn in text: one lane a session, a mark for what happened in each cell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from woolly_mcpdiag.core.timelines import Activity, Mark, Timeline
from woolly_mcpdiag.report import lanes, wording
from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.plain import Line, Span, cells, pad, paragraph

MARKS: dict[Mark, tuple[str, str, str]] = {
    "fail": ("✗", "bad", "failure"),
    "error": ("!", "bad", "error"),
    "opened": ("○", "info", "opened"),
    "ready": ("◇", "info", "ready"),
    "closed": ("┤", "dim", "closed"),
    "stream": ("≈", "info", "stream"),
    "ok": ("█", "good", "activity"),
}
"""Mark → its cell, style and word, the most telling first: where several share a cell, that one is drawn."""
_RANK = {mark: rank for rank, mark in enumerate(MARKS)}
_BARS = " ▁▂▃▄▅▆▇█"
MOST = 16
MOST_HEALTHY = 3
"""Lanes of a report without a real finding that has no activity to draw instead."""
_COUNTS = 12
_WIDEST = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """Where the parts of a lane stand."""

    label: int
    cells: int
    axis: lanes.Axis

    def column(self, at: float) -> int:
        return min(int(self.axis.share(at) * self.cells), self.cells - 1)


def timeline(report: Report, width: int, *, verbose: bool) -> Iterable[Line]:
    """Yield a heading, up to 16 lanes (all of them with ``verbose``), the activity strip and the legend."""
    axis = lanes.axis(report)
    if axis is None or not report.timelines:
        return
    drawn = lanes.choose(report.timelines, _most(report, verbose=verbose))
    grid = _grid(drawn, min(width, _WIDEST), axis)
    total = max(report.timelines_of, len(report.timelines))
    which = f"{len(drawn):,} of {total:,} lanes" if len(drawn) < total else wording.count(total, "lane")
    if not drawn:
        which = f"{wording.count(total, 'lane')} (--verbose draws them)"
    sampled = ", failing ones first" if len(drawn) < total and any(lane.failures for lane in drawn) else ""
    for n, line in enumerate(paragraph(f"{which}{sampled}", width, lead="Timeline  ", style="dim")):
        yield (("Timeline", "head"), ("  ", ""), line[1]) if n == 0 else line
    yield _scale(report, grid, counts=bool(drawn))
    used: set[Mark] = set()
    for lane in drawn:
        used.update(moment.mark for moment in lane.moments)
        yield _lane(lane, grid)
    if report.activity:
        yield from _strips(report.activity, grid)
    if drawn:
        yield from _legend(used, width)


def _most(report: Report, *, verbose: bool) -> int:
    if verbose:
        return len(report.timelines)
    if wording.state(report) in {"bad", "warn"}:
        return MOST
    return 0 if report.activity else MOST_HEALTHY


def _grid(drawn: Sequence[Timeline], width: int, axis: lanes.Axis) -> _Grid:
    most = max(10, min(30, width // 4))
    label = max(8, min(most, max((cells(_label(lane)) for lane in drawn), default=0)))
    return _Grid(label=label, cells=max(width - label - 4 - _COUNTS, 8), axis=axis)


def _label(lane: Timeline) -> str:
    return printable(" ".join(filter(None, (lane.name, lane.agent or lane.key))))


def _scale(report: Report, grid: _Grid, *, counts: bool) -> Line:
    first = wording.moment(report, grid.axis.start)
    last = wording.moment(report, grid.axis.end)
    gap = grid.cells - len(first) - len(last)
    ends = first + " " * gap + last if gap > 0 else pad(first, grid.cells)
    head = " " * (grid.label + 4) + ends
    return ((head + ("   req  fail" if counts else ""), "dim"),)


def _lane(lane: Timeline, grid: _Grid) -> Line:
    row: list[tuple[str, str]] = [(" ", "")] * grid.cells
    ends = [moment.at for moment in lane.moments]
    ends += [at for at in (lane.opened, lane.closed) if at is not None]
    if ends:
        first, last = grid.column(min(ends)), grid.column(max(ends))
        row[first : last + 1] = [("·", "dim")] * (last + 1 - first)
    best: dict[int, Mark] = {}
    for moment in lane.moments:
        column = grid.column(moment.at)
        if column not in best or _RANK[moment.mark] < _RANK[best[column]]:
            best[column] = moment.mark
    for column, mark in best.items():
        row[column] = MARKS[mark][:2]
    label = f"  {pad(_label(lane), grid.label)}  "
    failures = (f"  {lane.failures:>4,}", "bad" if lane.failures else "dim")
    return ((label, ""), *_runs(row), (f"  {lane.requests:>4,}", "dim"), failures)


def _runs(row: Sequence[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    text, style = "", ""
    for char, kind in row:
        if kind != style and text:
            yield text, style
            text = ""
        text, style = text + char, kind
    yield text, style


def _strips(activity: Activity, grid: _Grid) -> Iterable[Line]:
    """All series together, then everything but "ok"; one scale for both."""
    total = _binned(activity, list(activity.series), grid)
    failed = _binned(activity, [name for name in activity.series if name != "ok"], grid)
    top = max(total, default=0)
    if not top:
        return
    yield _strip("all", total, top, "info", grid)
    if any(failed):
        yield _strip("failing", failed, top, "bad", grid)


def _binned(activity: Activity, names: Sequence[str], grid: _Grid) -> list[int]:
    """Return one figure a cell: the sum of its bins, or where bins are wider the bin under the cell's middle."""
    bins = [sum(values) for values in zip(*(activity.series[name] for name in names), strict=True)]
    row = [0] * grid.cells
    cell = (grid.axis.end - grid.axis.start) / grid.cells
    if activity.width >= cell > 0:
        for column in range(grid.cells):
            index = int((grid.axis.start + (column + 0.5) * cell - activity.start) // activity.width)
            row[column] = bins[index] if 0 <= index < len(bins) else 0
        return row
    for index, value in enumerate(bins):
        row[grid.column(activity.start + (index + 0.5) * activity.width)] += value
    return row


def _strip(name: str, values: Sequence[int], top: int, style: str, grid: _Grid) -> Line:
    bars = "".join(_BARS[-(-value * 8 // top)] for value in values)
    return ((f"  {pad(name, grid.label)}  ", "dim"), (bars, style), (f"  peak {max(values):,}", "dim"))


def _legend(used: set[Mark], width: int) -> Iterable[Line]:
    items = [(f"{cell} {word}", style) for mark, (cell, style, word) in MARKS.items() if mark in used]
    line: list[Span] = []
    for text, style in (*items, ("· idle", "dim")):
        if line and sum(cells(part) for part, _ in line) + cells(text) + 2 > width:
            yield tuple(line)
            line = []
        line += [("  ", ""), (text, style)]
    yield tuple(line)
