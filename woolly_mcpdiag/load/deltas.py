"""The one place that takes an earlier tally from a later one of the same counting: what ended in between, exactly."""

from collections import Counter
from collections.abc import Hashable
from typing import TypeVar

from woolly_mcpdiag.core.histogram import GROWTH, LOWEST, Histogram
from woolly_mcpdiag.core.measures import Calls, Phase, Tally

_K = TypeVar("_K", bound=Hashable)


def difference(later: Tally, earlier: Tally) -> Tally:
    """Return what the later tally counted beyond the earlier one; what did not change is left out.

    Merging the differences of successive tallies gives the last one again, least and greatest included: those of a
    difference are exact where they are the extremes so far, else the edges of its buckets.
    """
    found = Tally(
        answers=_less(later.answers, earlier.answers),
        counters=_less(later.counters, earlier.counters),
    )
    for series, calls in later.calls.items():
        before = earlier.calls.get(series)
        changed = _calls(calls, before or Calls())
        if before is None or changed.tried or changed.outcomes or changed.retried or changed.degraded:
            found.calls[series] = changed
    for step, phase in later.phases.items():
        old = earlier.phases.get(step, Phase())
        took = _histogram(phase.took, old.took)
        if took.count or phase.failed != old.failed or step not in earlier.phases:
            found.phases[step] = Phase(took=took, failed=phase.failed - old.failed)
    return found


def _calls(later: Calls, earlier: Calls) -> Calls:
    pairs = zip(later.histograms(), earlier.histograms(), strict=True)
    latency, service, first, failing = (_histogram(new, old) for new, old in pairs)
    return Calls(
        ok=later.ok - earlier.ok,
        failed=later.failed - earlier.failed,
        retried=later.retried - earlier.retried,
        degraded=later.degraded - earlier.degraded,
        latency=latency,
        service=service,
        first=first,
        failing=failing,
        outcomes=_less(later.outcomes, earlier.outcomes),
    )


def _less(later: Counter[_K], earlier: Counter[_K]) -> Counter[_K]:
    return Counter({name: n - earlier[name] for name, n in later.items() if n != earlier[name]})


def _histogram(later: Histogram, earlier: Histogram) -> Histogram:
    if not earlier.count or later.count == earlier.count:
        return later if not earlier.count else Histogram()
    counts = {b: n - earlier.counts.get(b, 0) for b, n in later.counts.items() if n != earlier.counts.get(b, 0)}
    greatest = later.greatest if later.greatest > earlier.greatest else min(later.greatest, _edge(max(counts)))
    least = later.least if later.least < earlier.least else max(later.least, _edge(min(counts) - 1))
    return Histogram(
        counts=counts,
        count=later.count - earlier.count,
        least=min(least, greatest),
        greatest=greatest,
        units=later.units - earlier.units,
    )


def _edge(bucket: int) -> float:
    """Return the upper edge of a bucket; 0 below the first."""
    return LOWEST * GROWTH**bucket if bucket >= 0 else 0.0
