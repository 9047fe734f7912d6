"""The one place for the session timelines as SVG: a lane each, marks by shape as well as by colour, tooltips."""

from collections.abc import Iterator, Sequence

from woolly_mcpdiag.core.timelines import Mark, Moment, Timeline
from woolly_mcpdiag.report import lanes, svg, wording
from woolly_mcpdiag.report.escape import printable
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.plain import pad

MOST_LANES = 120
MOST_MARKS = 5_000
"""Marks drawn in all; beyond it each lane keeps its failures and an even sample of the rest."""
LEFT, RIGHT, TOP = 204, 96, 30
PLOT = svg.WIDTH - LEFT - RIGHT
WORDS: dict[Mark, str] = {
    "opened": "opened",
    "ready": "ready",
    "ok": "answered",
    "fail": "failed response",
    "error": "error, no response",
    "stream": "stream",
    "closed": "closed",
}
_NEAR = 3.0
"""Units within which marks of one kind become one."""
_LOUD: tuple[Mark, ...] = ("fail", "error", "opened", "closed")


def draw(report: Report, drawn: Sequence[Timeline], extent: lanes.Axis) -> str:
    """Return the picture of those lanes over that axis."""
    step = 24 if len(drawn) <= 60 else 16
    height = TOP + step * len(drawn) + 10
    most = max(4, MOST_MARKS // max(len(drawn), 1))
    parts = list(grid(report, extent, height))
    parts.append(svg.text(svg.WIDTH - 52, TOP - 14, "req.", kind="tick", anchor="end"))
    parts.append(svg.text(svg.WIDTH - 8, TOP - 14, "failed", kind="tick", anchor="end"))
    for n, lane in enumerate(drawn):
        parts += _lane(report, lane, TOP + step * (n + 0.5), extent, most)
    return svg.frame(parts, width=svg.WIDTH, height=height, label=_alternative(drawn), kind="timeline")


def grid(report: Report, extent: lanes.Axis, height: float) -> Iterator[str]:
    """Yield vertical lines at round moments, labelled at the top."""
    last = -100.0
    for at, label in lanes.ticks(report, extent):
        x = place(extent, at)
        yield svg.path(f"M{svg.number(x)} {TOP - 8}V{svg.number(height)}", kind="grid")
        if x - last >= 8 * len(label):
            yield svg.text(x, TOP - 14, label, kind="tick", anchor="middle")
            last = x


def place(extent: lanes.Axis, at: float) -> float:
    """Return the x of a moment."""
    return LEFT + extent.share(at) * PLOT


def shape(mark: Mark, x: float, y: float) -> str:
    """Return the path of a mark around a point; each kind has a shape of its own."""
    at = f"M{svg.number(x)} {svg.number(y)}"
    match mark:
        case "fail":
            return f"{at}m-4.5-4.5l9 9m0-9l-9 9"
        case "error":
            return f"{at}m0-6l6 10.5h-12z"
        case "opened":
            return f"{at}m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0"
        case "ready":
            return f"{at}m0-4.5l4.5 4.5-4.5 4.5-4.5-4.5z"
        case "closed":
            return f"{at}m-4-5h4v10h-4"
        case "stream":
            return f"{at}m-6 0q3-7 6 0t6 0"
        case "ok":
            return f"{at}m0-5v10"


def _lane(report: Report, lane: Timeline, y: float, extent: lanes.Axis, most: int) -> Iterator[str]:
    name = printable(lane.name)
    who = printable(lane.agent or lane.key)
    kind = "lane bad" if lane.failures else "lane"
    label = pad(name, 9).rstrip() if who else pad(name, 27).rstrip()
    yield svg.text(8, y + 4, label, kind=kind, tip=about(report, lane))
    if who:
        yield svg.text(84, y + 4, pad(who, 18).rstrip(), kind="who", tip=printable(lane.key or lane.agent))
    ends = [m.at for m in lane.moments] + [at for at in (lane.opened, lane.closed) if at is not None]
    if ends:
        first, last = place(extent, min(ends)), place(extent, max(ends))
        yield svg.path(f"M{svg.number(first)} {svg.number(y)}H{svg.number(last)}", kind="life")
    for group in _groups(_thinned(lane.moments, most), extent):
        mark = group[0].mark
        yield svg.path(shape(mark, place(extent, group[0].at), y), kind=f"m-{mark}", tip=_tip(report, group))
    yield svg.text(svg.WIDTH - 52, y + 4, f"{lane.requests:,}", kind="figure", anchor="end")
    yield svg.text(svg.WIDTH - 8, y + 4, f"{lane.failures:,}", kind=f"figure {kind}", anchor="end")


def _thinned(moments: Sequence[Moment], most: int) -> list[Moment]:
    if len(moments) <= most:
        return list(moments)
    loud = [n for n, moment in enumerate(moments) if moment.mark in _LOUD]
    quiet = [n for n, moment in enumerate(moments) if moment.mark not in _LOUD]
    keep = set(loud[:most])
    room = most - len(keep)
    keep.update(quiet[n * len(quiet) // room] for n in range(room))
    return [moment for n, moment in enumerate(moments) if n in keep]


def _groups(moments: Sequence[Moment], extent: lanes.Axis) -> list[list[Moment]]:
    groups: list[list[Moment]] = []
    open_groups: dict[Mark, list[Moment]] = {}
    for moment in moments:
        group = open_groups.get(moment.mark)
        if group and abs(place(extent, moment.at) - place(extent, group[0].at)) < _NEAR:
            group.append(moment)
            continue
        open_groups[moment.mark] = [moment]
        groups.append(open_groups[moment.mark])
    return sorted(groups, key=lambda group: group[0].mark in {"fail", "error"})


def _tip(report: Report, group: Sequence[Moment]) -> str:
    first, last = wording.moment(report, group[0].at), wording.moment(report, group[-1].at)
    label = group[0].label or WORDS[group[0].mark]
    if len(group) == 1:
        return f"{first}  {label}"
    return f"{first} to {last}  {len(group):,} × {label}"


def about(report: Report, lane: Timeline) -> str:
    """Return everything known of a lane in one line."""
    parts = [f"session {lane.session}" if lane.session else lane.name]
    parts += [f"key {lane.key}"] if lane.key else []
    parts += [f"agent {lane.agent}"] if lane.agent else []
    parts += [f"opened {wording.moment(report, lane.opened)}"] if lane.opened is not None else []
    parts += [f"closed {wording.moment(report, lane.closed)}"] if lane.closed is not None else []
    parts += [f"{wording.count(lane.requests, 'request')}, {wording.count(lane.failures, 'failure')}"]
    parts += [f"longest idle {wording.duration(lane.longest_idle)}"] if lane.longest_idle is not None else []
    parts += [f"{lane.overlap} other sessions alive at the first failure"] if lane.overlap is not None else []
    parts += [lane.note] if lane.note else []
    return "; ".join(parts)


def _alternative(drawn: Sequence[Timeline]) -> str:
    failing = sum(bool(lane.failures) for lane in drawn)
    lanes_ = wording.count(len(drawn), "lane")
    return f"Timeline of {lanes_}, {failing:,} with failures; the table below has the same lanes"
