"""The one place for the SVG charts beside the timeline: activity over time and histograms of durations."""

import math
from collections.abc import Iterator, Sequence

from woolly_mcpdiag.core.timelines import Activity, Latency
from woolly_mcpdiag.report import lanes, svg, wording
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.svg_timeline import LEFT, PLOT, TOP, grid, place

MOST_BINS = 180
_FEWEST = 3
"""Labels under a histogram."""
_STRIP = 84
_CHART_WIDTH, _CHART_HEIGHT, _BASE = 520, 190, 156
_PALETTE = ("other", "e4", "e5", "bad")
_KINDS = {"ok": "ok", "400": "bad", "other 4xx": "e4", "5xx": "e5", "errors": "other"}


def series_kind(name: str, index: int) -> str:
    """Return the colour class of a series of the activity."""
    return "s-" + _KINDS.get(name, _PALETTE[index % len(_PALETTE)])


def activity(report: Report, data: Activity, extent: lanes.Axis) -> str:
    """Return the stacked bars of requests over time, failing ones at the bottom, on the axis of the timeline."""
    names = sorted(data.series, key=lambda name: name == "ok")
    bins = list(_binned(data, names))
    top = svg.ceiling(max((sum(counts) for _, _, counts in bins), default=0))
    base = TOP + _STRIP
    parts = list(grid(report, extent, base))
    for start, end, counts in bins:
        parts += _bar(report, names, counts, (place(extent, start), place(extent, end)), base, top, start)
    parts.append(svg.text(LEFT - 10, TOP + 6, f"{top:,.0f}", kind="tick", anchor="end"))
    parts.append(svg.text(LEFT - 10, base, "0", kind="tick", anchor="end"))
    parts.append(svg.text(8, base, "requests", kind="who"))
    parts.append(svg.path(f"M{LEFT} {base}H{LEFT + PLOT}", kind="axis"))
    return svg.frame(parts, width=svg.WIDTH, height=base + 8, label=_alternative(data), kind="timeline")


def _binned(data: Activity, names: Sequence[str]) -> Iterator[tuple[float, float, list[int]]]:
    length = max((len(values) for values in data.series.values()), default=0)
    step = -(-length // MOST_BINS) or 1
    for first in range(0, length, step):
        counts = [sum(data.series[name][first : first + step]) for name in names]
        if any(counts):
            end = min(first + step, length)
            yield data.start + first * data.width, data.start + end * data.width, counts


def _bar(
    report: Report,
    names: Sequence[str],
    counts: Sequence[int],
    sides: tuple[float, float],
    base: float,
    top: float,
    at: float,
) -> Iterator[str]:
    told = ", ".join(f"{name} {number:,}" for name, number in zip(names, counts, strict=True) if number)
    yield f"<g>{svg.title(f'{wording.moment(report, at)}: {told}')}"
    left, width = sides[0] + 0.4, max(sides[1] - sides[0] - 0.8, 1.2)
    y = base
    for n, (name, number) in enumerate(zip(names, counts, strict=True)):
        if number:
            height = max(number / top * _STRIP, 1.5)
            y -= height
            yield svg.rect(left, y, width, height, kind=series_kind(name, n))
    yield "</g>"


def _alternative(data: Activity) -> str:
    told = ", ".join(f"{name} {sum(values):,}" for name, values in data.series.items() if any(values))
    return f"Requests over time: {told or 'none'}"


def histogram(data: Latency) -> str:
    """Return the distribution of durations over a logarithmic axis, with the percentiles marked."""
    bars = [(_low(low, high), _high(low, high), count) for low, high, count in data.buckets if count]
    if not bars:
        return ""
    left, right = math.log10(bars[0][0]), math.log10(bars[-1][1])
    span = max(right - left, 1e-9)
    top = max(count for _, _, count in bars)

    def x_of(seconds: float) -> float:
        return 16 + min(max((math.log10(max(seconds, 1e-9)) - left) / span, 0.0), 1.0) * (_CHART_WIDTH - 32)

    parts = [svg.path(f"M8 {_BASE}H{_CHART_WIDTH - 8}", kind="axis")]
    for low, high, count in bars:
        height = max(count / top * (_BASE - 60), 1.5)
        width = max(x_of(high) - x_of(low) - 1, 1.0)
        tip = f"{wording.duration(low)} to {wording.duration(high)}: {count:,}"
        parts.append(svg.rect(x_of(low), _BASE - height, width, height, kind="s-ok", tip=tip))
    for at in _round_durations(left, right):
        parts.append(svg.text(x_of(at), _BASE + 18, wording.duration(at), kind="tick", anchor="middle"))
        parts.append(svg.path(f"M{svg.number(x_of(at))} {_BASE}v4", kind="axis"))
    for n, (name, value) in enumerate((("p50", data.p50), ("p95", data.p95), ("p99", data.p99))):
        if math.isfinite(value):
            parts += _percentile(name, value, x_of(value), 14 + 13 * n)
    label = f"Durations of {data.name}: p50 {wording.duration(data.p50)}, p99 {wording.duration(data.p99)}"
    return svg.frame(parts, width=_CHART_WIDTH, height=_CHART_HEIGHT, label=label, kind="histogram")


def _percentile(name: str, value: float, x: float, y: float) -> Iterator[str]:
    anchor = "end" if x > _CHART_WIDTH * 0.7 else ""
    yield svg.path(f"M{svg.number(x)} {svg.number(y - 9)}V{_BASE}", kind="mark")
    side = -5 if anchor else 5
    yield svg.text(x + side, y, f"{name} {wording.duration(value)}", kind="tick strong", anchor=anchor)


def _low(low: float, high: float) -> float:
    return low if low > 0 else (high / 2 if math.isfinite(high) and high > 0 else 1e-6)


def _high(low: float, high: float) -> float:
    return high if math.isfinite(high) else max(low, 1e-6) * 2


def _round_durations(left: float, right: float) -> list[float]:
    """Return round durations on the axis (given in powers of ten), finer ones where the axis is short."""
    found: list[float] = []
    for factors in ((1.0,), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)):
        powers = range(math.floor(left), math.ceil(right) + 1)
        steps = (10.0**power * factor for power in powers for factor in factors)
        found = [at for at in steps if left - 0.01 <= math.log10(at) <= right + 0.01]
        if len(found) >= _FEWEST:
            break
    return found
