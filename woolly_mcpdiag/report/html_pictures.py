"""The one place for the pictures in the HTML report, each with its legend and its table in words."""

from collections.abc import Iterator, Sequence

from woolly_mcpdiag.core.timelines import Activity, Timeline
from woolly_mcpdiag.report import lanes, svg, svg_charts, svg_timeline, wording
from woolly_mcpdiag.report.escape import clipped, html
from woolly_mcpdiag.report.model import Report

_MOST_LATENCIES = 8


def timeline(report: Report) -> Iterator[str]:
    """Yield the timeline of sessions with the activity below it, both on one axis."""
    extent = lanes.axis(report)
    if extent is None:
        return
    yield '<section id="timeline"><h2>Timeline</h2><div class="card">'
    if report.timelines:
        yield from _lanes(report, extent)
    if report.activity and any(any(values) for values in report.activity.series.values()):
        yield from _activity(report, report.activity, extent)
    yield "</div></section>"


def _lanes(report: Report, extent: lanes.Axis) -> Iterator[str]:
    drawn = lanes.choose(report.timelines, svg_timeline.MOST_LANES)
    yield f"<figure><figcaption>{html(_caption(report, drawn))}</figcaption>"
    yield '<div class="wide" tabindex="0" role="region" aria-label="Timeline of sessions">'
    yield svg_timeline.draw(report, drawn, extent)
    yield f"</div>{_marks()}</figure>"
    yield "<details><summary>The same lanes as a table</summary>"
    yield '<div class="wide" tabindex="0" role="region" aria-label="Table of lanes"><table class="plain"><thead><tr>'
    yield "".join(f'<th scope="col">{name}</th>' for name in ("Lane", "Agent", "Key", "Opened", "Closed", "Remark"))
    yield '<th scope="col" class="n">Requests</th><th scope="col" class="n">Failures</th></tr></thead><tbody>'
    yield from (_row(report, lane) for lane in drawn)
    yield "</tbody></table></div></details>"


def _caption(report: Report, drawn: Sequence[Timeline]) -> str:
    total = max(report.timelines_of, len(report.timelines))
    told = f"{len(drawn):,} of {total:,} lanes are drawn, failing ones first." if len(drawn) < total else ""
    told = told or f"{wording.count(total, 'lane')}."
    marks = sum(len(lane.moments) for lane in drawn)
    sampled = " Marks are sampled; every failure count is whole." if marks > svg_timeline.MOST_MARKS else ""
    clock = (
        " Positions are the order of events: the log has no times." if report.clock == "order" else " Times are UTC."
    )
    return f"{told}{sampled}{clock} Rest the pointer on a mark or a name to read more."


def _marks() -> str:
    shapes = (
        (svg.path(svg_timeline.shape(mark, 9, 9), kind=f"m-{mark}"), word) for mark, word in svg_timeline.WORDS.items()
    )
    items = (f'<li><svg viewBox="0 0 18 18" aria-hidden="true">{shape}</svg>{word}</li>' for shape, word in shapes)
    return f'<ul class="legend">{"".join(items)}</ul>'


def _row(report: Report, lane: Timeline) -> str:
    times = ("–" if at is None else wording.moment(report, at) for at in (lane.opened, lane.closed))
    cells = (lane.agent, lane.key, *times, lane.note)
    texts = "".join(f"<td>{html(clipped(cell, 200))}</td>" for cell in cells)
    figures = f'<td class="n">{lane.requests:,}</td><td class="n">{lane.failures:,}</td>'
    return f'<tr><th scope="row"><code>{html(clipped(lane.name, 60))}</code></th>{texts}{figures}</tr>'


def _activity(report: Report, data: Activity, extent: lanes.Axis) -> Iterator[str]:
    yield '<h3 class="label">Activity</h3><figure>'
    yield '<div class="wide" tabindex="0" role="region" aria-label="Activity over time">'
    yield f'{svg_charts.activity(report, data, extent)}</div><ul class="legend">'
    names = sorted(data.series, key=lambda name: name == "ok")
    for n, name in enumerate(names):
        if total := sum(data.series[name]):
            yield f'<li><i class="{svg_charts.series_kind(name, n)}"></i>{html(name)}: {total:,}</li>'
    yield "</ul></figure>"


def durations(report: Report) -> Iterator[str]:
    """Yield a histogram for each of the first eight latencies, its percentiles in words."""
    if not report.latencies:
        return
    yield '<section id="durations"><h2>Durations</h2><div class="grid">'
    for row in report.latencies[:_MOST_LATENCIES]:
        figures = (("p50", row.p50), ("p95", row.p95), ("p99", row.p99), ("longest", row.highest))
        told = ", ".join(f"{name} {wording.duration(value)}" for name, value in figures)
        yield f'<figure class="card"><h3>{html(clipped(row.name, 200))}</h3>'
        yield f"<figcaption>{wording.count(row.count, 'duration')}: {html(told)}</figcaption>"
        yield f"{svg_charts.histogram(row)}</figure>"
    yield "</div>"
    if len(report.latencies) > _MOST_LATENCIES:
        yield f'<p class="note">and {len(report.latencies) - _MOST_LATENCIES:,} more in the JSON report</p>'
    yield "</section>"
