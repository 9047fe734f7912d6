"""The one place that puts fine figures of a run into as few bins as a picture has room for."""

import math
from collections.abc import Sequence

from woolly_mcpdiag.report.run_model import Point, Spread

BARS = 8
_FLOOR = 1e-6
"""Seconds: below it all durations are alike."""


def of_buckets(spread: Spread, bars: int = BARS) -> list[tuple[float, float, int]]:
    """Return (low, high, count) of that many bins of equal width on a logarithmic axis, empty ones too."""
    low, high = max(spread.least, _FLOOR), max(spread.greatest, _FLOOR)
    step = math.log(high / low) / bars if high > low else 0.0
    if step <= 0:
        return [(spread.least, spread.greatest, spread.count)]
    counts = [0] * bars
    for left, right, count in spread.buckets:
        middle = math.sqrt(max(left, _FLOOR) * max(right, _FLOOR))
        counts[min(max(int(math.log(middle / low) / step), 0), bars - 1)] += count
    edges = [low * math.exp(step * n) for n in range(bars + 1)]
    return [(edges[n], edges[n + 1], counts[n]) for n in range(bars)]


def of_points(points: Sequence[Point], columns: int) -> list[Point]:
    """Return at most that many points: sums of counts, the worst of the latencies, the most in flight."""
    step = -(-len(points) // columns)
    return [_together(points[n : n + step]) for n in range(0, len(points), step)]


def _together(part: Sequence[Point]) -> Point:
    ok, failed = sum(point.ok for point in part), sum(point.failed for point in part)
    length = part[-1].end - part[0].start
    errors: dict[str, int] = {}
    for point in part:
        for name, number in point.errors.items():
            errors[name] = errors.get(name, 0) + number
    return Point(
        start=part[0].start,
        end=part[-1].end,
        ok=ok,
        failed=failed,
        rate=(ok + failed) / length if length > 0 else 0.0,
        refused=sum(point.refused for point in part),
        p50=_worst([point.p50 for point in part]),
        p95=_worst([point.p95 for point in part]),
        p99=_worst([point.p99 for point in part]),
        in_flight=max(point.in_flight for point in part),
        users=max(point.users for point in part),
        errors=errors,
    )


def _worst(values: Sequence[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
