"""The one place for the formulas of the gate: what counts prove, how many tries a claim needs, and dependence.

A *batch* is a stretch of a run; all rates are of failures in tries. Sources: exact bounds of Clopper and Pearson
(``core.stats``); the design effect of Kish, *Survey Sampling* (1965), for batches of unequal size; order statistics
for the interval of a quantile (David and Nagaraja, *Order Statistics*, 2003, §7.1).
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from woolly_mcpdiag.core import ratios, stats

BATCHES = 20
"""Stretches that a run is cut into to see how much calls depend on their neighbours."""
FEWEST_BATCHES = 8
"""Below it the spread of batches says too little about dependence."""


class Batch(NamedTuple):
    """Tries and failures of a stretch of a run."""

    tries: int
    failures: int


class Bounds(NamedTuple):
    """Two one-sided bounds of a rate, each with the whole confidence."""

    low: float
    high: float


def zero_bound(tries: float, confidence: float = 0.95) -> float:
    """Return the rate that no failure in so many tries rules out; 1 below one try."""
    return stats.zero_failures_bound(int(tries), confidence)


def smallest_tries(quantile: float, confidence: float = 0.95) -> int:
    """Return how many tries, all below a limit, show that the quantile is below it: 59 for 0.95, 299 for 0.99."""
    # 1 - 0.99 is 0.010000000000000009 as a float; it would ask for 298.
    return stats.tries_needed(round(1 - quantile, 12), confidence)


def allowed(claim: float, tries: int, confidence: float = 0.95) -> int:
    """Return the most failures with which so many tries still show a rate below the claim; -1 where none do.

    For 5 %: 100 tries allow 1, 1,000 allow 38.
    """
    if not _shown(0, tries, claim, confidence):
        return -1
    low, high = 0, tries
    while high - low > 1:
        middle = (low + high) // 2
        if _shown(middle, tries, claim, confidence):
            low = middle
        else:
            high = middle
    return low


def design_effect(batches: Sequence[Batch]) -> float:
    """Return how many times a rate varies more between batches than independent tries would; at least 1.

    1 as well where there are too few batches, or no failure, to tell.
    """
    used = [batch for batch in batches if batch.tries]
    tries, failures = sum(b.tries for b in used), sum(b.failures for b in used)
    if len(used) < FEWEST_BATCHES or failures in {0, tries}:
        return 1.0
    rate = failures / tries
    spread = sum((b.failures - rate * b.tries) ** 2 for b in used) * len(used) / (len(used) - 1)
    return max(1.0, spread / (tries * rate * (1 - rate)))


def rate_bounds(failures: tuple[int, int], tries: int, effect: float, confidence: float = 0.95) -> Bounds:
    """Return bounds of a rate of which only the least and the most failures are known.

    Counts are divided by the design effect and rounded to the side that proves less. Without tries: 0 and 1.
    """
    least, most = failures
    fewer = max(1, math.floor(tries / effect)) if tries else 0
    more = math.ceil(tries / effect)
    high = stats.upper_bound(min(math.ceil(most / effect), fewer), fewer, confidence)
    low = stats.lower_bound(min(math.floor(least / effect), more), more, confidence)
    return Bounds(low, high)


def further_tries(failures: int, tries: int, claim: float, confidence: float, effect: float = 1.0) -> int | None:
    """Return how many more tries would show a rate below the claim if failures went on as seen; ``None`` where none.

    That is where the observed rate is no longer below the claim, or where it would take over a million.
    """
    rate = failures / tries if tries else 0.0
    if not 0 < claim < 1 or rate >= claim:
        return None
    low = high = max(tries, 1)
    while not _shown(*_scaled(rate, high, effect), claim, confidence):
        low, high = high, high * 2
        if high > 1_000_000:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if _shown(*_scaled(rate, middle, effect), claim, confidence):
            high = middle
        else:
            low = middle
    return max(high - tries, 1)


def _shown(failures: int, tries: int, claim: float, confidence: float) -> bool:
    """Return whether ``upper_bound`` is within the claim, without computing it: so few failures are that unlikely."""
    return failures < tries and 1 - stats.beta_share(claim, failures + 1, tries - failures) <= 1 - confidence


def _scaled(rate: float, tries: int, effect: float) -> tuple[int, int]:
    fewer = max(1, int(tries / effect))
    return min(math.ceil(round(rate * fewer, 9)), fewer), fewer


def split_confidence(confidence: float, looks: int) -> float:
    """Return the confidence that each of several looks must have so that all together keep the given one.

    Bonferroni: two looks at 95 % get 97.5 % each. Raises ``ValueError`` below one look.
    """
    if looks < 1:
        message = f"looks: {looks} is less than one"
        raise ValueError(message)
    return 1 - (1 - confidence) / looks


def mean_bounds(batches: Sequence[tuple[float, int]], confidence: float = 0.95) -> Bounds | None:
    """Return bounds of a mean from batches of (sum, number); ``None`` where there are too few batches.

    The ratio estimate over batches with Student's t, so that dependence within a batch is in its spread.
    """
    used = [batch for batch in batches if batch[1]]
    number = sum(n for _, n in used)
    if len(used) < FEWEST_BATCHES:
        return None
    mean = sum(total for total, _ in used) / number
    spread = sum((total - mean * n) ** 2 for total, n in used) * len(used) / (len(used) - 1)
    half = student(confidence, len(used) - 1) * math.sqrt(spread) / number
    return Bounds(mean - half, mean + half)


def student(confidence: float, freedom: int) -> float:
    """Return the one-sided quantile of Student's t: 1.729 for 0.95 and 19 degrees of freedom; 0 up to 0.5."""
    return ratios.student(2 * confidence - 1, freedom) if confidence > 0.5 else 0.0


def quantile_ranks(quantile: float, tries: int, confidence: float = 0.95) -> tuple[int, int]:
    """Return the ranks (1-based) of the two values that bound a quantile, each with the whole confidence.

    0 and tries + 1 where the sample has no such value.
    """
    tail = 1 - confidence
    high = _first(lambda rank: stats.beta_share(quantile, rank, tries - rank + 1) <= tail, 1, tries + 1)
    low = _first(lambda rank: 1 - stats.beta_share(quantile, rank, tries - rank + 1) > tail, 1, tries + 1) - 1
    return low, high


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
