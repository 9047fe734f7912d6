"""The one place for the tables of a run as rows: intervals over time, and calls by series. Seconds."""

from collections.abc import Iterator
from functools import partial

from woolly_mcpdiag.core.histogram import Histogram
from woolly_mcpdiag.core.measures import Calls, Series
from woolly_mcpdiag.core.runs import Run
from woolly_mcpdiag.report.run_timeline import seconds

Row = dict[str, object]
TABLES = ("intervals", "calls")


def interval_rows(run: Run) -> Iterator[Row]:
    """Yield one row for each interval and series; ``in_flight`` and ``users`` are of the whole interval."""
    for interval in run.intervals:
        length = interval.end - interval.start
        for series, calls in sorted(interval.tally.calls.items()):
            row: Row = {"start": interval.start, "end": interval.end, **series._asdict()}
            yield row | _counts(calls, length) | {"in_flight": interval.in_flight, "users": interval.users}


def call_rows(run: Run) -> Iterator[Row]:
    """Yield one row for each series of the whole run, the warm-up as a scene of its own."""
    tally = run.tally
    lengths: dict[tuple[str, str], float] = {}
    for series, calls in sorted(tally.calls.items()):
        place = (series.scene, series.client)
        if place not in lengths:
            lengths[place] = seconds(run.intervals, partial(_same, place))
        yield {**series._asdict(), **_counts(calls, lengths[place]), **_more(calls)}


def _same(place: tuple[str, str], series: Series) -> bool:
    return (series.scene, series.client) == place


def _counts(calls: Calls, length: float) -> Row:
    return {
        "tried": calls.tried,
        "ok": calls.ok,
        "failed": calls.failed,
        "retried": calls.retried,
        "degraded": calls.degraded,
        "rate": calls.tried / length if length > 0 else None,
        **_quantiles("", calls.latency),
    }


def _more(calls: Calls) -> Row:
    return {
        "mean": calls.latency.mean if calls.latency.count else None,
        **_quantiles("service_", calls.service),
        **_quantiles("first_", calls.first),
        **_quantiles("failing_", calls.failing),
    }


def _quantiles(prefix: str, histogram: Histogram) -> Row:
    names = (("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
    return {f"{prefix}{name}": histogram.quantile(q) if histogram.count else None for name, q in names}
