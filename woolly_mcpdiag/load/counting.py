"""The one place where many durations are counted at once: the same buckets and sums as ``Histogram.add``, by numpy."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from woolly_mcpdiag.core.histogram import GROWTH, HIGHEST, LOWEST, UNIT_BITS, Histogram, bucket_of

_FEW = 24
"""Below this number of durations a loop is quicker than arrays."""
_STEP = math.log(GROWTH)
_LAST = bucket_of(math.inf)
_EDGE = 1e-6
"""Of a bucket: so near its edge two logarithms may round to different sides, and the histogram's own decides."""
_BIG = float(1 << 31)
"""Seconds from which whole ones could overflow when they are added up."""
_LOW = (1 << 32) - 1


def add_all(histogram: Histogram, durations: Sequence[float], *others: Histogram) -> None:
    """Count durations in seconds, in other histograms as well.

    Below zero, as clocks of different steps give it, counts as none. Raises ``ValueError`` for one that is not finite.
    """
    if len(durations) < _FEW:
        for duration in durations:
            for each in (histogram, *others):
                each.add(max(duration, 0.0))
        return
    values = np.maximum(np.asarray(durations, np.float64), 0.0)
    least, greatest = float(values.min()), float(values.max())
    if not math.isfinite(greatest):
        message = f"duration: {greatest} s cannot be counted"
        raise ValueError(message)
    if greatest >= _BIG:
        for value in values.tolist():
            for each in (histogram, *others):
                each.add(value)
        return
    found = np.bincount(_buckets(values))
    filled = np.flatnonzero(found)
    counts = dict(zip(filled.tolist(), found[filled].tolist(), strict=True))
    units = _units(values)
    for each in (histogram, *others):
        each.add_counted(counts, least, greatest, units)


def _buckets(values: NDArray[np.float64]) -> NDArray[np.int64]:
    inner = np.clip(values, LOWEST, HIGHEST)
    place = np.log(inner / LOWEST) / _STEP
    found = np.minimum(1 + place.astype(np.int64), _LAST - 1)
    found[values < LOWEST] = 0
    found[values > HIGHEST] = _LAST
    for at in np.flatnonzero(np.abs(place - np.rint(place)) < _EDGE).tolist():
        found[at] = bucket_of(float(values[at]))
    return found


def _units(values: NDArray[np.float64]) -> int:
    whole = np.floor(values)
    # Scaling by a power of two is exact, and what is below one unit is cut off as the histogram does it.
    parts = ((values - whole) * float(1 << UNIT_BITS)).astype(np.int64)
    high, low = int((parts >> 32).sum()), int((parts & _LOW).sum())
    return (int(whole.astype(np.int64).sum()) << UNIT_BITS) + (high << 32) + low
