"""The one place for a run over time: intervals put together into few enough points to draw."""

from collections import Counter
from collections.abc import Callable, Sequence

from woolly_mcpdiag.core.measures import Calls, Series, Tally
from woolly_mcpdiag.core.runs import Interval
from woolly_mcpdiag.report.run_figures import measured
from woolly_mcpdiag.report.run_model import Point

MOST = 240
"""Points; a page has about four pixels for each."""


def points(intervals: Sequence[Interval], kind: str, most: int = MOST) -> list[Point]:
    """Return the run in at most that many stretches, with the calls of one kind ("agent" or "mcp").

    The warm-up is in it: a picture shows it, no figure counts it.
    """
    if not intervals:
        return []
    ordered = sorted(intervals, key=lambda interval: (interval.start, interval.end))
    step = -(-len(ordered) // most)
    return [_point(ordered[n : n + step], kind) for n in range(0, len(ordered), step)]


def _point(part: Sequence[Interval], kind: str) -> Point:
    calls, errors, refused = Calls(), Counter[str](), 0
    for interval in part:
        for series, some in interval.tally.calls.items():
            if series.kind == kind:
                calls.merge(some)
        refused += _refused(interval.tally)
    for outcome, number in calls.outcomes.items():
        if outcome.kind != "ok":
            errors[label(outcome.kind, outcome.status)] += number
    start, end = part[0].start, max(interval.end for interval in part)
    seen = calls.latency.count > 0
    return Point(
        start=start,
        end=end,
        ok=calls.ok,
        failed=calls.failed,
        rate=calls.tried / (end - start) if end > start else 0.0,
        refused=refused,
        p50=calls.latency.quantile(0.5) if seen else None,
        p95=calls.latency.quantile(0.95) if seen else None,
        p99=calls.latency.quantile(0.99) if seen else None,
        in_flight=max(interval.in_flight for interval in part),
        users=max(interval.users for interval in part),
        errors=dict(errors.most_common()),
    )


def _refused(tally: Tally) -> int:
    return sum(n for answer, n in tally.answers.items() if answer.status == 400 and not answer.benign)


def label(kind: str, status: int) -> str:
    """Return the name of an outcome in a picture: "HTTP 500", "timeout"."""
    return f"HTTP {status}" if kind == "http" and status else kind


def seconds(intervals: Sequence[Interval], wanted: Callable[[Series], bool] = measured) -> float:
    """Return how long the wanted calls (by default all but the warm-up) were counted.

    An interval with others in it counts by its share of them. One without an answer counts where it lies between
    others: a target that stands still takes time too.
    """
    shares = [share(interval.tally, wanted) for interval in intervals]
    places = [n for n, (mine, _) in enumerate(shares) if mine]
    if not places:
        return 0.0
    first, last = places[0], places[-1]
    found = 0.0
    for interval, (mine, others) in zip(intervals[first : last + 1], shares[first : last + 1], strict=True):
        if mine or not others:
            found += (interval.end - interval.start) * (mine / (mine + others) if others else 1.0)
    return found


def share(tally: Tally, wanted: Callable[[Series], bool] = measured) -> tuple[int, int]:
    """Return how many calls ended of the wanted ones, and how many others."""
    mine = others = 0
    for series, calls in tally.calls.items():
        if wanted(series):
            mine += calls.tried
        else:
            others += calls.tried
    return mine, others
