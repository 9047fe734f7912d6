"""The one place for what every picture of the timelines needs: the axis, which lanes to draw, where a mark falls."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from woolly_mcpdiag.core.timelines import Timeline
from woolly_mcpdiag.report import wording
from woolly_mcpdiag.report.model import Report

_SLACK = 3600.0
"""Seconds."""
_DAY = 86_400.0
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """From the first to the last thing drawn, in seconds or in the order of events."""

    start: float
    end: float

    def share(self, at: float) -> float:
        """Return where a moment lies between start (0) and end (1), held within these."""
        if self.end <= self.start:
            return 0.0
        return min(max((at - self.start) / (self.end - self.start), 0.0), 1.0)


def axis(report: Report) -> Axis | None:
    """Return the extent of the timelines and the activity, or ``None`` where there is nothing to draw.

    A moment that lies far outside the report's time (a line without a stamp in a log that has them) is left out.
    """
    points = [moment.at for lane in report.timelines for moment in lane.moments]
    points += [at for lane in report.timelines for at in (lane.opened, lane.closed) if at is not None]
    if report.activity is not None and report.activity.series:
        points.append(report.activity.start)
        filled = _filled(list(report.activity.series.values()))
        points.append(report.activity.start + max(filled - 0.001, 0) * report.activity.width)
    points = [point for point in points if math.isfinite(point)]
    if report.clock == "time" and report.first is not None and report.last is not None:
        margin = report.last - report.first + _SLACK
        points = [point for point in points if report.first - margin <= point <= report.last + margin]
    return Axis(start=min(points), end=max(points)) if points else None


def _filled(series: list[list[int]]) -> int:
    return max((n + 1 for values in series for n, value in enumerate(values) if value), default=0)


def choose(timelines: Sequence[Timeline], most: int) -> list[Timeline]:
    """Return at most that many lanes in their order: failing ones before others, evenly spread where too many."""
    if len(timelines) <= most:
        return list(timelines)
    failing = [n for n, lane in enumerate(timelines) if lane.failures]
    others = [n for n, lane in enumerate(timelines) if not lane.failures]
    chosen = _spread(failing, most)
    chosen += _spread(others, most - len(chosen))
    return [timelines[n] for n in sorted(chosen)]


def _spread(indexes: list[int], most: int) -> list[int]:
    if len(indexes) <= most:
        return list(indexes)
    return [indexes[n * len(indexes) // most] for n in range(most)]


def ticks(report: Report, extent: Axis, most: int = 8) -> list[tuple[float, str]]:
    """Return round moments within the axis with their labels."""
    length = extent.end - extent.start
    if length <= 0:
        return [(extent.start, wording.moment(report, extent.start))]
    step = _step(length / most, whole=report.clock == "order")
    first = math.ceil(extent.start / step)
    places = [n * step for n in range(first, math.floor(extent.end / step) + 1)]
    if report.clock == "order":
        return [(at, f"{at:,.0f}") for at in places]
    if length > _DAY:
        return [(at, wording.stamp(at, date=True)[5:16]) for at in places]
    digits = min(max(-math.floor(math.log10(step)), 0), 6) if step < 1 else 0
    return [(at, wording.stamp(at + 10.0 ** -(digits + 3), digits=digits)) for at in places]


def _step(least: float, *, whole: bool) -> float:
    if not whole and least >= 1:
        return float(next((step for step in _STEPS if step >= least), 86_400 * math.ceil(least / 86_400)))
    size = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= least * 0.999)
    return max(step, 1.0) if whole else step
